"""Markers evaluated for a target, with three answers: true, false, undecided.

poetry-core's ``validate`` takes a variable that the environment does not name as satisfied, which
would decide on a fact nobody knows. Here such a marker is reduced instead: what is known is filled
in, and where the rest is neither always nor never true the verdict is undecided and says on what.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from poetry.core.version.markers import (
    AnyMarker,
    BaseMarker,
    EmptyMarker,
    MarkerUnion,
    MultiMarker,
    SingleMarker,
    SingleMarkerLike,
    parse_marker,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: The variables of PEP 508 that describe an environment.
VARIABLES = (
    "implementation_name",
    "implementation_version",
    "os_name",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "python_full_version",
    "python_version",
    "sys_platform",
)

#: CPython stops a branch after some 20 patch releases; no literal in a marker is beyond this.
_PATCHES = range(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``holds`` is None where it depends on ``variables`` that the environment does not know."""

    holds: bool | None
    variables: tuple[str, ...] = ()


TRUE = Verdict(holds=True)
FALSE = Verdict(holds=False)


class MarkerValueError(ValueError):
    """A known value that cannot be compared as the marker asks."""


def evaluate(
    marker: BaseMarker, environment: Mapping[str, str], extras: Iterable[str] = ()
) -> Verdict:
    """Whether a marker holds in an environment of which some variables may be missing.

    ``extras`` are the active ones; ``extra == "a"`` and ``extra != "a"`` ask for membership.
    Where ``python_full_version`` is missing, ``python_version`` still bounds it: the answer is
    undecided only if two patch levels of that version differ.

    Raises MarkerValueError.
    """
    known: dict[str, object] = {**environment, "extra": frozenset(extras)}
    if "python_full_version" in known or not _mentions(marker, "python_full_version"):
        return _verdict([_reduce(marker, known)])
    python = environment["python_version"]
    return _verdict(
        [_reduce(marker, known | {"python_full_version": f"{python}.{n}"}) for n in _PATCHES]
    )


def _verdict(rests: list[BaseMarker]) -> Verdict:
    if all(rest.is_any() for rest in rests):
        return TRUE
    if all(rest.is_empty() for rest in rests):
        return FALSE
    variables = {name for rest in rests for name in variables_of(rest)}
    if any(rest != rests[0] for rest in rests):
        variables.add("python_full_version")
    return Verdict(holds=None, variables=tuple(sorted(variables)))


def variables_of(marker: BaseMarker) -> Iterator[str]:
    """The names of the variables that a marker mentions, some more than once."""
    if isinstance(marker, (MultiMarker, MarkerUnion)):
        for part in marker.markers:
            yield from variables_of(part)
    elif isinstance(marker, SingleMarkerLike):
        yield marker.name


def _mentions(marker: BaseMarker, variable: str) -> bool:
    return variable in variables_of(marker)


def _reduce(marker: BaseMarker, known: Mapping[str, object]) -> BaseMarker:
    """The marker with all that is known filled in: Any, Empty, or what is left to decide."""
    if isinstance(marker, MultiMarker):
        return MultiMarker.of(*(_reduce(part, known) for part in marker.markers))
    if isinstance(marker, MarkerUnion):
        return MarkerUnion.of(*(_reduce(part, known) for part in marker.markers))
    if isinstance(marker, SingleMarkerLike) and marker.name in known:
        return AnyMarker() if _holds(marker, known) else EmptyMarker()
    return marker


def _holds(marker: BaseMarker, known: Mapping[str, object]) -> bool:
    try:
        return marker.validate(known)
    except (ValueError, AssertionError, AttributeError) as error:
        raise MarkerValueError(f"cannot evaluate {marker} for the target: {error}") from error


def any_of(markers: Iterable[BaseMarker]) -> BaseMarker:
    """The marker that holds where one of the given ones does."""
    nothing: BaseMarker = EmptyMarker()
    return reduce(lambda one, other: one.union(other), markers, nothing)


__all__ = [
    "FALSE",
    "TRUE",
    "VARIABLES",
    "AnyMarker",
    "BaseMarker",
    "EmptyMarker",
    "MarkerUnion",
    "MarkerValueError",
    "MultiMarker",
    "SingleMarker",
    "SingleMarkerLike",
    "Verdict",
    "any_of",
    "evaluate",
    "parse_marker",
    "variables_of",
]
