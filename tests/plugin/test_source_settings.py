"""Poetry's settings that concern getting files, in every way in which Poetry takes them."""

from __future__ import annotations

import shlex
import subprocess
import sys
import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from poetry.config.config import Config

from plugin.projectmaker import Recipe, locked, write_toml
from plugin.sourcing import (
    ALPHA,
    PASSWORD,
    TARGET,
    USER,
    assert_nowhere,
    bundled,
    configure,
    failed,
    from_source,
    guarded,
    project_on,
    serve,
    source,
    told,
)
from support.behaviours import status
from support.index import IndexServer
from support.server import Request
from support.wheels import build_wheel
from wheeltarget.core.errors import UsageError
from wheeltarget.core.limits import DEFAULT_LIMITS
from wheeltarget.plugin.settings import limits_of

if TYPE_CHECKING:
    from plugin.harness import Cli, MakeCli

WAYS = ["environment", "poetry.toml", "config.toml"]
TOKEN = "pypi-AgEIcHlwaS5vcmcCJD"


def basic(username: str, password: str, name: str = "private") -> dict[str, Any]:
    return {"http-basic": {name: {"username": username, "password": password}}}


# --- credentials ----------------------------------------------------------------------------


@pytest.mark.parametrize("way", [*WAYS, "auth.toml"])
def test_a_token_instead_of_a_password(make_cli: MakeCli, servers: ExitStack, way: str) -> None:
    index = guarded(servers, username="__token__", password=TOKEN)
    cli = project_on(make_cli, index)
    configure(cli, way, basic("__token__", TOKEN))
    ended = cli(*TARGET, "-vvv")
    bundled(cli, ended)
    assert_nowhere(TOKEN, cli, ended, user="__token__")


@pytest.mark.parametrize("kind", ["transparent", "legacy"])
def test_a_mirror_of_pypi_that_asks_for_a_password(
    make_cli: MakeCli, servers: ExitStack, kind: str
) -> None:
    index = guarded(servers)
    cli = make_cli(Recipe(packages=[locked(ALPHA)]))
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"), kind)
    said = failed(cli, cli(*TARGET), 5)
    assert "poetry config http-basic.PyPI USER PASSWORD, or POETRY_HTTP_BASIC_PYPI_" in said
    configure(cli, "environment", basic(USER, PASSWORD, "pypi"))
    ended = cli(*TARGET, "-vvv")
    bundled(cli, ended)
    assert_nowhere(PASSWORD, cli, ended)


def test_a_mirror_of_pypi_with_a_password_in_its_address(
    make_cli: MakeCli, servers: ExitStack
) -> None:
    index = guarded(servers)
    cli = make_cli(Recipe(packages=[locked(ALPHA)]))
    userinfo = f"{USER}:{quote(PASSWORD, safe='')}"
    url = f"http://{userinfo}@{index.host}/"
    cli.sandbox.stand_in_for_pypi(url, "legacy")
    ended = cli.process(*TARGET, "-vvv")
    bundled(cli, ended)
    assert_nowhere(PASSWORD, cli, ended)


@pytest.mark.parametrize("way", WAYS)
def test_a_token_for_publishing_is_not_for_fetching(
    make_cli: MakeCli, servers: ExitStack, way: str
) -> None:
    index = guarded(servers, username="__token__", password=TOKEN)
    cli = project_on(make_cli, index)
    configure(cli, way, {"pypi-token": {"private": TOKEN, "pypi": TOKEN}})
    ended = cli(*TARGET, "-vvv")
    assert "the server answered 401" in failed(cli, ended, 5)
    assert told(index) == set()
    assert_nowhere(TOKEN, cli, ended, user="__token__")


RING = f'''\
from keyring.backend import KeyringBackend
from keyring.credentials import SimpleCredential


class Ring(KeyringBackend):
    """Holds one password, for one service."""

    name = "tests"
    priority = 9

    def get_password(self, service, username):
        return {PASSWORD!r} if (service, username) == ("SERVICE", {USER!r}) else None

    def get_credential(self, service, username):
        return SimpleCredential({USER!r}, {PASSWORD!r}) if service == "SERVICE" else None

    def set_password(self, service, username, password):
        raise AssertionError
'''


