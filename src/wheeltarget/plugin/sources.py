"""Poetry's sources as indexes: its URLs, credentials and certificates, our own transfers."""

from __future__ import annotations

import logging
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from poetry.repositories.http_repository import HTTPRepository
from poetry.repositories.single_page_repository import SinglePageRepository
from poetry.utils.authenticator import get_default_authenticator
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from urllib3.exceptions import (
    DecodeError,
    HTTPError,
    NameResolutionError,
    ProtocolError,
    ReadTimeoutError,
)
from urllib3.exceptions import SSLError as Urllib3SSLError

from wheeltarget.core.errors import Problem, UsageError
from wheeltarget.io.fetch import (
    Client,
    FetchError,
    ProxyAddressError,
    TlsError,
    TransientError,
    without_userinfo,
)
from wheeltarget.io.index import Index

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from poetry.repositories.repository import Repository
    from poetry.repositories.repository_pool import RepositoryPool
    from poetry.utils.authenticator import Authenticator

    from wheeltarget.core.limits import Limits
    from wheeltarget.core.model import Source

#: The name under which Poetry's pool keeps the package index that locks do not name.
_PYPI = "PyPI"


@dataclass(kw_only=True)
class Indexes:
    """The indexes of a pool, made when they are first asked for."""

    pool: RepositoryPool
    limits: Limits
    cancelled: threading.Event
    user_agent: str
    _known: dict[str, Index] = field(default_factory=dict)

    def __call__(self, source: Source) -> Index:
        """The index of a locked source. Raises UsageError where the project has none such."""
        if source.kind == "url":
            return self._direct(source.url or "")
        repository = self._repository(source)
        if repository.name not in self._known:
            self._known[repository.name] = self._index(repository)
        return self._known[repository.name]

    def _direct(self, url: str) -> Index:
        """What a locked URL is fetched with: Poetry's credentials and certificates for it."""
        return Index(
            name=str(urlsplit(url).hostname),
            url=without_userinfo(url),
            client=self._client(get_default_authenticator(), url),
        )

    def _client(self, authenticator: Authenticator, home: str) -> Client:
        transport = RequestsTransport(
            authenticator=authenticator,
            home=home,
            limits=self.limits,
            user_agent=self.user_agent,
        )
        return Client(transport=transport, limits=self.limits, cancelled=self.cancelled)

    def _repository(self, source: Source) -> Repository:
        if source.reference is None:
            # As `poetry install`: without PyPI in the pool the first source stands in for it.
            return (
                self.pool.repository(_PYPI)
                if self.pool.has_repository(_PYPI)
                else self.pool.repositories[0]
            )
        if not self.pool.has_repository(source.reference):
            raise UsageError(
                Problem(
                    what=f"the lock takes packages from the source {source.reference!r}, which "
                    "pyproject.toml does not declare",
                    hint="declare it under [[tool.poetry.source]], or run `poetry lock`",
                )
            )
        return self.pool.repository(source.reference)

    def _index(self, repository: Repository) -> Index:
        if not isinstance(repository, HTTPRepository):
            raise UsageError(
                Problem(
                    what=f"the source {repository.name!r} is not reached over HTTP",
                    hint="leave its packages out with --exclude",
                )
            )
        return Index(
            name=repository.name,
            url=without_userinfo(repository.url),
            client=self._client(repository.session, repository.url),
            flat=isinstance(repository, SinglePageRepository),
        )


def _without_query(record: logging.LogRecord) -> bool:
    """urllib3 logs whole addresses when debugging; what follows a question mark may be a secret."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            re.sub(r"\?.*", "?...", arg) if isinstance(arg, str) else arg for arg in record.args
        )
    return True


logging.getLogger("urllib3.connectionpool").addFilter(_without_query)

Origin = tuple[str, str | None, int | None]


def origin_of(url: str) -> Origin:
    """Scheme, host and port: what credentials must not leave."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, port


