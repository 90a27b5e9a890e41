"""Which locked packages the project reaches, and under which markers.

A lock older than format 2.1 says only what each package depends on. Poetry runs its solver over
such a lock, with nothing to choose from but what is locked. Nothing is resolved here: the walk
follows the dependencies from the project on, and joins the markers that it meets. Where several
versions of a package are locked, the highest that satisfies all that want it is taken, as the
solver does.

A flavour is what a path starts from: a group of the project and, for an optional dependency, the
extras of the project that it belongs to. A state maps flavours to wants, and these to conditions.
A want is an extra of the package, or None for the package itself.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from packaging.utils import NormalizedName
from poetry.core.constraints.version import Version as PoetryVersion

from wheeltarget.core.conditions import (
    ALWAYS,
    NEVER,
    Condition,
    any_condition,
    condition_of,
    without_extras,
)
from wheeltarget.core.markers import BaseMarker, parse_marker
from wheeltarget.core.model import Gap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from packaging.version import Version

    from wheeltarget.core.model import Requirement, RootRequirement, Source

Flavour: TypeAlias = tuple[NormalizedName, frozenset[NormalizedName] | None]
State: TypeAlias = dict[Flavour, dict[NormalizedName | None, Condition]]

_PYPI = "pypi"
#: How often a name may be looked at in one walk because of cycles; real ones need a few times.
_MAX_VISITS = 60
#: How often to look at names in all walks together: so often each, but at least so often.
_MAX_WORK = (40, 2000)
#: After so many visits, a package that leads to what excludes it is barred there for good.
_PATIENCE = 20
#: How often to walk again because of gaps.
_MAX_RETRIES = 8
#: What poetry-core and our own conditions raise for markers that they cannot combine.
_FAILURES = (ValueError, AssertionError, AttributeError, RecursionError)


class UnsettledError(Exception):
    """The walk came to no end at a package. ``name`` is its name."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(reason)
        self.name = name


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A locked package in the walk. ``python`` says where its ``python-versions`` allow it.

    Each of its requirements stands with the wants of the package that bring it.
    """

    name: NormalizedName
    version: Version
    source: Source
    python: BaseMarker
    requirements: tuple[tuple[frozenset[NormalizedName | None], Requirement], ...]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class _Edge:
    """A requirement in the walk. ``parent`` is the place of who has it, None for the project."""

    parent: int | None
    flavour: Flavour | None
    wants: frozenset[NormalizedName | None]
    requirement: Requirement
    condition: Condition
    #: The places of the packages that satisfy it.
    fits: frozenset[int]


@dataclass(frozen=True, slots=True)
class Reached:
    """For each node its marker in each group, and what is wanted and not locked."""

    markers: tuple[Mapping[NormalizedName, BaseMarker], ...]
    gaps: tuple[Gap, ...]


def reach(
    nodes: Sequence[Node],
    roots: Iterable[RootRequirement],
    simplify: Callable[[BaseMarker], BaseMarker],
) -> Reached:
    """Walk from the project's requirements to every package that they lead to.

    ``simplify`` leaves out of a marker what the project's own Python versions make certain.

    Raises UnsettledError where markers are too complicated, or versions exclude one another in a
    cycle.
    """
    walk = _Walk(nodes, simplify)
    try:
        walk.prepare(roots)
        return walk.run()
    except _FAILURES as error:
        raise UnsettledError(walk.at, f"its markers cannot be combined: {error}") from error


class _Walk:
    def __init__(
        self,
        nodes: Sequence[Node],
        simplify: Callable[[BaseMarker], BaseMarker],
    ) -> None:
        #: The name that is being looked at.
        self.at: str = ""
        self._nodes = nodes
        self._simplify = simplify
        #: The places of the packages of each name, the highest version first.
        self._places: dict[NormalizedName, list[int]] = defaultdict(list)
        for place in sorted(range(len(nodes)), key=lambda i: nodes[i].version, reverse=True):
            self._places[nodes[place].name].append(place)
        #: Where the python-versions of each package exclude it.
        self._excluded = [NEVER for _ in nodes]
        self._edges: dict[NormalizedName, list[_Edge]] = defaultdict(list)
        self._children: list[dict[NormalizedName, None]] = [{} for _ in nodes]
        self._states: list[State] = [{} for _ in nodes]
        #: Where a package is not taken, since it would want what cannot be.
        self._barred = [NEVER for _ in nodes]
        #: Where no package of a name is what all ask for.
        self._left: dict[NormalizedName, Condition] = {}
        self._taken = [NEVER for _ in nodes]
        self._work = 0
        self._visits: dict[NormalizedName, int] = defaultdict(int)

    def prepare(self, roots: Iterable[RootRequirement]) -> None:
        """Find out who wants what."""
        for root in roots:
            self._add_root(root)
        for place, node in enumerate(self._nodes):
            self.at = node.name
            self._excluded[place] = ~condition_of(self._simplify(node.python))
            for wants, requirement in node.requirements:
                self._add(place, None, requirement, wants)

    def _add_root(self, root: RootRequirement) -> None:
        requirement = root.requirement
        extras = requirement.in_extras if requirement.optional else None
        self._add(None, (root.group, extras), requirement, frozenset())

    def _add(
        self,
        parent: int | None,
        flavour: Flavour | None,
        requirement: Requirement,
        wants: frozenset[NormalizedName | None],
    ) -> None:
        marker = requirement.marker
        if parent is not None:
            # The extras of a package that is no root are settled by ``wants``.
            marker = without_extras(marker)
            self._children[parent][requirement.name] = None
        self.at = name = requirement.name
        condition = condition_of(self._simplify(marker))
        fits = frozenset(self._fitting(requirement))
        self._edges[name].append(_Edge(parent, flavour, wants, requirement, condition, fits))

    def _fitting(self, requirement: Requirement) -> list[int]:
        places = self._places.get(requirement.name, [])
        fitting = [place for place in places if _satisfies(self._nodes[place], requirement)]
        # One that is asked for by its address is that one, if the address is written alike.
        asked = requirement.source
        if asked is None or asked.url is None:
            return fitting
        sources = [(self._nodes[place].source, place) for place in fitting]
        exact = [
            place
            for source, place in sources
            if source.url == asked.url and asked.reference in (None, source.reference)
        ]
        return exact or fitting

    def run(self) -> Reached:
        """Walk; and again, without what led to a gap, as long as that helps."""
        self._settle()
        first = dict(self._left)
        for _ in range(_MAX_RETRIES):
            if not self._bar():
                break
            self._states = [{} for _ in self._nodes]
            self._settle()
        hopeless = any_condition(self._left.values())
        return Reached(
            markers=tuple(self._markers(state) for state in self._states),
            gaps=tuple(
                gap for name in sorted(first) for gap in self._gap(name, first[name] & hopeless)
            ),
        )

    def _settle(self) -> None:
        """Look at each name after all that want it; at those of a cycle until nothing changes."""
        names = self._order()
        order = {name: rank for rank, name in enumerate(names)}
        waiting = list(range(len(names)))
        queued = set(waiting)
        self._visits.clear()
        each, least = _MAX_WORK
        while waiting:
            rank = heapq.heappop(waiting)
            queued.discard(rank)
            name = names[rank]
            self._visits[name] += 1
            self._work += 1
            if self._visits[name] > _MAX_VISITS or self._work > max(each * len(names), least):
                raise UnsettledError(name, "its versions exclude one another in a cycle")
            self.at = name
            for child in self._visit(name):
                if order[child] not in queued:
                    queued.add(order[child])
                    heapq.heappush(waiting, order[child])

    def _order(self) -> list[NormalizedName]:
        """All names that are wanted; each before those that it wants, apart from cycles."""
        finished: list[NormalizedName] = []
        seen: set[NormalizedName] = set()
        for start in sorted(self._edges):
            stack = [(start, iter(sorted(self._wanted_by(start))))] if start not in seen else []
            seen.add(start)
            while stack:
                name, children = stack[-1]
                child = next((child for child in children if child not in seen), None)
                if child is None:
                    finished.append(name)
                    stack.pop()
                else:
                    seen.add(child)
                    stack.append((child, iter(sorted(self._wanted_by(child)))))
        return finished[::-1]

    def _wanted_by(self, name: NormalizedName) -> Iterator[NormalizedName]:
        for place in self._places.get(name, ()):
            yield from self._children[place]

    def _visit(self, name: NormalizedName) -> Iterable[NormalizedName]:
        """Work out the states of a name's packages; return the names that have to follow."""
        active = [(edge, self._active(edge)) for edge in self._edges[name]]
        active = [(edge, conditions) for edge, conditions in active if conditions]
        taken = self._take(name, active)
        changed: dict[NormalizedName, None] = {}
        for place in self._places.get(name, ()):
            state = _joined(
                (want, flavour, condition & taken[place])
                for edge, conditions in active
                if place in edge.fits
                for flavour, condition in conditions.items()
                for want in (None, *edge.requirement.extras)
            )
            if not _same(state, self._states[place]):
                self._states[place] = state
                changed |= self._children[place]
        return changed

    def _active(self, edge: _Edge) -> dict[Flavour, Condition]:
        """The condition under which a requirement counts, for each flavour."""
        if edge.parent is None:
            assert edge.flavour is not None
            active = {edge.flavour: edge.condition}
        else:
            active = {
                flavour: edge.condition
                & any_condition(found[want] for want in edge.wants if want in found)
                for flavour, found in self._states[edge.parent].items()
            }
        return {flavour: condition for flavour, condition in active.items() if condition != NEVER}

    def _take(
        self, name: NormalizedName, active: list[tuple[_Edge, dict[Flavour, Condition]]]
    ) -> dict[int, Condition]:
        """The condition under which each package of a name is the one that is taken.

        What is left when all have been asked is a gap: the solver would find nothing.
        """
        wanted = [(edge, any_condition(conditions.values())) for edge, conditions in active]
        places = self._places.get(name, [])
        left = ALWAYS
        taken: dict[int, Condition] = {}
        for place in places:
            against = [condition for edge, condition in wanted if place not in edge.fits]
            if self._visits[name] > _PATIENCE:
                self._barred[place] = any_condition(
                    [self._barred[place], self._taken[place] & any_condition(against)]
                )
            out = any_condition([*against, self._barred[place], self._excluded[place]])
            # A name that is locked once needs no condition to tell it from others.
            taken[place] = left & ~(out if len(places) > 1 else self._barred[place])
            self._taken[place] = taken[place]
            left &= out
        left &= any_condition(condition for _, condition in wanted)
        self._left.pop(name, None)
        if left != NEVER:
            self._left[name] = left
        return taken

    def _bar(self) -> bool:
        """Bar the packages that led to gaps where others may take their place."""
        barred = False
        for name, left in self._left.items():
            self.at, rest = name, left
            for where, parents in sorted(self._ways_out(name), key=lambda way: self._alone(way[1])):
                for parent, condition in parents.items():
                    bar = condition & where & rest
                    if bar != NEVER:
                        self._barred[parent] = any_condition([self._barred[parent], bar])
                        barred = True
                rest &= ~where
        return barred

    def _ways_out(self, name: NormalizedName) -> Iterator[tuple[Condition, dict[int, Condition]]]:
        """Where one package of a name, or none, could be taken, and who would have to be barred.

        What the project itself wants cannot be barred.
        """
        active = [(edge, any_condition(self._active(edge).values())) for edge in self._edges[name]]
        for place in (*self._places.get(name, ()), None):
            out = [] if place is None else [self._barred[place], self._excluded[place]]
            parents: dict[int, Condition] = {}
            for edge, condition in active:
                if place in edge.fits:
                    continue
                if edge.parent is None:
                    out.append(condition)
                else:
                    before = parents.get(edge.parent, NEVER)
                    parents[edge.parent] = any_condition([before, condition])
            yield ~any_condition(out), parents

    def _alone(self, parents: Iterable[int]) -> int:
        """How many of some packages are locked in no other version."""
        return sum(len(self._places[self._nodes[parent].name]) == 1 for parent in parents)

    def _gap(self, name: NormalizedName, where: Condition) -> Iterator[Gap]:
        if where != NEVER:
            edges = self._edges[name]
            said = tuple(dict.fromkeys(self._said(edge) for edge in edges))
            yield Gap(name=name, wanted=said, marker=self._marker(where))

    def _markers(self, state: State) -> dict[NormalizedName, BaseMarker]:
        """The marker in each group, with the extras of the project as part of it."""
        found: dict[NormalizedName, list[Condition]] = defaultdict(list)
        for (group, extras), wants in state.items():
            found[group].append(wants[None] & _extras_condition(extras))
        joined = {group: any_condition(found[group]) for group in sorted(found)}
        return {
            group: self._marker(condition)
            for group, condition in joined.items()
            if condition != NEVER
        }

    def _marker(self, condition: Condition) -> BaseMarker:
        cubes = (condition_of(self._simplify(cube)) for cube in condition.sorted())
        return any_condition(cubes).marker()

    def _said(self, edge: _Edge) -> str:
        parent = "the project" if edge.parent is None else str(self._nodes[edge.parent])
        return f"{parent} wants {edge.requirement}"


