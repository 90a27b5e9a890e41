"""Bytecode for a target, by an interpreter of this machine that is like the target's."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from wheeltarget.core.errors import FileSystemError, Problem, UsageError
from wheeltarget.core.target import IMPLEMENTATIONS
from wheeltarget.core.tree import bytecode_path, interpreter_name
from wheeltarget.io.archive import ArchiveMember
from wheeltarget.io.cache import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from wheeltarget.core.target import Target

_TIMEOUT = 30.0
_ABOUT = "import sys; print(sys.implementation.name, '%d.%d' % sys.version_info[:2])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bytecode:
    """A compiled module: its path in the tree, its content's sha256 in hex and size in bytes."""

    path: str
    file: Path
    sha256: str
    size: int

    def read(self) -> bytes:
        """The content. Raises FileSystemError."""
        with writing(self.file):
            return self.file.read_bytes()

    def member(self, name: str) -> ArchiveMember:
        """The member of that name."""
        return ArchiveMember(name=name, size=self.size, content=lambda: [self.read()])


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """An interpreter, and a folder that what it compiles is kept in."""

    python: str
    folder: Path

    def compile(self, modules: Mapping[str, Callable[[], bytes]]) -> Mapping[str, Bytecode]:
        """The bytecode of each module that compiles, by the module's path in the tree.

        Raises FileSystemError, and what reading the modules raises.
        """
        # In a fresh folder: a bundle may be written anew. Named by number: no path leaves it.
        with writing(self.folder):
            folder = Path(tempfile.mkdtemp(dir=self.folder))
        for number, read in enumerate(modules.values()):
            data = read()
            with writing(folder):
                (folder / f"{number}.py").write_bytes(data)
        tag = self._run(folder, list(modules))
        compiled = {}
        for number, path in enumerate(modules):
            file = folder / f"{number}.pyc"
            if file.exists():
                compiled[path] = _bytecode(bytecode_path(path, tag), file)
        return compiled

    def _run(self, folder: Path, paths: list[str]) -> str:
        """Compile them all; the tag in the names of compiled modules, such as ``cpython-311``."""
        script = files("wheeltarget.runtime") / "compile_modules.py"
        with as_file(script) as path:
            ended = subprocess.run(
                [self.python, "-s", "-S", str(path), str(folder)],
                input=json.dumps(paths),
                env=_environment(),
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
        if ended.returncode != 0:
            said = ended.stderr.strip().splitlines()[-1:] or [f"exit code {ended.returncode}"]
            raise FileSystemError(
                Problem(
                    what=f"{self.python} cannot compile: {said[0]}",
                    file=self.python,
                    hint="mend that Python, or set compile = false",
                )
            )
        return ended.stdout.strip()


def _bytecode(path: str, file: Path) -> Bytecode:
    with writing(file):
        data = file.read_bytes()
    return Bytecode(path=path, file=file, sha256=hashlib.sha256(data).hexdigest(), size=len(data))


def _environment() -> dict[str, str]:
    """Nothing that changes what is compiled, or how sets of constants are ordered in it."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return {**own, "PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": "315532800"}


@contextlib.contextmanager
def compiling(python: str) -> Iterator[Compiler]:
    """A compiler with a folder for temporary files, which the members of a tree are read from."""
    with writing(Path(tempfile.gettempdir())):
        folder = tempfile.TemporaryDirectory(prefix="wheeltarget-")
    with folder as name:
        yield Compiler(python=python, folder=Path(name))


def find_interpreter(target: Target, candidates: Iterator[str] | None = None) -> str:
    """An interpreter of this machine with the target's implementation and minor version.

    ``candidates`` are the paths that are tried, by default that of this process, and that on PATH
    which has the name of the target's. Raises UsageError where none is like the target.
    """
    implementation, _ = IMPLEMENTATIONS.get(target.implementation, (target.implementation, ""))
    wanted = f"{implementation} {target.python.minor_version}"
    for python in _candidates(target) if candidates is None else candidates:
        if _about(python) == wanted:
            return python
    name = interpreter_name(target)
    raise UsageError(
        Problem(
            what=f"compile needs {name} on this machine, and there is none on PATH",
            target=target.name,
            hint=f"install {name}, run it with that Python, or set compile = false",
        )
    )


def _candidates(target: Target) -> Iterator[str]:
    yield sys.executable
    name = interpreter_name(target)
    for each in dict.fromkeys((name, name.removesuffix("t"))):
        if (path := shutil.which(each)) is not None:
            yield path


def _about(python: str) -> str | None:
    """``cpython 3.11``; None where it does not run."""
    try:
        ended = subprocess.run(
            [python, "-s", "-S", "-c", _ABOUT],
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ended.stdout.strip() if ended.returncode == 0 else None
