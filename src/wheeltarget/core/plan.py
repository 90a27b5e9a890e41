"""The plan: which locked packages apply to a target, and which file of each is taken.

A pure function of values. Nothing here knows the host, the order of files in the lock, or Poetry.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from wheeltarget.core.explain import Compatibility, Rejection, hint_for, reject
from wheeltarget.core.markers import MarkerValueError, any_of, evaluate
from wheeltarget.core.platforms import Platform, version_of
from wheeltarget.core.wheelname import SDIST_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from wheeltarget.core.markers import BaseMarker
    from wheeltarget.core.model import LockedFile, LockedPackage
    from wheeltarget.core.target import Target
    from wheeltarget.core.wheelname import WheelName


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A wheel was found: ``tag`` is the best of its tags, ``rank`` its place (0 the best).

    ``beyond`` says that it takes more than the target promises, as allowed for this package.
    """

    package: LockedPackage
    file: LockedFile
    wheel: WheelName
    tag: str
    rank: int
    beyond: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToBuild:
    """To be built from source: from ``file``, an archive, or where that is None from a tree."""

    package: LockedPackage
    file: LockedFile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """No file fits. ``rejections`` has one entry for each locked file, by file name."""

    package: LockedPackage
    rejections: tuple[Rejection, ...]
    hint: str
    fits_from: Platform | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """Left out because the platform provides it."""

    package: LockedPackage


