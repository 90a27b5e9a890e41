"""Writing that can be taken back."""

import contextlib
import hashlib
import os
from typing import Iterable, Iterator


class Journal:
    """Files and folders that were made, so that all of them can be removed again."""

    def __init__(self):
        # type: () -> None
        self._files = []  # type: list[str]
        self._folders = []  # type: list[str]

    def folder(self, path):
        # type: (str) -> None
        """Make a folder, with those above it, unless it is there."""
        if os.path.isdir(path):
            return
        parent = os.path.dirname(path)
        if parent != path:
            self.folder(parent)
        os.mkdir(path)
        self._folders.append(path)

    def write(self, path, pieces, is_program=False):
        # type: (str, Iterable[bytes], bool) -> tuple[str, int]
        """Write a new file, never over another one; the sha256 in hex, and the size."""
        self.folder(os.path.dirname(path))
        how = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, how, 0o777 if is_program else 0o666)
        self._files.append(path)
        hasher = hashlib.sha256()
        size = 0
        with os.fdopen(descriptor, "wb") as file:
            for piece in pieces:
                file.write(piece)
                hasher.update(piece)
                size += len(piece)
        return hasher.hexdigest(), size

    def move(self, source, path):
        # type: (str, str) -> None
        """Move a file to a place where nothing is yet."""
        self.folder(os.path.dirname(path))
        self._files.append(path)
        os.rename(source, path)

    def undo(self):
        # type: () -> None
        """Remove all that was made; what others have put into a new folder stays with it."""
        for path in reversed(self._files):
            with contextlib.suppress(OSError):
                os.unlink(path)
        for path in reversed(self._folders):
            with contextlib.suppress(OSError):
                os.rmdir(path)


@contextlib.contextmanager
def all_or_nothing():
    # type: () -> Iterator[Journal]
    """A journal that is undone where the block fails or is interrupted."""
    journal = Journal()
    try:
        yield journal
    except BaseException:
        journal.undo()
        raise
