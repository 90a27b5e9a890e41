from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lockmaker import quick
from wheeltarget.core.ladders import lowest_platform_taking
from wheeltarget.core.platforms import (
    EXAMPLE_TAGS,
    Kind,
    Platform,
    PlatformError,
    parse_platform,
    read_platform_tag,
    version_of,
)

X86_64 = Platform(kind=Kind.GLIBC, arch="x86_64", version=(2, 17))
IPHONE = Platform(kind=Kind.IOS, arch="arm64_iphoneos", version=(12, 0))
PYODIDE = Platform(kind=Kind.PYODIDE, arch="wasm32", version=(2024, 0))
OTHER = Platform(kind=Kind.OTHER, arch="freebsd_14_1")
ARM_MAC = Platform(kind=Kind.MACOS, arch="arm64", version=(12, 0))


@pytest.mark.parametrize(
    ("tag", "kind", "arch", "version"),
    [
        ("manylinux2014_x86_64", Kind.GLIBC, "x86_64", (2, 17)),
        ("manylinux2010_i686", Kind.GLIBC, "i686", (2, 12)),
        ("manylinux1_x86_64", Kind.GLIBC, "x86_64", (2, 5)),
        ("manylinux_2_26_aarch64", Kind.GLIBC, "aarch64", (2, 26)),
        ("manylinux_2_5_i686", Kind.GLIBC, "i686", (2, 5)),
        ("manylinux_2_17_ppc64le", Kind.GLIBC, "ppc64le", (2, 17)),
        ("manylinux_2_99_s390x", Kind.GLIBC, "s390x", (2, 99)),
        ("musllinux_1_2_x86_64", Kind.MUSL, "x86_64", (1, 2)),
        ("musllinux_1_0_armv6l", Kind.MUSL, "armv6l", (1, 0)),
        ("macosx_11_0_arm64", Kind.MACOS, "arm64", (11, 0)),
        ("macosx_10_4_x86_64", Kind.MACOS, "x86_64", (10, 4)),
        ("macosx_99_0_arm64", Kind.MACOS, "arm64", (99, 0)),
        ("win_amd64", Kind.WINDOWS, "amd64", None),
        ("win_arm64", Kind.WINDOWS, "arm64", None),
        ("win32", Kind.WINDOWS, "x86", None),
        ("linux_armv7l", Kind.LINUX, "armv7l", None),
    ],
)
def test_a_platform_tag_is_read(
    tag: str, kind: Kind, arch: str, version: tuple[int, int] | None
) -> None:
    platform = parse_platform(tag)
    assert platform == Platform(kind=kind, arch=arch, version=version)
    assert parse_platform(platform.tag) == platform
    assert parse_platform(platform.familiar_tag) == platform


