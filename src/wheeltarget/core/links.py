"""Index pages (PEP 503, PEP 691): where a page says that a locked file can be had.

The locked file names are looked for in the page, instead of parsing all of its links: pages run to
megabytes, and of thousands of links one or two are wanted. Names always come from the lock; a link
only contributes a URL and what it says of the file.
"""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

from wheeltarget.core.model import Digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: What is asked for: JSON before HTML, and HTML of any kind from an index older than PEP 691.
ACCEPT = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "
    "text/html;q=0.1, */*;q=0.01"
)
_JSON_TYPE = "application/vnd.pypi.simple.v1+json"
#: The longest start tag looked at; real ones stay below 1 kB.
_TAG_LENGTH = 8192
_ANCHOR = re.compile("<a", re.IGNORECASE)
_WHEEL = re.compile(r".+\.whl", re.DOTALL)
_WHEEL_END = re.compile(r"\.whl")
#: How pages spell what marks a local version and an epoch; Go's templates write ``&#43;``.
_PLUS = r"(?:\+|%2B|&(?:#43|#x2B|plus);)"
_EXCLAMATION = "(?:!|%21|&(?:#33|#x21|excl);)"


class PageError(ValueError):
    """An answer that is no index page; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where a file can be had. ``yanked`` is the reason (PEP 592), None where it is not yanked.

    ``digests`` are the strong hashes that the index names; ``size`` is in bytes, None if unknown.
    ``requires_python`` is as the index says it (PEP 503), None where it doesn't.
    """

    url: str
    digests: tuple[Digest, ...] = ()
    yanked: str | None = None
    size: int | None = None
    requires_python: str | None = field(default=None, compare=False)

    def contradicts(self, locked: Digest) -> bool:
        """Whether the index names another hash of the locked kind."""
        return any(d.algorithm == locked.algorithm and d != locked for d in self.digests)


