"""Conditions mean what the markers mean that they are made of."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lockmaker import quick
from wheeltarget.core.conditions import (
    ALWAYS,
    MAX_CUBES,
    NEVER,
    Condition,
    TooComplicatedError,
    any_condition,
    condition_of,
    without_extras,
)
from wheeltarget.core.markers import BaseMarker, evaluate, parse_marker

SINGLES = [
    *('python_version < "3.9"', 'python_version >= "3.11"', 'python_full_version < "3.11.3"'),
    *('sys_platform == "win32"', 'sys_platform != "linux"', 'sys_platform in "linux darwin"'),
    *('os_name == "nt"', 'extra == "a"', 'extra == "a" or extra == "b"'),
]
ENVIRONMENTS = [
    {
        "python_version": python.rpartition(".")[0],
        "python_full_version": python,
        "sys_platform": platform,
        "os_name": name,
    }
    for python in ("3.8.1", "3.10.0", "3.11.2", "3.11.5")
    for platform, name in (("win32", "nt"), ("linux", "posix"), ("darwin", "posix"))
]
markers = st.recursive(
    st.sampled_from(SINGLES),
    lambda inner: st.builds("({}) {} ({})".format, inner, st.sampled_from(["and", "or"]), inner),
    max_leaves=5,
).map(parse_marker)


def truth(marker: BaseMarker) -> list[bool | None]:
    """Where a marker holds, in all environments and with all extras."""
    return [
        evaluate(marker, environment, extras).holds
        for environment in ENVIRONMENTS
        for extras in ([], ["a"], ["a", "b"])
    ]


@quick
@given(markers, markers)
def test_operations_mean_what_they_mean_for_markers(one: BaseMarker, two: BaseMarker) -> None:
    first, second = condition_of(one), condition_of(two)
    pairs = list(zip(truth(one), truth(two), strict=True))
    assert truth(first.marker()) == truth(one)
    assert truth((first & second).marker()) == [a and b for a, b in pairs]
    assert truth(any_condition([first, second]).marker()) == [a or b for a, b in pairs]
    assert truth((~first).marker()) == [not a for a, _ in pairs]
    if first.covers(second):
        assert all(a or not b for a, b in pairs)


@quick
@given(st.lists(markers, max_size=4))
def test_the_order_does_not_matter(parts: list[BaseMarker]) -> None:
    conditions = [condition_of(part) for part in parts]
    assert any_condition(conditions) == any_condition(reversed(conditions))
    for one, two in combinations(conditions, 2):
        assert one & two == two & one


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ALWAYS),
        ("<empty>", NEVER),
        ('python_version < "3.9" and python_version >= "3.9"', NEVER),
        ('python_version < "3.9" or python_version >= "3.9"', ALWAYS),
    ],
)
def test_what_never_or_always_holds_is_found(text: str, expected: Condition) -> None:
    assert condition_of(parse_marker(text)) == expected


def test_always_and_never() -> None:
    some = condition_of(parse_marker('os_name == "nt"'))
    assert (some & ALWAYS, ALWAYS & some, some & NEVER) == (some, some, NEVER)
    assert any_condition([]) == NEVER
    assert any_condition([some, ALWAYS]) == ALWAYS
    assert any_condition([some, ~some]) == ALWAYS
    assert (~ALWAYS, ~NEVER) == (NEVER, ALWAYS)
    assert (some & ~some) == NEVER
    assert ALWAYS.covers(some)
    assert not some.covers(ALWAYS)


def test_what_another_cube_implies_is_left_out() -> None:
    texts = ['python_version < "3.9"', 'python_version < "3.10" and os_name == "nt"']
    joined = any_condition(map(condition_of, map(parse_marker, [*texts, *reversed(texts)])))
    narrow = condition_of(parse_marker('python_version < "3.9" and os_name == "nt"'))
    assert any_condition([joined, narrow]) == joined


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ('extra == "a"', ""),
        ('extra == "a" and os_name == "nt"', 'os_name == "nt"'),
        ('extra == "a" or os_name == "nt"', ""),
        ('os_name == "nt"', 'os_name == "nt"'),
    ],
)
def test_without_extras(text: str, rest: str) -> None:
    assert str(without_extras(parse_marker(text))) == rest


def test_too_many_cubes_are_refused() -> None:
    names = [f'platform_release == "{n}" and os_name == "{n}"' for n in range(MAX_CUBES + 1)]
    with pytest.raises(TooComplicatedError):
        any_condition([condition_of(parse_marker(name)) for name in names])
