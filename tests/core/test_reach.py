"""Which packages of an old lock apply: the walk from what the project wants."""

from __future__ import annotations

import time
from random import Random

import pytest

from core.lockmaker import Raw, target_for
from core.oldlockmaker import applying, markers_in, old_lock, old_package, reached, root
from wheeltarget.core.errors import LockError
from wheeltarget.core.lock import read_lock
from wheeltarget.core.model import RootRequirement

WINDOWS = 'sys_platform == "win32"'
OLD, NEW = 'python_version < "3.10"', 'python_version >= "3.10"'


def only(marker: str, version: str = "*") -> Raw:
    """A dependency with a marker."""
    return {"version": version, "markers": marker}


# --- paths ------------------------------------------------------------------------------------


def test_what_nothing_leads_to_does_not_apply() -> None:
    packages = old_package("a", needs={"b": "*"}), old_package("b"), old_package("other")
    assert reached(*packages, roots=[root("a")]) == {"a 1.0": "", "b 1.0": ""}


def test_markers_add_up_along_a_path_and_paths_are_alternatives() -> None:
    packages = (
        old_package("a", needs={"c": only(OLD)}),
        old_package("b", needs={"c": only('os_name == "nt"')}),
        old_package("c"),
    )
    found = reached(*packages, roots=[root("a", marker=WINDOWS), root("b")])
    assert set(found["c 1.0"].split(" or ")) == {
        'os_name == "nt"',
        f"{OLD} and {WINDOWS}",
    }


def test_paths_that_cover_everything_leave_no_marker() -> None:
    packages = (
        old_package("a", needs={"c": only(OLD)}),
        old_package("b", needs={"c": only(NEW)}),
        old_package("c"),
    )
    assert reached(*packages, roots=[root("a"), root("b")])["c 1.0"] == ""


def test_a_path_with_markers_that_exclude_each_other_is_none() -> None:
    packages = old_package("a", needs={"b": only(NEW)}), old_package("b")
    assert reached(*packages, roots=[root("a", marker=OLD)]) == {"a 1.0": OLD}


def test_what_the_pythons_of_the_project_make_certain_is_left_out() -> None:
    needs = {"b": only('python_version >= "3.9"'), "gone": only('python_version < "3.8"')}
    packages = old_package("a", needs=needs), old_package("b")
    assert reached(*packages, roots=[root("a")], python=">=3.9")["b 1.0"] == ""


def test_each_group_has_its_own_markers() -> None:
    packages = old_package("a", needs={"b": only(WINDOWS)}), old_package("b"), old_package("c")
    roots = [root("a"), root("b", group="dev"), root("c", group="docs", marker=OLD)]
    assert markers_in(read_lock(old_lock(*packages), roots)) == {
        "a 1.0": {"main": ""},
        "b 1.0": {"dev": "", "main": WINDOWS},
        "c 1.0": {"docs": OLD},
    }


def test_cycles_come_to_an_end() -> None:
    packages = (
        old_package("a", needs={"b": "*", "a": "*"}),
        old_package("b", needs={"c": only(WINDOWS)}),
        old_package("c", needs={"a": only(OLD), "b": "*"}),
    )
    found = reached(*packages, roots=[root("a", marker=NEW), root("c", marker=OLD)])
    assert found["a 1.0"] == ""
    assert found["b 1.0"] == ""
    assert set(found["c 1.0"].split(" or ")) == {OLD, WINDOWS}


def test_a_long_chain_is_no_deep_recursion() -> None:
    packages = [old_package(f"p{n}", needs={f"p{n + 1}": "*"}) for n in range(3000)]
    assert len(reached(*packages, old_package("p3000"), roots=[root("p0")])) == 3001


def test_names_are_compared_normalised() -> None:
    packages = old_package("a", needs={"Typing_Extensions": "*"}), old_package("typing-extensions")
    assert "typing-extensions 1.0" in reached(*packages, roots=[root("A")])


# --- extras -----------------------------------------------------------------------------------


def optional(extra: str, marker: str = "", **more: object) -> Raw:
    """A dependency as Poetry 1.8 locks one that belongs to an extra."""
    own = f'extra == "{extra}"'
    return {
        "version": "*",
        "optional": True,
        "markers": f"{marker} and {own}" if marker else own,
        **more,
    }


REDIS = old_package(
    "redis",
    needs={"hiredis": optional("Hiredis"), "ssl": optional("tls", WINDOWS), "base": "*"},
    extras={"Hiredis": ["hiredis (>=1)"], "tls": ["ssl"], "all": ["redis[hiredis,tls]"]},
)
PARTS = old_package("hiredis"), old_package("ssl"), old_package("base")


