"""Wheels that are built here: of the project, of trees and of source archives.

Each is checked, and written again reproducibly, with nothing of this machine in it.
"""

from __future__ import annotations

import calendar
import hashlib
import json
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
from wheeltarget.core.metadata import Metadata, MetadataError, read_metadata
from wheeltarget.core.model import Digest
from wheeltarget.core.report import origin
from wheeltarget.core.wheelname import (
    MalformedWheelNameError,
    UnsafeFileNameError,
    WheelName,
    parse_wheel_name,
)
from wheeltarget.io.archive import zip_time
from wheeltarget.io.backend import BuildLogError, OfflineBuildError, run_backend, unpacked
from wheeltarget.io.cache import HashMismatchError, Stored, read_verified, sha256_of_file
from wheeltarget.io.index import Wanted
from wheeltarget.io.rewrite import BROKEN_HINT, broken_wheel, write_again
from wheeltarget.io.tools import Toolbox, Tools, machine
from wheeltarget.io.wheelcheck import UNREADABLE, metadata_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from wheeltarget.core.model import LockedFile, LockedPackage, Project, Source
    from wheeltarget.core.plan import ToBuild
    from wheeltarget.io.archive import ZipTime
    from wheeltarget.io.backend import Step
    from wheeltarget.io.wheels import Supply

_CHUNK = 1024 * 1024
#: Version of what is remembered of builds; another one is as if nothing had been built.
_FORM = 2


@dataclass(frozen=True, kw_only=True)
class RawWheel:
    """A wheel as its backend made it, with the help of ``tools``."""

    name: WheelName
    path: Path
    metadata: Metadata
    tools: Tools


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
        made = run_backend(tree, out, epoch=seconds, toolbox=self._toolbox, steps=steps)
        return raw_wheel(made.wheel, made.tools)

    @property
    def _toolbox(self) -> Toolbox:
        return Toolbox(cache=self.supply.cache, folder=self.folder, offline=self.offline)

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
        record = {
            "file": raw.name.filename,
            "sha256": self.supply.cache.add_file(raw.path).hex,
            "requires": raw.tools.requires,
            "versions": raw.tools.versions,
        }
        self.supply.cache.remember(key, json.dumps(record))
        self._recalled[key] = raw

    def _key(self, entry: ToBuild) -> str:
        """What decides what a build gives, but for what its backend asks for, which it will say."""
        source = entry.package.source
        facts = {
            "form": _FORM,
            "source": str(entry.file.digest) if entry.file else [source.url, source.commit],
            "subdirectory": source.subdirectory,
            "epoch": self.epoch,
            **machine(),
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def _recall(self, key: str) -> RawWheel | None:
        """What was built before, if what would build it now is of the same versions."""
        text = self.supply.cache.recall(key)
        if text is None:
            return None
        try:
            record = json.loads(text)
            tools = Tools(requires=tuple(record["requires"]), versions=dict(record["versions"]))
            # Where only an index could tell, it is not asked: a second run needs no network.
            if self._toolbox.versions(tools.requires) not in (None, tools.versions):
                return None
            name = parse_wheel_name(str(record["file"]))
            path = Path(tempfile.mkdtemp(dir=self.folder)) / name.filename
            self.supply.cache.give(Digest("sha256", str(record["sha256"])), path)
            return raw_wheel(path, tools)
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
            write_again(raw.path, path, self.moment, versions if direct else None)
            self._finished[raw.path, known] = _stored(path)
        return self._finished[raw.path, known]


def _failure(error: BuildLogError, problem: Problem) -> PlanError | NetworkError:
    if isinstance(error, OfflineBuildError):
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
    return Stored(
        path=path, digest=Digest("sha256", sha256_of_file(path)), size=path.stat().st_size
    )


# --- what a backend gave ----------------------------------------------------------------------


def raw_wheel(path: Path, tools: Tools) -> RawWheel:
    """Read what a backend made. Raises IntegrityError where that is no wheel."""
    try:
        name = parse_wheel_name(path.name)
        with zipfile.ZipFile(path) as archive:
            metadata = read_metadata(archive.read(metadata_name(archive)).decode())
    except (MalformedWheelNameError, UnsafeFileNameError) as error:
        what = f"the build backend gave {path.name!r}, no wheel: {error}"
        raise IntegrityError(Problem(what=what, hint=BROKEN_HINT)) from error
    except (*UNREADABLE, MetadataError, UnicodeDecodeError, OSError) as error:
        raise IntegrityError(broken_wheel(path, error)) from error
    return RawWheel(name=name, path=path, metadata=metadata, tools=tools)
