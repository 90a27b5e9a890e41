"""The support is honest: what it builds installs, what it serves is a real index."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import http.client
import io
import json
import socket
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

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
from support.lockserver import LAST_RESORT_TAG, lock_server, locked_filenames, stub
from support.pages import HTML_TYPE, JSON_TYPE, PageStyle, negotiate
from support.projects import PROJECTS, parsed_lock
from support.server import Behaviour, IndexHandler
from support.tools import run, run_pip
from support.wheels import build_sdist, build_wheel

DATA = bytes(range(256)) * 40
NAME = "thing-1.0-py3-none-any.whl"


class Answer:
    """A whole exchange with the bare standard library, so that nothing is repaired on the way."""

    def __init__(self, url: str, *, method: str = "GET", **headers: str) -> None:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=10)
        try:
            spelled = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, parts.path, headers=spelled)
            response = connection.getresponse()
            self.status = response.status
            self.headers = response.headers
            self.body = b"" if method == "HEAD" else response.read()
        finally:
            connection.close()


@pytest.fixture
def index() -> Iterator[IndexServer]:
    with IndexServer() as server:
        server.add(NAME, DATA)
        yield server


def address_of(index: IndexServer) -> tuple[str, int]:
    hostname, _, port = index.host.partition(":")
    return hostname, int(port)


# Wheels and source archives


def test_bytes_depend_on_the_arguments_only() -> None:
    wheel = build_wheel("thing", "1.0", requires=["other>=1"], requires_python=">=3.8")
    assert wheel == build_wheel("thing", "1.0", requires=["other>=1"], requires_python=">=3.8")
    assert wheel.sha256 == hashlib.sha256(wheel.data).hexdigest()
    assert build_wheel("thing", "1.0").sha256 == (
        "5da87ad3e9f8c9235c29f36fb677a429463b81c961b08c1c9a1a3c507567495f"
    )
    assert build_sdist("thing", "1.0") == build_sdist("thing", "1.0")


def test_record_and_tags_are_right() -> None:
    wheel = build_wheel(
        "Foo.Bar_baz",
        "1.0+cu118",
        tag="cp39.cp310-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64",
        build="1",
        extra_members={"foo/a,b.bin": b"\0"},
    )
    assert wheel.filename == (
        "Foo.Bar_baz-1.0+cu118-1-cp39.cp310-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    )
    with zipfile.ZipFile(io.BytesIO(wheel.data)) as archive:
        folder = "Foo.Bar_baz-1.0+cu118.dist-info"
        rows = list(csv.reader(archive.read(f"{folder}/RECORD").decode().splitlines()))
        assert [row[0] for row in rows] == archive.namelist()
        for path, digest, size in rows[:-1]:
            data = archive.read(path)
            encoded = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
            assert (digest, size) == (f"sha256={encoded}", str(len(data)))
        assert rows[-1] == [f"{folder}/RECORD", "", ""]
        assert archive.read(f"{folder}/WHEEL").decode().splitlines()[2:] == [
            "Root-Is-Purelib: false",
            "Tag: cp39-abi3-manylinux_2_17_x86_64",
            "Tag: cp39-abi3-manylinux2014_x86_64",
            "Tag: cp310-abi3-manylinux_2_17_x86_64",
            "Tag: cp310-abi3-manylinux2014_x86_64",
            "Build: 1",
        ]


def test_pip_installs_a_wheel_with_its_requirement(tmp_path: Path) -> None:
    for wheel in (
        build_wheel("Foo.Bar_baz", "1!1.0+local.1", requires=["other>=2"], requires_python=">=3.8"),
        build_wheel("other", "2.0", modules={"other/__init__.py": "x = 1\n"}),
    ):
        (tmp_path / wheel.filename).write_bytes(wheel.data)
    done = run_pip(
        *("install", "--no-index", "--find-links", str(tmp_path), "foo-bar-baz"),
        *("--target", str(tmp_path / "lib")),
    )
    assert done.returncode == 0, done.stderr
    code = "import foo_bar_baz, other; print(foo_bar_baz.__version__, other.x)"
    imported = run([sys.executable, "-c", code], {"PYTHONPATH": str(tmp_path / "lib")})
    assert imported.stdout.split() == ["1!1.0+local.1", "1"]


@pytest.mark.parametrize("suffix", [".tar.gz", ".zip"])
def test_pip_builds_a_source_archive_offline(tmp_path: Path, suffix: str) -> None:
    filename, data, _ = build_sdist("thing", "1.0", suffix=suffix)
    (tmp_path / filename).write_bytes(data)
    done = run_pip("wheel", "--no-index", str(tmp_path / filename), "-w", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / NAME).read_bytes() == build_wheel("thing", "1.0").data


# The index and its pages


@pytest.mark.parametrize(
    ("formats", "accept", "expected"),
    [
        ("both", None, "text/html"),
        ("both", "*/*", "text/html"),
        ("both", JSON_TYPE, JSON_TYPE),
        ("both", f"{JSON_TYPE}, {HTML_TYPE};q=0.2, text/html;q=0.01", JSON_TYPE),
        ("both", f"text/html, {JSON_TYPE};q=0.5", "text/html"),
        ("both", HTML_TYPE, HTML_TYPE),
        ("both", "application/vnd.pypi.simple.latest+json", JSON_TYPE),
        ("both", "image/png", None),
        ("html", JSON_TYPE, "text/html"),
        ("json", "text/html", None),
        ("json", "text/html, */*;q=0.1", JSON_TYPE),
        ("json", f"{JSON_TYPE};q=0", None),
    ],
)
def test_the_accept_header_decides(formats: str, accept: str | None, expected: str | None) -> None:
    assert negotiate(accept, formats) == expected


class Anchors(HTMLParser):
    """Collects what a client may know of each link."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        if self.found and data.strip():
            self.found[-1].setdefault("text", data)


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("single_quotes", [True, False])
@pytest.mark.parametrize("escape_plus", [True, False])
def test_links_of_any_style_lead_to_the_file(
    relative: bool, single_quotes: bool, escape_plus: bool
) -> None:
    style = PageStyle(
        relative=relative,
        single_quotes=single_quotes,
        escape_plus=escape_plus,
        upper_case=True,
    )
    wheel = build_wheel("thing", "1.0+cu118")
    with IndexServer(prefix="/team", style=style) as index:
        reason = """broken: "a" & <b> or 'c'"""
        index.add(wheel.filename, wheel.data, yanked=reason, requires_python=">=3.8,<4")
        pages = (index.index_url + "thing/", index.flat_url)
        for page in pages:
            body = Answer(page, Accept="text/html").body
            (link,) = Anchors(body).found
            assert (link["data-yanked"], link["data-requires-python"]) == (reason, ">=3.8,<4")
            assert link["text"] == "THING-1.0+cu118-py3-none-any.whl"
            address, _, fragment = str(link["href"]).partition("#")
            assert fragment == f"sha256={wheel.sha256}"
            assert address.startswith("http") is not relative
            assert ("%2B" in address) is escape_plus
            assert (b"href='" in body) is single_quotes
            assert Answer(urljoin(page, address)).body == wheel.data


