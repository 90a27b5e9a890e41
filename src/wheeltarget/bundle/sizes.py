"""How large what a bundle holds is, and whether its targets take that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheeltarget.core.errors import IntegrityError, PlanError, Problem
from wheeltarget.core.report import PackageSize, aligned
from wheeltarget.core.sizes import human_size
from wheeltarget.io.wheelcheck import unpacked_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wheeltarget.core.manifest import Member, Part
    from wheeltarget.core.resolve import TargetSettings
    from wheeltarget.io.cache import Stored

#: So many of the largest packages are named where a bundle is too large.
_LARGEST = 10


def sizes_of(part: Part, sources: Mapping[str, Stored]) -> tuple[PackageSize, ...]:
    """The size of each wheel, the one that unpacks to most first. Raises IntegrityError."""
    sizes = [
        PackageSize(
            name=member.name,
            version=member.version,
            packed=member.wheel.size,
            unpacked=_unpacked(member, sources[member.wheel.filename]),
        )
        for member in part.members
    ]
    return tuple(sorted(sizes, key=lambda size: (-size.unpacked, -size.packed, size.name)))


def check_sizes(
    measured: Iterable[tuple[TargetSettings, Sequence[PackageSize], int | None]],
) -> None:
    """Raises PlanError where wheels unpack to more than their target takes.

    Of an installed tree, its own size comes third: it counts in place of that of the wheels.
    """
    problems = []
    for settings, sizes, tree_size in measured:
        limit = settings.max_unpacked_size
        total = sum(size.unpacked for size in sizes) if tree_size is None else tree_size
        if limit is not None and total > limit:
            problems.append(_excess_problem(settings, sizes, total, limit))
    if problems:
        raise PlanError(*problems)


def _excess_problem(
    settings: TargetSettings, sizes: Sequence[PackageSize], total: int, limit: int
) -> Problem:
    listed = aligned(
        (f"    {s.name} {s.version}", human_size(s.unpacked)) for s in sizes[:_LARGEST]
    )
    name = settings.target.name
    return Problem(
        what=f"the wheels for {name} unpack to {human_size(total)}, "
        f"{human_size(total - limit)} more than the {human_size(limit)} that it takes; "
        "the largest are\n" + "\n".join(listed),
        target=name,
        hint=_smaller_hint(settings, sizes),
    )


def _smaller_hint(settings: TargetSettings, sizes: Sequence[PackageSize]) -> str:
    provides = settings.preset.provides if settings.preset else ()
    provided = sorted(size.name for size in sizes if size.name in provides)
    if provided:
        return f"the runtime has {', '.join(provided)}: --exclude {','.join(provided)}"
    return "leave out what the target provides, or what the project does not need there, --exclude"


def _unpacked(member: Member, stored: Stored) -> int:
    try:
        return unpacked_size(stored)
    except ValueError as error:
        filename = member.wheel.filename
        raise IntegrityError(
            Problem(
                what=f"{filename} cannot be measured: {error}",
                package=f"{member.name} {member.version}",
                file=filename,
                hint="the locked file itself is broken; lock another version",
            )
        ) from error