class RequestsTransport:
    """One request at a time with requests, on behalf of one source.

    Credentials written into the source's own URL go to its origin only; all others are asked of
    Poetry's authenticator for the very URL, redirects included, so they never travel on.
    """

    def __init__(
        self, *, authenticator: Authenticator, home: str, limits: Limits, user_agent: str
    ) -> None:
        self._authenticator = authenticator
        self._home = home
        self._limits = limits
        self._lock = threading.Lock()
        self._elsewhere: dict[Origin, HTTPBasicAuth | None] = {}
        self._session = requests.Session()
        self._session.headers["User-Agent"] = user_agent
        adapter = HTTPAdapter(pool_maxsize=limits.workers)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def get(self, url: str, headers: Mapping[str, str]) -> RequestsResponse:
        """Make one GET request; follows nothing. Raises FetchError or TransientError."""
        with translated(url), self._lock:
            auth = self._auth(url)
            # By the source's own URL, since a user name in it is part of what Poetry compares.
            at_home = origin_of(url) == origin_of(self._home)
            certificates = self._authenticator.get_certs_for_url(self._home if at_home else url)
        with translated(url):
            request = requests.Request("GET", without_userinfo(url), headers=headers, auth=auth)
            prepared = self._session.prepare_request(request)
            settings = self._session.merge_environment_settings(
                str(prepared.url),
                {},
                True,
                str(certificates.cert) if certificates.cert else certificates.verify,
                str(certificates.client_cert) if certificates.client_cert else None,
            )
            # Not Session.send: even if told not to follow a redirect, it reads all of its body,
            # whatever the size, and keeps cookies, which would reach other ports of the host.
            response = self._session.get_adapter(url).send(
                prepared,
                stream=True,
                timeout=(self._limits.connect_timeout, self._limits.read_timeout),
                verify=True if settings["verify"] is None else settings["verify"],
                cert=settings["cert"],
                proxies=settings["proxies"],
            )
        return RequestsResponse(response, url)

    def _auth(self, url: str) -> HTTPBasicAuth | None:
        if "@" in urlsplit(url).netloc:
            return self._asked(url)
        if origin_of(url) == origin_of(self._home):
            return self._asked(url) or (
                self._asked(self._home) if "@" in urlsplit(self._home).netloc else None
            )
        # Asking for every single file could mean as many look-ups in a keyring.
        origin = origin_of(url)
        if origin not in self._elsewhere:
            self._elsewhere[origin] = self._asked(url)
        return self._elsewhere[origin]

    def _asked(self, url: str) -> HTTPBasicAuth | None:
        credential = self._authenticator.get_credentials_for_url(url)
        if credential.username is None and credential.password is None:
            return None
        return HTTPBasicAuth(_encoded(credential.username), _encoded(credential.password))


def _encoded(text: str | None) -> bytes:
    """As requests does it, which fails for what Latin-1 has no character for (RFC 7617, 2.1)."""
    try:
        return (text or "").encode("latin-1")
    except UnicodeEncodeError:
        return (text or "").encode()


class RequestsResponse:
    """One answer of requests, its body not yet read."""

    def __init__(self, response: requests.Response, url: str) -> None:
        self._response = response
        self._url = url

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, looked up without regard to case."""
        return self._response.headers

    def chunks(self, size: int) -> Iterator[bytes]:
        """The body as it comes, content encodings undone. Raises TransientError."""
        raw = self._response.raw
        # Not stream() or read(), which wait until a chunk is full: of a body that drips we would
        # never see how slow it is. urllib3 before 2.2 has nothing else, though.
        read = getattr(raw, "read1", raw.read)
        with translated(self._url):
            while chunk := read(size, decode_content=True):
                yield chunk

    def close(self) -> None:
        """Give the connection back."""
        self._response.close()


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turns errors of requests and urllib3 into ours, whose texts hold no URL and no secret."""
    try:
        yield
    except (requests.RequestException, HTTPError, OSError) as error:
        raise _translate(error, url) from error


def _translate(error: Exception, url: str) -> FetchError:
    causes = list(_causes(error))
    if isinstance(error, requests.exceptions.InvalidProxyURL) or _lacks_socks(error):
        return ProxyAddressError("the address of the proxy cannot be used", url=url)
    if isinstance(error, requests.exceptions.ProxyError):
        return _of_proxy(causes, url)
    return _of_connection(causes, url)


def _of_connection(causes: list[BaseException], url: str) -> FetchError:
    error, host = causes[0], urlsplit(url).hostname
    if any(isinstance(c, (requests.exceptions.SSLError, Urllib3SSLError)) for c in causes):
        return TlsError(f"TLS with {host} failed: {_short(causes[-1])}", url=url)
    if type(error) is OSError:  # from requests itself, before anything is sent
        return TlsError(f"TLS with {host} cannot be set up: {error}", url=url)
    if any(isinstance(c, DecodeError) for c in causes):
        return TransientError(f"what {host} sent cannot be decoded", url=url)
    if any(isinstance(c, NameResolutionError) for c in causes):
        return TransientError(f"the host name {host} cannot be resolved", url=url)
    if any(isinstance(c, (requests.Timeout, ReadTimeoutError, TimeoutError)) for c in causes):
        return TransientError(f"{host} did not answer in time", url=url)
    if any(isinstance(c, (ProtocolError, requests.ConnectionError, OSError)) for c in causes):
        return TransientError(f"the connection to {host} broke: {_short(causes[-1])}", url=url)
    return FetchError(f"the request cannot be made: {type(error).__name__}", url=url)


def _of_proxy(causes: list[BaseException], url: str) -> FetchError:
    """What the proxy answered to the wish for a tunnel is known from a text only."""
    answer = re.search("Tunnel connection failed: ([0-9]{3})", str(causes[-1]))
    if answer and answer[1].startswith("4"):
        # Of all these only 407 means the same as if the index had answered it.
        status = 407 if answer[1] == "407" else None
        return FetchError(f"the proxy answered {answer[1]}", url=url, status=status)
    return TransientError("the proxy cannot be reached or refuses", url=url)


def _lacks_socks(error: Exception) -> bool:
    return isinstance(error, requests.exceptions.InvalidSchema) and "SOCKS" in str(error)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps: requests keeps urllib3's error as an argument, no cause."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        inner = getattr(current, "reason", None) or next(
            (arg for arg in current.args if isinstance(arg, BaseException)), None
        )
        current = inner if isinstance(inner, BaseException) else current.__cause__


def _short(error: BaseException) -> str:
    """What the operating system or TLS says, without the URL that libraries add to it."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
