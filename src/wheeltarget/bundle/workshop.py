"""What bundling needs of the outside world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from wheeltarget.core.errors import Problem
    from wheeltarget.core.links import Link
    from wheeltarget.core.model import Digest
    from wheeltarget.core.plan import ToBuild
    from wheeltarget.io.archive import ZipTime
    from wheeltarget.io.build import RawWheel
    from wheeltarget.io.cache import Cache, Stored
    from wheeltarget.io.index import Wanted


class WheelBuilder(Protocol):
    """Where wheels come from that nobody has. See :class:`wheeltarget.io.build.Builder`."""

    def own(self) -> RawWheel:
        """The project's own wheel."""

    def prepare(self, entries: Sequence[ToBuild]) -> None:
        """Get what is needed to build them."""

    def package(self, entry: ToBuild) -> RawWheel:
        """The wheel of a locked package."""

    def keep(self, entry: ToBuild, raw: RawWheel) -> None:
        """Remember a wheel that is what it must be."""

    def finish(self, raw: RawWheel, versions: Mapping[NormalizedName, Version]) -> Stored:
        """A wheel as it goes into a bundle with these versions."""


class WheelSupply(Protocol):
    """Where wheels come from. See :class:`wheeltarget.io.wheels.Supply`."""

    @property
    def cache(self) -> Cache:
        """Where its wheels are kept."""

    def obtain(self, wanted: Iterable[Wanted]) -> Mapping[Digest, Stored]:
        """All wanted wheels, each stored under its locked hash."""

    def links_for(self, wanted: Iterable[Wanted]) -> Mapping[Digest, tuple[Link, ...]]:
        """Where each wanted wheel can be fetched, best first."""


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """What bundling needs of the outside world.

    ``generator`` is the name and version that manifests carry, ``main`` the text of the
    ``__main__.py`` that travels along; ``root`` is what paths in reports are relative to.
    """

    supply: WheelSupply
    builder: WheelBuilder
    generator: tuple[str, str]
    main: str
    moment: ZipTime
    warn: Callable[[Problem], None]
    root: Path
