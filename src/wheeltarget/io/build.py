"""The project's own wheel: built by its backend, checked, and written again reproducibly."""

from __future__ import annotations

import calendar
import hashlib
import os
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from wheeltarget.core.errors import IntegrityError, PlanError, Problem
from wheeltarget.core.model import Digest
from wheeltarget.core.wheelname import (
    MalformedWheelNameError,
    UnsafeFileNameError,
    WheelName,
    parse_wheel_name,
)
from wheeltarget.io.archive import ArchiveMember, write_archive, zip_time
from wheeltarget.io.cache import Stored, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from build import ProjectBuilder

    from wheeltarget.core.model import Project
    from wheeltarget.io.archive import ZipTime

_CHUNK = 1024 * 1024
#: What a failed build printed last is shown up to this many lines.
_LOG_LINES = 30


Step = Literal["sdist", "wheel"]


class BuildLogError(Exception):
    """A step of a build failed; the text is the end of what it printed."""


def build_project_wheel(
    source: Path,
    folder: Path,
    project: Project,
    *,
    moment: ZipTime,
    epoch: str,
    offline: bool,
    in_place: bool,
) -> tuple[WheelName, Stored]:
    """Build the wheel of the project in ``source`` into ``folder``, and normalise it.

    The build runs in this interpreter's environment if that satisfies the project's
    ``build-system.requires``, else in an isolated one, which needs the network.
    ``epoch`` is what the backend sees as SOURCE_DATE_EPOCH, clamped to what a zip can say.
    Unless ``in_place``, an sdist is built first, and the wheel from that: backends that leave
    their work in the source tree would put what was deleted there since into the wheel.

    Raises PlanError where the build fails, IntegrityError where it gives another project's wheel.
    """
    try:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            seconds = calendar.timegm(zip_time(epoch))
            built = _run_backend(
                source, Path(scratch), epoch=str(seconds), offline=offline, in_place=in_place
            )
            name = _check_name(built, project)
            path = folder / name.filename
            _normalise(built, path, moment)
    except BuildLogError as error:
        raise PlanError(
            Problem(
                what=f"building the project's own wheel failed:\n{error}",
                package=f"{project.name} {project.version}",
                hint="see what `poetry build` says, or leave it out with --no-root",
            )
        ) from error
    return name, _stored(path)


def _stored(path: Path) -> Stored:
    with path.open("rb") as file:
        hasher = hashlib.sha256()
        while chunk := file.read(_CHUNK):
            hasher.update(chunk)
        return Stored(path=path, digest=Digest("sha256", hasher.hexdigest()), size=file.tell())


def _run_backend(source: Path, out: Path, *, epoch: str, offline: bool, in_place: bool) -> Path:
    """The wheel that the backend makes. Raises BuildLogError for all that can go wrong in it."""
    # Imported late: it costs as much as a small plan, and most runs have no wheel to build.
    from build import BuildBackendException, BuildException, FailedProcessError

    try:
        return _build(source, out, _runner(out, epoch), offline=offline, in_place=in_place)
    except BuildBackendException as error:
        # It holds whatever the runner raised, too.
        if isinstance(error.exception, BuildLogError):
            raise error.exception from error
        trace = _end_of(getattr(error.exception, "traceback", None))
        raise BuildLogError(f"    {error}\n{trace}".rstrip()) from error
    except (BuildException, FailedProcessError) as error:
        raise BuildLogError(f"    {error}") from error
    except subprocess.CalledProcessError as error:
        raise BuildLogError(_end_of(error.output)) from error


