"""What the header of a program says: its architecture, and the C library that it is linked with."""

import os
import struct

EM_386 = 3
EM_ARM = 40
PT_INTERP = 3
#: ``e_flags`` of an ARM program: version 5 of the EABI, with floats in registers (PEP 599).
EF_ARM_EABI_MASK = 0xFF000000
EF_ARM_EABI_VER5 = 0x05000000
EF_ARM_ABI_FLOAT_HARD = 0x00000400


class Elf:
    """What a program's ELF header says; ``loader`` is its PT_INTERP, empty where it has none."""

    def __init__(self, bits, little, machine, flags, loader):
        # type: (int, bool, int, int, str) -> None
        self.bits = bits
        self.little = little
        self.machine = machine
        self.flags = flags
        self.loader = loader


def parse_elf(content):
    # type: (bytes) -> Elf | None
    """Read a program's ELF header and the path of its loader; None for anything else.

    System V ABI, chapters 4 and 5: 16 bytes that say how to read the rest, then the header, which
    says where the program headers are.
    """
    order = {b"\x01": "<", b"\x02": ">"}.get(content[5:6])
    words = {b"\x01": "III", b"\x02": "QQQ"}.get(content[4:5])
    if content[:4] != b"\x7fELF" or order is None or words is None:
        return None
    header = _unpack(order + "HHI" + words + "IHHH", content, 16)
    if header is None:
        return None
    _, machine, _, _, start, _, flags, _, size, count = header
    bits = 32 if words == "III" else 64
    starts = [start + size * index for index in range(count)]
    return Elf(bits, order == "<", machine, flags, _loader(content, order, bits, starts))


def _loader(content, order, bits, starts):
    # type: (bytes, str, int, list[int]) -> str
    for start in starts:
        if bits == 32:
            entry = _unpack(order + "IIIIIIII", content, start)
            place, length = (1, 4)
        else:
            entry = _unpack(order + "IIQQQQQQ", content, start)
            place, length = (2, 5)
        if entry is not None and entry[0] == PT_INTERP:
            path = content[entry[place] : entry[place] + entry[length]]
            return os.fsdecode(path).strip("\0")
    return ""


def _unpack(form, content, start):
    # type: (str, bytes, int) -> tuple[int, ...] | None
    """Numbers from bytes; None where these end too early."""
    size = struct.calcsize(form)
    piece = content[start : start + size]
    return struct.unpack(form, piece) if len(piece) == size else None


def read_elf(path):
    # type: (str | None) -> Elf | None
    """:func:`parse_elf` of a file; None where it can't be read, or there is no path."""
    if not path:
        return None
    try:
        with open(path, "rb") as file:
            return parse_elf(file.read())
    except (OSError, ValueError):
        return None
