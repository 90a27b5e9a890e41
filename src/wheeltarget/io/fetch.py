"""HTTP with retries, caps and deadlines, over a transport that makes one request at a time.

The transport does one exchange and knows credentials and certificates; what may be followed,
repeated or refused is decided here, alike for every transport.
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.parse import urljoin, urlsplit

from wheeltarget.core.limits import DEFAULT_LIMITS, Limits
from wheeltarget.core.links import Page
from wheeltarget.core.manifest import without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

T = TypeVar("T")

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})


class FetchError(Exception):
    """A resource could not be had. The text names no secret; ``status`` is the last HTTP status."""

    def __init__(self, reason: str, *, url: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.url = without_secrets(url)
        self.status = status


class TransientError(FetchError):
    """A fault that may pass: another attempt is worth it, not before ``wait`` seconds."""

    def __init__(
        self, reason: str, *, url: str, status: int | None = None, wait: float = 0.0
    ) -> None:
        super().__init__(reason, url=url, status=status)
        self.wait = wait


class TlsError(FetchError):
    """No secure connection: one side does not accept the other's certificate, or has none."""


class ProxyAddressError(FetchError):
    """What is said to be the proxy is no address of one that we can talk to."""


class CancelledError(Exception):
    """The run has been given up; what is under way shall end."""


class Response(Protocol):
    """One answer. ``headers`` is looked up without regard to case."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers."""

    def chunks(self, size: int) -> Iterator[bytes]:
        """The body as sent, content encodings undone. Raises TransientError."""

    def close(self) -> None:
        """Give the connection back; the rest of the body is not wanted."""


class Transport(Protocol):
    """Makes one GET request, follows nothing. Raises FetchError or TransientError."""

    def get(self, url: str, headers: Mapping[str, str]) -> Response:
        """The answer, its body not yet read."""


@dataclass(frozen=True, kw_only=True)
class Client:
    """Requests through a transport, within limits. ``cancelled`` ends what is under way."""

    transport: Transport
    limits: Limits = DEFAULT_LIMITS
    cancelled: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], float] = time.monotonic

    def page(self, url: str, accept: str) -> Page:
        """A text resource as a whole. Raises FetchError, also where it exceeds the cap."""

        def read(response: Response, final_url: str) -> Page:
            body = b"".join(self._body(response, final_url, self.limits.page_size))
            content_type = response.headers.get("Content-Type", "")
            return Page(url=final_url, content_type=content_type, text=_decode(body, content_type))

        return self._attempts(url, {"Accept": accept}, read)

    def download(
        self,
        url: str,
        write: Callable[[Iterator[bytes]], T],
        *,
        size: int | None = None,
        fresh: bool = False,
    ) -> T:
        """Pass the body to ``write``, which starts anew with each attempt.

        ``size`` is how long the body can be at most where that is known. ``fresh`` asks caches on
        the way for a new copy. Raises FetchError, and whatever ``write`` raises.
        """
        # Identity: the locked hash is that of the file, not of a compressed transfer of it.
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        if fresh:
            headers["Cache-Control"] = "no-cache"
        cap = self.limits.file_size if size is None else min(size, self.limits.file_size)
        return self._attempts(url, headers, lambda r, at: write(self._body(r, at, cap)))

    def _attempts(
        self, url: str, headers: Mapping[str, str], read: Callable[[Response, str], T]
    ) -> T:
        for attempt in range(1, self.limits.attempts + 1):
            try:
                return self._once(url, headers, read)
            except TransientError as error:
                if attempt == self.limits.attempts:
                    raise FetchError(
                        f"{error} ({attempt} attempts)", url=error.url, status=error.status
                    ) from error
                backoff = self.limits.backoff * 2 ** (attempt - 1)
                self._sleep(max(error.wait, backoff))
        raise AssertionError("at least one attempt is made")

    def _once(self, url: str, headers: Mapping[str, str], read: Callable[[Response, str], T]) -> T:
        for _ in range(self.limits.redirects + 1):
            self._check_cancelled()
            response = self.transport.get(url, headers)
            try:
                if response.status in _REDIRECTS and "Location" in response.headers:
                    url = _redirected(url, response.headers["Location"])
                    continue
                self._check_status(response, url)
                return read(response, without_userinfo(url))
            finally:
                response.close()
        raise FetchError(f"more than {self.limits.redirects} redirects", url=url)

    def _check_status(self, response: Response, url: str) -> None:
        if response.status == 200:
            return
        reason = f"the server answered {response.status}"
        if response.status in _TRANSIENT:
            wait = self._retry_after(response.headers.get("Retry-After", ""))
            raise TransientError(reason, url=url, status=response.status, wait=wait)
        raise FetchError(reason, url=url, status=response.status)

    def _retry_after(self, value: str) -> float:
        """Seconds to wait as the server asks (RFC 9110, 10.2.3), capped; 0 for garbage."""
        seconds = 0.0
        if re.fullmatch(r"[0-9]+", value):
            seconds = float(value)
        elif value:
            try:
                moment = parsedate_to_datetime(value)
                seconds = (moment - datetime.now(moment.tzinfo or timezone.utc)).total_seconds()
            except (ValueError, TypeError, OverflowError):
                seconds = 0.0
        return min(max(seconds, 0.0), self.limits.retry_after)

    def _body(self, response: Response, url: str, cap: int) -> Iterator[bytes]:
        """The body, cut off with an error at the cap and at the deadline."""
        seen = 0
        start = self.clock()
        for chunk in response.chunks(self.limits.chunk_size):
            self._check_cancelled()
            seen += len(chunk)
            if seen > cap:
                raise FetchError(f"the answer is longer than {cap} bytes", url=url)
            if self.clock() - start > self.limits.response_time + seen / self.limits.slowest_rate:
                raise TransientError("the answer comes too slowly", url=url)
            yield chunk

    def _sleep(self, seconds: float) -> None:
        self.cancelled.wait(seconds)
        self._check_cancelled()

    def _check_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise CancelledError


def _redirected(url: str, location: str) -> str:
    try:
        target = urljoin(url, location)
        scheme = urlsplit(target).scheme
        _ = urlsplit(target).port  # a malformed one is noticed only when it is asked for
    except ValueError:
        raise FetchError("redirected to something that is no URL", url=url) from None
    if scheme not in {"http", "https"}:
        raise FetchError(f"redirected to {scheme}:, which is not followed", url=url)
    if scheme == "http" and urlsplit(url).scheme == "https":
        raise FetchError("redirected from https to http, which is not followed", url=url)
    return target


def without_userinfo(url: str) -> str:
    """The URL without user and password, its query kept."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _decode(body: bytes, content_type: str) -> str:
    match = re.search(r"charset=\"?([\w.-]+)", content_type)
    try:
        return body.decode(match[1] if match else "utf-8", "replace")
    except (LookupError, ValueError):  # unknown, or one of Python's odd ones, such as "undefined"
        return body.decode("utf-8", "replace")