@pytest.mark.parametrize(
    ("extras", "found"),
    [
        ([], {"base 1.0": ""}),
        (["hiredis"], {"base 1.0": "", "hiredis 1.0": ""}),
        (["tls"], {"base 1.0": "", "ssl 1.0": WINDOWS}),
        (["ALL"], {"base 1.0": "", "hiredis 1.0": "", "ssl 1.0": WINDOWS}),
        (["nosuch"], {"base 1.0": ""}),
    ],
)
def test_extras_bring_what_they_list(extras: list[str], found: dict[str, str]) -> None:
    roots = [root("redis", extras=extras)]
    assert reached(REDIS, *PARTS, roots=roots) == {"redis 1.0": "", **found}


def test_an_extra_is_wanted_where_the_path_to_it_is() -> None:
    packages = (
        old_package("a", needs={"redis": {"version": "*", "extras": ["all"], "markers": OLD}}),
        REDIS,
        *PARTS,
    )
    found = reached(*packages, roots=[root("a"), root("redis")])
    assert (found["redis 1.0"], found["hiredis 1.0"]) == ("", OLD)
    assert found["ssl 1.0"] == f"{OLD} and {WINDOWS}"


def test_extras_may_list_each_other_in_a_circle() -> None:
    package = old_package(
        "a", needs={"b": optional("x")}, extras={"x": ["a[y]", "b"], "y": ["a[x]"]}
    )
    found = reached(package, old_package("b"), roots=[root("a", extras=["y"])])
    assert found == {"a 1.0": "", "b 1.0": ""}


def test_an_optional_dependency_without_a_marker_belongs_to_the_extras_that_list_it() -> None:
    package = old_package("a", needs={"b": {"version": "*", "optional": True}}, extras={"x": ["b"]})
    for extras, found in (["x"], {"a 1.0", "b 1.0"}), ([], {"a 1.0"}):
        assert set(reached(package, old_package("b"), roots=[root("a", extras=extras)])) == found


def test_a_marker_of_extras_is_enough() -> None:
    marker = f'extra == "x" or extra == "y" or {WINDOWS} and extra == "z"'
    needs = {
        "b": only(marker),
        "c": only('extra != "x"'),
        "d": only('extra == "x" or extra == "z"'),
    }
    parts = old_package("a", needs=needs), *map(old_package, "bcd")
    for extra, found in {"x": "abcd", "y": "abc", "z": "abcd", "other": "ac"}.items():
        markers = reached(*parts, roots=[root("a", extras=[extra])])
        assert markers == {f"{name} 1.0": "" for name in found}
    assert set(reached(*parts, roots=[root("a")])) == {"a 1.0", "c 1.0"}


def test_extras_of_the_project_become_part_of_the_marker() -> None:
    packages = old_package("a", needs={"b": only(WINDOWS)}), old_package("b"), old_package("c")
    roots = [root("a", in_extras=["Pg_Sql", "all"]), root("b", marker=OLD), root("c", in_extras=[])]
    lock = read_lock(old_lock(*packages), roots)
    found = markers_in(lock)
    assert set(found) == {"a 1.0", "b 1.0"}
    assert found["a 1.0"]["main"] == 'extra == "all" or extra == "pg-sql"'
    linux, windows = target_for(python="3.11"), target_for("win_amd64", "3.11")
    assert applying(lock, linux) == set()
    assert applying(lock, linux, extras=["pg-sql"]) == {"a 1.0"}
    assert applying(lock, windows, extras=["all"]) == {"a 1.0", "b 1.0"}


# --- several versions -------------------------------------------------------------------------


def test_each_constraint_takes_the_version_that_satisfies_it() -> None:
    packages = old_package("a", "1.0"), old_package("a", "2.0", needs={"b": "*"}), old_package("b")
    roots = [root("a", "<2", OLD), root("a", ">=2", NEW)]
    assert reached(*packages, roots=roots) == {"a 1.0": OLD, "a 2.0": NEW, "b 1.0": NEW}


def test_who_leaves_the_choice_takes_the_version_that_others_ask_for() -> None:
    packages = (
        old_package("pandas", needs={"numpy": ">=1.20"}),
        old_package("numpy", "1.24.4"),
        old_package("numpy", "2.0.2"),
    )
    roots = [root("pandas"), root("numpy", "1.24.4", OLD)]
    assert reached(*packages, roots=roots) == {
        "pandas 1.0": "",
        "numpy 1.24.4": OLD,
        "numpy 2.0.2": NEW,
    }


