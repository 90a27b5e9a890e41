"""Where the members of a bundle are: in a zip, or in a folder that it was unpacked to."""

import os
import stat
from typing import Iterator

from wheeltarget.runtime.archive import CHUNK, Archive, DamagedError
from wheeltarget.runtime.speech import shown


class Folder:
    """An unpacked bundle, to be used as a zip is."""

    def __init__(self, path):
        # type: (str) -> None
        self._path = path
        self._files = {}  # type: dict[str, str]
        self.problems = []  # type: list[str]
        self._walk("")

    def __enter__(self):
        # type: () -> Folder
        return self

    def __exit__(self, *error):
        # type: (object) -> None
        """Nothing stays open."""

    def _walk(self, prefix):
        # type: (str) -> None
        with os.scandir(os.path.join(self._path, prefix)) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                self._walk(name + "/")
                continue
            if not entry.is_file(follow_symlinks=False):
                self.problems.append("{}: it is a link or no file".format(shown(name)))
            self._files[name] = entry.path

    def names(self):
        # type: () -> list[str]
        """The members, sorted."""
        return list(self._files)

    def is_plain(self, name):
        # type: (str) -> bool
        """Whether a member is stored, and no program: unpacking loses the first, may lose both."""
        return name in self._files

    def is_program(self, name):
        # type: (str) -> bool
        """Whether a member can be run."""
        return bool(os.stat(self._files[name]).st_mode & stat.S_IXUSR)

    def size(self, name):
        # type: (str) -> int
        """The size of a member in bytes."""
        return os.stat(self._files[name]).st_size

    def pieces(self, name):
        # type: (str) -> Iterator[bytes]
        """A member, piece by piece. Raises DamagedError and OSError."""
        if not os.path.isfile(self._files[name]) or os.path.islink(self._files[name]):
            raise DamagedError("it is a link or no file")
        with open(self._files[name], "rb") as file:
            for piece in iter(lambda: file.read(CHUNK), b""):
                yield piece


def opened(path):
    # type: (str) -> Archive | Folder
    """The bundle at a path. Raises OSError, and BundleError where it has no members."""
    return Folder(path) if os.path.isdir(path) else Archive(path)


def content(container, name):
    # type: (Archive | Folder, str) -> bytes
    """A member as bytes. Raises DamagedError."""
    return b"".join(container.pieces(name))
