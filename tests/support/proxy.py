"""A proxy on the loopback address that records what it is asked for."""

from __future__ import annotations

import base64
import select
import socket
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

_NOT_RELAYED = {"proxy-authorization", "connection", "transfer-encoding"}


class ProxyServer:
    """Forwards plain requests, and opens tunnels, always to ``upstream``, whatever the host."""

    def __init__(self, upstream: str, *, userinfo: str | None = None) -> None:
        self.upstream = upstream
        self.userinfo = userinfo
        self.asked: list[str] = []
        self.stopped = threading.Event()
        self._server = _Listener(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def host(self) -> str:
        """The address of the proxy as ``host:port``."""
        return f"127.0.0.1:{self._server.server_address[1]}"


class _Listener(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self, proxy: ProxyServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy


class _Handler(BaseHTTPRequestHandler):
    """One request for each connection, as HTTP/1.0 has it."""

    timeout = 5

    @property
    def proxy(self) -> ProxyServer:
        assert isinstance(self.server, _Listener)
        return self.server.proxy

    def do_GET(self) -> None:
        if not self._admitted():
            return
        path = "/" + self.path.split("/", 3)[3]
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _NOT_RELAYED}
        upstream = HTTPConnection(self.proxy.upstream, timeout=5)
        upstream.request("GET", path, headers=headers)
        answer = upstream.getresponse()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _NOT_RELAYED:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.read())
        upstream.close()

    def do_CONNECT(self) -> None:
        if not self._admitted():
            return
        host, _, port = self.proxy.upstream.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=5) as upstream:
            self.send_response_only(200)
            self.end_headers()
            self._relay(upstream)

    def _admitted(self) -> bool:
        self.proxy.asked.append(f"{self.command} {self.path}")
        userinfo = self.proxy.userinfo
        expected = userinfo and f"Basic {base64.b64encode(userinfo.encode()).decode()}"
        if self.headers.get("Proxy-Authorization") == expected:
            return True
        self.send_response_only(407)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    def _relay(self, upstream: socket.socket) -> None:
        ends = {self.connection: upstream, upstream: self.connection}
        while not self.proxy.stopped.is_set():
            for ready in select.select(list(ends), [], [], 0.02)[0]:
                data = ready.recv(65536)
                if not data:
                    return
                ends[ready].sendall(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what was asked is recorded."""
