"""The report for a person."""

from __future__ import annotations

import re

import pytest
from packaging.utils import canonicalize_name

from core.lockmaker import (
    a_project,
    locked,
    plan_for,
    raw_file,
    raw_lock,
    raw_package,
    real_lock,
    target_for,
)
from wheeltarget.core.errors import Problem
from wheeltarget.core.lock import read_lock
from wheeltarget.core.model import LockedPackage, Project
from wheeltarget.core.plan import Plan, explain
from wheeltarget.core.platforms import parse_platform
from wheeltarget.core.report import (
    Explanation,
    TargetReport,
    WrittenBundle,
    aligned,
    bundle_line,
    conflict_hint,
    explain_lines,
    one_line,
    plan_lines,
    printable,
    problem_lines,
    target_title,
)
from wheeltarget.core.sizes import human_size
from wheeltarget.core.target import with_more_platforms

ABI = "Pyodide ABI"
LEGACY = target_for("cp38-cp38-manylinux2010_x86_64")


def cells(lines: list[str]) -> list[list[str]]:
    """Lines as their columns, whatever the alignment; without empty lines."""
    return [re.split(r" {2,}", line.strip()) for line in lines if line]


def said(plan: Plan, project: Project | None = None, *, verbose: bool = False) -> list[list[str]]:
    return cells(plan_lines(TargetReport(plan=plan), project or a_project(), verbose=verbose))[1:]


def pure(name: str, version: str = "1.0", markers: object = None) -> LockedPackage:
    return locked(name, version, f"{name}-{version}-py3-none-any.whl", markers=markers)


# --- the contract's example -------------------------------------------------------------------


def contract_example() -> Plan:
    """Twenty packages that fit, and two that do not, with nine and seventeen files."""
    fitting = [pure(f"package{index:02}") for index in range(20)]
    missing = []
    for name, version, count in (("orjson", "3.6.8", 9), ("ujson", "5.1.0", 17)):
        tags = ["cp38-cp38-manylinux2014_x86_64", "cp38-cp38-manylinux_2_24_x86_64"]
        tags += [f"cp3{minor}-cp3{minor}-manylinux2014_x86_64" for minor in range(9, 7 + count)]
        files = [f"{name}-{version}-{tag}.whl" for tag in tags[:count]]
        missing.append(locked(name, version, *files))
    return plan_for(LEGACY, *fitting, *missing)


def test_the_example_of_the_contract() -> None:
    lines = plan_lines(TargetReport(plan=contract_example()), a_project("legacy"))
    assert lines[:4] == [
        "legacy 0.1.0 for cp38-manylinux2010_x86_64: Python 3.8, glibc 2.12, x86_64",
        "",
        "  20 of 22 packages have a wheel. Missing:",
        "",
    ]
    assert cells(lines[4:]) == [
        ["orjson 3.6.8", "needs glibc 2.17, the target has 2.12", "(9 files, --explain orjson)"],
        ["ujson 5.1.0", "needs glibc 2.17, the target has 2.12", "(17 files, --explain ujson)"],
        ["All 22 would fit manylinux2014_x86_64."],
    ]
    assert all(line == line.rstrip() for line in lines)


def test_the_columns_are_aligned() -> None:
    lines = plan_lines(TargetReport(plan=contract_example()), a_project())
    rows = [line for line in lines if "--explain" in line]
    assert len({row.index("needs") for row in rows}) == 1
    assert len({row.index("(") for row in rows}) == 1


def test_a_real_lock() -> None:
    rows = said(plan_for(LEGACY, *real_lock("legacy-glibc").packages))
    assert rows[0] == ["20 of 22 packages have a wheel. Missing:"]
    assert [row[:2] for row in rows[1:3]] == [
        ["orjson 3.6.8", "needs glibc 2.17, the target has 2.12"],
        ["ujson 5.1.0", "needs glibc 2.17, the target has 2.12"],
    ]
    assert rows[3:] == [["All 22 would fit manylinux2014_x86_64."]]


# --- the summary ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "packaged", "summary"),
    [
        (0, False, "No package applies to this target."),
        (0, True, "The only package has a wheel."),
        (1, False, "The only package has a wheel."),
        (1, True, "All 2 packages have a wheel."),
        (3, False, "All 3 packages have a wheel."),
    ],
)
def test_a_plan_without_gaps(count: int, packaged: bool, summary: str) -> None:
    plan = plan_for(LEGACY, *(pure(f"p{index}") for index in range(count)))
    assert said(plan, a_project(packaged=packaged)) == [[summary]]


