"""One bundle: its members, written beside the place where it shall be."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from wheeltarget.bundle.parts import PlannedPart, filled, merged
from wheeltarget.core.errors import IntegrityError, PlanError, Problem
from wheeltarget.core.manifest import (
    MAIN_NAME,
    MANIFEST_NAME,
    REQUIREMENTS_NAME,
    WHEELS_FOLDER,
    Contents,
    Part,
)
from wheeltarget.core.members import text_members
from wheeltarget.core.wheelname import parse_wheel_name
from wheeltarget.io.archive import ArchiveMember, Draft, write_draft
from wheeltarget.io.bytecode import compiling
from wheeltarget.io.cache import HashMismatchError, Stored, is_intact, read_verified
from wheeltarget.io.tree import Tree, TreeWheel, installed_tree

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
    """A bundle that is to be written: where, and what for. More than one part is ``combined``.

    ``python`` is the path of the interpreter that compiles its modules, None where none does.
    """

    path: Path
    parts: tuple[PlannedPart, ...]
    combined: bool = False
    python: str | None = None


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A bundle that is not yet in its place, what it holds, and where its wheels were read.

    ``tree_size`` is the size in bytes of all files of an installed tree.
    """

    draft: Draft
    contents: Contents
    sources: Mapping[str, Stored]
    tree_size: int | None = None

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

    Raises IntegrityError, FileSystemError, what the supply raises, and PlanError where something
    in an installed tree does not work there and the request is ``strict``.
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
    parts = tuple(part for part, _ in of_parts)
    with ExitStack() as stack:
        # Bytecode is in a folder of its own until the archive is written.
        tree = _tree(planned, sources, stack)
        contents = _contents(request, planned, parts, tree, workshop)
        if tree and tree.warnings and request.strict:
            raise PlanError(*tree.warnings)
        body = tree.members if tree else _wheels(sources)
        texts = text_members(contents, workshop.main)
        members = chain((ArchiveMember.of_text(*text) for text in texts.items()), body)
        draft = write_draft(planned.path, members, workshop.moment)
    for warning in tree.warnings if tree else ():
        workshop.warn(warning)
    size = tree.unpacked_size if tree else None
    return Finished(draft=draft, contents=contents, sources=sources, tree_size=size)


def _wheels(sources: Mapping[str, Stored]) -> Iterator[ArchiveMember]:
    for filename, entry in sorted(sources.items()):
        yield ArchiveMember(
            name=f"{WHEELS_FOLDER}/{filename}",
            size=entry.size,
            content=partial(read_verified, entry),
        )


def _tree(planned: PlannedBundle, sources: Mapping[str, Stored], stack: ExitStack) -> Tree | None:
    """What installing the wheels gives, where the only part asks for that."""
    settings = planned.parts[0].settings
    if settings.layout != "site-packages":
        return None
    python = planned.python
    return installed_tree(
        [TreeWheel(name=parse_wheel_name(name), stored=at) for name, at in sources.items()],
        settings.target,
        prefix=settings.prefix,
        reserved=(MANIFEST_NAME, REQUIREMENTS_NAME, MAIN_NAME),
        compiler=stack.enter_context(compiling(python)) if python else None,
    )


def _contents(
    request: Request,
    planned: PlannedBundle,
    parts: tuple[Part, ...],
    tree: Tree | None,
    workshop: Workshop,
) -> Contents:
    settings = planned.parts[0].settings
    if tree:
        parts = tuple(_with_records(part, tree) for part in parts)
    return Contents(
        generator=workshop.generator,
        project=request.project,
        content_hash=request.lock.content_hash,
        groups=tuple(request.groups),
        extras=tuple(request.extras),
        parts=parts,
        combined=planned.combined,
        layout=settings.layout,
        prefix=settings.prefix,
    )


def _with_records(part: Part, tree: Tree) -> Part:
    members = (replace(m, record=tree.records[m.wheel.filename]) for m in part.members)
    return replace(part, members=tuple(members))
