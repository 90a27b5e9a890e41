"""FAULTS 25 and 26: credentials reach the host that they are for, and nothing and nobody else."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import keyring.backend
import keyring.credentials
import pytest
from poetry.repositories.legacy_repository import LegacyRepository

from faults.rig import WHEEL, Rig, locked, poetry_config
from plugin.harness import MakeCli, Outcome
from plugin.projectmaker import Recipe
from plugin.projectmaker import locked as locked_entry
from support.behaviours import redirect, reset_connection, status
from support.index import IndexServer
from wheeltarget.core.errors import NetworkError, WheeltargetError
from wheeltarget.core.model import Source

USER, PASSWORD = "al1ce", "pa$$w0rd/+@:%"
USERINFO = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}"
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
#: No text that the run gives may hold any of these.
SECRETS = (
    PASSWORD,
    quote(PASSWORD, safe=""),
    quote(PASSWORD),
    BASIC,
    ascii(PASSWORD)[1:-1],
    "S1GNATURE",
    USERINFO,
)


def private(url: str) -> Source:
    """The source as Poetry locks it: with what stands in the URL."""
    return Source(url=url.rstrip("/"), reference="private")


class Ring(keyring.backend.KeyringBackend):
    """A keyring with one entry."""

    priority = 1.0

    def __init__(self, service: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._service = service

    def get_password(self, service: str, username: str) -> str | None:
        return PASSWORD if self._service in service and username == USER else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise AssertionError("nothing is to be stored")

    def get_credential(
        self, service: str, username: str | None
    ) -> keyring.credentials.Credential | None:
        if self._service not in service:
            return None
        return keyring.credentials.SimpleCredential(USER, PASSWORD)


@pytest.fixture
def index() -> Iterator[IndexServer]:
    """An index that asks for a password, and has its files on another port."""
    with IndexServer(username=USER, password=PASSWORD, files_host="127.0.0.1") as server:
        server.add(WHEEL.filename, WHEEL.data)
        yield server


WAYS = ["url", "environment", "configuration", "keyring"]


@pytest.fixture
def rig(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    index: IndexServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Rig:
    """A source whose credentials Poetry has from where the test says."""
    way = getattr(request, "param", "url")
    settings: dict[str, Any] = {}
    url = index.index_url
    if way == "url":
        url = url.replace("://", f"://{USERINFO}@")
    elif way == "environment":
        monkeypatch.setenv("POETRY_HTTP_BASIC_PRIVATE_USERNAME", USER)
        monkeypatch.setenv("POETRY_HTTP_BASIC_PRIVATE_PASSWORD", PASSWORD)
    elif way == "configuration":
        settings["http-basic"] = {"private": {"username": USER, "password": PASSWORD}}
    else:
        settings["keyring"] = {"enabled": True}
        monkeypatch.setattr("keyring.core._keyring_backend", Ring(index.host))
    return Rig.private(tmp_path, index, url, **settings)


def package(rig: Rig) -> Any:
    """The wheel, locked from the source."""
    return locked(WHEEL, source=private(rig.url))


def hosts_told(index: IndexServer) -> set[str]:
    """The hosts that were sent a password."""
    return {request.host for request in index.requests if "authorization" in request.headers}


def written(root: Path) -> str:
    """The names and contents of all files."""
    return "".join(
        f"{path}\n{path.read_bytes().decode('utf-8', 'replace')}\n"
        for path in root.rglob("*")
        if not path.is_dir()
    )


def check_clean(text: str) -> None:
    assert [secret for secret in SECRETS if secret in text] == []


def whole_story(error: BaseException | None) -> str:
    """Everything that an exception and those behind it can be made to say."""
    if error is None:
        return ""
    story = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    if isinstance(error, WheeltargetError):
        story += repr(error.problems)
    return f"{story}{error!r}{error.args}{vars(error)}{whole_story(error.__cause__)}"


# --- who is told -------------------------------------------------------------------------------


@pytest.mark.parametrize("rig", WAYS, indirect=True)
def test_credentials_reach_the_index_and_nothing_else(
    rig: Rig, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    rig.bundle(package(rig))
    assert hosts_told(rig.index) == {rig.index.host}
    assert {request.host for request in rig.index.requests} == {
        rig.index.host,
        rig.index.files_host,
    }
    out, err = capfd.readouterr()
    check_clean(f"{out}{err}{caplog.text}{rig.warnings}{written(rig.root)}")
    assert f'"url": "http://{rig.index.host}/simple"' in rig.output.read_text(errors="replace")


@pytest.mark.parametrize("rig", WAYS, indirect=True)
@pytest.mark.parametrize("code", [401, 403, 404, 500])
def test_no_failure_tells_them(rig: Rig, code: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    rig.index.behave("/simple/foo/", status(code), forever=True)
    said = rig.fails(NetworkError, package(rig))
    check_clean(said + whole_story(rig.failure) + caplog.text + written(rig.root))


@pytest.mark.parametrize("rig", WAYS, indirect=True)
@pytest.mark.parametrize("key", ["/simple/foo/", WHEEL.filename])
def test_no_broken_connection_tells_them(
    rig: Rig, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    rig.index.behave(key, reset_connection(), forever=True)
    said = rig.fails(NetworkError, package(rig))
    check_clean(said + whole_story(rig.failure) + caplog.text + written(rig.root))


@pytest.mark.parametrize("rig", WAYS, indirect=True)
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_redirect_elsewhere_takes_them_not_along(rig: Rig, name: str) -> None:
    with IndexServer(files_host=name) as other:
        other.add(WHEEL.filename, WHEEL.data)
        rig.index.behave("/simple/foo/", redirect(f"http://{other.files_host}/simple/foo/"))
        rig.bundle(package(rig))
    assert hosts_told(rig.index) == {rig.index.host}
    assert len(other.requests) == 2
    assert hosts_told(other) == set()


def test_files_on_the_index_itself_need_them_too(tmp_path: Path) -> None:
    with IndexServer(username=USER, password=PASSWORD) as index:
        index.add(WHEEL.filename, WHEEL.data)
        rig = Rig.private(tmp_path, index, index.index_url.replace("://", f"://{USERINFO}@"))
        rig.bundle(package(rig))
    assert ["authorization" in request.headers for request in index.requests] == [True, True]


def test_a_password_that_latin_1_cannot_say(tmp_path: Path) -> None:
    with IndexServer(username=USER, password="10 €") as index:
        index.add(WHEEL.filename, WHEEL.data)
        basic = {"private": {"username": USER, "password": "10 €"}}
        rig = Rig.private(tmp_path, index, index.index_url, **{"http-basic": basic})
        rig.bundle(package(rig))
    assert hosts_told(index) == {index.host}


def test_another_source_is_not_told(rig: Rig, tmp_path: Path) -> None:
    with IndexServer() as other:
        other.add(WHEEL.filename, WHEEL.data)
        config = poetry_config(tmp_path)
        rig.repositories += (LegacyRepository("other", other.index_url, config=config),)
        rig.bundle(locked(WHEEL, source=Source(url=other.index_url, reference="other")))
    assert hosts_told(other) == set()
    assert rig.index.requests == []


def test_credentials_of_a_link_go_where_the_link_goes(tmp_path: Path) -> None:
    with IndexServer(username=USER, password=PASSWORD) as files, IndexServer() as index:
        files.add(WHEEL.filename, WHEEL.data)
        link = files.file_url(WHEEL.filename).replace("://", f"://{USERINFO}@")
        page = f'<html><a href="{link}">{WHEEL.filename}</a>'.encode()
        index.behave("/simple/foo/", status(200, {"Content-Type": "text/html"}, page))
        rig = Rig.private(tmp_path, index, index.index_url)
        rig.bundle(package(rig))
    assert (hosts_told(index), hosts_told(files)) == (set(), {files.host})
    check_clean(written(rig.root))


def test_cookies_are_not_kept(rig: Rig) -> None:
    url = rig.index.file_url(WHEEL.filename)
    rig.index.behave("/simple/foo/", status(302, {"Location": "/x/", "Set-Cookie": "id=1"}))
    page = f'<html><a href="{url}">{WHEEL.filename}</a>'.encode()
    rig.index.behave("/x/", status(200, {"Content-Type": "text/html", "Set-Cookie": "i=2"}, page))
    rig.bundle(package(rig))
    assert not [request for request in rig.index.requests if "cookie" in request.headers]


# --- signed addresses --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", [status(403), status(500), reset_connection(), redirect("file:x")]
)
def test_a_signed_address_is_shown_without_its_signature(
    rig: Rig, fault: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    signed = f"/files/signed?token=S1GNATURE&X-Signature={quote(PASSWORD)}"
    rig.index.behave(WHEEL.filename, redirect(signed), forever=True)
    rig.index.behave(signed, fault, forever=True)
    said = rig.fails(NetworkError, package(rig))
    assert f"http://{rig.index.files_host}/files/signed" in said
    check_clean(said + whole_story(rig.failure) + caplog.text + written(rig.root))


# --- the command itself ------------------------------------------------------------------------

TARGET = ("-t", "cp311,manylinux2014_x86_64", "--no-root", "-vvv")


def run(make_cli: MakeCli, url: str) -> tuple[Outcome, str]:
    """Bundle with ``poetry bundle-wheels -vvv``; and all that was printed and written of ours."""
    source = {"type": "legacy", "url": url.rstrip("/"), "reference": "private"}
    entry = locked_entry(WHEEL, source=source)
    cli = make_cli(Recipe(packages=[entry], sources=[{"name": "private", "url": url}]))
    outcome = cli.process(*TARGET)
    for name in ("pyproject.toml", "poetry.lock"):
        (cli.project / name).unlink()
    story = outcome.out + outcome.err + written(cli.project) + written(cli.sandbox.root)
    return outcome, story


def test_the_command_tells_nobody(make_cli: MakeCli, index: IndexServer) -> None:
    signed = f"/files/signed?token=S1GNATURE&X-Signature={quote(PASSWORD)}"
    index.behave(WHEEL.filename, redirect(signed))
    index.behave(signed, status(200, {}, WHEEL.data))
    outcome, story = run(make_cli, index.index_url.replace("://", f"://{USERINFO}@"))
    assert outcome.code == 0, outcome.err
    check_clean(story)


def test_the_command_tells_nobody_of_wrong_ones(make_cli: MakeCli, index: IndexServer) -> None:
    outcome, story = run(make_cli, index.index_url.replace("://", f"://{USERINFO}x@"))
    assert outcome.code == 5
    assert "answered 401" in outcome.err
    check_clean(story)
