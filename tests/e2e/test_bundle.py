"""Bundles through the command, from an index on the loopback address with real wheels."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomlkit

from plugin.harness import Cli
from plugin.projectmaker import LOCK, Locked, Recipe, locked, write_toml
from support.behaviours import cut_short, flip_byte, status
from support.wheels import BuiltWheel, build_sdist, build_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugin.harness import MakeCli, Outcome
    from support.index import IndexServer

GLIBC = "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64"
MUSL = "cp311-cp311-musllinux_1_2_x86_64"
ALPHA = build_wheel("alpha", "1.0", requires=["Native_Part>=2"])
NATIVE = {
    tag: build_wheel("Native_Part", "2.0+local.1", tag=tag, build="3")
    for tag in (GLIBC, MUSL, "cp311-cp311-win_amd64")
}
SDIST = build_sdist("Native_Part", "2.0+local.1")
OLD = ("-t", "cp311,manylinux2014_x86_64")
ALPINE = ("-t", "cp311,musllinux_1_2_x86_64")
BUNDLE = Path("dist", "demo-0.1.0-cp311-manylinux2014_x86_64.zip")
OWN = "demo-0.1.0-py3-none-any.whl"


def serve_all(index: IndexServer) -> None:
    for wheel in (ALPHA, *NATIVE.values()):
        index.add(wheel.filename, wheel.data)
    index.add(SDIST.filename, SDIST.data)


def native() -> Locked:
    wheels = {wheel.filename: f"sha256:{wheel.sha256}" for wheel in NATIVE.values()}
    sdist = {SDIST.filename: f"sha256:{SDIST.sha256}"}
    return Locked(name="native-part", version="2.0+local.1", files={**wheels, **sdist})


@pytest.fixture
def recipe() -> Recipe:
    return Recipe(packages=[locked(ALPHA), native()], package_mode=True)


@pytest.fixture
def cli(make_cli: MakeCli, index: IndexServer, recipe: Recipe) -> Cli:
    """A project with a package of its own and two dependencies, one of them compiled."""
    serve_all(index)
    cli = make_cli(recipe)
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    return cli


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def manifest(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as bundle:
        document: dict[str, Any] = json.loads(bundle.read("manifest.json"))
    return document


def made(cli: Cli, ended: Outcome, path: Path = BUNDLE) -> Path:
    """The bundle of a run that went well."""
    assert ended.code == 0, ended.err
    return cli.project / path


def wheels_in(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as bundle:
        return [name for name in bundle.namelist() if name.startswith("wheels/")]


# --- what is in it --------------------------------------------------------------------------


def test_a_lock_that_poetry_wrote_becomes_a_bundle(make_cli: MakeCli, index: IndexServer) -> None:
    serve_all(index)
    recipe = Recipe(sources=[{"name": "private", "url": index.index_url}], requires_python=">=3.9")
    cli = make_cli(recipe)
    pyproject = recipe.pyproject()
    pyproject["project"]["dependencies"] = ["alpha (>=1.0)"]
    write_toml(cli.project / "pyproject.toml", pyproject)
    assert cli(*OLD).code == 3
    assert cli.poetry("lock").code == 0
    index.requests.clear()
    with zipfile.ZipFile(made(cli, cli(*OLD))) as bundle:
        names = bundle.namelist()
        assert names == [
            "manifest.json",
            "requirements.txt",
            "pylock.toml",
            "__main__.py",
            f"wheels/{NATIVE[GLIBC].filename}",
            f"wheels/{ALPHA.filename}",
        ]
        assert bundle.read(f"wheels/{ALPHA.filename}") == ALPHA.data
        assert bundle.read(f"wheels/{NATIVE[GLIBC].filename}") == NATIVE[GLIBC].data
        assert {info.compress_type for info in bundle.infolist()} == {zipfile.ZIP_STORED}
        assert {info.date_time for info in bundle.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert bundle.read("requirements.txt").decode().splitlines() == [
            f"alpha==1.0 --hash=sha256:{ALPHA.sha256}",
            f"native-part==2.0+local.1 --hash=sha256:{NATIVE[GLIBC].sha256}",
        ]
    assert sorted(index.downloads()) == sorted([ALPHA.filename, NATIVE[GLIBC].filename])


def test_the_manifest(cli: Cli) -> None:
    document = manifest(made(cli, cli(*OLD, "--exclude", "alpha")))
    assert list(document)[:2] == ["schema", "generator"]
    assert document["schema"] == 1
    assert document["generator"]["name"] == "poetry-plugin-wheeltarget"
    assert document["project"] == {"name": "demo", "version": "0.1.0"}
    lock = tomlkit.loads((cli.project / LOCK).read_text(encoding="utf-8")).unwrap()
    assert document["lock"] == {"content-hash": lock["metadata"]["content-hash"]}
    assert document["target"]["name"] == "cp311-manylinux2014_x86_64"
    assert document["target"]["platforms"][0] == "manylinux_2_17_x86_64"
    assert document["target"]["markers"]["platform_machine"] == "x86_64"
    assert (document["groups"], document["extras"]) == (["main"], [])
    assert document["excluded"] == [{"name": "alpha", "version": "1.0"}]
    own, part = document["packages"]
    assert (own["name"], own["file"], own["built"], own["source"]) == ("demo", OWN, True, None)
    assert part == {
        "name": "native-part",
        "version": "2.0+local.1",
        "file": NATIVE[GLIBC].filename,
        "sha256": NATIVE[GLIBC].sha256,
        "size": len(NATIVE[GLIBC].data),
        "tag": "cp311-cp311-manylinux_2_17_x86_64",
        "source": {"type": "index", "name": "PyPI"},
        "built": False,
    }


def test_nothing_of_this_machine_is_in_it(cli: Cli) -> None:
    data = made(cli, cli(*OLD)).read_bytes()
    for secret in (str(cli.project), str(cli.sandbox.root), str(Path.home()), platform.node()):
        assert secret.encode() not in data


def test_package_mode_includes_the_projects_own_wheel(cli: Cli) -> None:
    path = made(cli, cli(*OLD))
    assert wheels_in(path) == [
        f"wheels/{NATIVE[GLIBC].filename}",
        f"wheels/{ALPHA.filename}",
        f"wheels/{OWN}",
    ]
    with zipfile.ZipFile(path) as bundle:
        (line,) = [
            line
            for line in bundle.read("requirements.txt").decode().splitlines()
            if line.startswith("demo==")
        ]
        own = bundle.read(f"wheels/{OWN}")
        assert line == f"demo==0.1.0 --hash=sha256:{hashlib.sha256(own).hexdigest()}"
    assert not list(cli.project.glob("dist/*.whl"))


def test_no_root_leaves_it_out(cli: Cli) -> None:
    path = made(cli, cli(*OLD, "--no-root"))
    assert f"wheels/{OWN}" not in wheels_in(path)
    assert "demo" not in {package["name"] for package in manifest(path)["packages"]}


#: Gives the wheel that lies next to it, as a backend with an extension module would.
BACKEND = """\
import shutil
import tarfile

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    shutil.copy("built.bin", f"{{wheel_directory}}/{filename}")
    return {filename!r}