def test_the_highest_version_is_taken_whose_python_versions_allow_it() -> None:
    packages = (
        old_package("a", "1.0", python=">=3.6"),
        old_package("a", "3.0", python=">=3.10.1"),
        old_package("a", "2.0", python="!=3.9.7,>=3.9"),
    )
    lock = read_lock(old_lock(*packages), [root("a")])
    for python, version in [
        *(("3.8.2", "1.0"), ("3.9.6", "2.0"), ("3.9.7", "1.0")),
        *(("3.10.0", "2.0"), ("3.10.1", "3.0"), ("3.13.0", "3.0")),
    ]:
        assert applying(lock, target_for(python=python)) == {f"a {version}"}


@pytest.mark.parametrize(
    ("python", "fitting"),
    [
        ("<3.9 || >3.10", ["3.8.0", "3.8.5", "3.10.1", "3.11.0"]),
        ("<=3.9", ["3.8.0", "3.8.5", "3.9.0"]),
        ("3.9.1", ["3.9.1"]),
        ("<3.9 || >=3.9.1", ["3.8.0", "3.8.5", "3.9.1", "3.10.0", "3.10.1", "3.11.0"]),
        ("<3.5", []),
    ],
)
def test_python_versions_as_poetry_reads_them(python: str, fitting: list[str]) -> None:
    newer = old_package("a", "2.0", python=python)
    lock = read_lock(old_lock(old_package("a", "1.0"), newer), [root("a")])
    pythons = ["3.8.0", "3.8.5", "3.9.0", "3.9.1", "3.10.0", "3.10.1", "3.11.0"]
    assert fitting == [
        each for each in pythons if applying(lock, target_for(python=each)) == {"a 2.0"}
    ]


def test_what_would_want_the_impossible_gives_way_to_another_version() -> None:
    packages = (
        old_package("scipy", "1.0", needs={"numpy": "<2"}),
        old_package("scipy", "2.0", needs={"middle": "*"}),
        old_package("middle", needs={"numpy": ">=2"}),
        old_package("numpy", "1.0"),
        old_package("numpy", "2.0"),
    )
    roots = [
        root("scipy"),
        root("numpy", "<2", WINDOWS),
        root("numpy", ">=2", 'sys_platform != "win32"'),
    ]
    lock = read_lock(old_lock(*packages), roots)
    assert lock.gaps == ()
    assert applying(lock, target_for("win_amd64")) == {"scipy 1.0", "numpy 1.0"}
    assert applying(lock, target_for()) == {"scipy 2.0", "middle 1.0", "numpy 2.0"}


def test_a_version_that_leads_to_its_own_exclusion_gives_way_to_another() -> None:
    packages = (
        old_package("a", "1.0"),
        old_package("a", "2.0", needs={"b": only(WINDOWS)}),
        old_package("b", needs={"a": "<2"}),
    )
    lock = read_lock(old_lock(*packages), [root("a")])
    assert lock.gaps == ()
    assert applying(lock, target_for("win_amd64")) == {"a 1.0"}
    assert applying(lock, target_for()) == {"a 2.0"}


def test_what_does_not_settle_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wheeltarget.core.reach._PATIENCE", 1000)
    packages = (
        old_package("a", "1.0"),
        old_package("a", "2.0", needs={"b": "*"}),
        old_package("b", needs={"a": "<2"}),
    )
    with pytest.raises(LockError, match=r"package .: its versions exclude one another in a cycle"):
        read_lock(old_lock(*packages), [root("a")])


def test_only_so_many_ways_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wheeltarget.core.reach._MAX_RETRIES", 1)
    packages = (
        old_package("a", "1.0"),
        old_package("a", "2.0", needs={"b": "*"}),
        old_package("b", needs={"c": ">=2"}),
        old_package("c", "1.0"),
    )
    lock = read_lock(old_lock(*packages), [root("a")])
    assert [(gap.name, gap.wanted) for gap in lock.gaps] == [("c", ("b 1.0 wants c (>=2)",))]


def test_an_undecided_variable_may_leave_two_versions() -> None:
    packages = old_package("a", "1.0"), old_package("a", "2.0", python=">=3.9.2")
    lock = read_lock(old_lock(*packages), [root("a")])
    assert applying(lock, target_for(python="3.9")) == {"a 1.0", "a 2.0"}


# --- gaps -------------------------------------------------------------------------------------


def gaps(*packages: Raw, roots: list[RootRequirement]) -> list[tuple[str, tuple[str, ...], str]]:
    lock = read_lock(old_lock(*packages), roots)
    return [(gap.name, gap.wanted, str(gap.marker)) for gap in lock.gaps]