GLIBC_ARCHS = "x86_64, i686, aarch64, armv7l, ppc64, ppc64le, s390x, riscv64, loongarch64"


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("manylinux2041_x86_64", "unknown platform tag{}; did you mean 'manylinux2014_x86_64'?"),
        ("manylinux2014-x86_64", "unknown platform tag{}; did you mean 'manylinux2014_x86_64'?"),
        ("manylinux_2_28-s390x", "unknown platform tag{}; did you mean 'manylinux_2_28_s390x'?"),
        ("musllinux_12_x86_64", "unknown platform tag{}; did you mean 'musllinux_1_2_x86_64'?"),
        ("macos_11_0_arm64", "unknown platform tag{}; did you mean 'macosx_11_0_arm64'?"),
        ("manylinux_2_028_s390x", "unknown platform tag{}; did you mean 'manylinux_2_28_s390x'?"),
        ("linux-riscv64", "unknown platform tag{}; did you mean 'linux_riscv64'?"),
        ("win_amd46", "unknown platform tag{}; did you mean 'win_amd64'?"),
        ("linux_x86_64\n", "unknown platform tag{}; did you mean 'linux_x86_64'?"),
        ("manylinux2014_i686.x", "unknown platform tag{}; did you mean 'manylinux2014_i686'?"),
        ("MANYLINUX2014_X86_64", "unknown platform tag{}"),
        ("", "unknown platform tag{}"),
        ("any", "unknown platform tag{}"),
        ("manylinux_2_28_x86_65", "unknown architecture 'x86_65' in{}; did you mean 'x86_64'?"),
        ("manylinux_2_28_arm64", "unknown architecture 'arm64' in{}; did you mean 'aarch64'?"),
        ("musllinux_1_2_amd64", "unknown architecture 'amd64' in{}; did you mean 'x86_64'?"),
        ("linux_x64", "unknown architecture 'x64' in{}; did you mean 'x86_64'?"),
        ("macosx_11_0_aarch64", "unknown architecture 'aarch64' in{}; did you mean 'arm64'?"),
        ("musllinux_1_2_ppc64", "unknown architecture 'ppc64' in{}; did you mean 'ppc64le'?"),
        ("manylinux_2_28_sparc", f"unknown architecture 'sparc' in{{}}; there are {GLIBC_ARCHS}"),
        (
            "manylinux_2_28_universal2",
            f"unknown architecture 'universal2' in{{}}; there are {GLIBC_ARCHS}",
        ),
        ("android_24_aarch64", "unknown architecture 'aarch64' in{}; did you mean 'arm64_v8a'?"),
        ("ios_13_0_arm64", "unknown architecture 'arm64' in{}; did you mean 'arm64_iphoneos'?"),
        ("pyodide_2025_0_x86_64", "unknown architecture 'x86_64' in{}; there are wasm32"),
        (
            "macosx_11_0_sparc",
            "unknown architecture 'sparc' in{}; there are arm64, x86_64, universal2",
        ),
    ],
)
def test_an_unknown_tag_or_architecture_is_refused_with_what_is_close(
    tag: str, reason: str
) -> None:
    assert refused(tag) == reason.format(f" {tag!r}")


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        (
            "manylinux2010_aarch64",
            "{} never existed; the oldest tag for aarch64 is manylinux_2_17_aarch64",
        ),
        ("manylinux1_s390x", "{} never existed; the oldest tag for s390x is manylinux_2_17_s390x"),
        (
            "manylinux2014_riscv64",
            "{} never existed; the oldest tag for riscv64 is manylinux_2_17_riscv64",
        ),
        (
            "manylinux_2_4_x86_64",
            "'{}' is older than any wheel; the oldest tag for x86_64 is manylinux_2_5_x86_64",
        ),
        (
            "manylinux_2_16_aarch64",
            "'{}' is older than any wheel; the oldest tag for aarch64 is manylinux_2_17_aarch64",
        ),
        ("manylinux_3_17_x86_64", "glibc 3.17 in '{}' does not exist"),
        ("manylinux_1_17_x86_64", "glibc 1.17 in '{}' does not exist"),
        ("manylinux_2_100_x86_64", "glibc 2.100 in '{}' does not exist"),
        ("musllinux_2_0_x86_64", "musl 2.0 in '{}' does not exist"),
        ("musllinux_1_100_x86_64", "musl 1.100 in '{}' does not exist"),
        ("macosx_11_100_arm64", "macOS 11.100 in '{}' does not exist"),
        ("macosx_10_17_x86_64", "macOS 10.17 in '{}' does not exist"),
        ("macosx_9_9_x86_64", "no Python wheel can be for macOS 9.9 on x86_64"),
        ("macosx_10_3_x86_64", "no Python wheel can be for macOS 10.3 on x86_64"),
        ("macosx_10_15_arm64", "no Python wheel can be for macOS 10.15 on arm64"),
        ("macosx_100_0_arm64", "macOS 100.0 in '{}' does not exist"),
        ("ios_11_4_arm64_iphoneos", "no Python wheel can be for iOS 11.4 on arm64_iphoneos"),
        ("android_15_x86", "no Python wheel can be for Android API 15 on x86"),
        ("android_100_x86", "Android API 100 in '{}' does not exist"),
        ("pyodide_2023_0_wasm32", "Pyodide ABI 2023.0 in '{}' does not exist"),
        ("pyemscripten_2026_100_wasm32", "Pyodide ABI 2026.100 in '{}' does not exist"),
    ],
)
def test_a_platform_that_no_machine_has_is_refused(tag: str, reason: str) -> None:
    assert refused(tag) == reason.format(tag)


def refused(tag: str) -> str:
    with pytest.raises(PlatformError) as caught:
        parse_platform(tag)
    return str(caught.value)


@quick
@given(st.text(max_size=30) | st.from_regex(r"[a-z]{3,9}(_[0-9]{1,5}){0,2}_[a-z0-9_]*"))
def test_any_other_text_is_a_platform_error_and_nothing_else(tag: str) -> None:
    try:
        platform = parse_platform(tag)
    except PlatformError:
        return
    assert read_platform_tag(tag) == platform