Entry = Chosen | ToBuild | Unavailable | Excluded


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """A package that is included although its marker depends on unknown ``variables``."""

    package: LockedPackage
    marker: BaseMarker
    variables: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Several entries of one package apply, or may.

    ``variables`` are those that would decide between them; empty where all apply for sure.
    """

    name: NormalizedName
    candidates: tuple[tuple[LockedPackage, BaseMarker], ...]
    variables: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """For one target: an entry for each package that applies, by name and version."""

    target: Target
    entries: tuple[Entry, ...]
    undecided: tuple[Undecided, ...] = ()
    conflicts: tuple[Conflict, ...] = ()

    @cached_property
    def chosen(self) -> tuple[Chosen, ...]:
        """The wheels of the bundle."""
        return tuple(entry for entry in self.entries if isinstance(entry, Chosen))

    @cached_property
    def to_build(self) -> tuple[ToBuild, ...]:
        """The packages whose wheel has to be built first."""
        return tuple(entry for entry in self.entries if isinstance(entry, ToBuild))

    @cached_property
    def unavailable(self) -> tuple[Unavailable, ...]:
        """The packages without a usable file."""
        return tuple(entry for entry in self.entries if isinstance(entry, Unavailable))

    @cached_property
    def excluded(self) -> tuple[Excluded, ...]:
        """The packages that are left out on purpose."""
        return tuple(entry for entry in self.entries if isinstance(entry, Excluded))

    @cached_property
    def beyond(self) -> tuple[Chosen, ...]:
        """Chosen files that take more than the target promises."""
        return tuple(entry for entry in self.chosen if entry.beyond)

    @cached_property
    def untrusted(self) -> tuple[tuple[LockedPackage, LockedFile], ...]:
        """Files to be taken for which the lock holds no hash that can be trusted."""
        entries: tuple[Chosen | ToBuild, ...] = (*self.chosen, *self.to_build)
        return tuple(
            (entry.package, entry.file)
            for entry in entries
            if entry.file is not None and entry.file.digest is None
        )

    @cached_property
    def unlisted(self) -> tuple[Unavailable, ...]:
        """Packages that are locked as files, of which the lock lists none at all."""
        return tuple(entry for entry in self.unavailable if not entry.package.files)

    @property
    def ok(self) -> bool:
        """Whether a bundle can be made of it."""
        return not (self.unavailable or self.conflicts or self.untrusted)

    @property
    def fits_from(self) -> Platform | None:
        """The lowest platform of the target's kind with which every package would have a wheel.

        None where nothing is missing, or where no version of the platform is enough.
        """
        platforms = [entry.fits_from for entry in self.unavailable if entry.fits_from]
        if len(platforms) < len(self.unavailable):
            return None
        return max(platforms, key=version_of, default=None)


def make_plan(
    packages: Iterable[LockedPackage],
    target: Target,
    *,
    groups: Iterable[NormalizedName],
    extras: Iterable[str] = (),
    exclude: Iterable[NormalizedName] = (),
    variants: Mapping[NormalizedName, Target] | None = None,
    build: Iterable[NormalizedName] = (),
) -> Plan:
    """Choose for each locked package that applies the wheel with the best rank.

    ``groups`` are the active dependency groups, ``extras`` the active extras of the project,
    ``exclude`` the packages that the platform provides. ``variants`` are what the target is for
    single packages that may take more than it promises; markers know the target alone. ``build``
    are the packages that may be built from a source archive where no wheel fits.

    Raises MarkerValueError where a marker cannot be evaluated with the target's values.
    """
    active = frozenset(groups)
    wanted_extras = frozenset(extras)
    left_out = frozenset(exclude)
    fit = Compatibility(target)
    buildable = frozenset(build)
    fits = {name: Compatibility(variant) for name, variant in (variants or {}).items()}
    entries: list[Entry] = []
    undecided: list[Undecided] = []
    applying: dict[NormalizedName, list[_Applies]] = defaultdict(list)
    for package in sorted(packages, key=_order):
        applies = _applies(package, target, active, wanted_extras)
        if applies is None:
            continue
        if package.name in left_out:
            entries.append(Excluded(package=package))
            continue
        applying[package.name].append(applies)
        entry = choose(package, fits.get(package.name, fit), build=package.name in buildable)
        if isinstance(entry, Chosen) and entry.tag not in fit.ranks:
            entry = replace(entry, beyond=True)
        entries.append(entry)
        if applies.variables:
            undecided.append(
                Undecided(package=package, marker=applies.marker, variables=applies.variables)
            )
    return Plan(
        target=target,
        entries=tuple(entries),
        undecided=tuple(undecided),
        conflicts=tuple(_conflict(name, of) for name, of in applying.items() if len(of) > 1),
    )


def _order(package: LockedPackage) -> tuple[str, Version, str, str]:
    source = package.source
    return package.name, package.version, source.reference or "", source.url or ""


@dataclass(frozen=True, slots=True)
class _Applies:
    package: LockedPackage
    marker: BaseMarker
    variables: tuple[str, ...]


def _applies(
    package: LockedPackage,
    target: Target,
    groups: frozenset[NormalizedName],
    extras: frozenset[str],
) -> _Applies | None:
    """Whether a package applies: None for no, else with the variables that leave it undecided."""
    markers = [marker for group, marker in package.markers.items() if group in groups]
    if not markers:
        return None
    marker = any_of(markers)
    try:
        verdict = evaluate(marker, target.environment, extras)
    except MarkerValueError as error:
        raise MarkerValueError(f"{package}: {error}") from error
    return None if verdict.holds is False else _Applies(package, marker, verdict.variables)


def _conflict(name: NormalizedName, applying: list[_Applies]) -> Conflict:
    return Conflict(
        name=name,
        candidates=tuple((each.package, each.marker) for each in applying),
        variables=tuple(sorted({v for each in applying for v in each.variables})),
    )


def choose(
    package: LockedPackage, fit: Compatibility, *, build: bool = False
) -> Chosen | ToBuild | Unavailable:
    """The package's wheel with the best rank for the target, or why there is none.

    Ties are broken by the higher build number, then by the file name that sorts first. A directory
    or a git repository is built, since the user named it as source; an archive only with ``build``.
    """
    if package.source.kind in {"directory", "git"}:
        return ToBuild(package=package)
    candidates = [
        Chosen(package=package, file=file, wheel=file.wheel, rank=best[0], tag=best[1])
        for file in package.files
        if file.wheel is not None and (best := fit.best(file.wheel)) is not None
    ]
    if not candidates:
        archive = _source_archive(package) if build else None
        return ToBuild(package=package, file=archive) if archive else _unavailable(package, fit)
    # Stable sorts, the least significant key first: build tags can only be compared, not negated.
    by_name = sorted(candidates, key=lambda c: c.file.name)
    by_build = sorted(by_name, key=lambda c: c.wheel.build, reverse=True)
    return min(by_build, key=lambda c: c.rank)


def _source_archive(package: LockedPackage) -> LockedFile | None:
    """The archive to build from: a ``.tar.gz``, as PEP 625 wants it, before others."""
    archives = [file for file in package.files if file.name.endswith(SDIST_SUFFIXES)]
    best = SDIST_SUFFIXES[0]
    return min(
        archives,
        key=lambda file: (file.digest is None, not file.name.endswith(best), file.name),
        default=None,
    )


def _unavailable(package: LockedPackage, fit: Compatibility) -> Unavailable:
    files = sorted(package.files, key=lambda file: file.name)
    rejections = tuple(reject(file, fit) for file in files)
    needs = [rejection.needs for rejection in rejections if rejection.needs is not None]
    return Unavailable(
        package=package,
        rejections=rejections,
        hint=hint_for(files, rejections, fit),
        fits_from=min(needs, key=version_of, default=None),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One locked file of a package, with its place: a rank and tag, or why it is out."""

    file: str
    rank: int | None
    tag: str | None
    rejection: Rejection | None


def explain(package: LockedPackage, target: Target) -> tuple[Explained, ...]:
    """Every locked file of a package for a target: those that fit by rank, then the others."""
    fit = Compatibility(target)
    rows = []
    for file in package.files:
        best = fit.best(file.wheel) if file.wheel is not None else None
        rows.append(
            Explained(
                file=file.name,
                rank=None if best is None else best[0],
                tag=None if best is None else best[1],
                rejection=reject(file, fit) if best is None else None,
            )
        )
    return tuple(sorted(rows, key=lambda r: (r.rank is None, r.rank or 0, r.file)))
