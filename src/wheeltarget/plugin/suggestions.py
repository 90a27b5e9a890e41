"""Where no wheel is locked that fits: the newest version of the package that has one."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from poetry.core.constraints.version import Version as PoetryVersion

from wheeltarget.core.errors import UsageError
from wheeltarget.core.heldback import suggestion
from wheeltarget.core.links import PageError, wheel_links
from wheeltarget.core.offers import Suitability, newest_fitting
from wheeltarget.io.fetch import FetchError
from wheeltarget.plugin import project as of_poetry
from wheeltarget.plugin.settings import limits_of
from wheeltarget.plugin.sources import Indexes
from wheeltarget.plugin.workshop import DISTRIBUTION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.version import Version
    from poetry.core.constraints.version import VersionConstraint
    from poetry.poetry import Poetry

    from wheeltarget.core.links import Link
    from wheeltarget.core.model import LockedPackage
    from wheeltarget.core.plan import Plan
    from wheeltarget.core.request import Request

#: A hint is not worth a long wait: one attempt, of so many seconds.
_PATIENCE = 5.0


def suggestions(
    poetry: Poetry, request: Request, plans: Sequence[Plan], command: str
) -> Iterator[str]:
    """A line for each missing wheel that another version has. ``command`` would lock it.

    An index that does not answer leads to no line, since its silence is not why the run fails.
    """
    pages = _Pages(poetry)
    several = len(plans) > 1
    for settings, plan in zip(request.targets, plans, strict=True):
        suitability = Suitability(settings)
        for entry in plan.unavailable:
            name = entry.package.name
            constraint = of_poetry.constraint_on(poetry, request.groups, name, settings.target)
            wheels = pages.wheels(entry.package)
            line = suggestion(
                name,
                newest_fitting(wheels, suitability, entry.package, allows=lambda _: True),
                allowed=newest_fitting(
                    wheels, suitability, entry.package, allows=partial(_allows, constraint)
                ),
                constraint=str(constraint),
                command=command,
            )
            if line is not None:
                yield f"{line} (target {settings.target.name})" if several else line


def _allows(constraint: VersionConstraint, version: Version) -> bool:
    return constraint.allows(PoetryVersion.parse(str(version)))


@dataclass
class _Pages:
    """What the indexes list, each page read once."""

    poetry: Poetry
    _known: dict[tuple[str | None, str], Sequence[tuple[str, Link]]] = field(default_factory=dict)
    _silent: set[str | None] = field(default_factory=set)

    def __post_init__(self) -> None:
        limits = replace(
            limits_of(self.poetry.config),
            attempts=1,
            connect_timeout=_PATIENCE,
            read_timeout=_PATIENCE,
            response_time=2 * _PATIENCE,
        )
        self._indexes = Indexes(
            pool=self.poetry.pool,
            limits=limits,
            cancelled=threading.Event(),
            user_agent=DISTRIBUTION,
        )

    def wheels(self, package: LockedPackage) -> Sequence[tuple[str, Link]]:
        """The wheels of a package in the source that it is locked from; none if it is silent."""
        source = package.source
        if source.kind != "index" or source.reference in self._silent:
            return ()
        key = source.reference, package.name
        if key not in self._known:
            try:
                self._known[key] = tuple(wheel_links(self._indexes(source).page(package.name)))
            except (FetchError, PageError, UsageError) as error:
                self._known[key] = ()
                if isinstance(error, FetchError) and error.status != 404:
                    self._silent.add(source.reference)
        return self._known[key]