def build_sdist(sdist_directory, config_settings=None):
    with tarfile.open(f"{{sdist_directory}}/demo-0.1.0.tar.gz", "w:gz") as archive:
        for name in ("pyproject.toml", "backend.py", "built.bin"):
            archive.add(name, f"demo-0.1.0/{{name}}")
    return "demo-0.1.0.tar.gz"
"""


def give_it_a_backend(project: Path, wheel: BuiltWheel) -> None:
    (project / "backend.py").write_text(BACKEND.format(filename=wheel.filename), encoding="utf-8")
    (project / "built.bin").write_bytes(wheel.data)
    path = project / "pyproject.toml"
    pyproject = tomlkit.loads(path.read_text(encoding="utf-8")).unwrap()
    own = {"requires": [], "build-backend": "backend", "backend-path": ["."]}
    write_toml(path, {**pyproject, "build-system": own})


def test_an_own_wheel_for_another_machine_is_refused(cli: Cli) -> None:
    wheel = build_wheel("demo", "0.1.0", tag=GLIBC)
    give_it_a_backend(cli.project, wheel)
    assert f"wheels/{wheel.filename}" in wheels_in(made(cli, cli(*OLD)))
    ended = cli(*OLD, *ALPINE)
    assert (ended.code, ended.out) == (4, "")
    assert wheel.filename in ended.err
    assert "cp311-musllinux_1_2_x86_64" in ended.err
    assert "--no-root" in ended.err
    assert [path.name for path in (cli.project / "dist").iterdir()] == [BUNDLE.name]


@pytest.mark.parametrize(("name", "version"), [("other", "0.1.0"), ("demo", "0.2.0")])
def test_an_own_wheel_of_something_else_is_refused(cli: Cli, name: str, version: str) -> None:
    wheel = build_wheel(name, version)
    give_it_a_backend(cli.project, wheel)
    ended = cli(*OLD)
    assert (ended.code, ended.out) == (6, "")
    assert wheel.filename in ended.err
    assert not (cli.project / "dist").exists()


@pytest.mark.parametrize("version", ["0.1.0", "0.2.0"])
def test_a_locked_package_that_is_the_project_itself_is_refused(
    make_cli: MakeCli, index: IndexServer, version: str
) -> None:
    twin = build_wheel("Demo", version)
    index.add(twin.filename, twin.data)
    recipe = Recipe(packages=[locked(twin)], package_mode=True)
    cli = make_cli(recipe)
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    for args in (OLD, (*OLD, "--check")):
        ended = cli(*args)
        assert ended.code == 4
        assert f"demo {version} is locked, and the project itself is demo 0.1.0" in ended.err
    assert cli(*OLD, "--exclude", "demo").code == 0
    assert cli(*OLD, "--no-root", "-o", "other.zip").code == 0


@pytest.mark.parametrize(("strict", "code"), [((), 0), (("--strict",), 4)])
def test_an_own_wheel_that_promises_no_c_library_is_questioned(
    make_cli: MakeCli, index: IndexServer, strict: tuple[str, ...], code: int
) -> None:
    platforms = ["manylinux2014_x86_64", "linux_x86_64"]
    table = {"targets": {"old": {"python": "3.11", "platforms": platforms}}}
    cli = make_cli(Recipe(package_mode=True, table=table))
    give_it_a_backend(cli.project, build_wheel("demo", "0.1.0", tag="cp311-cp311-linux_x86_64"))
    ended = cli("-t", "old", *strict)
    assert ended.code == code
    assert "nothing says that it runs with glibc 2.17" in ended.err


def test_without_package_mode_there_is_none(make_cli: MakeCli, index: IndexServer) -> None:
    serve_all(index)
    cli = make_cli(Recipe(packages=[native()]))
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    assert wheels_in(made(cli, cli(*OLD))) == [f"wheels/{NATIVE[GLIBC].filename}"]


def test_two_targets_fetch_a_shared_file_once(cli: Cli, index: IndexServer) -> None:
    ended = cli(*OLD, *ALPINE)
    other = Path("dist", "demo-0.1.0-cp311-musllinux_1_2_x86_64.zip")
    assert f"wheels/{NATIVE[GLIBC].filename}" in wheels_in(made(cli, ended))
    assert f"wheels/{NATIVE[MUSL].filename}" in wheels_in(made(cli, ended, other))
    for wheel in (ALPHA, NATIVE[GLIBC], NATIVE[MUSL]):
        assert len(index.requests_for(wheel.filename)) == 1


# --- the cache ------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [[], ["--offline"]])
def test_a_second_run_needs_no_network(cli: Cli, index: IndexServer, more: list[str]) -> None:
    first = digest(made(cli, cli(*OLD)))
    index.requests.clear()
    assert digest(made(cli, cli.process(*OLD, *more))) == first
    assert index.requests == []


def test_offline_lists_every_file_that_is_not_there(cli: Cli, index: IndexServer) -> None:
    ended = cli(*OLD, "--offline")
    assert (ended.code, ended.out) == (5, "")
    assert ALPHA.filename in ended.err
    assert NATIVE[GLIBC].filename in ended.err
    assert index.requests == []


def test_no_cache_leaves_none_and_uses_none(cli: Cli, index: IndexServer) -> None:
    first = digest(made(cli, cli(*OLD, "--no-cache")))
    assert not (cli.sandbox.cache / "wheeltarget").exists()
    made(cli, cli(*OLD))
    index.requests.clear()
    assert digest(made(cli, cli(*OLD, "--no-cache"))) == first
    assert set(index.downloads()) == {ALPHA.filename, NATIVE[GLIBC].filename}
    assert list(cli.sandbox.temporary.iterdir()) == []


# --- the same bytes -------------------------------------------------------------------------


OTHER_SETTINGS: list[Mapping[str, str]] = [
    {"TZ": "Asia/Kathmandu", "COLUMNS": "20", "USER": "someone", "HOME": "/nonexistent"},
    {"PYTHONHASHSEED": "1", "POETRY_INSTALLER_MAX_WORKERS": "1"},
    {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONHASHSEED": "4711"},
    {"SOURCE_DATE_EPOCH": "0"},
]


@pytest.fixture
def expected(cli: Cli) -> str:
    """What the bundle's hash is; the file itself is gone again."""
    path = made(cli, cli(*OLD))
    expected = digest(path)
    path.unlink()
    return expected


