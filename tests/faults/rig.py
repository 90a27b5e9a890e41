"""The real use case, from Poetry's own pool to the bundle, with a server of the tests for an index.

    rig = Rig(tmp_path, index)
    rig.bundle(locked(wheel))

Nothing is replaced but the waits between attempts, which are noted in ``rig.waits``.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version
from poetry.config.config import Config
from poetry.repositories.legacy_repository import LegacyRepository
from poetry.repositories.pypi_repository import PyPiRepository
from poetry.repositories.repository import Repository
from poetry.repositories.repository_pool import RepositoryPool

from support.index import IndexServer
from support.wheels import BuiltWheel, build_wheel
from wheeltarget.bundle.usecase import bundle_all
from wheeltarget.bundle.workshop import Workshop
from wheeltarget.core.errors import Problem, WheeltargetError
from wheeltarget.core.limits import DEFAULT_LIMITS, Limits
from wheeltarget.core.markers import parse_marker
from wheeltarget.core.model import Digest, Lock, LockedFile, LockedPackage, Project, Source
from wheeltarget.core.plan import ToBuild
from wheeltarget.core.report import Report, problem_lines
from wheeltarget.core.request import Request, check_plans, plan_all
from wheeltarget.core.resolve import TargetSettings
from wheeltarget.core.spec import complete, parse_spec
from wheeltarget.core.target import PythonVersion
from wheeltarget.core.wheelname import parse_wheel_name
from wheeltarget.io.archive import zip_time
from wheeltarget.io.build import RawWheel
from wheeltarget.io.cache import Cache, Stored
from wheeltarget.io.index import Wanted
from wheeltarget.io.wheels import Supply
from wheeltarget.plugin.sources import Indexes

#: A wheel that most tests can do with.
WHEEL = build_wheel("foo", "1.0")
TARGET = complete(parse_spec("manylinux2014_x86_64"), PythonVersion(3, 11))
#: As long as on a good day, with fewer attempts: a test waits for none of it.
LIMITS = replace(DEFAULT_LIMITS, attempts=3, connect_timeout=5.0, read_timeout=5.0)


PYPI = Source()


def locked(
    *wheels: BuiltWheel, source: Source = PYPI, digests: Mapping[str, Digest] | None = None
) -> LockedPackage:
    """A locked package with these wheels, which are of one version; ``digests`` to lie."""
    names = [parse_wheel_name(wheel.filename) for wheel in wheels]
    return LockedPackage(
        name=names[0].name,
        version=names[0].version,
        markers={canonicalize_name("main"): parse_marker("")},
        files=tuple(
            LockedFile(
                name=wheel.filename,
                digest=(digests or {}).get(wheel.filename, Digest("sha256", wheel.sha256)),
                wheel=name,
            )
            for wheel, name in zip(wheels, names, strict=True)
        ),
        source=source,
    )


def strong(wheel: BuiltWheel, algorithm: str) -> Mapping[str, Digest]:
    """The digest of a wheel by another algorithm, as ``locked`` takes it."""
    hexdigest = hashlib.new(algorithm, wheel.data).hexdigest()
    return {wheel.filename: Digest(algorithm, hexdigest)}


class Waits(threading.Event):
    """An event that notes how long it is waited for, and does not wait."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0.0)
        return self.is_set()


@dataclass
class Progress:
    """Notes what it is told."""

    begun: list[int] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    size: int = 0
    ended: int = 0

    def begin(self, files: int) -> None:
        self.begun.append(files)

    def advance(self, size: int) -> None:
        self.size += size

    def finish_file(self, name: str) -> None:
        self.finished.append(name)

    def end(self) -> None:
        self.ended += 1


