"""What build backends need: found beside Poetry, kept from an earlier build, or fetched by pip.

Whichever it is, it goes into an environment of its own, so that a build sees nothing else.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass, field
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from wheeltarget.core.model import Digest
from wheeltarget.core.wheelname import parse_wheel_name
from wheeltarget.io.cache import HashMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from wheeltarget.io.cache import Cache


class NeedsNetworkError(Exception):
    """What is asked for is not here, and nothing may be fetched. The text names it."""


class Environment(Protocol):
    """An isolated environment. See :class:`build.env.DefaultIsolatedEnv`."""

    @property
    def python_executable(self) -> str:
        """Its interpreter."""

    def install(self, requirements: Collection[str]) -> None:
        """Install with pip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a build asked for (PEP 508), and by name the versions that it was given."""

    requires: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbox:
    """Furnishes environments. What pip has fetched is kept in the cache.

    ``folder`` is a scratch one.
    """

    cache: Cache
    folder: Path
    offline: bool

    def versions(self, requires: Iterable[str]) -> Mapping[str, str] | None:
        """Those that a build would be given now; None where only an index could tell."""
        wanted = sorted(set(requires))
        found = beside(wanted)
        if found is not None:
            return {name: each.version for name, each in found.items()}
        kept = self._kept(wanted)
        return None if kept is None else _versions(path.name for path in kept)

    def furnish(
        self, environment: Environment, requires: Iterable[str], run: Callable[..., None]
    ) -> Mapping[str, str]:
        """Put what is asked for, and what that needs, into an environment. Gives the versions.

        ``run`` runs pip. Raises what it does, NeedsNetworkError, and CalledProcessError or
        InvalidRequirement where something cannot be installed.
        """
        wanted = sorted(set(requires))
        found = beside(wanted)
        if found is not None:
            _copy(found.values(), environment)
            return {name: each.version for name, each in found.items()}
        wheels = self._kept(wanted)
        if wheels is None:
            if self.offline:
                missing = [each for each in wanted if beside([each]) is None]
                raise NeedsNetworkError(", ".join(missing or wanted))
            wheels = self._fetched(wanted, environment, run)
        # By their paths, and all of them, so that pip has nothing to look for.
        names = [parse_wheel_name(path.name).name for path in wheels]
        environment.install(
            [f"{name} @ {path.as_uri()}" for name, path in zip(names, wheels, strict=True)]
        )
        return _versions(path.name for path in wheels)

    def _fetched(
        self, wanted: Sequence[str], environment: Environment, run: Callable[..., None]
    ) -> list[Path]:
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        # The environment has a pip of its own only if there is none beside Poetry.
        here = importlib.util.find_spec("pip") is not None
        python = sys.executable if here else environment.python_executable
        pip = [python, "-m", "pip", "wheel", "--no-input", "--disable-pip-version-check"]
        run([*pip, "--quiet", "--wheel-dir", str(folder), *wanted])
        wheels = sorted(folder.glob("*.whl"))
        kept = {wheel.name: self.cache.add_file(wheel).hex for wheel in wheels}
        self.cache.remember(_key(wanted), json.dumps(kept))
        return wheels

    def _kept(self, wanted: Sequence[str]) -> list[Path] | None:
        """The wheels of an earlier build that asked for the same."""
        text = self.cache.recall(_key(wanted))
        if text is None:
            return None
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        try:
            return [
                self._taken(str(name), str(sha256), folder)
                for name, sha256 in sorted(json.loads(text).items())
            ]
        except (ValueError, LookupError, TypeError, AttributeError, HashMismatchError):
            return None  # whatever is wrong with the cache, fetching anew mends it

    def _taken(self, filename: str, sha256: str, folder: Path) -> Path:
        path = folder / parse_wheel_name(filename).filename
        self.cache.give(Digest("sha256", sha256), path)
        return path


def _versions(filenames: Iterable[str]) -> Mapping[str, str]:
    names = map(parse_wheel_name, filenames)
    return {name.name: str(name.version) for name in names}


def machine() -> Mapping[str, object]:
    """What of this machine and interpreter decides what a build gives."""
    return {
        "python": [platform.python_implementation(), platform.python_version()],
        "abi": sysconfig.get_config_var("EXT_SUFFIX"),
        "platform": [sysconfig.get_platform(), *platform.libc_ver()],
    }


def _key(wanted: Sequence[str]) -> str:
    facts = json.dumps({"tools": list(wanted), **machine()}, sort_keys=True)
    return hashlib.sha256(facts.encode()).hexdigest()


# --- beside Poetry ----------------------------------------------------------------------------


def beside(requires: Iterable[str]) -> Mapping[NormalizedName, Distribution] | None:
    """What is installed here that satisfies requirements (PEP 508), with all that it needs.

    None where that is not all here, or cannot be copied. Raises InvalidRequirement.
    """
    found: dict[NormalizedName, Distribution] = {}
    asked: set[tuple[str, str]] = set()
    pending = [(Requirement(text), "") for text in requires]
    while pending:
        need, extra = pending.pop()
        if need.marker is not None and not need.marker.evaluate({"extra": extra}):
            continue
        each = _installed(need)
        if each is None:
            return None
        name = canonicalize_name(need.name)
        found[name] = each
        for wanted in {"", *need.extras} - {e for n, e in asked if n == name}:
            asked.add((name, wanted))
            pending += [(Requirement(text), wanted) for text in each.requires or ()]
    return found


def _installed(need: Requirement) -> Distribution | None:
    try:
        found = distribution(need.name)
    except PackageNotFoundError:
        return None
    fits = need.url is None and need.specifier.contains(found.version, prereleases=True)
    return found if fits and _is_movable(found) else None


def _is_movable(found: Distribution) -> bool:
    """Whether all its files are known, and lie where modules do: no program, which has a path."""
    if found.read_text("RECORD") is None:
        return False
    return all(".." not in path.parts for path in found.files or ())


def _copy(distributions: Iterable[Distribution], environment: Environment) -> None:
    show = "import sysconfig; print(sysconfig.get_path('purelib'))"
    command = [environment.python_executable, "-Ic", show]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    site = Path(ended.stdout.strip())
    for each in distributions:
        for relative, source in _files(each):
            target = site / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def _files(each: Distribution) -> Iterator[tuple[Path, Path]]:
    """Each file of a distribution: relative to where modules lie, and where it is."""
    for listed in each.files or ():
        source = Path(str(listed.locate()))
        if source.is_file():
            yield Path(listed), source
        # Not all installers list it, and to compile anew costs more than all the rest.
        compiled = Path(importlib.util.cache_from_source(str(source)))
        if source.suffix == ".py" and compiled.is_file():
            yield Path(listed).parent / compiled.parent.name / compiled.name, compiled
