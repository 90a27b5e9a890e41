"""Which targets need a package, followed along requirements."""

from __future__ import annotations

import pytest
from packaging.utils import canonicalize_name

from core.lockmaker import locked, target_for
from wheeltarget.core.demand import Demand, Edge, can_hold, needs
from wheeltarget.core.markers import parse_marker
from wheeltarget.core.resolve import TargetSettings

LINUX = target_for("manylinux2010_x86_64", "3.8")
WINDOWS = target_for("win_amd64", "3.11", markers={"platform_release": "Server"})
#: Their places.
OLD, WIN = 0, 1


def edge(text: str, *, in_extras: str = "") -> Edge:
    """``name[extra]; marker`` as a requirement."""
    requirement, _, marker = text.partition(";")
    name, _, extras = requirement.rstrip("]").partition("[")
    return Edge(
        name=canonicalize_name(name),
        marker=parse_marker(marker.strip()),
        extras=frozenset([canonicalize_name(extras)] if extras else []),
        in_extras=frozenset([canonicalize_name(in_extras)] if in_extras else []),
    )


@pytest.fixture
def demand() -> Demand:
    return Demand([TargetSettings(target=LINUX), TargetSettings(target=WINDOWS)])


def needed(demand: Demand, name: str) -> set[int]:
    return set(demand.needed(canonicalize_name(name)))


def learn(demand: Demand, name: str, *edges: Edge) -> None:
    demand.learn(canonicalize_name(name), edges)


def test_what_the_project_requires_is_needed_for_certain(demand: Demand) -> None:
    demand.require([edge("a"), edge('b; sys_platform == "win32"')])
    for name, targets in (("a", {OLD, WIN}), ("b", {WIN}), ("c", set())):
        assert needed(demand, name) == targets
        assert set(demand.certain(canonicalize_name(name))) == targets


def test_what_depends_on_an_unknown_value_is_no_certain_need(demand: Demand) -> None:
    demand.require([edge('a; platform_version == "1"'), edge('b; platform_release >= "5"')])
    assert (needed(demand, "a"), needed(demand, "b")) == (set(), set())


def test_an_extra_of_the_project_is_no_certain_need(demand: Demand) -> None:
    demand.require([edge("a", in_extras="x")])
    assert needed(demand, "a") == set()


def test_need_is_passed_on_along_markers(demand: Demand) -> None:
    demand.require([edge("a")])
    learn(demand, "a", edge("b"), edge('c; sys_platform == "win32"'))
    learn(demand, "c", edge("d"))
    assert (needed(demand, "b"), needed(demand, "d")) == ({OLD, WIN}, {WIN})
    assert demand.certain(canonicalize_name("b")) == frozenset()


def test_what_was_learned_before_is_passed_on_too(demand: Demand) -> None:
    learn(demand, "b", edge("c"))
    learn(demand, "a", edge("b"))
    assert needed(demand, "c") == set()
    demand.require([edge("a")])
    assert needed(demand, "c") == {OLD, WIN}


def test_a_circle_ends(demand: Demand) -> None:
    learn(demand, "a", edge("b"))
    learn(demand, "b", edge("a"))
    demand.require([edge("a")])
    assert needed(demand, "b") == {OLD, WIN}


def test_what_an_extra_requires_is_needed_where_it_is_asked_for(demand: Demand) -> None:
    learn(demand, "a", edge('b; extra == "x"', in_extras="x"), edge("c", in_extras="y"))
    demand.require([edge("a[x]")])
    assert (needed(demand, "b"), needed(demand, "c")) == ({OLD, WIN}, set())


def test_an_extra_that_is_asked_for_later(demand: Demand) -> None:
    learn(demand, "a", edge("b", in_extras="x"))
    demand.require([edge("a"), edge("z")])
    assert needed(demand, "b") == set()
    learn(demand, "z", edge("a[x]"))
    assert needed(demand, "b") == {OLD, WIN}


def test_one_may_insist(demand: Demand) -> None:
    learn(demand, "a", edge("b"))
    demand.insist(canonicalize_name("a"), WIN)
    assert demand.certain(canonicalize_name("a")) == {WIN}
    assert needed(demand, "b") == {WIN}


@pytest.mark.parametrize(
    ("marker", "holds"),
    [
        ("", True),
        ('sys_platform == "linux"', False),
        ('sys_platform == "win32" and extra == "x"', True),
        ('extra != "x"', True),
        ('platform_version == "1"', True),
        # A release that is no version cannot be compared.
        ('platform_release >= "5"', True),
    ],
)
def test_whether_a_marker_may_hold(marker: str, holds: bool) -> None:
    assert can_hold([parse_marker(marker)], WINDOWS) is holds


def test_no_marker_never_holds() -> None:
    assert not can_hold([], WINDOWS)


def test_a_locked_package_is_needed_by_the_groups_that_it_is_for() -> None:
    package = locked(
        "a",
        "1",
        groups=["main", "dev"],
        markers={"main": 'sys_platform == "linux"', "dev": 'sys_platform == "win32"'},
    )
    main, dev = canonicalize_name("main"), canonicalize_name("dev")
    assert needs(package.markers, [main], LINUX)
    assert not needs(package.markers, [dev], LINUX)
    assert needs(package.markers, [main, dev], WINDOWS)
    assert not needs(package.markers, [canonicalize_name("other")], LINUX)
