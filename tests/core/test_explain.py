"""Why a file does not fit: the first axis that failed, and the words for it."""

from __future__ import annotations

import pytest

from core.lockmaker import locked, plan_for, target_for
from wheeltarget.core.explain import Axis, Rejection, interpreter_name
from wheeltarget.core.plan import Unavailable, explain


def rejection(spec: str, *files: str) -> Rejection:
    """Why the first file is rejected."""
    (entry,) = plan_for(target_for(spec), locked("foo", "1.0", *files)).entries
    assert isinstance(entry, Unavailable)
    return next(each for each in entry.rejections if each.file == files[0])


def rejected(spec: str, tag: str) -> tuple[str, str]:
    """Axis and detail for a wheel of that tag."""
    reason = rejection(spec, f"foo-1.0-{tag}.whl")
    return reason.axis.value, reason.detail


GLIBC = "cp311,manylinux_2_17_x86_64"
MUSL = "cp311,musllinux_1_1_x86_64"
MAC = "cp311,macosx_12_0_arm64"
INTEL_MAC = "cp311,macosx_11_0_x86_64"
WINDOWS = "cp311,win_amd64"
THREADED = "cp313-cp313t-win_amd64"
PYPY = "pp310,win_amd64"


def test_the_axes_have_the_words_of_the_contract() -> None:
    assert {axis.value for axis in Axis} == {
        "python",
        "abi",
        "platform",
        "build-only",
        "malformed",
    }


# --- malformed, build-only --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "detail"),
    [
        ("foo-1.0-py3-none.whl", "not the name of a wheel: it has 4 parts instead of 5 or 6"),
        ("foo-1.0-py3-none-any.WHL", "not the name of a wheel: it does not end in .whl"),
    ],
)
def test_a_malformed_name(file: str, detail: str) -> None:
    reason = rejection(GLIBC, file)
    assert (reason.axis, reason.detail, reason.needs) == (Axis.MALFORMED, detail, None)


@pytest.mark.parametrize("file", ["foo-1.0.tar.gz", "foo-1.0.zip", "foo-1.0.win32.exe"])
def test_a_source_archive(file: str) -> None:
    reason = rejection(GLIBC, file)
    assert reason.axis is Axis.BUILD_ONLY
    assert reason.detail == "a source archive, which would be built"
    assert reason.needs is None


# --- python -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "tag", "detail"),
    [
        (
            GLIBC,
            "cp310-cp310-manylinux2014_x86_64",
            "for CPython 3.10, the target has CPython 3.11",
        ),
        (WINDOWS, "cp312-abi3-win_amd64", "for CPython 3.12 or newer, the target has CPython 3.11"),
        (WINDOWS, "py312-none-any", "for Python 3.12 or newer, the target has CPython 3.11"),
        (WINDOWS, "py2-none-any", "for Python 2, the target has CPython 3.11"),
        (WINDOWS, "py27-none-any", "for Python 2.7, the target has CPython 3.11"),
        (WINDOWS, "cp27-cp27m-win_amd64", "for CPython 2.7, the target has CPython 3.11"),
        (WINDOWS, "pp39-pypy39_pp73-win_amd64", "for PyPy 3.9, the target has CPython 3.11"),
        (WINDOWS, "ip27-none-any", "for ip27, the target has CPython 3.11"),
        (
            WINDOWS,
            "cp39.cp310-cp39-win_amd64",
            "for CPython 3.9, CPython 3.10, the target has CPython 3.11",
        ),
        (PYPY, "cp310-cp310-win_amd64", "for CPython 3.10, the target has PyPy 3.10"),
        (PYPY, "cp38-abi3-win_amd64", "for CPython 3.8 or newer, the target has PyPy 3.10"),
        (PYPY, "pp39-pypy39_pp73-win_amd64", "for PyPy 3.9, the target has PyPy 3.10"),
        # The Python is looked at first: the platform of this one does not fit either.
        (GLIBC, "cp310-cp310-win_amd64", "for CPython 3.10, the target has CPython 3.11"),
    ],
)
def test_another_python(spec: str, tag: str, detail: str) -> None:
    assert rejected(spec, tag) == ("python", detail)