@pytest.mark.parametrize("service", ["poetry-repository-private", "HOST"])
def test_a_password_from_a_keyring(make_cli: MakeCli, servers: ExitStack, service: str) -> None:
    index = guarded(servers, files_host="localhost")
    cli = project_on(make_cli, index)
    service = service.replace("HOST", index.host)
    ring = cli.sandbox.plugins / "wheeltarget_tests_ring.py"
    ring.write_text(RING.replace("SERVICE", service), encoding="utf-8")
    configure(cli, "environment", {"keyring": {"enabled": True}})
    configure(cli, "poetry.toml", {"http-basic": {"private": {"username": USER}}})
    cli.sandbox.settings["PYTHON_KEYRING_BACKEND"] = "wheeltarget_tests_ring.Ring"
    ended = cli.process(*TARGET, "-vvv")
    bundled(cli, ended)
    assert told(index) == {index.host}
    assert_nowhere(PASSWORD, cli, ended)


def test_a_password_from_netrc(make_cli: MakeCli, servers: ExitStack, tmp_path: Path) -> None:
    index = guarded(servers, password="n3trc", files_host="localhost")
    netrc = tmp_path / "passwords"
    netrc.write_text(f"machine 127.0.0.1 login {USER} password n3trc\n", encoding="utf-8")
    cli = project_on(make_cli, index)
    cli.sandbox.settings["NETRC"] = str(netrc)
    ended = cli(*TARGET, "-vvv")
    bundled(cli, ended)
    assert told(index) == {index.host}
    assert_nowhere("n3trc", cli, ended)


@pytest.mark.parametrize("name", ["my.index", "my index", "é"])
def test_a_name_that_no_variable_can_have_gets_a_command_only(
    make_cli: MakeCli, servers: ExitStack, name: str
) -> None:
    cli = project_on(make_cli, guarded(servers), name=name)
    said = failed(cli, cli(*TARGET), 5)
    assert f"the index {name} gives no page for alpha: the server answered 401" in said
    assert f"poetry config http-basic.{shlex.quote(name)} USER PASSWORD." in said
    assert "POETRY_HTTP_BASIC" not in said


def test_the_command_of_the_hint_helps_a_name_with_a_dot(
    make_cli: MakeCli, servers: ExitStack
) -> None:
    cli = project_on(make_cli, guarded(servers), name="my.index")
    hint = failed(cli, cli(*TARGET), 5).partition("Set credentials for it: ")[2]
    command = hint.removesuffix(".").replace("USER", USER).split()
    assert command[:2] == ["poetry", "config"]
    subprocess.run(
        [sys.executable, "-m", *command[:-1], PASSWORD],
        cwd=cli.project,
        env=cli.sandbox.environment(),
        check=True,
        capture_output=True,
    )
    bundled(cli, cli(*TARGET))


# --- where the project is -------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--directory", "--project"])
def test_the_settings_of_the_project_count_not_those_of_the_folder(
    make_cli: MakeCli, servers: ExitStack, tmp_path: Path, option: str
) -> None:
    index = guarded(servers)
    cli = project_on(make_cli, index)
    write_toml(tmp_path / "poetry.toml", basic("other", "0ther"))
    configure(cli, "poetry.toml", basic(USER, PASSWORD))
    args = (option, str(cli.project), "bundle-wheels", *TARGET, "-o", str(cli.project / "b.zip"))
    bundled(cli, cli.poetry(*args, cwd=tmp_path))


# --- cache ----------------------------------------------------------------------------------


def cached(folder: Path) -> list[str]:
    """The hashes that are in a cache."""
    return [path.parent.name + path.name for path in folder.rglob("wheeltarget/sha256/*/*")]


@pytest.mark.parametrize("way", WAYS)
def test_the_cache_is_in_the_folder_of_poetry(
    make_cli: MakeCli, servers: ExitStack, tmp_path: Path, way: str
) -> None:
    cli = project_on(make_cli, index := serve(servers, ALPHA))
    del cli.sandbox.settings["POETRY_CACHE_DIR"]
    configure(cli, way, {"cache-dir": str(tmp_path / "kept")})
    bundled(cli, cli(*TARGET))
    assert cached(tmp_path / "kept") == [ALPHA.sha256]
    index.requests.clear()
    bundled(cli, cli(*TARGET, "--offline"))
    assert index.requests == []


