"""A strict reader of zip archives: every byte of the file is accounted for (APPNOTE.TXT 6.3.9).

What two programs could read in two ways is a finding: bytes that belong to no member, headers that
contradict the central directory, names that are not what they seem. Nothing is unpacked to find
that out, and nothing of an archive's data is held in memory.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

from wheeltarget.core.limits import DEFAULT_LIMITS, Limits
from wheeltarget.core.zipform import (
    DESCRIPTOR,
    UTF8,
    Finding,
    Listing,
    ZipMember,
    name_findings,
    packing_problem,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s2B5H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")

_ZIP64 = 0x0001
#: Info-ZIP's extra field with another name for the member, which some programs take.
_OTHER_NAME = 0x7075
_SHORT, _LONG = 0xFFFF, 0xFFFFFFFF
#: No program writes as many extra fields for one member; each costs time and memory.
_MOST_EXTRAS = 32
#: Above this some programs say sizes and offsets with ZIP64 already.
_LARGE = 0x7FFFFFFF
#: No file system has files as large as this; Python cannot even ask for a place beyond 2 ** 63.
_ABSURD = 1 << 60
_LONGEST_COMMENT = 0xFFFF


class _UnreadableError(ValueError):
    """An archive whose members cannot be listed; the text says why, as a phrase."""


class _End(NamedTuple):
    """What the end of the archive says of the central directory; it has to end at ``stop``."""

    members: int
    size: int
    offset: int
    stop: int


class _Header(NamedTuple):
    """What both headers of a member have, with ZIP64 resolved, in the order of the format."""

    version: int
    flags: int
    method: int
    time: int
    date: int
    crc: int
    packed_size: int
    size: int


class _Entry(NamedTuple):
    """One entry of the central directory."""

    header: _Header
    name: bytes
    made_by: tuple[int, int]
    internal: int
    attributes: int
    offset: int
    extras: tuple[int, ...]
    comment: bytes
    findings: tuple[str, ...]


def list_zip(file: BinaryIO, limits: Limits = DEFAULT_LIMITS) -> Listing:
    """The members of an archive, and all that is wrong with it as a whole.

    Raises OSError only.
    """
    findings: list[Finding] = []
    try:
        end = _find_end(file, findings)
        start = _directory_start(end, limits, findings)
        entries = _directory(file, end, start)
    except _UnreadableError as error:
        return Listing(findings=(*findings, Finding(what=str(error))))
    members = []
    # Where bytes stand before the archive, the first member is as far behind as the directory.
    reach = place = start - end.offset
    for entry in entries:
        member, found = _member(file, entry, place)
        members.append(member)
        findings += (Finding(what=what, member=member.name) for what in found)
    findings += _gaps(file, members, reach, start)
    findings += name_findings([member.name for member in members])
    return Listing(members=tuple(members), findings=tuple(findings))


def _read(file: BinaryIO, at: int, form: struct.Struct, signature: bytes) -> tuple[Any, ...] | None:
    """A record without its signature; None where it is not there."""
    if at < 0:
        return None
    file.seek(at)
    data = file.read(form.size)
    if len(data) < form.size or not data.startswith(signature):
        return None
    return form.unpack(data)[1:]


# --- the end of the archive -------------------------------------------------------------------


def _find_end(file: BinaryIO, findings: list[Finding]) -> _End:
    whole = file.seek(0, 2)
    from_here = max(0, whole - _END.size - _LONGEST_COMMENT)
    file.seek(from_here)
    at = file.read(whole - from_here).rfind(b"PK\5\6")
    record = _read(file, from_here + at, _END, b"PK\5\6") if at >= 0 else None
    if record is None:
        raise _UnreadableError("is not a zip archive, or its end is missing")
    disk, first_disk, here, count, size, offset, comment = record
    behind = whole - from_here - at - _END.size
    if behind or comment:
        what = "a comment" if behind == comment else f"{behind} bytes behind its end"
        findings.append(Finding(what=f"has {what}"))
    _check_volumes(findings, disk, first_disk, here != count)
    return _zip64_end(file, _End(count, size, offset, from_here + at), findings)


def _check_volumes(findings: list[Finding], *nothing: int) -> None:
    if any(nothing):
        findings.append(Finding(what="says that it is one of several volumes"))


def _zip64_end(file: BinaryIO, plain: _End, findings: list[Finding]) -> _End:
    """The end as ZIP64 says it, where the archive has such a record."""
    at = plain.stop - _LOCATOR.size
    locator = _read(file, at, _LOCATOR, b"PK\6\7")
    if locator is None:
        return plain
    disk, place, disks = locator
    record = _read(file, place, _END64, b"PK\6\6") if place + _END64.size == at else None
    if record is None:
        raise _UnreadableError("has its ZIP64 record elsewhere than its end says")
    length, _, _, number, first_disk, here, count, size, offset = record
    said = zip(plain[:3], (count, size, offset), (_SHORT, _LONG, _LONG), strict=True)
    if length != _END64.size - 12 or any(short not in (long, full) for short, long, full in said):
        findings.append(Finding(what="has a ZIP64 record that contradicts its end"))
    _check_volumes(findings, disk, disks - 1, number, first_disk, here != count)
    return _End(count, size, offset, place)


def _directory_start(end: _End, limits: Limits, findings: list[Finding]) -> int:
    if end.members > limits.archive_members or end.size > limits.directory_size:
        raise _UnreadableError(
            f"has {end.members} members in a directory of {end.size} bytes, more than "
            f"{limits.archive_members} or {limits.directory_size}"
        )
    start = end.stop - end.size
    if start < end.offset:
        raise _UnreadableError("has its central directory elsewhere than its end says")
    if start > end.offset:
        extra = start - end.offset
        findings.append(Finding(what=f"has {extra} bytes that its offsets do not account for"))
    return start


# --- the central directory --------------------------------------------------------------------


def _directory(file: BinaryIO, end: _End, start: int) -> list[_Entry]:
    file.seek(start)
    data = file.read(end.size)
    entries = []
    at = 0
    for _ in range(end.members):
        if at + _CENTRAL.size > len(data) or data[at : at + 4] != b"PK\1\2":
            raise _UnreadableError("has fewer entries in its central directory than it says")
        fields = _CENTRAL.unpack_from(data, at)
        at += _CENTRAL.size
        pieces = []
        for length in fields[11:14]:
            pieces.append(data[at : at + length])
            at += length
        entries.append(_entry(fields, *pieces))
    if at != len(data):
        raise _UnreadableError("has another central directory than its end says")
    return entries


def _entry(fields: tuple[Any, ...], name: bytes, extra: bytes, comment: bytes) -> _Entry:
    _, made_version, made_system, *shared = fields[:11]
    disk, internal, attributes, offset = fields[14:]
    findings = ["is on another volume"] if disk else []
    header = _Header(*shared)
    try:
        blocks = _blocks(extra)
        sizes = _wide(blocks, [header.size, header.packed_size, offset])
    except ValueError as error:
        blocks, sizes = [], [header.size, header.packed_size, offset]
        findings.append(str(error))
    return _Entry(
        header=header._replace(size=sizes[0], packed_size=sizes[1]),
        name=name,
        made_by=(made_system, made_version),
        internal=internal,
        attributes=attributes,
        offset=sizes[2],
        extras=tuple(kind for kind, _ in blocks if kind != _ZIP64),
        comment=comment,
        findings=tuple(findings),
    )


def _blocks(extra: bytes) -> list[tuple[int, bytes]]:
    """Extra fields: their ids and data. Raises ValueError."""
    blocks: list[tuple[int, bytes]] = []
    at = 0
    while at < len(extra):
        if len(blocks) == _MOST_EXTRAS:
            raise ValueError(f"has more than {_MOST_EXTRAS} extra fields")
        kind, length = struct.unpack_from("<HH", extra.ljust(at + 4, b"\0"), at)
        block = extra[at + 4 : at + 4 + length]
        at += 4 + length
        if at > len(extra):
            raise ValueError("has extra fields that do not fit")
        if kind == _OTHER_NAME:
            raise ValueError("has a second name in its extra fields")
        blocks.append((kind, block))
    return blocks


def _wide(blocks: Sequence[tuple[int, bytes]], values: Sequence[int]) -> list[int]:
    """The values, those that do not fit in 32 bits from the ZIP64 field. Raises ValueError.

    APPNOTE 4.5.3: it has exactly those whose own field is full, in this order.
    """
    fields = [block for kind, block in blocks if kind == _ZIP64]
    missing = values.count(_LONG)
    if [len(block) for block in fields] != ([8 * missing] if missing else []):
        raise ValueError("has odd ZIP64 fields")
    wide = struct.unpack(f"<{missing}Q", fields[0]) if missing else ()
    if max(wide, default=0) > _ABSURD:
        raise ValueError("has odd ZIP64 fields")
    left = iter(wide)
    return [next(left) if value == _LONG else value for value in values]


# --- local headers ----------------------------------------------------------------------------


def _member(file: BinaryIO, entry: _Entry, shift: int) -> tuple[ZipMember, list[str]]:
    """A member, and where its local header says something else than the directory."""
    findings = list(entry.findings)
    header = entry.header
    start = entry.offset + shift + _LOCAL.size
    local = _read(file, entry.offset + shift, _LOCAL, b"PK\3\4")
    extras: tuple[int, ...] = ()
    if local is None:
        findings.append("has no local header where the directory says")
    else:
        *fields, name_length, extra_length = local
        name, extra = file.read(name_length), file.read(extra_length)
        start += name_length + extra_length
        try:
            extras = _check_local(entry, _Header(*fields), name, extra)
        except ValueError as error:
            findings.append(str(error))
    member = ZipMember(
        name=_name(entry, findings),
        offset=entry.offset + shift,
        start=start,
        packed_size=header.packed_size,
        size=header.size,
        crc=header.crc,
        method=header.method,
        flags=header.flags,
        version=header.version,
        made_by=entry.made_by,
        moment=(header.date, header.time),
        attributes=entry.attributes,
        internal=entry.internal,
        extras=tuple(dict.fromkeys((*entry.extras, *extras))),
        comment=entry.comment,
    )
    problem = packing_problem(member)
    return member, [*findings, problem] if problem else findings


def _check_local(entry: _Entry, local: _Header, name: bytes, extra: bytes) -> tuple[int, ...]:
    """The ids of a local header's extra fields. ValueError: it contradicts the entry."""
    blocks = _blocks(extra)
    size, packed_size = _wide(blocks, [local.size, local.packed_size])
    local = local._replace(size=size, packed_size=packed_size)
    if local.flags & DESCRIPTOR and not (local.crc or size or packed_size):
        # They stand behind the data; they are compared there.
        known = entry.header
        local = local._replace(crc=known.crc, size=known.size, packed_size=known.packed_size)
    if entry.offset > _LARGE:  # that asks for ZIP64 in the directory only
        local = local._replace(version=entry.header.version)
    names = [
        field
        for field, here, there in zip(_Header._fields, local, entry.header, strict=True)
        if here != there
    ]
    if name != entry.name:
        names.insert(0, "name")
    if names:
        said = ", ".join(names).replace("_", " ")
        raise ValueError(f"has a local header that contradicts the directory: {said}")
    return tuple(kind for kind, _ in blocks if kind != _ZIP64)


