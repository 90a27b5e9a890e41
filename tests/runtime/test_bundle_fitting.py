"""What is told of an interpreter that is not the target (FAULTS.md 37)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lockmaker import quick
from runtime.bundlerig import Run, description, members, put, target
from support.bundles import tree_members
from support.wheels import build_wheel
from wheeltarget.runtime import main as main_module
from wheeltarget.runtime.basics import ProbeError
from wheeltarget.runtime.contents import Package, Part, Target, tags_of
from wheeltarget.runtime.fitting import Here, Place, leading, misfits, patch_warning, place_of
from wheeltarget.runtime.interpreter import tags
from wheeltarget.runtime.linux import glibc_platforms, musl_platforms
from wheeltarget.runtime.platforms import mac_platforms

X86 = ["x86_64"]
GLIBC_2_28 = glibc_platforms((2, 28), X86)
GLIBC_2_17 = glibc_platforms((2, 17), X86)
ARM = glibc_platforms((2, 28), ["aarch64"])
MUSL_1_2 = musl_platforms((1, 2), X86)
MUSL_1_1 = musl_platforms((1, 1), X86)
MAC_11 = mac_platforms((11, 0), "arm64")
MAC_14 = mac_platforms((14, 0), "arm64")
MAC_INTEL = mac_platforms((14, 0), "x86_64")


def here(
    platforms: list[str], python: str = "3.11.7", abi: str = "cp311", name: str = "cp"
) -> Here:
    """An interpreter, as the probe would describe it."""
    major, minor = python.split(".")[:2]
    of = tags(name, (int(major), int(minor)), [abi], platforms)
    return Here(python, name, [abi], platforms, frozenset(of))


def part(
    platforms: list[str],
    *files: str,
    python: str = "3.11",
    abi: str = "cp311",
    implementation: str = "cp",
) -> Part:
    """What a bundle has for one target; the packages are told by their files."""
    packages = [
        Package(name.split("-")[0], "1.0", name, "0" * 64, 1, False, False, "", "")
        for name in files
    ]
    return Part(Target("t", python, implementation, [abi], platforms), "r", packages, [])


@pytest.mark.parametrize(
    ("platforms", "own", "told"),
    [
        (GLIBC_2_28, GLIBC_2_28, []),
        (GLIBC_2_17, GLIBC_2_28, []),
        (GLIBC_2_17, ["linux_x86_64", *GLIBC_2_28], []),
        (["linux_x86_64", *GLIBC_2_17], ["linux_x86_64", *GLIBC_2_28], []),
        (["manylinux2014_x86_64"], GLIBC_2_28, []),
        (GLIBC_2_28, GLIBC_2_17, ["needs glibc 2.28, here is glibc 2.17"]),
        (
            ["linux_x86_64", *GLIBC_2_28],
            ["linux_x86_64", *GLIBC_2_17],
            ["needs glibc 2.28, here is glibc 2.17"],
        ),
        (GLIBC_2_28, MUSL_1_2, ["needs glibc 2.28, here is musl 1.2"]),
        (MUSL_1_1, GLIBC_2_17, ["needs musl 1.1, here is glibc 2.17"]),
        (MUSL_1_2, MUSL_1_1, ["needs musl 1.2, here is musl 1.1"]),
        (MUSL_1_1, MUSL_1_2, []),
        (GLIBC_2_28, ARM, ["needs x86_64, here is aarch64"]),
        (
            ARM,
            GLIBC_2_17,
            ["needs aarch64, here is x86_64", "needs glibc 2.28, here is glibc 2.17"],
        ),
        (GLIBC_2_28, ["linux_x86_64"], ["needs glibc 2.28, here is any C library"]),
        (GLIBC_2_28, ["win_amd64"], ["needs Linux, here is Windows"]),
        (["win32"], ["win_amd64"], ["needs x86, 32 bit, here is amd64"]),
        (["win_amd64"], ["win_amd64"], []),
        (MAC_14, MAC_11, ["needs macOS 14.0, here is macOS 11.0"]),
        (MAC_11, MAC_14, []),
        (MAC_11, GLIBC_2_28, ["needs macOS, here is Linux", "needs arm64, here is x86_64"]),
        (MAC_11, ARM, ["needs macOS, here is Linux"]),
        (MAC_11, MAC_INTEL, ["needs arm64, here is x86_64"]),
        (["android_24_x86_64"], ["android_21_x86_64"], ["needs Android 24, here is Android 21"]),
        (["freebsd_13_amd64"], ["linux_x86_64"], ["needs freebsd_13_amd64, here is Linux"]),
        (
            ["manylinux_2_17_armv7l"],
            ["linux_armv7l", "manylinux_2_31_armv7l"],
            ["needs manylinux_2_17_armv7l, which this interpreter does not take"],
        ),
    ],
)
def test_platforms(platforms: list[str], own: list[str], told: list[str]) -> None:
    assert misfits(part(platforms), "wheelhouse", here(own)) == told


@pytest.mark.parametrize(
    ("of", "own", "told"),
    [
        (part(GLIBC_2_17), here(GLIBC_2_17), []),
        (part(GLIBC_2_17, python="3.11.2"), here(GLIBC_2_17), []),
        (
            part(GLIBC_2_17),
            here(GLIBC_2_17, "3.8.18", "cp38"),
            ["needs Python 3.11, here is Python 3.8.18"],
        ),
        (
            part(GLIBC_2_17, implementation="pp", abi="pypy311_pp73"),
            here(GLIBC_2_17),
            ["needs PyPy, here is CPython"],
        ),
        (
            part(GLIBC_2_17, python="3.13", abi="cp313t"),
            here(GLIBC_2_17, "3.13.0", "cp313"),
            ["needs the ABI cp313t, here is cp313"],
        ),
        (
            part(GLIBC_2_17, python="3.1", implementation="strange"),
            here(GLIBC_2_17),
            ["needs strange, here is CPython", "needs Python 3.1, here is Python 3.11.7"],
        ),
    ],
)
def test_pythons(of: Part, own: Here, told: list[str]) -> None:
    assert misfits(of, "wheelhouse", own) == told


def test_wheels_are_the_last_word() -> None:
    beyond = "a-1.0-cp311-cp311-manylinux_2_28_x86_64.whl"
    fine = "b-1.0-py2.py3-none-any.whl"
    other = "c-1.0-cp310.cp312-cp310.cp312-manylinux_2_17_x86_64.whl"
    of = part(GLIBC_2_17, beyond, fine, other)
    assert misfits(of, "wheelhouse", here(GLIBC_2_17)) == [
        f"a 1.0: no tag of {beyond} is one of this interpreter",
        f"c 1.0: no tag of {other} is one of this interpreter",
    ]
    assert len(misfits(of, "wheelhouse", here(GLIBC_2_28))) == 1
    assert misfits(of, "site-packages", here(GLIBC_2_17)) == []


def test_tags_of_a_name() -> None:
    assert tags_of("Foo.bar_x-1!1.0+a-1b-py2.py3-none-Any.whl") == ["py2-none-any", "py3-none-any"]


def test_platform_tags_in_parts() -> None:
    assert place_of("manylinux1_i686") == Place("Linux", "glibc", (2, 5), "i686")
    assert place_of("pyodide_2025_0_wasm32") == Place("Emscripten", "Pyodide", (2025, 0), "wasm32")
    assert place_of("ios_13_0_arm64_iphoneos") == Place("iOS", "iOS", (13, 0), "arm64_iphoneos")
    assert place_of("odd") == Place("odd", "", (), "")
    assert leading(["linux_x86_64", "manylinux2014_x86_64"])[0] == "manylinux2014_x86_64"
    assert leading(["linux_x86_64"])[0] == "linux_x86_64"


@quick
@given(st.integers(17, 40), st.integers(17, 40))
def test_newer_takes_older(needed: int, own: int) -> None:
    of = part(glibc_platforms((2, needed), X86))
    found = misfits(of, "wheelhouse", here(["linux_x86_64", *glibc_platforms((2, own), X86)]))
    assert bool(found) == (needed > own)


@pytest.mark.parametrize(
    ("python", "own", "told"),
    [
        ("3.11", "3.11.7", ""),
        ("3.11.7", "3.11.7", ""),
        ("3.11.2", "3.11.7", "the bundle is for Python 3.11.2, here is 3.11.7"),
        ("3.10.2", "3.11.7", ""),
    ],
)
def test_the_patch_level_is_a_warning(python: str, own: str, told: str) -> None:
    assert patch_warning(part(GLIBC_2_17, python=python).target, here(GLIBC_2_17, own)) == told


# --- a whole run ----------------------------------------------------------------------------

OTHER = build_wheel("native", "1.0", tag="cp35-cp35m-win_amd64")


@pytest.mark.parametrize("arguments", [["check"], ["install"], ["install", "--target"]])
def test_the_wrong_interpreter_is_refused(arguments: list[str], tmp_path: Path, run: Run) -> None:
    path = put(tmp_path, members(target("old", OTHER, python="3.5", platforms=["win_amd64"])))
    place = [str(tmp_path / "out")] if arguments[-1] == "--target" else []
    assert run(path, *arguments, *place) == 4
    assert run.out == ""
    assert run.errors[0].startswith("target old: needs Python 3.5, here is Python 3.")
    assert run.errors[-1] == (
        "target old: native 1.0: no tag of native-1.0-cp35-cp35m-win_amd64.whl "
        "is one of this interpreter"
    )
    assert sorted(each.name for each in tmp_path.iterdir()) == ["b.zip"]


def test_another_patch_level(tmp_path: Path, run: Run) -> None:
    version = str(description()["python"])
    python = ".".join([*version.split(".")[:2], "99"])
    assert run(put(tmp_path, members(target("here", python=python))), "check") == 0
    assert run.err == f"Warning: the bundle is for Python {python}, here is {version}\n"
    assert run.out.startswith("all is well")


def test_an_installed_tree_for_another(tmp_path: Path, run: Run) -> None:
    path = put(tmp_path, tree_members(target("old", python="3.5")))
    assert run(path, "install", "--target", tmp_path / "out") == 4
    assert len(run.errors) == 1
    assert not (tmp_path / "out").exists()


def test_an_interpreter_that_cannot_be_told(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> object:
        raise ProbeError("it is odd")

    monkeypatch.setattr(main_module, "describe", fail)
    assert run(put(tmp_path, members()), "check") == 4
    assert run.errors == ["this Python can't be told: it is odd"]
