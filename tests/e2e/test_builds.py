"""What has no wheel: trees, repositories and archives, built and bundled by the command."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from plugin.projectmaker import Locked, Recipe, locked
from support.wheels import BuiltSdist, build_sdist, build_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugin.harness import Cli, MakeCli, Outcome
    from support.index import IndexServer

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


@pytest.fixture
def cli_for(make_cli: MakeCli, index: IndexServer) -> Any:
    """Make the CLI of a project with these packages; the index has what tests may need."""
    index.add(SDIST.filename, SDIST.data)
    index.add(ALPHA.filename, ALPHA.data)

    def make(*packages: Locked, **more: Any) -> Cli:
        cli = make_cli(Recipe(packages=packages, **more))
        cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
        return cli

    return make


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
    """METADATA of a wheel in the bundle, whose RECORD is right."""
    filename = built_file(cli, name)
    with zipfile.ZipFile(cli.project / BUNDLE) as bundle:
        (cli.project / filename).write_bytes(bundle.read(f"wheels/{filename}"))
    with zipfile.ZipFile(cli.project / filename) as wheel:
        (found,) = [each for each in wheel.namelist() if each.endswith("/METADATA")]
        return wheel.read(found).decode()


def built_file(cli: Cli, name: str) -> str:
    (package,) = (each for each in manifest(cli)["packages"] if each["name"] == name)
    return str(package["file"])


def failed(ended: Outcome, code: int, *said: str) -> None:
    assert ended.code == code, ended.err
    assert [text for text in said if text not in ended.err] == []


# --- trees ------------------------------------------------------------------------------------


@pytest.mark.parametrize("develop", [True, False])
def test_a_folder_is_bundled_as_a_wheel_never_as_a_path(
    cli_for: Any, tmp_path: Path, develop: bool
) -> None:
    tree(tmp_path / "libs/lib-b", "lib-b")
    path = '\n[tool.poetry.dependencies]\nlib-b = { path = "../lib-b", develop = true }\n'
    tree(tmp_path / "libs/lib-a", "lib-a", more=path.replace("[project]", ""))
    packages = [
        from_tree("lib-a", "../libs/lib-a", dependencies={"lib-b": {"path": "../lib-b"}}),
        from_tree("lib-b", "../libs/lib-b"),
    ]
    cli = cli_for(*packages)
    found = built(cli)
    assert {name: each["built"] for name, each in found.items()} == {"lib-a": True, "lib-b": True}
    assert found["lib-a"]["source"] == {"type": "directory"}
    assert str(tmp_path) not in json.dumps(manifest(cli))


def test_a_direct_reference_becomes_the_version_in_the_bundle(cli_for: Any, tmp_path: Path) -> None:
    tree(tmp_path / "libs/lib-b", "lib-b")
    reference = f"lib-b @ {(tmp_path / 'libs/lib-b').as_uri()}"
    tree(tmp_path / "libs/lib-a", "lib-a", reference)
    dependencies = {"lib-b": {"path": "../lib-b"}}
    cli = cli_for(
        from_tree("lib-a", "../libs/lib-a", dependencies=dependencies),
        from_tree("lib-b", "../libs/lib-b"),
    )
    built(cli)
    assert "\nRequires-Dist: lib-b==0.1\n" in metadata_of(cli, "lib-a")
    assert "file://" not in metadata_of(cli, "lib-a")


def test_a_folder_that_is_missing(cli_for: Any) -> None:
    cli = cli_for(from_tree("lib-a", "../nowhere"))
    assert cli(*TARGET, "--check").code == 0
    failed(cli(*TARGET), 7, "the folder ../nowhere of lib-a 0.1 is missing")
    assert not (cli.project / "dist").exists()


def test_a_tree_that_requires_something_else_than_the_lock_says(
    cli_for: Any, tmp_path: Path
) -> None:
    tree(tmp_path / "lib-a", "lib-a", "alpha>=2", "beta")
    package = from_tree("lib-a", "../lib-a", dependencies={"alpha": ">=1"})
    failed(
        cli_for(package, locked(ALPHA))(*TARGET),
        6,
        "built for lib-a 0.1, is not what is locked: it requires alpha >=2, the lock alpha >=1",
        "it requires beta, the lock does not",
    )


def test_a_tree_of_another_version(cli_for: Any, tmp_path: Path) -> None:
    tree(tmp_path / "lib-a", "lib-a", version="0.2")
    failed(cli_for(from_tree("lib-a", "../lib-a"))(*TARGET), 6, "it is lib-a 0.2, the lock says")


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


def test_a_wheel_that_does_not_fit_the_target(cli_for: Any, tmp_path: Path) -> None:
    own_backend(tmp_path / "lib-a", NATIVE)
    cli = cli_for(from_tree("lib-a", "../lib-a"))
    failed(
        cli(*TARGET),
        4,
        "the wheel built for lib-a 0.1 lib_a-0.1-cp38-cp38-linux_x86_64.whl does not fit cp311-",
    )
    ended = cli("-t", "cp38-cp38-manylinux2014_x86_64.linux_x86_64", "-q")
    assert (ended.code, ended.err) == (0, "")
    strict = cli("-t", "cp38-cp38-manylinux2014_x86_64.linux_x86_64", "--strict")
    failed(strict, 4, "was built for the C library of this machine")


def test_a_build_that_fails_shows_the_end_of_its_log(cli_for: Any, tmp_path: Path) -> None:
    own_backend(tmp_path / "lib-a", "def build_sdist(*a):\n    raise SystemExit('no compiler')\n")
    own_backend(tmp_path / "lib-b", "def build_sdist(*a):\n    raise SystemExit('no header')\n")
    packages = [from_tree("lib-a", "../lib-a"), from_tree("lib-b", "../lib-b")]
    failed(
        cli_for(*packages)(*TARGET),
        4,
        "building lib-a 0.1 failed:",
        "no compiler",
        "building lib-b 0.1 failed:",
        "no header",
    )


# --- git --------------------------------------------------------------------------------------


def test_a_repository_is_built_at_its_locked_commit(cli_for: Any, tmp_path: Path) -> None:
    folder = tree(tmp_path / "repo", "greet")
    commit = repository(folder)
    (folder / "greet" / "__init__.py").write_text("NAME = 'later'\n", encoding="utf-8")
    repository(folder)
    cli = cli_for(from_git("greet", folder, commit))
    found = built(cli)
    assert found["greet"]["source"]["commit"] == commit
    with zipfile.ZipFile(cli.project / BUNDLE) as bundle:
        (cli.project / "greet.whl").write_bytes(bundle.read(f"wheels/{found['greet']['file']}"))
    with zipfile.ZipFile(cli.project / "greet.whl") as wheel:
        assert wheel.read("greet/__init__.py") == b"NAME = 'greet'\n"


def test_a_package_in_a_folder_of_a_repository_and_a_second_run_without_it(
    cli_for: Any, tmp_path: Path
) -> None:
    tree(tmp_path / "repo/packages/greet", "greet")
    commit = repository(tmp_path / "repo")
    cli = cli_for(from_git("greet", tmp_path / "repo", commit, subdirectory="packages/greet"))
    built(cli)
    first = (cli.project / BUNDLE).read_bytes()
    shutil.rmtree(tmp_path / "repo")
    built(cli, "--offline")
    assert (cli.project / BUNDLE).read_bytes() == first


def test_a_commit_that_is_gone(cli_for: Any, tmp_path: Path) -> None:
    folder = tree(tmp_path / "repo", "greet")
    repository(folder)
    failed(
        cli_for(from_git("greet", folder, "1" * 40))(*TARGET),
        5,
        f"cannot check out commit {'1' * 40}",
        "for greet 0.1",
    )


def test_a_tag_that_is_named_like_the_locked_commit_is_not_taken_for_it(
    cli_for: Any, tmp_path: Path
) -> None:
    folder = tree(tmp_path / "repo", "greet")
    commit = repository(folder)
    (folder / "greet" / "__init__.py").write_text("EVIL = 1\n", encoding="utf-8")
    evil = repository(folder)
    tag = ["git", "-C", str(folder), "update-ref", f"refs/tags/{commit}", evil]
    subprocess.run(tag, check=True)
    cli = cli_for(from_git("greet", folder, commit))
    failed(cli(*TARGET), 6, f"gives commit {evil} for greet 0.1, and {commit} is locked")
    assert not (cli.project / "dist").exists()


def test_offline_a_repository_is_not_asked(cli_for: Any, tmp_path: Path) -> None:
    commit = repository(tree(tmp_path / "repo", "greet"))
    cli = cli_for(from_git("greet", tmp_path / "repo", commit))
    failed(cli(*TARGET, "--offline"), 5, "greet 0.1 has not been built before, and --offline")


def test_the_settings_of_git_on_this_machine_do_not_show(
    cli_for: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = repository(tree(tmp_path / "repo", "greet"))
    bundles = []
    for setting in ("false", "true"):
        (tmp_path / "home").mkdir(exist_ok=True)
        config = tmp_path / "home" / ".gitconfig"
        config.write_text(f"[core]\n\tautocrlf = {setting}\n", encoding="utf-8")
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        cli = cli_for(from_git("greet", tmp_path / "repo", commit))
        built(cli, "--no-cache")
        bundles.append((cli.project / BUNDLE).read_bytes())
    assert bundles[0] == bundles[1]


def test_a_password_in_a_repositorys_address_is_not_printed(
    cli_for: Any, index: IndexServer
) -> None:
    url = index.index_url.replace("://", "://joe:s3cr3t@") + "x.git"
    source = {"type": "git", "url": url, "resolved_reference": "1" * 40}
    cli = cli_for(Locked(name="greet", version="0.1", files={}, source=source))
    ended = cli.process(*TARGET, "-vvv")
    assert ended.code == 5
    assert "s3cr3t" not in ended.out + ended.err


def test_a_folder_that_a_repository_does_not_have(cli_for: Any, tmp_path: Path) -> None:
    commit = repository(tree(tmp_path / "repo", "greet"))
    for subdirectory in ("nowhere", "../.."):
        package = from_git("greet", tmp_path / "repo", commit, subdirectory=subdirectory)
        failed(cli_for(package)(*TARGET), 4, f"its source has no folder {subdirectory}")


# --- archives ---------------------------------------------------------------------------------


def test_nothing_is_built_unasked(cli_for: Any) -> None:
    cli = cli_for(archive())
    failed(cli(*TARGET), 4, "only a source archive is locked; --build can have it built")
    shown = cli("--check", *TARGET)
    assert "only a source archive is locked; --build can have it built" in shown.out


@pytest.mark.parametrize(
    ("args", "table"),
    [
        (("--build", "old-style"), None),
        ((), {"build": ["Old.Style"]}),
    ],
)
def test_an_archive_of_an_index_is_built_where_the_package_is_named(
    cli_for: Any, args: tuple[str, ...], table: dict[str, Any] | None
) -> None:
    cli = cli_for(archive(), table=table)
    found = built(cli, *args)
    assert found["old-style"]["built"] is True
    assert found["old-style"]["source"] == {"type": "index", "name": "PyPI"}


def test_a_second_run_needs_neither_network_nor_backend(cli_for: Any, index: IndexServer) -> None:
    cli = cli_for(archive())
    built(cli, "--build", "old-style")
    first = (cli.project / BUNDLE).read_bytes()
    index.requests.clear()
    built(cli, "--build", "old-style", "--offline")
    assert (cli.project / BUNDLE).read_bytes() == first
    assert index.requests == []


def test_a_damaged_memory_of_what_was_built_is_mended(cli_for: Any) -> None:
    cli = cli_for(archive())
    built(cli, "--build", "old-style")
    first = (cli.project / BUNDLE).read_bytes()
    for note in (cli.sandbox.cache / "wheeltarget/built").iterdir():
        for text in ("", "[]", "{}", '{"file": "../x.whl", "sha256": "00"}'):
            note.write_text(text, encoding="utf-8")
            built(cli, "--build", "old-style")
            assert (cli.project / BUNDLE).read_bytes() == first


def test_a_damaged_archive_in_the_cache_is_fetched_again(cli_for: Any, index: IndexServer) -> None:
    cli = cli_for(archive())
    built(cli, "--build", "old-style")
    first = (cli.project / BUNDLE).read_bytes()
    cache = cli.sandbox.cache / "wheeltarget"
    shutil.rmtree(cache / "built")
    cached = cache / "sha256" / SDIST.sha256[:2] / SDIST.sha256[2:]
    cached.write_bytes(SDIST.data[:-1] + b"?")
    built(cli, "--build", "old-style")
    assert (cli.project / BUNDLE).read_bytes() == first
    assert cached.read_bytes() == SDIST.data


def test_what_was_built_is_enough_without_its_archive(cli_for: Any) -> None:
    cli = cli_for(archive())
    built(cli, "--build", "old-style")
    (cli.sandbox.cache / "wheeltarget/sha256" / SDIST.sha256[:2] / SDIST.sha256[2:]).unlink()
    built(cli, "--build", "old-style", "--offline")


def test_only_what_is_right_is_remembered(cli_for: Any, tmp_path: Path) -> None:
    backend = NATIVE.replace("0.1", "0.2") + "\n"
    commit = repository(own_backend(tmp_path / "repo", backend))
    cli = cli_for(from_git("lib-a", tmp_path / "repo", commit))
    failed(cli(*TARGET), 6, "it is lib-a 0.2, the lock says lib-a 0.1")
    assert not (cli.sandbox.cache / "wheeltarget" / "built").exists()


def test_that_something_is_built_is_said(cli_for: Any) -> None:
    ended = cli_for(archive())(*TARGET, "--build", "old-style")
    assert f"Building old-style 1.0 from {SDIST.filename}\n" in ended.err


def test_an_archive_is_verified_before_it_is_built(cli_for: Any, index: IndexServer) -> None:
    package = Locked(name="old-style", version="1.0", files={SDIST.filename: "sha256:" + "0" * 64})
    failed(cli_for(package)(*TARGET, "--build", "old-style"), 6, SDIST.filename)


def test_a_misspelled_package_to_build_is_noticed(cli_for: Any) -> None:
    ended = cli_for(archive())("--check", *TARGET, "--build", "old-stile")
    assert "build names old-stile, which is not in the lock; did you mean 'old-style'?" in ended.err


# --- files and URLs ---------------------------------------------------------------------------


def of(kind: str, url: str, filename: str, data: bytes, name: str) -> Locked:
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    return Locked(
        name=name, version="1.0", files={filename: digest}, source={"type": kind, "url": url}
    )


@pytest.mark.parametrize("kind", ["file", "url"])
def test_wheels_and_archives_beside_the_project_or_at_a_url(
    cli_for: Any, index: IndexServer, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "files").mkdir()
    packages = []
    for name, filename, data in (
        ("alpha", ALPHA.filename, ALPHA.data),
        ("old-style", SDIST.filename, SDIST.data),
    ):
        (tmp_path / "files" / filename).write_bytes(data)
        url = f"../files/{filename}" if kind == "file" else index.file_url(filename)
        packages.append(of(kind, url, filename, data, name))
    found = built(cli_for(*packages), "--build", "old-style")
    assert {name: each["built"] for name, each in found.items()} == {
        "alpha": False,
        "old-style": True,
    }
    assert found["alpha"]["sha256"] == ALPHA.sha256
    assert found["alpha"]["source"]["type"] == kind
    assert ("url" in found["alpha"]["source"]) is (kind == "url")


def test_files_that_are_missing_or_not_the_locked_ones_are_all_named(
    cli_for: Any, tmp_path: Path
) -> None:
    changed = build_wheel("beta", "1.0")
    (tmp_path / changed.filename).write_bytes(b"something else")
    cli = cli_for(
        of("file", f"../{ALPHA.filename}", ALPHA.filename, ALPHA.data, "alpha"),
        of("file", f"../{changed.filename}", changed.filename, changed.data, "beta"),
    )
    failed(
        cli(*TARGET),
        7,
        f"cannot read ../{ALPHA.filename} of alpha 1.0: No such file or directory",
        f"../{changed.filename} is not the locked file: expected sha256:",
    )


# --- the whole --------------------------------------------------------------------------------


def test_what_was_built_installs_with_pip_alone(cli_for: Any, tmp_path: Path) -> None:
    tree(tmp_path / "libs/lib-b", "lib-b")
    tree(tmp_path / "libs/lib-a", "lib-a", f"lib-b @ {(tmp_path / 'libs/lib-b').as_uri()}", "alpha")
    commit = repository(tree(tmp_path / "repo", "greet"))
    dependencies = {"lib-b": {"path": "../lib-b"}, "alpha": "*"}
    cli = cli_for(
        from_tree("lib-a", "../libs/lib-a", dependencies=dependencies),
        from_tree("lib-b", "../libs/lib-b"),
        from_git("greet", tmp_path / "repo", commit),
        archive(),
        locked(ALPHA),
        package_mode=True,
    )
    found = built(cli, "--build", "old-style", "--python", "3.11")
    assert sorted(found) == ["alpha", "demo", "greet", "lib-a", "lib-b", "old-style"]
    with zipfile.ZipFile(cli.project / BUNDLE) as bundle:
        bundle.extractall(tmp_path / "unpacked")
    for folder in ("libs", "repo"):
        shutil.rmtree(tmp_path / folder)
    place = tmp_path / "installed"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--find-links"),
            *("wheels", "--require-hashes", "-r", "requirements.txt", "--target", str(place)),
        ],
        cwd=tmp_path / "unpacked",
        check=True,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    imports = "import alpha, demo, greet, lib_a, lib_b, old_style"
    subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path[:0] = [{str(place)!r}]; {imports}"],
        check=True,
    )


def test_the_same_source_gives_the_same_bytes_in_another_place(
    cli_for: Any, tmp_path: Path
) -> None:
    bundles = []
    for place in ("one", "two/deeper"):
        shutil.rmtree(tmp_path / "project", ignore_errors=True)
        tree(tmp_path / place / "lib-a", "lib-a")
        (tmp_path / "lib-a").unlink(missing_ok=True)
        (tmp_path / "lib-a").symlink_to(tmp_path / place / "lib-a")
        cli = cli_for(from_tree("lib-a", "../lib-a"), archive())
        built(cli, "--build", "old-style", "--no-cache")
        bundles.append((cli.project / BUNDLE).read_bytes())
    assert bundles[0] == bundles[1]
