"""Where bundles go, what the last lines say of them, and what becomes of older ones."""

from __future__ import annotations

import hashlib
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plugin.projectmaker import Recipe, locked
from support.behaviours import status
from support.wheels import build_wheel

if TYPE_CHECKING:
    from plugin.harness import Cli, MakeCli, Outcome
    from support.index import IndexServer

WHEEL = build_wheel("alpha", "1.0")
TARGET = ("-t", "cp311,win_amd64")
BOTH = (*TARGET, "-t", "cp312,win_arm64")
NAMES = ["demo-0.1.0-cp311-win_amd64.zip", "demo-0.1.0-cp312-win_arm64.zip"]


@pytest.fixture
def cli(make_cli: MakeCli, index: IndexServer) -> Cli:
    cli = make_cli(Recipe(packages=[locked(WHEEL)]))
    index.add(WHEEL.filename, WHEEL.data)
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    return cli


def written(cli: Cli) -> list[str]:
    """All files below the project that were not there before, relative to it."""
    return sorted(
        path.relative_to(cli.project).as_posix()
        for path in cli.project.rglob("*")
        if path.is_file() and path.name not in {"pyproject.toml", "poetry.lock"}
    )


def assert_announced(ended: Outcome, *paths: Path, shown: list[str]) -> None:
    """The last lines on stdout name each bundle with its size, number of wheels and sha256."""
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()[-len(paths) :]
    for line, path, name in zip(lines, paths, shown, strict=True):
        data = path.read_bytes()
        match = re.fullmatch(r"(\S+)  ([\d.]+) (B|kB)  1 wheel  sha256:([0-9a-f]{64})", line)
        assert match is not None, line
        assert (match[1], match[4]) == (name, hashlib.sha256(data).hexdigest())
        factor = {"B": 1, "kB": 1000}[match[3]]
        assert float(match[2]) * factor == pytest.approx(len(data), abs=factor / 10)
        assert f"wheels/{WHEEL.filename}" in zipfile.ZipFile(path).namelist()


@pytest.mark.parametrize(
    ("args", "paths"),
    [
        (TARGET, [f"dist/{NAMES[0]}"]),
        (BOTH, [f"dist/{name}" for name in NAMES]),
        ((*TARGET, "-o", "bundle.zip"), ["bundle.zip"]),
        ((*TARGET, "-o", "deep/er/bundle.zip"), ["deep/er/bundle.zip"]),
        ((*TARGET, "--output=out"), [f"out/{NAMES[0]}"]),
        ((*TARGET, "--output=out/"), [f"out/{NAMES[0]}"]),
        ((*TARGET, "-o", "."), [NAMES[0]]),
        ((*BOTH, "-o", "out.d"), [f"out.d/{name}" for name in NAMES]),
        ((*TARGET, "-o", "{target}/{name}_{version}.whl"), ["cp311-win_amd64/demo_0.1.0.whl"]),
        ((*BOTH, "-o", "x/{target}.zip"), ["x/cp311-win_amd64.zip", "x/cp312-win_arm64.zip"]),
    ],
)
def test_where_a_bundle_goes(cli: Cli, args: tuple[str, ...], paths: list[str]) -> None:
    ended = cli(*args)
    assert_announced(ended, *(cli.project / path for path in paths), shown=paths)
    assert written(cli) == sorted(paths)


def test_an_absolute_path(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "elsewhere" / "bundle.zip"
    assert_announced(cli(*TARGET, "-o", str(path)), path, shown=[str(path)])
    assert written(cli) == []


def test_without_output_it_belongs_to_the_project_wherever_one_stands(cli: Cli) -> None:
    folder = cli.project / "sub"
    folder.mkdir()
    path = cli.project / "dist" / NAMES[0]
    assert_announced(cli(*TARGET, cwd=folder), path, shown=[str(path)])
    assert written(cli) == [f"dist/{NAMES[0]}"]


def test_an_output_is_relative_to_where_one_stands(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    # Before the command: Poetry 2.0 looks for it there only.
    ended = cli.poetry(
        *("--project", str(cli.project), "bundle-wheels"), *TARGET, "-o", "b.zip", cwd=folder
    )
    assert_announced(ended, folder / "b.zip", shown=["b.zip"])
    assert written(cli) == []


def test_a_template_in_the_table(make_cli: MakeCli, index: IndexServer) -> None:
    index.add(WHEEL.filename, WHEEL.data)
    table = {"output": "build/{version}/{target}-{name}.zip"}
    cli = make_cli(Recipe(packages=[locked(WHEEL)], table=table))
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    shown = "build/0.1.0/cp311-win_amd64-demo.zip"
    assert_announced(cli(*TARGET), cli.project / shown, shown=[shown])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((*BOTH, "-o", "one.zip"), "2 targets cannot share the output one.zip"),
        ((*BOTH, "-o", "{name}-{version}.zip"), "2 targets cannot share the output"),
        ((*TARGET, "-o", "{nmae}.zip"), "unknown placeholder '{nmae}'"),
        ((*TARGET, "-o", "{name.zip"), "cannot be filled in"),
    ],
)
@pytest.mark.parametrize("check", [[], ["--check"]])
def test_an_output_that_cannot_be(
    cli: Cli, index: IndexServer, args: tuple[str, ...], said: str, check: list[str]
) -> None:
    ended = cli(*args, *check)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert index.requests == []
    assert written(cli) == []


def test_an_older_bundle_is_replaced(cli: Cli) -> None:
    path = cli.project / "dist" / NAMES[0]
    path.parent.mkdir()
    path.write_bytes(b"old")
    assert_announced(cli(*TARGET), path, shown=[f"dist/{NAMES[0]}"])


def test_a_run_that_fails_leaves_the_older_bundles(cli: Cli, index: IndexServer) -> None:
    folder = cli.project / "dist"
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_bytes(b"old " + name.encode())
    index.behave(WHEEL.filename, status(404), forever=True)
    assert cli(*BOTH).code == 5
    assert [(folder / name).read_bytes() for name in NAMES] == [b"old " + n.encode() for n in NAMES]
    assert written(cli) == [f"dist/{name}" for name in NAMES]


@pytest.mark.parametrize("kind", ["folder", "link", "file-as-parent"])
def test_a_place_that_cannot_be_written(cli: Cli, tmp_path: Path, kind: str) -> None:
    path = cli.project / "out" / "bundle.zip"
    other = tmp_path / "other"
    other.write_bytes(b"other")
    if kind == "file-as-parent":
        path.parent.write_bytes(b"")
    else:
        path.parent.mkdir()
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(other)
    ended = cli(*TARGET, "-o", "out/bundle.zip")
    assert (ended.code, ended.out) == (7, "")
    assert str(path.parent) in ended.err
    assert other.read_bytes() == b"other"
    assert list(cli.sandbox.temporary.iterdir()) == []
    assert not any("partial" in name for name in written(cli))


def test_one_bundle_that_cannot_be_written_keeps_the_other_away(cli: Cli) -> None:
    (cli.project / "dist" / NAMES[1]).mkdir(parents=True)
    ended = cli(*BOTH)
    assert (ended.code, ended.out) == (7, "")
    assert written(cli) == []
