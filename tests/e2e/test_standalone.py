"""Bundles that check and install themselves, with nothing but an interpreter beside them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from e2e.test_install import (
    CASES,
    IMPORT_ALL,
    INTERPRETERS,
    OWN_VERSION,
    own_platform,
    proxies,
    unpack,
)
from plugin.harness import Cli, Sandbox
from plugin.projectmaker import Recipe, locked
from support.tools import clean_environment
from support.wheels import build_wheel

if TYPE_CHECKING:
    from plugin.harness import MakeCli
    from support.index import IndexServer

NATIVE = build_wheel("Native.Part", "2.0", tag=f"py3-none-{own_platform()}")
ALPHA = build_wheel("alpha", "1.0", requires=["native-part>=2"])
#: Nothing can be reached: a bundle must need no network.
NO_NETWORK = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env=clean_environment(**NO_NETWORK),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def python_in(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


@pytest.fixture
def cli(make_cli: MakeCli, index: IndexServer) -> Cli:
    """A project with a package of its own, a native and a pure dependency."""
    for wheel in (NATIVE, ALPHA):
        index.add(wheel.filename, wheel.data)
    packages = [locked(ALPHA), locked(NATIVE, name="native-part")]
    cli = make_cli(Recipe(packages=packages, package_mode=True))
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    return cli


def bundled(cli: Cli, *args: str) -> Path:
    ended = cli(*args, "-o", "b.zip")
    assert ended.code == 0, ended.err
    return cli.project / "b.zip"


# --- this machine ---------------------------------------------------------------------------


def test_a_bundle_checks_lists_and_installs_itself(cli: Cli, tmp_path: Path) -> None:
    bundle = bundled(cli, "-t", own_platform(), "--python", OWN_VERSION)
    checked = run(sys.executable, bundle, "check", cwd=tmp_path)
    assert (checked.returncode, checked.stderr) == (0, "")
    listed = run(sys.executable, bundle, "list", cwd=tmp_path)
    assert listed.returncode == 0
    for name in ("alpha", "native-part", "demo"):
        assert name in listed.stdout
    environment = tmp_path / "environment"
    installed = run(sys.executable, bundle, "install", "--venv", environment, cwd=tmp_path)
    assert installed.returncode == 0, installed.stderr
    names = json.dumps(["alpha", "demo", "native_part"])
    imported = run(python_in(environment), "-c", IMPORT_ALL, names, cwd=tmp_path)
    assert imported.returncode == 0, imported.stderr


def test_a_combined_bundle_finds_its_target(cli: Cli, tmp_path: Path) -> None:
    there = ("-t", f"cp399,{own_platform()}")
    here = ("-t", own_platform(), "--python", OWN_VERSION)
    bundle = bundled(cli, "--combined", *there, *here)
    folder = tmp_path / "folder"
    installed = run(sys.executable, bundle, "install", "--target", folder, cwd=tmp_path)
    assert installed.returncode == 0, installed.stderr
    assert {"alpha.py", "native_part.py", "demo"} <= {path.name for path in folder.iterdir()}


# --- another machine ------------------------------------------------------------------------

OTHERS = {
    "python": ("cp399,manylinux2014_x86_64", "3.99", "Python"),
    "arch": ("manylinux2014_s390x", OWN_VERSION, "s390x"),
    "libc": ("musllinux_1_2_x86_64", OWN_VERSION, "musl"),
    "libc version": ("manylinux_2_99_x86_64", OWN_VERSION, "2.99"),
    "system": ("win_amd64", OWN_VERSION, "indows"),
    "implementation": (f"pp{OWN_VERSION.replace('.', '')},manylinux2014_x86_64", "", "PyPy"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_another_machine_is_refused_before_anything_is_written(
    make_cli: MakeCli, index: IndexServer, tmp_path: Path, other: str
) -> None:
    index.add(ALPHA.filename, ALPHA.data)
    cli = make_cli(Recipe(packages=[locked(ALPHA)]))
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    spec, python, said = OTHERS[other]
    bundle = bundled(cli, "-t", spec, *(("--python", python) if python else ()))
    for command in (["check"], ["install", "--target", tmp_path / "x"]):
        ended = run(sys.executable, bundle, *command, cwd=tmp_path)
        assert ended.returncode == 4, ended.stdout + ended.stderr
        assert said in ended.stderr
        assert "Traceback" not in ended.stderr
    assert not (tmp_path / "x").exists()


# --- real projects --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all real projects: they have many wheels in common."""
    return tmp_path_factory.mktemp("cache")


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("version", "project"), CASES)
def test_a_real_project_installs_itself(
    version: str, project: Path, sandbox: Sandbox, shared_cache: Path, tmp_path: Path
) -> None:
    settings = {**sandbox.settings, **proxies(), "POETRY_CACHE_DIR": str(shared_cache)}
    cli = Cli(shutil.copytree(project, tmp_path / "project"), replace(sandbox, settings=settings))
    bundle = bundled(cli, "-t", own_platform(), "--python", version)
    names = unpack(bundle, tmp_path / "unpacked")
    environment = tmp_path / "environment"
    python = INTERPRETERS[version]
    installed = run(python, bundle, "install", "--venv", environment, cwd=tmp_path)
    assert installed.returncode == 0, installed.stderr
    imported = run(
        python_in(environment), "-c", IMPORT_ALL, json.dumps(sorted(names)), cwd=tmp_path
    )
    assert imported.returncode == 0, imported.stderr
    assert len(names) >= 10
