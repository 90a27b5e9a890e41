from __future__ import annotations

import pytest
from packaging.tags import android_platforms, ios_platforms, mac_platforms

from core.lockmaker import target_for
from wheeltarget.core.ladders import ladder, ladder_of
from wheeltarget.core.platforms import (
    ANDROID_ARCHITECTURES,
    GLIBC_ARCHITECTURES,
    IOS_ARCHITECTURES,
    MUSL_ARCHITECTURES,
    Kind,
    Platform,
    parse_platform,
)

ALIASES = {"manylinux2014": 17, "manylinux2010": 12, "manylinux1": 5}
X86 = ("x86_64", "i686")


def rungs(tag: str) -> tuple[str, ...]:
    return ladder(parse_platform(tag))


def test_the_ladder_of_manylinux2014_in_full() -> None:
    assert rungs("manylinux2014_x86_64") == (
        "manylinux_2_17_x86_64",
        "manylinux2014_x86_64",
        "manylinux_2_16_x86_64",
        "manylinux_2_15_x86_64",
        "manylinux_2_14_x86_64",
        "manylinux_2_13_x86_64",
        "manylinux_2_12_x86_64",
        "manylinux2010_x86_64",
        "manylinux_2_11_x86_64",
        "manylinux_2_10_x86_64",
        "manylinux_2_9_x86_64",
        "manylinux_2_8_x86_64",
        "manylinux_2_7_x86_64",
        "manylinux_2_6_x86_64",
        "manylinux_2_5_x86_64",
        "manylinux1_x86_64",
    )


@pytest.mark.parametrize("arch", GLIBC_ARCHITECTURES)
@pytest.mark.parametrize("minor", [17, 18, 28, 40])
def test_a_glibc_ladder_goes_down_to_the_floor_of_its_architecture(arch: str, minor: int) -> None:
    floor = 5 if arch in X86 else 17
    pep_600 = [tag for tag in rungs(f"manylinux_2_{minor}_{arch}") if tag.startswith("manylinux_")]
    assert pep_600 == [f"manylinux_2_{rung}_{arch}" for rung in range(minor, floor - 1, -1)]


@pytest.mark.parametrize("arch", ["x86_64", "i686", "aarch64", "armv7l", "ppc64le", "s390x"])
def test_each_alias_stands_straight_after_its_pep_600_tag(arch: str) -> None:
    tags = rungs(f"manylinux_2_40_{arch}")
    aliases = [alias for alias in ALIASES if f"{alias}_{arch}" in tags]
    assert aliases == (list(ALIASES) if arch in X86 else ["manylinux2014"])
    for alias in aliases:
        before = tags[tags.index(f"{alias}_{arch}") - 1]
        assert before == f"manylinux_2_{ALIASES[alias]}_{arch}"


@pytest.mark.parametrize(
    ("alias", "minor", "arch"),
    [
        *((alias, minor, arch) for alias, minor in ALIASES.items() for arch in X86),
        *(
            ("manylinux2014", 17, arch)
            for arch in ("aarch64", "armv7l", "ppc64", "ppc64le", "s390x")
        ),
    ],
)
def test_an_alias_and_its_pep_600_tag_give_the_same_ladder(
    alias: str, minor: int, arch: str
) -> None:
    assert rungs(f"{alias}_{arch}") == rungs(f"manylinux_2_{minor}_{arch}")


@pytest.mark.parametrize("arch", MUSL_ARCHITECTURES)
def test_a_musl_ladder_goes_down_to_zero_and_has_nothing_else(arch: str) -> None:
    assert rungs(f"musllinux_1_2_{arch}") == (
        f"musllinux_1_2_{arch}",
        f"musllinux_1_1_{arch}",
        f"musllinux_1_0_{arch}",
    )


def test_no_glibc_machine_takes_a_musl_wheel_nor_the_reverse() -> None:
    assert not any("musl" in tag for tag in rungs("manylinux_2_40_x86_64"))
    assert not any("many" in tag for tag in rungs("musllinux_1_9_x86_64"))


@pytest.mark.parametrize("version", [(11, 0), (11, 6), (12, 0), (14, 5), (15, 0), (26, 0)])
@pytest.mark.parametrize("arch", ["arm64", "x86_64", "universal2"])
def test_a_macos_ladder_is_that_of_packaging(version: tuple[int, int], arch: str) -> None:
    major, minor = version
    assert rungs(f"macosx_{major}_{minor}_{arch}") == tuple(mac_platforms(version, arch))