def missing(name: str, *minors: int) -> LockedPackage:
    files = [f"{name}-1-cp38-cp38-manylinux_2_{minor}_x86_64.whl" for minor in minors]
    return locked(name, "1", *files)


@pytest.mark.parametrize(
    ("fitting", "packaged", "summary"),
    [
        (0, False, "0 of 1 packages have a wheel. Missing:"),
        (1, False, "1 of 2 packages has a wheel. Missing:"),
        (1, True, "2 of 3 packages have a wheel. Missing:"),
    ],
)
def test_a_plan_with_a_gap(fitting: int, packaged: bool, summary: str) -> None:
    plan = plan_for(LEGACY, missing("x", 28), *(pure(f"p{index}") for index in range(fitting)))
    rows = said(plan, a_project(packaged=packaged))
    assert rows[0] == [summary]
    assert rows[1][2] == "(1 file, --explain x)"


def test_what_remains_in_any_case_is_said() -> None:
    sdist = locked("sdist", "1", "sdist-1.tar.gz")
    plan = plan_for(LEGACY, missing("a", 28), missing("b", 31, 34), sdist, locked("void", "2"))
    rows = said(plan)
    assert rows[-2:] == [
        ["This target, whatever its glibc, has no wheel of sdist 1, void 2."],
        ["All others would fit manylinux_2_31_x86_64."],
    ]
    # Where there is no file, there is nothing to explain.
    assert rows[-3] == ["void 2", "the lock lists no file of it"]


def test_the_others_are_not_mentioned_where_there_are_none() -> None:
    rows = said(plan_for(LEGACY, pure("good"), locked("sdist", "1", "sdist-1.tar.gz")))
    assert rows[-1] == ["This target, whatever its glibc, has no wheel of sdist 1."]


def test_a_platform_without_a_version_has_none_that_could_be_another() -> None:
    plan = plan_for(target_for("cp311,win_amd64"), locked("sdist", "1", "sdist-1.tar.gz"))
    assert said(plan)[-1] == ["This target has no wheel of sdist 1."]


# --- the other sections -----------------------------------------------------------------------


def test_the_chosen_files_are_named_only_where_that_is_asked_for() -> None:
    plan = plan_for(LEGACY, pure("a"), pure("bb", "2.0"))
    rows = [["Chosen:"], ["a 1.0", "a-1.0-py3-none-any.whl"], ["bb 2.0", "bb-2.0-py3-none-any.whl"]]
    assert said(plan, verbose=True) == [["All 2 packages have a wheel."], *rows]
    assert said(plan) == [["All 2 packages have a wheel."]]


def test_the_projects_own_wheel_is_among_the_chosen_ones() -> None:
    plan = plan_for(LEGACY, pure("z"), pure("a"))
    rows = said(plan, a_project("my-app", packaged=True), verbose=True)
    assert rows[2:] == [
        ["a 1.0", "a-1.0-py3-none-any.whl"],
        ["my-app 0.1.0", "(its own wheel, to be built)"],
        ["z 1.0", "z-1.0-py3-none-any.whl"],
    ]


def test_excluded_packages_are_listed() -> None:
    plan = plan_for(LEGACY, pure("a"), pure("boto3"), exclude=["boto3"])
    assert said(plan) == [
        ["The only package has a wheel."],
        ["Left out, because the target provides them:"],
        ["boto3 1.0"],
    ]


def test_undecided_packages_are_listed_with_marker_and_variables() -> None:
    markers = 'python_full_version < "3.8.3" and platform_version != "x"'
    assert said(plan_for(LEGACY, pure("a", markers=markers)))[1:] == [
        ["Included, although the target does not decide their marker:"],
        ["a 1.0", markers, "(depends on platform_version, python_full_version)"],
    ]


def test_conflicts_are_listed_with_both_markers_and_what_to_do() -> None:
    packages = [
        pure("foo", "1", markers='python_full_version < "3.8.3"'),
        pure("foo", "2"),
        pure("bar", "1"),
        pure("bar", "2"),
    ]
    assert said(plan_for(LEGACY, *packages))[-7:] == [
        ["Several versions of one package apply:"],
        ["bar 1", "always"],
        ["bar 2", "always"],
        ["The lock contradicts itself for this target; run `poetry lock`."],
        ["foo 1", 'where python_full_version < "3.8.3"'],
        ["foo 2", "always"],
        ["Say the patch level of the target's Python, for example --python 3.11.9."],
    ]


