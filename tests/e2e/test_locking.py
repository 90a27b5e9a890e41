"""A project of our days for a machine of 2010: locked for it, bundled, and every wheel fits."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename
from poetry.repositories.pypi_repository import PyPiRepository

from plugin.harness import Sandbox
from plugin.locking import Work
from support.index import IndexServer

ROOT = Path(__file__).parents[2]

#: The ladder of glibc 2.12, as packaging asks for it.
PLATFORMS = [
    *(f"manylinux_2_{minor}_x86_64" for minor in range(12, 4, -1)),
    *("manylinux2010_x86_64", "manylinux1_x86_64"),
]


def fitting_tags() -> frozenset[Tag]:
    """All tags of CPython 3.8 with glibc 2.12."""
    return frozenset(
        (
            *cpython_tags((3, 8), ["cp38"], PLATFORMS),
            *compatible_tags((3, 8), "cp38", PLATFORMS),
        )
    )


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(600)
def test_a_lock_for_an_old_machine_can_be_bundled_for_it(
    tmp_path: Path, sandbox: Sandbox, index: IndexServer
) -> None:
    with sandbox.entered():
        pypi = PyPiRepository().url.removesuffix("simple/")
    sandbox.stand_in_for_pypi(pypi, "legacy")
    work = Work(tmp_path / "project", sandbox, index)
    work.write("cryptography>=2", "numpy", "requests", sources=False)
    locked = work.lock()
    assert (locked["cryptography"], locked["numpy"]) == (["37.0.4"], ["1.21.1"])
    before = work.lock_text
    work.lock()
    assert work.lock_text == before
    assert work.cli.poetry("wheeltarget", "lock", "--check-lock").code == 0

    ended = work.cli("--output", "bundle.zip")
    assert ended.code == 0, ended.err
    with zipfile.ZipFile(work.folder / "bundle.zip") as bundle:
        wheels = [Path(name).name for name in bundle.namelist() if name.endswith(".whl")]
        manifest = json.loads(bundle.read("manifest.json"))
    assert {package["name"] for package in manifest["packages"]} == set(locked)
    assert len(wheels) == len(locked)
    assert [name for name in wheels if not parse_wheel_filename(name)[3] & fitting_tags()] == []


@pytest.mark.slow
def test_the_benchmark_measures(tmp_path: Path) -> None:
    # How fast it is, the benchmark itself is there to say: here, that it works.
    ended = subprocess.run(
        [
            *(sys.executable, str(ROOT / "benchmarks" / "locking.py")),
            *("--packages", "12", "--rounds", "1", "--limit", "100"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert lines[0] == "plain: 12 packages locked"
    assert lines[1] == "with constrain-lock: 12 packages locked"
    assert lines[-1].startswith("ratio: ")
