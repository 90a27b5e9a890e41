"""What applies of an old lock, against what a real `poetry install` would install."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from poetry.factory import Factory

from e2e.test_install import INTERPRETERS, own_platform
from plugin.harness import Cli, Sandbox
from plugin.projectmaker import LOCK, PYPROJECT, content_hash, write_toml
from support.projects import PROJECTS
from support.tools import run

if TYPE_CHECKING:
    from collections.abc import Iterable

INSTALLING = re.compile(r"- Installing (\S+) \((\S+)\)(: Skipped)?")
#: What both commands take alike; Poetry installs all groups that are not optional by default.
SELECTIONS = {
    "lock11-small-api": (("--only", "main"), ("--only", "main,dev")),
    "lock20-small-api": (("--only", "main"), ("--only", "dev")),
    "lock11-old-markers": (
        ("--only", "main", "--all-extras"),
        ("--only", "main", "--extras", "templates"),
        ("--only", "main,dev"),
    ),
    "lock20-old-markers": (
        ("--only", "main", "--extras", "cache"),
        ("--only", "main,dev,docs", "--all-extras"),
        ("--only", "docs"),
    ),
}
PYTHONS = [version for version in INTERPRETERS if version != "3.8"]
CASES = [
    pytest.param(version, project, id=f"{version}-{project}")
    for version in PYTHONS
    for project in SELECTIONS
]


def environment(version: str, folder: Path) -> tuple[Path, str]:
    """An environment of an interpreter, and its full version."""
    python = INTERPRETERS[version]
    assert run([str(python), "-m", "venv", "--without-pip", str(folder)]).returncode == 0
    return folder, run(
        [str(python), "-c", "import platform as p; print(p.python_version())"]
    ).stdout.strip()


def installed(cli: Cli, environment: Path, args: Iterable[str]) -> set[str]:
    """What Poetry would install into an environment. It solves an old lock, and needs no index."""
    settings = cli.sandbox.environment()
    del settings["POETRY_VIRTUALENVS_CREATE"]
    ended = subprocess.run(
        [sys.executable, "-m", "poetry", "install", "--dry-run", "--no-root", *args],
        cwd=cli.project,
        env={**settings, "VIRTUAL_ENV": str(environment)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = INSTALLING.findall(ended.stdout)
    assert found or "No dependencies" in ended.stdout
    return {f"{name}=={version}" for name, version, skipped in found if not skipped}


def planned(cli: Cli, python: str, args: Iterable[str]) -> set[str]:
    """What applies to this machine with some Python."""
    ended = cli("-t", own_platform(), "--python", python, "--no-root", "--check", "--json", *args)
    (target,) = ended.document["targets"]
    assert target["undecided"] == []
    return {f"{each['name']}=={each['version']}" for each in target["packages"]}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("version", "project"), CASES)
def test_what_applies_is_what_poetry_would_install(
    version: str, project: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    cli = Cli(shutil.copytree(PROJECTS / project, tmp_path / "project"), sandbox)
    folder, python = environment(version, tmp_path / "environment")
    for selection in SELECTIONS[project]:
        expected = installed(cli, folder, selection)
        assert expected
        assert planned(cli, python, selection) == expected


# --- a lock in which versions depend on one another -------------------------------------------

ENTANGLED = """\
[tool.poetry]
name = "entangled"
version = "1"
description = ""
authors = ["x <x@example.org>"]
package-mode = false
[tool.poetry.dependencies]
python = ">=3.9"
scipy = "*"
numpy = [
    { version = "<2", python = "<3.11" },
    { version = ">=2", python = ">=3.11" },
]
framework = { version = "*", extras = ["all"] }
windows-only = { version = "*", markers = "sys_platform == 'win32'" }
driver = { version = "*", optional = true }
[tool.poetry.extras]
db = ["driver"]
[tool.poetry.group.dev.dependencies]
checker = "*"
"""
PACKAGES: dict[str, dict[str, object]] = {
    "scipy 1.0": {"numpy": "<2"},
    "scipy 2.0": {"numpy": ">=2", "helper": {"version": "*", "python": ">=3.12"}},
    "numpy 1.0": {},
    "numpy 2.0": {},
    "helper 1.0": {"checker": [{"version": "*", "extras": ["fast"]}]},
    "framework 1.0": {
        "orm": {"version": "*", "optional": True, "markers": 'extra == "data"'},
        "tz": {
            "version": "*",
            "optional": True,
            "markers": 'extra == "time" and python_version < "3.10"',
        },
        "framework": {"version": "*", "extras": ["data", "time"], "optional": True},
    },
    "orm 1.0": {"framework": {"version": "*", "extras": ["time"]}, "driver": "<2"},
    "tz 1.0": {},
    "windows-only 1.0": {"tz": "*"},
    "driver 1.0": {},
    "driver 2.0": {},
    "checker 1.0": {"fast": {"version": "*", "optional": True}, "checker-core": "*"},
    "checker-core 1.0": {"framework": "*"},
    "fast 1.0": {},
    "fast 2.0": {},
}
EXTRAS = {
    "framework": {"all": ["framework[data,time]"], "data": ["orm"], "time": ["tz (>=0.1)"]},
    "checker": {"fast": ["fast (>=1)"]},
}
PYTHON_VERSIONS = {"fast 2.0": ">=3.12", "driver 2.0": ">=3.10"}


def write_entangled(folder: Path) -> Path:
    folder.mkdir()
    (folder / PYPROJECT).write_text(ENTANGLED, encoding="utf-8")
    packages = []
    for key, needs in PACKAGES.items():
        name, version = key.split()
        wheel = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
        package: dict[str, object] = {
            "name": name,
            "version": version,
            "description": "",
            "optional": False,
            "python-versions": PYTHON_VERSIONS.get(key, "*"),
            "files": [{"file": wheel, "hash": "sha256:" + "0" * 64}],
        }
        if needs:
            package["dependencies"] = needs
        if name in EXTRAS:
            package["extras"] = EXTRAS[name]
        packages.append(package)
    data = Factory().create_poetry(folder).pyproject.data
    metadata = {
        "lock-version": "2.0",
        "python-versions": ">=3.9",
        "content-hash": content_hash(folder, data),
    }
    extras = {"db": ["driver"]}
    write_toml(folder / LOCK, {"package": packages, "extras": extras, "metadata": metadata})
    return folder


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("version", PYTHONS)
def test_a_lock_whose_versions_depend_on_one_another(
    version: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    cli = Cli(write_entangled(tmp_path / "project"), sandbox)
    folder, python = environment(version, tmp_path / "environment")
    for selection in (
        ("--only", "main"),
        ("--only", "main,dev", "--extras", "db"),
        ("--only", "dev"),
    ):
        assert planned(cli, python, selection) == installed(cli, folder, selection)
