"""Conditions: markers in a form that stays small while many of them are put together.

A walk through the dependencies of a lock joins thousands of markers. poetry-core normalises each
union both ways, which takes time exponential in its size. Here a condition is a union of cubes, a
cube a conjunction of comparisons, and a cube that another one implies is dropped at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import combinations, product
from typing import TYPE_CHECKING

from wheeltarget.core.markers import (
    AnyMarker,
    BaseMarker,
    EmptyMarker,
    MarkerUnion,
    MultiMarker,
    SingleMarkerLike,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: What real locks need stays far below; beyond, a lock is hostile or broken.
MAX_CUBES = 100


class TooComplicatedError(ValueError):
    """A condition that would need more than MAX_CUBES cubes."""

    def __init__(self) -> None:
        super().__init__("they are too complicated")


@dataclass(frozen=True, slots=True)
class Condition:
    """When something holds. ``cubes`` is empty for never, and holds AnyMarker alone for always."""

    cubes: frozenset[BaseMarker]

    def __and__(self, other: Condition) -> Condition:
        return _both(self, other)

    def __invert__(self) -> Condition:
        result = ALWAYS
        for cube in self.sorted():
            result &= any_condition(condition_of(part.invert()) for part in _parts(cube))
        return result

    def covers(self, other: Condition) -> bool:
        """Whether this holds wherever the other does, as far as cubes show it one by one."""
        return all(any(_meet(own, cube) == cube for own in self.cubes) for cube in other.cubes)

    def marker(self) -> BaseMarker:
        """The condition as a marker, the same one in every run."""
        cubes = self.sorted()
        if len(cubes) > 1:
            return MarkerUnion(*cubes)
        return cubes[0] if cubes else EmptyMarker()

    def sorted(self) -> list[BaseMarker]:
        """The cubes in one order, whatever the hash seed."""
        return sorted(self.cubes, key=str)


NEVER = Condition(frozenset())
ALWAYS = Condition(frozenset([AnyMarker()]))


def any_condition(conditions: Iterable[Condition]) -> Condition:
    """What holds where one of the conditions does."""
    distinct = {condition for condition in conditions if condition != NEVER}
    if ALWAYS in distinct:
        return ALWAYS
    if len(distinct) > 1:
        return _joined(frozenset(cube for condition in distinct for cube in condition.cubes))
    return next(iter(distinct), NEVER)


@lru_cache(maxsize=4096)
def condition_of(marker: BaseMarker) -> Condition:
    """The condition that a marker says. Raises TooComplicatedError."""
    if isinstance(marker, MarkerUnion):
        return any_condition(map(condition_of, marker.markers))
    if isinstance(marker, MultiMarker):
        result = ALWAYS
        for part in marker.markers:
            result &= condition_of(part)
        return result
    return NEVER if marker.is_empty() else Condition(frozenset([marker]))


def without_extras(marker: BaseMarker) -> BaseMarker:
    """The marker with every comparison of ``extra`` taken as true."""
    if isinstance(marker, MarkerUnion):
        return MarkerUnion.of(*map(without_extras, marker.markers))
    if isinstance(marker, MultiMarker):
        return MultiMarker.of(*map(without_extras, marker.markers))
    if isinstance(marker, SingleMarkerLike) and marker.name == "extra":
        return AnyMarker()
    return marker


@lru_cache(maxsize=65536)
def _both(one: Condition, two: Condition) -> Condition:
    if one == ALWAYS:
        return two
    if two == ALWAYS:
        return one
    return _absorbed(_meet(*pair) for pair in product(one.cubes, two.cubes))


@lru_cache(maxsize=65536)
def _joined(cubes: frozenset[BaseMarker]) -> Condition:
    """The union of cubes, with each two made one that differ in one comparison only."""
    condition = _absorbed(cubes)
    while (merger := next(_mergers(condition), None)) is not None:
        one, two, both = merger
        condition = _absorbed([*condition.cubes - {one, two}, both])
    return condition


def _mergers(condition: Condition) -> Iterator[tuple[BaseMarker, BaseMarker, BaseMarker]]:
    """Two cubes, and what they are together: ``a and x < 3 or a and x >= 3`` is ``a``."""
    for one, two in combinations(condition.sorted(), 2):
        first, second = set(_parts(one)), set(_parts(two))
        if len(first - second) == len(second - first) == 1:
            joint = (first - second).pop().union((second - first).pop())
            if joint.is_any() or isinstance(joint, SingleMarkerLike):
                yield one, two, reduce(_meet, sorted(first & second, key=str), joint)


def _absorbed(cubes: Iterable[BaseMarker]) -> Condition:
    """A condition without cubes that never hold, or that others imply."""
    kept: list[BaseMarker] = []
    for cube in sorted(set(cubes), key=str):  # in one order, whatever the hash seed
        if cube.is_empty() or any(_meet(other, cube) == cube for other in kept):
            continue
        kept = [other for other in kept if _meet(cube, other) != other]
        kept.append(cube)
        if len(kept) > MAX_CUBES:
            raise TooComplicatedError
    return Condition(frozenset(kept))


@lru_cache(maxsize=65536)
def _meet(one: BaseMarker, two: BaseMarker) -> BaseMarker:
    """Both cubes at once, in one order of comparisons however they are given."""
    if one == two:
        return one
    met = MultiMarker.of(*sorted({*_parts(one), *_parts(two)}, key=str))
    return _ordered(_parts(met))


def _parts(cube: BaseMarker) -> tuple[BaseMarker, ...]:
    return cube.markers if isinstance(cube, MultiMarker) else (cube,)


def _ordered(parts: tuple[BaseMarker, ...]) -> BaseMarker:
    return parts[0] if len(parts) == 1 else MultiMarker(*sorted(parts, key=str))
