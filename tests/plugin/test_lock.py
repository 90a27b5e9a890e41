"""A lock that is missing, stale, unreadable or of a format that is not read: exit 3."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plugin.harness import Cli
from plugin.projectmaker import LOCK, PYPROJECT, Recipe, stub
from support.projects import PROJECTS

if TYPE_CHECKING:
    from plugin.harness import MakeCli, Sandbox

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


@pytest.mark.parametrize(
    ("project", "version"), [("lock11-small-api", "1.1"), ("lock20-small-api", "2.0")]
)
def test_an_older_format_says_what_to_run(
    tmp_path: Path, sandbox: Sandbox, project: str, version: str
) -> None:
    folder = shutil.copytree(PROJECTS / project, tmp_path / project)
    ended = Cli(folder, sandbox)(*ARGS, "--check")
    assert (ended.code, ended.out) == (3, "")
    assert f"format {version} is older" in ended.err
    assert "`poetry lock`" in ended.err


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
