"""RECORD: the files of an installed package and their hashes.

https://packaging.python.org/specifications/recording-installed-packages/
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheeltarget.core.limits import DEFAULT_LIMITS, Limits
from wheeltarget.core.zipform import unsafe_reason

if TYPE_CHECKING:
    from collections.abc import Iterator


class RecordError(ValueError):
    """A RECORD that is not what the specification says; the text says why, as a phrase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A file as RECORD has it: its sha256 in hex and its size in bytes, None where it has none."""

    path: str
    sha256: str | None
    size: int | None


def read_record(data: bytes, limits: Limits = DEFAULT_LIMITS) -> tuple[Recorded, ...]:
    """The lines of a RECORD. Raises RecordError."""
    found: dict[str, Recorded] = {}
    for number, row in enumerate(_rows(data), 1):
        try:
            recorded = _recorded(row)
            if recorded.path in found:
                raise RecordError(f"{recorded.path!r} stands twice")
        except RecordError as error:
            raise RecordError(f"cannot be read, line {number}: {error}") from error
        found[recorded.path] = recorded
        if len(found) > limits.archive_members:
            raise RecordError(f"has more than {limits.archive_members} lines")
    return tuple(found.values())


def _rows(data: bytes) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
    except (UnicodeDecodeError, csv.Error) as error:
        raise RecordError(f"cannot be read: {error}") from error


def _recorded(row: list[str]) -> Recorded:
    if len(row) != 3:
        raise RecordError(f"it has {len(row)} fields instead of 3")
    path, sha256, size = row
    reason = unsafe_reason(path)
    if reason:
        raise RecordError(f"{path!r} has an unsafe name: {reason}")
    if size and not (size.isascii() and size.isdigit() and len(size) < 20):
        raise RecordError(f"{size!r} is no size")
    return Recorded(
        path=path, sha256=_hex(sha256) if sha256 else None, size=int(size) if size else None
    )


def _hex(text: str) -> str:
    algorithm, _, digest = text.partition("=")
    try:
        raw = base64.b64decode(f"{digest}=".encode(), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raw = b""
    if algorithm != "sha256" or len(raw) != 32:
        raise RecordError(f"{text!r} is no sha256 as RECORD writes it")
    return raw.hex()
