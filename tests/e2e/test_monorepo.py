"""``examples/monorepo``: one command bundles it, and the bundle installs and runs offline."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from plugin.harness import MAIN

if TYPE_CHECKING:
    from plugin.harness import Sandbox

EXAMPLE = Path(__file__).parents[2] / "examples" / "monorepo"


def served(example: Path, sandbox: Sandbox, *args: str) -> subprocess.CompletedProcess[str]:
    """Run poetry in the application while the servers of the example run."""
    return subprocess.run(
        [sys.executable, "../serve.py", sys.executable, "-c", MAIN, *args],
        cwd=example / "app",
        env=sandbox.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_one_command_bundles_it_and_the_bundle_installs_and_runs_offline(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    example = Path(shutil.copytree(EXAMPLE, tmp_path / "monorepo"))
    ended = served(example, sandbox, "bundle-wheels", "--strict")
    assert ended.returncode == 0, ended.stderr
    (bundle,) = (example / "app" / "dist").iterdir()
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "unpacked")
    # Whatever follows needs neither the servers nor the sources.
    shutil.rmtree(example)

    manifest = json.loads((tmp_path / "unpacked/manifest.json").read_text(encoding="utf-8"))
    sources = {p["name"]: p["source"] and p["source"]["type"] for p in manifest["packages"]}
    assert sources == {
        "greeter": "git",
        "notes-app": None,
        "phrases": "index",
        "storage": "directory",
        "text-tools": "directory",
    }
    assert all(package["built"] for package in manifest["packages"])
    for wheel in (tmp_path / "unpacked/wheels").iterdir():
        with zipfile.ZipFile(wheel) as opened:
            content = b"".join(opened.read(name) for name in opened.namelist())
        assert str(tmp_path).encode() not in content
        assert b"file://" not in content

    subprocess.run([sys.executable, "-m", "venv", tmp_path / "fresh"], check=True)
    python = tmp_path / "fresh" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    install = ["install", "--no-index", "--find-links", "wheels", "--require-hashes"]
    subprocess.run(
        [*pip, *install, "-r", "requirements.txt"], cwd=tmp_path / "unpacked", check=True
    )
    subprocess.run([*pip, "check"], check=True)
    code = "from notes_app import welcome; print(welcome('  A   reader '))"
    greeting = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
    assert greeting.stdout == "Hello, A reader!\n"


def test_without_leave_to_build_the_archive_the_run_says_so(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    example = Path(shutil.copytree(EXAMPLE, tmp_path / "monorepo"))
    pyproject = example / "app" / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    pyproject.write_text(text.replace('build = ["phrases"]\n', ""), encoding="utf-8")
    ended = served(example, sandbox, "bundle-wheels", "--check")
    assert ended.returncode == 4
    assert (
        "phrases 1.0   only a source archive is locked; --build can have it built" in ended.stdout
    )
