"""``--layout site-packages`` through the command: unpacked, the packages run as they are."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from e2e.test_install import OWN_VERSION, own_platform
from plugin.projectmaker import Recipe, locked
from support.tools import clean_environment
from support.wheels import build_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugin.harness import Cli, MakeCli
    from support.index import IndexServer

TOOL = build_wheel(
    "tool",
    "1.0",
    modules={"tool/__init__.py": "def main():\n    import native\n    print(native.__version__)\n"},
    extra_members={"tool-1.0.dist-info/entry_points.txt": b"[console_scripts]\ntool = tool:main\n"},
)
NATIVE = build_wheel("native", "2.0", tag=f"py3-none-{own_platform()}")
PTH = build_wheel("hook", "1.0", extra_members={"hook.pth": b"import hook\n"})
HERE: Mapping[str, Any] = {"python": OWN_VERSION, "platforms": [own_platform()]}
LAYER: Mapping[str, Any] = {**HERE, "layout": "site-packages", "prefix": "python/"}
TARGETS: Mapping[str, Mapping[str, Any]] = {
    "root": {**HERE, "layout": "site-packages"},
    "layer": LAYER,
    "compiled": {**LAYER, "compile": True},
    "wheels": HERE,
    "small": {**LAYER, "max-unpacked-size": "100 B"},
}


@pytest.fixture
def cli(make_cli: MakeCli, index: IndexServer) -> Cli:
    """A project with a package of its own, a tool and what the tool needs."""
    for wheel in (TOOL, NATIVE, PTH):
        index.add(wheel.filename, wheel.data)
    packages = [locked(TOOL), locked(NATIVE), locked(PTH, groups=["hooks"])]
    recipe = Recipe(
        packages=packages, groups={"hooks": ["hook"]}, table={"targets": TARGETS}, package_mode=True
    )
    cli = make_cli(recipe)
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    return cli


def bundled(cli: Cli, *args: str) -> Path:
    ended = cli(*args, "-o", "b.zip")
    assert ended.code == 0, ended.err
    return cli.project / "b.zip"


def unpack(bundle: Path, folder: Path) -> Path:
    """Unpack with permissions, as a platform does."""
    with zipfile.ZipFile(bundle) as archive:
        for info in archive.infolist():
            Path(archive.extract(info, folder)).chmod(info.external_attr >> 16 & 0o777)
    return folder


def run(command: list[str | Path], **settings: str) -> str:
    ended = subprocess.run(
        command, env=clean_environment(**settings), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_what_is_in_the_archive(cli: Cli) -> None:
    with zipfile.ZipFile(bundled(cli, "-t", "layer")) as archive:
        names = archive.namelist()
        manifest = json.loads(archive.read("manifest.json"))
        records = {each["name"]: each["record"] for each in manifest["packages"]}
        for record in records.values():
            assert hashlib.sha256(archive.read(record["file"])).hexdigest() == record["sha256"]
    assert (manifest["layout"], manifest["prefix"]) == ("site-packages", "python/")
    assert sorted(records) == ["demo", "native", "tool"]
    own = [name for name in names if not name.startswith("python/")]
    assert own[:2] == ["manifest.json", "requirements.txt"]
    assert "pylock.toml" not in own
    assert [each["name"] for each in manifest["files"]] == own[1:]
    tree = names[len(own) :]
    assert tree == sorted(tree)
    assert {"python/bin/tool", "python/demo/__init__.py", "python/native.py"} <= set(tree)


@pytest.mark.parametrize("target", ["root", "layer", "compiled"])
def test_the_unpacked_packages_run(cli: Cli, tmp_path: Path, target: str) -> None:
    folder = unpack(bundled(cli, "-t", target), tmp_path / "unpacked")
    folder /= TARGETS[target].get("prefix", "")
    compiled = {path.name.partition(".")[0] for path in folder.rglob("*.pyc")}
    assert ("native" in compiled) is (target == "compiled")
    script = "import demo, tool; tool.main(); print(demo.ANSWER)"
    assert run([sys.executable, "-c", script], PYTHONPATH=str(folder)) == "2.0\n42\n"
    if os.name != "nt":
        assert run([folder / "bin" / "tool"]) == "2.0\n"


def test_an_option_says_the_layout_of_all_targets(cli: Cli) -> None:
    with zipfile.ZipFile(bundled(cli, "-t", "wheels", "--layout", "site-packages")) as archive:
        assert "native.py" in archive.namelist()
    with zipfile.ZipFile(bundled(cli, "-t", "compiled", "--layout", "wheelhouse")) as archive:
        assert f"wheels/{NATIVE.filename}" in archive.namelist()
        assert "native.py" not in archive.namelist()
    ended = cli("-t", "wheels", "--layout", "egg")
    assert ended.code == 2
    assert "unknown layout 'egg'" in ended.err


def test_a_tree_cannot_be_combined(cli: Cli) -> None:
    ended = cli("--combined", "-t", "wheels", "-t", "layer", "--check")
    assert ended.code == 2
    assert "--combined holds wheels, and layer asks for the layout site-packages" in ended.err
    assert cli("--combined", "-t", "wheels", "-t", "layer", "--layout", "wheelhouse").code == 0


def test_what_does_not_work_in_a_tree_is_warned_of(cli: Cli) -> None:
    ended = cli("-t", "layer", "--with", "hooks")
    assert ended.code == 0
    assert ended.err.count("Warning:") == 1
    assert "hook.pth" in ended.err
    ended = cli("-t", "layer", "--with", "hooks", "--strict", "-o", "strict.zip")
    assert ended.code == 4
    assert "hook.pth" in ended.err
    assert not (cli.project / "strict.zip").exists()


def test_the_size_of_the_tree_counts(cli: Cli) -> None:
    ended = cli("-t", "small")
    assert ended.code == 4
    assert "than the 100 B that it takes" in ended.err


def test_compiling_needs_the_targets_python(cli: Cli, index: IndexServer) -> None:
    text = (cli.project / "pyproject.toml").read_text(encoding="utf-8")
    other = text.replace(f'python = "{OWN_VERSION}"', 'python = "3.99"')
    (cli.project / "pyproject.toml").write_text(other, encoding="utf-8")
    index.requests.clear()
    ended = cli("-t", "compiled")
    assert ended.code == 2
    assert "compile needs python3.99 on this machine" in ended.err
    assert index.requests == []


def test_the_same_bytes_in_every_run_and_from_a_damaged_cache(cli: Cli) -> None:
    before = bundled(cli, "-t", "compiled").read_bytes()
    entry = cli.sandbox.cache / "wheeltarget" / "sha256" / NATIVE.sha256[:2] / NATIVE.sha256[2:]
    data = bytearray(entry.read_bytes())
    data[len(data) // 2] ^= 1
    entry.write_bytes(data)
    assert bundled(cli, "-t", "compiled").read_bytes() == before
    settings = {"PYTHONHASHSEED": "7", "TZ": "Asia/Kathmandu"}
    args = ("-t", "compiled", "-o", "c.zip", "--no-cache")
    ended = cli.process(*args, umask=0o077, settings=settings)
    assert ended.code == 0, ended.err
    assert (cli.project / "c.zip").read_bytes() == before
