"""Whether a lock has a wheel for each target, whatever extras are bundled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheeltarget.core.demand import needs
from wheeltarget.core.errors import Problem
from wheeltarget.core.explain import Compatibility
from wheeltarget.core.plan import Unavailable, choose
from wheeltarget.core.report import aligned, target_title

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from packaging.utils import NormalizedName

    from wheeltarget.core.model import LockedPackage
    from wheeltarget.core.resolve import TargetSettings
    from wheeltarget.core.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class LockCheck:
    """For one target: how many locked packages may apply to it, and those that lack a wheel."""

    target: Target
    total: int
    unfit: tuple[Unavailable, ...]


def unfit_packages(
    packages: Iterable[LockedPackage],
    groups: Collection[NormalizedName],
    settings: TargetSettings,
) -> LockCheck:
    """Look at every locked package that may apply to a target."""
    entries = [
        choose(
            package,
            Compatibility(settings.target_for(package.name)),
            build=package.name in settings.build,
        )
        for package in packages
        if package.name not in settings.exclude and needs(package.markers, groups, settings.target)
    ]
    unfit = [entry for entry in entries if isinstance(entry, Unavailable)]
    return LockCheck(
        target=settings.target,
        total=len(entries),
        unfit=tuple(sorted(unfit, key=lambda entry: (entry.package.name, entry.package.version))),
    )


def check_lines(check: LockCheck) -> list[str]:
    """What a person is told of one target."""
    title = f"{check.target.name}: {target_title(check.target)}"
    if not check.unfit:
        return [f"{title}: every package in the lock has a wheel ({check.total})"]
    rows = aligned((str(entry.package), entry.hint) for entry in check.unfit)
    count = f"{len(check.unfit)} of {check.total} packages"
    return [f"{title}: no wheel in the lock for {count}", "", *(f"  {row}" for row in rows), ""]


def lock_problems(checks: Iterable[LockCheck]) -> list[Problem]:
    """One for each target that the lock does not satisfy."""
    return [
        Problem(
            what=f"the lock does not satisfy {check.target.name}: it has no wheel of "
            f"{', '.join(str(entry.package) for entry in check.unfit)}",
            target=check.target.name,
            hint="`poetry wheeltarget lock` chooses versions that have one",
        )
        for check in checks
        if check.unfit
    ]
