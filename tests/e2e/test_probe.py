"""There and back: a probed interpreter, its plan, and what its own pip would take."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from e2e.test_install import REAL, proxies
from plugin.harness import Cli, Sandbox
from plugin.projectmaker import Recipe, locked
from support.interpreters import by_minor
from support.tools import clean_environment
from support.wheels import build_wheel
from wheeltarget.runtime.assembly import probe_text

if TYPE_CHECKING:
    from plugin.harness import MakeCli
    from support.index import IndexServer

OWN = "{}.{}".format(*sys.version_info)
#: The probe needs 3.6.
PROBED = [version for version in by_minor() if tuple(map(int, version.split("."))) >= (3, 6)]
#: The first pip that can say what it would do.
REPORTS = (22, 2)


def described(python: str, path: Path) -> dict[str, Any]:
    """The description that the script prints there, written to a file."""
    script = probe_text().encode("ascii")
    ended = subprocess.run([python, "-I", "-"], input=script, stdout=subprocess.PIPE, check=True)
    path.write_bytes(ended.stdout)
    document: dict[str, Any] = json.loads(ended.stdout)
    return document


def planned(cli: Cli, description: Path) -> dict[str, str]:
    """The chosen file of each ``name==version``."""
    ended = cli("--check", "--json", "--target", f"@{description}")
    assert ended.code == 0, ended.err
    (target,) = ended.document["targets"]
    return {f"{p['name']}=={p['version']}": p["file"] for p in target["packages"]}


def pip_would_take(python: str, pins: Sequence[str], folder: Path, *index: str) -> set[str]:
    """The files that the pip of an interpreter takes for these pins."""
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-cache-dir"]
    how = ["--no-deps", "--only-binary", ":all:", *index, *pins]
    environment = {**clean_environment(), **proxies(), **({} if index else pip_settings())}

    def run(*command: str) -> str:
        ended = subprocess.run(
            [*pip, *command], env=environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    version = tuple(int(part) for part in run("--version").split()[1].split(".")[:2])
    if version < REPORTS:
        run("download", "--dest", str(folder / "files"), *how)
        return {path.name for path in (folder / "files").iterdir()}
    report = folder / "report.json"
    run("install", "--dry-run", "--ignore-installed", "--report", str(report), *how)
    installed = json.loads(report.read_text(encoding="utf-8"))["install"]
    return {each["download_info"]["url"].rpartition("/")[2] for each in installed}


def pip_settings() -> dict[str, str]:
    """How pip reaches the real index on this machine."""
    return {name: value for name, value in os.environ.items() if name.startswith("PIP_")}


def newest_pip(version: str, folder: Path) -> str:
    """An environment of an interpreter with the newest pip for it."""
    subprocess.run([by_minor()[version], "-m", "venv", folder], check=True)
    python = str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    upgrade = ["-m", "pip", "install", "--quiet", "--upgrade", "pip"]
    environment = {**clean_environment(), **proxies(), **pip_settings()}
    subprocess.run([python, *upgrade], env=environment, check=True)
    return python


# --- any tags ---------------------------------------------------------------------------------


def forged(description: dict[str, Any], index: IndexServer) -> Recipe:
    """Packages whose wheels have some of the tags of the interpreter, and foreign ones."""
    own = f"{description['implementation']}{''.join(description['python'].split('.')[:2])}"
    # Older releases of pip do not know the first, and rank the second otherwise.
    tags = [
        tag
        for tag in description["tags"]
        if tag != f"{own}-none-any" and not tag.rpartition("-")[2].startswith("linux_")
    ]
    foreign = ["cp27-cp27mu-win32", "py3-none-macosx_99_0_arm64", f"{own}-none-win_ia64"]
    chance = random.Random(7)
    packages = []
    for number in range(12):
        name = f"package-{number}"
        wheels = [
            build_wheel(name, "1.0", tag=tag, build=str(chance.randrange(3)))
            for tag in {*chance.sample(tags, 5), chance.choice(foreign)}
        ]
        for wheel in wheels:
            index.add(wheel.filename, wheel.data)
        packages.append(locked(*wheels, name=name))
    return Recipe(packages=packages, requires_python=">=3.6")


def there_and_back(
    python: str, make_cli: MakeCli, index: IndexServer, folder: Path
) -> tuple[set[str], set[str]]:
    """What we plan for an interpreter, and what its pip takes, from the same index."""
    description = folder / "here.json"
    cli = make_cli(forged(described(python, description), index))
    plan = planned(cli, description)
    taken = pip_would_take(python, list(plan), folder, "--index-url", index.index_url)
    return set(plan.values()), taken


def test_the_plan_for_the_own_interpreter_is_what_pip_takes(
    make_cli: MakeCli, index: IndexServer, tmp_path: Path
) -> None:
    planned_files, taken = there_and_back(sys.executable, make_cli, index, tmp_path)
    assert len(planned_files) == 12
    assert planned_files == taken


def test_interpreters_to_probe_are_found() -> None:
    assert PROBED
    if os.environ.get("CI") == "true":
        assert set(REAL) < set(PROBED)


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.parametrize("version", PROBED)
def test_the_plan_for_each_interpreter_is_what_its_pip_takes(
    version: str, make_cli: MakeCli, index: IndexServer, tmp_path: Path
) -> None:
    python = newest_pip(version, tmp_path / "environment")
    planned_files, taken = there_and_back(python, make_cli, index, tmp_path)
    assert len(planned_files) == 12
    assert planned_files == taken


# --- real packages ----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(600)
@pytest.mark.parametrize("version", [version for version in PROBED if version in REAL])
def test_the_plan_of_a_real_project_is_what_pip_takes(
    version: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    python = newest_pip(version, tmp_path / "environment")
    description = tmp_path / "here.json"
    described(python, description)
    project = shutil.copytree(REAL[version][0], tmp_path / "project")
    cli = Cli(project, replace(sandbox, settings={**sandbox.settings, **proxies()}))
    plan = planned(cli, description)
    assert len(plan) >= 10
    assert set(plan.values()) == pip_would_take(python, list(plan), tmp_path)
