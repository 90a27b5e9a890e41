"""``poetry.lock``, parsed TOML in, :class:`Lock` out.

Here is what all formats have in common, and format 2.1; :mod:`wheeltarget.core.oldlock` has what
only the older ones have. The lock is data from outside: every value is checked for its type, and
every file name for harm, before anything else sees it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from packaging.utils import canonicalize_name
from packaging.version import Version

from wheeltarget.core.errors import LockError, Problem
from wheeltarget.core.markers import any_of, parse_marker
from wheeltarget.core.model import Digest, Lock, LockedFile, LockedPackage, Source
from wheeltarget.core.typed import KeyPathError, as_type, get, get_array, join, need
from wheeltarget.core.wheelname import (
    MalformedWheelNameError,
    UnsafeFileNameError,
    WheelName,
    check_file_name,
    contradicts_package,
    is_wheel_name,
    parse_wheel_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Literal

    from packaging.utils import NormalizedName

    from wheeltarget.core.markers import BaseMarker
    from wheeltarget.core.model import Gap, RootRequirement

#: The lock formats that are read; see the reference on locks.
SUPPORTED_FORMATS = ("1.1", "2.0", "2.1")
FORMAT_WITH_MARKERS = "2.1"
RELOCK = "run `poetry lock` with Poetry 2 to write the lock anew"
UPGRADE = (
    "run `poetry lock` with a Poetry that writes one of these formats, or install a newer "
    "poetry-plugin-wheeltarget"
)

_KINDS = {
    "legacy": "index",
    "directory": "directory",
    "file": "file",
    "git": "git",
    "url": "url",
}


#: A project's name (core metadata specification, "Name"); it also stands in URLs and messages.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


#: A commit of git, by SHA-1 or SHA-256.
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class ContradictionError(ValueError):
    """A file entry that contradicts another one, or the package that it stands in."""


class NewerFormatError(KeyPathError):
    """A format that did not exist when this was written."""


def read_lock(raw: Mapping[str, object], roots: Iterable[RootRequirement] = ()) -> Lock:
    """Read a parsed lock.

    ``roots`` is what the project wants. Format 2.1 says itself which packages apply; for an older
    one it follows from them.

    Raises LockError: the format is not one of SUPPORTED_FORMATS, a value is not what the format
    says, or a file name is hostile. All hostile or contradicting file names are listed.
    """
    problems: list[Problem] = []
    try:
        version, content_hash = _check_format(raw)
        packages = [
            as_type(entry, dict, f"package[{index}]")
            for index, entry in enumerate(
                need(raw, "package", list, "poetry.lock") if "package" in raw else []
            )
        ]
        if version == FORMAT_WITH_MARKERS:
            gaps: tuple[Gap, ...] = ()
            read = tuple(
                _read_package(entry, index, problems) for index, entry in enumerate(packages)
            )
        else:
            # Imported here: few locks are that old, and none of the newer ones needs the walk.
            from wheeltarget.core.oldlock import read_old_packages

            read, gaps = read_old_packages(raw, packages, roots, problems)
    except KeyPathError as error:
        hint = UPGRADE if isinstance(error, NewerFormatError) else RELOCK
        raise LockError(Problem(what=f"poetry.lock: {error}", hint=hint)) from error
    if problems:
        raise LockError(*problems)
    return Lock(packages=read, content_hash=content_hash, gaps=gaps)


def _check_format(raw: Mapping[str, object]) -> tuple[str, str]:
    """The format and the content hash."""
    metadata = need(raw, "metadata", dict, "poetry.lock")
    version = need(metadata, "lock-version", str, "metadata")
    if version not in SUPPORTED_FORMATS:
        older = version.startswith(("0.", "1.0"))
        raise (KeyPathError if older else NewerFormatError)(
            "metadata.lock-version",
            f"format {version} is {'older' if older else 'newer'} than this version of "
            f"wheeltarget reads ({', '.join(SUPPORTED_FORMATS)})",
        )
    return version, need(metadata, "content-hash", str, "metadata")


def _read_package(raw: Mapping[str, object], index: int, problems: list[Problem]) -> LockedPackage:
    name, version = read_identity(raw, index)
    path = f"package {name}"
    source = read_source(raw, path)
    return LockedPackage(
        name=name,
        version=version,
        markers=_read_markers(raw, path),
        files=read_files(
            need(raw, "files", list, path), join(path, "files"), name, version, source, problems
        ),
        source=source,
        requires=get(raw, "dependencies", dict, path) or {},
    )


def read_identity(raw: Mapping[str, object], index: int) -> tuple[NormalizedName, Version]:
    """Name and version of the package at a place of the lock."""
    path = f"package[{index}]"
    name = read_name(need(raw, "name", str, path), join(path, "name"))
    path = f"package {name}"
    return name, _version(need(raw, "version", str, path), join(path, "version"))


def read_name(text: str, path: str) -> NormalizedName:
    """The normalised name of a package."""
    if not _NAME.fullmatch(text):
        raise KeyPathError(path, f"{text!r} is not the name of a package")
    return canonicalize_name(text)


def _version(text: str, path: str) -> Version:
    try:
        return Version(text)
    except ValueError:  # InvalidVersion, or more digits than int() takes
        raise KeyPathError(path, f"{text!r} is not a version") from None


def _read_markers(raw: Mapping[str, object], path: str) -> Mapping[NormalizedName, BaseMarker]:
    groups = get_array(raw, "groups", str, path)
    if groups is None:
        raise KeyPathError(join(path, "groups"), "is missing")
    markers = raw.get("markers", "")
    if isinstance(markers, dict):
        texts = {
            group: as_type(markers.get(group, ""), str, join(join(path, "markers"), group))
            for group in groups
        }
    else:
        text = as_type(markers, str, join(path, "markers"))
        texts = dict.fromkeys(groups, text)
    read: dict[NormalizedName, BaseMarker] = {}
    for group, text in texts.items():
        # Two spellings of one group are one group.
        name, marker = canonicalize_name(group), read_marker(text, join(path, "markers"))
        read[name] = any_of([read[name], marker]) if name in read else marker
    return read


def read_marker(text: str, path: str) -> BaseMarker:
    """A marker from its text."""
    try:
        return parse_marker(str(text))
    except Exception as error:  # the parser's own errors have no common root
        raise KeyPathError(path, f"{text!r} is not a marker: {error}") from error


def read_source(raw: Mapping[str, object], path: str) -> Source:
    """Where the lock says that a package comes from."""
    source = get(raw, "source", dict, path)
    if source is None:
        return Source()
    path = join(path, "source")
    kind = need(source, "type", str, path)
    if kind not in _KINDS:
        raise KeyPathError(join(path, "type"), f"unknown kind of source {kind!r}")
    read = Source(
        kind=cast("Literal['index', 'directory', 'file', 'git', 'url']", _KINDS[kind]),
        url=need(source, "url", str, path),
        reference=get(source, "reference", str, path),
        commit=get(source, "resolved_reference", str, path),
        subdirectory=get(source, "subdirectory", str, path),
    )
    if kind == "git" and not _COMMIT.fullmatch(read.commit or ""):
        raise KeyPathError(
            join(path, "resolved_reference"), "must be the full hash of a commit, which is built"
        )
    return read


def read_files(
    raw: Iterable[object],
    path: str,
    name: NormalizedName,
    version: Version,
    source: Source,
    problems: list[Problem],
) -> tuple[LockedFile, ...]:
    """The files of a package; those with a name that is refused are added to ``problems``."""
    files: dict[str, LockedFile] = {}
    for index, entry in enumerate(raw):
        item_path = f"{path}[{index}]"
        item = as_type(entry, dict, item_path)
        filename = str(need(item, "file", str, item_path))
        hash_text = get(item, "hash", str, item_path)
        try:
            file = _read_file(filename, hash_text)
            # Archives at a URL or in a folder are named as their owner likes.
            free = file.wheel is None and source.kind in {"url", "file"}
            if not free and belongs_elsewhere(filename, file.wheel, name, version):
                raise ContradictionError("it is the name of another project or version")
            _check_repeated(files.setdefault(filename, file), file)
        except (UnsafeFileNameError, ContradictionError) as error:
            problems.append(
                Problem(
                    what=f"poetry.lock: the file name {filename!r} is refused: {error}",
                    package=f"{name} {version}",
                    file=repr(filename)[1:-1],
                    hint=f"the lock may have been tampered with; {RELOCK}",
                )
            )
    return tuple(files.values())


def _check_repeated(first: LockedFile, again: LockedFile) -> None:
    if first.digest != again.digest:
        raise ContradictionError("it stands in the lock with two hashes")


def _read_file(filename: str, hash_text: str | None) -> LockedFile:
    check_file_name(filename)
    digest, distrust = _digest(hash_text)
    wheel: WheelName | None = None
    malformed = None
    if is_wheel_name(filename):
        try:
            wheel = parse_wheel_name(filename)
        except MalformedWheelNameError as error:
            malformed = str(error)
    return LockedFile(
        name=filename,
        digest=digest,
        distrust=distrust,
        wheel=wheel,
        malformed=malformed,
    )


def belongs_elsewhere(
    filename: str, wheel: WheelName | None, name: NormalizedName, version: Version
) -> bool:
    """Whether a file's name says that it is of another project or version."""
    if wheel is None:
        return contradicts_package(filename, name, version)
    return (wheel.name, wheel.version) != (name, version)


def _digest(text: str | None) -> tuple[Digest | None, str | None]:
    if text is None:
        return None, "the lock holds no hash for it"
    try:
        return Digest.parse(text), None
    except ValueError as error:
        return None, f"the lock's hash cannot be trusted: {error}"
