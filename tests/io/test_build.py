"""The project's own wheel: built where it can be, checked, and made the same everywhere."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from support.wheels import build_wheel
from wheeltarget.core.errors import (
    FileSystemError,
    IntegrityError,
    NetworkError,
    PlanError,
    WheeltargetError,
)
from wheeltarget.core.model import Project
from wheeltarget.core.wheelname import WheelName
from wheeltarget.io.archive import zip_time
from wheeltarget.io.build import Builder
from wheeltarget.io.cache import Cache, Stored, read_verified

PROJECT = Project(name=canonicalize_name("demo"), version=Version("1.0"), packaged=True)
EPOCH = "1582979696"
WHEEL = build_wheel("demo", "1.0")

POETRY = """
[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
"""
SETUPTOOLS = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
"""
UNKNOWN = """
[build-system]
requires = ["no-such-backend>=5", "poetry-core"]
build-backend = "no_such_backend"
"""
OWN = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
#: A backend that gives what lies next to it under the name that a test wants.
GIVES = """
import os, pathlib

def build_wheel(folder, config_settings=None, metadata_directory=None):
    pathlib.Path(folder, {name!r}).write_bytes(pathlib.Path("built.bin").read_bytes())
    return {name!r}
"""


@pytest.fixture
def no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip finds nothing."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")


def project(
    folder: Path, build_system: str, files: Mapping[str, str | bytes] | None = None
) -> Path:
    """Write a project of one module and one script."""
    head = '[project]\nname = "demo"\nversion = "1.0"\nscripts.demo = "demo:main"\n'
    own = {"pyproject.toml": head + build_system, "demo/__init__.py": "X = 1\n"}
    content: dict[str, str | bytes] = {**own, **(files or {})}
    for name, text in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def gives(folder: Path, data: bytes, name: str = WHEEL.filename) -> Path:
    """A project whose backend gives these bytes."""
    return project(folder, OWN, {"backend.py": GIVES.format(name=name), "built.bin": data})


def build(source: Path, out: Path, **changes: Any) -> tuple[WheelName, Stored]:
    """Build into a new folder."""
    out.mkdir(exist_ok=True)
    epoch = changes.pop("epoch", EPOCH)
    given = {
        "moment": zip_time(epoch),
        "epoch": epoch,
        "offline": True,
        "in_place": True,
        **changes,
    }
    nothing: Any = None
    supply: Any = SimpleNamespace(cache=Cache(out.parent / "cache"))
    builder = Builder(
        project=PROJECT,
        root=source,
        folder=out,
        supply=supply,
        checkout=nothing,
        tell=print,
        **given,
    )
    raw = builder.own()
    return raw.name, builder.finish(raw, {})


def content(stored: Stored) -> dict[str, bytes]:
    """The members of a wheel."""
    with zipfile.ZipFile(stored.path) as wheel:
        return {name: wheel.read(name) for name in wheel.namelist()}


def fails(source: Path, out: Path, error: type[WheeltargetError], **changes: Any) -> str:
    """Fail to build. Gives what is said."""
    with pytest.raises(error) as caught:
        build(source, out, **changes)
    (problem,) = caught.value.problems
    return problem.what


# --- building ----------------------------------------------------------------------------------


def test_a_backend_that_is_there_is_used_in_place(tmp_path: Path) -> None:
    name, stored = build(project(tmp_path / "source", POETRY), tmp_path / "out")
    assert (name.name, str(name.version)) == ("demo", "1.0")
    assert stored.path.name == name.filename
    assert stored.path.is_relative_to(tmp_path / "out")
    assert b"".join(read_verified(stored)) == stored.path.read_bytes()
    assert content(stored)["demo/__init__.py"] == b"X = 1\n"


LEAVES_ITS_WORK = """
import shutil
from poetry.core.masonry import api


def build_wheel(folder, *args, **kwargs):
    # As setuptools does: what was built once is taken again.
    shutil.copytree("demo", "kept", dirs_exist_ok=True)
    shutil.rmtree("demo")
    shutil.copytree("kept", "demo")
    return api.build_wheel(folder, *args, **kwargs)


build_sdist = api.build_sdist
get_requires_for_build_sdist = get_requires_for_build_wheel = lambda settings=None: []
"""


