"""The HTTP below the index: requests, replies, and a server that leaves nothing behind.

What to answer is asked of a :class:`Site`; how to answer wrongly is up to a :data:`Behaviour`.
"""

from __future__ import annotations

import os
import socket
import socketserver
import struct
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True)
class Request:
    """One request as it came in; header names are in lower case."""

    host: str  # the address that was asked, to tell the file host from the index
    method: str
    path: str
    headers: Mapping[str, str]

    @property
    def name(self) -> str:
        """The last part of the path, decoded: the file name where a file was asked for."""
        return unquote(urlsplit(self.path).path).rpartition("/")[2]


@dataclass(frozen=True)
class Reply:
    """An answer before it is sent, so that a behaviour can spoil it."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Site(Protocol):
    """What the server asks for answers."""

    failures: list[BaseException]
    stopped: threading.Event

    def admit(self, request: Request) -> None:
        """Take note of a request, and keep it waiting if that is wanted."""

    def next_behaviour(self, request: Request) -> Behaviour | None:
        """Take the next scripted answer, if there is one for this request."""

    def honest_reply(self, request: Request, *, guarded: bool) -> Reply:
        """Answer as a faultless index would; ``guarded`` where a password may be asked."""


class IndexHandler(BaseHTTPRequestHandler):
    """Answers one request; a behaviour gets it with the honest ``reply`` ready to send."""

    protocol_version = "HTTP/1.1"  # a client that keeps connections is the normal case
    disable_nagle_algorithm = True  # header and body go out apart, and must not wait
    request: socket.socket
    seen: Request
    reply: Reply

    @property
    def listener(self) -> Listener:
        """The server, with the type it really has."""
        assert isinstance(self.server, Listener)
        return self.server

    def do_GET(self) -> None:
        site = self.listener.site
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.seen = Request(self.listener.address, self.command, self.path, headers)
        site.admit(self.seen)
        self.reply = self.honest_reply(self.seen)
        behaviour = site.next_behaviour(self.seen) or IndexHandler.send_honest
        behaviour(self)

    do_HEAD = do_GET

    def honest_reply(self, request: Request) -> Reply:
        """What the index would say to this request, or to a variation of it."""
        return self.listener.site.honest_reply(request, guarded=self.listener.guarded)

    def send_honest(self) -> None:
        """Send the reply with its true length."""
        self.send_head(self.reply, len(self.reply.body))
        self.send_body(self.reply.body)

    def send_head(self, reply: Reply, length: int | None) -> None:
        """Send status and headers; without a length the end of the connection ends the body.

        A header of the reply wins over ``length``, so that a test can announce nonsense.
        """
        self.send_response(reply.status)
        headers = {} if length is None else {"Content-Length": str(length)}
        for name, value in (headers | dict(reply.headers)).items():
            self.send_header(name, value)
        if length is None:
            self.send_header("Connection", "close")
        self.end_headers()

    def send_body(self, *chunks: bytes) -> None:
        """Send body bytes, none if only the head was asked for."""
        for chunk in chunks if self.command != "HEAD" else ():
            self.wfile.write(chunk)

    def hang_up(self) -> None:
        """End the connection after this answer, which may stop in the middle."""
        self.close_connection = True

    def reset(self) -> None:
        """End the connection with a reset instead of in order."""
        self.hang_up()
        on_without_delay = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, on_without_delay)
        self.listener.resetting.add(self.request)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the requests are recorded."""


Behaviour = Callable[[IndexHandler], None]


class Listener(ThreadingHTTPServer):
    """One port; knows its connections, so that closing leaves no thread and no socket behind."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, site: Site, hostname: str, *, guarded: bool) -> None:
        super().__init__(("127.0.0.1", 0), IndexHandler)
        self.site = site
        self.guarded = guarded
        self.address = f"{hostname}:{self.server_port}"
        self.resetting: set[socket.socket] = set()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self._thread.start()

    def server_bind(self) -> None:
        """Bind without looking up a host name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection; an orderly shutdown before it would keep a reset from the client."""
        with self._lock:
            self._open.discard(request)
        if request in self.resetting:
            self.resetting.discard(request)
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep errors of this module for the test; clients that hang up are no error."""
        error = sys.exc_info()[1]
        gone = ConnectionError if not self.site.stopped.is_set() else OSError
        if error is not None and not isinstance(error, gone):
            self.site.failures.append(error)

    def close(self) -> None:
        """Stop listening, wake the threads that wait for a client, and wait for all of them."""
        self.shutdown()
        self._thread.join()
        with self._lock:
            waiting = tuple(self._open)
        for connection in waiting:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()
