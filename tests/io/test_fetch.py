"""Retries, caps, deadlines and redirects, over a transport of ten lines."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from requests.structures import CaseInsensitiveDict

from wheeltarget.core.limits import DEFAULT_LIMITS, Limits
from wheeltarget.core.links import Page
from wheeltarget.io.fetch import (
    CancelledError,
    Client,
    FetchError,
    TransientError,
    without_userinfo,
)

URL = "https://user:secret@index.example/files/a.whl?token=secret"
SHOWN = "https://index.example/files/a.whl"
LIMITS = replace(DEFAULT_LIMITS, attempts=4, backoff=0.5, retry_after=60.0, redirects=3)


class Waits(threading.Event):
    """An event that notes how long it is waited for, and does not wait."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.seconds.append(timeout)
        return self.is_set()


@dataclass
class Answer:
    """What a server says."""

    status: int = 200
    body: Sequence[bytes] = (b"body",)
    headers: Mapping[str, str] = field(default_factory=dict)
    breaks: Exception | None = None
    closed: bool = False

    def __post_init__(self) -> None:
        self.headers = CaseInsensitiveDict(self.headers)

    def chunks(self, size: int) -> Iterator[bytes]:
        yield from self.body
        if self.breaks:
            raise self.breaks

    def close(self) -> None:
        self.closed = True


@dataclass
class Script:
    """A transport that gives one answer after the other, the last one forever."""

    answers: Sequence[Answer | Exception]
    asked: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        self.asked.append(url)
        self.headers.append(headers)
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Talk:
    """A client with its script."""

    script: Script
    waits: Waits
    client: Client

    def download(self, url: str = URL) -> bytes:
        return self.client.download(url, b"".join)

    def fails(self, url: str = URL) -> FetchError:
        with pytest.raises(FetchError) as caught:
            self.download(url)
        assert type(caught.value) is FetchError
        assert "secret" not in f"{caught.value} {caught.value.url}"
        return caught.value


def talk(*answers: Answer | Exception, limits: Limits = LIMITS) -> Talk:
    """A client that gets these answers."""
    script, waits = Script(answers), Waits()
    return Talk(script, waits, Client(transport=script, limits=limits, cancelled=waits))


def redirect(location: str, status: int = 302) -> Answer:
    return Answer(status, headers={"location": location})


def transient() -> TransientError:
    return TransientError("the connection broke", url=URL)


# --- one exchange ------------------------------------------------------------------------------


def test_a_download_asks_for_the_file_as_it_is() -> None:
    asked = talk(Answer(body=[b"a", b"", b"b"]))
    assert asked.download() == b"ab"
    assert asked.script.asked == [URL]
    assert asked.script.headers == [{"Accept": "*/*", "Accept-Encoding": "identity"}]
    assert asked.waits.seconds == []


def test_a_fresh_download_asks_caches_for_a_new_copy() -> None:
    asked = talk(Answer())
    assert asked.client.download(URL, b"".join, fresh=True) == b"body"
    assert asked.script.headers[0]["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/html", "ä".encode(), "ä"),
        ("text/html; charset=latin-1", b"\xe4", "ä"),
        ('text/html; charset="latin-1"', b"\xe4", "ä"),
        ("text/html; charset=nonsense", "ä".encode(), "ä"),
        ("text/html; charset=undefined", "ä".encode(), "ä"),
        ("text/html; charset=idna", "ä".encode(), "ä"),
        ("text/html; charset=hex", b"6162", "6162"),
        ("text/html; charset=é", "ä".encode(), "ä"),
        ("text/html", b"\xff<", "\N{REPLACEMENT CHARACTER}<"),
        (None, b"", ""),
    ],
)
def test_a_page_is_decoded_as_it_says(content_type: str | None, body: bytes, text: str) -> None:
    asked = talk(
        Answer(body=[body], headers={"Content-Type": content_type} if content_type else {})
    )
    page = asked.client.page(URL, "text/html")
    assert page == Page(
        url="https://index.example/files/a.whl?token=secret",
        content_type=content_type or "",
        text=text,
    )
    assert asked.script.headers == [{"Accept": "text/html"}]


@pytest.mark.parametrize(
    ("url", "without"),
    [
        ("https://u:p@h:1/a?b#c", "https://h:1/a?b#c"),
        ("https://u@h/", "https://h/"),
        ("https://u:p@x@h/", "https://h/"),
        ("https://h/u:p@x", "https://h/u:p@x"),
    ],
)
def test_without_userinfo(url: str, without: str) -> None:
    assert without_userinfo(url) == without


