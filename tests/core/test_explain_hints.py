"""The smallest change with which a package, and then every package, would have a wheel."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lockmaker import locked, plan_for, quick, real_lock, target_for
from wheeltarget.core.model import LockedPackage
from wheeltarget.core.plan import Plan, Unavailable
from wheeltarget.core.platforms import parse_platform


def hint(spec: str, *names: str) -> str:
    """The hint for a package with these files, or with wheels of these tags."""
    files = [name if name.startswith("foo-") else f"foo-1.0-{name}.whl" for name in names]
    (entry,) = plan_for(target_for(spec), locked("foo", "1.0", *files)).entries
    assert isinstance(entry, Unavailable)
    return entry.hint


GLIBC = "cp311,manylinux_2_17_x86_64"


@pytest.mark.parametrize(
    ("spec", "tags", "expected"),
    [
        (
            GLIBC,
            ["cp311-cp311-manylinux_2_34_x86_64", "cp311-abi3-manylinux_2_28_x86_64"],
            "needs glibc 2.28, the target has 2.17",
        ),
        # A newer glibc is the smaller change than another Python.
        (
            GLIBC,
            ["cp311-cp311-manylinux_2_28_x86_64", "cp310-cp310-manylinux_2_17_x86_64"],
            "needs glibc 2.28, the target has 2.17",
        ),
        (
            "cp311,musllinux_1_1_x86_64",
            ["cp311-cp311-musllinux_1_2_x86_64"],
            "needs musl 1.2, the target has 1.1",
        ),
        (
            "cp311,macosx_11_0_arm64",
            ["cp311-cp311-macosx_14_0_arm64"],
            "needs macOS 14.0, the target has 11.0",
        ),
        (
            GLIBC,
            [f"cp3{minor}-cp3{minor}-manylinux2014_x86_64" for minor in (12, 8, 9, 10, 13, 7)],
            "no wheel for CPython 3.11; there are some for CPython 3.7 to 3.10, 3.12 to 3.13",
        ),
        (
            GLIBC,
            ["cp39-cp39-manylinux2014_x86_64", "cp37-cp37m-manylinux2014_x86_64"],
            "no wheel for CPython 3.11; there are some for CPython 3.7, 3.9",
        ),
        (
            GLIBC,
            ["cp313-abi3-manylinux2014_x86_64", "cp312-abi3-manylinux2014_x86_64"],
            "no wheel for CPython 3.11; there are some for CPython 3.12 or newer",
        ),
        (
            GLIBC,
            ["cp310-cp310-manylinux2014_x86_64", "cp312-abi3-manylinux2014_x86_64"],
            "no wheel for CPython 3.11; there are some for CPython 3.10, 3.12 or newer",
        ),
        (
            GLIBC,
            ["cp310-none-any"],
            "no wheel for CPython 3.11; there are some for CPython 3.10",
        ),
        # Those of other platforms do not count.
        (
            GLIBC,
            ["cp310-cp310-manylinux2014_x86_64", "cp39-cp39-win_amd64"],
            "no wheel for CPython 3.11; there are some for CPython 3.10",
        ),
        (
            "pp310,win_amd64",
            ["cp310-cp310-win_amd64", "pp39-pypy39_pp73-win_amd64"],
            "no wheel for PyPy 3.10; there are some for PyPy 3.9",
        ),
        (
            "pp311,win_amd64",
            ["pp311-pypy311_pp80-win_amd64", "pp310-pypy310_pp73-win_amd64"],
            "no wheel for ABI pypy311_pp73; there are some for ABI pypy311_pp80",
        ),
        (
            "cp313-cp313t-win_amd64",
            ["cp313-cp313-win_amd64", "cp312-cp312-win_amd64"],
            "no wheel for CPython 3.13 (free-threaded); there are some for CPython 3.12 to 3.13",
        ),
        (
            "cp313-cp313t-win_amd64",
            ["cp38-abi3-win_amd64"],
            "no wheel for CPython 3.13 (free-threaded); there are some for CPython 3.8 or newer",
        ),
        (
            "cp314-cp314t-win_amd64",
            ["cp315-abi3t-win_amd64"],
            (
                "no wheel for CPython 3.14 (free-threaded); there are some for free-threaded "
                "CPython 3.15 or newer"
            ),
        ),
        (
            "cp313-cp313t-win_amd64",
            ["cp313-cp313-win_amd64", "cp314-cp314t-win_amd64"],
            (
                "no wheel for CPython 3.13 (free-threaded); there are some for free-threaded "
                "CPython 3.14 and CPython 3.13"
            ),
        ),
        # Free-threaded wheels are of no use to an interpreter with the GIL of any version.
        (
            "cp315,win_amd64",
            ["cp314-cp314-win_amd64", "cp315-cp315t-win_amd64"],
            "no wheel for CPython 3.15; there are some for CPython 3.14",
        ),
        (
            "cp315,win_amd64",
            ["cp315-cp315t-win_amd64"],
            "no wheel for CPython 3.15; there are some for free-threaded CPython 3.15",
        ),
        (
            "cp311-cp311d-win_amd64",
            ["cp311-cp311-win_amd64"],
            "no wheel for CPython 3.11 with ABI cp311d; there are some for CPython 3.11",
        ),
        (
            GLIBC,
            [
                "cp311-cp311-win_amd64",
                "cp311-cp311-macosx_11_0_arm64",
                "cp311-cp311-manylinux2014_s390x.manylinux_2_17_aarch64",
                "cp311-cp311-musllinux_1_2_x86_64.freebsd_14_x86_64",
                "cp310-cp310-linux_x86_64",
            ],
            (
                "no wheel for glibc 2.17 on x86_64; there are some for "
                "Windows (amd64), glibc (aarch64, s390x), macOS (arm64), musl (x86_64)"
            ),
        ),
        (
            GLIBC,
            ["cp311-cp311-linux_aarch64"],
            "no wheel for glibc 2.17 on x86_64; there are some for linux (aarch64)",
        ),
        (
            GLIBC,
            ["cp311-cp311-freebsd_14_x86_64"],
            "no wheel for CPython 3.11 on glibc 2.17 on x86_64",
        ),
        (
            GLIBC,
            ["cp310-cp310-win_amd64", "py2-none-any"],
            "no wheel for CPython 3.11 on glibc 2.17 on x86_64",
        ),
        (
            GLIBC,
            ["foo-1.0.tar.gz", "foo-1.0-x.whl"],
            "only a source archive is locked; --build can have it built",
        ),
        (GLIBC, ["foo-1.0-x.whl"], "no usable file is locked"),
        (GLIBC, [], "the lock lists no file of it"),
    ],
)
def test_the_hint_names_the_smallest_change(spec: str, tags: list[str], expected: str) -> None:
    assert hint(spec, *tags) == expected


# --- the lowest platform for all --------------------------------------------------------------


def linux_wheel(name: str, *minors: int, arch: str = "x86_64") -> LockedPackage:
    files = [f"{name}-1-cp311-cp311-manylinux_2_{minor}_{arch}.whl" for minor in minors]
    return locked(name, "1", *files)


def fits_from(plan: Plan) -> str | None:
    return plan.fits_from.tag if plan.fits_from else None


def test_all_fit_from_the_highest_of_the_lowest_that_each_needs() -> None:
    packages = [linux_wheel("a", 34, 24), linux_wheel("b", 28, 31), linux_wheel("c", 17)]
    plan = plan_for(target_for(GLIBC), *packages)
    assert [entry.fits_from and entry.fits_from.tag for entry in plan.unavailable] == [
        "manylinux_2_24_x86_64",
        "manylinux_2_28_x86_64",
    ]
    assert fits_from(plan) == "manylinux_2_28_x86_64"


def test_versions_compare_as_numbers() -> None:
    target = target_for("cp311,manylinux1_x86_64")
    plan = plan_for(target, linux_wheel("a", 9), linux_wheel("b", 12))
    assert fits_from(plan) == "manylinux_2_12_x86_64"
    mac = target_for("cp311,macosx_10_9_x86_64")
    wheels = [
        locked(f"m{major}", "1", f"m{major}-1-cp311-cp311-macosx_{major}_x86_64.whl")
        for major in ("10_15", "11_0", "10_9")
    ]
    assert fits_from(plan_for(mac, *wheels)) == "macosx_11_0_x86_64"


def test_nothing_missing_is_null() -> None:
    assert fits_from(plan_for(target_for(GLIBC), linux_wheel("a", 17))) is None
    assert fits_from(plan_for(target_for(GLIBC))) is None


@pytest.mark.parametrize(
    "hopeless",
    [
        locked("b", "1", "b-1.tar.gz"),
        locked("b", "1"),
        locked("b", "1", "b-1-cp310-cp310-manylinux_2_28_x86_64.whl"),
        linux_wheel("b", 28, arch="aarch64"),
        locked("b", "1", "b-1-cp311-cp311-musllinux_1_1_x86_64.whl"),
        locked("b", "1", "b-1.tar.gz", source={"type": "url", "url": "x"}),
    ],
)
def test_a_package_that_no_version_of_the_platform_helps_is_null(hopeless: LockedPackage) -> None:
    assert fits_from(plan_for(target_for(GLIBC), linux_wheel("a", 28), hopeless)) is None


def test_an_excluded_package_needs_nothing() -> None:
    packages = [linux_wheel("a", 28), locked("b", "1", "b-1.tar.gz")]
    plan = plan_for(target_for(GLIBC), *packages, exclude=["b"])
    assert fits_from(plan) == "manylinux_2_28_x86_64"


@pytest.mark.parametrize("spec", ["cp311,win_amd64", "cp311,linux_x86_64"])
def test_a_platform_without_versions_is_null(spec: str) -> None:
    assert fits_from(plan_for(target_for(spec), linux_wheel("a", 28))) is None


def test_the_numbers_of_a_real_lock() -> None:
    data_service = real_lock("data-service").packages
    mac = plan_for(target_for("cp312,macosx_11_0_arm64"), *data_service)
    assert {entry.package.name for entry in mac.unavailable} == {"pyarrow", "scipy"}
    assert fits_from(mac) == "macosx_12_0_arm64"
    legacy = plan_for(target_for("cp38,manylinux2010_x86_64"), *real_lock("legacy-glibc").packages)
    assert {entry.package.name for entry in legacy.unavailable} == {"orjson", "ujson"}
    assert fits_from(legacy) == "manylinux_2_17_x86_64"


# --- the promise ------------------------------------------------------------------------------

MAC_TAGS = ["10_9_x86_64", "10_13_universal2", "11_0_arm64", "12_0_universal2", "14_0_arm64"]
MAC_TAGS += ["13_0_x86_64", "11_0_x86_64", "13_3_arm64", "10_9_intel"]
POOLS = {
    "manylinux1_x86_64": [f"manylinux_2_{minor}_x86_64" for minor in (4, 9, 12, 17, 28, 34)]
    + ["manylinux2010_x86_64", "manylinux2014_aarch64"],
    "manylinux_2_17_aarch64": [f"manylinux_2_{minor}_aarch64" for minor in (5, 17, 24, 28)],
    "musllinux_1_0_x86_64": [f"musllinux_1_{minor}_x86_64" for minor in (0, 1, 2)],
    "macosx_11_0_arm64": [f"macosx_{tag}" for tag in MAC_TAGS],
    "macosx_10_9_x86_64": [f"macosx_{tag}" for tag in MAC_TAGS],
    "win_amd64": ["win_amd64", "win_arm64", "win32"],
}


@quick
@given(st.sampled_from(sorted(POOLS)), st.data())
def test_with_that_platform_every_package_has_a_wheel_and_with_none_below_it(
    platform: str, data: st.DataObject
) -> None:
    chosen = st.lists(st.sampled_from([*POOLS[platform], "any"]), min_size=1, max_size=3)
    packages = [
        locked(f"p{index}", "1", *(f"p{index}-1-py3-none-{tag}.whl" for tag in set(tags)))
        for index, tags in enumerate(data.draw(st.lists(chosen, min_size=1, max_size=4)))
    ]
    plan = plan_for(target_for(f"cp311,{platform}"), *packages)
    ladder = reachable(platform)
    sufficient = [
        tag for tag in ladder if not plan_for(target_for(f"cp311,{tag}"), *packages).unavailable
    ]
    if not plan.unavailable:
        assert fits_from(plan) is None
    else:
        assert fits_from(plan) == (sufficient[0] if sufficient else None)


def reachable(platform: str) -> list[str]:
    """Every platform of the kind and architecture that is asked about, oldest first."""
    if platform.startswith("win"):
        return [platform]
    kind, arch = platform.partition("_")[0], parse_platform(platform).arch
    versions = {
        "manylinux1": [f"2_{minor}" for minor in range(5, 36)],
        "manylinux": [f"2_{minor}" for minor in range(17, 36)],
        "musllinux": ["1_0", "1_1", "1_2", "1_3"],
        "macosx": [
            *([f"10_{minor}" for minor in range(4, 17)] if arch == "x86_64" else []),
            *(f"{major}_0" for major in range(11, 16)),
        ],
    }[kind]
    return [f"{kind.rstrip('1')}_{version}_{arch}" for version in versions]
