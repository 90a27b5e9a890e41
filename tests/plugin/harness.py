"""A real Poetry, in this process or in one of its own, cut off from the user's settings."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from cleo.io.inputs.argv_input import ArgvInput
from cleo.io.outputs.buffered_output import BufferedOutput
from poetry.config.config import Config
from poetry.console.application import Application

from plugin.projectmaker import Recipe
from support.tools import clean_environment

#: What would change how Poetry, cleo or a build backend behaves, besides what is set here.
_SETTINGS = ("POETRY_", "VIRTUAL_ENV", "CONDA_", "SHELL_VERBOSITY", "NO_COLOR", "FORCE_COLOR")
_NAMES = {"SOURCE_DATE_EPOCH", "TZ", "PYTHONHASHSEED"}

_STAND_IN = "wheeltarget_tests_stand_in"
#: What a company installs so that PyPI is a server of its own; both forms exist.
_STAND_IN_PLUGIN = '''\
"""Puts another server in the place of PyPI."""
import os

from poetry.plugins.plugin import Plugin
from poetry.repositories.legacy_repository import LegacyRepository
from poetry.repositories.pypi_repository import PyPiRepository


class StandIn(Plugin):
    def activate(self, poetry, io):
        kind, _, url = os.environ.get("PYPI_STAND_IN", "").partition(" ")
        if not kind or not poetry.pool.has_repository("PyPI"):
            return
        if kind == "legacy":
            replacement = LegacyRepository("PyPI", url + "simple/", config=poetry.config)
        else:
            replacement = PyPiRepository(url, config=poetry.config)
        priority = poetry.pool.get_priority("PyPI")
        poetry.pool.remove_repository("PyPI")
        poetry.pool.add_repository(replacement, priority=priority)
'''


@dataclass(frozen=True)
class Outcome:
    """How a run of Poetry ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Stdout, which must be exactly one JSON document."""
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def targets(self) -> list[str]:
        """The names of the targets in the document, in order."""
        return [target["name"] for target in self.document["targets"]]

    @property
    def packages(self) -> list[str]:
        """The names of the packages that apply to the only target of the document."""
        (target,) = self.document["targets"]
        return [package["name"] for package in target["packages"]]


@dataclass(frozen=True)
class Sandbox:
    """Poetry's folders and settings for one test."""

    root: Path
    #: Environment variables for every run; a test may add some.
    settings: dict[str, str] = field(default_factory=dict)

    @classmethod
    def below(cls, root: Path) -> Sandbox:
        """Make the folders."""
        plugin = root / "plugins"
        info = plugin / f"{_STAND_IN}-1.dist-info"
        info.mkdir(parents=True)
        (plugin / f"{_STAND_IN}.py").write_text(_STAND_IN_PLUGIN, encoding="utf-8")
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {_STAND_IN}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[poetry.plugin]\nx = {_STAND_IN}:StandIn\n")
        for folder in (root / "config", root / "temporary"):
            folder.mkdir()
        settings = {
            "POETRY_CACHE_DIR": str(root / "cache"),
            "POETRY_CONFIG_DIR": str(root / "config"),
            "POETRY_KEYRING_ENABLED": "false",
            "POETRY_VIRTUALENVS_CREATE": "false",
            "POETRY_VIRTUALENVS_PATH": str(root / "virtualenvs"),
            "PYTHONPATH": str(plugin),
            "TMPDIR": str(root / "temporary"),
        }
        return cls(root, settings)

    @property
    def cache(self) -> Path:
        """Poetry's cache folder; it does not exist before Poetry makes it."""
        return self.root / "cache"

    @property
    def temporary(self) -> Path:
        """Where temporary files go."""
        return self.root / "temporary"

    @property
    def plugins(self) -> Path:
        """Where the stand-in for PyPI is installed."""
        return self.root / "plugins"

    def stand_in_for_pypi(self, url: str, kind: str = "transparent") -> None:
        """Let ``url``, the root above ``simple/``, answer for PyPI.

        ``transparent``: Poetry believes that it talks to PyPI. ``legacy``: a source of another
        kind took PyPI's place and name, as poetry-plugin-pypi-mirror does it.
        """
        self.settings["PYPI_STAND_IN"] = f"{kind} {url}"

    def environment(self) -> dict[str, str]:
        """All environment variables of a run."""
        kept = {
            name: value
            for name, value in clean_environment().items()
            if not name.upper().startswith(_SETTINGS) and name not in _NAMES
        }
        return {**kept, **self.settings}

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Make this process one that was started with these settings."""
        with (
            patch.dict(os.environ, self.environment(), clear=True),
            patch.object(sys, "path", [str(self.plugins), *sys.path]),
            patch.object(tempfile, "tempdir", str(self.temporary)),
            patch("poetry.config.config.CONFIG_DIR", self.root / "config"),
        ):
            Config.create(reload=True)
            yield


@dataclass(frozen=True)
class Cli:
    """Runs ``poetry`` in a project."""

    project: Path
    sandbox: Sandbox

    def __call__(self, *args: str, cwd: Path | None = None, decorated: bool = False) -> Outcome:
        """Run ``poetry bundle-wheels`` in this process."""
        return self.poetry("bundle-wheels", *args, cwd=cwd, decorated=decorated)

    def poetry(self, *args: str, cwd: Path | None = None, decorated: bool = False) -> Outcome:
        """Run ``poetry`` in this process; only what it reads once per process is not renewed."""
        out, err = BufferedOutput(decorated=decorated), BufferedOutput(decorated=decorated)
        with self.sandbox.entered(), _inside(cwd or self.project):
            application = Application()
            application.auto_exits(False)
            code = application.run(ArgvInput(["poetry", *args]), out, err)
        return Outcome(code, out.fetch(), err.fetch())

    def process(
        self,
        *args: str,
        cwd: Path | None = None,
        umask: int = -1,
        settings: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Run ``poetry bundle-wheels`` in a process of its own."""
        ended = self.start(*args, cwd=cwd, umask=umask, settings=settings)
        out, err = ended.communicate(timeout=120)
        return Outcome(ended.returncode, out, err)

    def start(
        self,
        *args: str,
        cwd: Path | None = None,
        umask: int = -1,
        settings: Mapping[str, str] | None = None,
        output: int = subprocess.PIPE,
    ) -> subprocess.Popen[str]:
        """Begin ``poetry bundle-wheels`` in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-c", MAIN, "bundle-wheels", *args],
            cwd=cwd or self.project,
            env={**self.sandbox.environment(), **(settings or {})},
            umask=umask,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            text=True,
            encoding="utf-8",
        )


#: As ``python -m poetry``, but Ctrl-C works even if this process was started with it ignored.
MAIN = """\
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("poetry", run_name="__main__", alter_sys=True)
"""

#: Writes the project of a recipe, and gives the CLI that works in it.
MakeCli = Callable[[Recipe], Cli]


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
