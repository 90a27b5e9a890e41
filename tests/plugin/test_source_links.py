"""What a source says of a locked file, and what comes of it: the lock's hash decides."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from plugin.projectmaker import Recipe, locked
from plugin.sourcing import (
    ALPHA,
    BETA,
    PASSWORD,
    TARGET,
    USER,
    assert_nowhere,
    bundled,
    configure,
    failed,
    from_source,
    guarded,
    project_on,
    serve,
    source,
    told,
)
from support.behaviours import redirect, status
from support.index import IndexServer, PageStyle
from support.wheels import build_wheel
from wheeltarget.core.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from plugin.harness import Cli, MakeCli

OTHER = build_wheel("alpha", "1.0", modules={"alpha.py": "OTHER = True\n"})
ODD = build_wheel("Odd.Name", "1!2.0rc1+cu118.Local", tag="cp311-cp311-win_amd64")
PAGE = "/simple/alpha/"


def page(index: IndexServer, *lines: str, path: str = PAGE) -> None:
    """Let the index answer with a page of these lines, always."""
    body = "\n".join(["<!DOCTYPE html><html>", *lines, "</html>"]).encode()
    index.behave(path, status(200, {"Content-Type": "text/html"}, body), forever=True)


# --- hashes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("formats", ["html", "json"])
@pytest.mark.parametrize("listed", [None, "md5", "md5:" + "0" * 32, "sha1", "sha512"])
def test_links_without_the_locked_hash(
    make_cli: MakeCli, servers: ExitStack, formats: str, listed: str | None
) -> None:
    index = serve(servers, formats=formats)
    index.add(ALPHA.filename, ALPHA.data, listed_hash=listed)
    bundled(cli := project_on(make_cli, index), cli(*TARGET))


@pytest.mark.parametrize("listed", [None, "md5"])
def test_another_file_is_refused_whatever_the_page_says(
    make_cli: MakeCli, servers: ExitStack, listed: str | None
) -> None:
    index = serve(servers)
    index.add(ALPHA.filename, OTHER.data, listed_hash=listed)
    said = failed(cli := project_on(make_cli, index), cli(*TARGET), 6)
    assert f"{ALPHA.filename} from the index private is not the locked file" in said
    assert ALPHA.sha256 in said
    assert "alpha 1.0" in said


# --- addresses ------------------------------------------------------------------------------


@pytest.mark.parametrize("formats", ["html", "json"])
@pytest.mark.parametrize("style", [PageStyle(), PageStyle(escape_plus=False, relative=True)])
def test_names_that_need_escapes(
    make_cli: MakeCli, servers: ExitStack, formats: str, style: PageStyle
) -> None:
    index = serve(servers, formats=formats, style=style, prefix="/pypi+all")
    index.add(ODD.filename, ODD.data, project="odd-name")
    package = replace(from_source(ODD, index), name="odd-name")
    cli = make_cli(Recipe(packages=[package], sources=[source(index)]))
    bundled(cli, cli(*TARGET))
    (download,) = index.requests_for(ODD.filename)
    assert ("%2B" in download.path) is style.escape_plus


@pytest.mark.parametrize(
    ("base", "href"),
    [
        ("", "../../files/{}"),
        ("", "/files/{}"),
        ("", "//{host}/files/{}"),
        ("", " http://{host}/simple/../files/{}\n"),
        ('<base href="http://{host}/files/">', "{}"),
        ('<base href="/files/deep/">', "../{}"),
        ('<base href="../../files/">', "./{}?download=1"),
    ],
)
def test_addresses_that_start_somewhere_else(
    make_cli: MakeCli, servers: ExitStack, base: str, href: str
) -> None:
    index = serve(servers, ALPHA)
    href = href.replace("{}", ALPHA.filename).replace("{host}", index.host)
    page(index, base.replace("{host}", index.host), f'<a href="{href}">{ALPHA.filename}</a>')
    bundled(cli := project_on(make_cli, index), cli(*TARGET))
    assert index.downloads() == [ALPHA.filename]


def test_addresses_are_those_of_the_page_where_it_was_found(
    make_cli: MakeCli, servers: ExitStack
) -> None:
    index, moved = (
        serve(servers),
        serve(servers, ALPHA, prefix="/x", style=PageStyle(relative=True)),
    )
    index.behave(PAGE, redirect(f"{moved.index_url}alpha/"))
    bundled(cli := project_on(make_cli, index), cli(*TARGET))
    assert moved.downloads() == [ALPHA.filename]


def test_files_that_are_redirected_to_another_host(make_cli: MakeCli, servers: ExitStack) -> None:
    index, store = guarded(servers), serve(servers, ALPHA)
    store.prefix = "/bucket"
    signed = (
        f"http://localhost:{store.host.partition(':')[2]}/bucket/files/{ALPHA.filename}?sig=s1gn"
    )
    index.behave(ALPHA.filename, redirect(signed))
    cli = project_on(make_cli, index)
    configure(
        cli, "environment", {"http-basic": {"private": {"username": USER, "password": PASSWORD}}}
    )
    ended = cli(*TARGET, "-vvv")
    bundled(cli, ended)
    assert told(index, store) == {index.host}
    assert store.downloads() == [ALPHA.filename]
    assert_nowhere(PASSWORD, cli, ended)
    assert_nowhere("s1gn", cli, ended)


# --- one page for all -----------------------------------------------------------------------


def flat_project(make_cli: MakeCli, index: IndexServer) -> Cli:
    """A project with two wheels of one page."""
    where = {"type": "legacy", "url": index.flat_url, "reference": "flat"}
    return make_cli(
        Recipe(
            packages=[locked(ALPHA, source=where), locked(BETA, source=where)],
            sources=[{"name": "flat", "url": index.flat_url}],
        )
    )


def test_a_page_of_all_files_is_asked_for_once(make_cli: MakeCli, servers: ExitStack) -> None:
    index = serve(servers, ALPHA, BETA)
    cli = flat_project(make_cli, index)
    bundled(cli, cli(*TARGET))
    assert [r.path for r in index.requests if "files" not in r.path] == ["/flat.html"]


def test_a_page_of_all_files_that_fails_is_asked_for_once(
    make_cli: MakeCli, servers: ExitStack
) -> None:
    index = serve(servers, ALPHA, BETA)
    index.behave("/flat.html", status(404), forever=True)
    cli = flat_project(make_cli, index)
    said = failed(cli, cli(*TARGET), 5)
    for name in ("alpha", "beta-x"):
        assert f"the index flat gives no page for {name}: the server answered 404" in said
    assert len(index.requests) == 1


# --- yanked and gone ------------------------------------------------------------------------


@pytest.mark.parametrize("formats", ["html", "json"])
@pytest.mark.parametrize("reason", ["", "a bad <error>release</error>"])
def test_a_yanked_file_is_used_as_locked(
    make_cli: MakeCli, servers: ExitStack, formats: str, reason: str
) -> None:
    index = serve(servers, formats=formats)
    index.add(ALPHA.filename, ALPHA.data, yanked=reason)
    cli = project_on(make_cli, index)
    ended = cli(*TARGET)
    bundled(cli, ended)
    why = f": {reason}" if reason else ""
    assert f"Warning: {ALPHA.filename} is yanked{why}; it is used as locked" in ended.err
    assert "alpha 1.0" in ended.err


def test_files_that_vanished_are_all_named_before_anything_is_fetched(
    make_cli: MakeCli, servers: ExitStack
) -> None:
    index = serve(servers, build_wheel("alpha", "1.1"), ODD)
    index.add("Beta_X-3-py3-none-any.whl", b"")
    packages = [from_source(ALPHA, index), from_source(BETA, index)]
    cli = make_cli(Recipe(packages=packages, sources=[source(index)]))
    said = failed(cli, cli(*TARGET), 5)
    for wheel in (ALPHA, BETA):
        assert f"the index private no longer offers {wheel.filename}" in said
    assert "alpha 1.0" in said
    assert "run `poetry lock`" in said
    assert index.downloads() == []


def test_a_file_that_is_listed_but_gone(make_cli: MakeCli, servers: ExitStack) -> None:
    index = serve(servers, ALPHA)
    index.behave(ALPHA.filename, status(404), forever=True)
    said = failed(cli := project_on(make_cli, index), cli(*TARGET), 5)
    assert f"cannot fetch {ALPHA.filename} of the index private: the server answered 404" in said
    assert "does not have it any more; run `poetry lock`" in said


@pytest.mark.parametrize("code", [401, 403])
def test_a_file_that_asks_for_credentials(make_cli: MakeCli, servers: ExitStack, code: int) -> None:
    index = serve(servers, ALPHA)
    index.behave(ALPHA.filename, status(code), forever=True)
    said = failed(cli := project_on(make_cli, index), cli(*TARGET), 5)
    assert f"{ALPHA.filename} of the index private: the server answered {code}" in said
    assert "(package alpha 1.0)" in said
    assert "poetry config http-basic.private USER PASSWORD" in said


@pytest.mark.parametrize("way", ["environment", "poetry.toml"])
def test_files_on_another_host_that_asks_for_credentials(
    make_cli: MakeCli, servers: ExitStack, way: str
) -> None:
    index, store = serve(servers), guarded(servers)
    page(index, f'<a href="{store.file_url(ALPHA.filename)}">{ALPHA.filename}</a>')
    cli = project_on(make_cli, index)
    said = failed(cli, cli(*TARGET), 5)
    assert f"{ALPHA.filename} of the index private: the server answered 401" in said
    assert f"credentials of private are not for {store.host}" in said
    settings = {"repositories": {"files": {"url": f"http://{store.host}/"}}}
    basic = {"http-basic": {"files": {"username": USER, "password": PASSWORD}}}
    configure(cli, way, {**settings, **basic})
    ended = cli(*TARGET, "-vvv")
    bundled(cli, ended)
    assert told(index, store) == {store.host}
    assert_nowhere(PASSWORD, cli, ended)


# --- one file name several times on a page --------------------------------------------------

RIGHT, WRONG = f"/files/{ALPHA.filename}", f"/other/{ALPHA.filename}"
SHA256 = f"#sha256={ALPHA.sha256}"
OTHER_SHA256 = f"#sha256={OTHER.sha256}"


def several(servers: ExitStack, *hrefs: str) -> IndexServer:
    """An index that lists ALPHA several times, and has another file where WRONG says."""
    index = serve(servers, ALPHA)
    index.behave(WRONG, status(200, {}, OTHER.data), forever=True)
    page(index, *(f'<a href="{href}>{ALPHA.filename}</a>' for href in hrefs))
    return index


def asked_for(index: IndexServer) -> list[str]:
    """The addresses that were asked for, besides the page."""
    return [request.path for request in index.requests if request.path != PAGE]


@pytest.mark.parametrize(
    ("hrefs", "asked"),
    [
        # The page itself says which one is meant.
        ([f'{WRONG}{OTHER_SHA256}"', f'{RIGHT}{SHA256}"'], [RIGHT]),
        ([f'{WRONG}"', f'{RIGHT}{SHA256}"'], [RIGHT]),
        ([f'{WRONG}{OTHER_SHA256}"', f'{RIGHT}"'], [RIGHT]),
        ([f'{WRONG}" data-yanked', f'{RIGHT}"'], [RIGHT]),
        # It does not: each is tried, a damaged one twice.
        ([f'{WRONG}"', f'{RIGHT}"'], [WRONG, WRONG, RIGHT]),
        ([f'/none/{ALPHA.filename}"', f'{RIGHT}"'], [f"/none/{ALPHA.filename}", RIGHT]),
        ([f'{RIGHT}"', f'{RIGHT}"', f'{WRONG}"'], [RIGHT]),
    ],
)
def test_the_link_that_leads_to_the_locked_file_is_taken(
    make_cli: MakeCli, servers: ExitStack, hrefs: list[str], asked: list[str]
) -> None:
    index = several(servers, *hrefs)
    cli = project_on(make_cli, index)
    ended = cli(*TARGET)
    bundled(cli, ended)
    assert asked_for(index) == asked
    assert "yanked" not in ended.err


def test_no_link_leads_to_the_locked_file(make_cli: MakeCli, servers: ExitStack) -> None:
    index = several(servers, f'{WRONG}"', f'/none/{ALPHA.filename}"')
    said = failed(cli := project_on(make_cli, index), cli(*TARGET), 6)
    assert f"{ALPHA.filename} from the index private is not the locked file" in said


def test_every_link_contradicts_the_lock(make_cli: MakeCli, servers: ExitStack) -> None:
    index = several(servers, f'{WRONG}{OTHER_SHA256}"', f'{RIGHT}{OTHER_SHA256}"')
    said = failed(cli := project_on(make_cli, index), cli(*TARGET), 6)
    assert f"the index private names another hash for {ALPHA.filename} than the lock" in said
    assert asked_for(index) == []


def test_a_page_cannot_make_us_try_for_ever(make_cli: MakeCli, servers: ExitStack) -> None:
    index = several(servers, *(f'/none/{n}/{ALPHA.filename}"' for n in range(100)))
    failed(cli := project_on(make_cli, index), cli(*TARGET), 5)
    assert len(asked_for(index)) == DEFAULT_LIMITS.links
