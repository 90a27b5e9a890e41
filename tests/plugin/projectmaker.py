"""Projects with a poetry.lock, from a line for each package."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit
from poetry.packages.locker import Locker

from support.wheels import BuiltWheel

LOCK = "poetry.lock"
PYPROJECT = "pyproject.toml"


@dataclass(frozen=True, kw_only=True)
class Locked:
    """One ``[[package]]`` of a lock; ``files`` are names with their hashes."""

    name: str
    version: str = "1.0"
    files: Mapping[str, str]
    groups: Sequence[str] = ("main",)
    markers: str | Mapping[str, str] | None = None
    source: Mapping[str, str] | None = None
    dependencies: Mapping[str, Any] | None = None

    @property
    def raw(self) -> dict[str, Any]:
        """The entry as Poetry writes it."""
        optional = {
            "markers": self.markers,
            "dependencies": self.dependencies,
            "source": self.source,
        }
        return {
            "name": self.name,
            "version": self.version,
            "description": "",
            "optional": False,
            "python-versions": "*",
            "groups": list(self.groups),
            "files": [{"file": name, "hash": digest} for name, digest in self.files.items()],
            **{key: value for key, value in optional.items() if value is not None},
        }


def stub(name: str, *tags: str, version: str = "1.0", sdist: bool = False, **more: Any) -> Locked:
    """A package that is only planned, never fetched: a wheel for each tag, with made-up hashes."""
    stem = f"{name.replace('-', '_')}-{version}"
    names = [f"{stem}-{tag}.whl" for tag in tags] + ([f"{stem}.tar.gz"] if sdist else [])
    files = {each: f"sha256:{hashlib.sha256(each.encode()).hexdigest()}" for each in names}
    return Locked(name=name, version=version, files=files, **more)


def locked(*wheels: BuiltWheel, **more: Any) -> Locked:
    """A package with real wheels of one version."""
    name, version = wheels[0].filename.split("-")[:2]
    files = {wheel.filename: f"sha256:{wheel.sha256}" for wheel in wheels}
    more.setdefault("name", name.lower().replace("_", "-"))
    return Locked(version=version, files=files, **more)


@dataclass(kw_only=True)
class Recipe:
    """What goes into a project. Groups and extras map to the packages that they want."""

    packages: Sequence[Locked] = ()
    name: str = "demo"
    version: str = "0.1.0"
    requires_python: str = ">=3.8"
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    optional_groups: Sequence[str] = ()
    extras: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sources: Sequence[Mapping[str, str]] = ()
    #: The value of ``tool.wheeltarget``.
    table: Mapping[str, Any] | None = None
    package_mode: bool = False

    def pyproject(self) -> dict[str, Any]:
        """The content of pyproject.toml."""
        poetry: dict[str, Any] = {
            "package-mode": self.package_mode,
            "group": {
                group: {
                    "optional": group in self.optional_groups,
                    "dependencies": dict.fromkeys(names, "*"),
                }
                for group, names in self.groups.items()
            },
            "source": [dict(source) for source in self.sources],
        }
        tool = {"poetry": {key: value for key, value in poetry.items() if value not in ({}, [])}}
        if self.table is not None:
            tool["wheeltarget"] = dict(self.table)
        main = [each.name for each in self.packages if "main" in each.groups]
        return {
            "project": {
                "name": self.name,
                "version": self.version,
                "description": "A project of the tests",
                "requires-python": self.requires_python,
                "dependencies": list(dict.fromkeys(main)),
                "optional-dependencies": {key: list(names) for key, names in self.extras.items()},
            },
            "build-system": {
                "requires": ["poetry-core>=2.0.0,<3.0.0"],
                "build-backend": "poetry.core.masonry.api",
            },
            "tool": tool,
        }

    def lock(self, content_hash: str) -> dict[str, Any]:
        """The content of poetry.lock."""
        return {
            "package": [package.raw for package in self.packages],
            "metadata": {
                "lock-version": "2.1",
                "python-versions": self.requires_python,
                "content-hash": content_hash,
            },
        }

    def write(self, folder: Path) -> Path:
        """Write the project with a fresh lock."""
        folder.mkdir(parents=True, exist_ok=True)
        pyproject = self.pyproject()
        write_toml(folder / PYPROJECT, pyproject)
        write_toml(folder / LOCK, self.lock(content_hash(folder, pyproject)))
        if self.package_mode:
            package = folder / self.name.replace("-", "_")
            package.mkdir(exist_ok=True)
            (package / "__init__.py").write_text("ANSWER = 42\n", encoding="utf-8")
        return folder


def content_hash(folder: Path, pyproject: Mapping[str, Any]) -> str:
    """The hash that this Poetry writes into a lock; there is no public way to ask for it alone."""
    return Locker(folder / LOCK, dict(pyproject))._get_content_hash()


def write_toml(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document as TOML."""
    path.write_text(tomlkit.dumps(document), encoding="utf-8")
