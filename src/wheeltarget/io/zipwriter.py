"""Zip archives whose bytes depend on the members only (APPNOTE.TXT 6.3.9).

:mod:`zipfile` can copy no member as it is, compressed already; this can. What both can write, they
write alike.
"""

from __future__ import annotations

import stat
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import IO

ZipTime = tuple[int, int, int, int, int, int]

_FILE_MODE = 0o644
_EXECUTABLE_MODE = 0o755
_UNIX = 3
_STORED, _DEFLATED = 0, 8
_UTF8 = 0x800
#: Versions needed to extract: one for folders and deflate, one for ZIP64.
_VERSION, _ZIP64_VERSION = 20, 45
#: Above these, ZIP64 says it. Half of what 32 bits hold, since some programs read them signed.
_LARGE = 0x7FFFFFFF
_MANY = 0xFFFF
_IN_ZIP64_FIELD = 0xFFFFFFFF

_LOCAL = "<4sHHHHHIIIHH"
_CENTRAL = "<4sBBHHHHHIIIHHHHHII"
_END = "<4sHHHHIIH"
_ZIP64_END = "<4sQHHIIQQQQ"
_ZIP64_LOCATOR = "<4sIQI"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """What a deflated member is when it is unpacked: its size in bytes, and its CRC-32."""

    size: int
    crc: int


@dataclass(frozen=True, kw_only=True)
class ArchiveMember:
    """One member: its name, its size in bytes, and its content, opened when its turn comes.

    ``content`` may be called again if the archive has to be written anew. With ``deflated`` it is
    a raw deflate stream of ``size`` bytes, which is copied as it is.
    """

    name: str
    size: int
    content: Callable[[], Iterable[bytes]]
    executable: bool = False
    deflated: Unpacked | None = None

    @classmethod
    def of_text(cls, name: str, text: str) -> ArchiveMember:
        """A member from text, as UTF-8."""
        return cls.of_bytes(name, text.encode())

    @classmethod
    def of_bytes(cls, name: str, data: bytes, *, executable: bool = False) -> ArchiveMember:
        """A member from bytes."""
        return cls(name=name, size=len(data), content=lambda: [data], executable=executable)

    @property
    def unpacked_size(self) -> int:
        """The size in bytes of the file that it unpacks to."""
        return self.deflated.size if self.deflated else self.size


def write_archive(file: IO[bytes], members: Iterable[ArchiveMember], moment: ZipTime) -> None:
    """Write members in the given order, so that equal input gives equal bytes anywhere.

    Nothing is compressed here: what deflate writes differs between implementations of zlib.

    Raises ValueError where a member's content has another size than it says.
    """
    directory = [_write_member(file, member, moment) for member in members]
    start = file.tell()
    for header in directory:
        file.write(header)
    _write_end(file, len(directory), start)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """What the local header and the central directory say of a member."""

    member: ArchiveMember
    name: bytes
    moment: ZipTime
    crc: int

    @property
    def sizes(self) -> tuple[int, int]:
        """Packed and unpacked."""
        return self.member.size, self.member.unpacked_size

    @property
    def large(self) -> bool:
        return max(self.sizes) > _LARGE

    def fields(self, *, zip64: bool) -> tuple[int, ...]:
        """What both headers have in common, from the version to the sizes."""
        packed, unpacked = (_IN_ZIP64_FIELD,) * 2 if self.large else self.sizes
        method = _STORED if self.member.deflated is None else _DEFLATED
        flags = 0 if self.name.isascii() else _UTF8
        version = _ZIP64_VERSION if zip64 else _VERSION
        return (version, flags, method, *_dos(self.moment), self.crc, packed, unpacked)

    def local(self) -> bytes:
        # APPNOTE 4.5.3: the local header must have both sizes, the unpacked one first.
        extra = struct.pack("<HHQQ", 1, 16, *reversed(self.sizes)) if self.large else b""
        fields = self.fields(zip64=self.large)
        head = struct.pack(_LOCAL, b"PK\3\4", *fields, len(self.name), len(extra))
        return head + self.name + extra

    def central(self, offset: int) -> bytes:
        values = [*reversed(self.sizes)] if self.large else []
        if offset > _LARGE:
            values.append(offset)
            offset = _IN_ZIP64_FIELD
        extra = struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values) if values else b""
        fields = self.fields(zip64=bool(values))
        mode = stat.S_IFREG | (_EXECUTABLE_MODE if self.member.executable else _FILE_MODE)
        made_by = (fields[0], _UNIX)
        lengths = (len(self.name), len(extra), 0)
        rest = (0, 0, mode << 16, offset)
        return (
            struct.pack(_CENTRAL, b"PK\1\2", *made_by, *fields, *lengths, *rest) + self.name + extra
        )


def _write_member(file: IO[bytes], member: ArchiveMember, moment: ZipTime) -> bytes:
    """Write it; its entry in the central directory."""
    offset = file.tell()
    crc = member.deflated.crc if member.deflated else 0
    header = _Header(member=member, name=member.name.encode(), moment=moment, crc=crc)
    file.write(header.local())
    crc, size = 0, 0
    for chunk in member.content():
        crc = zlib.crc32(chunk, crc)
        size += len(chunk)
        file.write(chunk)
    if size != member.size:
        raise ValueError(f"{member.name} has {size} bytes instead of {member.size}")
    if member.deflated is None:
        header = _Header(member=member, name=header.name, moment=moment, crc=crc)
        end = file.tell()
        file.seek(offset)
        file.write(header.local())
        file.seek(end)
    return header.central(offset)


def _write_end(file: IO[bytes], count: int, start: int) -> None:
    end = file.tell()
    size = end - start
    if count > _MANY or max(start, size) > _LARGE:
        versions = (_ZIP64_VERSION, _ZIP64_VERSION)
        file.write(
            struct.pack(_ZIP64_END, b"PK\6\6", 44, *versions, 0, 0, count, count, size, start)
        )
        file.write(struct.pack(_ZIP64_LOCATOR, b"PK\6\7", 0, end, 1))
    count = min(count, _MANY)
    size, start = min(size, _IN_ZIP64_FIELD), min(start, _IN_ZIP64_FIELD)
    file.write(struct.pack(_END, b"PK\5\6", 0, 0, count, count, size, start, 0))


def _dos(moment: ZipTime) -> tuple[int, int]:
    """MS-DOS time and date, in steps of two seconds since 1980."""
    year, month, day, hour, minute, second = moment
    return hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day
