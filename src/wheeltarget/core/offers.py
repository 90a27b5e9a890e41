"""What an index offers of a package, seen from a target: which versions have a file that fits.

A lock has one file list for a package; an index has one for each of its versions, so the question
comes up thousands of times. Tags recur from version to version: each set of them is judged once.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from wheeltarget.core.explain import Compatibility
from wheeltarget.core.model import LockedFile, LockedPackage
from wheeltarget.core.plan import Unavailable, choose
from wheeltarget.core.wheelname import SDIST_SUFFIXES, is_wheel_name, parse_wheel_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from wheeltarget.core.links import Link
    from wheeltarget.core.platforms import Platform
    from wheeltarget.core.resolve import TargetSettings

#: CPython stops a branch after some 20 patch releases.
_PATCHES = range(100)


@dataclass(frozen=True, slots=True)
class Offer:
    """A file of an index; ``requires_python`` as the page says it (PEP 503), None if it doesn't."""

    filename: str
    requires_python: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """Why a version is nothing for a target, for a person.

    ``candidate`` is false where it is not even for the target's Python. ``fits_from`` is the lowest
    platform of the target's kind that has a wheel, ``source`` whether there is an archive that
    could be built.
    """

    reason: str
    candidate: bool = True
    fits_from: Platform | None = None
    source: bool = False


@dataclass(frozen=True)
class Suitability:
    """Judges versions of packages for one target, and remembers what it has seen."""

    settings: TargetSettings
    _compatibilities: dict[NormalizedName | None, Compatibility] = field(
        default_factory=dict, init=False, repr=False
    )
    _tags: dict[tuple[NormalizedName | None, str], bool] = field(
        default_factory=dict, init=False, repr=False
    )
    _pythons: dict[str, bool] = field(default_factory=dict, init=False, repr=False)

    def fits(self, name: NormalizedName, offers: Iterable[Offer]) -> bool:
        """Whether a version with these files can be bundled: one fits, or may be built."""
        if name in self.settings.exclude:
            return True
        suffixes = (".whl", *SDIST_SUFFIXES) if name in self.settings.build else (".whl",)
        return any(
            self._allows(offer.requires_python)
            and (not is_wheel_name(offer.filename) or self._takes(name, offer.filename))
            for offer in offers
            if offer.filename.endswith(suffixes)
        )

    def lack(self, name: NormalizedName, version: Version, offers: Sequence[Offer]) -> Lack:
        """Why such a version does not fit."""
        allowed = [offer for offer in offers if self._allows(offer.requires_python)]
        if offers and not allowed:
            reason = f"requires Python {offers[0].requires_python}"
            return Lack(reason=reason, candidate=False)
        files = tuple(_file(offer.filename) for offer in allowed)
        source = any(file.name.endswith(SDIST_SUFFIXES) for file in files)
        if not any(file.wheel for file in files):
            return Lack(reason="has no wheel at all", source=source)
        package = LockedPackage(name=name, version=version, markers={}, files=files)
        entry = choose(package, self._compatibility(name))
        assert isinstance(entry, Unavailable)
        return Lack(reason=entry.hint, fits_from=entry.fits_from, source=source)

    def _takes(self, name: NormalizedName, filename: str) -> bool:
        variant = name if name in self.settings.packages else None
        tags = "-".join(filename.rsplit("-", 3)[-3:])
        known = self._tags.get((variant, tags))
        if known is None:
            wheel = _file(filename).wheel
            known = wheel is not None and self._compatibility(name).best(wheel) is not None
            self._tags[variant, tags] = known
        return known

    def _compatibility(self, name: NormalizedName) -> Compatibility:
        variant = name if name in self.settings.packages else None
        if variant not in self._compatibilities:
            self._compatibilities[variant] = Compatibility(self.settings.target_for(name))
        return self._compatibilities[variant]

    def _allows(self, requires_python: str | None) -> bool:
        """Whether it can be installed with the target's Python; nonsense forbids nothing."""
        if not requires_python:
            return True
        if requires_python not in self._pythons:
            self._pythons[requires_python] = self._satisfies(requires_python)
        return self._pythons[requires_python]

    def _satisfies(self, requires_python: str) -> bool:
        try:
            specifier = SpecifierSet(requires_python)
        except InvalidSpecifier:
            return True
        environment = self.settings.target.environment
        full = environment.get("python_full_version")
        minor = environment["python_version"]
        versions = [full] if full else [f"{minor}.{patch}" for patch in _PATCHES]
        return any(specifier.contains(version, prereleases=True) for version in versions)


def newest_fitting(
    wheels: Iterable[tuple[str, Link]],
    suitability: Suitability,
    package: LockedPackage,
    *,
    allows: Callable[[Version], bool],
) -> Version | None:
    """The newest version among the wheels of a page that fits where the locked one does not.

    Yanked wheels (PEP 592) do not count, and pre-releases only if one is locked.
    """
    offers: dict[Version, list[Offer]] = defaultdict(list)
    for filename, link in wheels:
        wheel = _file(filename).wheel
        if wheel is not None and wheel.name == package.name and link.yanked is None:
            offers[wheel.version].append(Offer(filename, link.requires_python))
    ripe = (v for v in offers if package.version.is_prerelease or not v.is_prerelease)
    fitting = (v for v in ripe if allows(v) and suitability.fits(package.name, offers[v]))
    return max(fitting, default=None)


def _file(filename: str) -> LockedFile:
    """A file of an index as one that may be locked."""
    if not is_wheel_name(filename):
        return LockedFile(name=filename, digest=None)
    try:
        return LockedFile(name=filename, digest=None, wheel=parse_wheel_name(filename))
    except ValueError as error:
        return LockedFile(name=filename, digest=None, malformed=str(error))
