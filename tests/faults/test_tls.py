"""FAULTS 22 and 23: TLS that fails, and TLS that must not be left. Exit 5, and nothing in clear."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults.rig import WHEEL, Rig, locked
from support.behaviours import redirect
from support.index import IndexServer, PageStyle
from support.tls import CERTIFICATE, speak_tls
from wheeltarget.core.errors import NetworkError
from wheeltarget.core.model import Source

PACKAGE = locked(WHEEL, source=Source(url="https://x/simple", reference="private"))
TRUSTED = {"certificates": {"private": {"cert": str(CERTIFICATE)}}}


@pytest.fixture
def index() -> IndexServer:
    """An index with links that keep the scheme of the page."""
    index = IndexServer(style=PageStyle(relative=True))
    index.add(WHEEL.filename, WHEEL.data)
    return index


def test_an_unknown_certificate_is_refused(tmp_path: Path, index: IndexServer) -> None:
    with index:
        said = Rig.private(tmp_path, index, speak_tls(index)).fails(NetworkError, PACKAGE)
    assert "TLS with 127.0.0.1 failed" in said
    assert "attempts" not in said  # it will not get better
    assert index.requests == []


def test_a_certificate_for_another_host_is_refused(tmp_path: Path, index: IndexServer) -> None:
    with index:
        url = speak_tls(index).replace("127.0.0.1", "localhost")
        said = Rig.private(tmp_path, index, url, **TRUSTED).fails(NetworkError, PACKAGE)
    assert "TLS with localhost failed" in said
    assert index.requests == []


@pytest.mark.parametrize("userinfo", ["", "user:secret@"])
def test_the_certificate_of_poetrys_configuration_is_trusted(
    tmp_path: Path, index: IndexServer, userinfo: str
) -> None:
    with index:
        url = speak_tls(index).replace("://", f"://{userinfo}")
        rig = Rig.private(tmp_path, index, url, **TRUSTED)
        rig.bundle(PACKAGE)
    assert rig.output.exists()
    assert {request.path.split("/")[1] for request in index.requests} == {"simple", "files"}


@pytest.mark.parametrize("userinfo", ["", "user:secret@"])
def test_a_certificate_file_that_is_missing_is_named(
    tmp_path: Path, index: IndexServer, userinfo: str
) -> None:
    missing = {"certificates": {"private": {"cert": str(tmp_path / "missing.pem")}}}
    with index:
        url = speak_tls(index).replace("://", f"://{userinfo}")
        said = Rig.private(tmp_path, index, url, **missing).fails(NetworkError, PACKAGE)
    assert "TLS with 127.0.0.1 cannot be set up" in said
    assert "missing.pem" in said
    assert "attempts" not in said


def test_a_server_without_tls_is_not_asked_in_clear(tmp_path: Path, index: IndexServer) -> None:
    with index:
        url = index.index_url.replace("http:", "https:")
        said = Rig.private(tmp_path, index, url).fails(NetworkError, PACKAGE)
    assert "TLS with 127.0.0.1 failed" in said
    assert index.requests == []


@pytest.mark.parametrize("key", ["/simple/foo/", WHEEL.filename])
def test_a_redirect_from_https_to_http_is_not_followed(
    tmp_path: Path, index: IndexServer, key: str
) -> None:
    with index, IndexServer() as plain:
        index.behave(key, redirect(f"http://{plain.host}/x"))
        said = Rig.private(tmp_path, index, speak_tls(index), **TRUSTED).fails(
            NetworkError, PACKAGE
        )
    assert "from https to http, which is not followed" in said
    assert plain.requests == []


def test_a_link_from_https_to_http_is_not_followed(tmp_path: Path, index: IndexServer) -> None:
    index.style = PageStyle(relative=False)
    with index:
        rig = Rig.private(tmp_path, index, speak_tls(index), **TRUSTED)
        assert "over plain http" in rig.fails(NetworkError, PACKAGE)
    assert index.downloads() == []