@pytest.mark.parametrize(
    ("python", "abi", "name"),
    [
        ("cp311", "cp311", "CPython 3.11"),
        ("cp38", "abi3", "CPython 3.8 or newer"),
        ("cp315", "abi3t", "CPython 3.15 or newer (free-threaded)"),
        ("cp314", "cp314t", "CPython 3.14 (free-threaded)"),
        ("pp310", "pypy310_pp73", "PyPy 3.10"),
        ("py3", "none", "Python 3"),
        ("py2", "none", "Python 2"),
        ("py27", "none", "Python 2.7"),
        ("py310", "none", "Python 3.10 or newer"),
        ("cp", "none", "cp"),
        ("cp3x", "none", "cp3x"),
        ("graalpy311", "x", "graalpy311"),
    ],
)
def test_a_python_tag_for_a_person(python: str, abi: str, name: str) -> None:
    assert interpreter_name(python, abi) == name


# --- abi --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "tag", "detail"),
    [
        (
            "cp313,win_amd64",
            "cp313-cp313t-win_amd64",
            "for ABI cp313t (free-threaded), the target has cp313",
        ),
        (
            THREADED,
            "cp313-cp313-win_amd64",
            "for ABI cp313, the target has cp313t (free-threaded)",
        ),
        (THREADED, "cp38-abi3-win_amd64", "for ABI abi3, the target has cp313t (free-threaded)"),
        (
            "cp315,win_amd64",
            "cp315-abi3t-win_amd64",
            "for ABI abi3t (free-threaded), the target has cp315",
        ),
        (WINDOWS, "cp311-cp311d-win_amd64", "for ABI cp311d, the target has cp311"),
        ("cp37,win_amd64", "cp37-cp37dm-win_amd64", "for ABI cp37dm, the target has cp37m"),
        (
            PYPY,
            "pp310-pypy310_pp72-win_amd64",
            "for ABI pypy310_pp72, the target has pypy310_pp73",
        ),
        (
            WINDOWS,
            "cp311-cp311d.cp311dm-win_amd64",
            "for ABI cp311d, cp311dm, the target has cp311",
        ),
        # Only the ABIs that go with a fitting Python are named.
        (
            WINDOWS,
            "cp310-cp310.abi3t-win_amd64",
            "for ABI abi3t (free-threaded), the target has cp311",
        ),
        # The first stable ABI was that of Python 3.2.
        (THREADED, "cp32-abi3-win_amd64", "for ABI abi3, the target has cp313t (free-threaded)"),
        # The ABI is looked at before the platform.
        (GLIBC, "cp311-cp311d-win_amd64", "for ABI cp311d, the target has cp311"),
    ],
)
def test_another_abi(spec: str, tag: str, detail: str) -> None:
    assert rejected(spec, tag) == ("abi", detail)


# --- platform ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "platforms", "needs", "detail"),
    [
        (
            GLIBC,
            "manylinux_2_28_x86_64",
            "manylinux_2_28_x86_64",
            "needs glibc 2.28, the target has 2.17",
        ),
        (
            "cp311,manylinux1_x86_64",
            "manylinux2010_x86_64",
            "manylinux_2_12_x86_64",
            "needs glibc 2.12, the target has 2.5",
        ),
        # The lowest of several that would do.
        (
            GLIBC,
            "manylinux_2_34_x86_64.manylinux_2_28_x86_64.win_amd64",
            "manylinux_2_28_x86_64",
            "needs glibc 2.28, the target has 2.17",
        ),
        (
            "cp311,linux_x86_64,manylinux_2_17_x86_64",
            "manylinux_2_28_x86_64",
            "manylinux_2_28_x86_64",
            "needs glibc 2.28, the target has 2.17",
        ),
        (
            MUSL,
            "musllinux_1_2_x86_64",
            "musllinux_1_2_x86_64",
            "needs musl 1.2, the target has 1.1",
        ),
        (MAC, "macosx_13_0_arm64", "macosx_13_0_arm64", "needs macOS 13.0, the target has 12.0"),
        (
            MAC,
            "macosx_14_0_universal2",
            "macosx_14_0_arm64",
            "needs macOS 14.0, the target has 12.0",
        ),
        (
            "cp311,macosx_10_9_x86_64",
            "macosx_10_12_intel",
            "macosx_10_12_x86_64",
            "needs macOS 10.12, the target has 10.9",
        ),
    ],
)
def test_a_newer_platform_of_the_same_kind(
    spec: str, platforms: str, needs: str, detail: str
) -> None:
    reason = rejection(spec, f"foo-1.0-cp311-cp311-{platforms}.whl")
    assert reason.axis is Axis.PLATFORM
    assert reason.detail == detail
    assert reason.needs is not None
    assert reason.needs.tag == needs