@pytest.mark.parametrize("settings", OTHER_SETTINGS, ids=lambda settings: next(iter(settings)))
def test_the_same_bytes_in_another_environment(
    cli: Cli, expected: str, settings: Mapping[str, str]
) -> None:
    assert digest(made(cli, cli.process(*OLD, "--no-cache", settings=settings))) == expected


@pytest.mark.parametrize("umask", [0o077, 0o000])
def test_the_same_bytes_with_another_umask(cli: Cli, expected: str, umask: int) -> None:
    (cli.project / "demo" / "__init__.py").chmod(0o666 & ~umask)
    assert digest(made(cli, cli.process(*OLD, umask=umask))) == expected


def test_the_same_bytes_from_another_folder(cli: Cli, expected: str, tmp_path: Path) -> None:
    elsewhere = Cli(shutil.copytree(cli.project, tmp_path / "Ünother place"), cli.sandbox)
    for path in elsewhere.project.rglob("*"):
        os.utime(path, (1, 1))
    below = elsewhere.project / "demo"
    assert digest(made(elsewhere, elsewhere(*OLD, cwd=below))) == expected


def test_the_same_bytes_from_another_order_of_the_lock(cli: Cli, expected: str) -> None:
    path = cli.project / LOCK
    lock = tomlkit.loads(path.read_text(encoding="utf-8")).unwrap()
    lock["package"].reverse()
    for package in lock["package"]:
        package["files"].reverse()
    write_toml(path, lock)
    assert digest(made(cli, cli(*OLD))) == expected