def _satisfies(node: Node, requirement: Requirement) -> bool:
    if not requirement.constraint.allows(PoetryVersion.parse(str(node.version))):
        return False
    asked, source = requirement.source, node.source
    if asked is None:
        return True
    if asked.kind == "index":
        named = (asked.reference or _PYPI).lower(), (source.reference or _PYPI).lower()
        return source.kind == "index" and named[0] == named[1]
    # Whether a path is a file or a folder is not said by who asks for it.
    return source.kind == asked.kind or {source.kind, asked.kind} == {"directory", "file"}


def _joined(
    parts: Iterable[tuple[NormalizedName | None, Flavour, Condition]],
) -> State:
    collected: dict[Flavour, dict[NormalizedName | None, list[Condition]]] = {}
    for want, flavour, condition in parts:
        if condition != NEVER:
            collected.setdefault(flavour, {}).setdefault(want, []).append(condition)
    return {
        flavour: {want: any_condition(conditions) for want, conditions in wants.items()}
        for flavour, wants in collected.items()
    }


def _same(one: State, two: State) -> bool:
    """Whether two states say the same, maybe in other words."""
    return one.keys() == two.keys() and all(
        one[flavour].keys() == two[flavour].keys()
        and all(_equal(condition, two[flavour][want]) for want, condition in one[flavour].items())
        for flavour in one
    )


def _equal(one: Condition, two: Condition) -> bool:
    return one == two or (one.covers(two) and two.covers(one))


def _extras_condition(extras: frozenset[NormalizedName] | None) -> Condition:
    if extras is None:
        return ALWAYS
    return any_condition(
        condition_of(parse_marker(f'extra == "{extra}"')) for extra in sorted(extras)
    )