@pytest.mark.parametrize(
    ("spec", "platforms", "detail"),
    [
        (GLIBC, "manylinux2014_aarch64", "for aarch64, the target is x86_64"),
        (
            GLIBC,
            "manylinux_2_17_aarch64.manylinux2014_aarch64",
            "for aarch64, the target is x86_64",
        ),
        (GLIBC, "musllinux_1_1_x86_64", "for musl on x86_64"),
        (GLIBC, "linux_x86_64", "for a bare linux_x86_64, which the target does not list"),
        (GLIBC, "win_amd64", "for Windows on amd64"),
        (GLIBC, "win32.macosx_11_0_arm64", "for Windows on x86, macOS 11.0 on arm64"),
        (GLIBC, "android_24_x86_64", "for Android API 24 on x86_64"),
        (MUSL, "manylinux_2_17_x86_64", "for glibc 2.17 on x86_64"),
        (MUSL, "musllinux_1_2_aarch64", "for aarch64, the target is x86_64"),
        (MAC, "macosx_11_0_x86_64", "for x86_64, the target is arm64"),
        (INTEL_MAC, "macosx_11_0_arm64", "for arm64, the target is x86_64"),
        (WINDOWS, "win32", "for x86, the target is amd64"),
        (WINDOWS, "win_arm64", "for arm64, the target is amd64"),
        ("cp311,linux_x86_64", "manylinux1_x86_64", "for glibc 2.5 on x86_64"),
        ("cp311,linux_x86_64", "linux_aarch64", "for aarch64, the target is x86_64"),
        # Of the right kind and architecture, and yet nobody's: below every floor, or a tag of a
        # minor version of macOS 11 or newer.
        (
            "cp311,manylinux_2_17_aarch64",
            "manylinux_2_5_aarch64",
            "for manylinux_2_5_aarch64, which no target takes",
        ),
        (MAC, "macosx_13_3_arm64", "for macosx_13_3_arm64, which no target takes"),
    ],
)
def test_another_platform(spec: str, platforms: str, detail: str) -> None:
    reason = rejection(spec, f"foo-1.0-cp311-cp311-{platforms}.whl")
    assert (reason.axis, reason.detail, reason.needs) == (Axis.PLATFORM, detail, None)


def test_one_fitting_pair_of_python_and_abi_leaves_only_the_platform_to_fail() -> None:
    assert rejected(GLIBC, "cp39.cp311-cp39.cp311-win_amd64") == (
        "platform",
        "for Windows on amd64",
    )


# --- all files of a package -------------------------------------------------------------------


def test_every_file_is_explained_those_that_fit_by_rank_and_then_the_others_by_name() -> None:
    files = [
        "foo-1.0.tar.gz",
        "foo-1.0-py3-none-any.whl",
        "foo-1.0-cp312-cp312-win_amd64.whl",
        "foo-1.0-cp311-abi3-win_amd64.whl",
        "foo-1.0-cp311-cp311-win_amd64.whl",
        "foo-1.0-x.whl",
    ]
    target = target_for(WINDOWS)
    rows = explain(locked("foo", "1.0", *files), target)
    assert [(row.file, row.tag, row.rejection and row.rejection.axis.value) for row in rows] == [
        ("foo-1.0-cp311-cp311-win_amd64.whl", "cp311-cp311-win_amd64", None),
        ("foo-1.0-cp311-abi3-win_amd64.whl", "cp311-abi3-win_amd64", None),
        ("foo-1.0-py3-none-any.whl", "py3-none-any", None),
        ("foo-1.0-cp312-cp312-win_amd64.whl", None, "python"),
        ("foo-1.0-x.whl", None, "malformed"),
        ("foo-1.0.tar.gz", None, "build-only"),
    ]
    ranks = [row.rank for row in rows]
    assert ranks[:3] == [target.tags.index(row.tag or "") for row in rows[:3]]
    assert ranks[3:] == [None] * 3


def test_the_best_file_stands_first_even_at_rank_0() -> None:
    best, other = "foo-1.0-cp311-cp311-win_amd64.whl", "a.whl"
    first = explain(locked("foo", "1.0", other, best), target_for(WINDOWS))[0]
    assert (first.file, first.rank) == (best, 0)


def test_rejections_are_listed_by_file_name_one_for_each_file() -> None:
    files = ["foo-1.0.zip", "foo-1.0-py2-none-any.whl", "foo-1.0-cp39-cp39-win32.whl"]
    (entry,) = plan_for(target_for(WINDOWS), locked("foo", "1.0", *files)).entries
    assert isinstance(entry, Unavailable)
    assert [each.file for each in entry.rejections] == sorted(files)
