"""``--check`` only plans: no network, no cache, nothing written, all that is wrong in one run."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from plugin.projectmaker import Recipe, locked, stub
from support.wheels import build_wheel

if TYPE_CHECKING:
    from plugin.harness import Cli, MakeCli
    from support.index import IndexServer

WHEEL = build_wheel("alpha", "1.0")
ARGS = ("-t", "cp311,win_amd64", "-t", "cp311,manylinux2014_x86_64")


@pytest.fixture
def cli(make_cli: MakeCli, index: IndexServer) -> Cli:
    index.add(WHEEL.filename, WHEEL.data)
    packages = [locked(WHEEL), stub("native", "cp311-cp311-win_amd64")]
    cli = make_cli(Recipe(packages=packages, package_mode=True))
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    return cli


def snapshot(folder: Path) -> dict[str, tuple[int, bytes] | None]:
    """Every folder below this one, and every file with its time and content."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        if path.is_file()
        else None
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize(
    "more", [[], ["--json"], ["--explain", "native"], ["--no-cache"], ["-vvv"]]
)
def test_a_process_touches_nothing(
    cli: Cli, index: IndexServer, tmp_path: Path, more: list[str]
) -> None:
    before = snapshot(tmp_path)
    ended = cli.process(*ARGS, "--check", *more, settings={"PYTHONDONTWRITEBYTECODE": "1"})
    assert ended.code == 4
    assert index.requests == []
    assert snapshot(tmp_path) == before
    assert not cli.sandbox.cache.exists()
    assert not (cli.project / "dist").exists()


def test_no_socket_is_opened(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("--check went to the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert cli(*ARGS, "--check").code == 4
    assert cli(*ARGS[:2], "--check").code == 0


def test_it_needs_no_source_to_exist(make_cli: MakeCli) -> None:
    source = {"type": "legacy", "url": "http://127.0.0.1:1/simple", "reference": "gone"}
    cli = make_cli(Recipe(packages=[stub("alpha", "py3-none-any", source=source)]))
    assert cli(*ARGS, "--check").code == 0


def test_it_builds_nothing(cli: Cli) -> None:
    (cli.project / "demo" / "__init__.py").unlink()  # `poetry build` would fail
    ended = cli(*ARGS[:2], "--check")
    assert ended.code == 0
    assert "All 3 packages have a wheel." in ended.out


def test_the_same_plan_is_bundled(cli: Cli, index: IndexServer) -> None:
    index.add("native-1.0-cp311-cp311-win_amd64.whl", b"not the locked bytes", listed_hash=None)
    checked = cli(*ARGS, "--check", "--json", "--exclude", "native").document
    bundled = cli(*ARGS, "--json", "--exclude", "native", "--no-root").document
    for one, other in zip(checked["targets"], bundled["targets"], strict=True):
        assert [p for p in one["packages"] if p["name"] != "demo"] == other["packages"]
        assert one["platforms"] == other["platforms"]
