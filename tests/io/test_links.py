"""Index pages of any dialect: the locked files' links, and nothing but PageError."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wheeltarget.core.links import (
    Found,
    Link,
    Page,
    PageError,
    best_first,
    find_links,
    lists_project,
)
from wheeltarget.core.model import Digest

JSON = "application/vnd.pypi.simple.v1+json"
URL = "https://index.example/simple/foo/"
NAME = "foo_bar-1.0-py3-none-any.whl"
SHA256, SHA384, SHA512 = "a" * 64, "b" * 96, "c" * 128

quick = settings(deadline=None, derandomize=True, database=None, max_examples=150)


def html(text: str, *names: str, url: str = URL) -> Found:
    """What an HTML page says of the names."""
    return find_links(Page(url=url, content_type="text/html", text=text), names or [NAME])


def only(text: str, name: str = NAME, *, url: str = URL) -> Link:
    """The first link of an HTML page."""
    return html(text, name, url=url).links[name][0]


def listed(*files: object) -> Found:
    """What a JSON page with these files says of the name."""
    text = json.dumps({"meta": {"api-version": "1.0"}, "files": files})
    return find_links(Page(url=URL, content_type=JSON, text=text), [NAME])


def only_listed(**changes: object) -> Link:
    """The one link of a JSON page."""
    (link,) = listed(entry(**changes)).links[NAME]
    return link


def entry(**changes: object) -> dict[str, object]:
    """A file of a JSON page."""
    return {"filename": NAME, "url": f"../../files/{NAME}", "hashes": {}} | changes


# --- HTML (PEP 503) ---------------------------------------------------------------------------

ABSOLUTE = f"https://index.example/files/{NAME}"


@pytest.mark.parametrize(
    "text",
    [
        f'<a href="{ABSOLUTE}">{NAME}</a>',
        f'<a href="../../files/{NAME}">{NAME}</a>',
        f'<a href="//index.example/files/{NAME}">{NAME}</a>',
        f"<a href='/files/{NAME}'>{NAME}</a>",
        f"<a href=/files/{NAME}>{NAME}</a>",
        f'<A HREF="/files/{NAME}">{NAME}</A>',
        f'<a class="x"\n\thref = " /files/{NAME} "\n>{NAME}</a>',
        f'<a data-requires-python=">=3.8" href="/files/{NAME}">{NAME}</a>',
        f'<a title="a > b <b" href="/files/{NAME}" rel="internal">{NAME}</a>',
        f'<a href="/files/{NAME}"/>',
        f'<base href="https://index.example/files/"><a href="{NAME}">x</a>',
        f"<BASE\nHREF='/files/'><a href='{NAME}'>x</a>",
        f'<base target="x"><a href="/files/{NAME}">x</a>',
        f'<base href="http://[broken"><a href="/files/{NAME}">x</a>',
        f'<base><a href="/files/{NAME}">x</a>',
        f'<a href="/old/other-1.0.whl">{NAME}</a><a href="/files/{NAME}">{NAME}</a>',
        f'<A HREF="other.whl">o</A><a href="o2.whl">o</a><A HREF="/files/{NAME}">{NAME}</A>',
        f'<a href="/files/{NAME}.metadata">m</a><a href="/files/{NAME}">{NAME}</a>',
        f'<a href="/files/my{NAME}">m</a><a href="/files/{NAME}">{NAME}</a>',
        f'<a href="/files/{NAME}"></a><![bogus[ <!DOCTYPE <?',
        f'<a href="/files/{NAME}">first</a><a href="/mirror/{NAME}">second</a>',
        f'<a name="{NAME}"></a><a href="/files/{NAME}">{NAME}</a>',
    ],
)
def test_every_dialect_of_html_gives_the_link(text: str) -> None:
    assert only(text) == Link(url=ABSOLUTE)


@pytest.mark.parametrize(
    "spelled",
    ["foo-bar", "foo.bar", "Foo_Bar", "FOO__bar", "foo-_.bar"],
)
def test_another_spelling_of_the_project_is_the_same_file(spelled: str) -> None:
    other = NAME.replace("foo_bar", spelled)
    assert only(f'<a href="/{other}">').url.endswith(f"/{other}")
    assert only_listed(filename=other, url=f"/{other}").url.endswith(f"/{other}")


TORCH = "torch-2.0{}cu118-cp311-cp311-win_amd64.whl"


@pytest.mark.parametrize(
    ("name", "href"),
    [
        ("sqlalchemy-2.0-cp311-cp311-win32.whl", "SQLAlchemy-2.0-cp311-cp311-win32.whl"),
        ("pynacl-1.5.0-cp36-abi3-win32.whl", "PyNaCl-1.5.0-cp36-abi3-win32.whl"),
        (TORCH.format("+"), TORCH.format("+")),
        (TORCH.format("+"), TORCH.format("%2B")),
        (TORCH.format("+"), TORCH.format("%2b")),
        ("pkg-1!2.0-py3-none-any.whl", "pkg-1%212.0-py3-none-any.whl"),
        ("pkg-1!2.0-py3-none-any.whl", "pkg-1!2.0-py3-none-any.whl"),
        ("pkg-1.0-py2.py3-none-any.whl", "Pkg-1.0-py2.py3-none-any.whl"),
    ],
)
def test_spellings_of_the_wild(name: str, href: str) -> None:
    assert only(f'<a href="/f/{href}">x</a>', name).url == f"https://index.example/f/{href}"


@pytest.mark.parametrize("plus", ["&#43;", "&#x2B;", "&#x2b;", "&plus;"])
def test_a_local_version_as_templates_of_html_escape_it(plus: str) -> None:
    name, escaped = TORCH.format("+"), TORCH.format(plus)
    link = only(f'<a href="/f/{escaped}">{escaped}</a>', name)
    assert link.url == f"https://index.example/f/{name}"


def test_several_files_of_one_page() -> None:
    names = ["foo_bar-1.0-cp311-cp311-win32.whl", NAME]
    found = html("".join(f'<a href="{name}#sha256={SHA256}">{name}</a>' for name in names), *names)
    urls = {name: [link.url for link in links] for name, links in found.links.items()}
    assert urls == {name: [URL + name] for name in names}


@pytest.mark.parametrize(
    ("fragment", "digests"),
    [
        ("", ()),
        (f"#sha256={SHA256}", (Digest("sha256", SHA256),)),
        (f"#sha256={SHA256.upper()}", (Digest("sha256", SHA256),)),
        (f"#sha384={SHA384}", (Digest("sha384", SHA384),)),
        (f"#sha512={SHA512}", (Digest("sha512", SHA512),)),
        (f"#md5={'d' * 32}", ()),
        (f"#sha1={'d' * 40}", ()),
        ("#sha256=", ()),
        ("#sha256", ()),
        (f"#sha256={SHA256[1:]}", ()),
        (f"#sha256={SHA256[1:]}g", ()),
        (f"#sha256:{SHA256}", ()),
        ("#=", ()),
    ],
)
def test_only_strong_hashes_count(fragment: str, digests: tuple[Digest, ...]) -> None:
    assert only(f'<a href="{ABSOLUTE}{fragment}">x</a>') == Link(url=ABSOLUTE, digests=digests)


@pytest.mark.parametrize(
    ("attribute", "reason"),
    [
        ("", None),
        ("data-yanked", ""),
        ('data-yanked=""', ""),
        ('data-yanked="broken &lt;metadata&gt;"', "broken <metadata>"),
    ],
)
def test_yanked(attribute: str, reason: str | None) -> None:
    assert only(f'<a href="{NAME}" {attribute}>x</a>').yanked == reason


@pytest.mark.parametrize(
    "href",
    [
        f"file:///srv/{NAME}",
        f"ftp://index.example/{NAME}",
        f"javascript:{NAME}",
        f"data:,/{NAME}",
        f"http://[broken/{NAME}",
        f"http://index.example:port/{NAME}",
        f"http://index.example:99999/{NAME}",
        f"http://index.example:0/{NAME}",
        f"/{NAME}/",
        f"/?file={NAME}",
        f"/#{NAME}",
        "",
    ],
)
def test_a_link_that_is_none_of_the_web_is_ignored(href: str) -> None:
    assert html(f'<a href="{href}">{NAME}</a>') == Found(links={})


@pytest.mark.parametrize(
    "text",
    [
        f"<p>{NAME}</p>",
        f"<a>{NAME}</a>",
        f"<abbr title='x'>{NAME}</abbr>",
        f'<a href="{"x" * 9000}/{NAME}">x</a>',
        f'<a href="{NAME}',
        "<html><body><form>Please log in</form></body></html>",
    ],
)
def test_a_page_without_the_link(text: str) -> None:
    assert html(text) == Found(links={})


PATHS = ["..%2F", "..%2f..%2F", "%2Fetc%2F", "..%5C", "..\\", "C:%5C"]


@pytest.mark.parametrize("path", PATHS)
def test_a_link_whose_base_name_is_a_path_is_refused_and_named(path: str) -> None:
    found = html(f'<a href="/files/{path}{NAME}">{NAME}</a>')
    assert found.links == {}
    assert len(found.refused) == 1
    assert found.refused[0].endswith(NAME)
    assert found.refused[0] != NAME


def test_a_refused_link_does_not_hide_a_good_one() -> None:
    found = html(f'<a href="..%2F{NAME}">x</a><a href="{NAME}">x</a><a href="..%2F{NAME}">x</a>')
    assert found == Found(links={NAME: (Link(url=URL + NAME),)}, refused=(f"../{NAME}",))


# --- JSON (PEP 691) ---------------------------------------------------------------------------


def test_json() -> None:
    hashes = {"sha256": SHA256, "md5": "d" * 32, "sha512": SHA512}
    found = listed(entry(filename="foo-0.9.tar.gz"), entry(hashes=hashes, size=5, yanked="bad"))
    digests = (Digest("sha256", SHA256), Digest("sha512", SHA512))
    link = Link(url=ABSOLUTE, digests=digests, yanked="bad", size=5)
    assert found == Found(links={NAME: (link,)})


@pytest.mark.parametrize("content_type", [JSON, f"{JSON}; charset=utf-8", JSON.upper()])
def test_the_content_type_decides(content_type: str) -> None:
    page = Page(url=URL, content_type=content_type, text=json.dumps({"files": [entry()]}))
    assert find_links(page, [NAME]).links == {NAME: (Link(url=ABSOLUTE),)}


@pytest.mark.parametrize(
    ("yanked", "reason"),
    [(True, ""), ("why", "why"), (False, None), ("", None), (None, None), (1, ""), ([2], "")],
)
def test_json_yanked(yanked: object, reason: str | None) -> None:
    assert only_listed(yanked=yanked).yanked == reason


@pytest.mark.parametrize("size", [-1, True, "5", 5.0, None, []])
def test_json_size_of_the_wrong_kind_is_none(size: object) -> None:
    assert only_listed(size=size).size is None


@pytest.mark.parametrize(
    "hashes", [None, [], "sha256", {"sha256": 5}, {"sha256": None}, {"sha256": [SHA256]}, {"": ""}]
)
def test_json_hashes_of_the_wrong_kind_say_nothing(hashes: object) -> None:
    assert only_listed(hashes=hashes) == Link(url=ABSOLUTE)


@pytest.mark.parametrize(
    "broken",
    [
        None,
        5,
        "text",
        [],
        {},
        entry(filename=5),
        entry(filename=None),
        entry(url=5),
        entry(url=None),
        entry(url="http://[broken"),
        entry(url=f"file:///{NAME}"),
    ],
)
def test_a_broken_json_entry_is_ignored(broken: object) -> None:
    assert listed(broken) == Found(links={})
    assert listed(broken, entry()).links == {NAME: (Link(url=ABSOLUTE),)}


@pytest.mark.parametrize("changes", [{"filename": f"../{NAME}"}, {"url": f"/f/..%2F..%2F{NAME}"}])
def test_a_json_path_is_refused_and_named(changes: dict[str, object]) -> None:
    found = listed(entry(**changes))
    assert found.links == {}
    assert found.refused[0].endswith(f"../{NAME}")


# --- what is no index page --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content_type", "text"),
    [
        (JSON, ""),
        (JSON, f'<html><a href="{NAME}">{NAME}</a></html>'),
        (JSON, "[]"),
        (JSON, "5"),
        (JSON, '"files"'),
        (JSON, "null"),
        (JSON, "{}"),
        (JSON, '{"files": {}}'),
        (JSON, '{"files": null}'),
        (JSON, '{"files": [{"filename"'),
        (JSON, '{"files": ' + "[" * 100_000),
        ("text/html", ""),
        ("text/html", "\n"),
        ("text/html", json.dumps({"files": [entry()]})),
        ("application/json", json.dumps({"files": [entry()]})),
        ("", ""),
    ],
)
def test_what_is_no_index_page_is_a_page_error(content_type: str, text: str) -> None:
    with pytest.raises(PageError, match="index page"):
        find_links(Page(url=URL, content_type=content_type, text=text), [NAME])


WORDS = st.sampled_from(
    [
        *(NAME, NAME.replace("foo", "FOO"), "<a", "<A", "<a ", " href=", "href", '"', "'", ">"),
        *("</a>", "<base ", "<base href=", "<!", "<![", "<!--", "-->", "<?", "&#x", "&amp;", "#"),
        *("=", "sha256=", SHA256, "http://[", "http://h:x/", "//", "/", "\\", "%2F", "..", "]]>"),
        *("<script>", "<title>", "data-yanked", "\0", "\n", "é", "\ud800", "[", "file:"),
    ]
)


@quick
@given(words=st.lists(WORDS | st.text(max_size=5), max_size=30), url=st.sampled_from([URL, ""]))
def test_no_html_makes_it_fail(words: list[str], url: str) -> None:
    page = Page(url=url, content_type="text/html", text="<" + "".join(words))
    for links in find_links(page, [NAME]).links.values():
        assert all(link.url.startswith("http") for link in links)
    assert lists_project(page, NAME) in {True, False}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=9,
)
FILES = st.fixed_dictionaries({}, optional=dict.fromkeys(entry(yanked=0, size=0), VALUES))


@quick
@given(files=VALUES | st.lists(VALUES | FILES), text=st.none() | st.text())
def test_no_json_makes_it_fail_but_with_page_error(files: object, text: str | None) -> None:
    document = json.dumps({"files": files}) if text is None else text
    try:
        found = find_links(Page(url=URL, content_type=JSON, text=document), [NAME])
    except PageError:
        assert text is not None or not isinstance(files, list)
    else:
        assert set(found.links) <= {NAME}


@pytest.mark.parametrize(
    "piece", [NAME, f"<a>{NAME}", f"<a {NAME}", f'<a x="{NAME}', f'<a href="x{NAME}"', f"<p{NAME}"]
)
def test_a_hostile_page_takes_no_longer_than_its_length(piece: str) -> None:
    text = "<" + piece * (1_000_000 // len(piece))
    begin = time.process_time()
    assert html(text).links == {}
    assert time.process_time() - begin < 5


# --- one file name several times --------------------------------------------------------------


def test_every_link_of_a_file_is_kept_in_the_order_of_the_page() -> None:
    text = "".join(f'<a href="/{each}/{NAME}">{NAME}</a>' for each in "bab")
    assert [link.url[-len(NAME) - 2 :] for link in html(text).links[NAME]] == [
        f"b/{NAME}",
        f"a/{NAME}",
    ]


RIGHT, WRONG = Digest("sha256", SHA256), Digest("sha256", "f" * 64)
LINKS = [
    Link(url="yanked", yanked=""),
    Link(url="plain"),
    Link(url="contradicts", digests=(WRONG,)),
    Link(url="other", digests=(Digest("sha512", SHA512),)),
    Link(url="confirms and yanked", digests=(RIGHT,), yanked="bad"),
    Link(url="confirms", digests=(RIGHT,)),
    Link(url="both", digests=(RIGHT, WRONG)),
]


def test_the_best_link_comes_first_and_contradicting_ones_not_at_all() -> None:
    best = [link.url for link in best_first(LINKS, RIGHT)]
    assert best == ["confirms", "confirms and yanked", "plain", "other", "yanked"]


# --- the rest ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("digests", "contradicts"),
    [
        ((), False),
        ((Digest("sha256", SHA256),), False),
        ((Digest("sha256", "f" * 64),), True),
        ((Digest("sha512", SHA512),), False),
        ((Digest("sha512", SHA512), Digest("sha256", "f" * 64)), True),
    ],
)
def test_only_a_hash_of_the_locked_kind_contradicts(
    digests: tuple[Digest, ...], contradicts: bool
) -> None:
    assert Link(url=URL, digests=digests).contradicts(Digest("sha256", SHA256)) is contradicts


@pytest.mark.parametrize(
    ("text", "lists"),
    [
        ("foo_bar-0.1.tar.gz", True),
        ("Foo-Bar-0.1-py3-none-any.whl", True),
        ("foo-0.1.tar.gz", False),
        ("foo_bar", False),
        ("Please log in to foo-bar", False),
        ("", False),
    ],
)
def test_whether_a_page_is_of_the_project(text: str, lists: bool) -> None:
    assert lists_project(Page(url=URL, content_type="text/html", text=text), NAME) is lists
