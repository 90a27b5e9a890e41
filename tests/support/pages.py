"""The pages of a simple index: PEP 503 (HTML), PEP 691 and 700 (JSON), and the way to choose."""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import quote

from packaging.utils import canonicalize_name

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
HTML_TYPE = "application/vnd.pypi.simple.v1+html"
PLAIN_HTML_TYPE = "text/html"
_JSON_ACCEPTED = {JSON_TYPE, "application/vnd.pypi.simple.latest+json"}
_HTML_ACCEPTED = {HTML_TYPE, "application/vnd.pypi.simple.latest+html"}


@dataclass(frozen=True)
class PageStyle:
    """How an index spells its pages; all of these spellings exist in the wild."""

    relative: bool = False
    upper_case: bool = False
    single_quotes: bool = False
    escape_plus: bool = True


@dataclass(frozen=True)
class ServedFile:
    """A file of the index, and what the index says of it (which need not be true)."""

    filename: str
    content: bytes | Callable[[], bytes]
    project: str
    listed_name: str
    listed_hash: str | None
    listed_size: int | None
    yanked: str | None
    requires_python: str | None

    @property
    def data(self) -> bytes:
        """The bytes, built now if the file was added as a recipe."""
        return self.content if isinstance(self.content, bytes) else self.content()

    @property
    def hashes(self) -> dict[str, str]:
        """The listed hash: computed, or verbatim when it was given as ``algorithm:digest``."""
        if self.listed_hash is None:
            return {}
        algorithm, colon, digest = self.listed_hash.partition(":")
        return {algorithm: digest if colon else hashlib.new(algorithm, self.data).hexdigest()}


def project_of(filename: str) -> str:
    """Guess the project of a file as an index does that was only handed the file."""
    if filename.endswith(".whl"):
        return canonicalize_name(filename.partition("-")[0])
    return canonicalize_name(filename.rpartition("-")[0])


def version_of(filename: str) -> str:
    """Guess the version of a file, for the ``versions`` key of PEP 700."""
    if filename.endswith(".whl"):
        return filename.split("-")[1] if "-" in filename else ""
    return filename.rpartition("-")[2].removesuffix(".tar.gz").removesuffix(".zip")


def href(file: ServedFile, base: str, style: PageStyle) -> str:
    """Write the link to a file below ``base``, which ends with a slash."""
    return base + quote(file.listed_name, safe="" if style.escape_plus else "+")


def anchor(file: ServedFile, base: str, style: PageStyle) -> str:
    """Write one link of a PEP 503 page, attributes escaped for HTML."""
    fragment = "".join(f"#{algorithm}={digest}" for algorithm, digest in file.hashes.items())
    attributes = {
        "href": href(file, base, style) + fragment,
        "data-requires-python": file.requires_python,
        "data-yanked": file.yanked,
    }
    mark = "'" if style.single_quotes else '"'
    written = " ".join(
        f"{key}={mark}{html.escape(value)}{mark}"
        for key, value in attributes.items()
        if value is not None
    )
    return f"<a {written}>{html.escape(file.listed_name)}</a><br>"


def html_page(title: str, lines: Iterable[str]) -> bytes:
    """Wrap anchors into a page of the simple repository API."""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html><head><meta name="pypi:repository-version" content="1.0">',
            f"<title>{html.escape(title)}</title></head><body>",
            *lines,
            "</body></html>\n",
        ]
    ).encode()


def json_page(project: str, files: Iterable[ServedFile], base: str, style: PageStyle) -> bytes:
    """Write a PEP 691 page; it says version 1.1 only if it can give every size PEP 700 asks for."""
    listed = list(files)
    document: dict[str, Any] = {
        "meta": {"api-version": "1.0"},
        "name": project,
        "files": [_json_file(file, base, style) for file in listed],
    }
    if all(file.listed_size is not None for file in listed):
        document["meta"]["api-version"] = "1.1"
        document["versions"] = sorted({version_of(file.filename) for file in listed})
    return json.dumps(document).encode()


def json_release(project: str, version: str, files: Iterable[ServedFile], base: str) -> bytes:
    """Write PyPI's own description of a version, without dependencies: those are in its files."""
    info: dict[str, Any] = {"name": project, "version": version, "summary": ""}
    info |= {"requires_dist": None, "requires_python": None, "yanked": False}
    urls = [
        {
            "filename": file.filename,
            "packagetype": "bdist_wheel" if file.filename.endswith(".whl") else "sdist",
            "digests": {"sha256": hashlib.sha256(file.data).hexdigest()},
            "url": href(file, base, PageStyle()),
        }
        for file in files
    ]
    return json.dumps({"info": info, "urls": urls}).encode()


def json_root(projects: Iterable[str]) -> bytes:
    """Write the PEP 691 list of projects."""
    names = [{"name": project} for project in projects]
    return json.dumps({"meta": {"api-version": "1.0"}, "projects": names}).encode()


def _json_file(file: ServedFile, base: str, style: PageStyle) -> dict[str, Any]:
    optional = {"requires-python": file.requires_python, "size": file.listed_size}
    entry: dict[str, Any] = {
        "filename": file.listed_name,
        "url": href(file, base, style),
        "hashes": file.hashes,
    }
    entry |= {key: value for key, value in optional.items() if value is not None}
    if file.yanked is not None:
        entry["yanked"] = file.yanked or True
    return entry


def negotiate(accept: str | None, formats: str) -> str | None:
    """Choose the content type for an Accept header; None means 406.

    An index with HTML only is taken for a static one, which looks at no header. One with both
    prefers HTML among equals, as PEP 691 recommends for clients that do not say.
    """
    if formats == "html":
        return PLAIN_HTML_TYPE
    accepted = _qualities(accept or "*/*")
    offers = [*([PLAIN_HTML_TYPE, HTML_TYPE] if formats == "both" else []), JSON_TYPE]
    best = max(offers, key=lambda offer: _quality(offer, accepted))
    return best if _quality(best, accepted) > 0 else None


def _quality(offer: str, accepted: dict[str, float]) -> float:
    names = next((group for group in (_JSON_ACCEPTED, _HTML_ACCEPTED) if offer in group), {offer})
    exact = [accepted[name] for name in names if name in accepted]
    main_type = offer.partition("/")[0]
    return max(exact, default=accepted.get(f"{main_type}/*", accepted.get("*/*", 0.0)))


def _qualities(accept: str) -> dict[str, float]:
    qualities = {}
    for part in accept.split(","):
        message = Message()
        message["Content-Type"] = part.strip()
        quality = message.get_param("q", "1")
        qualities[message.get_content_type()] = float(str(quality))
    return qualities
