"""Platform tags of the probe, against packaging for the same facts."""

from __future__ import annotations

import os
import platform
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging import _manylinux, _musllinux
from packaging import tags as packaging_tags

from core.lockmaker import quick
from runtime.elfmaker import ARM, HARD_FLOAT, I386, elf, fake_loader, program
from wheeltarget.runtime import basics, interpreter, linux, platforms

Facts = Callable[..., None]

#: What this machine has, before anything says otherwise.
OWN_GLIBC = linux.glibc_version()


@pytest.fixture
def facts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Facts]:
    """Set what the machine says, to the probe and to packaging alike."""

    def say(system: str, name: str, *, glibc: str | None = "glibc 2.36", bits: int = 64) -> None:
        monkeypatch.setattr(platform, "system", lambda: system)
        monkeypatch.setattr(sysconfig, "get_platform", lambda: name)
        monkeypatch.setattr(os, "confstr", lambda name: glibc, raising=False)
        for module in (linux, platforms):
            monkeypatch.setattr(module, "own_bits", lambda: bits)
        of_bits = (bits == 32,)
        monkeypatch.setattr(packaging_tags._linux_platforms, "__defaults__", of_bits)
        monkeypatch.setattr(packaging_tags._mac_arch, "__defaults__", of_bits)
        forget()

    yield say
    monkeypatch.undo()
    forget()


def forget() -> None:
    """Empty packaging's caches of facts about the machine."""
    _manylinux._get_glibc_version.cache_clear()
    _manylinux._get_manylinux_module.cache_clear()
    _musllinux._get_musl_version.cache_clear()


def agreed() -> list[str]:
    """The platform tags of the machine, as both say."""
    found = platforms.own_platforms()
    assert found == list(packaging_tags.platform_tags())
    return found


# --- Linux ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "bits", "archs"),
    [
        ("linux-x86_64", 64, ["x86_64"]),
        ("linux-x86_64", 32, ["i686"]),
        ("linux-i686", 32, ["i686"]),
        ("linux-aarch64", 64, ["aarch64"]),
        ("linux-aarch64", 32, ["armv8l", "armv7l"]),
        ("linux-armv8l", 32, ["armv8l", "armv7l"]),
        ("linux-armv7l", 32, ["armv7l"]),
        ("linux-armv6l", 32, ["armv6l"]),
        ("linux-ppc64le", 64, ["ppc64le"]),
    ],
)
@pytest.mark.parametrize("machine", [I386, ARM])
def test_linux(
    facts: Facts,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
    bits: int,
    archs: list[str],
    machine: int,
) -> None:
    content = elf(bits=32, machine=machine, flags=HARD_FLOAT)
    monkeypatch.setattr(sys, "executable", program(tmp_path / "python", content))
    facts("Linux", name, bits=bits)
    found = agreed()
    assert found[: len(archs)] == [f"linux_{arch}" for arch in archs]
    fits = {"i686": machine == I386, "armv7l": machine == ARM}.get(archs[-1], archs != ["armv6l"])
    assert (f"manylinux_2_17_{archs[-1]}" in found) == fits
    assert (f"manylinux1_{archs[-1]}" in found) == (fits and archs[-1] in {"x86_64", "i686"})


@pytest.mark.parametrize(
    ("glibc", "newest"),
    [
        ("glibc 2.5", "manylinux_2_5_x86_64"),
        ("glibc 2.4", None),
        ("glibc 2.17", "manylinux_2_17_x86_64"),
        ("glibc 2.20-2014.11", "manylinux_2_20_x86_64"),
        ("glibc 3.1", "manylinux_3_1_x86_64"),
        ("glibc 2.100", "manylinux_2_100_x86_64"),
    ],
)
def test_glibc(facts: Facts, glibc: str, newest: str | None) -> None:
    facts("Linux", "linux-x86_64", glibc=glibc)
    found = [tag for tag in agreed() if tag.startswith("manylinux_")]
    assert found[:1] == ([] if newest is None else [newest])


@pytest.mark.parametrize("glibc", [None, "", "2.17", "glibc", "a b c"])
def test_glibc_is_asked_itself_where_confstr_does_not_say(
    facts: Facts, monkeypatch: pytest.MonkeyPatch, glibc: str | None
) -> None:
    facts("Linux", "linux-x86_64", glibc=glibc)
    assert linux.glibc_version() == OWN_GLIBC
    assert _manylinux._get_glibc_version() == (OWN_GLIBC or (-1, -1))
    monkeypatch.setitem(sys.modules, "ctypes", None)
    assert linux.glibc_version() is None


@pytest.mark.parametrize("said", ["", "x.y", "2", "2.", ".17"])
def test_a_glibc_version_that_is_none(said: str) -> None:
    assert linux.parse_glibc(said) is None