# --- retries -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_fault_that_may_pass_is_tried_again(status: int) -> None:
    asked = talk(Answer(status), Answer(status), Answer())
    assert asked.download() == b"body"
    assert len(asked.script.asked) == 3
    assert asked.waits.seconds == [0.5, 1.0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 406, 410, 416, 451, 501])
def test_an_answer_that_will_not_change_is_asked_for_once(status: int) -> None:
    asked = talk(Answer(status))
    error = asked.fails()
    assert (str(error), error.status, error.url) == (f"the server answered {status}", status, SHOWN)
    assert len(asked.script.asked) == 1


@pytest.mark.parametrize("status", [201, 204, 206, 304, 302])
def test_only_a_whole_answer_will_do(status: int) -> None:
    assert talk(Answer(status)).fails().status == status  # 302 without Location


def test_attempts_and_last_cause_are_told() -> None:
    asked = talk(transient(), Answer(500), Answer(503), Answer(502))
    error = asked.fails()
    assert str(error) == "the server answered 502 (4 attempts)"
    assert (error.status, error.url) == (502, SHOWN)
    assert isinstance(error.__cause__, TransientError)
    assert asked.waits.seconds == [0.5, 1.0, 2.0]


def test_a_connection_that_breaks_is_tried_again() -> None:
    asked = talk(transient(), transient(), Answer())
    assert asked.download() == b"body"


def test_a_body_that_breaks_off_starts_anew() -> None:
    asked = talk(Answer(body=[b"half"], breaks=transient()), Answer(body=[b"who", b"le"]))
    started: list[list[bytes]] = []

    def write(chunks: Iterator[bytes]) -> int:
        started.append([])
        for chunk in chunks:
            started[-1].append(chunk)
        return len(started)

    assert asked.client.download(URL, write) == 2
    assert started == [[b"half"], [b"who", b"le"]]


def test_an_error_of_the_writer_passes_through_and_is_not_tried_again() -> None:
    asked = talk(answer := Answer())

    def write(chunks: Iterator[bytes]) -> None:
        raise LookupError("the writer's own")

    with pytest.raises(LookupError, match="the writer's own"):
        asked.client.download(URL, write)
    assert len(asked.script.asked) == 1
    assert answer.closed


def test_every_answer_is_closed() -> None:
    answers = [Answer(500), redirect("/b"), Answer(breaks=transient()), Answer(404)]
    talk(*answers).fails()
    assert all(answer.closed for answer in answers)


def in_the_future(seconds: float) -> str:
    return format_datetime(datetime.now(timezone.utc) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("value", "waits"),
    [
        ("7", 7.0),
        ("0", 0.5),
        ("60", 60.0),
        ("61", 60.0),
        ("86400", 60.0),
        ("9" * 30, 60.0),
        ("9" * 5000, 60.0),
        ("-5", 0.5),
        ("1.5", 0.5),
        ("soon", 0.5),
        ("", 0.5),
        ("\u0667", 0.5),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.5),
        ("Wed, 21 Oct 2999 07:28:00 GMT", 60.0),
        ("Wed, 21 Oct 99999 07:28:00 GMT", 0.5),
        ("Wed, 99 Oct 2015 99:99:99 GMT", 0.5),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0.5),
        ("Wed, 21 Oct 2015 07:28:00 +9999999", 0.5),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_heeded_within_reason(status: int, value: str, waits: float) -> None:
    asked = talk(Answer(status, headers={"retry-after": value}), Answer())
    assert asked.download() == b"body"
    assert asked.waits.seconds == [waits]


def test_retry_after_as_a_date_is_heeded() -> None:
    asked = talk(Answer(503, headers={"Retry-After": in_the_future(30)}), Answer())
    asked.download()
    assert asked.waits.seconds == pytest.approx([30], abs=5)


# --- caps and deadlines ------------------------------------------------------------------------


@pytest.mark.parametrize(("cap", "size"), [(10, None), (10, 10), (99, 10), (10, 99)])
def test_a_body_as_long_as_the_cap_is_fine(cap: int, size: int | None) -> None:
    asked = talk(Answer(body=[b"12345"] * 2), limits=replace(LIMITS, file_size=cap))
    assert asked.client.download(URL, b"".join, size=size) == b"1234512345"


@pytest.mark.parametrize(("cap", "size"), [(9, None), (9, 9), (99, 9), (9, 99)])
def test_a_longer_body_ends_at_the_cap(cap: int, size: int | None) -> None:
    asked = talk(Answer(body=[b"12345"] * 2), limits=replace(LIMITS, file_size=cap))
    taken: list[bytes] = []
    with pytest.raises(FetchError, match="longer than 9 bytes"):
        asked.client.download(URL, taken.extend, size=size)
    assert taken == [b"12345"]
    assert len(asked.script.asked) == 1


