"""The members of a wheel: each checked, unpacked once to hash it, and copied still compressed."""

from __future__ import annotations

import hashlib
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheeltarget.core.tree import check_member_path
from wheeltarget.core.wheelname import UnsafeFileNameError
from wheeltarget.io.cache import HashMismatchError, open_entry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from wheeltarget.io.cache import Stored

_CHUNK = 256 * 1024
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_ENCRYPTED = 0x1
_METHODS = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflate"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelMember:
    """A file in a wheel: its path, where its data begins, and what the wheel says of it.

    Sizes in bytes; ``crc`` is the CRC-32 of the unpacked content.
    """

    path: str
    offset: int
    packed_size: int
    size: int
    crc: int
    deflated: bool
    executable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashed:
    """The sha256 of a member's content, and of its data as it is in the wheel, both in hex."""

    content: str
    data: str


def read_members(file: BinaryIO) -> list[WheelMember]:
    """The files of a wheel, in its order.

    Raises ValueError with the reason where the archive, or one of its members, is not one that
    can be unpacked anywhere without harm.
    """
    try:
        infos = zipfile.ZipFile(file).infolist()
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, EOFError) as error:
        raise ValueError(f"it is not a zip archive that can be read: {error}") from error
    members: dict[str, WheelMember] = {}
    for info in infos:
        name = info.orig_filename
        try:
            _check(info)
            if name in members:
                raise ValueError("it is in the archive twice")
            if not name.endswith("/"):
                members[name] = _member(file, info)
        except ValueError as error:
            raise ValueError(f"its member {name!r} is refused: {error}") from error
    return list(members.values())


def _check(info: zipfile.ZipInfo) -> None:
    """Raises ValueError for what cannot be unpacked everywhere, or not without harm."""
    check_member_path(info.orig_filename)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise UnsafeFileNameError("it is a link or a device")
    if info.flag_bits & _ENCRYPTED:
        raise ValueError("it is encrypted")
    if info.compress_type not in _METHODS:
        known = " nor ".join(_METHODS.values())
        raise ValueError(f"it is compressed by method {info.compress_type}, neither {known}")


def _member(file: BinaryIO, info: zipfile.ZipInfo) -> WheelMember:
    mode = info.external_attr >> 16
    return WheelMember(
        path=info.orig_filename,
        offset=_data_offset(file, info),
        packed_size=info.compress_size,
        size=info.file_size,
        crc=info.CRC,
        deflated=info.compress_type == zipfile.ZIP_DEFLATED,
        executable=stat.S_ISREG(mode) and bool(mode & 0o111),
    )


def _data_offset(file: BinaryIO, info: zipfile.ZipInfo) -> int:
    if info.header_offset < 0:
        raise ValueError("it begins before the archive")
    file.seek(info.header_offset)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(b"PK\3\4"):
        raise ValueError("its local header is missing")
    _, _, flags, method, *_, name_length, extra_length = _LOCAL.unpack(header)
    name = file.read(name_length)
    encoding = "utf-8" if info.flag_bits & 0x800 else "cp437"
    if name != info.orig_filename.encode(encoding) or method != info.compress_type:
        raise ValueError("its local header says something else than the directory")
    if flags & _ENCRYPTED:
        raise ValueError("it is encrypted")
    return int(info.header_offset + _LOCAL.size + name_length + extra_length)


# --- content ----------------------------------------------------------------------------------


class MemberReader:
    """Reads a member's content once, and knows its hashes when it has been read to its end."""

    def __init__(self, file: BinaryIO, member: WheelMember) -> None:
        self.member = member
        self._file = file
        self._left = member.packed_size
        self._content = hashlib.sha256()
        self._data = hashlib.sha256()

    def chunks(self) -> Iterator[bytes]:
        """The content. Raises ValueError where it is not what the wheel says of it.

        Never more than the size that the wheel says is unpacked.
        """
        member = self.member
        size, crc = 0, 0
        for chunk in self._unpacked():
            size += len(chunk)
            crc = zlib.crc32(chunk, crc)
            if size > member.size:
                break
            self._content.update(chunk)
            yield chunk
        if size != member.size or crc != member.crc:
            raise ValueError(f"its member {member.path!r} is not what its size and CRC say")

    def hashed(self) -> Hashed:
        """The hashes, after the last chunk."""
        return Hashed(content=self._content.hexdigest(), data=self._data.hexdigest())

    def _unpacked(self) -> Iterator[bytes]:
        if not self.member.deflated:
            yield from self._packed()
            return
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for chunk in self._packed():
                if unpacker.eof:
                    break
                rest = chunk
                while rest and not unpacker.eof:
                    yield unpacker.decompress(rest, _CHUNK)
                    rest = unpacker.unconsumed_tail
            while not unpacker.eof and (last := unpacker.decompress(b"", _CHUNK)):
                yield last
        except zlib.error as error:
            raise ValueError(f"its member {self.member.path!r} cannot be unpacked") from error
        if not unpacker.eof or unpacker.unused_data or self._left:
            raise ValueError(f"its member {self.member.path!r} has another end than it says")

    def _packed(self) -> Iterator[bytes]:
        for chunk in _slice(self._file, self.member):
            self._left -= len(chunk)
            self._data.update(chunk)
            yield chunk


def copied(stored: Stored, member: WheelMember, data_sha256: str) -> Iterator[bytes]:
    """The member's data as it is in the wheel, from the cache once more.

    Raises HashMismatchError after the last chunk if it is not what it was when it was checked.
    """
    hasher = hashlib.sha256()
    with open_entry(stored) as file:
        for chunk in _slice(file, member):
            hasher.update(chunk)
            yield chunk
    if hasher.hexdigest() != data_sha256:
        raise HashMismatchError(stored.digest, "another content than before")


def unpacked(stored: Stored, member: WheelMember, content_sha256: str) -> bytes:
    """The member's content. Raises HashMismatchError if it is not what it was."""
    with open_entry(stored) as file:
        try:
            content = b"".join(MemberReader(file, member).chunks())
        except ValueError:
            content = b""
    if hashlib.sha256(content).hexdigest() != content_sha256:
        raise HashMismatchError(stored.digest, "another content than before")
    return content


def _slice(file: BinaryIO, member: WheelMember) -> Iterator[bytes]:
    """The packed data; shorter than it should be at the end of the file."""
    file.seek(member.offset)
    left = member.packed_size
    while left and (chunk := file.read(min(left, _CHUNK))):
        left -= len(chunk)
        yield chunk
