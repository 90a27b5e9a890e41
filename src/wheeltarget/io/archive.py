"""Archives that are whole or not there: written beside their place, put into it in one step."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheeltarget.core.errors import FileSystemError, Problem, UsageError
from wheeltarget.io.cache import writing
from wheeltarget.io.zipwriter import ArchiveMember, ZipTime, write_archive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from typing import IO

__all__ = ["ArchiveMember", "Draft", "ZipTime", "write_archive", "write_draft", "zip_time"]

#: The first and the last moment that a zip can say (MS-DOS time has steps of two seconds).
_EARLIEST: ZipTime = (1980, 1, 1, 0, 0, 0)
_LATEST: ZipTime = (2107, 12, 31, 23, 59, 58)

_CHUNK = 1024 * 1024


def zip_time(source_date_epoch: str | None) -> ZipTime:
    """The time of every member: 1980-01-01, or SOURCE_DATE_EPOCH clamped to what a zip can say.

    Raises UsageError where the variable is not a whole number (reproducible-builds.org).
    """
    if not source_date_epoch:
        return _EARLIEST
    if not re.fullmatch(r"-?[0-9]{1,100}", source_date_epoch):
        raise UsageError(
            Problem(
                what=f"SOURCE_DATE_EPOCH is {source_date_epoch!r}, not a whole number of seconds",
                hint="unset it, or set it to seconds since 1970",
            )
        )
    return _clamped(int(source_date_epoch))


def _clamped(seconds: int) -> ZipTime:
    # Beyond these bounds gmtime itself may fail; they lie outside what a zip can say anyway.
    if seconds < 0:
        return _EARLIEST
    if seconds > 2**32 + 2**30:
        return _LATEST
    moment = time.gmtime(seconds)
    exact = (
        moment.tm_year,
        moment.tm_mon,
        moment.tm_mday,
        moment.tm_hour,
        moment.tm_min,
        moment.tm_sec,
    )
    return min(max(_EARLIEST, exact), _LATEST)


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A finished file not yet in its place: ``publish`` moves it there, ``discard`` drops it."""

    temporary: Path
    path: Path
    size: int
    sha256: str

    def publish(self) -> None:
        """Put the file in its place in one step. Raises FileSystemError."""
        with writing(self.path):
            self.temporary.replace(self.path)

    def discard(self) -> None:
        """Remove the file if it was not published."""
        with contextlib.suppress(OSError):
            self.temporary.unlink()


def write_draft(path: Path, members: Iterable[ArchiveMember], moment: ZipTime) -> Draft:
    """Write an archive beside the place where it shall be, and hash it.

    Raises FileSystemError, as :func:`draft_of`. Whatever a member's content raises passes through.
    """
    return draft_of(path, lambda file: write_archive(file, members, moment))


def text_draft(path: Path, text: str) -> Draft:
    """Write a text in UTF-8 beside the place where it shall be. Raises FileSystemError."""

    def write(file: IO[bytes]) -> None:
        file.write(text.encode())

    return draft_of(path, write)


def draft_of(path: Path, write: Callable[[IO[bytes]], None]) -> Draft:
    """What ``write`` writes, beside the place where it shall be, hashed.

    Raises FileSystemError: the place is a folder or a link, or cannot be written. Whatever
    ``write`` raises passes through, with nothing left behind.
    """
    with writing(path):
        _check_place(path)
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}.partial")
    try:
        with writing(path):
            # Not mkstemp: the file shall have the permissions that any new file gets.
            descriptor = os.open(
                temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666
            )
        with writing(path), os.fdopen(descriptor, "w+b") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
            # zip headers are completed after their data, so the whole is hashed afterwards.
            size = file.tell()
            sha256 = _sha256(file)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    return Draft(temporary=temporary, path=path, size=size, sha256=sha256)


def _sha256(file: IO[bytes]) -> str:
    file.seek(0)
    hasher = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        hasher.update(chunk)
    return hasher.hexdigest()


def _check_place(path: Path) -> None:
    if path.is_symlink():
        reason = "it is a symbolic link"
    elif path.is_dir():
        reason = "it is a folder"
    else:
        return
    raise FileSystemError(
        Problem(
            what=f"cannot write {path}: {reason}",
            file=str(path),
            hint="choose another place for what is written",
        )
    )