@pytest.mark.parametrize(
    ("tag", "platform"),
    [
        ("manylinux2014_sparc", Platform(kind=Kind.GLIBC, arch="sparc", version=(2, 17))),
        ("macosx_10_9_universal2", Platform(kind=Kind.MACOS, arch="universal2", version=(10, 9))),
        (
            "android_24_arm64_v8a",
            Platform(kind=Kind.ANDROID, arch="arm64_v8a", version=(24, 0)),
        ),
        ("freebsd_14_1_release_amd64", None),
        ("any", None),
        ("manylinux2_x86_64", None),
    ],
)
def test_a_wheels_tag_is_read_for_any_architecture(tag: str, platform: Platform | None) -> None:
    assert read_platform_tag(tag) == platform


# --- for people -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "pep_600", "familiar", "release"),
    [
        ("manylinux_2_17_x86_64", None, "manylinux2014_x86_64", "glibc 2.17"),
        ("manylinux2010_i686", "manylinux_2_12_i686", "manylinux2010_i686", "glibc 2.12"),
        ("manylinux1_x86_64", "manylinux_2_5_x86_64", "manylinux1_x86_64", "glibc 2.5"),
        ("manylinux_2_28_x86_64", None, "manylinux_2_28_x86_64", "glibc 2.28"),
        # The alias was never defined for it, so nobody may be told to ask for it.
        ("manylinux_2_17_riscv64", None, "manylinux_2_17_riscv64", "glibc 2.17"),
        ("musllinux_1_2_x86_64", None, "musllinux_1_2_x86_64", "musl 1.2"),
        ("macosx_10_12_x86_64", None, "macosx_10_12_x86_64", "macOS 10.12"),
        ("win32", None, "win32", "Windows"),
        ("win_arm64", None, "win_arm64", "Windows"),
        ("linux_x86_64", None, "linux_x86_64", "Linux without a known C library"),
    ],
)
def test_how_a_platform_is_called(
    tag: str, pep_600: str | None, familiar: str, release: str
) -> None:
    platform = parse_platform(tag)
    assert platform.tag == (pep_600 or tag)
    assert platform.familiar_tag == familiar
    assert platform.release == release


@pytest.mark.parametrize(
    ("tag", "values"),
    [
        ("manylinux2014_x86_64", ("posix", "linux", "Linux", "x86_64")),
        ("manylinux_2_26_aarch64", ("posix", "linux", "Linux", "aarch64")),
        ("musllinux_1_2_armv7l", ("posix", "linux", "Linux", "armv7l")),
        ("linux_i686", ("posix", "linux", "Linux", "i686")),
        ("macosx_11_0_arm64", ("posix", "darwin", "Darwin", "arm64")),
        ("macosx_10_9_x86_64", ("posix", "darwin", "Darwin", "x86_64")),
        ("win_amd64", ("nt", "win32", "Windows", "AMD64")),
        ("win_arm64", ("nt", "win32", "Windows", "ARM64")),
        ("win32", ("nt", "win32", "Windows", "x86")),
        ("android_24_arm64_v8a", ("posix", "android", "Android", "aarch64")),
        ("android_24_armeabi_v7a", ("posix", "android", "Android", "armv7l")),
        ("android_24_x86_64", ("posix", "android", "Android", "x86_64")),
        ("android_24_x86", ("posix", "android", "Android", "i686")),
        ("pyodide_2025_0_wasm32", ("posix", "emscripten", "Emscripten", "wasm32")),
        # Where machines of a platform differ, the value is unknown: an iPad says iPadOS, a device
        # its model, and a universal2 target is both an Intel and an ARM machine.
        ("macosx_11_0_universal2", ("posix", "darwin", "Darwin", None)),
        ("ios_13_0_arm64_iphoneos", ("posix", "ios", None, None)),
        ("ios_13_0_arm64_iphonesimulator", ("posix", "ios", None, "arm64")),
        ("ios_13_0_x86_64_iphonesimulator", ("posix", "ios", None, "x86_64")),
    ],
)
def test_marker_values_are_those_that_python_gives_there(
    tag: str, values: tuple[str | None, ...]
) -> None:
    names = ("os_name", "sys_platform", "platform_system", "platform_machine")
    known = {name: value for name, value in zip(names, values, strict=True) if value is not None}
    assert parse_platform(tag).marker_values() == known