@pytest.mark.parametrize("minor", range(4, 17))
def test_a_ladder_of_macos_10_is_that_of_packaging_down_to_the_first_intel_mac(minor: int) -> None:
    expected = tuple(mac_platforms((10, minor), "x86_64"))
    assert rungs(f"macosx_10_{minor}_x86_64") == expected
    assert expected[-1].startswith("macosx_10_4_")


def test_a_mac_takes_universal_wheels_of_older_releases() -> None:
    arm, intel = rungs("macosx_12_0_arm64"), rungs("macosx_12_0_x86_64")
    assert arm[:3] == ("macosx_12_0_arm64", "macosx_12_0_universal2", "macosx_11_0_arm64")
    assert "macosx_10_9_universal2" in arm
    assert not any(tag.endswith("x86_64") for tag in arm)
    assert {"macosx_10_9_universal2", "macosx_10_9_x86_64", "macosx_10_6_intel"} < set(intel)
    assert not any(tag.endswith("arm64") for tag in intel)


@pytest.mark.parametrize("tag", ["win_amd64", "win_arm64", "win32", "linux_x86_64"])
def test_windows_and_bare_linux_have_one_rung(tag: str) -> None:
    assert rungs(tag) == (tag,)


def test_a_mac_with_a_minor_version_has_the_ladder_of_its_major_one() -> None:
    # Since macOS 11 a wheel cannot ask for a minor version, so the target does not list one.
    assert target_for("macosx_13_3_arm64").platforms == rungs("macosx_13_0_arm64")


def test_several_platforms_make_one_ladder_in_the_order_given() -> None:
    both = ladder_of(
        (parse_platform("manylinux_2_18_aarch64"), parse_platform("manylinux_2_19_aarch64"))
    )
    assert both == (
        "manylinux_2_18_aarch64",
        "manylinux_2_17_aarch64",
        "manylinux2014_aarch64",
        "manylinux_2_19_aarch64",
    )


@pytest.mark.parametrize(
    "spec", ["linux_x86_64,manylinux1_x86_64", "manylinux1_x86_64,linux_x86_64"]
)
def test_a_bare_linux_tag_ranks_last_wherever_it_is_listed(spec: str) -> None:
    assert target_for(spec).platforms == (
        "manylinux_2_5_x86_64",
        "manylinux1_x86_64",
        "linux_x86_64",
    )


def test_a_bare_linux_tag_is_taken_only_where_it_is_listed() -> None:
    assert "linux_x86_64" not in target_for("manylinux_2_28_x86_64").platforms


@pytest.mark.parametrize("version", [(12, 0), (12, 4), (13, 0), (15, 8), (18, 10), (26, 1)])
@pytest.mark.parametrize("arch", IOS_ARCHITECTURES)
def test_an_ios_ladder_is_that_of_packaging(version: tuple[int, int], arch: str) -> None:
    major, minor = version
    assert rungs(f"ios_{major}_{minor}_{arch}") == tuple(ios_platforms(version, arch))


@pytest.mark.parametrize("level", [16, 21, 24, 36])
@pytest.mark.parametrize("arch", ANDROID_ARCHITECTURES)
def test_an_android_ladder_is_that_of_packaging(level: int, arch: str) -> None:
    assert rungs(f"android_{level}_{arch}") == tuple(android_platforms(level, arch))


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("pyodide_2024_0_wasm32", ("pyodide_2024_0_wasm32",)),
        ("pyodide_2025_0_wasm32", ("pyemscripten_2025_0_wasm32", "pyodide_2025_0_wasm32")),
        ("pyemscripten_2026_0_wasm32", ("pyemscripten_2026_0_wasm32", "pyodide_2026_0_wasm32")),
    ],
)
def test_pyodide_takes_one_version_of_its_abi_by_either_name(
    tag: str, expected: tuple[str, ...]
) -> None:
    assert rungs(tag) == expected


def test_a_target_for_both_kinds_of_mac_takes_what_runs_on_both() -> None:
    tags = rungs("macosx_12_0_universal2")
    assert all(tag.endswith("_universal2") for tag in tags)
    assert set(tags) == set(rungs("macosx_12_0_arm64")) & set(rungs("macosx_12_0_x86_64"))


def test_a_platform_that_is_not_known_has_one_rung() -> None:
    assert ladder(Platform(kind=Kind.OTHER, arch="freebsd_14_1")) == ("freebsd_14_1",)


def test_piwheels_names_are_taken_where_they_are_listed() -> None:
    target = target_for("debian-12-armv7l,linux_armv7l", "3.11")
    assert target.platforms[0] == "manylinux_2_36_armv7l"
    assert target.platforms[-1] == "linux_armv7l"