def test_the_json_page_says_the_same() -> None:
    with IndexServer() as index:
        index.add("thing-1.0-py3-none-any.whl", DATA, yanked="")
        index.add("thing-1.1.tar.gz", b"abc", listed_hash="sha256:00", requires_python=">=3")
        index.add("thing-1.2.tar.gz", b"abc", listed_hash=None, listed_name="Thing-1.2.tar.gz")
        page = json.loads(Answer(index.index_url + "thing/", Accept=JSON_TYPE).body)
        root = json.loads(Answer(index.index_url, Accept=JSON_TYPE).body)
        file_url = index.file_url("thing-1.1.tar.gz")
    assert root["projects"] == [{"name": "thing"}]
    assert (page["meta"]["api-version"], page["name"]) == ("1.1", "thing")
    assert page["versions"] == ["1.0", "1.1", "1.2"]
    wheel, sdist, respelled = page["files"]
    assert wheel["yanked"] is True
    assert wheel["hashes"] == {"sha256": hashlib.sha256(DATA).hexdigest()}
    assert sdist == {
        "filename": "thing-1.1.tar.gz",
        "url": file_url,
        "hashes": {"sha256": "00"},
        "requires-python": ">=3",
        "size": 3,
    }
    assert (respelled["filename"], respelled["hashes"]) == ("Thing-1.2.tar.gz", {})


def test_what_is_not_there_is_404(index: IndexServer) -> None:
    for path in ("simple/other/", "simple/thing", "files/other.whl", "nothing"):
        assert Answer(f"http://{index.host}/{path}").status == 404


