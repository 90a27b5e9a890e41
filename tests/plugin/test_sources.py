"""Files come from the sources that `poetry install` would take them from."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from poetry.repositories.repository import Repository
from poetry.repositories.repository_pool import RepositoryPool

from plugin.projectmaker import Recipe, locked
from plugin.sourcing import (
    ALPHA,
    BETA,
    PASSWORD,
    TARGET,
    USER,
    assert_nowhere,
    bundled,
    failed,
    from_source,
    guarded,
    serve,
    source,
)
from support.behaviours import redirect, status
from support.index import PageStyle
from support.wheels import build_wheel
from wheeltarget.core.errors import UsageError
from wheeltarget.core.limits import DEFAULT_LIMITS
from wheeltarget.core.model import Source
from wheeltarget.plugin.sources import Indexes

if TYPE_CHECKING:
    from plugin.harness import MakeCli

# --- which source ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["transparent", "legacy"])
@pytest.mark.parametrize("formats", ["html", "json", "both"])
def test_pypi_by_its_stand_ins(
    make_cli: MakeCli, servers: ExitStack, kind: str, formats: str
) -> None:
    index = serve(servers, ALPHA, BETA, formats=formats)
    cli = make_cli(Recipe(packages=[locked(ALPHA), locked(BETA)]))
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"), kind)
    assert bundled(cli, cli(*TARGET)) == {
        "alpha": {"type": "index", "name": "PyPI"},
        "beta-x": {"type": "index", "name": "PyPI"},
    }
    pages = [request.path for request in index.requests if request.path.startswith("/simple/")]
    assert sorted(pages) == ["/simple/alpha/", "/simple/beta-x/"]


def test_a_process_of_poetry_takes_the_stand_in_too(make_cli: MakeCli, servers: ExitStack) -> None:
    index = serve(servers, ALPHA)
    cli = make_cli(Recipe(packages=[locked(ALPHA)]))
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"), "legacy")
    bundled(cli, cli.process(*TARGET))
    assert index.downloads() == [ALPHA.filename]


@pytest.mark.parametrize("name", ["private", "Private"])
def test_a_source_by_its_name_in_the_lock(make_cli: MakeCli, servers: ExitStack, name: str) -> None:
    public, private = serve(servers, ALPHA, BETA), serve(servers, ALPHA, BETA)
    cli = make_cli(
        Recipe(
            packages=[locked(ALPHA), from_source(BETA, private, name)],
            sources=[source(private, "Private", priority="supplemental")],
        )
    )
    cli.sandbox.stand_in_for_pypi(public.index_url.removesuffix("simple/"))
    assert bundled(cli, cli(*TARGET)) == {
        "alpha": {"type": "index", "name": "PyPI"},
        "beta-x": {"type": "index", "name": name, "url": private.index_url.rstrip("/")},
    }
    assert (public.downloads(), private.downloads()) == ([ALPHA.filename], [BETA.filename])


def test_an_explicit_source(make_cli: MakeCli, servers: ExitStack) -> None:
    private = serve(servers, BETA)
    sources = [source(private, priority="explicit")]
    cli = make_cli(Recipe(packages=[from_source(BETA, private)], sources=sources))
    bundled(cli, cli(*TARGET))


@pytest.mark.parametrize("priority", ["primary", "supplemental", "explicit"])
def test_a_source_of_any_priority_gives_what_is_locked_from_it_and_nothing_else(
    make_cli: MakeCli, servers: ExitStack, priority: str
) -> None:
    pypi, private = serve(servers, ALPHA, BETA), serve(servers, ALPHA, BETA)
    sources = [source(private, priority=priority), {"name": "PyPI", "priority": "primary"}]
    cli = make_cli(
        Recipe(packages=[from_source(ALPHA, private), locked(BETA)], sources=sources),
    )
    cli.sandbox.stand_in_for_pypi(pypi.index_url.removesuffix("simple/"), "legacy")
    bundled(cli, cli(*TARGET))
    assert (private.downloads(), pypi.downloads()) == ([ALPHA.filename], [BETA.filename])


@pytest.mark.parametrize("name", ["first", "second"])
def test_of_two_primary_sources_the_lock_chooses(
    make_cli: MakeCli, servers: ExitStack, name: str
) -> None:
    indexes = {each: serve(servers, ALPHA) for each in ("first", "second")}
    sources = [source(index, each, priority="primary") for each, index in indexes.items()]
    packages = [from_source(ALPHA, indexes[name], name)]
    cli = make_cli(Recipe(packages=packages, sources=sources))
    bundled(cli, cli(*TARGET))
    assert {each: index.downloads() for each, index in indexes.items()} == {
        "first": [],
        "second": [],
        name: [ALPHA.filename],
    }


@pytest.mark.parametrize("priority", ["primary", "supplemental"])
@pytest.mark.parametrize("kind", ["transparent", "legacy"])
def test_a_file_that_pypis_mirror_lacks_is_not_taken_from_another_source(
    make_cli: MakeCli, servers: ExitStack, kind: str, priority: str
) -> None:
    older = build_wheel("alpha", "0.9")
    mirror, other = serve(servers, older), serve(servers, ALPHA)
    sources = [source(other, "other", priority=priority), {"name": "PyPI", "priority": "primary"}]
    cli = make_cli(Recipe(packages=[locked(ALPHA)], sources=sources))
    cli.sandbox.stand_in_for_pypi(mirror.index_url.removesuffix("simple/"), kind)
    said = failed(cli, cli(*TARGET), 5)
    assert f"the index PyPI no longer offers {ALPHA.filename} (package alpha 1.0)" in said
    assert "only the source that the lock names is asked" in said
    assert (mirror.downloads(), other.requests) == ([], [])


def test_a_project_that_pypis_mirror_lacks_is_not_taken_from_another_source(
    make_cli: MakeCli, servers: ExitStack
) -> None:
    mirror, other = serve(servers), serve(servers, ALPHA)
    sources = [source(other, "other"), {"name": "PyPI", "priority": "supplemental"}]
    cli = make_cli(Recipe(packages=[locked(ALPHA)], sources=sources))
    cli.sandbox.stand_in_for_pypi(mirror.index_url.removesuffix("simple/"), "legacy")
    said = failed(cli, cli(*TARGET), 5)
    assert "the index PyPI gives no page for alpha: the server answered 404" in said
    assert "only the source that the lock names is asked" in said
    assert other.requests == []


def test_the_first_source_stands_in_where_the_pool_has_no_pypi(
    make_cli: MakeCli, servers: ExitStack
) -> None:
    first, second = serve(servers, ALPHA, BETA), serve(servers, ALPHA, BETA)
    sources = [source(first, "first"), source(second, "second")]
    cli = make_cli(
        Recipe(packages=[locked(ALPHA), from_source(BETA, second, "second")], sources=sources)
    )
    assert bundled(cli, cli(*TARGET))["alpha"] == {"type": "index", "name": "PyPI"}
    assert (first.downloads(), second.downloads()) == ([ALPHA.filename], [BETA.filename])


def test_pypi_named_as_a_source(make_cli: MakeCli, servers: ExitStack) -> None:
    first, pypi = serve(servers), serve(servers, ALPHA)
    sources = [source(first, "first"), {"name": "PyPI", "priority": "supplemental"}]
    cli = make_cli(Recipe(packages=[locked(ALPHA)], sources=sources))
    cli.sandbox.stand_in_for_pypi(pypi.index_url.removesuffix("simple/"))
    bundled(cli, cli(*TARGET))
    assert first.requests == []


def test_a_source_that_the_project_does_not_declare(make_cli: MakeCli, servers: ExitStack) -> None:
    private = serve(servers, ALPHA)
    ended = make_cli(Recipe(packages=[from_source(ALPHA, private, "gone")]))(*TARGET)
    assert (ended.code, ended.out) == (2, "")
    assert "'gone'" in ended.err
    assert "[[tool.poetry.source]]" in ended.err
    assert private.requests == []


def test_a_source_that_moved_is_taken_where_it_is_now(
    make_cli: MakeCli, servers: ExitStack
) -> None:
    old, new = serve(servers, ALPHA), serve(servers, ALPHA)
    cli = make_cli(Recipe(packages=[from_source(ALPHA, old)], sources=[source(new)]))
    bundled(cli, cli(*TARGET))
    assert (old.requests, new.downloads()) == ([], [ALPHA.filename])


def test_a_page_of_all_files(make_cli: MakeCli, servers: ExitStack) -> None:
    index = serve(servers, ALPHA, BETA)
    where = {"type": "legacy", "url": index.flat_url, "reference": "flat"}
    cli = make_cli(
        Recipe(
            packages=[locked(ALPHA, source=where), locked(BETA, source=where)],
            sources=[{"name": "flat", "url": index.flat_url}],
        )
    )
    bundled(cli, cli(*TARGET))
    assert {r.path for r in index.requests if not r.path.startswith("/files/")} == {"/flat.html"}


def test_a_source_that_is_no_index_of_the_web() -> None:
    indexes = Indexes(
        pool=RepositoryPool([Repository("local")]),
        limits=DEFAULT_LIMITS,
        cancelled=threading.Event(),
        user_agent="tests",
    )
    with pytest.raises(UsageError, match="'local' is not reached over HTTP"):
        indexes(Source(reference="local"))


# --- what pages look like -------------------------------------------------------------------


@pytest.mark.parametrize("formats", ["html", "json"])
@pytest.mark.parametrize(
    "style",
    [
        PageStyle(relative=True),
        PageStyle(upper_case=True),
        PageStyle(single_quotes=True),
        PageStyle(escape_plus=False),
    ],
)
def test_spellings_of_a_page(
    make_cli: MakeCli, servers: ExitStack, style: PageStyle, formats: str
) -> None:
    index = serve(servers, ALPHA, BETA, style=style, formats=formats)
    sources = [source(index)]
    packages = [from_source(ALPHA, index), from_source(BETA, index)]
    cli = make_cli(Recipe(packages=packages, sources=sources))
    bundled(cli, cli(*TARGET))


def test_files_on_another_host_and_a_prefix(make_cli: MakeCli, servers: ExitStack) -> None:
    index = serve(servers, ALPHA, prefix="/repository/pypi-all", files_host="localhost")
    cli = make_cli(Recipe(packages=[from_source(ALPHA, index)], sources=[source(index)]))
    bundled(cli, cli(*TARGET))
    assert {request.host for request in index.requests} == {index.host, index.files_host}


def test_redirects_are_followed(make_cli: MakeCli, servers: ExitStack) -> None:
    index, moved = serve(servers, ALPHA), serve(servers, ALPHA)
    index.behave("/simple/alpha/", redirect(f"{moved.index_url}alpha/"))
    moved.behave(ALPHA.filename, redirect(f"http://{moved.host}/files/{ALPHA.filename}?x=1", 307))
    cli = make_cli(Recipe(packages=[from_source(ALPHA, index)], sources=[source(index)]))
    bundled(cli, cli(*TARGET))
    assert index.downloads() == []


def test_a_yanked_file_is_used_with_a_warning(make_cli: MakeCli, servers: ExitStack) -> None:
    index = serve(servers)
    index.add(ALPHA.filename, ALPHA.data, yanked="a bad release")
    cli = make_cli(Recipe(packages=[from_source(ALPHA, index)], sources=[source(index)]))
    ended = cli(*TARGET)
    bundled(cli, ended)
    assert f"Warning: {ALPHA.filename} is yanked: a bad release" in ended.err


# --- credentials ----------------------------------------------------------------------------


def test_credentials_from_the_environment(make_cli: MakeCli, servers: ExitStack) -> None:
    index = guarded(servers)
    cli = make_cli(Recipe(packages=[from_source(ALPHA, index)], sources=[source(index)]))
    cli.sandbox.settings["POETRY_HTTP_BASIC_PRIVATE_USERNAME"] = USER
    cli.sandbox.settings["POETRY_HTTP_BASIC_PRIVATE_PASSWORD"] = PASSWORD
    ended = cli(*TARGET, "-vvv")
    bundled(cli, ended)
    assert_nowhere(PASSWORD, cli, ended, cli.process(*TARGET, "-vvv", "--no-cache"))


def test_credentials_from_the_configuration(make_cli: MakeCli, servers: ExitStack) -> None:
    index = guarded(servers)
    cli = make_cli(Recipe(packages=[from_source(ALPHA, index)], sources=[source(index)]))
    auth = f'[http-basic.private]\nusername = "{USER}"\npassword = "{PASSWORD}"\n'
    (cli.sandbox.root / "config" / "auth.toml").write_text(auth, encoding="utf-8")
    ended = cli(*TARGET, "-vvv")
    bundled(cli, ended)
    assert_nowhere(PASSWORD, cli, ended, cli.process(*TARGET, "-vvv", "--no-cache"))


def test_credentials_in_the_url_of_the_source(make_cli: MakeCli, servers: ExitStack) -> None:
    index = guarded(servers)
    url = index.index_url.replace("//", f"//{USER}:p4ss%20w%2Frd%3A%40@")
    package = locked(ALPHA, source={"type": "legacy", "url": url, "reference": "private"})
    cli = make_cli(Recipe(packages=[package], sources=[{"name": "private", "url": url}]))
    ended = cli(*TARGET, "--json")
    sources = bundled(cli, ended)
    assert sources["alpha"]["url"] == index.index_url
    assert_nowhere(
        PASSWORD, cli, ended, cli(*TARGET, "--no-cache"), cli(*TARGET, "--no-cache", "-v")
    )


def test_credentials_do_not_go_to_another_host(make_cli: MakeCli, servers: ExitStack) -> None:
    index = guarded(servers, files_host="localhost")
    cli = make_cli(Recipe(packages=[from_source(ALPHA, index)], sources=[source(index)]))
    cli.sandbox.settings["POETRY_HTTP_BASIC_PRIVATE_USERNAME"] = USER
    cli.sandbox.settings["POETRY_HTTP_BASIC_PRIVATE_PASSWORD"] = PASSWORD
    bundled(cli, cli(*TARGET))
    sent = {request.host: "authorization" in request.headers for request in index.requests}
    assert sent == {index.host: True, index.files_host: False}


@pytest.mark.parametrize("code", [401, 403])
def test_missing_credentials_name_the_source_and_the_way(
    make_cli: MakeCli, servers: ExitStack, code: int
) -> None:
    index = guarded(servers)
    index.behave("/simple/alpha/", status(code), forever=True)
    packages = [from_source(ALPHA, index, "my-own_index")]
    cli = make_cli(Recipe(packages=packages, sources=[source(index, "my-own_index")]))
    ended = cli(*TARGET)
    assert (ended.code, ended.out) == (5, "")
    assert f"my-own_index gives no page for alpha: the server answered {code}" in ended.err
    assert "poetry config http-basic.my-own_index" in ended.err
    assert "POETRY_HTTP_BASIC_MY_OWN_INDEX_USERNAME" in ended.err


def test_the_variables_named_in_the_hint_are_the_ones_that_help(
    make_cli: MakeCli, servers: ExitStack
) -> None:
    index = guarded(servers)
    packages = [from_source(ALPHA, index, "my-own_index")]
    cli = make_cli(Recipe(packages=packages, sources=[source(index, "my-own_index")]))
    cli.sandbox.settings["POETRY_HTTP_BASIC_MY_OWN_INDEX_USERNAME"] = USER
    cli.sandbox.settings["POETRY_HTTP_BASIC_MY_OWN_INDEX_PASSWORD"] = PASSWORD
    bundled(cli, cli(*TARGET))


def test_a_signed_address_is_not_logged(make_cli: MakeCli, servers: ExitStack) -> None:
    index = serve(servers, ALPHA)
    signed = f"http://{index.host}/files/{ALPHA.filename}?X-Signature=s3cret"
    index.behave(ALPHA.filename, redirect(signed))
    cli = make_cli(Recipe(packages=[from_source(ALPHA, index)], sources=[source(index)]))
    ended = cli.process(*TARGET, "-vvv")
    bundled(cli, ended)
    shown = ended.out + ended.err
    assert f"GET /files/{ALPHA.filename}?... HTTP/1.1" in shown
    assert "s3cret" not in shown
