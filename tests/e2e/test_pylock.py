"""``pylock.toml`` of a real bundle, installed by pip and by uv from nothing but the bundle."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from uv import find_uv_bin

from e2e.test_install import OWN_VERSION, own_platform
from plugin.projectmaker import Recipe, locked
from support.tools import clean_environment
from support.wheels import build_wheel

if TYPE_CHECKING:
    from plugin.harness import MakeCli
    from support.index import IndexServer

NATIVE = build_wheel("Native.Part", "2.0", tag=f"py3-none-{own_platform()}", build="2")
ALPHA = build_wheel("alpha", "1!1.0+local", requires=["native-part>=2"])


@pytest.fixture
def unpacked(make_cli: MakeCli, index: IndexServer, tmp_path: Path) -> Path:
    """An unpacked bundle of a project with its own wheel, for this machine and for another."""
    for wheel in (NATIVE, ALPHA):
        index.add(wheel.filename, wheel.data)
    packages = [locked(ALPHA), locked(NATIVE, name="native-part")]
    targets = {
        "here.now": {"python": OWN_VERSION, "platforms": [own_platform()]},
        "elsewhere": {"python": "3.99", "platforms": [own_platform()]},
    }
    recipe = Recipe(packages=packages, table={"targets": targets}, package_mode=True)
    cli = make_cli(recipe)
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    ended = cli("--combined", "-o", "b.zip")
    assert ended.code == 0, ended.err
    assert cli("-t", "here.now", "-o", "single.zip").code == 0
    for name in ("b.zip", "single.zip"):
        with zipfile.ZipFile(cli.project / name) as bundle:
            bundle.extractall(tmp_path / name.removesuffix(".zip"))
    return tmp_path


def run(command: Sequence[str | Path], cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = clean_environment(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INDEX="1")
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


INSTALLERS = {
    "pip": ("-I", "-m", "pip", "install", "--quiet", "--no-deps", "-r"),
    "uv": ("pip", "sync", "--quiet", "--offline", "--no-config", "--preview-features", "pylock"),
}


@pytest.mark.parametrize("installer", INSTALLERS)
@pytest.mark.parametrize("lock", ["single/pylock.toml", "b/pylock.here-now.toml"])
def test_an_installer_takes_the_lock(unpacked: Path, installer: str, lock: str) -> None:
    folder = unpacked / "installed"
    program: list[str | Path] = [sys.executable] if installer == "pip" else [find_uv_bin()]
    place = unpacked / Path(lock).parent
    ended = run([*program, *INSTALLERS[installer], Path(lock).name, "--target", folder], place)
    assert ended.returncode == 0, ended.stderr
    assert {path.name for path in folder.glob("*.dist-info")} == {
        "alpha-1!1.0+local.dist-info",
        "demo-0.1.0.dist-info",
        "Native.Part-2.0.dist-info",
    }
    script = "import alpha, demo, native_part; print(alpha.__version__, native_part.__version__)"
    ended = run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, 'installed'); {script}"], unpacked
    )
    assert ended.stdout == "1!1.0+local 2.0\n", ended.stderr


@pytest.mark.parametrize("installer", INSTALLERS)
def test_an_installer_refuses_the_lock_of_another_target(unpacked: Path, installer: str) -> None:
    program: list[str | Path] = [sys.executable] if installer == "pip" else [find_uv_bin()]
    command = [
        *program,
        *INSTALLERS[installer],
        "pylock.elsewhere.toml",
        "--target",
        unpacked / "x",
    ]
    assert run(command, unpacked / "b").returncode != 0
    assert not (unpacked / "b" / "x" / "alpha.py").exists()