def test_a_wheel_holds_nothing_that_was_deleted_since(tmp_path: Path) -> None:
    files = {"backend.py": LEAVES_ITS_WORK, "demo/old.py": "SECRET = 1\n"}
    in_sdist = '\n[tool.poetry]\ninclude = [{ path = "backend.py", format = "sdist" }]\n'
    system = OWN.replace("[]", '["poetry-core"]') + in_sdist
    source = project(tmp_path / "source", system, files)
    _, first = build(source, tmp_path / "first", in_place=False)
    assert "demo/old.py" in content(first)
    before = {path for path in source.rglob("*") if "__pycache__" not in path.parts}
    (source / "demo/old.py").unlink()

    _, second = build(source, tmp_path / "second", in_place=False)
    assert "demo/old.py" not in content(second)
    after = {path for path in source.rglob("*") if "__pycache__" not in path.parts}
    assert before - after == {source / "demo/old.py"}
    assert after <= before


@pytest.mark.network
def test_a_backend_that_is_not_there_is_fetched_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if nothing were installed here.
    monkeypatch.setattr("wheeltarget.io.tools.beside", lambda requires: None)
    source = project(tmp_path / "source", SETUPTOOLS)
    _, stored = build(source, tmp_path / "out", offline=False)
    assert content(stored)["demo/__init__.py"] == b"X = 1\n"
    _, again = build(source, tmp_path / "out", offline=True)
    assert again.digest == stored.digest


def test_a_build_sees_nothing_but_what_it_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "only_here.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "here"))
    look = """
import importlib.util, sys
names = ["poetry", "requests", "poetry.core", "only_here"]
found = []
for name in names:
    try:
        found += [name] if importlib.util.find_spec(name) else []
    except ModuleNotFoundError:
        pass
sys.exit(f"it sees {found}")
"""
    source = project(tmp_path / "alone", OWN, {"backend.py": look})
    assert fails(source, tmp_path / "out", PlanError).endswith("it sees []")
    asks = OWN.replace("[]", '["poetry-core"]', 1)
    source = project(tmp_path / "asks", asks, {"backend.py": look})
    assert fails(source, tmp_path / "out", PlanError).endswith("it sees ['poetry', 'poetry.core']")


def test_a_backend_that_cannot_be_installed(tmp_path: Path, no_index: None) -> None:
    source = project(tmp_path / "source", UNKNOWN)
    said = fails(source, tmp_path / "out", PlanError, offline=False)
    assert said.startswith("building the project's own wheel failed:\n    ")
    assert "No matching distribution found for no-such-backend>=5" in said


def test_what_a_backend_asks_for_when_it_is_there(tmp_path: Path, no_index: None) -> None:
    asks = "def get_requires_for_build_wheel(config_settings=None):\n    return ['poetry-core']\n"
    rest = "from poetry.core.masonry.api import build_wheel\n"
    backend = f"{asks}\ntry:\n    {rest}except ImportError:\n    pass\n"
    source = project(tmp_path / "source", OWN, {"backend.py": backend})
    _, stored = build(source, tmp_path / "out")
    assert content(stored)["demo/__init__.py"] == b"X = 1\n"


def test_a_backend_that_never_has_enough(tmp_path: Path) -> None:
    asks = """
import random
def get_requires_for_build_wheel(config_settings=None):
    return [f"poetry-core[x{random.randrange(10**9)}]"]
"""
    source = project(tmp_path / "source", OWN, {"backend.py": asks})
    said = fails(source, tmp_path / "out", PlanError)
    assert "its backend always asks for more: poetry-core[x" in said


def test_offline_a_backend_that_is_not_there_is_named(tmp_path: Path) -> None:
    said = fails(project(tmp_path / "source", UNKNOWN), tmp_path / "out", NetworkError)
    assert "it needs no-such-backend>=5, and --offline forbids the network" in said


