"""Sizes as people write and read them."""

from __future__ import annotations

import re
from fractions import Fraction

#: Powers of 1000 as stores and platforms count, and of 1024 as memory is counted.
_UNITS = {
    "B": 1,
    "kB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
}
_SIZE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?([A-Za-z]+)")


def parse_size(text: str) -> int:
    """Read ``250 MB`` or ``1.5 GiB`` as bytes. Raises ValueError for anything else, and for 0."""
    match = _SIZE.fullmatch(text)
    unit = match and {name.lower(): of for name, of in _UNITS.items()}.get(match[2].lower())
    if not match or not unit:
        raise ValueError(f"{text!r} is not a size such as 250 MB; units are {', '.join(_UNITS)}")
    size = int(Fraction(match[1]) * unit)
    if not size:
        raise ValueError(f"{text!r} leaves room for nothing")
    return size


def human_size(size: int) -> str:
    """Bytes for a person, in powers of 1000 as stores and platforms count: ``28.4 MB``."""
    if size < 1000:
        return f"{size} B"
    for power, unit in ((1, "kB"), (2, "MB")):
        amount = size / 1000**power
        if amount < 999.95:
            return f"{amount:.1f} {unit}"
    return f"{size / 1000**3:.1f} GB"
