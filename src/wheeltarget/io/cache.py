"""Wheels by their hash, on disk. Whatever is read is verified; nothing is trusted for its place."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wheeltarget.core.errors import FileSystemError, Problem
from wheeltarget.core.model import Digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

_CHUNK = 1024 * 1024


class HashMismatchError(Exception):
    """What was read is not what the hash says. ``found`` is the hash of what was read, in hex."""

    def __init__(self, digest: Digest, found: str) -> None:
        super().__init__(f"expected {digest}, found {digest.algorithm}:{found}")
        self.digest = digest
        self.found = found


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An entry of the cache: its path, size in bytes, and the hash that it is stored under."""

    path: Path
    digest: Digest
    size: int


class SweptError(Exception):
    """The run is over: nothing may be begun any more."""


@dataclass(slots=True)
class _Writers:
    """The files that are being written, until none may be any more."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    begun: set[Path] = field(default_factory=set)
    swept: bool = False

    def begin(self, folder: Path) -> tuple[int, Path]:
        """A new file in the folder, opened. Raises OSError, or SweptError."""
        with self.lock:
            if self.swept:
                raise SweptError
            descriptor, name = tempfile.mkstemp(dir=folder, prefix=".partial-")
            path = Path(name)
            self.begun.add(path)
        return descriptor, path

    def end(self, path: Path) -> None:
        """The file is in its place, or gone."""
        with self.lock:
            self.begun.discard(path)

    def sweep(self) -> None:
        """Remove what is begun, and let nothing be begun from now on."""
        with self.lock:
            self.swept = True
            for path in self.begun:
                with contextlib.suppress(OSError):
                    path.unlink()


@dataclass(frozen=True, slots=True)
class Cache:
    """A content-addressed store below ``root``, safe for several runs at once."""

    root: Path
    _writers: _Writers = field(default_factory=_Writers, repr=False, compare=False)

    def find(self, digest: Digest) -> Stored | None:
        """The entry of that hash, not yet verified; None where there is none.

        A symbolic link or anything else that is no plain file counts as missing.
        """
        path = self._path(digest)
        try:
            status = path.lstat()
        except OSError:
            return None
        if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
            return None
        return Stored(path=path, digest=digest, size=status.st_size)

    def add(self, digest: Digest, chunks: Iterable[bytes]) -> Stored:
        """Store a body under its hash, hashing while it arrives.

        Raises HashMismatchError, with nothing stored; FileSystemError where the cache cannot be
        written; SweptError after ``sweep``.
        """
        path = self._path(digest)
        with writing(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, partial = self._writers.begin(path.parent)
        try:
            with _closing(os.fdopen(descriptor, "wb"), path) as file:
                size = _write_verified(file, digest, chunks)
            with writing(path):
                if path.is_dir() and not path.is_symlink():
                    path.rmdir()
                partial.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise
        finally:
            self._writers.end(partial)
        return Stored(path=path, digest=digest, size=size)

    def add_file(self, path: Path) -> Digest:
        """Store a file under its sha256. Raises what :meth:`add` does."""
        digest = Digest("sha256", sha256_of_file(path))
        with path.open("rb") as file:
            self.add(digest, iter(lambda: file.read(_CHUNK), b""))
        return digest

    def give(self, digest: Digest, path: Path) -> None:
        """Write an entry to a new file. Raises HashMismatchError where it is damaged or missing."""
        stored = self.find(digest)
        if stored is None:
            raise HashMismatchError(digest, "nothing")
        data = b"".join(read_verified(stored))
        with writing(path):
            path.write_bytes(data)

    def sweep(self) -> None:
        """Remove what has been begun and will not be finished, as threads are left behind.

        A thread that gets its answer only now begins nothing: it gets SweptError.
        """
        self._writers.sweep()

    def discard(self, digest: Digest) -> None:
        """Forget an entry that turned out to be wrong."""
        with contextlib.suppress(OSError):
            self._path(digest).unlink()

    def remember(self, key: str, text: str) -> None:
        """Keep a text under a key. Raises FileSystemError."""
        path = self._note(key)
        with writing(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".partial-")
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(text)
                Path(name).replace(path)
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(name).unlink()
                raise

    def recall(self, key: str) -> str | None:
        """The text under a key, None where there is none that can be read."""
        try:
            return self._note(key).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def _note(self, key: str) -> Path:
        return self.root / "built" / f"{key}.json"

    def _path(self, digest: Digest) -> Path:
        return self.root / digest.algorithm / digest.hex[:2] / digest.hex[2:]


def sha256_of_file(path: Path) -> str:
    """In hex."""
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            hasher.update(chunk)
    return hasher.hexdigest()


@contextlib.contextmanager
def _closing(file: BinaryIO, path: Path) -> Iterator[BinaryIO]:
    """Closes the file, which writes what is left of it, so that a full disk may show only then."""
    try:
        yield file
    finally:
        with writing(path):
            file.close()


def _write_verified(file: BinaryIO, digest: Digest, chunks: Iterable[bytes]) -> int:
    hasher = hashlib.new(digest.algorithm)
    size = 0
    for chunk in chunks:
        hasher.update(chunk)
        size += len(chunk)
        with writing(None):
            file.write(chunk)
    if hasher.hexdigest() != digest.hex:
        raise HashMismatchError(digest, hasher.hexdigest())
    return size


def read_verified(stored: Stored) -> Iterator[bytes]:
    """The entry's bytes; HashMismatchError after the last chunk if they are not what they must be.

    Whoever writes them elsewhere must throw that away on the error. An entry that vanished or
    cannot be read counts as a mismatch too: in all these cases it must be fetched anew.
    """
    with open_entry(stored) as file:
        yield from _read_verified(file, stored)


@contextlib.contextmanager
def open_verified(stored: Stored) -> Iterator[BinaryIO]:
    """The entry, open for reading at its start after all of it was found to be what it must be.

    Raises HashMismatchError.
    """
    with open_entry(stored) as file:
        for _ in _read_verified(file, stored):
            pass
        file.seek(0)
        yield file


@contextlib.contextmanager
def open_entry(stored: Stored) -> Iterator[BinaryIO]:
    """The entry, open for reading, not verified.

    Raises HashMismatchError where it, or anything else in the block, cannot be read.
    """
    try:
        descriptor = os.open(
            stored.path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        )
        with os.fdopen(descriptor, "rb") as file:
            yield file
    except OSError:
        raise HashMismatchError(stored.digest, "unreadable") from None


def _read_verified(file: BinaryIO, stored: Stored) -> Iterator[bytes]:
    hasher = hashlib.new(stored.digest.algorithm)
    size = 0
    while chunk := file.read(_CHUNK):
        hasher.update(chunk)
        size += len(chunk)
        yield chunk
    if hasher.hexdigest() != stored.digest.hex or size != stored.size:
        raise HashMismatchError(stored.digest, hasher.hexdigest())


def is_intact(stored: Stored) -> bool:
    """Whether the entry still is what its hash says."""
    try:
        for _ in read_verified(stored):
            pass
    except HashMismatchError:
        return False
    return True


@contextlib.contextmanager
def writing(path: Path | None) -> Iterator[None]:
    """Turns an OSError into a FileSystemError that names the path."""
    try:
        yield
    except OSError as error:
        where = str(path or error.filename or "the cache")
        raise FileSystemError(
            Problem(
                what=f"cannot write {where}: {error.strerror or error}",
                file=where,
                hint="check permissions and free space",
            )
        ) from error
