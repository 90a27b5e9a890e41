"""Poetry's repositories, seen through targets: versions without a wheel for them are not there."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name
from packaging.version import Version
from poetry.core.packages.dependency import Dependency
from poetry.repositories.exceptions import PackageNotFoundError
from poetry.repositories.http_repository import HTTPRepository
from poetry.repositories.repository_pool import RepositoryPool

from wheeltarget.core.demand import Demand, Edge
from wheeltarget.core.heldback import HeldBack, RuledOut
from wheeltarget.core.offers import Offer, Suitability

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from packaging.utils import NormalizedName
    from poetry.config.config import Config
    from poetry.core.constraints.version import Version as PoetryVersion
    from poetry.core.packages.package import Package

    from wheeltarget.core.resolve import TargetSettings

_PYPI = "PyPI"


class TargetPool(RepositoryPool):
    """A pool with the repositories of another one, which Poetry's solver may ask instead.

    ``live`` are the targets that what is now looked for can be for; all, unless the solver looks
    at one side of a marker. ``everything`` are those that need every package.
    """

    def __init__(
        self,
        pool: RepositoryPool,
        config: Config,
        targets: Sequence[TargetSettings],
        everything: Iterable[int] = (),
    ) -> None:
        super().__init__(config=config)
        for repository in pool.all_repositories:
            self.add_repository(repository, priority=pool.get_priority(repository.name))
        self.demand = Demand(targets)
        self.suitabilities = tuple(Suitability(settings) for settings in targets)
        self.live = frozenset(range(len(targets)))
        self._everything = frozenset(everything)
        #: Versions that a target refuses; None stands for whatever target.
        self._refused: set[tuple[NormalizedName, PoetryVersion, int | None]] = set()
        self._seen: dict[NormalizedName, dict[Version, tuple[Offer, ...]]] = {}

    def find_packages(self, dependency: Dependency) -> list[Package]:
        """As of any pool, without versions that lack a wheel for a target that needs the package.

        Where that leaves none, they stay if it is but a guess that a target needs the package.
        """
        found = super().find_packages(dependency)
        name = dependency.name
        needed = (self.demand.needed(name) | self._everything) & self.live
        certain = self.demand.certain(name) & self.live
        fitting = [package for package in found if self._fits(package, needed)]
        return fitting or [package for package in found if self._fits(package, certain)]

    def package(self, name: str, version: PoetryVersion, *more: Any, **options: Any) -> Package:
        """As of any pool; what the version requires is remembered."""
        # Poetry 2.0 passes more than later releases do.
        package = super().package(name, version, *more, **options)
        if self._is_outdated(package):
            package = self._renewed(package)
        self.demand.learn(package.name, map(edge_of, package.requires))
        return package

    def keeps(self, package: Package) -> bool:
        """Whether a locked version has the wheels that it needs for certain."""
        needed = self.demand.certain(package.name) & self.live
        return (
            not package.files
            or package.is_direct_origin()
            or self._suits(package.name, offers_of(package), needed)
        )

    def refuse(self, package: Package, target: int) -> None:
        """Never offer that version for the target again, nor another that lacks a wheel for it.

        Where it comes back all the same, it is offered for none: markers are not always what the
        sides were that they come from.
        """
        refusal = (package.name, package.version, target)
        self._refused.add((*refusal[:2], None) if refusal in self._refused else refusal)
        self.demand.insist(package.name, target)
        self._remember(package)

    def held_back(self, name: NormalizedName, chosen: Version, target: int) -> HeldBack | None:
        """What would have been chosen of a package, if it had a wheel for the target."""
        suitability = self.suitabilities[target]
        seen = self._seen.get(name, {})
        for version in sorted((v for v in seen if v > chosen), reverse=True):
            if suitability.fits(name, seen[version]):
                continue
            lack = suitability.lack(name, version, seen[version])
            if lack.candidate:
                return HeldBack(
                    name=name,
                    chosen=chosen,
                    newest=version,
                    lack=lack,
                    target=suitability.settings.target,
                )
        return None

    def ruled_out(self, names: Iterable[NormalizedName]) -> Iterator[RuledOut]:
        """For each of these packages and each target the versions that it rules out, if any."""
        for name, suitability in product(sorted(names), self.suitabilities):
            seen = self._seen.get(name, {})
            lacks = {
                version: suitability.lack(name, version, offers)
                for version, offers in seen.items()
                if not suitability.fits(name, offers)
            }
            if lacks:
                yield RuledOut(
                    name=name,
                    target=suitability.settings.target,
                    lacks=lacks,
                    considered=seen,
                    fitting=self._newest(name, suitability),
                )

    def _newest(self, name: NormalizedName, suitability: Suitability) -> Version | None:
        """The newest version of a package, whatever the project asks for, that fits a target."""
        versions = (
            Version(package.version.text)
            for package in super().find_packages(Dependency(name, "*"))
            if (offers := self._offers(package)) and suitability.fits(name, offers)
        )
        return max(versions, default=None)

    def _offers(self, package: Package) -> tuple[Offer, ...] | None:
        """The files of a version; None where its source has no page to read them from.

        No request: to find the version, Poetry has read the page.
        """
        source = package.source_reference or _PYPI
        repository = self.repository(source) if self.has_repository(source) else None
        if not isinstance(repository, HTTPRepository):
            return None
        try:
            page = repository.get_page(package.name)
        except PackageNotFoundError:  # it is locked, and gone since
            return None
        return tuple(
            Offer(link.filename, link.requires_python)
            for link in page.links_for_version(package.name, package.version)
        )

    def _fits(self, package: Package, targets: Collection[int]) -> bool:
        if any((package.name, package.version, of) in self._refused for of in (*targets, None)):
            return False
        if not targets:
            return True
        offers = self._remember(package)
        return offers is None or self._suits(package.name, offers, targets)

    def _suits(
        self, name: NormalizedName, offers: tuple[Offer, ...], targets: Collection[int]
    ) -> bool:
        return all(self.suitabilities[index].fits(name, offers) for index in targets)

    def _remember(self, package: Package) -> tuple[Offer, ...] | None:
        offers = self._offers(package)
        if offers is not None:
            seen = self._seen.setdefault(package.name, {})
            seen[Version(package.version.text)] = offers
        return offers

    def _is_outdated(self, package: Package) -> bool:
        """Whether the files were read while a release was still being uploaded, as it seems."""
        needed = self.demand.needed(package.name) & self.live
        if self._suits(package.name, offers_of(package), needed):
            return False
        offers = self._offers(package)
        return offers is not None and self._suits(package.name, offers, needed)

    def _renewed(self, package: Package) -> Package:
        # Poetry 2.0 has no way to forget what it knows of one version.
        refresh = getattr(self, "refresh", None)
        renewed: Package = refresh(package) if refresh else package
        return renewed


def offers_of(package: Package) -> tuple[Offer, ...]:
    """The files that the lock would hold for a package."""
    return tuple(Offer(file["file"]) for file in package.files)


def edge_of(dependency: Dependency) -> Edge:
    """A requirement as Poetry has it."""
    return Edge(
        name=dependency.name,
        marker=dependency.marker,
        extras=frozenset(map(canonicalize_name, dependency.extras)),
        in_extras=frozenset(map(canonicalize_name, dependency.in_extras)),
    )
