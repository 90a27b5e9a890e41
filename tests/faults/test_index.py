"""FAULTS 3 and 15 to 17: what an index may say, and what is made of it. Exit 5 or 6, never 4."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from poetry.repositories.legacy_repository import LegacyRepository
from poetry.repositories.repository import Repository
from poetry.repositories.single_page_repository import SinglePageRepository

from faults.rig import WHEEL, Rig, locked, poetry_config
from support.behaviours import status, with_headers
from support.index import IndexServer, PageStyle
from support.pages import JSON_TYPE
from support.wheels import build_wheel
from wheeltarget.core.errors import IntegrityError, NetworkError, UsageError
from wheeltarget.core.model import Source

PAGE = "/simple/foo/"
PACKAGE = locked(WHEEL)
PRIVATE = locked(WHEEL, source=Source(url="https://x/simple", reference="private"))
EVIL = f"../../../evil/{WHEEL.filename}"


@pytest.fixture
def rig(tmp_path: Path, index: IndexServer) -> Rig:
    """An index with the wheel."""
    index.add(WHEEL.filename, WHEEL.data)
    return Rig(tmp_path, index)


# --- 3: names that are paths -------------------------------------------------------------------


@pytest.mark.parametrize("formats", ["html", "json"])
@pytest.mark.parametrize("listed", [EVIL, EVIL.replace("/", "\\"), f"/{WHEEL.filename}"])
def test_a_link_to_a_path_is_not_followed(tmp_path: Path, formats: str, listed: str) -> None:
    with IndexServer(formats=formats) as index:
        index.add(WHEEL.filename, WHEEL.data, listed_name=listed)
        said = Rig(tmp_path, index).fails(NetworkError, PACKAGE)
    assert repr(listed) in said
    assert index.downloads() == []


@pytest.mark.parametrize("formats", ["html", "json"])
def test_a_link_to_a_path_is_a_warning_where_there_is_a_good_one(
    tmp_path: Path, formats: str
) -> None:
    other = build_wheel("foo", "1.0", tag="cp311-none-any")
    with IndexServer(formats=formats) as index:
        index.add(other.filename, b"bad", listed_name=EVIL)
        index.add(WHEEL.filename, WHEEL.data)
        rig = Rig(tmp_path, index)
        rig.bundle(PACKAGE)
    (warning,) = rig.warnings
    assert (repr(EVIL) in warning.what, warning.package) == (True, "foo 1.0")
    assert index.downloads() == [WHEEL.filename]


def test_the_name_is_not_taken_from_content_disposition(rig: Rig) -> None:
    evil = {"Content-Disposition": f'attachment; filename="{EVIL}"'}
    rig.index.behave(WHEEL.filename, with_headers(evil))
    rig.bundle(PACKAGE)
    assert list(rig.leftovers()) == []
    assert list(rig.root.rglob("*evil*")) == []


# --- 15: gone, yanked, forbidden ---------------------------------------------------------------


def test_a_vanished_file(rig: Rig) -> None:
    gone = build_wheel("foo", "2.0")
    said = rig.fails(NetworkError, locked(gone))
    assert f"the index PyPI no longer offers {gone.filename}" in said
    assert "`poetry lock`" in said
    assert "foo 2.0" in said


def test_a_yanked_file_is_used(rig: Rig) -> None:
    rig.index.add(WHEEL.filename, WHEEL.data, yanked="<error>broken</error>")
    rig.bundle(PACKAGE)
    assert "is yanked: <error>broken</error>" in rig.warnings[0].what


@pytest.mark.parametrize("code", [401, 403])
def test_a_source_that_wants_credentials(rig: Rig, code: int) -> None:
    rig.index.behave(PAGE, status(code))
    private = Rig.private(rig.root, rig.index, rig.index.index_url)
    said = private.fails(NetworkError, PRIVATE)
    assert f"the index private gives no page for foo: the server answered {code}" in said
    assert "poetry config http-basic.private USER PASSWORD" in said
    assert "POETRY_HTTP_BASIC_PRIVATE_USERNAME" in said


@pytest.mark.parametrize(
    ("code", "says", "requests"),
    [
        (404, "Check the source's URL", 1),
        (410, "answered 410", 1),
        (500, "answered 500 (3 attempts)", 3),
        (503, "answered 503 (3 attempts)", 3),
    ],
)
def test_an_index_that_fails(rig: Rig, code: int, says: str, requests: int) -> None:
    rig.index.behave(PAGE, status(code), forever=True)
    said = rig.fails(NetworkError, PACKAGE)
    assert says in said
    assert rig.index.index_url in said
    assert len(rig.index.requests) == requests


@pytest.mark.parametrize("code", [401, 403, 404, 500])
def test_a_file_that_fails(rig: Rig, code: int) -> None:
    rig.index.behave(WHEEL.filename, status(code), forever=True)
    said = rig.fails(NetworkError, PACKAGE)
    assert f"cannot fetch {WHEEL.filename} of the index PyPI: the server answered {code}" in said
    assert "foo 1.0" in said


# --- 16: other hashes, other projects, other sources -------------------------------------------


@pytest.mark.parametrize("formats", ["html", "json"])
def test_another_hash_is_noticed_before_downloading(tmp_path: Path, formats: str) -> None:
    with IndexServer(formats=formats) as index:
        index.add(WHEEL.filename, WHEEL.data, listed_hash="sha256:" + "0" * 64)
        said = Rig(tmp_path, index).fails(IntegrityError, PACKAGE)
    assert f"the index PyPI names another hash for {WHEEL.filename} than the lock" in said
    assert index.downloads() == []


def test_links_of_another_project(rig: Rig) -> None:
    rig.index.add("bar-1.0-py3-none-any.whl", b"", project="baz")
    said = rig.fails(NetworkError, locked(build_wheel("baz", "1.0")))
    assert "answers for baz with a page that lists no file of it" in said


def test_a_source_that_is_not_configured(rig: Rig) -> None:
    said = rig.fails(UsageError, PRIVATE)
    assert "source 'private', which pyproject.toml does not declare" in said
    assert rig.index.requests == []


def test_a_source_that_is_no_server(rig: Rig) -> None:
    rig.repositories = (Repository("private"),)
    assert "'private' is not reached over HTTP" in rig.fails(UsageError, PRIVATE)


# --- 17: pages that are none -------------------------------------------------------------------

LOGIN = b"<html><body><form action=/login><input name=password></form></body></html>"


@pytest.mark.parametrize(
    ("content_type", "body", "says"),
    [
        (JSON_TYPE, b"<html><body></body></html>", "it is a JSON index page, but is not"),
        (JSON_TYPE, b"{", "it is a JSON index page, but is not"),
        (JSON_TYPE, b"", "it is a JSON index page, but is not"),
        ("text/html", b'{"files": []}', "neither a JSON nor an HTML index page"),
        ("application/json", b'{"files": []}', "neither a JSON nor an HTML index page"),
        ("text/html", LOGIN, "A login page or a wrong URL may be the cause"),
        ("text/html", b"", "neither a JSON nor an HTML index page"),
        ("text/html", b"<html></html>", "lists no file of it"),
        ("application/octet-stream", bytes(range(256)), "lists no file of it"),
    ],
)
def test_a_page_that_is_none(rig: Rig, content_type: str, body: bytes, says: str) -> None:
    rig.index.behave(PAGE, status(200, {"Content-Type": content_type}, body), forever=True)
    assert says in rig.fails(NetworkError, PACKAGE)
    assert rig.index.downloads() == []


@pytest.mark.parametrize("formats", ["html", "json", "both"])
@pytest.mark.parametrize(
    "style",
    [
        PageStyle(relative=True, single_quotes=True, escape_plus=False),
        PageStyle(upper_case=True),
    ],
)
def test_every_kind_of_index_serves_as_pypi(tmp_path: Path, formats: str, style: PageStyle) -> None:
    wheel = build_wheel("foo", "1.0+cu118")
    with IndexServer(formats=formats, style=style, prefix="/mirror") as index:
        index.add(wheel.filename, wheel.data)
        rig = Rig(tmp_path, index)
        rig.bundle(locked(wheel))
    assert rig.output.exists()


@pytest.mark.parametrize("kind", [LegacyRepository, SinglePageRepository])
def test_every_kind_of_source_of_poetry(rig: Rig, kind: type[LegacyRepository]) -> None:
    url = rig.index.flat_url if kind is SinglePageRepository else rig.index.index_url
    rig.repositories = (kind("private", url, config=poetry_config(rig.root)),)
    rig.bundle(PRIVATE)
    shutil.rmtree(rig.cache.root)
    rig.bundle(PACKAGE)  # the first source stands in for PyPI where that is disabled
    assert len(rig.index.requests) == 4


@pytest.mark.parametrize("content_type", ["text/html", JSON_TYPE])
def test_a_page_of_50_mb(rig: Rig, content_type: str) -> None:
    url = rig.index.file_url(WHEEL.filename)
    if content_type == JSON_TYPE:
        filler = '{"filename": "foo-0.1.zip", "url": "' + "x" * 5000 + '"},\n'
        page = '{"files": [%s{"filename": "' + WHEEL.filename + f'", "url": "{url}"}}]}}'
    else:
        filler = '<a href="/files/foo-0.1.zip">' + "x" * 5000 + "</a>\n"
        page = f'<html>%s<a href="{url}">'
    body = (page % (filler * (50_000_000 // len(filler)))).encode()
    rig.index.behave(PAGE, status(200, {"Content-Type": content_type}, body), forever=True)
    limits, rig.limits = rig.limits, replace(rig.limits, page_size=len(body) - 1)
    assert f"longer than {len(body) - 1} bytes" in rig.fails(NetworkError, PACKAGE)
    rig.limits = limits
    rig.bundle(PACKAGE)
    assert rig.output.stat().st_size > len(WHEEL.data)
