"""Archives, files and URLs, built where needed and bundled by the command."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest

from e2e.buildrig import (
    ALPHA,
    BUNDLE,
    NATIVE,
    SDIST,
    TARGET,
    archive,
    built,
    failed,
    from_git,
    from_tree,
    own_backend,
    repository,
    tree,
    wheel_in_bundle,
)
from plugin.projectmaker import Locked, locked
from support.wheels import build_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from support.index import IndexServer

#: Backend -> what asks for it.
REQUIRES = {
    "setuptools.build_meta": "setuptools>=61",
    "hatchling.build": "hatchling",
    "flit_core.buildapi": "flit_core>=3.4",
    "pdm.backend": "pdm-backend",
    "poetry.core.masonry.api": "poetry-core>=2",
}
SYSTEMS = {
    backend: f'requires = ["{requires}"]\nbuild-backend = "{backend}"\n'
    for backend, requires in REQUIRES.items()
}


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


def test_another_version_of_the_backend_builds_anew(cli_for: Any, tmp_path: Path) -> None:
    commit = repository(tree(tmp_path / "repo", "greet"))
    cli = cli_for(from_git("greet", tmp_path / "repo", commit))
    built(cli)
    assert "Building" not in cli(*TARGET).err
    (note,) = (cli.sandbox.cache / "wheeltarget/built").iterdir()
    record = json.loads(note.read_text(encoding="utf-8"))
    assert record["requires"] == ["poetry-core"]
    assert record["versions"] == {"poetry-core": version("poetry-core")}
    # As if Poetry had been updated since.
    note.write_text(json.dumps({**record, "versions": {"poetry-core": "1.0"}}), encoding="utf-8")
    assert "Building greet 0.1" in cli(*TARGET).err
    assert json.loads(note.read_text(encoding="utf-8")) == record


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("backend", SYSTEMS)
def test_a_second_run_needs_no_network_whatever_the_backend(
    cli_for: Any, tmp_path: Path, backend: str
) -> None:
    tree(tmp_path / "lib-a", "lib-a", more='description = "x"\n')
    cli = cli_for(from_tree("lib-a", "../lib-a"), package_mode=True)
    for folder in (tmp_path / "lib-a", cli.project):
        pyproject = folder / "pyproject.toml"
        head, system, tail = pyproject.read_text(encoding="utf-8").partition("[build-system]\n")
        tail = "".join(tail.partition("\n[tool")[1:])
        pyproject.write_text(f"{head}{system}{SYSTEMS[backend]}{tail}", encoding="utf-8")
    assert built(cli).keys() == {"demo", "lib-a"}
    assert wheel_in_bundle(cli, "demo")["demo/__init__.py"] == b"ANSWER = 42\n"
    first = (cli.project / BUNDLE).read_bytes()
    assert b"NAME = 'lib-a'" in wheel_in_bundle(cli, "lib-a")["lib_a/__init__.py"]
    built(cli, "--offline")
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
