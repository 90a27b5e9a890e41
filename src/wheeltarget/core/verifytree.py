"""Whether the installed tree of a bundle is what its RECORDs say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheeltarget.core.errors import Problem
from wheeltarget.core.manifest import MAIN_NAME, MANIFEST_NAME, REQUIREMENTS_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wheeltarget.core.bundlefile import Manifest
    from wheeltarget.core.manifest import Member
    from wheeltarget.core.record import Recorded
    from wheeltarget.core.zipform import Listing

_HINT = "the bundle is damaged, or was changed: get it anew"
#: What a bundle has besides the tree.
_TEXTS = {MANIFEST_NAME, REQUIREMENTS_NAME, MAIN_NAME}


def tree_problems(
    manifest: Manifest,
    digests: Mapping[str, str],
    listing: Listing,
    records: Mapping[str, Sequence[Recorded] | str],
) -> Iterator[Problem]:
    """Where the tree is not what its RECORDs say; ``records`` are those that the manifest names."""
    sizes = {member.name: member.size for member in listing.members}
    recorded: set[str] = set()
    seen: set[str] = set()
    whole = manifest.contents is not None
    for member in (member for part in manifest.parts for member in part.members):
        if member.record is not None:
            name, sha256 = member.record
            if name in seen:
                yield _problem(f"{name} is the RECORD of another package, too", name, member)
                continue
            seen.add(name)
            rows = records.get(name)
            yield from _record_problems(rows, member, name, digests.get(name, sha256) == sha256)
            if rows is None or isinstance(rows, str):
                whole = False
                continue
            recorded |= {manifest.prefix + row.path for row in rows}
            yield from _row_problems(rows, member, manifest.prefix, digests, sizes)
    for name in sizes:
        if name in _TEXTS or name in manifest.files:
            continue
        if not name.startswith(manifest.prefix):
            yield _problem(f"{name} does not belong to the bundle", name)
        elif whole and name not in recorded:
            yield _problem(f"{name} stands in no RECORD of the bundle", name)


def _record_problems(
    rows: Sequence[Recorded] | str | None, member: Member, name: str, same: bool
) -> Iterator[Problem]:
    if rows is None:
        yield _problem(f"{name} is missing, or damaged", name, member)
    elif isinstance(rows, str):
        yield _problem(f"{name} {rows}", name, member)
    if not same:
        yield _problem(f"{name} has another sha256 than the manifest says", name, member)


def _row_problems(
    rows: Sequence[Recorded],
    member: Member,
    prefix: str,
    digests: Mapping[str, str],
    sizes: Mapping[str, int],
) -> Iterator[Problem]:
    record = member.record[0] if member.record else ""
    metadata = f"{record.removesuffix('RECORD')}METADATA"
    if metadata not in {prefix + row.path for row in rows}:
        yield _problem(f"{record} has no line for {metadata}", record, member)
    for row in rows:
        name = prefix + row.path
        if name not in sizes:
            yield _problem(f"{name} is missing", name, member)
        elif name == record:
            continue
        elif row.sha256 is None or row.size is None:
            yield _problem(f"{name} has no sha256 or no size in {record}", name, member)
        elif sizes[name] != row.size:
            what = f"{name} has {sizes[name]} bytes, {record} says {row.size}"
            yield _problem(what, name, member)
        elif digests.get(name, row.sha256) != row.sha256:
            yield _problem(f"{name} has another sha256 than {record} says", name, member)


def _problem(what: str, file: str, member: Member | None = None) -> Problem:
    package = f"{member.name} {member.version}" if member else None
    return Problem(what=what, package=package, file=file, hint=_HINT)
