"""Build backends: run as PEP 517 says, quietly, and what they printed last if they fail."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tarfile
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from wheeltarget.io.tools import NeedsNetworkError, Tools

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from build import ProjectBuilder

    from wheeltarget.io.tools import Toolbox

#: What a failed build printed last is shown up to this many lines.
_LOG_LINES = 30

#: A backend may ask for more once it is there, and for yet more with that: so often.
_ROUNDS = 5

Step = Literal["sdist", "wheel"]


class BuildLogError(Exception):
    """A step of a build failed; the text is the end of what it printed."""


class OfflineBuildError(BuildLogError):
    """What the backend needs is not here, and nothing may be fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A wheel that a backend made, and what that was done with."""

    wheel: Path
    tools: Tools


def run_backend(
    source: Path, out: Path, *, epoch: str, toolbox: Toolbox, steps: Sequence[Step]
) -> Made:
    """The wheel that the backend of the tree ``source`` makes, somewhere in ``out``.

    It runs in an isolated environment, which holds what it asks for and nothing else. ``epoch`` is
    what it sees as SOURCE_DATE_EPOCH. ``steps`` are ``wheel``, or ``sdist`` and then ``wheel``:
    backends that leave their work in the tree would put what was deleted there since into a wheel
    that is made in place.

    Raises BuildLogError for all that can go wrong in it.
    """
    # Imported late: it costs as much as a small plan, and most runs have no wheel to build.
    from build import BuildBackendException, BuildException, FailedProcessError

    try:
        # What a backend warns of is for its authors; it would be warned of here once more.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _build(source, out, _runner(out, epoch), toolbox=toolbox, steps=steps)
    except BuildBackendException as error:
        # It holds whatever the runner raised, too.
        if isinstance(error.exception, BuildLogError):
            raise error.exception from error
        trace = _end_of(getattr(error.exception, "traceback", None))
        raise BuildLogError(f"    {error}\n{trace}".rstrip()) from error
    except NeedsNetworkError as error:
        text = f"    it needs {error}, and --offline forbids the network"
        raise OfflineBuildError(text) from error
    except (BuildException, FailedProcessError) as error:
        raise BuildLogError(f"    {error}") from error
    # What a broken project or backend gives, where its frontend does not look.
    except (InvalidRequirement, UnicodeDecodeError, TypeError) as error:
        raise BuildLogError(f"    {type(error).__name__}: {error}") from error
    except subprocess.CalledProcessError as error:
        raise BuildLogError(_end_of(error.output)) from error


def _build(
    source: Path, out: Path, run: Callable[..., None], *, toolbox: Toolbox, steps: Sequence[Step]
) -> Made:
    from build import ProjectBuilder
    from build.env import DefaultIsolatedEnv

    needs = frozenset(ProjectBuilder(source, runner=run).build_system_requires)
    for _ in range(_ROUNDS):
        with DefaultIsolatedEnv() as environment:
            isolated = partial(ProjectBuilder.from_isolated_env, environment, runner=run)
            versions = toolbox.furnish(environment, needs, run)
            # Only the backend, if it is there, can be asked what else it needs.
            asked = {
                each for step in steps for each in isolated(source).get_requires_for_build(step)
            }
            more = {each for each in asked - needs if not _has(versions, each)}
            if not more:
                tools = Tools(requires=tuple(sorted(needs)), versions=versions)
                return Made(wheel=_take(steps, source, out, isolated), tools=tools)
        # Together in a new environment: what one needs may forbid a version of another.
        needs |= more
    raise BuildLogError(f"    its backend always asks for more: {', '.join(sorted(needs))}")


def _has(versions: Mapping[str, str], text: str) -> bool:
    need = Requirement(text)
    if need.marker is not None and not need.marker.evaluate({"extra": ""}):
        return True
    version = versions.get(canonicalize_name(need.name))
    plain = need.url is None and not need.extras
    return plain and version is not None and need.specifier.contains(version, prereleases=True)


def _take(
    steps: Sequence[Step], source: Path, out: Path, builder_of: Callable[[Path], ProjectBuilder]
) -> Path:
    """Take the steps to a wheel, each from what the one before it made."""
    tree = source
    if "sdist" in steps:
        tree = unpacked(Path(builder_of(source).build("sdist", out)), out / "sdist")
    return Path(builder_of(tree).build("wheel", out))


def unpacked(archive: Path, folder: Path) -> Path:
    """The one folder that a source archive holds (PEP 625, PEP 721), or ``folder`` itself.

    Raises BuildLogError where it is no archive, or has a member that would lie elsewhere.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        # By its name: an uncompressed tar may hold a zip, and then looks like one.
        if archive.name.endswith(".zip"):
            with zipfile.ZipFile(archive) as file:
                file.extractall(folder)  # noqa: S202 - it drops what would lead out of the folder
        else:
            with tarfile.open(archive) as tar:
                _extract(tar, folder)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, ValueError, *_BROKEN) as error:
        raise BuildLogError(f"    {archive.name} cannot be unpacked: {error}") from error
    # Macs add a hidden twin to what they pack.
    inside = [path for path in folder.iterdir() if not path.name.startswith(".") and path.is_dir()]
    return inside[0] if len(inside) == 1 else folder


#: Members that cannot be written as they are, unknown compressions, and what breaks within one.
_BROKEN = (FileExistsError, NotADirectoryError, IsADirectoryError, RuntimeError, zlib.error)


def _extract(tar: tarfile.TarFile, folder: Path) -> None:
    if not hasattr(tarfile, "data_filter"):
        raise BuildLogError(
            "    this Python cannot unpack a foreign archive safely; use its newest patch release"
        )
    tar.extractall(folder, filter="data")


_CREDENTIALS = ("POETRY_HTTP_BASIC_", "POETRY_PYPI_TOKEN_")


def _runner(out: Path, epoch: str) -> Callable[..., None]:
    # What a backend leaves behind when it fails goes away with the folder.
    temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(out))
    # What changes bytes from run to run or from machine to machine, as far as it can be set.
    ours = {"SOURCE_DATE_EPOCH": epoch, "PYTHONHASHSEED": "0", "TZ": "UTC", **temporary}
    # Modules of this machine, which an isolated environment must not see.
    ours["PYTHONPATH"] = ""
    # A build is foreign code, which has no business with Poetry's credentials.
    kept = {k: v for k, v in os.environ.items() if not k.upper().startswith(_CREDENTIALS)}

    def run(
        cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None
    ) -> None:
        _run_quietly(cmd, cwd, {**kept, **(extra_environ or {}), **ours})

    return run


def _run_quietly(command: Sequence[str], cwd: str | None, environ: Mapping[str, str]) -> None:
    # In a session of its own, so that what it has started can be ended with it.
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate()
        except BaseException:
            _end(process)
            raise
    if process.returncode:
        raise BuildLogError(_end_of(output))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process, and where the system can do that, all that it has started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def _end_of(output: bytes | str | None) -> str:
    text = output.decode("utf-8", "replace") if isinstance(output, bytes) else output or ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-_LOG_LINES:])
