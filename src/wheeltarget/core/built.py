"""Wheels that were built here, compared with what they must be for a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheeltarget.core.errors import Problem
from wheeltarget.core.explain import Compatibility
from wheeltarget.core.metadata import MetadataError, differences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheeltarget.core.metadata import Metadata
    from wheeltarget.core.model import LockedPackage, Project
    from wheeltarget.core.target import Target
    from wheeltarget.core.wheelname import WheelName


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What was built: a locked package, or where that is None the project itself."""

    project: Project
    package: LockedPackage | None = None

    def __str__(self) -> str:
        if self.package is not None:
            return f"the wheel built for {self.package}"
        return "the project's own wheel"

    @property
    def label(self) -> str:
        """Name and version."""
        return str(self.package or f"{self.project.name} {self.project.version}")


def tag_for(wheel: WheelName, target: Target) -> str | None:
    """The best tag of a built wheel for a target, None where it does not fit."""
    best = Compatibility(target).best(wheel)
    return best[1] if best else None


def misfit(origin: Origin, wheel: WheelName, target: Target) -> Problem:
    """That a built wheel does not fit the target."""
    leave_out = "--no-root" if origin.package is None else "--exclude"
    return Problem(
        what=f"{origin} {wheel.filename} does not fit {target.name}: it was built for this machine",
        package=origin.label,
        target=target.name,
        file=wheel.filename,
        hint=f"{_way_to_fit(wheel, target)}, or leave it out with {leave_out}",
    )


def _way_to_fit(wheel: WheelName, target: Target) -> str:
    bare = f"linux_{target.primary.arch}"
    highest = target.platforms[0]
    like = any(f"{python}-{abi}-{highest}" in target.tags for python, abi in wheel.pairs())
    if "linux" in highest and bare in wheel.platforms and like:
        return f"if the target is like this machine, add {bare!r} to its platforms"
    return "bundle on such a machine"


def doubt(origin: Origin, wheel: WheelName, tag: str, target: Target) -> Problem | None:
    """A bare linux tag promises no C library, and this machine's is probably newer."""
    if "-linux_" not in tag or target.primary.version is None:
        return None
    return Problem(
        what=f"{origin} {wheel.filename} was built for the C library of this machine; nothing says "
        f"that it runs with {target.primary.release}",
        package=origin.label,
        target=target.name,
        file=wheel.filename,
        hint="bundle on a machine as old as the target",
    )


def untruths(
    package: LockedPackage, wheel: WheelName, metadata: Metadata, target: Target
) -> Iterator[Problem]:
    """Where a built wheel is not the locked package, or requires something else than the lock."""
    try:
        found = differences(metadata, package, target)
    except MetadataError as error:
        found = [str(error)]
    if (wheel.name, wheel.version) != (metadata.name, metadata.version):
        found = [f"its METADATA is of {metadata.name} {metadata.version}", *found]
    for difference in found:
        yield Problem(
            what=f"{wheel.filename}, built for {package}, is not what is locked: {difference}",
            package=str(package),
            target=target.name,
            file=wheel.filename,
            hint="run `poetry lock`, if the source has changed since; otherwise pin what the lock "
            "says in the source",
        )
