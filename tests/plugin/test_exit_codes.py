"""One run for each exit code of the contract, and what comes with it."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

import wheeltarget.plugin.commands.bundle_wheels as command_module
from plugin.projectmaker import LOCK, PYPROJECT, Recipe, locked, stub
from support.behaviours import flip_byte, status
from support.wheels import build_wheel
from wheeltarget.core.errors import Problem, WheeltargetError

if TYPE_CHECKING:
    from plugin.harness import Cli, MakeCli
    from support.index import IndexServer

WHEEL = build_wheel("alpha", "1.0")
TARGET = ("-t", "cp311,win_amd64")


@pytest.fixture
def cli(make_cli: MakeCli, index: IndexServer) -> Cli:
    index.add(WHEEL.filename, WHEEL.data)
    cli = make_cli(Recipe(packages=[locked(WHEEL)]))
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    return cli


def test_0_done(cli: Cli) -> None:
    ended = cli(*TARGET)
    assert (ended.code, (cli.project / "dist/demo-0.1.0-cp311-win_amd64.zip").exists()) == (0, True)


def test_1_an_internal_error(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("our own fault")

    monkeypatch.setattr(command_module, "plan_all", broken)
    ended = cli(*TARGET)
    assert (ended.code, ended.out) == (1, "")
    assert "our own fault" in ended.err


@pytest.mark.parametrize(
    "args",
    [
        ["--nonsense"],
        ["-x"],
        ["argument"],
        ["--python"],
        ["--check=1"],
        ["--only", "nosuch"],
    ],
)
def test_2_usage(cli: Cli, args: list[str]) -> None:
    ended = cli(*TARGET, *args)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Error: ")


def test_2_a_table_that_cannot_be_read(cli: Cli) -> None:
    with (cli.project / PYPROJECT).open("a", encoding="utf-8") as file:
        file.write("\n[tool.wheeltarget]\noutptu = 'x'\n")
    ended = cli(*TARGET)
    assert (ended.code, ended.out) == (2, "")
    assert "tool.wheeltarget.outptu" in ended.err
    assert "did you mean 'output'?" in ended.err


@pytest.mark.parametrize("epoch", ["tomorrow", "1.5", "0x10"])
def test_2_a_source_date_epoch_that_is_no_number(cli: Cli, epoch: str) -> None:
    cli.sandbox.settings["SOURCE_DATE_EPOCH"] = epoch
    ended = cli(*TARGET)
    assert (ended.code, ended.out) == (2, "")
    assert f"SOURCE_DATE_EPOCH is {epoch!r}" in ended.err


@pytest.mark.parametrize("text", ["[project", "[project]\nname = 1\n", "[tool.poetry]\n"])
def test_2_a_pyproject_that_poetry_refuses(cli: Cli, text: str) -> None:
    (cli.project / PYPROJECT).write_text(text, encoding="utf-8")
    ended = cli.process(*TARGET, "--json")
    assert ended.code == 2
    assert len(ended.document["errors"]) == 1
    assert "Traceback" not in ended.err


def test_2_no_project_at_all(cli: Cli) -> None:
    ended = cli(*TARGET, cwd=cli.sandbox.temporary)
    assert (ended.code, ended.out) == (2, "")
    assert "pyproject.toml" in ended.err


def test_3_no_lock(cli: Cli) -> None:
    (cli.project / LOCK).unlink()
    assert cli(*TARGET).code == 3


def test_4_no_wheel(make_cli: MakeCli) -> None:
    assert make_cli(Recipe(packages=[stub("x", sdist=True)]))(*TARGET).code == 4


@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_5_a_page_that_cannot_be_had(cli: Cli, index: IndexServer, code: int) -> None:
    index.behave("/simple/alpha/", status(code), forever=True)
    ended = cli(*TARGET)
    assert (ended.code, ended.out) == (5, "")
    assert str(code) in ended.err
    assert "PyPI" in ended.err


def test_5_a_file_that_has_vanished(make_cli: MakeCli, index: IndexServer) -> None:
    index.add("alpha-1.1-py3-none-any.whl", b"a newer one")
    cli = make_cli(Recipe(packages=[locked(WHEEL)]))
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    ended = cli(*TARGET)
    assert ended.code == 5
    assert f"no longer offers {WHEEL.filename}" in ended.err


def test_6_other_bytes_than_locked(cli: Cli, index: IndexServer) -> None:
    index.add(WHEEL.filename, WHEEL.data, listed_hash=None)
    index.behave(WHEEL.filename, flip_byte(), forever=True)
    ended = cli(*TARGET)
    assert (ended.code, ended.out) == (6, "")
    assert WHEEL.filename in ended.err
    assert WHEEL.sha256 in ended.err


def test_6_another_hash_in_the_index(cli: Cli, index: IndexServer) -> None:
    index.add(WHEEL.filename, WHEEL.data, listed_hash=f"sha256:{'0' * 64}")
    assert cli(*TARGET).code == 6
    assert index.downloads() == []


def test_6_a_lock_without_a_hash_to_trust(make_cli: MakeCli) -> None:
    cli = make_cli(Recipe(packages=[stub("alpha", "py3-none-any")]))
    lock = cli.project / LOCK
    text = lock.read_text(encoding="utf-8")
    digest = text[text.index("sha256:") :].split('"')[0]
    lock.write_text(text.replace(digest, f"md5:{'0' * 32}"), encoding="utf-8")
    assert cli(*TARGET).code == 6


def test_7_a_place_that_cannot_be_written(cli: Cli) -> None:
    (cli.project / "dist").write_bytes(b"")
    assert cli(*TARGET).code == 7


def test_7_a_cache_that_cannot_be_written(cli: Cli) -> None:
    cli.sandbox.cache.write_bytes(b"")
    ended = cli(*TARGET)
    assert ended.code == 7
    assert str(cli.sandbox.cache) in ended.err


def test_130_interrupted(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command_module, "bundle_all", interrupted)
    before = signal.getsignal(signal.SIGTERM)
    ended = cli(*TARGET, "--json")
    assert ended.code == 130
    assert ended.document["ok"] is False
    assert "interrupted" in ended.err
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_thread_that_may_not_handle_signals(cli: Cli) -> None:
    with ThreadPoolExecutor(1) as executor:
        assert executor.submit(cli, *TARGET).result().code == 0


def test_every_class_of_error_has_a_code_of_its_own() -> None:
    codes = [error.exit_code for error in WheeltargetError.__subclasses__()]
    assert sorted(codes) == [2, 3, 4, 5, 6, 7]
    assert WheeltargetError(Problem(what="x")).exit_code == 1