def test_offline_what_the_backend_asks_for_is_named_too(tmp_path: Path) -> None:
    asks = "def get_requires_for_build_wheel(config_settings=None):\n    return ['no-such-thing']\n"
    source = project(tmp_path / "source", OWN, {"backend.py": asks})
    said = fails(source, tmp_path / "out", NetworkError)
    assert "it needs no-such-thing, and --offline forbids the network" in said


@pytest.mark.parametrize(
    ("build_system", "files", "says"),
    [
        (OWN, {"backend.py": "def build_wheel(*a):\n    raise OSError('no cc')\n"}, "no cc"),
        (OWN, {"backend.py": "print('x' * 50 + '\\n' * 99)\nraise SystemExit('end')\n"}, "end"),
        (OWN, {"backend.py": "import no_such_module\n"}, "no_such_module"),
        (OWN, {}, "Backend 'backend' is not available"),
        ("[build-system]\nrequires = 5\n", {}, "build-system"),
        ("[build-system]\nrequires = []\nbuild-backend =\n", {}, "pyproject.toml"),
    ],
)
def test_a_build_that_fails_shows_the_end_of_its_log(
    tmp_path: Path, build_system: str, files: Mapping[str, str], says: str
) -> None:
    said = fails(project(tmp_path / "source", build_system, files), tmp_path / "out", PlanError)
    assert said.startswith("building the project's own wheel failed:\n    ")
    assert says in said
    assert "xxxxx" not in said  # the beginning of a long log


def test_a_folder_without_a_project(tmp_path: Path) -> None:
    assert "failed" in fails(tmp_path / "nowhere", tmp_path / "out", PlanError)


@pytest.mark.parametrize(
    "backend",
    [
        "def build_wheel(*a):\n    return None\n",
        "def build_wheel(*a):\n    return 5\n",
        "def build_wheel(*a):\n    return 'demo-1.0-py3-none-any.whl'\n",
        "def get_requires_for_build_wheel(*a):\n    return ['a >>> 1']\n",
    ],
)
def test_what_a_broken_backend_gives_is_never_an_internal_error(
    tmp_path: Path, backend: str
) -> None:
    source = project(tmp_path / "source", OWN, {"backend.py": backend})
    with pytest.raises((PlanError, IntegrityError)):
        build(source, tmp_path / "out")


@pytest.mark.parametrize(
    "system", ['[build-system]\nrequires = ["a >>> 1"]\n', "[build-system]\nrequires = []\n# \xff"]
)
def test_a_broken_project_is_never_an_internal_error(tmp_path: Path, system: str) -> None:
    source = project(tmp_path / "source", OWN)
    (source / "pyproject.toml").write_bytes(system.encode("latin-1"))
    with pytest.raises(PlanError):
        build(source, tmp_path / "out")


def test_a_build_does_not_see_the_credentials_of_poetry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POETRY_HTTP_BASIC_X_PASSWORD", "s3cret")
    monkeypatch.setenv("POETRY_PYPI_TOKEN_X", "s3cret")
    look = "import os, sys\nsys.exit(' '.join(sorted(os.environ.values())))\n"
    source = project(tmp_path / "source", OWN, {"backend.py": look})
    assert "s3cret" not in fails(source, tmp_path / "out", PlanError)


# --- checking ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [WHEEL.filename.replace(*change) for change in [("1.0", "2.0"), ("demo", "other")]]
)
def test_another_wheel_than_the_projects(tmp_path: Path, name: str) -> None:
    said = fails(gives(tmp_path / "source", WHEEL.data, name), tmp_path / "out", IntegrityError)
    assert f"the project is demo 1.0, but its build backend gave {name}" in said


@pytest.mark.parametrize("name", ["demo-1.0.zip", "demo.whl", "demo-1.0-py3-none-any.whl "])
def test_what_is_no_wheel_by_its_name(tmp_path: Path, name: str) -> None:
    said = fails(gives(tmp_path / "source", WHEEL.data, name), tmp_path / "out", IntegrityError)
    assert f"the build backend gave {name!r}, no wheel" in said


