"""Wheels in a cache, and the trees that they give."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from support.wheels import BuiltWheel, build_wheel
from wheeltarget.core.model import Digest
from wheeltarget.core.platforms import parse_platform
from wheeltarget.core.target import PythonVersion, Target, make_target
from wheeltarget.core.wheelname import parse_wheel_name
from wheeltarget.io.archive import write_archive
from wheeltarget.io.bytecode import Compiler
from wheeltarget.io.cache import Cache
from wheeltarget.io.tree import Tree, TreeWheel, installed_tree

MOMENT = (1980, 1, 1, 0, 0, 0)
HERE = PythonVersion(*sys.version_info[:2])


def target_here(
    platform: str = "manylinux_2_28_x86_64",
    *,
    python: PythonVersion = HERE,
    implementation: str = "cp",
    abis: Sequence[str] = (),
) -> Target:
    """A target, by default for the Python that runs the tests."""
    return make_target(
        python=python,
        implementation=implementation,
        abis=abis,
        platforms=(parse_platform(platform),),
        name="prod",
    )


def wheel(
    name: str = "demo",
    version: str = "1.0",
    files: Mapping[str, str | bytes] | None = None,
    *,
    entry_points: str | None = None,
    tag: str = "py3-none-any",
    executable: Sequence[str] = (),
    level: int = 9,
) -> BuiltWheel:
    """A wheel as builders write it: deflated."""
    members = {
        path: data.encode() if isinstance(data, str) else data
        for path, data in (files or {}).items()
    }
    if entry_points is not None:
        members[f"{name}-{version}.dist-info/entry_points.txt"] = entry_points.encode()
    built = build_wheel(name, version, tag=tag, modules={}, extra_members=members)
    return repacked(built, executable=executable, level=level)


def repacked(
    built: BuiltWheel,
    *,
    executable: Sequence[str] = (),
    level: int = 9,
    method: int = zipfile.ZIP_DEFLATED,
) -> BuiltWheel:
    """The wheel with its members compressed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(built.data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            info = zipfile.ZipInfo(name)
            mode = 0o100755 if name in executable else 0o100644
            info.external_attr = mode << 16
            info.compress_type = method
            new.writestr(info, old.read(name), compresslevel=level)
    return of_data(built.filename, buffer.getvalue())


def of_data(filename: str, data: bytes) -> BuiltWheel:
    """Bytes under the name of a wheel."""
    return BuiltWheel(filename, data, hashlib.sha256(data).hexdigest())


@dataclass
class Workbench:
    """A cache for wheels, and folders to unpack bundles into."""

    folder: Path

    def stored(self, built: BuiltWheel) -> TreeWheel:
        """The wheel in the cache."""
        cache = Cache(self.folder / "cache")
        stored = cache.add(Digest("sha256", built.sha256), [built.data])
        return TreeWheel(name=parse_wheel_name(built.filename), stored=stored)

    def tree(
        self,
        *wheels: BuiltWheel,
        target: Target | None = None,
        prefix: str = "",
        reserved: Sequence[str] = (),
        compiler: Compiler | None = None,
    ) -> Tree:
        """The tree of the wheels."""
        return installed_tree(
            [self.stored(built) for built in wheels],
            target or target_here(),
            prefix=prefix,
            reserved=reserved,
            compiler=compiler,
        )

    def unpacked(self, tree: Tree) -> Path:
        """The tree on disk, as unzip would leave it."""
        path = self.folder / "unpacked"
        with zipfile.ZipFile(io.BytesIO(archived(tree))) as archive:
            assert archive.testzip() is None
            for info in archive.infolist():
                file = Path(archive.extract(info, path))
                file.chmod(info.external_attr >> 16 & 0o777)
        return path


def archived(tree: Tree) -> bytes:
    """An archive of the tree's members."""
    file = io.BytesIO()
    write_archive(file, tree.members, MOMENT)
    return file.getvalue()


def names(tree: Tree) -> list[str]:
    """The names of its members."""
    return [member.name for member in tree.members]


def content(tree: Tree, name: str) -> bytes:
    """The content of a member."""
    with zipfile.ZipFile(io.BytesIO(archived(tree))) as archive:
        return archive.read(name)


def run(*command: str | Path, **environment: str) -> str:
    """What a command prints, without anything of this environment that concerns Python."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])
    ended = subprocess.run(
        [str(part) for part in command],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
