"""Wheels that are built here: of the project, of trees and of source archives.

Each is checked, and written again reproducibly, with nothing of this machine in it.
"""

from __future__ import annotations

import base64
import calendar
import hashlib
import json
import platform
import sysconfig
import tempfile
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from wheeltarget.core.errors import (
    FileSystemError,
    IntegrityError,
    NetworkError,
    PlanError,
    Problem,
)
from wheeltarget.core.manifest import git_address
from wheeltarget.core.metadata import Metadata, MetadataError, localise, read_metadata
from wheeltarget.core.model import Digest
from wheeltarget.core.report import origin
from wheeltarget.core.wheelname import (
    MalformedWheelNameError,
    UnsafeFileNameError,
    WheelName,
    parse_wheel_name,
)
from wheeltarget.io.archive import ArchiveMember, write_archive, zip_time
from wheeltarget.io.backend import BuildLogError, NeedsNetworkError, run_backend, unpacked
from wheeltarget.io.cache import HashMismatchError, Stored, read_verified, writing
from wheeltarget.io.index import Wanted
from wheeltarget.io.wheelcheck import UNREADABLE, metadata_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from wheeltarget.core.model import LockedFile, LockedPackage, Project, Source
    from wheeltarget.core.plan import ToBuild
    from wheeltarget.io.archive import ZipTime
    from wheeltarget.io.backend import Step
    from wheeltarget.io.wheels import Supply

_CHUNK = 1024 * 1024
#: Version of what is remembered of builds; another one is as if nothing had been built.
_FORM = 1


@dataclass(frozen=True, kw_only=True)
class RawWheel:
    """A wheel as its backend made it."""

    name: WheelName
    path: Path
    metadata: Metadata


