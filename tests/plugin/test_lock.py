"""Locks of all formats; one that is missing, stale, unreadable or too new: exit 3."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from poetry.core.packages.dependency_group import DependencyGroup
from poetry.factory import Factory

from plugin.harness import Cli
from plugin.projectmaker import LOCK, PYPROJECT, Recipe, content_hash, stub, write_toml
from support.projects import PROJECTS

if TYPE_CHECKING:
    from plugin.harness import MakeCli, Sandbox

#: Whether this Poetry knows the standard's dependency groups.
PEP_735 = hasattr(DependencyGroup, "include_dependency_group")

ARGS = ("-t", "cp311,manylinux2014_x86_64")


def removed(lock: Path) -> None:
    lock.unlink()


def truncated(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    lock.write_text(text[: text.index("files")], encoding="utf-8")


def with_half_a_string(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    lock.write_text(text[: text.rindex("sha256:") + 10], encoding="utf-8")


def replaced(old: str, new: str) -> Callable[[Path], None]:
    def replace(lock: Path) -> None:
        text = lock.read_text(encoding="utf-8")
        assert old in text
        lock.write_text(text.replace(old, new), encoding="utf-8")

    return replace


def rewritten(data: bytes) -> Callable[[Path], None]:
    def rewrite(lock: Path) -> None:
        lock.write_bytes(data)

    return rewrite


def without_metadata(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    lock.write_text(text[: text.index("[metadata]")], encoding="utf-8")


def as_a_folder(lock: Path) -> None:
    lock.unlink()
    lock.mkdir()


def stale(lock: Path) -> None:
    pyproject = lock.with_name(PYPROJECT)
    text = pyproject.read_text(encoding="utf-8")
    pyproject.write_text(text.replace('["alpha"]', '["alpha", "beta"]'), encoding="utf-8")


FLAWS: dict[str, tuple[Callable[[Path], None], str]] = {
    "missing": (removed, "there is no poetry.lock"),
    "stale": (stale, "older than pyproject.toml"),
    "conflict-markers": (replaced("[metadata]", "<<<<<<< HEAD\n[metadata]"), "cannot be read"),
    "truncated": (truncated, "poetry.lock"),
    "half-a-string": (with_half_a_string, "cannot be read"),
    "empty": (rewritten(b""), "metadata"),
    "not-utf-8": (rewritten(b'[metadata]\nlock-version = "\xff"\n'), "cannot be read"),
    "binary": (rewritten(b"\x00\x01\x02"), "cannot be read"),
    "folder": (as_a_folder, "cannot be read"),
    "no-metadata": (without_metadata, "metadata"),
    "from-the-future": (replaced('lock-version = "2.1"', 'lock-version = "3.0"'), "lock"),
    "from-next-year": (replaced('lock-version = "2.1"', 'lock-version = "2.2"'), "2.2"),
    "no-version": (replaced('lock-version = "2.1"\n', ""), "lock"),
    "number": (replaced('lock-version = "2.1"', "lock-version = 2.1"), "lock"),
    "no-groups": (replaced('groups = ["main"]\n', ""), "package alpha.groups"),
    "no-name": (replaced('name = "alpha"\n', ""), "package[0].name"),
    "no-hash-form": (replaced("[[package]]", "[package]"), "package"),
    "marker": (
        replaced('groups = ["main"]', 'groups = ["main"]\nmarkers = "x <"'),
        "alpha.markers",
    ),
    "source": (replaced('groups = ["main"]', 'groups = ["main"]\nsource = "x"'), "alpha.source"),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flawed_lock(make_cli: MakeCli, flaw: str) -> None:
    cli = make_cli(Recipe(packages=[stub("alpha", "py3-none-any")]))
    spoil, said = FLAWS[flaw]
    spoil(cli.project / LOCK)
    files = sorted(path.name for path in cli.project.rglob("*"))
    for args in (("--check",), ()):
        ended = cli(*ARGS, *args)
        assert (ended.code, ended.out) == (3, "")
        assert said in ended.err
        assert "`poetry lock`" in ended.err
        assert "Traceback" not in ended.err
    assert sorted(path.name for path in cli.project.rglob("*")) == files
    assert not cli.sandbox.cache.exists()


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flawed_lock_in_json(make_cli: MakeCli, flaw: str) -> None:
    cli = make_cli(Recipe(packages=[stub("alpha", "py3-none-any")]))
    FLAWS[flaw][0](cli.project / LOCK)
    ended = cli(*ARGS, "--check", "--json")
    assert ended.code == 3
    assert (ended.document["ok"], ended.document["targets"]) == (False, [])
    (error,) = ended.document["errors"]
    assert "poetry.lock" in error["what"]
    assert "`poetry lock`" in error["hint"]


OLD_LOCKS = ("lock11-small-api", "lock20-small-api", "lock11-old-markers", "lock20-old-markers")


def check(folder: Path, sandbox: Sandbox, *args: str) -> list[tuple[str, str, str | None]]:
    """The plan of a project, as name, version and file of each package."""
    ended = Cli(folder, sandbox)(*ARGS, "--no-root", "--check", "--json", *args)
    assert ended.code == 0, ended.err
    (target,) = ended.document["targets"]
    return [(each["name"], each["version"], each.get("file")) for each in target["packages"]]


@pytest.mark.parametrize("project", OLD_LOCKS)
def test_a_lock_of_an_older_poetry_is_planned(
    tmp_path: Path, sandbox: Sandbox, project: str
) -> None:
    folder = shutil.copytree(PROJECTS / project, tmp_path / project)
    lock = (folder / LOCK).read_bytes()
    main = check(folder, sandbox)
    everything = check(folder, sandbox, "--all-groups", "--all-extras")
    assert set(main) < set(everything)
    assert all(file is not None for _, _, file in everything)
    assert (folder / LOCK).read_bytes() == lock


SELECTIONS = ((), ("--all-extras",), ("--extras", "cache"), ("--only", "dev"), ("--with", "docs"))


@pytest.mark.parametrize("python", ["3.8.18", "3.9", "3.11.2", "3.13.0"])
def test_the_plan_is_that_of_a_new_lock_with_the_same_versions(
    tmp_path: Path, sandbox: Sandbox, python: str
) -> None:
    folders = [
        shutil.copytree(PROJECTS / project, tmp_path / project)
        for project in ("lock20-old-markers", "lock21-old-markers")
    ]
    for selection in SELECTIONS:
        for platform in ("win_amd64", "macosx_11_0_arm64"):
            args = (*selection, "-t", platform, "--python", python, "--check", "--json")
            old, new = (Cli(folder, sandbox)(*args).document["targets"][0] for folder in folders)
            assert old["packages"] == new["packages"]
            assert [(each["name"], each["variable"]) for each in old["undecided"]] == [
                (each["name"], each["variable"]) for each in new["undecided"]
            ]


def test_what_an_old_lock_lacks_is_told(tmp_path: Path, sandbox: Sandbox) -> None:
    folder = shutil.copytree(PROJECTS / "lock20-small-api", tmp_path / "project")
    text = (folder / LOCK).read_text(encoding="utf-8")
    (folder / LOCK).write_text(text.replace('name = "idna"', 'name = "other"'), encoding="utf-8")
    ended = Cli(folder, sandbox)(*ARGS, "--check")
    assert (ended.code, ended.out) == (3, "")
    text = text.replace('{file = "idna', '{file = "other')
    (folder / LOCK).write_text(text.replace('name = "idna"', 'name = "other"'), encoding="utf-8")
    ended = Cli(folder, sandbox)(*ARGS, "--check")
    assert (ended.code, ended.out) == (3, "")
    assert "no locked version of idna is what all that want it" in ended.err
    assert "anyio 4.9.0 wants idna (>=2.8)" in ended.err
    assert "`poetry lock`" in ended.err


def test_an_old_lock_that_is_stale_is_told(tmp_path: Path, sandbox: Sandbox) -> None:
    folder = shutil.copytree(PROJECTS / "lock11-small-api", tmp_path / "project")
    text = (folder / PYPROJECT).read_text(encoding="utf-8")
    (folder / PYPROJECT).write_text(text.replace("~8.3", "~8.2"), encoding="utf-8")
    ended = Cli(folder, sandbox)(*ARGS, "--check")
    assert (ended.code, ended.out) == (3, "")
    assert "older than pyproject.toml" in ended.err


NEW_TABLES = """\
[project]
name = "demo"
version = "1"
requires-python = ">=3.9"
dependencies = ["alpha; sys_platform == 'linux'"]
[project.optional-dependencies]
more = ["beta>=1"]
[dependency-groups]
test = ["gamma"]
[tool.poetry]
package-mode = false
[tool.poetry.dependencies]
alpha = { version = "<2" }
"""


def test_an_old_lock_of_a_project_with_new_tables(tmp_path: Path, sandbox: Sandbox) -> None:
    (tmp_path / PYPROJECT).write_text(NEW_TABLES, encoding="utf-8")
    packages = [
        {**stub(name, "py3-none-any", version=version).raw, "groups": []}
        for name, version in (("alpha", "1.0"), ("alpha", "2.0"), ("beta", "1.0"), ("gamma", "1.0"))
    ]
    pyproject = Factory().create_poetry(tmp_path).pyproject.data
    metadata = {
        "lock-version": "2.0",
        "python-versions": ">=3.9",
        "content-hash": content_hash(tmp_path, pyproject),
    }
    write_toml(tmp_path / LOCK, {"package": packages, "metadata": metadata})

    def names(*args: str) -> list[str]:
        return [f"{name} {version}" for name, version, _ in check(tmp_path, sandbox, *args)]

    assert names() == ["alpha 1.0"]
    assert names("--all-extras") == ["alpha 1.0", "beta 1.0"]
    if PEP_735:
        assert names("--only", "test") == ["gamma 1.0"]


def test_the_lock_is_never_changed(make_cli: MakeCli) -> None:
    cli = make_cli(Recipe(packages=[stub("alpha", "py3-none-any")]))
    before = (cli.project / LOCK).read_bytes(), (cli.project / LOCK).stat().st_mtime_ns
    assert cli(*ARGS, "--check").code == 0
    assert ((cli.project / LOCK).read_bytes(), (cli.project / LOCK).stat().st_mtime_ns) == before


def test_a_comment_in_pyproject_leaves_the_lock_fresh(make_cli: MakeCli) -> None:
    cli = make_cli(Recipe(packages=[stub("alpha", "py3-none-any")]))
    with (cli.project / PYPROJECT).open("a", encoding="utf-8") as file:
        file.write('\n# a comment\n[tool.wheeltarget]\nexclude = ["alpha"]\n')
    assert cli(*ARGS, "--check").code == 0


def test_every_hostile_file_name_is_listed_in_one_run(make_cli: MakeCli) -> None:
    evil = "alpha-1.0-1/../../tmp/evil-py3-none-any.whl"
    alpha = stub("alpha", "py3-none-any")
    packages = [alpha, stub("beta", "py3-none-any")]
    cli = make_cli(Recipe(packages=packages))
    lock = cli.project / LOCK
    text = lock.read_text(encoding="utf-8").replace("alpha-1.0-py3-none-any.whl", evil)
    lock.write_text(text.replace("beta-1.0-py3", r"beta-1.0-\u001B[2Jpy3"), encoding="utf-8")
    ended = cli(*ARGS, "--check")
    assert (ended.code, ended.out) == (3, "")
    assert evil in ended.err
    assert r"beta-1.0-\x1b[2Jpy3-none-any.whl" in ended.err
    assert "\x1b" not in ended.err