def test_what_is_wanted_and_not_locked_is_a_gap() -> None:
    package = old_package("a", needs={"b": only(WINDOWS, ">=2"), "c": only('extra == "x"')})
    assert gaps(package, old_package("b"), roots=[root("a")]) == [
        ("b", ("a 1.0 wants b (>=2)",), WINDOWS)
    ]
    assert gaps(roots=[root("a", "^1.2")]) == [("a", ("the project wants a (>=1.2,<2.0)",), "")]


def test_a_python_that_the_only_version_does_not_allow_is_a_gap() -> None:
    assert gaps(old_package("a", python=">=3.10"), roots=[root("a")]) == [
        ("a", ("the project wants a (*)",), OLD)
    ]


def test_requirements_that_exclude_each_other_are_a_gap_where_both_hold() -> None:
    packages = old_package("a", "1.0"), old_package("a", "2.0"), old_package("b", needs={"a": "<2"})
    assert gaps(*packages, roots=[root("a", ">=2", WINDOWS), root("b", marker=OLD)]) == [
        (
            "a",
            ("the project wants a (>=2)", "b 1.0 wants a (<2)"),
            f"{OLD} and {WINDOWS}",
        )
    ]


def test_a_gap_is_no_larger_than_what_cannot_be_mended() -> None:
    packages = (
        old_package("b", "1.0", needs={"a": "<2"}),
        old_package("b", "2.0", needs={"a": ">=2"}),
        old_package("a", "1.0"),
        old_package("a", "2.0"),
    )
    posix = 'os_name != "nt"'
    roots = [root("b"), root("a", "<2", WINDOWS), root("a", ">=2", posix)]
    ((name, _, marker),) = gaps(*packages, roots=roots)
    assert (name, marker) == ("a", f"{posix} and {WINDOWS}")


def test_a_gap_is_told_where_it_is_and_not_where_it_led_to() -> None:
    packages = old_package("a", needs={"b": "*"}), old_package("b", needs={"nosuch": "*"})
    assert [name for name, _, _ in gaps(*packages, roots=[root("a")])] == ["nosuch"]


# --- size -------------------------------------------------------------------------------------

MARKERS = [
    *(f'python_version < "3.{minor}"' for minor in range(9, 13)),
    *('sys_platform == "win32"', 'platform_system == "Darwin"', 'implementation_name == "pypy"'),
    *('python_full_version < "3.11.3"', 'os_name != "nt" or python_version >= "3.11"'),
    'sys_platform == "linux" and platform_machine == "aarch64"',
]


def large_lock(size: int, random: Random) -> Raw:
    """A lock with cycles, extras, markers everywhere, and two versions of each tenth package."""

    def need(index: int) -> object:
        if random.random() < 0.5:
            return ">=1.0"
        extras = {"extras": ["x"]} if random.random() < 0.3 else {}
        return {"version": "*", "markers": random.choice(MARKERS), **extras}

    packages = []
    for index in range(size):
        after = [index + random.randint(1, 40) for _ in range(6)]
        before = [index - random.randint(1, 40)] if random.random() < 0.05 else []
        needs = {f"p{each}": need(each) for each in after + before if 0 <= each < size}
        extra = next(iter(needs), None)
        for version in ("1.0", "2.0") if index % 10 == 5 else ("1.0",):
            python = ">=3.10" if version == "2.0" else "*"
            extras = {"x": [extra]} if extra else {}
            packages.append(
                old_package(f"p{index}", version, needs=needs, extras=extras, python=python)
            )
    return old_lock(*packages)


@pytest.mark.parametrize("seed", range(3))
def test_a_lock_of_300_packages_is_no_matter_of_minutes(seed: int) -> None:
    random = Random(seed)
    raw = large_lock(300, random)
    roots = [
        root(f"p{random.randrange(60)}", marker=random.choice([*MARKERS, ""]), group=group)
        for group in ("main", "dev", "docs")
        for _ in range(15)
    ]
    start = time.process_time()
    lock = read_lock(raw, roots)
    # Half a second, were it not for what measures coverage.
    assert time.process_time() - start < 5
    assert sum(bool(package.markers) for package in lock.packages) > 200


def test_markers_beyond_reason_are_refused() -> None:
    parts = [
        f'platform_release == "{n}" and platform_version == "{n}" and os_name == "{n}"'
        for n in range(150)
    ]
    packages = [
        *(old_package(f"a{n}", needs={"z": only(part)}) for n, part in enumerate(parts)),
        old_package("z"),
    ]
    with pytest.raises(LockError) as caught:
        read_lock(old_lock(*packages), [root(f"a{n}") for n in range(150)])
    (problem,) = caught.value.problems
    assert problem.what == (
        "poetry.lock: package z: its markers cannot be combined: they are too complicated"
    )
