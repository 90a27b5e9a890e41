"""Frozen values that travel from the lock to the plan."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.utils import NormalizedName
    from packaging.version import Version
    from poetry.core.constraints.version import VersionConstraint
    from poetry.core.version.markers import BaseMarker

    from wheeltarget.core.wheelname import WheelName

#: Length in hexadecimal digits of each hash that can be trusted (CONTRACT section 2).
HASH_LENGTHS: Mapping[str, int] = {"sha256": 64, "sha384": 96, "sha512": 128}

_HEX = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A strong hash: algorithm (``sha256``, ``sha384`` or ``sha512``) and lower-case hex digest."""

    algorithm: str
    hex: str

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read ``algorithm:hexdigest``.

        Raises ValueError, with a reason fit for a user, for a weak or malformed hash.
        """
        algorithm, colon, digest = text.partition(":")
        if not colon:
            raise ValueError(f"{text!r} is not of the form algorithm:digest")
        if algorithm not in HASH_LENGTHS:
            raise ValueError(f"{algorithm!r} is not one of {', '.join(HASH_LENGTHS)}")
        digest = digest.lower()
        if len(digest) != HASH_LENGTHS[algorithm] or not _HEX.fullmatch(digest):
            raise ValueError(f"{digest!r} is not a {algorithm} digest")
        return cls(algorithm, digest)

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedFile:
    """One file of a locked package.

    ``digest`` is None where the lock holds no strong hash; ``distrust`` then says why.
    ``wheel`` is None for a source archive and for a name that does not follow the wheel grammar;
    ``malformed`` then says what is wrong with the name, None for a source archive.
    """

    name: str
    digest: Digest | None
    distrust: str | None = None
    wheel: WheelName | None = None
    malformed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the lock says that a package comes from.

    ``kind`` is ``index`` (PyPI where ``reference`` is None, else the source of that name),
    ``directory``, ``file``, ``git`` or ``url``. ``url`` is as locked, so it may hold credentials;
    of a directory or file it is the path from the project. ``commit`` is that of a git repository,
    ``subdirectory`` where in a repository or archive the package is.
    """

    kind: Literal["index", "directory", "file", "git", "url"] = "index"
    url: str | None = None
    reference: str | None = None
    commit: str | None = None
    subdirectory: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPackage:
    """One ``[[package]]`` of the lock. ``markers`` maps each of its groups to its marker there.

    ``requires`` are its dependencies as locked, by name; they are read only where it is built.
    """

    name: NormalizedName
    version: Version
    markers: Mapping[NormalizedName, BaseMarker]
    files: tuple[LockedFile, ...]
    source: Source = Source()
    requires: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A package that is wanted, by the project or by another package, where ``marker`` holds.

    ``extras`` are those wanted of the package, ``in_extras`` those that want it. An ``optional``
    one is wanted by its extras alone. ``source`` is None where any will do.
    """

    name: NormalizedName
    constraint: VersionConstraint
    marker: BaseMarker
    extras: frozenset[NormalizedName] = frozenset()
    in_extras: frozenset[NormalizedName] = frozenset()
    optional: bool = False
    source: Source | None = None

    def __str__(self) -> str:
        return f"{self.name} ({self.constraint})"


@dataclass(frozen=True, slots=True, kw_only=True)
class RootRequirement:
    """What a dependency group of the project wants."""

    group: NormalizedName
    requirement: Requirement


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Where ``marker`` holds, ``wanted`` asks for packages that no locked one satisfies."""

    name: NormalizedName
    wanted: tuple[str, ...]
    marker: BaseMarker


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """What a plan needs of ``poetry.lock``. Only locks without markers can have ``gaps``."""

    packages: tuple[LockedPackage, ...]
    content_hash: str
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The project that is bundled. ``packaged`` says whether its own wheel goes into the bundle."""

    name: NormalizedName
    version: Version
    packaged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWheel:
    """A wheel that is at hand, verified. ``size`` in bytes; ``sha256`` in hex."""

    filename: str
    sha256: str
    size: int
