"""ELF programs of a few dozen bytes, and loaders that say what musl's says."""

from __future__ import annotations

import struct
from pathlib import Path

X86_64 = 62
I386 = 3
ARM = 40
HARD_FLOAT = 0x05000400

MUSL = """\
musl libc (x86_64)
Version 1.2.3
Dynamic Program Loader
Usage: ld-musl-x86_64.so.1 [options] [--] pathname [args]
"""


def elf(
    loader: bytes | None = None,
    *,
    bits: int = 64,
    little: bool = True,
    machine: int = X86_64,
    flags: int = 0,
) -> bytes:
    """A program: a header, a program header that is no PT_INTERP, and one for the loader."""
    order = "<" if little else ">"
    words = "III" if bits == 32 else "QQQ"
    header_size = 16 + struct.calcsize(f"{order}HHI{words}IHHHHHH")
    entry_size = 32 if bits == 32 else 56
    count = 1 if loader is None else 2
    text_start = header_size + count * entry_size
    return b"".join(
        [
            b"\x7fELF" + bytes([bits // 32, 1 if little else 2, 1]) + bytes(9),
            struct.pack(
                f"{order}HHI{words}IHHHHHH",
                *(2, machine, 1, 0, header_size, 0, flags, header_size, entry_size, count, 0, 0, 0),
            ),
            _entry(order, bits, 1, 0, 16),
            b"" if loader is None else _entry(order, bits, 3, text_start, len(loader) + 1),
            b"" if loader is None else loader + b"\0",
        ]
    )


def _entry(order: str, bits: int, kind: int, start: int, size: int) -> bytes:
    if bits == 32:
        return struct.pack(f"{order}8I", kind, start, 0, 0, size, size, 4, 1)
    return struct.pack(f"{order}IIQQQQQQ", kind, 4, start, 0, 0, size, size, 1)


def program(path: Path, content: bytes) -> str:
    """Write a program; its path."""
    path.write_bytes(content)
    return str(path)


def fake_loader(folder: Path, said: str = MUSL, name: str = "ld-musl-x86_64.so.1") -> Path:
    """A loader that fails with a text on stderr, and with one on stdout to be ignored."""
    path = folder / name
    text = f"#!/bin/sh\necho noise\ncat >&2 <<'end'\n{said}end\nexit 1\n"
    path.write_text(text, encoding="utf-8", newline="\n")
    path.chmod(0o700)
    return path