def test_the_variable_of_a_conflict_is_to_be_set_among_the_markers() -> None:
    maybe = pure("foo", "1", markers='platform_release >= "5" or python_full_version < "3.8.3"')
    (conflict,) = plan_for(LEGACY, maybe, pure("foo", "2")).conflicts
    assert conflict_hint(conflict) == (
        "Say platform_release, python_full_version under markers of a declared target."
    )


def test_files_without_a_strong_hash_are_listed_with_the_reason() -> None:
    name = "a-1.0-py3-none-any.whl"
    raw = {**raw_package("a", "1.0"), "files": [raw_file(name, "md5:" + "a" * 32)]}
    plan = plan_for(LEGACY, *read_lock(raw_lock(raw)).packages)
    title, row = said(plan)[1:]
    assert title == ["Without a hash that can be trusted:"]
    assert row[:2] == ["a 1.0", name]
    assert row[2].startswith("the lock's hash cannot be trusted: 'md5'")


# --- the pieces -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "title"),
    [
        ("cp38,manylinux2010_x86_64", "Python 3.8, glibc 2.12, x86_64"),
        ("3.11.9,musllinux_1_2_aarch64", "Python 3.11.9, musl 1.2, aarch64"),
        ("cp312,macosx_11_0_arm64", "Python 3.12, macOS 11.0, arm64"),
        ("cp39,win32", "Python 3.9, Windows, x86"),
        ("cp313-cp313t-win_arm64", "Python 3.13 free-threaded, Windows, arm64"),
        ("pp310,win_amd64", "PyPy 3.10, Windows, amd64"),
        ("cp311,linux_armv7l", "Python 3.11, Linux without a known C library, armv7l"),
    ],
)
def test_a_target_for_a_person(spec: str, title: str) -> None:
    assert target_title(target_for(spec)) == title


def test_an_explanation_lists_what_fits_before_what_does_not() -> None:
    files = ["foo-1-py3-none-any.whl", "foo-1-cp38-abi3-win32.whl", "foo-1.tar.gz"]
    package = locked("foo", "1", *files)
    lines = explain_lines(
        Explanation(target=LEGACY, package=package, rows=tuple(explain(package, LEGACY)))
    )
    rank = LEGACY.tags.index("py3-none-any")
    assert cells(lines) == [
        ["foo 1 for cp38-manylinux2010_x86_64: 1 of 3 files fit"],
        [f"rank {rank}", "foo-1-py3-none-any.whl", "py3-none-any"],
        ["platform", "foo-1-cp38-abi3-win32.whl", "for Windows on x86"],
        ["build-only", "foo-1.tar.gz", "a source archive, which would be built"],
    ]


def test_a_package_without_files_is_explained_too() -> None:
    lines = explain_lines(Explanation(target=LEGACY, package=locked("foo", "1"), rows=()))
    assert cells(lines) == [["foo 1 for cp38-manylinux2010_x86_64: 0 of 0 files fit"]]


@pytest.mark.parametrize(("wheels", "word"), [(0, "0 wheels"), (1, "1 wheel"), (78, "78 wheels")])
def test_a_finished_bundle_is_named_with_size_wheels_and_hash(wheels: int, word: str) -> None:
    bundle = WrittenBundle(path="dist/a.zip", size=28_400_000, sha256="ab" * 32, wheels=wheels)
    assert cells([bundle_line(bundle)]) == [
        ["dist/a.zip", "28.4 MB", word, f"sha256:{'ab' * 32}"],
    ]


@pytest.mark.parametrize(
    ("problem", "lines"),
    [
        (Problem(what="it broke"), ["it broke"]),
        (Problem(what="it broke", hint="mend it"), ["it broke", "  Mend it."]),
        (
            Problem(what="it broke", package="foo 1", target="prod", file="foo.whl", hint="x"),
            ["it broke (package foo 1, target prod, file foo.whl)", "  X."],
        ),
        (Problem(what="foo.whl broke", file="foo.whl", target="t9"), ["foo.whl broke (target t9)"]),
    ],
)
def test_a_problem_says_what_where_and_what_to_do(problem: Problem, lines: list[str]) -> None:
    assert problem_lines([problem]) == lines