def _build(
    source: Path, out: Path, run: Callable[..., None], *, offline: bool, in_place: bool
) -> Path:
    from build import ProjectBuilder, check_dependency
    from build.env import DefaultIsolatedEnv

    steps: tuple[Step, ...] = ("wheel",) if in_place else ("sdist", "wheel")
    builder = ProjectBuilder(source, runner=run)
    # The backend itself first: only if it is there can it be asked what else it needs.
    lacks = {chain for need in builder.build_system_requires for chain in check_dependency(need)}
    lacks = lacks or {chain for step in steps for chain in builder.check_dependencies(step)}
    if not lacks:
        return _take(steps, source, out, lambda tree: ProjectBuilder(tree, runner=run))
    if offline:
        needs = ", ".join(sorted({chain[0] for chain in lacks}))
        raise BuildLogError(f"    it needs {needs}, and --offline forbids the network")
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
        tree = _unpacked(Path(builder_of(source).build("sdist", out)), out / "sdist")
    return Path(builder_of(tree).build("wheel", out))


def _unpacked(sdist: Path, folder: Path) -> Path:
    """The one folder that an sdist holds (PEP 625, PEP 721)."""
    with tarfile.open(sdist) as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(folder, filter="data")
        else:
            archive.extractall(folder)  # noqa: S202 - the project's own files, a moment old
    (tree,) = folder.iterdir()
    return tree


def _runner(out: Path, epoch: str) -> Callable[..., None]:
    # What a backend leaves behind when it fails goes away with the folder.
    ours = {"SOURCE_DATE_EPOCH": epoch, "TMPDIR": str(out), "TEMP": str(out), "TMP": str(out)}

    def run(
        cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None
    ) -> None:
        _run_quietly(cmd, cwd, {**os.environ, **(extra_environ or {}), **ours})

    return run


def _run_quietly(command: Sequence[str], cwd: str | None, environ: Mapping[str, str]) -> None:
    try:
        subprocess.run(
            command,
            cwd=cwd,
            env=environ,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except subprocess.CalledProcessError as error:
        raise BuildLogError(_end_of(error.output)) from error


def _end_of(output: bytes | str | None) -> str:
    text = output.decode("utf-8", "replace") if isinstance(output, bytes) else output or ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-_LOG_LINES:])


def _check_name(built: Path, project: Project) -> WheelName:
    try:
        name = parse_wheel_name(built.name)
    except (MalformedWheelNameError, UnsafeFileNameError) as error:
        raise IntegrityError(
            Problem(what=f"the build backend gave {built.name!r}, no wheel: {error}")
        ) from error
    if (name.name, name.version) != (project.name, project.version):
        raise IntegrityError(
            Problem(
                what=f"the project is {project.name} {project.version}, but its build backend gave "
                f"{built.name}",
                hint="make the version of the backend and that of pyproject.toml agree",
            )
        )
    return name


def _normalise(built: Path, path: Path, moment: ZipTime) -> None:
    """The same wheel with members sorted, one time, plain permissions and no compression.

    What a backend writes depends on its zlib, on file permissions and on the file system's order.
    """
    try:
        with zipfile.ZipFile(built) as wheel, writing(path), path.open("xb") as out:
            infos = [info for info in wheel.infolist() if not info.is_dir()]
            write_archive(out, (_member(wheel, info) for info in sorted(infos, key=_order)), moment)
    except zipfile.BadZipFile as error:
        raise IntegrityError(
            Problem(what=f"the build backend gave {built.name}, which is broken: {error}")
        ) from error


def _order(info: zipfile.ZipInfo) -> tuple[bool, bool, str]:
    # The specification recommends .dist-info at the end; RECORD, which speaks of all, last.
    metadata = info.filename.split("/")[0].endswith(".dist-info")
    return metadata, info.filename.endswith("/RECORD"), info.filename


def _member(wheel: zipfile.ZipFile, info: zipfile.ZipInfo) -> ArchiveMember:
    def content() -> Iterator[bytes]:
        with wheel.open(info) as member:
            yield from iter(lambda: member.read(_CHUNK), b"")

    executable = bool(info.external_attr >> 16 & 0o111)
    return ArchiveMember(
        name=info.filename, size=info.file_size, content=content, executable=executable
    )
