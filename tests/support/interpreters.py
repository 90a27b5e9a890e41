"""The Python interpreters of this machine."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from support.tools import run


def _candidates() -> Iterator[str]:
    """Where interpreters may be, that of the tests first."""
    yield sys.executable
    for minor in range(30):
        yield from filter(None, [shutil.which(f"python3.{minor}")])
    for name in ("python", "python3", "python2", "pypy3", "graalpy"):
        yield from map(str, sorted(Path.home().glob(f".pyenv/versions/*/bin/{name}")))
        yield from filter(None, [shutil.which(name)])


def _about(python: str) -> str | None:
    """``cpython 3.11.7``; None where it does not run, as a shim may not."""
    code = "import platform as p; print(p.python_implementation() + ' ' + p.python_version())"
    ended = run([python, "-c", code])
    return ended.stdout.strip().lower() if ended.returncode == 0 else None


@cache
def interpreters() -> dict[str, str]:
    """One interpreter of each implementation and version: ``cpython 3.11.7`` -> its path."""
    found: dict[str, str] = {}
    for path in dict.fromkeys(_candidates()):
        if (name := _about(path)) is not None:
            found.setdefault(name, path)
    return found


def minor_version(name: str) -> tuple[int, int]:
    """(3, 11) for ``cpython 3.11.7``."""
    major, minor = name.split()[1].split(".")[:2]
    return int(major), int(minor)


@cache
def by_minor() -> dict[str, str]:
    """One CPython of each minor version that can make environments: ``3.11`` -> its path."""
    found: dict[str, str] = {}
    for name, path in interpreters().items():
        version = "{}.{}".format(*minor_version(name))
        if not name.startswith("cpython ") or version in found:
            continue
        if run([path, "-c", "import ensurepip, venv"]).returncode == 0:
            found[version] = path
    return found