@pytest.mark.parametrize("trouble", [ValueError, OSError, AttributeError])
def test_confstr_that_fails(monkeypatch: pytest.MonkeyPatch, trouble: type[Exception]) -> None:
    def fail(name: str) -> str:
        raise trouble

    monkeypatch.setattr(os, "confstr", fail, raising=False)
    monkeypatch.setitem(sys.modules, "ctypes", None)
    assert linux.glibc_version() is None


@quick
@given(
    st.tuples(st.sampled_from([2, 3, 4]), st.integers(0, 60)),
    st.sampled_from([["x86_64"], ["i686"], ["s390x"], ["armv8l", "armv7l"], ["ppc64le", "i686"]]),
)
def test_any_glibc(version: tuple[int, int], archs: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_manylinux, "_have_compatible_abi", lambda *args: True)
        patch.setattr(_manylinux, "_get_manylinux_module", lambda: None)
        patch.setattr(_manylinux, "_get_glibc_version", lambda: version)
        assert linux.glibc_platforms(version, archs) == list(_manylinux.platform_tags(archs))


def even(major: int, minor: int, arch: str) -> bool:
    """A rule that no version or architecture may slip past."""
    return major == 2 and minor % 2 == 0 and arch == "x86_64"


@pytest.mark.parametrize(
    ("says", "kept"),
    [
        ({"manylinux_compatible": even}, {"manylinux_2_12_", "manylinux2010_"}),
        ({"manylinux_compatible": lambda *args: None}, None),
        ({"manylinux_compatible": lambda *args: 0, "manylinux1_compatible": True}, set()),
        ({"manylinux1_compatible": False}, None),
        ({"manylinux2010_compatible": False, "manylinux2014_compatible": None}, None),
        ({}, None),
    ],
)
def test_the_override(
    facts: Facts,
    monkeypatch: pytest.MonkeyPatch,
    says: dict[str, object],
    kept: set[str] | None,
) -> None:
    module = ModuleType("_manylinux")
    vars(module).update(says)
    monkeypatch.setitem(sys.modules, "_manylinux", module)
    facts("Linux", "linux-x86_64", glibc="glibc 2.13")
    found = agreed()
    if kept is not None:
        recent = {tag for tag in found if tag.endswith(("13_x86_64", "12_x86_64", "2010_x86_64"))}
        assert recent == {f"{start}x86_64" for start in kept}
    for name in ("manylinux1", "manylinux2010"):
        denied = says.get(f"{name}_compatible", True) is False
        assert not denied or f"{name}_x86_64" not in found


