"""A wheel as :mod:`installer` takes it, whatever its file is called on disk."""

from __future__ import annotations

import configparser
from typing import TYPE_CHECKING, BinaryIO, cast

from installer.sources import WheelSource
from installer.utils import parse_entrypoints, parse_wheel_filename
from packaging.utils import canonicalize_name

from wheeltarget.core.sizes import human_size
from wheeltarget.core.tree import OF_AN_INSTALLATION, check_member_path
from wheeltarget.io.wheelzip import MemberReader, read_members

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.utils import NormalizedName

    from wheeltarget.core.wheelname import WheelName

#: What is read whole: WHEEL and entry_points.txt have some kB (bytes).
_TEXT_SIZE = 4 * 1024 * 1024
_ENTRY_POINTS = "entry_points.txt"


class OpenWheel(WheelSource):
    """A wheel in an open file.

    Every method raises ValueError with the reason where it is no wheel that can be installed.
    Streams of :meth:`get_contents` are :class:`MemberReader`.
    """

    def __init__(self, file: BinaryIO, name: WheelName) -> None:
        parsed = parse_wheel_filename(name.filename)
        super().__init__(parsed.distribution, parsed.version)
        self._file = file
        self._members = {member.path: member for member in read_members(file)}
        self._dist_info = self._folder(".dist-info", name.name)
        self._data = self._data_folder()
        self._check_entry_points()

    @property
    def dist_info_dir(self) -> str:
        """The folder as the wheel spells it."""
        return self._dist_info

    @property
    def data_dir(self) -> str:
        """The folder as the wheel spells it; what it would be called where there is none."""
        return self._data

    @property
    def dist_info_filenames(self) -> list[str]:
        """What is in the dist-info folder."""
        start = f"{self._dist_info}/"
        return [path.removeprefix(start) for path in self._members if path.startswith(start)]

    def read_dist_info(self, filename: str) -> str:
        """The text of a file in it."""
        member = self._members.get(f"{self._dist_info}/{filename}")
        if member is None:
            raise ValueError(f"it has no {filename}")
        if member.size > _TEXT_SIZE:
            raise ValueError(f"its {filename} is larger than {human_size(_TEXT_SIZE)}")
        data = b"".join(MemberReader(self._file, member).chunks())
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"its {filename} is not UTF-8: {error}") from error

    def validate_record(self) -> None:
        """Nothing: the file's own hash is verified, and RECORD is written anew."""

    def get_contents(self) -> Iterator[tuple[tuple[str, str, str], BinaryIO, bool]]:
        """All files that belong into an installation."""
        for path, member in self._members.items():
            folder, _, filename = path.rpartition("/")
            if folder == self._dist_info and filename in OF_AN_INSTALLATION:
                continue
            # Bytecode is made for the target, or not at all.
            if "__pycache__" in folder.split("/"):
                continue
            if folder == self._data or folder.startswith(f"{self._data}/"):
                self._check_scheme(path)
            stream = cast("BinaryIO", MemberReader(self._file, member))
            yield (path, "", ""), stream, member.executable

    def _check_scheme(self, path: str) -> None:
        if path.removeprefix(f"{self._data}/").count("/") == 0:
            raise ValueError(f"its member {path!r} is in no folder of an installation scheme")

    def _folder(self, suffix: str, name: NormalizedName) -> str:
        """The one folder at the root with that ending, which must be the project's."""
        folders = self._roots(suffix)
        if len(folders) != 1:
            raise ValueError(f"it has {len(folders)} {suffix} folders instead of one")
        project, _, _ = folders[0].removesuffix(suffix).rpartition("-")
        if canonicalize_name(project) != name:
            raise ValueError(f"its {suffix} folder is of another project: {folders[0]!r}")
        return folders[0]

    def _data_folder(self) -> str:
        stem = self._dist_info.removesuffix(".dist-info")
        same = canonicalize_name(stem)
        own = [
            root
            for root in self._roots(".data")
            if canonicalize_name(root.removesuffix(".data")) == same
        ]
        if len(own) > 1:
            raise ValueError(f"it has {len(own)} .data folders instead of one")
        return own[0] if own else f"{stem}.data"

    def _roots(self, suffix: str) -> list[str]:
        roots = dict.fromkeys(path.partition("/")[0] for path in self._members if "/" in path)
        return [root for root in roots if root.endswith(suffix)]

    def _check_entry_points(self) -> None:
        """Installer asserts that entry points are well-formed, and takes any name of a script."""
        if _ENTRY_POINTS not in self.dist_info_filenames:
            return
        try:
            points = list(parse_entrypoints(self.read_dist_info(_ENTRY_POINTS)))
        except (AssertionError, AttributeError, configparser.Error) as error:
            raise ValueError(f"its {_ENTRY_POINTS} cannot be read") from error
        for name, *_ in points:
            if "/" in name:
                raise ValueError(f"its entry point {name!r} cannot be the name of a file")
            check_member_path(name)
