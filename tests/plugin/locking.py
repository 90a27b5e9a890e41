"""Projects that are locked by Poetry against an index on the loopback address."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit

from plugin.harness import Cli, Outcome, Sandbox
from plugin.projectmaker import LOCK, PYPROJECT, write_toml
from support.index import IndexServer
from support.wheels import build_sdist, build_wheel

#: glibc 2.12 with Python 3.8, and glibc 2.28 with Python 3.11.
OLD = {"python": "3.8", "platforms": ["manylinux_2_12_x86_64"]}
NEW = {"python": "3.11", "platforms": ["manylinux_2_28_x86_64"]}
WINDOWS = {"python": "3.11", "platforms": ["win_amd64"]}
TARGETS = {"old": OLD, "new": NEW, "win": WINDOWS}

PURE = "py3-none-any"
FITS_OLD = "cp38-cp38-manylinux_2_12_x86_64"
FITS_NEW = "cp311-cp311-manylinux_2_28_x86_64"
FITS_WINDOWS = "cp311-cp311-win_amd64"


@dataclass
class Shop:
    """What an index offers, added version by version."""

    index: IndexServer

    def offer(
        self,
        name: str,
        version: str,
        *tags: str,
        requires: Sequence[str] = (),
        requires_python: str | None = None,
        sdist: bool = False,
        yanked: str | None = None,
    ) -> None:
        """Add a version with a wheel for each tag."""
        for tag in tags:
            wheel = build_wheel(
                name, version, tag=tag, requires=requires, requires_python=requires_python
            )
            self.index.add(
                wheel.filename, wheel.data, requires_python=requires_python, yanked=yanked
            )
        if sdist:
            archive = build_sdist(name, version)
            self.index.add(archive.filename, archive.data, requires_python=requires_python)

    def offer_all(self, name: str, versions: Mapping[str, Iterable[str]]) -> None:
        """Add several versions, each with its tags."""
        for version, tags in versions.items():
            self.offer(name, version, *tags)


@dataclass
class Work:
    """A project without a lock, and what is done in it."""

    folder: Path
    sandbox: Sandbox
    index: IndexServer

    @property
    def cli(self) -> Cli:
        """Poetry in the project."""
        return Cli(self.folder, self.sandbox)

    def write(
        self,
        *dependencies: str,
        targets: Iterable[str] | Mapping[str, Any] = ("old",),
        requires_python: str = ">=3.8,<3.12",
        groups: Mapping[str, Mapping[str, str]] | None = None,
        extras: Mapping[str, Sequence[str]] | None = None,
        constrain: bool = True,
        sources: bool = True,
        **table: Any,
    ) -> Work:
        """Write pyproject.toml; a lock that is there stays."""
        self.folder.mkdir(exist_ok=True)
        document: dict[str, Any] = {
            "project": {
                "name": "demo",
                "version": "1.0",
                "requires-python": requires_python,
                "dependencies": list(dependencies),
                "optional-dependencies": dict(extras or {}),
            },
            "tool": {
                "poetry": {
                    "package-mode": False,
                    "group": {
                        group: {"dependencies": dict(of)} for group, of in (groups or {}).items()
                    },
                    "source": [{"name": "shop", "url": self.index.index_url}] if sources else [],
                },
                "wheeltarget": {
                    **({"constrain-lock": True} if constrain else {}),
                    "targets": targets
                    if isinstance(targets, Mapping)
                    else {name: TARGETS[name] for name in targets},
                    **{key.replace("_", "-"): value for key, value in table.items()},
                },
            },
        }
        write_toml(self.folder / PYPROJECT, document)
        return self

    def lock(self, *args: str) -> dict[str, list[str]]:
        """Run `poetry lock`, and tell the locked versions of each package."""
        ended = self.cli.poetry("lock", *args)
        assert ended.code == 0, ended.err
        return self.locked()

    def fail(self, *args: str) -> Outcome:
        """Run `poetry lock`, which is to find no way."""
        ended = self.cli.poetry("lock", *args)
        assert ended.code == 1, ended.out
        assert not (self.folder / LOCK).exists()
        return ended

    @property
    def lock_text(self) -> str:
        """poetry.lock as it is."""
        with suppress(FileNotFoundError):
            return (self.folder / LOCK).read_text(encoding="utf-8")
        return ""

    def locked(self) -> dict[str, list[str]]:
        """The locked versions of each package."""
        versions: dict[str, list[str]] = {}
        for package in tomlkit.parse(self.lock_text).unwrap()["package"]:
            versions.setdefault(package["name"], []).append(package["version"])
        return versions


def words(text: str) -> str:
    """Text as one line, without what Poetry draws around it."""
    return " ".join(re.sub(r"[│╭╰─]", " ", text).split())