@dataclass(frozen=True, kw_only=True)
class Builder:
    """Builds what has no wheel.

    ``root`` is the project's folder, ``folder`` a scratch one. ``checkout`` gives the tree of a
    locked git source in a folder. ``epoch`` is what backends see as SOURCE_DATE_EPOCH, clamped to
    what a zip can say. ``in_place`` says that building the project leaves nothing in its folder.
    ``tell`` is told of each package that is built.
    """

    project: Project
    root: Path
    folder: Path
    supply: Supply
    checkout: Callable[[LockedPackage, Path], Path]
    moment: ZipTime
    epoch: str
    offline: bool
    in_place: bool
    tell: Callable[[str], None]
    _recalled: dict[str, RawWheel] = field(default_factory=dict)
    _finished: dict[tuple[Path, tuple[str, ...]], Stored] = field(default_factory=dict)

    # --- building ---------------------------------------------------------------------------

    def own(self) -> RawWheel:
        """The wheel of the project. Raises PlanError or IntegrityError."""
        steps: tuple[Step, ...] = ("wheel",) if self.in_place else ("sdist", "wheel")
        try:
            raw = self._build(self.root, steps)
        except BuildLogError as error:
            raise _failure(
                error,
                Problem(
                    what=f"building the project's own wheel failed:\n{error}",
                    package=f"{self.project.name} {self.project.version}",
                    hint="see what `poetry build` says, or leave it out with --no-root",
                ),
            ) from error
        if (raw.name.name, raw.name.version) != (self.project.name, self.project.version):
            raise IntegrityError(
                Problem(
                    what=f"the project is {self.project.name} {self.project.version}, but its "
                    f"build backend gave {raw.name.filename}",
                    hint="make the version of the backend and that of pyproject.toml agree",
                )
            )
        return raw

    def package(self, entry: ToBuild) -> RawWheel:
        """The wheel of a locked package, from its source.

        Raises PlanError, IntegrityError, NetworkError or FileSystemError.
        """
        key = self._key(entry)
        if key in self._recalled:
            return self._recalled[key]
        self.tell(f"Building {entry.package} from {origin(entry)}")
        try:
            if entry.package.source.kind == "directory":
                return self._build(self._directory(entry.package), ("sdist", "wheel"))
            return self._build(self._tree(entry), ("wheel",))
        except BuildLogError as error:
            raise _failure(
                error,
                Problem(
                    what=f"building {entry.package} failed:\n{error}",
                    package=str(entry.package),
                    file=entry.file.name if entry.file else None,
                    hint="it may need a compiler or a library that this machine lacks; a release "
                    "that has a wheel needs neither",
                ),
            ) from error

    def _directory(self, package: LockedPackage) -> Path:
        tree = self.root / (package.source.url or "")
        if any((tree / name).is_file() for name in ("pyproject.toml", "setup.py")):
            return tree
        raise FileSystemError(
            Problem(
                what=f"the folder {package.source.url} of {package} is missing, or holds no Python "
                "project",
                package=str(package),
                file=package.source.url,
                hint="put it where pyproject.toml says, or correct the path and run `poetry lock`",
            )
        )

    def _build(self, tree: Path, steps: tuple[Step, ...]) -> RawWheel:
        out = Path(tempfile.mkdtemp(dir=self.folder))
        seconds = str(calendar.timegm(zip_time(self.epoch)))
        built = run_backend(tree, out, epoch=seconds, offline=self.offline, steps=steps)
        return raw_wheel(built)

    # --- from what does not change: built once ----------------------------------------------

    def prepare(self, entries: Sequence[ToBuild]) -> None:
        """Find what was built before, and get the archives of all else together.

        Raises what the supply does, and NetworkError for repositories where it is forbidden.
        """
        for entry in entries:
            key = self._key(entry)
            if entry.package.source.kind != "directory" and (raw := self._recall(key)) is not None:
                self._recalled[key] = raw
        rest = [entry for entry in entries if self._key(entry) not in self._recalled]
        repositories = [entry for entry in rest if entry.package.source.kind == "git"]
        if self.offline and repositories:
            raise NetworkError(*(_offline_problem(entry) for entry in repositories))
        self.supply.obtain([_wanted(entry, entry.file) for entry in rest if entry.file])

    def keep(self, entry: ToBuild, raw: RawWheel) -> None:
        """Remember a wheel that has turned out to be what it must be."""
        key = self._key(entry)
        if entry.package.source.kind == "directory" or key in self._recalled:
            return
        digest = Digest("sha256", _sha256(raw.path))
        with raw.path.open("rb") as file:
            self.supply.cache.add(digest, iter(lambda: file.read(_CHUNK), b""))
        record = {"file": raw.name.filename, "sha256": digest.hex}
        self.supply.cache.remember(key, json.dumps(record))
        self._recalled[key] = raw

    def _key(self, entry: ToBuild) -> str:
        """What decides what a build gives, as far as it can be known beforehand."""
        source = entry.package.source
        facts = {
            "form": _FORM,
            "source": str(entry.file.digest) if entry.file else [source.url, source.commit],
            "subdirectory": source.subdirectory,
            "python": [platform.python_implementation(), platform.python_version()],
            "abi": sysconfig.get_config_var("EXT_SUFFIX"),
            "platform": [sysconfig.get_platform(), *platform.libc_ver()],
            "epoch": self.epoch,
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def _recall(self, key: str) -> RawWheel | None:
        text = self.supply.cache.recall(key)
        if text is None:
            return None
        try:
            record = json.loads(text)
            filename, digest = str(record["file"]), Digest("sha256", str(record["sha256"]))
            stored = self.supply.cache.find(digest)
            if stored is None:
                return None
            path = Path(tempfile.mkdtemp(dir=self.folder)) / parse_wheel_name(filename).filename
            path.write_bytes(b"".join(read_verified(stored)))
            return raw_wheel(path)
        except (ValueError, LookupError, TypeError, IntegrityError, HashMismatchError):
            return None  # whatever is wrong with the cache, building anew mends it

    def _tree(self, entry: ToBuild) -> Path:
        package = entry.package
        out = Path(tempfile.mkdtemp(dir=self.folder))
        if entry.file is None:
            tree = self.checkout(package, out)
        else:
            archive = out / entry.file.name
            archive.write_bytes(self._archive(_wanted(entry, entry.file)))
            tree = unpacked(archive, out / "source")
        return _within(tree, package.source)

    def _archive(self, wanted: Wanted) -> bytes:
        """The verified archive; one that is damaged in the cache is fetched once more."""
        for last in (False, True):
            stored = self.supply.obtain([wanted])[wanted.digest]
            try:
                return b"".join(read_verified(stored))
            except HashMismatchError as error:
                self.supply.cache.discard(wanted.digest)
                if last:
                    raise IntegrityError(
                        Problem(
                            what=f"the cache gives back other bytes of {wanted.file.name} than "
                            "were written into it",
                            package=str(wanted.package),
                            file=wanted.file.name,
                            hint="check the disk, or use --no-cache",
                        )
                    ) from error
        raise AssertionError  # the last round returns or raises

    # --- finishing --------------------------------------------------------------------------

    def finish(self, raw: RawWheel, versions: Mapping[NormalizedName, Version]) -> Stored:
        """The wheel as it goes into a bundle with these versions.

        Members are sorted, with one time, plain permissions and no compression; direct references
        to other packages are replaced by their versions.
        """
        direct = [canonicalize_name(each.name) for each in raw.metadata.requires if each.url]
        known = tuple(str(versions.get(name)) for name in direct)
        if (raw.path, known) not in self._finished:
            path = Path(tempfile.mkdtemp(dir=self.folder)) / raw.name.filename
            _write_again(raw, path, self.moment, versions if direct else None)
            self._finished[raw.path, known] = _stored(path)
        return self._finished[raw.path, known]


def _failure(error: BuildLogError, problem: Problem) -> PlanError | NetworkError:
    if isinstance(error, NeedsNetworkError):
        return NetworkError(replace(problem, hint="run once without --offline"))
    return PlanError(problem)


def _wanted(entry: ToBuild, file: LockedFile) -> Wanted:
    assert file.digest is not None
    return Wanted(package=entry.package, file=file, digest=file.digest)


def _offline_problem(entry: ToBuild) -> Problem:
    return Problem(
        what=f"{entry.package} has not been built before, and --offline forbids to fetch its "
        f"repository {git_address(entry.package.source.url or '')}",
        package=str(entry.package),
        hint="run once without --offline",
    )


def _within(tree: Path, source: Source) -> Path:
    inside = (tree / (source.subdirectory or "")).resolve()
    if not inside.is_relative_to(tree.resolve()) or not inside.is_dir():
        raise BuildLogError(f"    its source has no folder {source.subdirectory}")
    return inside


def _stored(path: Path) -> Stored:
    return Stored(path=path, digest=Digest("sha256", _sha256(path)), size=path.stat().st_size)


def _sha256(path: Path) -> str:
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            hasher.update(chunk)
    return hasher.hexdigest()


# --- what a backend gave ----------------------------------------------------------------------


def raw_wheel(path: Path) -> RawWheel:
    """Read what a backend made. Raises IntegrityError where that is no wheel."""
    try:
        name = parse_wheel_name(path.name)
        with zipfile.ZipFile(path) as archive:
            metadata = read_metadata(archive.read(metadata_name(archive)).decode())
    except (MalformedWheelNameError, UnsafeFileNameError) as error:
        what = f"the build backend gave {path.name!r}, no wheel: {error}"
        raise IntegrityError(Problem(what=what, hint=_BROKEN)) from error
    except (*UNREADABLE, MetadataError, UnicodeDecodeError, OSError) as error:
        raise IntegrityError(_broken(path, error)) from error
    return RawWheel(name=name, path=path, metadata=metadata)


_BROKEN = "it is for the authors of the backend, or of its configuration in the source, to mend"


def _broken(path: Path, error: Exception) -> Problem:
    return Problem(
        what=f"the build backend gave {path.name}, which is broken: {error}",
        file=path.name,
        hint=_BROKEN,
    )


def _write_again(
    raw: RawWheel,
    path: Path,
    moment: ZipTime,
    versions: Mapping[NormalizedName, Version] | None,
) -> None:
    """The wheel reproducibly; with ``versions`` its METADATA localised and its RECORD made anew.

    What a backend writes depends on its zlib, on file permissions and on the file system's order.
    """
    try:
        with zipfile.ZipFile(raw.path) as wheel, writing(path), path.open("xb") as out:
            infos = sorted((info for info in wheel.infolist() if not info.is_dir()), key=_order)
            replaced: Mapping[str, bytes] = {}
            if versions is not None:
                # A signature of RECORD is void once RECORD is another.
                infos = [info for info in infos if not info.filename.endswith(_SIGNATURES)]
                replaced = _localised(wheel, infos, versions)
            write_archive(out, (_member(wheel, info, replaced) for info in infos), moment)
    except UNREADABLE as error:
        raise IntegrityError(_broken(raw.path, error)) from error


def _localised(
    wheel: zipfile.ZipFile,
    infos: list[zipfile.ZipInfo],
    versions: Mapping[NormalizedName, Version],
) -> Mapping[str, bytes]:
    metadata = metadata_name(wheel)
    folder = metadata.removesuffix("METADATA")
    record = folder + "RECORD"
    text = localise(wheel.read(metadata).decode(), versions).encode()
    left = [str(each) for each in read_metadata(text.decode()).requires if each.url]
    assert not left, left
    lines = []
    for info in infos:
        data = text if info.filename == metadata else wheel.read(info)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append((info.filename, f"sha256={digest}", str(len(data))))
    rows = [row if row[0] != record else (record, "", "") for row in lines]
    return {metadata: text, record: "".join(f"{_csv(*row)}\n" for row in rows).encode()}


_SIGNATURES = (".dist-info/RECORD.jws", ".dist-info/RECORD.p7s")


def _csv(name: str, digest: str, size: str) -> str:
    quoted = '"' + name.replace('"', '""') + '"' if set(name) & set(',"\r\n') else name
    return f"{quoted},{digest},{size}"


def _order(info: zipfile.ZipInfo) -> tuple[bool, bool, str]:
    # The specification recommends .dist-info at the end; RECORD, which speaks of all, last.
    metadata = info.filename.split("/")[0].endswith(".dist-info")
    return metadata, info.filename.endswith("/RECORD"), info.filename


def _member(
    wheel: zipfile.ZipFile, info: zipfile.ZipInfo, replaced: Mapping[str, bytes]
) -> ArchiveMember:
    def content() -> Iterator[bytes]:
        if info.filename in replaced:
            yield replaced[info.filename]
            return
        with wheel.open(info) as member:
            yield from iter(lambda: member.read(_CHUNK), b"")

    size = len(replaced[info.filename]) if info.filename in replaced else info.file_size
    executable = bool(info.external_attr >> 16 & 0o111)
    return ArchiveMember(name=info.filename, size=size, content=content, executable=executable)
