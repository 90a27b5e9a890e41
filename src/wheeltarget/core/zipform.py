"""What the members of a zip archive are, and what is wrong with them (APPNOTE.TXT 6.3.9)."""

from __future__ import annotations

import stat
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheeltarget.core.tree import check_member_path, folded
from wheeltarget.core.wheelname import UnsafeFileNameError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

STORED, DEFLATED = 0, 8
UNIX = 3
#: The name is UTF-8; any other flag tells of how a member was written.
UTF8 = 0x800

ENCRYPTED = 0x1 | 0x40 | 0x2000
#: Sizes and CRC stand behind the data.
DESCRIPTOR = 0x8
#: How hard deflate tried is said by two flags.
KNOWN_FLAGS = ENCRYPTED | 0x6 | DESCRIPTOR | UTF8

_FILE = stat.S_IFREG | 0o644
_PROGRAM = stat.S_IFREG | 0o755


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipMember:
    """A member as the central directory has it; its local header says the same.

    ``offset`` is where its local header begins, ``start`` where its data does. Sizes are in bytes,
    ``crc`` is that of the unpacked content. ``moment`` is MS-DOS date and time, ``made_by`` the
    system and the version that wrote it, ``version`` the one that can read it; ``attributes`` are
    the external ones, and ``internal`` the others. ``extras`` are the ids of its extra fields
    other than those of ZIP64.
    """

    name: str
    offset: int
    start: int
    packed_size: int
    size: int
    crc: int
    method: int = STORED
    flags: int = 0
    version: int = 20
    made_by: tuple[int, int] = (UNIX, 20)
    moment: tuple[int, int] = (33, 0)
    attributes: int = (stat.S_IFREG | 0o644) << 16
    internal: int = 0
    extras: tuple[int, ...] = ()
    comment: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something in an archive that must not be, as a phrase; of a member, or of the whole."""

    what: str
    member: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The members of an archive in the order of its directory, and what is wrong with it."""

    members: tuple[ZipMember, ...] = ()
    findings: tuple[Finding, ...] = ()

    def by_name(self) -> dict[str, ZipMember]:
        """The members; of two with one name the last."""
        return {member.name: member for member in self.members}


def packing_problem(member: ZipMember) -> str | None:
    """Why a member cannot be unpacked everywhere, or must not be; None where it can."""
    kind = stat.S_IFMT(member.attributes >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return "is a link or a device"
    if member.flags & ENCRYPTED:
        return "is encrypted"
    if member.flags & ~KNOWN_FLAGS:
        return "has flags that are not known"
    if member.method not in (STORED, DEFLATED):
        return f"is compressed by method {member.method}, which is neither stored nor deflate"
    if member.method == STORED and member.packed_size != member.size:
        return "is stored, and yet has two sizes"
    return None


# --- names ------------------------------------------------------------------------------------


def name_findings(names: Sequence[str]) -> Iterator[Finding]:
    """Names that are unsafe, or that some file system cannot tell apart."""
    for name in names:
        reason = unsafe_reason(name)
        if reason:
            yield Finding(what=f"has an unsafe name: {reason}", member=name)
    yield from _clashes(names)


def unsafe_reason(name: str) -> str | None:
    """Why a member must not be unpacked by that name; None where it may be."""
    try:
        check_member_path(name)
    except UnsafeFileNameError as error:
        return str(error)
    return None


def _clashes(names: Sequence[str]) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for name, times in Counter(names).items():
        if times > 1:
            yield Finding(what="is in the archive more than once", member=name)
        other = seen.setdefault(folded(name.removesuffix("/")), name)
        if other != name:
            what = f"is the same file as {other} where case does not count"
            yield Finding(what=what, member=name)
    # Sorted so that what is below a name follows it at once: one look for each, however deep.
    above, file = None, ""
    for path in sorted(seen, key=lambda path: path.replace("/", "\0")):
        name = seen[path]
        if above is not None and path.startswith(f"{above}/"):
            yield Finding(what=f"is below {file}, which is a file", member=name)
        elif not name.endswith("/"):
            above, file = path, name


# --- the form of bundles ----------------------------------------------------------------------


def form_findings(members: Iterable[ZipMember], plain: Collection[str] | None) -> Iterator[Finding]:
    """Where members are not as a bundle has them.

    All are plain files of one moment, stored, without extra fields and comments. Those that are
    not ``plain`` may be programs, and deflated; None where all must be.
    """
    moment = None
    for member in members:
        moment = moment or member.moment
        for what in _oddities(member, plain=plain is None or member.name in plain):
            yield Finding(what=what, member=member.name)
        if member.moment != moment:
            yield Finding(what="has another time than the first member", member=member.name)


def _oddities(member: ZipMember, *, plain: bool) -> Iterator[str]:
    mode, low = divmod(member.attributes, 1 << 16)
    if member.name.endswith("/") or stat.S_ISDIR(mode):
        yield "is a folder"
    elif mode not in ({_FILE} if plain else {_FILE, _PROGRAM}) or low:
        yield "is not a plain file"
    if plain and member.method != STORED:
        yield "is compressed"
    if member.made_by != (UNIX, member.version) or member.internal:
        yield "is said to be written by another program"
    if member.flags != (0 if member.name.isascii() else UTF8):
        yield "has flags that no bundle has"
    if member.extras or member.comment:
        yield "has extra fields or a comment"
