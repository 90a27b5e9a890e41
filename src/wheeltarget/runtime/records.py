"""The records of a zip, in the one form that a bundle has (APPNOTE.TXT 6.3.10, section 4.3).

Each must have exactly the bytes that follow from the few facts that differ between members.
"""

import stat
import struct
from typing import NamedTuple

#: Above these, ZIP64 records hold what the plain ones can't, as Python's zipfile writes them.
LARGE = (1 << 31) - 1
MANY = (1 << 16) - 1
FULL = 0xFFFFFFFF
STORED = 0
#: Stored or deflated.
METHODS = (STORED, 8)
PLAIN_MODE = stat.S_IFREG | 0o644
PROGRAM_MODE = stat.S_IFREG | 0o755

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s4B4HL2L5H2L")
END = struct.Struct("<4s4H2LH")
END64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR = struct.Struct("<4sLQL")
END_SIGNATURE = b"PK\5\6"
END64_SIGNATURE = b"PK\6\6"
LOCATOR_SIGNATURE = b"PK\6\7"

#: Versions of the format: that of plain members, and that of ZIP64.
_PLAIN_VERSION, _ZIP64_VERSION = 20, 45
_UNIX = 3
_UTF8 = 0x800

Entry = NamedTuple(
    "Entry",
    [
        ("name", str),
        ("method", int),
        # Time and date as MS-DOS has them.
        ("moment", "tuple[int, int]"),
        ("crc", int),
        ("packed", int),
        ("size", int),
        ("mode", int),
        # Where its local header begins, and its content.
        ("offset", int),
        ("data", int),
    ],
)


def _encoded(name):
    # type: (str) -> tuple[bytes, int]
    """A name in bytes, and the flags that tell its encoding."""
    raw = name.encode("utf-8", "surrogateescape")
    return raw, 0 if len(raw) == len(name) else _UTF8


def local_forms(entry):
    # type: (Entry) -> list[bytes]
    """The headers that may stand before a member's content.

    Whether ZIP64 is used below its limit, and how, is a matter of the Python that wrote it.
    """
    name, flags = _encoded(entry.name)
    extra = struct.pack("<HHQQ", 1, 16, entry.size, entry.packed)
    forms = [(_ZIP64_VERSION, FULL, FULL, extra)]
    if max(entry.size, entry.packed) <= LARGE:
        forms.insert(0, (_PLAIN_VERSION, entry.packed, entry.size, b""))
        forms.append((_PLAIN_VERSION, entry.packed, entry.size, extra))
    found = []
    for version, packed, size, more in forms:
        facts = (version, flags, entry.method, entry.moment[0], entry.moment[1])
        sizes = (entry.crc, packed, size, len(name), len(more))
        found.append(LOCAL.pack(b"PK\3\4", *(facts + sizes)) + name + more)
    return found


def central_forms(entry):
    # type: (Entry) -> list[bytes]
    """The records that the central directory may have for a member."""
    name, flags = _encoded(entry.name)
    large = []
    packed, size, offset = entry.packed, entry.size, entry.offset
    if max(size, packed) > LARGE:
        large += [size, packed]
        packed = size = FULL
    if offset > LARGE:
        large.append(offset)
        offset = FULL
    extra = struct.pack("<HH{}Q".format(len(large)), 1, 8 * len(large), *large) if large else b""
    facts = (flags, entry.method, entry.moment[0], entry.moment[1], entry.crc, packed, size)
    rest = (len(name), len(extra), 0, 0, 0, entry.mode << 16, offset)
    return [
        CENTRAL.pack(b"PK\1\2", version, _UNIX, version, 0, *(facts + rest)) + name + extra
        for version in ([_ZIP64_VERSION] if large else [_PLAIN_VERSION, _ZIP64_VERSION])
    ]


def central_entry(raw, place):
    # type: (bytes, int) -> tuple[Entry | None, int]
    """The member that a record at a place of the central directory tells, and the next place."""
    head = raw[place : place + CENTRAL.size]
    if len(head) < CENTRAL.size or head[:4] != b"PK\1\2":
        return None, place
    fields = CENTRAL.unpack(head)
    method, time, date, crc, packed, size, name_length, extra_length, comment_length = fields[6:15]
    begin = place + CENTRAL.size
    name = raw[begin : begin + name_length].decode("utf-8", "surrogateescape")
    extra = raw[begin + name_length : begin + name_length + extra_length]
    packed, size, offset = _large(extra, packed, size, fields[18])
    mode = fields[17] >> 16
    entry = Entry(name, method, (time, date), crc, packed, size, mode, offset, 0)
    return entry, begin + name_length + extra_length + comment_length


def _large(extra, packed, size, offset):
    # type: (bytes, int, int, int) -> tuple[int, int, int]
    """The sizes and the place that stand in the extra field of ZIP64 where they are too large."""
    count = [size, packed, offset].count(FULL)
    if not count or len(extra) != 4 + 8 * count:
        return packed, size, offset
    numbers = list(struct.unpack("<{}Q".format(count), extra[4:]))
    size = numbers.pop(0) if size == FULL else size
    packed = numbers.pop(0) if packed == FULL else packed
    offset = numbers.pop(0) if offset == FULL else offset
    return packed, size, offset


def end_bytes(count, size, start):
    # type: (int, int, int) -> bytes
    """The end of an archive whose central directory has that many members, size and start."""
    found = b""
    if count > MANY or size > LARGE or start > LARGE:
        found += END64.pack(
            END64_SIGNATURE,
            END64.size - 12,
            _ZIP64_VERSION,
            _ZIP64_VERSION,
            0,
            0,
            count,
            count,
            size,
            start,
        )
        found += LOCATOR.pack(LOCATOR_SIGNATURE, 0, start + size, 1)
        count, size, start = min(count, 0xFFFF), min(size, FULL), min(start, FULL)
    return found + END.pack(END_SIGNATURE, 0, 0, count, count, size, start, 0)
