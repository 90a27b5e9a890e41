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
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from packaging.requirements import InvalidRequirement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from build import ProjectBuilder

#: What a failed build printed last is shown up to this many lines.
_LOG_LINES = 30

Step = Literal["sdist", "wheel"]


class BuildLogError(Exception):
    """A step of a build failed; the text is the end of what it printed."""


class NeedsNetworkError(BuildLogError):
    """What the backend needs is not here, and nothing may be fetched."""


def run_backend(
    source: Path, out: Path, *, epoch: str, offline: bool, steps: Sequence[Step]
) -> Path:
    """The wheel that the backend of the tree ``source`` makes, somewhere in ``out``.

    It runs in this interpreter's environment if that satisfies the tree's
    ``build-system.requires``, else in an isolated one, which needs the network. ``epoch`` is what
    the backend sees as SOURCE_DATE_EPOCH. ``steps`` are ``wheel``, or ``sdist`` and then ``wheel``:
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
            return _build(source, out, _runner(out, epoch), offline=offline, steps=steps)
    except BuildBackendException as error:
        # It holds whatever the runner raised, too.
        if isinstance(error.exception, BuildLogError):
            raise error.exception from error
        trace = _end_of(getattr(error.exception, "traceback", None))
        raise BuildLogError(f"    {error}\n{trace}".rstrip()) from error
    except (BuildException, FailedProcessError) as error:
        raise BuildLogError(f"    {error}") from error
    # What a broken project or backend gives, where its frontend does not look.
    except (InvalidRequirement, UnicodeDecodeError, TypeError) as error:
        raise BuildLogError(f"    {type(error).__name__}: {error}") from error
    except subprocess.CalledProcessError as error:
        raise BuildLogError(_end_of(error.output)) from error


def _build(
    source: Path, out: Path, run: Callable[..., None], *, offline: bool, steps: Sequence[Step]
) -> Path:
    from build import ProjectBuilder, check_dependency
    from build.env import DefaultIsolatedEnv

    builder = ProjectBuilder(source, runner=run)
    # The backend itself first: only if it is there can it be asked what else it needs.
    lacks = {chain for need in builder.build_system_requires for chain in check_dependency(need)}
    lacks = lacks or {chain for step in steps for chain in builder.check_dependencies(step)}
    if not lacks:
        return _take(steps, source, out, lambda tree: ProjectBuilder(tree, runner=run))
    if offline:
        needs = ", ".join(sorted({chain[0] for chain in lacks}))
        raise NeedsNetworkError(f"    it needs {needs}, and --offline forbids the network")
    with DefaultIsolatedEnv() as environment:

        def isolated(tree: Path) -> ProjectBuilder:
            return ProjectBuilder.from_isolated_env(environment, tree, runner=run)

        environment.install(builder.build_system_requires)
        for step in steps:
            environment.install(isolated(source).get_requires_for_build(step))
        return _take(steps, source, out, isolated)


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
