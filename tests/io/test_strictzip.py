"""Archives that two programs could read in two ways, and those that none can misread."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from support.bundleforge import ZipEntry, zipped_entries
from support.wheels import build_wheel, zip_bytes
from wheeltarget.core.limits import DEFAULT_LIMITS
from wheeltarget.core.zipform import Finding, Listing
from wheeltarget.io.strictzip import list_zip
from wheeltarget.io.zipdata import ZipDataError, as_file, pieces, read_whole

if TYPE_CHECKING:
    from typing import BinaryIO

TEXT = b"text " * 100
PLAIN = zip_bytes({"a.txt": TEXT, "b/c.txt": b"c"})


def listed(data: bytes) -> Listing:
    return list_zip(io.BytesIO(data))


def found(data: bytes) -> list[str]:
    return [f"{f.member or '*'} {f.what}" for f in listed(data).findings]


def deflated(**more: Any) -> bytes:
    info = {"compress_type": zipfile.ZIP_DEFLATED, **more}
    return zipped_entries(ZipEntry(name="a.txt", data=TEXT, info=info))


def patched(data: bytes, place: int, value: bytes) -> bytes:
    """Other bytes at a place, from the end if it is negative."""
    place %= len(data)
    return data[:place] + value + data[place + len(value) :]


def u16(number: int) -> bytes:
    return struct.pack("<H", number)


def u32(number: int) -> bytes:
    return struct.pack("<I", number)


def directory_of(data: bytes) -> int:
    """Where the central directory begins."""
    (start,) = struct.unpack_from("<I", data, len(data) - 6)
    return int(start)


# --- nothing wrong --------------------------------------------------------------------------------


class Pipe(io.RawIOBase):
    """A file in which nobody can go back, so that zipfile writes sizes behind the data."""

    def __init__(self) -> None:
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.data += bytes(data)
        return len(data)


def written(file: Any, *, zip64: bool) -> None:
    with (
        zipfile.ZipFile(file, "w") as archive,
        archive.open("a.txt", "w", force_zip64=zip64) as out,
    ):
        out.write(TEXT)


def streamed(*, zip64: bool = False) -> bytes:
    pipe = Pipe()
    written(pipe, zip64=zip64)
    return pipe.data


def wide() -> bytes:
    """An archive with ZIP64 sizes in its local header."""
    buffer = io.BytesIO()
    written(buffer, zip64=True)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        zip_bytes({}),
        zip_bytes({"ä.txt": b""}),
        zip_bytes({"folder/": b"", "folder/a": b""}),
        build_wheel("alpha", "1.0").data,
        deflated(),
        deflated(extra=struct.pack("<HHI", 0x5455, 4, 0)),
        streamed(),
        streamed(zip64=True),
        wide(),
    ],
)
def test_nothing_is_wrong_with_what_common_programs_write(data: bytes) -> None:
    listing = listed(data)
    assert listing.findings == ()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert [member.name for member in listing.members] == archive.namelist()
        for member in listing.members:
            content = read_whole(io.BytesIO(data), member, len(data) * 10)
            assert content == archive.read(member.name)


def test_what_is_said_of_a_member() -> None:
    (member, _) = listed(PLAIN).members
    assert (member.name, member.offset, member.start) == ("a.txt", 0, 35)
    assert (member.size, member.packed_size, member.crc) == (500, 500, zlib.crc32(TEXT))
    assert member.attributes == (stat.S_IFREG | 0o644) << 16


class Sparse(io.RawIOBase):
    """A huge file: some bytes at some places, zeros between them."""

    def __init__(self, chunks: dict[int, bytes], size: int) -> None:
        self._chunks = chunks
        self._size = size
        self._at = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._size, self._at + size)
        data = bytearray(max(0, end - self._at))
        for start, chunk in self._chunks.items():
            for index, byte in enumerate(chunk, start - self._at):
                if 0 <= index < len(data):
                    data[index] = byte
        self._at += len(data)
        return bytes(data)


HUGE = 5 << 30


def huge(*, lie: int = 0, local_version: int = 20) -> BinaryIO:
    """As zipfile writes a member of 5 GiB, and a small one behind it."""
    name = b"a"
    extra = struct.pack("<HHQQ", 1, 16, HUGE, HUGE)
    full = 0xFFFFFFFF
    shared = (0, 0, 0, 33, 0)
    first = struct.pack("<4s5H3I2H", b"PK\3\4", 45, *shared, full, full, 1, 20) + name + extra
    second_at = len(first) + HUGE
    second = struct.pack("<4s5H3I2H", b"PK\3\4", local_version, *shared, 0, 0, 1, 0) + b"b"
    start = second_at + len(second)
    attributes = (stat.S_IFREG | 0o644) << 16
    entries = [
        struct.pack(
            "<4s2B5H3I5H2I",
            *(b"PK\1\2", 45, 3, 45, *shared, full, full, 1, 20, 0, 0, 0, attributes, 0),
        )
        + name
        + extra,
        struct.pack(
            "<4s2B5H3I5H2I",
            *(b"PK\1\2", 45, 3, 45, *shared, 0, 0, 1, 12, 0, 0, 0, attributes, full),
        )
        + b"b"
        + struct.pack("<HHQ", 1, 8, second_at + lie),
    ]
    directory = b"".join(entries)
    end64 = start + len(directory)
    tail = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, 2, 2, len(directory), start)
    tail += struct.pack("<4sIQI", b"PK\6\7", 0, end64, 1)
    tail += struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 2, 2, len(directory), full, 0)
    chunks = {0: first, second_at: second, start: directory, end64: tail}
    return Sparse(chunks, end64 + len(tail))  # type: ignore[return-value]


def test_members_of_any_size_can_be_listed() -> None:
    listing = list_zip(huge())
    assert listing.findings == ()
    assert [(m.name, m.size) for m in listing.members] == [("a", HUGE), ("b", 0)]


def test_an_offset_that_lies_is_found_beyond_four_gigabytes_too() -> None:
    reasons = [f.what for f in list_zip(huge(lie=1 << 62)).findings]
    assert "has odd ZIP64 fields" in reasons
    assert "has no local header where the directory says" in reasons


# --- the whole ------------------------------------------------------------------------------------


def with_zip64_end(data: bytes, **lies: int) -> bytes:
    """The archive with a ZIP64 end; ``lies`` replace fields in it."""
    _, _, _, _, count, size, offset, _ = struct.unpack_from("<4s4H2IH", data, len(data) - 22)
    place = len(data) - 22
    said = {"length": 44, "disk": 0, "count": count, "size": size, "place": place, **lies}
    record = struct.pack(
        "<4sQ2H2I4Q",
        *(b"PK\6\6", said["length"], 45, 45, said["disk"], 0),
        *(said["count"], said["count"], said["size"], offset),
    )
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, said["place"], 1)
    return data[:-22] + record + locator + data[-22:]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is not a zip archive, or its end is missing"),
        (b"PK\5\6", "is not a zip archive, or its end is missing"),
        (bytes(100_000), "is not a zip archive, or its end is missing"),
        (PLAIN[:-1], "is not a zip archive, or its end is missing"),
        (b"x" + PLAIN, "has 1 bytes that its offsets do not account for"),
        (PLAIN + b"xy", "has 2 bytes behind its end"),
        (patched(PLAIN, -2, u16(3)) + b"abc", "has a comment"),
        (patched(PLAIN, -2, u16(9)) + b"abc", "has 3 bytes behind its end"),
        (PLAIN + PLAIN, f"has {len(PLAIN)} bytes that its offsets do not account for"),
        (patched(PLAIN, -18, u16(1)), "says that it is one of several volumes"),
        (patched(PLAIN, -14, u16(1)), "says that it is one of several volumes"),
        (patched(PLAIN, -12, u16(1)), "has another central directory than its end says"),
        (patched(PLAIN, -12, u16(3)), "has fewer entries in its central directory than it says"),
        (patched(PLAIN, -6, u32(1 << 20)), "has its central directory elsewhere than its end says"),
        (with_zip64_end(PLAIN, count=1), "has a ZIP64 record that contradicts its end"),
        (with_zip64_end(PLAIN, length=45), "has a ZIP64 record that contradicts its end"),
        (with_zip64_end(PLAIN, disk=1), "says that it is one of several volumes"),
        (with_zip64_end(PLAIN, place=1), "has its ZIP64 record elsewhere than its end says"),
        (
            patched(PLAIN, -10, b"\xff" * 4),
            "has 2 members in a directory of 4294967295 bytes, more",
        ),
    ],
)
def test_an_archive_that_is_not_what_its_end_says(data: bytes, reason: str) -> None:
    assert any(each.startswith(f"* {reason}") for each in found(data)), found(data)


def test_a_zip64_end_that_agrees_is_one() -> None:
    assert found(with_zip64_end(PLAIN)) == []


def test_too_many_members_are_not_listed() -> None:
    few = replace(DEFAULT_LIMITS, archive_members=1)
    listing = list_zip(io.BytesIO(PLAIN), few)
    assert listing.members == ()
    assert listing.findings[0].what.startswith("has 2 members in a directory of ")


# --- members --------------------------------------------------------------------------------------

AT = directory_of(PLAIN)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (patched(PLAIN, 0, b"XX"), "a.txt has no local header where the directory says"),
        (patched(PLAIN, AT + 42, u32(1)), "a.txt has no local header where the directory says"),
        (patched(PLAIN, 30, b"A"), "contradicts the directory: name"),
        (patched(PLAIN, 4, u16(21)), "contradicts the directory: version"),
        (patched(PLAIN, 6, u16(2)), "contradicts the directory: flags"),
        (patched(PLAIN, 8, u16(8)), "contradicts the directory: method"),
        (patched(PLAIN, 10, u16(8)), "contradicts the directory: time"),
        (patched(PLAIN, 12, u16(8)), "contradicts the directory: date"),
        (patched(PLAIN, 14, u32(8)), "contradicts the directory: crc"),
        (patched(PLAIN, 18, u32(8) + u32(9)), "the directory: packed size, size"),
        (patched(PLAIN, 28, u16(3)), "a.txt has extra fields that do not fit"),
        (patched(PLAIN, AT + 34, u16(1)), "a.txt is on another volume"),
        (PLAIN.replace(b"b/c.txt", b"a.txt/c"), "a.txt/c is below a.txt, which is a file"),
        (PLAIN.replace(b"b/c.txt", b"x/../yz"), "x/../yz has an unsafe name"),
        (PLAIN.replace(b"b/c.txt", b"b\0c.txt"), "b\0c.txt has an unsafe name"),
        (PLAIN.replace(b"b/c.txt", b"b\xe4c.txt"), "has a name that programs read differently"),
        (zip_bytes({"ä": b""}).replace("ä".encode(), b"\xc3("), "that programs read differently"),
        (deflated(extra=struct.pack("<HH", 0x7075, 0)), "has a second name in its extra fields"),
        (deflated(extra=struct.pack("<HHQ", 1, 8, 9)), "has odd ZIP64 fields"),
        (deflated(extra=b"\0"), "has extra fields that do not fit"),
        (deflated(extra=struct.pack("<HH", 9, 0) * 33), "has more than 32 extra fields"),
        (deflated(external_attr=(stat.S_IFLNK | 0o777) << 16), "a.txt is a link or a device"),
        (patched(patched(PLAIN, 6, u16(1)), AT + 8, u16(1)), "a.txt is encrypted"),
        (
            patched(patched(PLAIN, 6, u16(16)), AT + 8, u16(16)),
            "a.txt has flags that are not known",
        ),
        (deflated(compress_type=zipfile.ZIP_BZIP2), "a.txt is compressed by method 12, which is"),
        (patched(patched(PLAIN, 22, u32(8)), AT + 24, u32(8)), "is stored, and yet has two sizes"),
    ],
)
def test_a_member_that_is_not_what_it_must_be(data: bytes, reason: str) -> None:
    assert any(reason in each for each in found(data)), found(data)


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ({"a.txt": b"", "b.txt": b""}, "is in the archive more than once"),
        ({"A.txt": b"", "b.txt": b""}, "is the same file as A.txt where case does not count"),
    ],
)
def test_two_members_that_are_one_file(names: dict[str, bytes], reason: str) -> None:
    data = zip_bytes(names).replace(b"b.txt", b"a.txt")
    assert found(data) == [f"a.txt {reason}"]


def test_an_entry_in_one_place_only() -> None:
    """A member that the directory does not name is seen by who reads from the front."""
    start = directory_of(PLAIN)
    entry = 46 + len("a.txt")
    rest = PLAIN[start + entry : -22]
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, len(rest), start, 0)
    assert found(PLAIN[:start] + rest + end) == [
        "b/c.txt leaves a gap behind what is before it in the archive"
    ]
    inner = PLAIN[:start] + b"xyz" + PLAIN[start:]
    assert found(patched(inner, -6, u32(start + 3))) == [
        "* has bytes before its central directory that belong to no member"
    ]


def test_a_directory_in_another_order() -> None:
    start = directory_of(PLAIN)
    entry = 46 + len("a.txt")
    swapped = PLAIN[start + entry : -22] + PLAIN[start : start + entry]
    assert found(PLAIN[:start] + swapped + PLAIN[-22:]) == [
        "* lists its members in another order than it has them"
    ]


def test_sizes_behind_the_data_that_do_not_agree() -> None:
    data = streamed()
    at = data.index(b"PK\7\10")
    assert found(patched(data, at + 4, u32(1))) == [
        "a.txt has other sizes behind its data",
        "* has bytes before its central directory that belong to no member",
    ]


# --- data -----------------------------------------------------------------------------------------


def content(data: bytes) -> bytes:
    (member, *_) = listed(data).members
    return b"".join(pieces(io.BytesIO(data), member))


def raw(packed: bytes, size: int = len(TEXT), crc: int = zlib.crc32(TEXT)) -> bytes:
    """A deflated member with this data."""
    shared = (20, 0, 8, 0, 33, crc, len(packed), size)
    local = struct.pack("<4s5H3I2H", b"PK\3\4", *shared, 1, 0) + b"a" + packed
    entry = struct.pack("<4s2B5H3I5H2I", b"PK\1\2", 20, 3, *shared, 1, 0, 0, 0, 0, 0, 0) + b"a"
    return local + entry + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, 47, len(local), 0)


def deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKED = deflate(TEXT)


def test_a_deflated_member_is_unpacked() -> None:
    assert found(raw(PACKED)) == []
    assert content(raw(PACKED)) == TEXT


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (PLAIN.replace(b"text ", b"tent ", 1), "has another content than its size and CRC say"),
        (raw(PACKED, crc=1), "has another content than its size and CRC say"),
        (raw(PACKED, size=9), "has another content than its size and CRC say"),
        (raw(PACKED, size=1 << 30), "has another content than its size and CRC say"),
        (raw(PACKED + b"x"), "has bytes behind its compressed data"),
        (raw(PACKED[:-1]), "has no end of its compressed data"),
        (raw(b"\xff" * 9), "cannot be unpacked"),
        (deflated(compress_type=zipfile.ZIP_LZMA), "is compressed by method 14"),
    ],
)
def test_data_that_is_not_what_the_archive_says(data: bytes, reason: str) -> None:
    with pytest.raises(ZipDataError, match=reason):
        content(data)


def test_a_bomb_is_left_at_the_size_that_it_says() -> None:
    bomb = raw(deflate(bytes(64 << 20)), size=1000)
    (member,) = listed(bomb).members
    read: list[bytes] = []
    with pytest.raises(ZipDataError, match="another content"):
        read.extend(pieces(io.BytesIO(bomb), member))
    assert sum(map(len, read)) <= 1000


def test_a_member_that_is_read_whole_has_a_largest_size() -> None:
    (member, _) = listed(PLAIN).members
    with pytest.raises(ZipDataError, match="is larger than 499 B"):
        read_whole(io.BytesIO(PLAIN), member, 499)


def test_an_archive_in_an_archive_is_read_in_place() -> None:
    outer = zip_bytes({"before": b"x", "inner.zip": PLAIN, "after": b"x"})
    _, inner, _ = listed(outer).members
    file = as_file(io.BytesIO(outer), inner)
    assert (file.readable(), file.seekable(), file.read()) == (True, True, PLAIN)
    assert (file.seek(-1, 2), file.tell(), file.seek(-1, 1)) == (len(PLAIN) - 1,) * 2 + (
        len(PLAIN) - 2,
    )
    assert file.read(100) == PLAIN[-2:]
    assert [member.name for member in list_zip(file).members] == ["a.txt", "b/c.txt"]


def test_findings_are_of_a_member_or_of_the_whole() -> None:
    assert listed(b"x" + PLAIN).findings[0] == Finding(
        what="has 1 bytes that its offsets do not account for"
    )