def plain_network(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Forget the proxies, certificates and passwords of this machine."""
    for scheme in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme}_proxy".upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("NETRC", str(folder / "no-netrc"))


def poetry_config(root: Path, **settings: Any) -> Config:
    """Poetry's configuration without that of the user; environment variables do count."""
    config = Config()
    config.merge({"cache-dir": str(root / "poetry"), "keyring": {"enabled": False}, **settings})
    return config


def pypi_at(index: IndexServer, config: Config) -> PyPiRepository:
    """PyPI, played by the index."""
    return PyPiRepository(index.index_url.removesuffix("simple/"), config=config)


@dataclass
class Rig:
    """A pool of one or more indexes, a cache, and a place for bundles."""

    root: Path
    index: IndexServer
    repositories: tuple[Repository, ...] = ()
    #: The address of the source ``private`` as a user writes it, so maybe with a password.
    url: str = ""
    limits: Limits = LIMITS
    offline: bool = False
    workers: int = 4
    cancelled: Waits = field(default_factory=Waits)
    progress: Progress = field(default_factory=Progress)
    warnings: list[Problem] = field(default_factory=list)
    #: What ``fails`` has seen.
    failure: WheeltargetError | None = None

    @classmethod
    def private(cls, root: Path, index: IndexServer, url: str, **settings: Any) -> Rig:
        """A rig with one source named ``private``; Poetry's settings as keywords."""
        repository = LegacyRepository("private", url, config=poetry_config(root, **settings))
        return cls(root, index, (repository,), url)

    @property
    def pool(self) -> RepositoryPool:
        """Poetry's pool: the repositories given, else PyPI."""
        config = poetry_config(self.root)
        repositories = self.repositories or (pypi_at(self.index, config),)
        return RepositoryPool(list(repositories), config=config)

    @property
    def cache(self) -> Cache:
        """Where wheels are kept."""
        return Cache(self.root / "cache")

    @property
    def output(self) -> Path:
        """Where the bundle goes."""
        return self.root / "dist" / "demo.zip"

    @property
    def waits(self) -> list[float]:
        """The waits between attempts."""
        return self.cancelled.seconds

    def supply(self) -> Supply:
        """A new supply, as a new run has it."""
        return Supply(
            cache=self.cache,
            root=self.root,
            index_for=Indexes(
                pool=self.pool,
                limits=self.limits,
                cancelled=self.cancelled,
                user_agent="wheeltarget-tests",
            ),
            progress=self.progress,
            warn=self.warnings.append,
            cancelled=self.cancelled,
            workers=self.workers,
            offline=self.offline,
        )

    def obtain(self, *packages: LockedPackage) -> Mapping[Digest, Stored]:
        """Fetch every file of the packages."""
        return self.supply().obtain(wanted_of(*packages))

    def bundle(
        self, *packages: LockedPackage, output: Path | None = None, checked: bool = True
    ) -> Report:
        """Make the bundle of a project that has these packages in its lock.

        Not ``checked`` lets a plan pass that is refused before anything is fetched.
        """
        request = Request(
            project=Project(name=canonicalize_name("demo"), version=Version("0.1")),
            lock=Lock(packages=packages, content_hash="c0ffee"),
            targets=(TargetSettings(target=TARGET),),
            groups=frozenset([canonicalize_name("main")]),
            extras=frozenset(),
        )
        plans = plan_all(request)
        if checked:
            check_plans(request, plans)
        workshop = Workshop(
            supply=self.supply(),
            builder=NoBuilder(),
            generator=("wheeltarget", "0"),
            main="",
            moment=zip_time(None),
            warn=self.warnings.append,
            root=self.root,
        )
        return bundle_all(request, plans, [output or self.output], workshop)

    def fails(self, expected: type[WheeltargetError], *packages: LockedPackage) -> str:
        """Bundle over an old bundle, and see that it fails cleanly. Gives what the user reads."""
        self.output.parent.mkdir(exist_ok=True)
        self.output.write_bytes(b"the old bundle")
        with pytest.raises(WheeltargetError) as caught:
            self.bundle(*packages)
        self.failure = caught.value
        lines = "\n".join(problem_lines(caught.value.problems))
        assert type(caught.value) is expected, lines
        assert all(problem.hint for problem in caught.value.problems), lines
        assert self.output.read_bytes() == b"the old bundle"
        assert list(self.leftovers()) == []
        return lines

    def leftovers(self) -> Iterator[Path]:
        """Files that are neither the bundle nor an entry of the cache."""
        for path in self.root.rglob("*"):
            if not path.is_dir() and path != self.output and not self._is_entry(path):
                yield path

    def _is_entry(self, path: Path) -> bool:
        return path.is_relative_to(self.cache.root) and not path.name.startswith(".")


def wanted_of(*packages: LockedPackage) -> list[Wanted]:
    """Every file of the packages, as a plan would ask for it."""
    return [
        Wanted(package=package, file=file, digest=file.digest)
        for package in packages
        for file in package.files
        if file.digest is not None
    ]


class NoBuilder:
    """Nothing is to be built."""

    def own(self) -> RawWheel:
        raise AssertionError("the project has no wheel of its own")

    def prepare(self, entries: Sequence[ToBuild]) -> None:
        raise AssertionError(entries)

    def package(self, entry: ToBuild) -> RawWheel:
        raise AssertionError(entry)

    def keep(self, entry: ToBuild, raw: RawWheel) -> None:
        raise AssertionError(entry)

    def finish(self, raw: RawWheel, versions: Mapping[NormalizedName, Version]) -> Stored:
        raise AssertionError(raw)