def test_requests_are_recorded(index: IndexServer) -> None:
    Answer(index.file_url(NAME), method="HEAD")
    Answer(index.file_url(NAME), User_Agent="me")
    Answer(index.index_url)
    assert [(each.method, each.path) for each in index.requests] == [
        ("HEAD", f"/files/{NAME}"),
        ("GET", f"/files/{NAME}"),
        ("GET", "/simple/"),
    ]
    assert index.requests[1].headers["user-agent"] == "me"
    assert index.downloads() == [NAME]
    assert len(index.requests_for(NAME)) == 1


def test_a_password_is_asked_for() -> None:
    with IndexServer(username="me", password="se:cret") as index:
        index.add(NAME, DATA)
        for page in (index.index_url, index.flat_url, index.file_url(NAME)):
            refused = Answer(page)
            assert (refused.status, refused.body) == (401, b"")
            assert refused.headers["WWW-Authenticate"].startswith("Basic")
            wrong = base64.b64encode(b"me:wrong").decode()
            assert Answer(page, Authorization=f"Basic {wrong}").status == 401
            right = base64.b64encode(b"me:se:cret").decode()
            assert Answer(page, Authorization=f"Basic {right}").status == 200


@pytest.mark.parametrize("formats", ["html", "json", "both"])
def test_pip_installs_from_a_guarded_index_and_another_file_host(
    tmp_path: Path, formats: str
) -> None:
    wheel = build_wheel("thing", "1.0")
    with IndexServer(
        formats=formats, username="me", password="secret", files_host="localhost"
    ) as index:
        index.add(wheel.filename, wheel.data)
        done = run_pip(
            *("install", "--index-url", index.index_url_with_credentials, "thing"),
            *("--target", str(tmp_path)),
        )
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "thing.py").exists()
        (download,) = index.requests_for(wheel.filename)
        assert index.files_host != index.host
        assert download.host == index.files_host
        assert "authorization" not in download.headers


# Faults


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (ok(), (200, len(DATA), DATA)),
        (status(503, {"Retry-After": "1"}), (503, 0, b"")),
        (status(200, body=b"please log in"), (200, 13, b"please log in")),
        (redirect("file:///elsewhere"), (302, 0, b"")),
        (flip_byte(0), (200, len(DATA), b"\xff" + DATA[1:])),
        (cut_short(9, announce_length=False), (200, None, DATA[:9])),
        (oversized(70_000), (200, len(DATA), DATA)),
        (oversized(70_000, "grown"), (200, len(DATA) + 70_000, DATA + bytes(70_000))),
        (oversized(3, "nothing"), (200, None, DATA + bytes(3))),
        (drip(0.001, 5_000), (200, len(DATA), DATA)),
    ],
)
def test_a_behaviour_answers_as_told(
    index: IndexServer, behaviour: Behaviour, expected: tuple[int, int | None, bytes]
) -> None:
    index.behave(NAME, behaviour)
    answer = Answer(index.file_url(NAME))
    length = answer.headers["Content-Length"]
    assert (answer.status, None if length is None else int(length), answer.body) == expected


def test_redirect_and_headers_are_sent(index: IndexServer) -> None:
    index.behave(NAME, redirect("/x", 307), status(429, {"Retry-After": "soon"}))
    assert Answer(index.file_url(NAME)).headers["Location"] == "/x"
    assert Answer(index.file_url(NAME)).headers["Retry-After"] == "soon"


def test_gzip_is_sent_unasked(index: IndexServer) -> None:
    index.behave(NAME, gzip_encoded())
    answer = Answer(index.file_url(NAME), Accept_Encoding="identity")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.body) == DATA


def test_a_cut_body_is_shorter_than_announced(index: IndexServer) -> None:
    index.behave(NAME, cut_short(9))
    with pytest.raises(http.client.IncompleteRead) as raised:
        Answer(index.file_url(NAME))
    assert raised.value.partial == DATA[:9]


