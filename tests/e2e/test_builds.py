"""Trees and repositories, built and bundled by the command."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from e2e.buildrig import (
    ALPHA,
    BUNDLE,
    NATIVE,
    TARGET,
    built,
    failed,
    from_git,
    from_tree,
    manifest,
    metadata_of,
    own_backend,
    repository,
    tree,
    wheel_in_bundle,
)
from plugin.projectmaker import Locked, locked

if TYPE_CHECKING:
    from pathlib import Path

    from support.index import IndexServer

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
    # Where it was on this machine is nobody's business.
    assert found["greet"]["source"] == {"type": "git", "commit": commit}
    assert wheel_in_bundle(cli, "greet")["greet/__init__.py"] == b"NAME = 'greet'\n"


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
