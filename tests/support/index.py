"""A package index on the loopback address that records every request and misbehaves on demand.

    with IndexServer() as index:
        index.add(wheel.filename, wheel.data)
        index.behave(wheel.filename, status(500), status(500))
        ...  # two failures, then the file

The answers to misbehave with are in :mod:`support.behaviours`.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from support.pages import (
    JSON_TYPE,
    PageStyle,
    ServedFile,
    anchor,
    html_page,
    json_page,
    json_release,
    json_root,
    negotiate,
    project_of,
    version_of,
)
from support.server import Behaviour, Listener, Reply, Request

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["IndexServer", "PageStyle", "Reply", "Request"]


class IndexServer:
    """Serve a simple index (PEP 503, 691) and a find-links page of the files added."""

    def __init__(
        self,
        *,
        formats: str = "both",
        username: str | None = None,
        password: str = "",
        prefix: str = "",
        files_host: str | None = None,
        delay: float = 0.0,
        ranges: bool = True,
        style: PageStyle | None = None,
    ) -> None:
        """Configure the index; it listens between ``__enter__`` and ``__exit__``.

        ``formats`` is ``html``, ``json`` or ``both``. ``files_host`` names a second server on
        another port (``"127.0.0.1"``, or ``"localhost"`` for another host name too) that has the
        files and asks for no password.
        """
        self.formats = formats
        self.prefix = prefix
        self.delay = delay
        self.ranges = ranges
        self.style = style or PageStyle()
        self.requests: list[Request] = []
        self.failures: list[BaseException] = []
        self.stopped = threading.Event()
        self._credentials = None if username is None else f"{username}:{password}"
        self._files_host = files_host
        self._files: dict[str, ServedFile] = {}
        self._scripts: dict[str, tuple[deque[Behaviour], bool]] = {}
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []

    def __enter__(self) -> Self:
        self._listeners.append(Listener(self, "127.0.0.1", guarded=True))
        if self._files_host is not None:
            self._listeners.append(Listener(self, self._files_host, guarded=False))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopped.set()
        for listener in self._listeners:
            listener.close()
        if self.failures and error is None:
            raise self.failures[0]

    # What a test says about the index

    def add(
        self,
        filename: str,
        data: bytes | Callable[[], bytes],
        *,
        project: str | None = None,
        yanked: str | None = None,
        listed_hash: str | None = "sha256",
        listed_name: str | None = None,
        listed_size: int | None = None,
        requires_python: str | None = None,
    ) -> None:
        """Offer a file; ``data`` may be a recipe that is called at each download.

        ``listed_hash`` is an algorithm, ``algorithm:digest`` verbatim (to lie), or None.
        ``listed_name`` is what links and their address say instead of ``filename``.
        """
        if listed_size is None and isinstance(data, bytes):
            listed_size = len(data)
        self._files[filename] = ServedFile(
            filename=filename,
            content=data,
            project=project or project_of(filename),
            listed_name=listed_name or self._spelled(filename),
            listed_hash=listed_hash,
            listed_size=listed_size,
            yanked=yanked,
            requires_python=requires_python,
        )

    def behave(self, key: str, *behaviours: Behaviour, forever: bool = False) -> None:
        """Script the next answers for a path or a file name, one for each request.

        After the last one the index is honest again, or repeats it if ``forever``.
        """
        self._scripts[key] = (deque(behaviours), forever)

    # Where things are

    @property
    def host(self) -> str:
        """The address of the index as ``host:port``."""
        return self._listeners[0].address

    @property
    def files_host(self) -> str:
        """The address of the files, which is another one if ``files_host`` was given."""
        return self._listeners[-1].address

    @property
    def index_url(self) -> str:
        """The root of the simple index, without credentials."""
        return f"http://{self.host}{self.prefix}/simple/"

    @property
    def index_url_with_credentials(self) -> str:
        """The root of the simple index as a careless user writes it."""
        return self.index_url.replace("//", f"//{self._credentials}@", 1)

    @property
    def flat_url(self) -> str:
        """The one page of all files, for ``--find-links``."""
        return f"http://{self.host}{self.prefix}/flat.html"

    def file_url(self, filename: str) -> str:
        """The absolute address of a file (of any text, so that a test may ask for nonsense)."""
        return f"http://{self.files_host}{self.prefix}/files/{filename}"

    # What happened

    def requests_for(self, name: str, method: str = "GET") -> list[Request]:
        """The requests for a file name, in order."""
        return [each for each in self.requests if each.name == name and each.method == method]

    def downloads(self) -> list[str]:
        """The file names asked for with GET, each once, in order of the first request."""
        below = f"{self.prefix}/files/"
        asked = (each for each in self.requests if each.method == "GET")
        return list(dict.fromkeys(each.name for each in asked if each.path.startswith(below)))

    # What the handler asks

    def admit(self, request: Request) -> None:
        """Record a request and keep it waiting as configured."""
        with self._lock:
            self.requests.append(request)
        self.stopped.wait(self.delay)

    def next_behaviour(self, request: Request) -> Behaviour | None:
        """Take the next scripted answer, if there is one for this path or file name."""
        with self._lock:
            for key in (request.path, request.name):
                script, forever = self._scripts.get(key, (deque(), False))
                if script:
                    return script[0] if forever and len(script) == 1 else script.popleft()
        return None

    def honest_reply(self, request: Request, *, guarded: bool) -> Reply:
        """Answer as a faultless index would."""
        if guarded and not self._authorised(request):
            return Reply(401, {"WWW-Authenticate": 'Basic realm="index"'})
        path = unquote(urlsplit(request.path).path)
        if not path.startswith(f"{self.prefix}/"):
            return Reply(404)
        return self._route(path[len(self.prefix) :], request)

    def _authorised(self, request: Request) -> bool:
        if self._credentials is None:
            return True
        expected = base64.b64encode(self._credentials.encode()).decode()
        return request.headers.get("authorization") == f"Basic {expected}"

    def _route(self, path: str, request: Request) -> Reply:
        if path == "/flat.html":
            return self._flat_page()
        if path == "/simple/":
            return self._root_page(request)
        if project := re.fullmatch("/simple/([^/]+)/", path):
            return self._project_page(project[1], request)
        if release := re.fullmatch("/pypi/([^/]+)/([^/]+)/json", path):
            return self._release(release[1], release[2])
        if path.startswith("/files/"):
            return self._file(path.removeprefix("/files/"), request)
        return Reply(404)

    def _flat_page(self) -> Reply:
        base = self._files_base("")
        lines = [anchor(file, base, self.style) for file in self._files.values()]
        return Reply(200, {"Content-Type": "text/html"}, html_page("Files", lines))

    def _root_page(self, request: Request) -> Reply:
        projects = sorted({file.project for file in self._files.values()})
        lines = [f'<a href="{project}/">{project}</a><br>' for project in projects]
        return self._negotiated(
            request, lambda: json_root(projects), lambda: html_page("Simple index", lines)
        )

    def _project_page(self, project: str, request: Request) -> Reply:
        files = [file for file in self._files.values() if file.project == project]
        if not files:
            return Reply(404)
        base = self._files_base("../../")
        return self._negotiated(
            request,
            lambda: json_page(project, files, base, self.style),
            lambda: html_page(
                f"Links for {project}", [anchor(file, base, self.style) for file in files]
            ),
        )

    def _release(self, project: str, version: str) -> Reply:
        """What PyPI says of one version at an address of its own, as far as Poetry reads it."""
        files = [
            file
            for file in self._files.values()
            if (file.project, version_of(file.filename)) == (project, version)
        ]
        if not files:
            return Reply(404)
        document = json_release(project, version, files, self._files_base("../../../"))
        return Reply(200, {"Content-Type": "application/json"}, document)

    def _negotiated(
        self, request: Request, as_json: Callable[[], bytes], as_html: Callable[[], bytes]
    ) -> Reply:
        content_type = negotiate(request.headers.get("accept"), self.formats)
        if content_type is None:
            return Reply(406)
        body = as_json() if content_type == JSON_TYPE else as_html()
        return Reply(200, {"Content-Type": content_type, "Vary": "Accept"}, body)

    def _file(self, name: str, request: Request) -> Reply:
        file = self._files.get(name) or next(
            (each for each in self._files.values() if each.listed_name == name), None
        )
        if file is None:
            return Reply(404)
        data = file.data
        tag = f'"{hashlib.sha256(data).hexdigest()}"'
        whole = Reply(200, {"Content-Type": "application/octet-stream", "ETag": tag}, data)
        return _ranged(whole, request) if self.ranges else whole

    def _files_base(self, up: str) -> str:
        if self.style.relative and len(self._listeners) == 1:
            return f"{up}files/"
        return self.file_url("")

    def _spelled(self, filename: str) -> str:
        stem, hyphen, rest = filename.partition("-")
        return (stem.upper() if self.style.upper_case else stem) + hyphen + rest


def _ranged(whole: Reply, request: Request) -> Reply:
    """Answer a Range header (one range from an offset, as a resuming client asks)."""
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    unchanged = request.headers.get("if-range") in (None, whole.headers["ETag"])
    if not wanted or not unchanged:
        return Reply(whole.status, {**whole.headers, "Accept-Ranges": "bytes"}, whole.body)
    start, total = int(wanted[1]), len(whole.body)
    if start >= total:
        return Reply(416, {"Content-Range": f"bytes */{total}"})
    end = min(int(wanted[2] or total), total - 1)
    placed = {**whole.headers, "Content-Range": f"bytes {start}-{end}/{total}"}
    return Reply(206, placed, whole.body[start : end + 1])