def test_several_problems_are_listed_in_order() -> None:
    assert problem_lines([Problem(what="a"), Problem(what="b", hint="c")]) == ["a", "b", "  C."]
    assert problem_lines([]) == []


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1550, "1.6 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (28_400_000, "28.4 MB"),
        (999_949_999, "999.9 MB"),
        (999_950_000, "1.0 GB"),
        (8 * 10**12, "8000.0 GB"),
    ],
)
def test_a_size_for_a_person(size: int, text: str) -> None:
    assert human_size(size) == text


def test_rows_of_cells_are_aligned_and_end_without_spaces() -> None:
    assert aligned([("a", "bb", ""), ("ccc", "d", "e")]) == ["a     bb", "ccc   d    e"]
    assert aligned([]) == []


# --- foreign text -----------------------------------------------------------------------------


def test_text_for_a_terminal_commands_nothing() -> None:
    assert printable("a\x1b[31mb\u202ec\n\td\u00e9") == "a\\x1b[31mb\\u202ec\n\td\u00e9"
    assert one_line("fake\nError: \x07") == "fake\\nError: \\x07"


# --- presets and packages ---------------------------------------------------------------------


def test_what_goes_beyond_the_target_is_listed() -> None:
    newer = "numpy-2.2.6-cp311-cp311-manylinux_2_28_x86_64.whl"
    target = target_for("cp311,manylinux_2_17_x86_64")
    more = with_more_platforms(target, (parse_platform("manylinux_2_28_x86_64"),))
    plan = plan_for(target, locked("numpy", "2.2.6", newer), variants={"numpy": more})
    assert said(plan) == [
        ["The only package has a wheel."],
        ["More than the target promises, as allowed for these packages:"],
        ["numpy 2.2.6", newer],
    ]


def test_what_the_runtime_has_can_be_left_out() -> None:
    plan = plan_for(LEGACY, pure("boto3"), pure("botocore"))
    provided = tuple(canonicalize_name(name) for name in ("boto3", "botocore"))
    lines = plan_lines(TargetReport(plan=plan, provided=provided), a_project())
    assert cells(lines)[2:] == [
        ["The runtime has these already; they can be left out:"],
        ["boto3, botocore"],
        ["--exclude boto3,botocore"],
    ]


@pytest.mark.parametrize(
    ("spec", "title"),
    [
        ("cp313,android_24_arm64_v8a", "Python 3.13, Android API 24, arm64_v8a"),
        ("cp313,pyodide_2025_0_wasm32", "Python 3.13, Pyodide ABI 2025.0, wasm32"),
        ("cp312,macosx_11_0_universal2", "Python 3.12, macOS 11.0, universal2"),
    ],
)
def test_the_title_of_a_further_platform(spec: str, title: str) -> None:
    assert target_title(target_for(spec)) == title


def test_another_abi_of_pyodide_is_no_newer_one() -> None:
    wheel = "x-1.0-cp313-cp313-pyodide_2025_0_wasm32.whl"
    plan = plan_for(target_for("cp313,pyodide_2024_0_wasm32"), locked("x", "1.0", wheel))
    assert said(plan)[1:] == [
        [
            "x 1.0",
            f"no wheel for {ABI} 2024.0 on wasm32; there are some for {ABI} 2025.0 (wasm32)",
            "(1 file, --explain x)",
        ],
        ["This target has no wheel of x 1.0."],
    ]


def test_a_target_is_named_although_a_longer_word_holds_its_name() -> None:
    problem = Problem(what="manylinux_2_17_x86_64 does not fit", target="x", hint="do")
    assert problem_lines([problem])[0] == "manylinux_2_17_x86_64 does not fit (target x)"
    said = Problem(what="the target x does not fit: why", target="x")
    assert problem_lines([said]) == ["the target x does not fit: why"]


def test_what_is_to_be_built_is_listed() -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    git = {"type": "git", "url": "https://u:p@host/a.git", "resolved_reference": commit}
    plan = plan_for(
        LEGACY,
        pure("zlib"),
        locked("a", "1", source=git),
        locked("b", "2", source={"type": "directory", "url": "../b"}),
        locked("c", "3", "c-3.tar.gz"),
        build=["c"],
    )
    assert said(plan) == [
        ["All 4 packages have a wheel."],
        ["To be built from source:"],
        ["a 1", "from https://host/a.git at 0123456789ab"],
        ["b 2", "from ../b"],
        ["c 3", "from c-3.tar.gz"],
    ]
    assert ["b 2", "(to be built from ../b)"] in said(plan, verbose=True)