def test_a_cache_in_the_home_folder(make_cli: MakeCli, servers: ExitStack, tmp_path: Path) -> None:
    cli = project_on(make_cli, serve(servers, ALPHA))
    cli.sandbox.settings.update(HOME=str(tmp_path), POETRY_CACHE_DIR="~/kept")
    cli.sandbox.settings["USERPROFILE"] = str(tmp_path)
    bundled(cli, cli(*TARGET))
    assert cached(tmp_path / "kept") == [ALPHA.sha256]
    assert not (cli.project / "~").exists()


def test_no_cache_neither_reads_nor_writes_one(make_cli: MakeCli, servers: ExitStack) -> None:
    cli = project_on(make_cli, index := serve(servers, ALPHA))
    bundled(cli, cli(*TARGET, "--no-cache"))
    assert cached(cli.sandbox.root) == []
    bundled(cli, cli(*TARGET))
    index.requests.clear()
    bundled(cli, cli(*TARGET, "--no-cache"))
    assert index.downloads() == [ALPHA.filename]


# --- workers and retries --------------------------------------------------------------------


class Busy(IndexServer):
    """Notes how many requests were under way at once."""

    def __init__(self) -> None:
        super().__init__(delay=0.03)
        self.now = self.most = 0
        self._counting = threading.Lock()

    def admit(self, request: Request) -> None:
        with self._counting:
            self.now += 1
            self.most = max(self.most, self.now)
        super().admit(request)
        with self._counting:
            self.now -= 1


@pytest.fixture
def busy(make_cli: MakeCli, servers: ExitStack) -> tuple[Cli, Busy]:
    """A project of three wheels on an index that takes its time."""
    wheels = [build_wheel(name, "1.0") for name in ("a", "b", "c")]
    index = servers.enter_context(Busy())
    for wheel in wheels:
        index.add(wheel.filename, wheel.data)
    packages = [from_source(wheel, index) for wheel in wheels]
    return make_cli(Recipe(packages=packages, sources=[source(index)])), index


def test_several_workers_unless_poetry_says_otherwise(busy: tuple[Cli, Busy]) -> None:
    cli, index = busy
    bundled(cli, cli(*TARGET))
    assert index.most > 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("installer", [{"max-workers": 1}, {"parallel": False}])
def test_a_single_worker(busy: tuple[Cli, Busy], way: str, installer: dict[str, Any]) -> None:
    cli, index = busy
    configure(cli, way, {"installer": installer})
    bundled(cli, cli(*TARGET))
    assert index.most == 1


@pytest.mark.parametrize(
    ("way", "retries", "attempts"), [("environment", 2, 4), *((way, 5, 6) for way in WAYS)]
)
def test_as_many_attempts_as_poetry_says_if_those_are_more_than_ours(
    make_cli: MakeCli,
    servers: ExitStack,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    retries: int,
    attempts: int,
) -> None:
    monkeypatch.setattr(
        "wheeltarget.plugin.settings.DEFAULT_LIMITS", replace(DEFAULT_LIMITS, backoff=0.001)
    )
    cli = project_on(make_cli, index := serve(servers, ALPHA))
    index.behave("/simple/alpha/", status(500), forever=True)
    configure(cli, way, {"requests": {"max-retries": retries}})
    said = failed(cli, cli(*TARGET), 5)
    assert f"the index private gives no page for alpha: the server answered 500 ({attempts}" in said
    assert len(index.requests) == attempts


@pytest.mark.parametrize("setting", ["installer.max-workers", "requests.max-retries"])
def test_a_number_that_is_none(make_cli: MakeCli, servers: ExitStack, setting: str) -> None:
    cli = project_on(make_cli, index := serve(servers, ALPHA))
    table, _, key = setting.partition(".")
    configure(cli, "poetry.toml", {table: {key: "many"}})
    failed(cli, cli(*TARGET), 2)  # Poetry itself may notice, and has words of its own
    assert index.requests == []
    config = Config(use_environment=False)
    config.merge({table: {key: "many"}})
    with pytest.raises(UsageError, match=f"Poetry's setting {setting} is not a whole number"):
        limits_of(config)