def _name(entry: _Entry, findings: list[str]) -> str:
    try:
        if entry.header.flags & UTF8:
            return entry.name.decode()
        return entry.name.decode("ascii")
    except UnicodeDecodeError:
        findings.append("has a name that programs read differently")
        return entry.name.decode(errors="backslashreplace")


# --- every byte -------------------------------------------------------------------------------


def _gaps(file: BinaryIO, members: Sequence[ZipMember], begin: int, end: int) -> Iterator[Finding]:
    """Bytes between members, or in two of them; from where the first has to begin."""
    place = begin
    for member in sorted(members, key=lambda member: member.offset):
        if member.offset != place:
            what = "overlaps" if member.offset < place else "leaves a gap behind"
            yield Finding(what=f"{what} what is before it in the archive", member=member.name)
        place = member.start + member.packed_size
        if member.flags & DESCRIPTOR:
            length = _descriptor_length(file, member, place)
            place += length
            if not length:
                yield Finding(what="has other sizes behind its data", member=member.name)
    if place != end:
        yield Finding(what="has bytes before its central directory that belong to no member")
    if list(members) != sorted(members, key=lambda member: member.offset):
        yield Finding(what="lists its members in another order than it has them")


def _descriptor_length(file: BinaryIO, member: ZipMember, at: int) -> int:
    """The length of what stands behind the data (APPNOTE 4.3.9); 0 where it does not agree."""
    file.seek(at)
    data = file.read(24)
    for signature in (b"PK\7\10", b""):
        for sizes in ("<III", "<IQQ"):
            if max(member.size, member.packed_size) > _LONG and sizes == "<III":
                continue
            expected = signature + struct.pack(sizes, member.crc, member.packed_size, member.size)
            if data.startswith(expected):
                return len(expected)
    return 0