def best_first(links: Iterable[Link], locked: Digest) -> tuple[Link, ...]:
    """The links of one file name that may lead to the locked file, in the order to try them.

    As `poetry install`: first those by whose hash the index confirms the lock, then those that are
    not yanked, then as the page lists them. A link that contradicts the lock is left out.
    """
    return tuple(
        sorted(
            (link for link in links if not link.contradicts(locked)),
            key=lambda link: (locked not in link.digests, link.yanked is not None),
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An index page as it came: ``url`` is where it was finally found, without credentials."""

    url: str
    content_type: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a page says of the files asked for: ``links`` by file name, without those not listed.

    A page may list one file name several times, at different addresses and with different hashes.
    ``refused`` are base names of links to such a file that are paths, and so are not followed.
    """

    links: Mapping[str, tuple[Link, ...]]
    refused: tuple[str, ...] = ()


#: A locked file name, the name that the page gives it, and the link.
_Listed = tuple[str, str, Link]


def find_links(page: Page, filenames: Iterable[str]) -> Found:
    """The links of a page for the given file names.

    An index may spell the project's part of a file name differently (``SQLAlchemy-``, ``PyNaCl-``).

    Raises PageError where the answer is not an index page.
    """
    patterns = {name: _pattern(name) for name in filenames}
    links: dict[str, dict[Link, None]] = {}
    refused: dict[str, None] = {}
    for name, listed, link in (_json_links if _is_json(page) else _html_links)(page, patterns):
        paths = [each for each in (listed, _base_name(link.url)) if _leaf(each) != each]
        if paths:
            refused[paths[0]] = None
        else:
            links.setdefault(name, {})[link] = None
    return Found(links={name: tuple(each) for name, each in links.items()}, refused=tuple(refused))


def _is_json(page: Page) -> bool:
    return page.content_type.partition(";")[0].strip().lower() == _JSON_TYPE


def wheel_links(page: Page) -> Iterator[tuple[str, Link]]:
    """Every wheel that a page lists, by whatever name, with its link.

    Raises PageError where the answer is not an index page.
    """
    if _is_json(page):
        for _, listed, found in _json_links(page, {"": _WHEEL}):
            yield _leaf(listed), found
        return
    base = _base_url(page)
    for tag in _anchors(page.text, _WHEEL_END):
        link = _html_link(base, tag)
        if link and _WHEEL.fullmatch(name := _leaf(_base_name(link.url))):
            yield name, link


def _base_name(url: str) -> str:
    return unquote(urlsplit(url).path.rpartition("/")[2])


def _leaf(name: str) -> str:
    """What remains of a name where it is taken for a path, on whatever system."""
    return name.replace("\\", "/").rpartition("/")[2]


def _pattern(filename: str) -> re.Pattern[str]:
    """Matches the file name in any spelling of its project, plain, percent-encoded or as HTML.

    Of the characters of a wheel's name only two are ever escaped.
    """
    project, dash, rest = filename.partition("-")
    words = "[-_.]+".join(re.escape(word) for word in re.split("[-_.]+", project))
    encoded = re.escape(dash + rest).replace(r"\+", _PLUS).replace("!", _EXCLAMATION)
    return re.compile(words + encoded, re.IGNORECASE | re.ASCII)


# --- JSON (PEP 691) ---------------------------------------------------------------------------


def _json_links(page: Page, patterns: Mapping[str, re.Pattern[str]]) -> Iterator[_Listed]:
    try:
        files = json.loads(page.text)["files"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise PageError("the answer says that it is a JSON index page, but is not") from None
    if not isinstance(files, list):
        raise PageError("the list of files in the index page is not a list")
    for entry in files:
        listed = entry.get("filename") if isinstance(entry, dict) else None
        if not isinstance(listed, str):
            continue
        leaf = _leaf(listed)
        for name, pattern in patterns.items():
            if pattern.fullmatch(leaf) and (link := _json_link(page, entry)):
                yield name, listed, link


def _json_link(page: Page, entry: Mapping[str, object]) -> Link | None:
    url = entry.get("url")
    if not isinstance(url, str) or (absolute := _absolute(page.url, url)) is None:
        return None
    hashes = entry.get("hashes")
    size = entry.get("size")
    yanked = entry.get("yanked")
    python = entry.get("requires-python")
    return Link(
        url=absolute,
        digests=_digests(hashes if isinstance(hashes, dict) else {}),
        yanked=None if not yanked else yanked if isinstance(yanked, str) else "",
        size=size if type(size) is int and size >= 0 else None,
        requires_python=python if isinstance(python, str) else None,
    )


# --- HTML (PEP 503) ---------------------------------------------------------------------------


def _html_links(page: Page, patterns: Mapping[str, re.Pattern[str]]) -> Iterator[_Listed]:
    if "<" not in page.text:
        raise PageError("the answer is neither a JSON nor an HTML index page")
    base = _base_url(page)
    for name, pattern in patterns.items():
        for tag in _anchors(page.text, pattern):
            link = _html_link(base, tag)
            if link and pattern.fullmatch(_leaf(listed := _base_name(link.url))):
                yield name, listed, link


def _base_url(page: Page) -> str:
    match = re.search(r"<base\s", page.text, re.IGNORECASE)
    if match is None:
        return page.url
    tag = page.text[match.start() : match.start() + _TAG_LENGTH]
    return _absolute(page.url, _start_tag(tag, "base").get("href") or "") or page.url


def _anchors(text: str, pattern: re.Pattern[str]) -> Iterator[Mapping[str, str | None]]:
    """The attributes of each anchor in which, or after which, the pattern matches; each once.

    No part of the text is looked at again and again, so that no page takes much longer than others
    of its length.
    """
    looked_at = 0
    for match in pattern.finditer(text):
        begin = max(text.rfind(start, looked_at, match.start()) for start in ("<a", "<A"))
        looked_at = match.start()
        if begin != -1:
            end = _ANCHOR.search(text, match.end(), begin + _TAG_LENGTH)
            yield _start_tag(text[begin : end.start() if end else begin + _TAG_LENGTH], "a")


def _start_tag(text: str, name: str) -> Mapping[str, str | None]:
    """The attributes of the tag that a text begins with; none if it is another or unfinished."""
    parser = _FirstTag(name)
    with contextlib.suppress(_EnoughError):
        parser.feed(text)
    return parser.attributes


class _EnoughError(Exception):
    """Ends the parser after the first tag: what follows it is not ours to understand."""


class _FirstTag(HTMLParser):
    """Remembers the attributes of the first start tag, unescaped."""

    def __init__(self, name: str) -> None:
        super().__init__(convert_charrefs=True)
        self._name = name
        self.attributes: Mapping[str, str | None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == self._name:
            self.attributes = dict(attrs)
        raise _EnoughError


def _html_link(base: str, tag: Mapping[str, str | None]) -> Link | None:
    href = tag.get("href")
    if not href or (absolute := _absolute(base, href.strip())) is None:
        return None
    parts = urlsplit(absolute)
    algorithm, _, digest = parts.fragment.partition("=")
    return Link(
        url=parts._replace(fragment="").geturl(),
        digests=_digests({algorithm: digest}),
        yanked=(tag["data-yanked"] or "") if "data-yanked" in tag else None,
        requires_python=tag.get("data-requires-python"),
    )


def _absolute(base: str, url: str) -> str | None:
    """The URL joined to its page; None for one that is not of the web, or not a URL at all."""
    try:
        absolute = urljoin(base, url)
        parts = urlsplit(absolute)
        # Asked for the port, since a malformed one is noticed only then.
        return absolute if parts.scheme in {"http", "https"} and parts.port != 0 else None
    except ValueError:
        return None


def _digests(hashes: Mapping[str, object]) -> tuple[Digest, ...]:
    """The strong hashes among those named; weak and malformed ones say nothing."""
    return tuple(_strong(hashes))


def _strong(hashes: Mapping[str, object]) -> Iterator[Digest]:
    for algorithm, digest in hashes.items():
        try:
            yield Digest.parse(f"{algorithm}:{digest}")
        except ValueError:
            continue


def lists_project(page: Page, filename: str) -> bool:
    """Whether the page lists any file of the project that the file name belongs to.

    A page that lists none is hardly that project's: a login form, or an empty answer.
    """
    project = filename.partition("-")[0]
    words = "[-_.]+".join(re.escape(word) for word in re.split("[-_.]+", project))
    return re.search(rf"{words}-[0-9]", page.text, re.IGNORECASE | re.ASCII) is not None