def test_nothing_follows_from_a_platform_that_is_not_known() -> None:
    assert OTHER.marker_values() == {}


@pytest.mark.parametrize("tag", [*EXAMPLE_TAGS, "pyemscripten_2026_0_wasm32"])
def test_a_platform_gives_back_its_tag(tag: str) -> None:
    platform = parse_platform(tag)
    assert tag in {platform.tag, platform.familiar_tag}
    assert parse_platform(platform.tag) == platform


@pytest.mark.parametrize(
    ("tag", "canonical"),
    [
        ("pyemscripten_2025_0_wasm32", "pyodide_2025_0_wasm32"),
        ("pyodide_2026_0_wasm32", "pyemscripten_2026_0_wasm32"),
    ],
)
def test_the_two_names_of_pyodides_abi_are_one_platform(tag: str, canonical: str) -> None:
    assert parse_platform(tag).tag == canonical


@pytest.mark.parametrize(
    ("tag", "title"),
    [
        ("manylinux2014_x86_64", "glibc 2.17, x86_64"),
        ("linux_armv7l", "Linux without a known C library, armv7l"),
        ("win32", "Windows, x86"),
        ("ios_13_0_arm64_iphoneos", "iOS 13.0, arm64_iphoneos"),
        ("android_24_x86", "Android API 24, x86"),
        ("pyodide_2025_0_wasm32", "Pyodide ABI 2025.0, wasm32"),
    ],
)
def test_the_title_of_a_platform_is_for_people(tag: str, title: str) -> None:
    assert parse_platform(tag).title == title


def test_a_platform_that_is_not_known_goes_by_its_tag() -> None:
    assert (OTHER.title, OTHER.tag) == ("platform freebsd_14_1", "freebsd_14_1")


# --- the oldest platform that takes a wheel ---------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "like", "expected"),
    [
        ("manylinux_2_28_x86_64", X86_64, "manylinux_2_28_x86_64"),
        ("manylinux2010_x86_64", X86_64, "manylinux_2_12_x86_64"),
        ("manylinux_2_28_aarch64", X86_64, None),
        ("musllinux_1_2_x86_64", X86_64, None),
        ("macosx_11_0_x86_64", X86_64, None),
        ("linux_x86_64", X86_64, None),
        ("any", X86_64, None),
        ("manylinux_2_4_x86_64", X86_64, None),
        ("musllinux_1_2_i686", Platform(kind=Kind.MUSL, arch="i686", version=(1, 1)), "itself"),
        ("win_amd64", Platform(kind=Kind.WINDOWS, arch="amd64"), None),
        ("linux_x86_64", Platform(kind=Kind.LINUX, arch="x86_64"), None),
        ("macosx_13_0_arm64", ARM_MAC, "macosx_13_0_arm64"),
        ("macosx_13_0_universal2", ARM_MAC, "macosx_13_0_arm64"),
        # A universal2 wheel for macOS 10.9 runs on arm64 from its first release.
        ("macosx_10_9_universal2", ARM_MAC, "macosx_11_0_arm64"),
        ("macosx_10_12_intel", replace(ARM_MAC, arch="x86_64"), "macosx_10_12_x86_64"),
        ("macosx_13_0_x86_64", ARM_MAC, None),
        ("macosx_10_9_arm64", ARM_MAC, None),
        # Since macOS 11 no machine takes a tag with a minor version.
        ("macosx_13_3_arm64", ARM_MAC, None),
        ("ios_13_0_arm64_iphoneos", IPHONE, "ios_13_0_arm64_iphoneos"),
        ("ios_13_0_arm64_iphonesimulator", IPHONE, None),
        ("android_24_x86", Platform(kind=Kind.ANDROID, arch="x86", version=(21, 0)), "itself"),
        # No version of Pyodide's ABI takes what is made for another.
        ("pyodide_2025_0_wasm32", PYODIDE, None),
        ("freebsd_14_1", OTHER, None),
    ],
)
def test_the_lowest_platform_that_takes_a_tag(
    tag: str, like: Platform, expected: str | None
) -> None:
    lowest = lowest_platform_taking(tag, like)
    if expected is None:
        assert lowest is None
    else:
        assert lowest is not None
        assert lowest.tag == (tag if expected == "itself" else expected)


def test_platforms_of_a_kind_compare_by_version() -> None:
    assert version_of(X86_64) == (2, 17)
    assert version_of(Platform(kind=Kind.WINDOWS, arch="amd64")) == (0, 0)