@pytest.mark.parametrize("length", ["-1", "garbage", "99999999999999999999"])
def test_nonsense_can_be_announced(index: IndexServer, length: str) -> None:
    index.behave(NAME, with_headers({"Content-Length": length, "ETag": '"other"'}))
    with socket.create_connection(address_of(index), timeout=5) as client:
        client.sendall(f"GET /files/{NAME} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head, _, body = b"".join(iter(lambda: client.recv(65536), b"")).partition(b"\r\n\r\n")
    assert f"Content-Length: {length}\r\n".encode() in head
    assert b'ETag: "other"' in head
    assert body == DATA


@pytest.mark.parametrize("after", [None, 0, 5_000])
def test_a_connection_is_reset(index: IndexServer, after: int | None) -> None:
    index.behave(NAME, reset_connection(after))
    with pytest.raises(ConnectionResetError):
        Answer(index.file_url(NAME))


def test_a_script_runs_out_unless_it_is_for_ever(index: IndexServer) -> None:
    url = index.file_url(NAME)
    index.behave(NAME, status(500), ok(), status(502))
    assert [Answer(url).status for _ in range(5)] == [500, 200, 502, 200, 200]
    index.behave(f"/files/{NAME}", status(500), status(404), forever=True)
    assert [Answer(url).status for _ in range(4)] == [500, 404, 404, 404]


def test_a_download_can_be_resumed(index: IndexServer) -> None:
    url, total = index.file_url(NAME), len(DATA)
    part = Answer(url, Range="bytes=100-")
    assert (part.status, part.body) == (206, DATA[100:])
    assert part.headers["Content-Range"] == f"bytes 100-{total - 1}/{total}"
    tag = Answer(url).headers["ETag"]
    assert Answer(url, Range="bytes=100-199", If_Range=tag).body == DATA[100:200]
    assert Answer(url, Range="bytes=100-", If_Range='"other"').status == 200
    assert Answer(url, Range=f"bytes={total}-").status == 416


def test_resuming_can_go_wrong(index: IndexServer) -> None:
    url = index.file_url(NAME)
    index.behave(NAME, ignore_range(), wrong_range(-7))
    whole = Answer(url, Range="bytes=100-")
    assert (whole.status, whole.body) == (200, DATA)
    shifted = Answer(url, Range="bytes=100-")
    assert (shifted.status, shifted.body) == (206, DATA[93:])
    assert shifted.headers["Content-Range"].startswith("bytes 93-")
    index.ranges = False
    assert Answer(url, Range="bytes=100-").status == 200


def test_closing_wakes_whoever_waits() -> None:
    before = threading.active_count()
    started = time.monotonic()
    with IndexServer() as index:
        index.add(NAME, DATA)
        index.behave(NAME, drip(60))
        idle = socket.create_connection(address_of(index))
        dripping = socket.create_connection(address_of(index))
        dripping.sendall(f"GET /files/{NAME} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert dripping.recv(8) == b"HTTP/1.1"
    idle.close()
    dripping.close()
    assert time.monotonic() - started < 5
    assert threading.active_count() == before


def test_an_error_in_a_behaviour_fails_the_test() -> None:
    def broken(handler: IndexHandler) -> None:
        raise LookupError(handler.path)

    def use_it() -> None:
        with IndexServer() as index:
            index.behave(NAME, broken)
            with pytest.raises(http.client.RemoteDisconnected):
                Answer(index.file_url(NAME))

    with pytest.raises(LookupError, match="files"):
        use_it()


# An index for a lock


@pytest.mark.parametrize("project", sorted(path.name for path in PROJECTS.iterdir()))
def test_every_locked_file_has_a_stub_of_its_name(project: str) -> None:
    """The stub asserts its file name itself, when it is built."""
    filenames = [filename for _, filename in locked_filenames(parsed_lock(project))]
    assert len(filenames) > (400 if project != "groups" else 10)
    for filename in filenames[::7]:
        assert stub(filename)()


def test_pip_finds_a_foreign_wheel_of_a_lock(tmp_path: Path) -> None:
    with lock_server(parsed_lock("small-api"), last_resort=True) as index:
        done = run_pip(
            *("download", "--index-url", index.index_url, "uvloop==0.21.0", "httptools"),
            *("--only-binary=:all:", "--no-deps", "--dest", str(tmp_path)),
            *("--platform", "macosx_11_0_arm64", "--python-version", "3.12"),
        )
        assert done.returncode == 0, done.stderr
        assert index.downloads() == [
            "uvloop-0.21.0-cp312-cp312-macosx_10_13_universal2.whl",
            "httptools-0.6.4-cp312-cp312-macosx_11_0_arm64.whl",
        ]
        last = f"click-8.1.8-{LAST_RESORT_TAG}.whl"
        assert zipfile.is_zipfile(io.BytesIO(Answer(index.file_url(last)).body))
