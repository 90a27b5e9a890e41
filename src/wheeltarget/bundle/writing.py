"""One bundle: its members, written beside the place where it shall be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from wheeltarget.bundle.parts import PlannedPart, filled, merged
from wheeltarget.core.errors import IntegrityError, Problem
from wheeltarget.core.manifest import WHEELS_FOLDER, Contents, Part
from wheeltarget.core.members import text_members
from wheeltarget.io.archive import ArchiveMember, Draft, write_draft
from wheeltarget.io.cache import HashMismatchError, Stored, is_intact, read_verified

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from wheeltarget.bundle.workshop import Workshop
    from wheeltarget.core.model import Digest
    from wheeltarget.core.request import Request

#: How often a bundle is written anew because an entry of the cache turned out to be damaged.
_HEALING_ROUNDS = 3


@dataclass(frozen=True, kw_only=True)
class PlannedBundle:
    """A bundle that is to be written: where, and what for. More than one part is ``combined``."""

    path: Path
    parts: tuple[PlannedPart, ...]
    combined: bool = False


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A bundle that is not yet in its place, what it holds, and where its wheels were read."""

    draft: Draft
    contents: Contents
    sources: Mapping[str, Stored]

    @property
    def parts(self) -> tuple[Part, ...]:
        """What it holds for each target."""
        return self.contents.parts


def write_bundle(
    request: Request, planned: PlannedBundle, workshop: Workshop, stored: dict[Digest, Stored]
) -> Finished:
    """Write a bundle; where entries of the cache are damaged, fetch them again and start over.

    Entries are verified while they are copied, so that a bundle costs one reading of them.
    ``stored`` is updated with what was fetched again.

    Raises IntegrityError, FileSystemError, and what the supply raises.
    """
    wanted = {digest: each for part in planned.parts for digest, each in part.wanted.items()}
    for _ in range(_HEALING_ROUNDS):
        try:
            return _write(request, planned, workshop, stored)
        except HashMismatchError as error:
            if error.digest not in wanted:
                raise IntegrityError(_changed_problem()) from error
            damaged = [each for d, each in wanted.items() if not is_intact(stored[d])]
            for each in damaged:
                workshop.supply.cache.discard(each.digest)
            # One that reads badly once and well the next time needs no fetching.
            stored.update(workshop.supply.obtain(damaged))
    raise IntegrityError(
        Problem(
            what="the cache gives back other bytes than were written into it, again and again",
            hint="check the disk, or use --no-cache",
        )
    )


def _changed_problem() -> Problem:
    return Problem(
        what="a wheel that was built here changed while it was bundled",
        hint="something else writes into the folder for temporary files; run it again",
    )


def _write(
    request: Request, planned: PlannedBundle, workshop: Workshop, stored: Mapping[Digest, Stored]
) -> Finished:
    of_parts = [filled(part, stored) for part in planned.parts]
    sources = merged(of_parts)
    contents = Contents(
        generator=workshop.generator,
        project=request.project,
        content_hash=request.lock.content_hash,
        groups=tuple(request.groups),
        extras=tuple(request.extras),
        parts=tuple(part for part, _ in of_parts),
        combined=planned.combined,
    )
    members = _archive_members(contents, sources)
    draft = write_draft(planned.path, members, workshop.moment)
    return Finished(draft=draft, contents=contents, sources=sources)


def _archive_members(contents: Contents, sources: Mapping[str, Stored]) -> Iterator[ArchiveMember]:
    """The members in the order that the contract fixes."""
    for name, text in text_members(contents).items():
        yield ArchiveMember.of_text(name, text)
    for filename, entry in sorted(sources.items()):
        yield ArchiveMember(
            name=f"{WHEELS_FOLDER}/{filename}",
            size=entry.size,
            content=partial(read_verified, entry),
        )