@pytest.mark.parametrize("data", [b"", b"no zip", WHEEL.data[:-30]])
def test_what_is_no_wheel_by_its_content(tmp_path: Path, data: bytes) -> None:
    said = fails(gives(tmp_path / "source", data), tmp_path / "out", IntegrityError)
    assert f"{WHEEL.filename}, which is broken" in said


def test_a_wheel_that_is_damaged_inside(tmp_path: Path) -> None:
    at = WHEEL.data.index(b"__version__")
    data = WHEEL.data[:at] + b"!" + WHEEL.data[at + 1 :]
    with pytest.raises(IntegrityError, match="which is broken"):
        build(gives(tmp_path / "source", data), tmp_path / "out")


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("wheeltarget.io.rewrite.write_archive", full)
    with pytest.raises(FileSystemError, match="No space left on device"):
        build(gives(tmp_path / "source", WHEEL.data), tmp_path / "out")


# --- the same everywhere -----------------------------------------------------------------------


def shuffled(*, compression: int, reverse: bool, mode: int, year: int) -> bytes:
    """One and the same wheel as another machine might write it."""
    members = {
        "demo/__init__.py": b"X = 1\n" * 50,
        "demo/": b"",
        "demo/Upper.py": b"",
        "demo-1.0.data/scripts/run": b"#!python\n",
        "demo-1.0.dist-info/RECORD": b"",
        "demo-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as wheel:
        for name in sorted(members, reverse=reverse):
            info = zipfile.ZipInfo(name, (year, 5, 6, 7, 8, 10))
            info.compress_type = compression
            info.external_attr = (mode | (0o111 if name.endswith("run") else 0)) << 16
            wheel.writestr(info, members[name])
    return buffer.getvalue()


def test_how_the_backend_wrote_the_wheel_does_not_show(tmp_path: Path) -> None:
    variants = [
        shuffled(compression=zipfile.ZIP_STORED, reverse=False, mode=0o100644, year=1999),
        shuffled(compression=zipfile.ZIP_DEFLATED, reverse=True, mode=0o100600, year=2024),
    ]
    built = [
        build(gives(tmp_path / f"source{number}", data), tmp_path / f"out{number}")[1]
        for number, data in enumerate(variants)
    ]
    assert built[0].digest == built[1].digest
    with zipfile.ZipFile(built[0].path) as wheel:
        infos = {info.filename: info for info in wheel.infolist()}
    assert list(infos) == [
        "demo-1.0.data/scripts/run",
        "demo/Upper.py",
        "demo/__init__.py",
        "demo-1.0.dist-info/METADATA",
        "demo-1.0.dist-info/RECORD",
    ]
    assert {oct(info.external_attr >> 16) for info in infos.values()} == {"0o100644", "0o100755"}
    assert oct(infos["demo-1.0.data/scripts/run"].external_attr >> 16) == "0o100755"


def test_the_source_folder_does_not_show(tmp_path: Path) -> None:
    one = project(tmp_path / "one", POETRY, {"demo/a.py": "", "demo/b.py": ""})
    two = project(tmp_path / "two" / "deeper", POETRY, {"demo/b.py": "", "demo/a.py": ""})
    for path in (two / "demo").iterdir():
        path.chmod(0o600)
        os.utime(path, (1, 1_700_000_000))
    built = [build(source, tmp_path / f"out{source.name}")[1] for source in (one, two)]
    assert built[0].digest == built[1].digest
    assert built[0].path.read_bytes() == built[1].path.read_bytes()


@pytest.mark.parametrize(
    ("epoch", "seen"),
    [(EPOCH, EPOCH), ("0", "315532800"), ("-7", "315532800"), ("9" * 12, "4354819198")],
)
def test_the_backend_sees_a_time_that_a_zip_can_say(tmp_path: Path, epoch: str, seen: str) -> None:
    look = "import os, sys\nsys.exit(os.environ['SOURCE_DATE_EPOCH'])\n"
    source = project(tmp_path / "source", OWN, {"backend.py": look})
    assert fails(source, tmp_path / "out", PlanError, epoch=epoch).splitlines()[-1].strip() == seen