def test_the_same_bytes_among_other_targets(cli: Cli, expected: str) -> None:
    assert digest(made(cli, cli(*ALPINE, *OLD, "-t", "cp311,win_amd64"))) == expected


def test_the_same_bytes_whatever_order_downloads_end_in(
    cli: Cli, index: IndexServer, expected: str
) -> None:
    for wheel in (ALPHA, NATIVE[GLIBC]):
        index.behave(wheel.filename, cut_short(10))
        assert digest(made(cli, cli(*OLD, "--no-cache"))) == expected


def test_another_moment_is_another_bundle(cli: Cli, expected: str) -> None:
    later = cli.process(*OLD, settings={"SOURCE_DATE_EPOCH": "1700000000"})
    with zipfile.ZipFile(made(cli, later)) as bundle:
        assert {info.date_time for info in bundle.infolist()} == {(2023, 11, 14, 22, 13, 20)}
    assert digest(cli.project / BUNDLE) != expected


# --- failures -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "spoil", "code"),
    [
        ((*OLD, "--only", "nosuch"), "", 2),
        (OLD, "stale", 3),
        (("-t", "cp312,manylinux2014_x86_64", "-o", str(BUNDLE)), "", 4),
        (OLD, "unbuildable", 4),
        (OLD, "vanished", 5),
        ((*OLD, *ALPINE), "vanished-there", 5),
        (OLD, "flipped", 6),
    ],
)
def test_a_failed_run_leaves_the_old_bundle(
    cli: Cli, index: IndexServer, args: tuple[str, ...], spoil: str, code: int
) -> None:
    path = made(cli, cli(*OLD, "--no-cache", "--no-root"))
    before = path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino
    if spoil == "stale":
        with (cli.project / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write('[tool.poetry.group.new.dependencies]\nbeta = "*"\n')
    elif spoil == "vanished":
        index.behave(ALPHA.filename, status(404), forever=True)
    elif spoil == "vanished-there":
        index.behave(NATIVE[MUSL].filename, status(410), forever=True)
    elif spoil == "flipped":
        index.behave(NATIVE[GLIBC].filename, flip_byte(), forever=True)
    elif spoil == "unbuildable":
        (cli.project / "demo" / "__init__.py").unlink()
        (cli.project / "demo").rmdir()
    ended = cli(*args)
    assert (ended.code, ended.out) == (code, "")
    # One of ours; that of a build backend stands in its log, indented.
    assert not any(line.startswith("Traceback") for line in ended.err.splitlines())
    assert (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) == before
    assert list(path.parent.iterdir()) == [path]
    assert list(cli.sandbox.temporary.glob("wheeltarget-*")) == []
