"""The content of members of archives that :mod:`wheeltarget.io.strictzip` has listed."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, BinaryIO, cast

from wheeltarget.core.limits import DEFAULT_LIMITS
from wheeltarget.core.sizes import human_size
from wheeltarget.core.zipform import STORED, packing_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheeltarget.core.zipform import ZipMember

_CHUNK = DEFAULT_LIMITS.chunk_size


class ZipDataError(ValueError):
    """Data that is not what the archive says of it; the text says why, as a phrase."""


def pieces(file: BinaryIO, member: ZipMember) -> Iterator[bytes]:
    """The content of a member, checked; never more than the size that the archive says.

    Raises ZipDataError, after the last piece where size or CRC are wrong, and OSError.
    """
    problem = packing_problem(member)
    if problem:
        raise ZipDataError(problem)
    size, crc = 0, 0
    for piece in _unpacked(file, member):
        size += len(piece)
        if size > member.size:
            break
        crc = zlib.crc32(piece, crc)
        yield piece
    if (size, crc) != (member.size, member.crc):
        raise ZipDataError("has another content than its size and CRC say")


def read_whole(file: BinaryIO, member: ZipMember, limit: int) -> bytes:
    """The content of a small member. Raises ZipDataError, also where it is too large; OSError."""
    if member.size > limit:
        raise ZipDataError(f"is larger than {human_size(limit)}")
    return b"".join(pieces(file, member))


def _unpacked(file: BinaryIO, member: ZipMember) -> Iterator[bytes]:
    packed = _packed(file, member)
    if member.method == STORED:
        yield from packed
        return
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for chunk in packed:
            rest = chunk
            while rest and not unpacker.eof:
                yield unpacker.decompress(rest, _CHUNK)
                rest = unpacker.unconsumed_tail
            if rest or unpacker.unused_data:
                raise ZipDataError("has bytes behind its compressed data")
    except zlib.error as error:
        raise ZipDataError("cannot be unpacked") from error
    if not unpacker.eof:
        raise ZipDataError("has no end of its compressed data")


def _packed(file: BinaryIO, member: ZipMember) -> Iterator[bytes]:
    """The data as it is in the archive; shorter than it should be at the end of the file."""
    at, left = member.start, member.packed_size
    while left:
        # Others may read from the file between two pieces.
        file.seek(at)
        chunk = file.read(min(left, _CHUNK))
        if not chunk:
            return
        at += len(chunk)
        left -= len(chunk)
        yield chunk


class _Window(io.RawIOBase):
    """A part of a file, as a file."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file = file
        self._start = start
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._size - self._at)
        self._file.seek(self._start + self._at)
        data = self._file.read(left if size < 0 else min(size, left))
        self._at += len(data)
        return data


def as_file(file: BinaryIO, member: ZipMember) -> BinaryIO:
    """A stored member as a file that can be read at any place, such as an archive in an archive."""
    return cast("BinaryIO", _Window(file, member.start, member.packed_size))
