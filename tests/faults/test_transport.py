"""FAULTS 18 to 24: what can happen on the way. A good wheel in the end, or a clean exit 5 or 6."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from faults.rig import WHEEL, Rig, locked
from support.behaviours import (
    cut_short,
    drip,
    flip_byte,
    gzip_encoded,
    ignore_range,
    ok,
    oversized,
    redirect,
    reset_connection,
    status,
    with_headers,
    wrong_range,
)
from support.index import IndexServer
from support.server import Behaviour, IndexHandler
from support.wheels import build_wheel
from wheeltarget.core.errors import IntegrityError, NetworkError, WheeltargetError

PAGE = "/simple/foo/"
FILE = WHEEL.filename
PACKAGE = locked(WHEEL)
SIZE = len(WHEEL.data)
NETWORK, INTEGRITY = NetworkError, IntegrityError


@pytest.fixture
def rig(tmp_path: Path, index: IndexServer) -> Rig:
    """An index with the wheel."""
    index.add(FILE, WHEEL.data)
    return Rig(tmp_path, index)


def succeeds(rig: Rig) -> None:
    """Bundle, and see that the wheel in the bundle is the locked one."""
    rig.bundle(PACKAGE)
    assert WHEEL.data in rig.output.read_bytes()
    assert list(rig.leftovers()) == []


def retry_after(value: str, code: int = 503) -> Behaviour:
    return status(code, {"Retry-After": value})


def not_gzip() -> Behaviour:
    """Says gzip, and is none. Says too that it hangs up, so that nothing else is sent there."""
    return with_headers({"Content-Encoding": "gzip", "Connection": "close"})


# --- faults that pass --------------------------------------------------------------------------

PASSING: dict[str, tuple[tuple[Behaviour, ...], list[float]]] = {
    "a flipped byte": ((flip_byte(),), []),
    "cut short, length announced": ((cut_short(SIZE // 2),), [0.5]),
    "cut short twice": ((cut_short(0), cut_short(SIZE - 1)), [0.5, 1.0]),
    "cut short, length unknown": ((cut_short(SIZE // 2, announce_length=False),), []),
    "a reset": ((reset_connection(),), [0.5]),
    "a reset in the middle": ((reset_connection(SIZE // 2),), [0.5]),
    "500 twice": ((status(500), status(500)), [0.5, 1.0]),
    "429, come back in 7 seconds": ((retry_after("7", 429),), [7.0]),
    "503, come back in 7 seconds": ((retry_after("7"),), [7.0]),
    "come back at a date long ago": ((retry_after("Wed, 21 Oct 2015 07:28:00 GMT"),), [0.5]),
    "come back at a date far off": ((retry_after("Wed, 21 Oct 2999 07:28:00 GMT"),), [60.0]),
    "come back in a century": ((retry_after("9" * 10),), [60.0]),
    "come back yesterday": ((retry_after("-86400"),), [0.5]),
    "come back soon": ((retry_after("soon"),), [0.5]),
    "negative length": ((with_headers({"Content-Length": "-1"}),), []),
    "garbage for a length": ((with_headers({"Content-Length": "many"}),), []),
    "huge length": ((with_headers({"Content-Length": "9" * 30}),), [0.5]),
    "longer than announced": ((oversized(5000),), []),
    "gzip that nobody asked for": ((gzip_encoded(),), []),
    "gzip that is none": ((not_gzip(),), [0.5]),
    "another ETag each time": ((with_headers({"ETag": '"1"'}), with_headers({"ETag": '"2"'})), []),
    "a server that ignores ranges": ((cut_short(9), ignore_range()), [0.5]),
    "slow, but in time": ((drip(0.001, 100),), []),
}


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes(rig: Rig, fault: str) -> None:
    script, waits = PASSING[fault]
    rig.index.behave(FILE, *script)
    succeeds(rig)
    assert rig.waits == waits


@pytest.mark.parametrize(
    ("script", "waits"),
    [
        ((cut_short(5), cut_short(0)), [0.5, 1.0]),
        ((reset_connection(5),), [0.5]),
        ((status(500), retry_after("7")), [0.5, 7.0]),
        ((gzip_encoded(),), []),
        ((not_gzip(),), [0.5]),
    ],
)
def test_a_fault_of_a_page_that_passes(
    rig: Rig, script: tuple[Behaviour, ...], waits: list[float]
) -> None:
    rig.index.behave(PAGE, *script)
    succeeds(rig)
    assert rig.waits == waits


# --- faults that stay --------------------------------------------------------------------------

Failure = tuple[Behaviour, type[WheeltargetError], str, int]

STAYING: dict[str, Failure] = {
    "flipped": (flip_byte(), INTEGRITY, "is not the locked file", 2),
    "cut": (cut_short(9), NETWORK, "broke: IncompleteRead (3 attempts)", 3),
    "cut unseen": (cut_short(9, announce_length=False), INTEGRITY, "is not the locked file", 2),
    "empty": (status(200), INTEGRITY, "is not the locked file", 2),
    "reset": (reset_connection(), NETWORK, "broke: Connection reset", 3),
    "500": (status(500), NETWORK, "answered 500 (3 attempts)", 3),
    "503": (retry_after("5"), NETWORK, "answered 503 (3 attempts)", 3),
    "404": (status(404), NETWORK, "answered 404", 1),
    "410": (status(410), NETWORK, "answered 410", 1),
    "206 unasked": (wrong_range(10), NETWORK, "answered 206", 1),
    "416 unasked": (status(416), NETWORK, "answered 416", 1),
    "204": (status(204), NETWORK, "answered 204", 1),
    "grown": (oversized(5000, "grown"), NETWORK, f"longer than {SIZE} bytes", 1),
    "endless": (oversized(5000, "nothing"), NETWORK, f"longer than {SIZE} bytes", 1),
    "huge length": (with_headers({"Content-Length": "9" * 30}), NETWORK, "IncompleteRead", 3),
    "no gzip": (not_gzip(), NETWORK, "cannot be decoded", 3),
    "loop": (redirect(f"/files/{FILE}"), NETWORK, "more than 10 redirects", 11),
    "to a file": (redirect("file:///etc/passwd"), NETWORK, "redirected to file:", 1),
    "to no URL": (redirect("http://[broken"), NETWORK, "no URL", 1),
    "to no port": (redirect("http://127.0.0.1:99999/"), NETWORK, "no URL", 1),
    "to no host": (redirect("http://a..b/"), NETWORK, "cannot be made", 1),
}


@pytest.mark.parametrize("fault", STAYING)
def test_a_fault_that_stays(rig: Rig, fault: str) -> None:
    behaviour, error, says, requests = STAYING[fault]
    rig.index.behave(FILE, behaviour, forever=True)
    said = rig.fails(error, PACKAGE)
    assert says in said
    assert FILE in said
    assert "foo 1.0" in said
    assert len(rig.index.requests_for(FILE)) == requests
    assert all("range" not in request.headers for request in rig.index.requests)


@pytest.mark.parametrize("fault", ["reset", "500", "404", "loop", "to a file", "no gzip"])
def test_a_fault_of_a_page_that_stays(rig: Rig, fault: str) -> None:
    behaviour, error, says, requests = STAYING[fault]
    rig.index.behave(PAGE, redirect(PAGE) if fault == "loop" else behaviour, forever=True)
    said = rig.fails(error, PACKAGE)
    assert says in said
    assert "the index PyPI gives no page for foo" in said
    assert len(rig.index.requests) == requests


def test_a_body_ends_at_the_cap_even_if_the_index_says_more(rig: Rig) -> None:
    rig.index.add(FILE, WHEEL.data, listed_size=10**12)
    rig.index.behave(FILE, oversized(10**6, "nothing"))
    rig.limits = replace(rig.limits, file_size=SIZE, chunk_size=1000)
    assert f"longer than {SIZE} bytes" in rig.fails(NETWORK, PACKAGE)
    assert rig.progress.size <= SIZE


def test_a_redirect_with_an_endless_body_is_not_read(rig: Rig) -> None:
    sent = []

    def endless(handler: IndexHandler) -> None:
        handler.reply = replace(
            handler.reply, status=302, headers={"Location": f"/elsewhere/{FILE}"}
        )
        handler.send_head(handler.reply, None)
        for _ in range(2000):  # 128 MB, unless the client hangs up
            handler.send_body(bytes(64 * 1024))
            sent.append(1)

    rig.index.behave(f"/files/{FILE}", endless)
    rig.index.behave(f"/elsewhere/{FILE}", status(200, {}, WHEEL.data))
    succeeds(rig)
    assert len(sent) < 2000


def test_a_body_that_drips_ends_at_the_deadline(rig: Rig) -> None:
    rig.index.behave(FILE, drip(0.02), forever=True)
    rig.limits = replace(rig.limits, attempts=2, response_time=0.1, slowest_rate=1e9)
    begin = time.monotonic()
    assert "comes too slowly (2 attempts)" in rig.fails(NETWORK, PACKAGE)
    assert time.monotonic() - begin < 5  # all of it would take 18 seconds


# --- connections that do not come about --------------------------------------------------------


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def no_such_host(*args: Any, **kwargs: Any) -> Any:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def test_different_troubles_have_different_messages(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(url: str) -> str:
        rig.repositories = Rig.private(rig.root, rig.index, url).repositories
        return rig.fails(NETWORK, PACKAGE).partition("gives no page for foo: ")[2]

    refused = said(f"http://127.0.0.1:{closed_port()}/simple")
    tls = said(rig.index.index_url.replace("http:", "https:"))
    rig.limits = replace(rig.limits, read_timeout=0.05)
    rig.index.behave(PAGE, drip(0.2), forever=True)
    silent = said(rig.index.index_url)
    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", no_such_host)
        unknown = said("http://index.example/simple")
    monkeypatch.delenv("no_proxy")
    monkeypatch.setenv("http_proxy", f"http://user:secret@127.0.0.1:{closed_port()}")
    proxy = said("http://index.example/simple")
    monkeypatch.setenv("https_proxy", f"http://user:secret@{rig.index.host}")
    tunnel = said("https://index.example/simple")

    assert refused.startswith("the connection to 127.0.0.1 broke: Connection refused (3 attempts)")
    assert tls.startswith("TLS with 127.0.0.1 failed: ")
    assert silent.startswith("127.0.0.1 did not answer in time (3 attempts)")
    assert unknown.startswith("the host name index.example cannot be resolved (3 attempts)")
    assert proxy.startswith("the proxy cannot be reached or refuses (3 attempts)")
    assert tunnel.startswith("the proxy cannot be reached or refuses (3 attempts)")
    assert "secret" not in refused + tls + silent + unknown + proxy + tunnel
    assert {request.path for request in rig.index.requests} == {PAGE}


# --- one of fifty ------------------------------------------------------------------------------

MANY = [build_wheel(f"many{number:02}", "1.0") for number in range(50)]


@pytest.fixture
def many(rig: Rig) -> Rig:
    """An index with fifty wheels, and as many workers."""
    for wheel in MANY:
        rig.index.add(wheel.filename, wheel.data)
    rig.workers = 50
    return rig


def test_fifty_at_once(many: Rig) -> None:
    many.bundle(*map(locked, MANY))
    written = many.output.read_bytes()
    assert all(wheel.data in written for wheel in MANY)


def test_when_one_of_fifty_fails_the_others_end(many: Rig) -> None:
    for wheel in MANY:
        many.index.behave(wheel.filename, drip(0.05))  # 40 seconds for each
    many.index.behave(MANY[30].filename, status(404))
    begin = time.monotonic()
    said = many.fails(NETWORK, *map(locked, MANY))
    assert time.monotonic() - begin < 10
    assert said.count("cannot fetch") == 1
    assert MANY[30].filename in said


def test_all_that_fail_are_listed_in_the_order_of_the_lock(many: Rig) -> None:
    failing = [MANY[number].filename for number in (7, 20, 33)]
    arrived = threading.Barrier(len(failing))
    last_first = [threading.Event() for _ in failing]

    def answer(number: int) -> Callable[[IndexHandler], None]:
        def behave(handler: IndexHandler) -> None:
            arrived.wait(10)
            if number + 1 < len(failing):
                assert last_first[number + 1].wait(10)
            status(404)(handler)
            last_first[number].set()

        return behave

    for wheel in MANY:
        many.index.behave(wheel.filename, ok())
    for number, filename in enumerate(failing):
        many.index.behave(filename, answer(number))
    said = many.fails(NETWORK, *map(locked, MANY))
    lines = [line.split()[2] for line in said.splitlines() if line.startswith("cannot fetch")]
    assert lines == failing
