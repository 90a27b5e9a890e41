"""Poetry's solver, which a command that locks is given instead of the plain one.

Poetry's solver knows neither which dependency groups a package is for nor, while it solves, on
which machines. So it is let solve with a guess of what the targets need (`core/demand.py`); what
came of it says by marker and group where each package applies, as the lock will say it. Where a
version does not fit there, it is ruled out and the solver runs again.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import poetry.puzzle.solver as of_poetry
from packaging.utils import canonicalize_name
from packaging.version import Version
from poetry.packages import DependencyPackage
from poetry.puzzle.exceptions import SolverProblemError
from poetry.puzzle.solver import Solver

from wheeltarget.core.demand import can_hold, needs
from wheeltarget.core.heldback import mentioned, ruled_out_problem
from wheeltarget.core.report import printable, problem_lines
from wheeltarget.plugin.console import escaped
from wheeltarget.plugin.targetpool import TargetPool, edge_of, offers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName
    from poetry.config.config import Config
    from poetry.core.packages.dependency import Dependency
    from poetry.core.packages.package import Package
    from poetry.core.packages.project_package import ProjectPackage
    from poetry.packages.transitive_package_info import TransitivePackageInfo
    from poetry.puzzle.transaction import Transaction
    from poetry.repositories.repository_pool import RepositoryPool

    from wheeltarget.core.errors import Problem
    from wheeltarget.core.heldback import HeldBack
    from wheeltarget.core.resolve import TargetSettings

    Overrides = Mapping[Package, Mapping[str, Dependency]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRule:
    """Each package of these dependency groups is to have a wheel for each target it is for."""

    targets: Sequence[TargetSettings]
    groups: frozenset[NormalizedName]
    config: Config
    #: Told what was held back, after a lock that went well.
    tell: Callable[[Sequence[HeldBack]], None]


class TargetsProblemError(SolverProblemError):
    """The solver found no way, and it was the targets that ruled versions out."""

    def __init__(self, cause: SolverProblemError, problems: tuple[Problem, ...]) -> None:
        super().__init__(cause.error)
        self.problems = problems
        lines = printable("\n".join(problem_lines(problems)))
        self.args = (f"{cause}\n\n{escaped(lines)}",)


class TargetSolver(Solver):
    """Solves for a project so that what it locks can be bundled for the targets."""

    def __init__(
        self,
        package: ProjectPackage,
        pool: RepositoryPool,
        *more: Any,
        rule: LockRule,
        **options: Any,
    ) -> None:
        self._rule = rule
        self._targets = TargetPool(pool, rule.config, rule.targets)
        root = package.with_dependency_groups(sorted(rule.groups), only=True)
        self._targets.demand.require(map(edge_of, root.all_requires))
        super().__init__(package, self._targets, *more, **options)
        self._watch_overrides()
        self._watch_locked()

    def _watch_overrides(self) -> None:
        """Where requirements differ by marker, Poetry solves once for each side of it."""
        provider = self.provider
        set_overrides = provider.set_overrides

        def watched(overrides: Any) -> None:
            self._targets.live = self._live(overrides)
            set_overrides(overrides)

        setattr(provider, "set_overrides", watched)  # noqa: B010 (a method, to mypy)

    def _watch_locked(self) -> None:
        """Of several locked versions Poetry keeps the newest, and may mean that of another side."""
        provider = self.provider
        get_locked = provider.get_locked

        def watched(dependency: Dependency) -> DependencyPackage | None:
            left = dependency
            while (found := get_locked(left)) and not self._targets.keeps(found.package):
                left = left.with_constraint(left.constraint.difference(found.package.version))
            if found is None or left is dependency:
                return found
            asked = found.dependency.with_constraint(dependency.constraint)
            return DependencyPackage(asked, found.package)

        setattr(provider, "get_locked", watched)  # noqa: B010

    def _live(self, overrides: Overrides) -> frozenset[int]:
        """The targets that such a side can be for."""
        markers = [dep.marker for of in overrides.values() for dep in of.values()]
        return frozenset(
            index
            for index, settings in enumerate(self._rule.targets)
            if all(can_hold([marker], settings.target) for marker in markers)
        )

    def solve(self, use_latest: Collection[NormalizedName] | None = None) -> Transaction:
        """Solve until what is found fits. Raises TargetsProblemError where the targets forbid."""
        latest = set(use_latest or ())
        try:
            while True:
                transaction = super().solve(use_latest=latest)
                solved = transaction.get_solved_packages()
                unfit = list(self._unfit(solved))
                if not unfit:
                    break
                for package, target in unfit:
                    self._targets.refuse(package, target)
                    # Also where it is locked already.
                    latest.add(package.name)
                self.provider.set_overrides({})
        except SolverProblemError as error:
            ruled_out = self._targets.ruled_out(mentioned(str(error)))
            problems = tuple(map(ruled_out_problem, ruled_out))
            if not problems:
                raise
            raise TargetsProblemError(error, problems) from error
        self._rule.tell(list(self._held_back(solved)))
        return transaction

    def _applying(
        self, solved: Mapping[Package, TransitivePackageInfo]
    ) -> Iterator[tuple[Package, int]]:
        """Each package that comes from an index, with the targets that it may apply to."""
        for package, info in solved.items():
            if package.is_direct_origin():
                continue
            markers = {canonicalize_name(group): of for group, of in info.markers.items()}
            for index, settings in enumerate(self._rule.targets):
                if needs(markers, self._rule.groups, settings.target):
                    yield package, index

    def _unfit(
        self, solved: Mapping[Package, TransitivePackageInfo]
    ) -> Iterator[tuple[Package, int]]:
        for package, index in self._applying(solved):
            suitability = self._targets.suitabilities[index]
            if package.files and not suitability.fits(package.name, offers_of(package)):
                yield package, index

    def _held_back(self, solved: Mapping[Package, TransitivePackageInfo]) -> Iterator[HeldBack]:
        for package, index in self._applying(solved):
            held = self._targets.held_back(package.name, Version(package.version.text), index)
            if held is not None:
                yield held


def is_constrained() -> bool:
    """Whether commands are given our solver already."""
    return of_poetry.Solver is not Solver


@contextmanager
def constrained(pool: RepositoryPool, rule: Callable[[], LockRule]) -> Iterator[None]:
    """Let what solves with the project's pool solve for targets. ``rule`` is asked for then."""

    def solver(
        package: ProjectPackage, asked: RepositoryPool, *more: Any, **options: Any
    ) -> Solver:
        # Poetry also solves for its plugins, and from the lock alone: each with a pool of its own.
        if asked is not pool:
            return Solver(package, asked, *more, **options)
        return TargetSolver(package, asked, *more, rule=rule(), **options)

    _put(solver)
    try:
        yield
    finally:
        _put(Solver)


def _put(solver: Callable[..., Solver]) -> None:
    """Poetry's installer looks its solver up here, each time."""
    setattr(of_poetry, "Solver", solver)  # noqa: B010 (a class, to mypy)
