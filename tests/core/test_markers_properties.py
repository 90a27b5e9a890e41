"""Three-valued evaluation against brute force over all values of what is unknown."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from operator import eq, ge, gt, le, lt, ne
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from core.lockmaker import quick, target_for
from wheeltarget.core.markers import MarkerValueError, evaluate, parse_marker, variables_of

KNOWN = target_for("manylinux2014_x86_64", "3.11").environment

#: Values of the unknown variables, one for each region that the literals below can tell apart.
UNKNOWN = {
    "platform_release": ["4", "4.9", "4.9.5", "5", "5.5", "5.10", "6"],
    "platform_version": ["a", "b", "other"],
    "implementation_version": ["a", "b", "other"],
    "python_full_version": [f"3.11.{patch}" for patch in (0, 1, 2, 3, 5, 10, 11, 99)],
}
ORDER: dict[str, Callable[[Version, Version], bool]] = {
    "<": lt,
    "<=": le,
    "==": eq,
    "!=": ne,
    ">=": ge,
    ">": gt,
}
VERSION_LIKE = {"platform_release", "python_full_version", "python_version"}


class Atom(NamedTuple):
    """One comparison."""

    name: str
    operator: str
    literal: str

    def __str__(self) -> str:
        return f'{self.name} {self.operator} "{self.literal}"'

    def holds(self, values: dict[str, str], extras: frozenset[str]) -> bool:
        if self.name == "extra":
            return (self.literal in extras) is (self.operator == "==")
        value = values[self.name]
        if self.name in VERSION_LIKE:
            return ORDER[self.operator](Version(value), Version(self.literal))
        return (value == self.literal) is (self.operator in {"==", "in"})


class Junction(NamedTuple):
    """Several expressions with ``and`` or ``or`` between them."""

    operator: str
    parts: list[Atom | Junction]

    def __str__(self) -> str:
        return "(" + f" {self.operator} ".join(map(str, self.parts)) + ")"

    def holds(self, values: dict[str, str], extras: frozenset[str]) -> bool:
        each = (part.holds(values, extras) for part in self.parts)
        return all(each) if self.operator == "and" else any(each)


def atoms(name: str, operators: str, *literals: str) -> st.SearchStrategy[Atom]:
    return st.builds(
        Atom, st.just(name), st.sampled_from(operators.split("|")), st.sampled_from(literals)
    )


comparisons = st.one_of(
    atoms("platform_release", "<|<=|==|!=|>=|>", "4.9", "5", "5.10"),
    atoms("platform_version", "==|!=|in|not in", "a", "b"),
    atoms("implementation_version", "==|!=", "a", "b"),
    atoms("python_full_version", "<|<=|==|!=|>=|>", "3.11.1", "3.11.3", "3.11.10"),
    atoms("sys_platform", "==|!=", "linux", "win32"),
    atoms("python_version", "<|>=", "3.10", "3.12"),
    atoms("extra", "==|!=", "cpu", "cuda"),
)
expressions = st.recursive(
    comparisons,
    lambda inner: st.builds(
        Junction, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)
    ),
    max_leaves=7,
)
extra_sets = st.frozensets(st.sampled_from(["cpu", "cuda"]))


def truth_table(
    expression: Atom | Junction, names: list[str], extras: frozenset[str]
) -> dict[tuple[str, ...], bool]:
    """The truth of an expression for all values of the unknown variables."""
    return {
        row: expression.holds({**KNOWN, **dict(zip(names, row, strict=True))}, extras)
        for row in product(*(UNKNOWN[name] for name in names))
    }


def replaced(row: tuple[str, ...], place: int, value: str) -> tuple[str, ...]:
    return (*row[:place], value, *row[place + 1 :])


def deciding(table: dict[tuple[str, ...], bool], names: list[str]) -> set[str]:
    """The variables of which the value alone can change the truth."""
    return {
        name
        for place, name in enumerate(names)
        for row, truth in table.items()
        if any(table[replaced(row, place, value)] != truth for value in UNKNOWN[name])
    }


@settings(quick, max_examples=400)
@given(expressions, extra_sets)
def test_the_verdict_is_that_of_brute_force(
    expression: Atom | Junction, extras: frozenset[str]
) -> None:
    marker = parse_marker(str(expression))
    names = sorted(name for name in UNKNOWN if name in str(expression))
    table = truth_table(expression, names, extras)

    verdict = evaluate(marker, KNOWN, extras)

    truths = set(table.values())
    assert verdict.holds is (None if len(truths) == 2 else truths.pop())
    # Never is a variable missing that decides, nor one named that is known or not mentioned.
    assert deciding(table, names) <= set(verdict.variables) <= set(names)
    assert list(verdict.variables) == sorted(set(verdict.variables))
    assert bool(verdict.variables) is (verdict.holds is None)


@quick
@given(expressions, extra_sets, st.data())
def test_with_all_values_known_nothing_is_undecided(
    expression: Atom | Junction, extras: frozenset[str], data: st.DataObject
) -> None:
    values = {name: data.draw(st.sampled_from(choices)) for name, choices in UNKNOWN.items()}
    environment = {**KNOWN, **values}
    verdict = evaluate(parse_marker(str(expression)), environment, extras)
    assert verdict.holds is expression.holds(environment, extras)


@quick
@given(expressions)
def test_the_variables_of_a_marker_are_among_those_written(expression: Atom | Junction) -> None:
    # poetry-core simplifies while it reads, so some may have gone.
    assert all(name in str(expression) for name in variables_of(parse_marker(str(expression))))


MARKERS = [
    'platform_release >= "5"',
    'platform_release == "5" or platform_release == "6.1"',
    '"tegra" in platform_release',
    'platform_version == "x"',
    'platform_version not in "a b"',
    'implementation_version == "3"',
    'platform_machine != "x" and platform_machine != "y"',
]
odd_values = st.sampled_from(["", "*", "==", "!=5", ">=3", "a,b", "a||b", "||", ",", " ", "5.*"])


@settings(quick, max_examples=400)
@given(st.sampled_from(MARKERS), odd_values | st.text(max_size=12))
def test_a_known_value_gives_an_answer_or_a_marker_value_error(text: str, value: str) -> None:
    names = ("platform_release", "platform_version", "implementation_version", "platform_machine")
    try:
        verdict = evaluate(parse_marker(text), {**KNOWN, **dict.fromkeys(names, value)})
    except MarkerValueError:
        return
    assert verdict.holds is not None


@pytest.mark.parametrize("python", ["3.8", "3.11", "3.13"])
def test_each_patch_level_on_its_own_agrees_with_all_together(python: str) -> None:
    texts = [
        f'python_full_version {operator} "{literal}"'
        for operator in ORDER
        for literal in ("3.8.0", "3.11.0", "3.11.4", "3.13.99", "3.14.0")
    ]
    for text in texts:
        marker = parse_marker(text)
        each = {
            evaluate(marker, {**KNOWN, "python_version": python, "python_full_version": full}).holds
            for full in (f"{python}.{patch}" for patch in range(100))
        }
        together = evaluate(marker, {**KNOWN, "python_version": python}).holds
        assert together is (None if len(each) == 2 else each.pop())
