"""Ctrl-C and SIGTERM while something is under way: 130 within two seconds, nothing left over."""

from __future__ import annotations

import hashlib
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plugin.harness import Outcome
from plugin.projectmaker import Recipe, locked
from support.behaviours import drip
from support.wheels import build_wheel

if TYPE_CHECKING:
    import subprocess

    from plugin.harness import Cli, MakeCli
    from support.index import IndexServer

WHEELS = [build_wheel(f"part{number}", "1.0", tag="cp311-cp311-win_amd64") for number in range(12)]
SLOW = WHEELS[7].filename
ARGS = ("-t", "cp311,win_amd64", "-o", "out/b.zip")
PATIENCE = 30.0


@pytest.fixture
def cli(make_cli: MakeCli, index: IndexServer) -> Cli:
    for wheel in WHEELS:
        index.add(wheel.filename, wheel.data)
    cli = make_cli(Recipe(packages=[locked(wheel) for wheel in WHEELS]))
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    (cli.project / "out").mkdir()
    (cli.project / "out" / "b.zip").write_bytes(b"old")
    return cli


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that must not outlive their test."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()


def wait_until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "what the test waits for did not happen"
        time.sleep(0.01)


def interrupt(process: subprocess.Popen[str], sent: signal.Signals) -> tuple[Outcome, float]:
    begin = time.monotonic()
    process.send_signal(sent)
    out, err = process.communicate(timeout=PATIENCE)
    return Outcome(process.returncode, out, err), time.monotonic() - begin


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def leftovers(cache: Path) -> list[str]:
    """The files in our cache that do not stand under their own hash."""
    return [
        name
        for name, data in files_below(cache / "wheeltarget").items()
        if hashlib.sha256(data).hexdigest() != name.removeprefix("sha256/").replace("/", "")
    ]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("slow", ["page", "file", "stalled file"])
def test_an_interrupted_download(
    cli: Cli,
    index: IndexServer,
    processes: list[subprocess.Popen[str]],
    sent: signal.Signals,
    slow: str,
) -> None:
    key = "/simple/part7/" if slow == "page" else SLOW
    index.behave(key, drip(PATIENCE if slow == "stalled file" else 0.1), forever=True)
    process = cli.start(*ARGS)
    processes.append(process)
    wait_until(lambda: any(key in {each.path, each.name} for each in index.requests))
    ended, seconds = interrupt(process, sent)
    assert ended.code == 130, ended.err
    assert seconds < 2
    assert ended.out == ""
    assert "interrupted" in ended.err
    assert "Traceback" not in ended.err
    assert files_below(cli.project / "out") == {"b.zip": b"old"}
    assert list(cli.sandbox.temporary.iterdir()) == []
    # Not even of a thread that still waits for its server.
    assert leftovers(cli.sandbox.cache) == []
    assert_the_next_run_goes_well(cli, index, key)


def assert_the_next_run_goes_well(cli: Cli, index: IndexServer, key: str) -> None:
    fetched = {wheel.filename for wheel in WHEELS if cached(cli, wheel.sha256)}
    index.behave(key)
    index.requests.clear()
    ended = cli.process(*ARGS)
    assert ended.code == 0, ended.err
    assert set(index.downloads()) == {wheel.filename for wheel in WHEELS} - fetched
    assert (cli.project / "out" / "b.zip").read_bytes() != b"old"


def cached(cli: Cli, sha256: str) -> bool:
    return (cli.sandbox.cache / "wheeltarget" / "sha256" / sha256[:2] / sha256[2:]).exists()


def test_an_interrupted_run_with_json_prints_its_document(
    cli: Cli, index: IndexServer, processes: list[subprocess.Popen[str]]
) -> None:
    index.behave(SLOW, drip(0.1), forever=True)
    process = cli.start(*ARGS, "--json", "-vvv")
    processes.append(process)
    wait_until(lambda: SLOW in index.downloads())
    ended, seconds = interrupt(process, signal.SIGINT)
    assert (ended.code, seconds < 2) == (130, True)
    assert ended.document["ok"] is False
    assert "interrupted" in ended.document["errors"][0]["what"]


def test_a_build_can_be_interrupted(
    make_cli: MakeCli, processes: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    cli = make_cli(Recipe(package_mode=True))
    mark = tmp_path / "building"
    (cli.project / "slow_backend.py").write_text(
        f"import pathlib, time\npathlib.Path({str(mark)!r}).touch()\ntime.sleep(60)\n"
    )
    pyproject = cli.project / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    text = text.replace('requires = ["poetry-core>=2.0.0,<3.0.0"]', "requires = []")
    text = text.replace('"poetry.core.masonry.api"', '"slow_backend"\nbackend-path = ["."]')
    pyproject.write_text(text, encoding="utf-8")
    process = cli.start(*ARGS)
    processes.append(process)
    wait_until(mark.exists)
    ended, seconds = interrupt(process, signal.SIGTERM)
    assert (ended.code, seconds < 2) == (130, True)
    assert not (cli.project / "out").exists()
    assert list(cli.sandbox.temporary.iterdir()) == []