def test_an_override_that_fails_is_told(
    facts: Facts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    facts("Linux", "linux-x86_64", glibc="glibc 2.13")
    broken = ModuleType("_manylinux")
    vars(broken)["manylinux_compatible"] = lambda: None
    monkeypatch.setitem(sys.modules, "_manylinux", broken)
    with pytest.raises(basics.ProbeError, match="_manylinux does not answer: TypeError"):
        interpreter.describe()
    monkeypatch.delitem(sys.modules, "_manylinux")
    (tmp_path / "_manylinux.py").write_text("raise RuntimeError('no')\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(basics.ProbeError, match="_manylinux cannot be imported: RuntimeError"):
        interpreter.describe()


@pytest.mark.parametrize("glibc", [None, "glibc 2.31"])
def test_musl_through_the_whole(
    facts: Facts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, glibc: str | None
) -> None:
    loader = fake_loader(tmp_path)
    path = program(tmp_path / "python", elf(os.fsencode(loader)))
    monkeypatch.setattr(sys, "executable", path)
    monkeypatch.setitem(sys.modules, "ctypes", None)
    facts("Linux", "linux-x86_64", glibc=glibc)
    found = agreed()
    assert found[-3:] == [f"musllinux_1_{minor}_x86_64" for minor in (2, 1, 0)]
    assert ("manylinux_2_31_x86_64" in found) == (glibc is not None)


# --- macOS ----------------------------------------------------------------------------------


@quick
@given(
    st.tuples(st.sampled_from([9, 10, 11, 12, 16, 26]), st.integers(0, 20)),
    st.sampled_from(["arm64", "x86_64", "i386", "ppc", "ppc64", "intel", "riscv64"]),
)
def test_any_mac(version: tuple[int, int], arch: str) -> None:
    expected = list(packaging_tags.mac_platforms(version, arch))
    assert platforms.mac_platforms(version, arch) == expected


@pytest.mark.parametrize(
    ("release", "machine", "bits", "first"),
    [
        ("14.3.1", "arm64", 64, "macosx_14_0_arm64"),
        ("10.15.7", "x86_64", 64, "macosx_10_15_x86_64"),
        ("10.9", "x86_64", 32, "macosx_10_9_i386"),
        ("10.5", "ppc64", 32, "macosx_10_5_ppc"),
    ],
)
def test_mac(
    facts: Facts,
    monkeypatch: pytest.MonkeyPatch,
    release: str,
    machine: str,
    bits: int,
    first: str,
) -> None:
    monkeypatch.setattr(platform, "mac_ver", lambda: (release, ("", "", ""), machine))
    facts("Darwin", "macosx-10.9-universal2", bits=bits)
    assert agreed()[0] == first


def test_a_mac_that_passes_for_an_older_one(
    facts: Facts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\n[ "$SYSTEM_VERSION_COMPAT" = 0 ] && echo 12.4\n')
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr(platform, "mac_ver", lambda: ("10.16", ("", "", ""), "x86_64"))
    facts("Darwin", "macosx-10.9-universal2")
    assert agreed()[0] == "macosx_12_0_x86_64"
    for broken in ("#!/bin/sh\n", "#!/bin/sh\nexit 1\n", "#!/no/such/shell\n"):
        python.write_text(broken)
        with pytest.raises(basics.ProbeError, match="version of macOS"):
            platforms.own_platforms()


def test_a_release_needs_no_minor_version() -> None:
    assert platforms.parse_release("macOS", "26") == (26, 0)


# --- iOS, Android, Emscripten, Windows and others -----------------------------------------------


@quick
@given(
    st.tuples(st.integers(9, 30), st.integers(0, 12)),
    st.sampled_from(["arm64-iphoneos", "x86_64_iphonesimulator"]),
)
def test_any_ios(version: tuple[int, int], multiarch: str) -> None:
    expected = list(packaging_tags.ios_platforms(version, multiarch))
    assert platforms.ios_platforms(version, multiarch) == expected


def test_ios(facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    facts("iOS", "ios-13.0-arm64-iphoneos")
    release = IosRelease(("iOS", "15.2.1", "iPhone", False))
    with pytest.raises(basics.ProbeError, match="which iOS"):
        platforms.own_platforms()
    monkeypatch.setattr(platform, "ios_ver", lambda: release, raising=False)
    implementation = SimpleNamespace(_multiarch="arm64-iphoneos")
    monkeypatch.setattr(sys, "implementation", implementation)
    assert agreed()[0] == "ios_15_2_arm64_iphoneos"


class IosRelease(tuple[object, ...]):
    """What ``platform.ios_ver`` returns."""

    __slots__ = ()

    @property
    def release(self) -> object:
        """The version."""
        return self[1]


@quick
@given(st.integers(14, 60), st.sampled_from(["arm64_v8a", "armeabi-v7a", "x86.64"]))
def test_any_android(level: int, abi: str) -> None:
    expected = list(packaging_tags.android_platforms(level, abi))
    assert platforms.android_platforms(level, abi) == expected


def test_android(facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    facts("Android", "android-24-arm64_v8a")
    monkeypatch.setattr(platform, "android_ver", None, raising=False)
    with pytest.raises(basics.ProbeError, match="which Android"):
        platforms.own_platforms()
    told = SimpleNamespace(api_level=33)
    monkeypatch.setattr(platform, "android_ver", lambda: told)
    found = agreed()
    assert (found[0], found[-1]) == ("android_33_arm64_v8a", "android_16_arm64_v8a")


@pytest.mark.parametrize(
    ("abi_version", "expected"),
    [
        ("2025_0", ["pyemscripten_2025_0_wasm32", "emscripten_3_1_46_wasm32"]),
        (None, ["emscripten_3_1_46_wasm32"]),
    ],
)
def test_emscripten(
    facts: Facts, monkeypatch: pytest.MonkeyPatch, abi_version: str | None, expected: list[str]
) -> None:
    variables = {"PYEMSCRIPTEN_PLATFORM_VERSION": abi_version}
    monkeypatch.setattr(sysconfig, "get_config_var", variables.get)
    facts("Emscripten", "emscripten-3.1.46-wasm32")
    assert agreed() == expected


@pytest.mark.parametrize(
    ("system", "name", "tag"),
    [
        ("Windows", "win-amd64", "win_amd64"),
        ("Windows", "win-arm64", "win_arm64"),
        ("Windows", "win32", "win32"),
        ("FreeBSD", "freebsd-13.2-RELEASE-amd64", "freebsd_13_2_RELEASE_amd64"),
        ("SunOS", "solaris-2.11-i86pc.64bit", "solaris_2_11_i86pc_64bit"),
        ("Linux", "android-21-arm64", "android_21_arm64"),
    ],
)
def test_other_platforms_have_one_tag(facts: Facts, system: str, name: str, tag: str) -> None:
    facts(system, name)
    assert agreed() == [tag]
    assert interpreter.describe()["platforms"] == [tag.lower()]
