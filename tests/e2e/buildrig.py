"""What tests of builds share: trees, repositories and archives that have no wheel."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import subprocess
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plugin.projectmaker import Locked
from support.wheels import BuiltSdist, build_sdist, build_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugin.harness import Cli, Outcome

TARGET = ("-t", "cp311,manylinux2014_x86_64")
BUNDLE = Path("dist", "demo-0.1.0-cp311-manylinux2014_x86_64.zip")
SDIST = build_sdist("Old_Style", "1.0")
ALPHA = build_wheel("alpha", "1.0")
POETRY_BACKEND = """
[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
"""


def tree(folder: Path, name: str, *requires: str, version: str = "0.1", more: str = "") -> Path:
    """A library with a backend that is there."""
    module = folder / name.replace("-", "_")
    module.mkdir(parents=True)
    (module / "__init__.py").write_text(f"NAME = {name!r}\n", encoding="utf-8")
    head = f'[project]\nname = "{name}"\nversion = "{version}"\ndependencies = {list(requires)}\n'
    (folder / "pyproject.toml").write_text(head + more + POETRY_BACKEND, encoding="utf-8")
    return folder


def from_tree(name: str, url: str, version: str = "0.1", **more: Any) -> Locked:
    source = {"type": "directory", "url": url, **more.pop("source", {})}
    return Locked(name=name, version=version, files={}, source=source, **more)


def repository(folder: Path) -> str:
    """Make a git repository of a folder, and give its commit."""
    git = ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@example.com"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "--all"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "all"], check=True)
    ended = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return ended.stdout.strip()


def from_git(name: str, folder: Path, commit: str, **more: str) -> Locked:
    url = folder.as_uri()
    source = {"type": "git", "url": url, "reference": "main", "resolved_reference": commit, **more}
    return Locked(name=name, version="0.1", files={}, source=source)


def archive(sdist: BuiltSdist = SDIST, name: str = "old-style", **more: Any) -> Locked:
    files = {sdist.filename: f"sha256:{sdist.sha256}"}
    return Locked(name=name, version="1.0", files=files, **more)


def manifest(cli: Cli) -> dict[str, Any]:
    with zipfile.ZipFile(cli.project / BUNDLE) as bundle:
        document: dict[str, Any] = json.loads(bundle.read("manifest.json"))
    return document


def built(cli: Cli, *args: str) -> dict[str, Mapping[str, Any]]:
    """Bundle, and give what the manifest says of each package."""
    ended = cli(*TARGET, *args)
    assert ended.code == 0, ended.err
    return {package["name"]: package for package in manifest(cli)["packages"]}


def metadata_of(cli: Cli, name: str) -> str:
    """METADATA of a wheel in the bundle; its RECORD has to be right."""
    members = wheel_in_bundle(cli, name)
    (record,) = [each for each in members if each.endswith("/RECORD")]
    rows = {row[0]: row[1:] for row in csv.reader(members[record].decode().splitlines())}
    assert rows.keys() == members.keys()
    for each, (digest, size) in rows.items():
        if each != record:
            found = base64.urlsafe_b64encode(hashlib.sha256(members[each]).digest()).decode()
            assert (digest, size) == (f"sha256={found.rstrip('=')}", str(len(members[each])))
    return next(members[each] for each in members if each.endswith("/METADATA")).decode()


def wheel_in_bundle(cli: Cli, name: str) -> dict[str, bytes]:
    """The members of a package's wheel in the bundle."""
    with zipfile.ZipFile(cli.project / BUNDLE) as bundle:
        data = bundle.read(f"wheels/{built_file(cli, name)}")
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        return {each: wheel.read(each) for each in wheel.namelist()}


def built_file(cli: Cli, name: str) -> str:
    (package,) = (each for each in manifest(cli)["packages"] if each["name"] == name)
    return str(package["file"])


def failed(ended: Outcome, code: int, *said: str) -> None:
    assert ended.code == code, ended.err
    assert [text for text in said if text not in ended.err] == []


NATIVE = """
import zipfile, pathlib

def build_sdist(folder, settings=None):
    import tarfile
    name = "lib_a-0.1"
    with tarfile.open(pathlib.Path(folder, name + ".tar.gz"), "w:gz") as archive:
        archive.add(".", name)
    return name + ".tar.gz"

def build_wheel(folder, settings=None, metadata=None):
    name = "lib_a-0.1-cp38-cp38-linux_x86_64.whl"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
        wheel.writestr("lib_a-0.1.dist-info/METADATA", "Name: lib-a\\nVersion: 0.1\\n")
        wheel.writestr("lib_a-0.1.dist-info/RECORD", "")
    return name
"""


def own_backend(folder: Path, backend: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "backend.py").write_text(backend, encoding="utf-8")
    system = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    (folder / "pyproject.toml").write_text(system, encoding="utf-8")
    return folder