def test_a_page_ends_at_its_own_cap() -> None:
    asked = talk(Answer(body=[b"x"] * 11), limits=replace(LIMITS, page_size=10))
    with pytest.raises(FetchError, match="longer than 10 bytes"):
        asked.client.page(URL, "*/*")


def clock(*moments: float) -> Callable[[], float]:
    """A clock that shows one moment after the other."""
    left = list(moments)
    return lambda: left.pop(0)


def hurried(*moments: float) -> Client:
    """A client with 100 seconds for an answer, and one more for each byte of it."""
    limits = replace(LIMITS, response_time=100.0, slowest_rate=1.0, attempts=1)
    return Client(
        transport=Script([Answer(body=[b"12345"] * 2)]), limits=limits, clock=clock(*moments)
    )


@pytest.mark.parametrize("moments", [(0, 99, 100), (0, 105, 110), (50, 140, 150)])
def test_a_slow_body_may_be_in_time(moments: tuple[float, ...]) -> None:
    assert hurried(*moments).download(URL, b"".join) == b"1234512345"


@pytest.mark.parametrize("moments", [(0, 106, 107), (0, 99, 111), (50, 151, 161)])
def test_a_body_that_drips_ends_at_the_deadline(moments: tuple[float, ...]) -> None:
    with pytest.raises(FetchError, match="too slowly"):
        hurried(*moments).download(URL, b"".join)


def test_a_body_that_drips_is_tried_again() -> None:
    limits = replace(LIMITS, response_time=100.0)
    script, waits = Script([Answer()]), Waits()
    moments = clock(0, 200, 200, 201)
    client = Client(transport=script, limits=limits, cancelled=waits, clock=moments)
    assert client.download(URL, b"".join) == b"body"
    assert waits.seconds == [0.5]


# --- redirects ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/b", "https://user:secret@index.example/b"),
        ("b?x=1", "https://user:secret@index.example/files/b?x=1"),
        ("//cdn.example/b", "https://cdn.example/b"),
        ("https://cdn.example/b", "https://cdn.example/b"),
    ],
)
def test_a_redirect_is_followed(status: int, location: str, target: str) -> None:
    asked = talk(redirect(location, status), Answer())
    assert asked.download() == b"body"
    assert asked.script.asked == [URL, target]
    assert asked.waits.seconds == []


def test_a_page_is_where_it_was_found() -> None:
    page = talk(redirect("/x/b?c"), Answer()).client.page(URL, "*/*")
    assert page.url == "https://index.example/x/b?c"


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("file:///etc/passwd", "redirected to file:"),
        ("ftp://index.example/a.whl", "redirected to ftp:"),
        ("data:text/plain,x", "redirected to data:"),
        ("http://index.example/a.whl", "from https to http"),
        ("http://[broken", "no URL"),
        ("//index.example:port/", "no URL"),
        ("https://index.example:99999/", "no URL"),
    ],
)
def test_a_redirect_that_leads_astray_is_not_followed(location: str, message: str) -> None:
    asked = talk(redirect(location))
    assert message in str(asked.fails())
    assert len(asked.script.asked) == 1


def test_from_http_to_https_is_fine() -> None:
    asked = talk(redirect("https://index.example/a"), Answer())
    assert asked.download("http://index.example/a") == b"body"


def test_a_redirect_loop_ends() -> None:
    asked = talk(redirect("/b"))
    assert str(asked.fails()) == "more than 3 redirects"
    assert len(asked.script.asked) == 4


def test_a_retry_begins_where_the_first_attempt_began() -> None:
    asked = talk(redirect("/b"), Answer(503), redirect("/c"), Answer())
    assert asked.download("https://h/a") == b"body"
    assert asked.script.asked == ["https://h/a", "https://h/b", "https://h/a", "https://h/c"]


# --- cancelling --------------------------------------------------------------------------------


def test_nothing_is_asked_after_cancelling() -> None:
    asked = talk(Answer())
    asked.client.cancelled.set()
    with pytest.raises(CancelledError):
        asked.download()
    assert asked.script.asked == []


def test_cancelling_ends_a_body() -> None:
    asked = talk(Answer(body=[b"1", b"2", b"3"]))

    def write(chunks: Iterator[bytes]) -> None:
        assert next(chunks) == b"1"
        asked.client.cancelled.set()
        next(chunks)

    with pytest.raises(CancelledError):
        asked.client.download(URL, write)


def test_cancelling_ends_a_wait_at_once() -> None:
    script = Script([Answer(503, headers={"Retry-After": "60"})])
    client = Client(transport=script, limits=LIMITS)
    threading.Timer(0.02, client.cancelled.set).start()
    with pytest.raises(CancelledError):
        client.download(URL, b"".join)
    assert len(script.asked) == 1
