"""Which packages the targets need, as far as a solver has shown it.

Poetry's solver asks an index for versions of a package without saying where the package is needed.
That is followed here: from the project's requirements, and from those of each version that the
solver has looked at, along markers that hold on a target for sure. It is a guess, since the solver
may give up a version again; what it finally chose is checked against the lock's own markers.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheeltarget.core.markers import MarkerValueError, any_of, evaluate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from packaging.utils import NormalizedName

    from wheeltarget.core.markers import BaseMarker
    from wheeltarget.core.resolve import TargetSettings
    from wheeltarget.core.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A requirement: of the package ``name`` with ``extras``, where ``marker`` holds.

    Where ``in_extras`` is not empty, only who asks for one of these extras requires it.
    """

    name: NormalizedName
    marker: BaseMarker
    extras: frozenset[NormalizedName] = frozenset()
    in_extras: frozenset[NormalizedName] = frozenset()


class Demand:
    """The targets that need a package, by their place in the order given."""

    def __init__(self, targets: Iterable[TargetSettings]) -> None:
        self._targets = tuple(settings.target for settings in targets)
        self._needed: dict[NormalizedName, set[int]] = defaultdict(set)
        self._asked: dict[NormalizedName, set[NormalizedName]] = defaultdict(set)
        self._edges: dict[NormalizedName, dict[Edge, None]] = defaultdict(dict)
        self._certain: dict[NormalizedName, set[int]] = defaultdict(set)
        self._verdicts: dict[tuple[BaseMarker, frozenset[NormalizedName], int], bool] = {}

    def needed(self, name: NormalizedName) -> frozenset[int]:
        """The targets that need the package, as far as known."""
        return frozenset(self._needed[name])

    def certain(self, name: NormalizedName) -> frozenset[int]:
        """Those of them that need it whatever else is chosen."""
        return frozenset(self._certain[name])

    def insist(self, name: NormalizedName, target: int) -> None:
        """It was seen that a target needs the package."""
        self._certain[name].add(target)
        self._spread(name, {target})

    def require(self, edges: Iterable[Edge]) -> None:
        """What the project itself requires."""
        for edge in edges:
            targets = {
                index
                for index in range(len(self._targets))
                if not edge.in_extras and self._holds(edge, frozenset(), index)
            }
            self._certain[edge.name] |= targets
            self._asked[edge.name] |= edge.extras
            self._spread(edge.name, targets)

    def learn(self, name: NormalizedName, edges: Iterable[Edge]) -> None:
        """What a version of a package requires."""
        self._edges[name].update(dict.fromkeys(edges))
        self._spread(name, set())

    def _spread(self, name: NormalizedName, targets: set[int]) -> None:
        """Targets need a package: so they need what it requires, where the markers hold."""
        self._needed[name] |= targets
        todo = [name]
        while todo:
            parent = todo.pop()
            asked = frozenset(self._asked[parent])
            for edge in self._edges[parent]:
                if edge.in_extras and edge.in_extras.isdisjoint(asked):
                    continue
                reached = {i for i in self._needed[parent] if self._holds(edge, asked, i)}
                extras = edge.extras if reached else frozenset()
                if reached <= self._needed[edge.name] and extras <= self._asked[edge.name]:
                    continue
                self._needed[edge.name] |= reached
                self._asked[edge.name] |= extras
                todo.append(edge.name)

    def _holds(self, edge: Edge, extras: frozenset[NormalizedName], index: int) -> bool:
        """Whether an edge's marker holds for sure."""
        key = (edge.marker, extras, index)
        if key not in self._verdicts:
            self._verdicts[key] = _surely(edge.marker, self._targets[index], extras)
        return self._verdicts[key]


def _surely(marker: BaseMarker, target: Target, extras: Iterable[str]) -> bool:
    try:
        return evaluate(marker, target.environment, extras).holds is True
    except MarkerValueError:
        return False


def can_hold(markers: Iterable[BaseMarker], target: Target) -> bool:
    """Whether one of the markers may hold on the target, with whatever extras.

    One that cannot be compared with the target's values may.
    """
    marker = any_of(marker.without_extras() for marker in markers)
    try:
        return evaluate(marker, target.environment).holds is not False
    except MarkerValueError:
        return True


def needs(
    markers: Mapping[NormalizedName, BaseMarker],
    groups: Collection[NormalizedName],
    target: Target,
) -> bool:
    """Whether a locked package, with its marker for each group, may apply to the target."""
    own = [marker for group, marker in markers.items() if group in groups]
    return bool(own) and can_hold(own, target)
