"""Bundles for this machine, installed into fresh environments by pip alone, and imported."""

from __future__ import annotations

import csv
import json
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from plugin.harness import Cli, Sandbox
from plugin.projectmaker import Recipe, locked
from support.interpreters import by_minor
from support.projects import PROJECTS
from support.tools import clean_environment
from support.wheels import build_wheel

if TYPE_CHECKING:
    from plugin.harness import MakeCli
    from support.index import IndexServer

EXAMPLES = Path(__file__).parents[2] / "examples"
#: The versions that the plugin is tried with, and the real projects that allow each of them.
REAL = {
    "3.8": (PROJECTS / "legacy-glibc", EXAMPLES / "legacy-faas"),
    "3.9": (PROJECTS / "legacy-glibc", PROJECTS / "small-api"),
    "3.10": (PROJECTS / "small-api",),
    "3.11": (PROJECTS / "small-api",),
    "3.12": (PROJECTS / "small-api", EXAMPLES / "api-service"),
    "3.13": (PROJECTS / "small-api", EXAMPLES / "api-service"),
}
OWN_VERSION = "{}.{}".format(*sys.version_info)
PIP_INSTALL = (
    *("-m", "pip", "install", "--no-index", "--find-links", "wheels"),
    *("--require-hashes", "-r", "requirements.txt"),
)
IMPORT_ALL = """\
import importlib, json, pathlib, sys
for name in json.loads(sys.argv[1]):
    module = importlib.import_module(name)
    places = [module.__file__] if module.__file__ else list(module.__path__)
    assert all(pathlib.Path(sys.prefix) in pathlib.Path(place).parents for place in places), places
"""


# --- interpreters ---------------------------------------------------------------------------


INTERPRETERS = {version: Path(path) for version, path in by_minor().items() if version in REAL}
CASES = [
    pytest.param(version, project, id=f"{version}-{project.name}")
    for version in INTERPRETERS
    for project in REAL[version]
]


def test_there_is_an_interpreter_to_install_for() -> None:
    assert OWN_VERSION in INTERPRETERS or OWN_VERSION not in REAL
    assert INTERPRETERS
    if os.environ.get("CI") == "true":
        assert INTERPRETERS.keys() == REAL.keys()


# --- this machine ---------------------------------------------------------------------------


def own_platform() -> str:
    """The newest platform tag that this machine takes."""
    machine = platform.machine().lower()
    if sys.platform == "win32":
        return f"win_{machine}"
    if sys.platform == "darwin":
        major, minor = (*platform.mac_ver()[0].split("."), "0")[:2]
        return f"macosx_{major}_{minor if major == '10' else 0}_{machine}"
    name, version = platform.libc_ver(sys.executable)
    assert name == "glibc", f"no bundle can be tried out with {name or 'this C library'}"
    return f"manylinux_{version.replace('.', '_')}_{machine}"


def importable(record: Iterable[str]) -> set[str]:
    """The top-level packages and modules that the paths of a RECORD install."""
    names = set()
    for text in record:
        path = PurePosixPath(text)
        top = path.parts[0]
        is_module = path.suffix in {".py", ".so", ".pyd"}
        if not is_module or top.endswith((".dist-info", ".data", ".libs")) or top == "..":
            continue
        names.add(top if len(path.parts) > 1 else top.partition(".")[0])
    return names


def test_importable_names() -> None:
    paths = [
        *("pkg/__init__.py", "pkg/sub/x.py", "pkg.libs/libz.so", "pkg-1.0.dist-info/RECORD"),
        *("one.py", "_ext.cpython-311-x86_64-linux-gnu.so", "_win.pyd", "ns/part/mod.py"),
        *("pkg-1.0.data/scripts/tool.py", "../../bin/tool.py", "data/only.json"),
    ]
    assert importable(paths) == {"pkg", "one", "_ext", "_win", "ns"}


# --- installing -----------------------------------------------------------------------------


def unpack(bundle: Path, folder: Path) -> set[str]:
    """Unpack a bundle, and return what its wheels say can be imported."""
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder)
    names = set()
    for path in (folder / "wheels").iterdir():
        with zipfile.ZipFile(path) as wheel:
            (record,) = [name for name in wheel.namelist() if name.endswith(".dist-info/RECORD")]
            lines = wheel.read(record).decode().splitlines()
        names |= importable(row[0] for row in csv.reader(lines) if row)
    return names


def run(command: list[str | Path], cwd: Path) -> None:
    ended = subprocess.run(
        command,
        cwd=cwd,
        env=clean_environment(PIP_DISABLE_PIP_VERSION_CHECK="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def install_and_import(python: Path, bundle: Path, folder: Path) -> set[str]:
    """Install a bundle as its documentation says, import everything, return what was imported."""
    names = unpack(bundle, folder / "unpacked")
    environment = folder / "environment"
    run([python, "-m", "venv", environment], folder)
    inside = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    run([inside, *PIP_INSTALL], folder / "unpacked")
    run([inside, "-m", "pip", "check"], folder)
    run([inside, "-c", IMPORT_ALL, json.dumps(sorted(names))], folder)
    return names


def test_a_bundle_from_the_loopback_index(
    make_cli: MakeCli, index: IndexServer, tmp_path: Path
) -> None:
    native = build_wheel("Native.Part", "2.0", tag=f"py3-none-{own_platform()}", build="2")
    alpha = build_wheel("alpha", "1!1.0+local", requires=["native-part>=2", "tzdata; os_name=='x'"])
    for wheel in (native, alpha):
        index.add(wheel.filename, wheel.data)
    packages = [locked(alpha), locked(native, name="native-part")]
    cli = make_cli(Recipe(packages=packages, package_mode=True))
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    ended = cli("-t", own_platform(), "--python", OWN_VERSION, "-o", "b.zip")
    assert ended.code == 0, ended.err
    names = install_and_import(Path(sys.executable), cli.project / "b.zip", tmp_path)
    assert names == {"alpha", "demo", "native_part"}


@pytest.fixture(scope="module")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all real projects: they have many wheels in common."""
    return tmp_path_factory.mktemp("cache")


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("version", "project"), CASES)
def test_a_real_project_from_the_real_index(
    version: str, project: Path, sandbox: Sandbox, shared_cache: Path, tmp_path: Path
) -> None:
    settings = {**sandbox.settings, **proxies(), "POETRY_CACHE_DIR": str(shared_cache)}
    cli = Cli(shutil.copytree(project, tmp_path / "project"), replace(sandbox, settings=settings))
    ended = cli("-t", own_platform(), "--python", version, "-o", "b.zip")
    assert ended.code == 0, ended.err
    names = install_and_import(INTERPRETERS[version], cli.project / "b.zip", tmp_path)
    assert len(names) >= 10


def proxies() -> dict[str, str]:
    """How this machine reaches the index."""
    return {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
