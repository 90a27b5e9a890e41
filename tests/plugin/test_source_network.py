"""Sources behind TLS with certificates on both sides, and behind a proxy."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
import requests

from plugin.projectmaker import Recipe, locked
from plugin.sourcing import (
    ALPHA,
    BETA,
    TARGET,
    assert_nowhere,
    bundled,
    configure,
    failed,
    from_source,
    guarded,
    serve,
    source,
    told,
)
from support.behaviours import status
from support.index import IndexServer, PageStyle
from support.proxy import ProxyServer
from support.tls import CERTIFICATE, speak_tls
from wheeltarget.io.fetch import FetchError
from wheeltarget.plugin.sources import translated

if TYPE_CHECKING:
    from plugin.harness import Cli, MakeCli

HOST = "packages.invalid"
PROXY_USER, PROXY_PASSWORD = "gate", "s3sam3+0pen"
USERINFO = f"{PROXY_USER}:{PROXY_PASSWORD}"


def private(make_cli: MakeCli, url: str) -> Cli:
    """A project with ALPHA from the source at a URL."""
    where = {"type": "legacy", "url": url.rstrip("/"), "reference": "private"}
    packages = [locked(ALPHA, source=where)]
    return make_cli(Recipe(packages=packages, sources=[{"name": "private", "url": url}]))


# --- certificates ---------------------------------------------------------------------------


@pytest.fixture
def index(servers: ExitStack) -> IndexServer:
    """An index with links that keep the scheme of the page."""
    return serve(servers, ALPHA, style=PageStyle(relative=True))


def certificates(**more: Any) -> dict[str, Any]:
    return {"certificates": {"private": {"cert": str(CERTIFICATE), **more}}}


@pytest.mark.parametrize("way", ["environment", "poetry.toml", "config.toml"])
def test_a_server_that_asks_for_a_certificate(
    make_cli: MakeCli, index: IndexServer, way: str
) -> None:
    cli = private(make_cli, speak_tls(index, mutual=True))
    configure(cli, way, certificates(**{"client-cert": str(CERTIFICATE)}))
    bundled(cli, cli(*TARGET))
    assert index.downloads() == [ALPHA.filename]


@pytest.mark.parametrize("kind", ["transparent", "legacy"])
def test_a_mirror_of_pypi_that_asks_for_a_certificate(
    make_cli: MakeCli, index: IndexServer, kind: str
) -> None:
    cli = make_cli(Recipe(packages=[locked(ALPHA)]))
    url = speak_tls(index, mutual=True).removesuffix("simple/")
    cli.sandbox.stand_in_for_pypi(url, kind)
    both = {"cert": str(CERTIFICATE), "client-cert": str(CERTIFICATE)}
    configure(cli, "environment", {"certificates": {"PyPI": both}})
    bundled(cli, cli(*TARGET))


def test_a_server_that_asks_for_a_certificate_in_vain(
    make_cli: MakeCli, index: IndexServer
) -> None:
    cli = private(make_cli, speak_tls(index, mutual=True))
    configure(cli, "environment", certificates())
    said = failed(cli, cli(*TARGET), 5)
    assert "the index private gives no page for alpha: TLS with 127.0.0.1 failed: " in said
    assert "poetry config certificates.private.client-cert" in said
    assert "attempts" not in said
    assert index.requests == []


def test_a_server_that_asks_for_a_certificate_by_its_answer(
    make_cli: MakeCli, index: IndexServer
) -> None:
    index.behave("/simple/alpha/", status(400), forever=True)
    cli = private(make_cli, speak_tls(index))
    configure(cli, "environment", certificates())
    said = failed(cli, cli(*TARGET), 5)
    assert "the server answered 400" in said
    assert "poetry config certificates.private.client-cert" in said


def test_a_client_certificate_that_is_missing_is_named(
    make_cli: MakeCli, index: IndexServer
) -> None:
    cli = private(make_cli, speak_tls(index, mutual=True))
    configure(cli, "poetry.toml", certificates(**{"client-cert": str(cli.project / "me.pem")}))
    said = failed(cli, cli(*TARGET), 5)
    assert "TLS with 127.0.0.1 cannot be set up" in said
    assert "me.pem" in said
    assert index.requests == []


def test_an_unknown_certificate_says_how_to_trust_it(make_cli: MakeCli, index: IndexServer) -> None:
    said = failed(cli := private(make_cli, speak_tls(index)), cli(*TARGET), 5)
    assert "poetry config certificates.private.cert" in said
    assert index.requests == []


def test_a_certificate_that_shall_not_be_checked(make_cli: MakeCli, index: IndexServer) -> None:
    cli = private(make_cli, speak_tls(index))
    configure(cli, "poetry.toml", {"certificates": {"private": {"cert": False}}})
    bundled(cli, cli.process(*TARGET))


# --- proxies --------------------------------------------------------------------------------


def behind(servers: ExitStack, index: IndexServer, **more: Any) -> ProxyServer:
    """A proxy that leads to the index, whatever the host."""
    return servers.enter_context(ProxyServer(index.host, **more))


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_is_asked_for_pages_and_files(
    make_cli: MakeCli, servers: ExitStack, index: IndexServer, name: str
) -> None:
    proxy = behind(servers, index)
    cli = private(make_cli, f"http://{HOST}/simple/")
    cli.sandbox.settings[name] = f"http://{proxy.host}"
    bundled(cli, cli(*TARGET))
    assert proxy.asked == [
        f"GET http://{HOST}/simple/alpha/",
        f"GET http://{HOST}/files/{ALPHA.filename}",
    ]


def test_a_tunnel_through_a_proxy(
    make_cli: MakeCli, servers: ExitStack, index: IndexServer
) -> None:
    proxy = behind(servers, index, userinfo=USERINFO)
    cli = private(make_cli, speak_tls(index))
    configure(cli, "environment", certificates())
    cli.sandbox.settings["HTTPS_PROXY"] = f"http://{USERINFO}@{proxy.host}"
    ended = cli(*TARGET, "-vvv")
    bundled(cli, ended)
    assert set(proxy.asked) == {f"CONNECT {index.host}"}
    assert told(index) == set()
    assert_nowhere(PROXY_PASSWORD, cli, ended, user=PROXY_USER)


def test_hosts_that_need_no_proxy(make_cli: MakeCli, servers: ExitStack) -> None:
    inside, outside = serve(servers, ALPHA), serve(servers, BETA, style=PageStyle(relative=True))
    proxy = behind(servers, outside)
    where = {"type": "legacy", "url": f"http://{HOST}/simple", "reference": "outside"}
    cli = make_cli(
        Recipe(
            packages=[from_source(ALPHA, inside), locked(BETA, source=where)],
            sources=[source(inside), {"name": "outside", "url": f"http://{HOST}/simple/"}],
        )
    )
    cli.sandbox.settings.update(HTTP_PROXY=f"http://{proxy.host}", NO_PROXY="127.0.0.1")
    bundled(cli, cli(*TARGET))
    assert {asked.split("/")[2] for asked in proxy.asked} == {HOST}
    assert inside.downloads() == [ALPHA.filename]


def test_credentials_of_proxy_and_index_do_not_mix(make_cli: MakeCli, servers: ExitStack) -> None:
    index = guarded(servers, style=PageStyle(relative=True), password="1ndex")
    proxy = behind(servers, index, userinfo=USERINFO)
    cli = private(make_cli, f"http://{HOST}/simple/")
    basic = {"private": {"username": "someone", "password": "1ndex"}}
    configure(cli, "environment", {"http-basic": basic})
    cli.sandbox.settings["HTTP_PROXY"] = f"http://{USERINFO}@{proxy.host}"
    ended = cli.process(*TARGET, "-vvv")
    bundled(cli, ended)
    assert not [each for each in index.requests if "proxy-authorization" in each.headers]
    assert_nowhere(PROXY_PASSWORD, cli, ended, user=PROXY_USER)
    assert_nowhere("1ndex", cli, ended)


def test_the_address_of_a_proxy_that_is_none(make_cli: MakeCli) -> None:
    cli = private(make_cli, f"http://{HOST}/simple/")
    cli.sandbox.settings["HTTP_PROXY"] = f"http://{USERINFO}@/"
    ended = cli(*TARGET, "-vvv")
    said = failed(cli, ended, 5)
    assert "gives no page for alpha: the address of the proxy cannot be used" in said
    assert "HTTP_PROXY" in said
    assert_nowhere(PROXY_PASSWORD, cli, ended, user=PROXY_USER)


def test_a_kind_of_proxy_that_needs_a_package_more() -> None:
    with pytest.raises(FetchError, match="the address of the proxy"), translated("http://x/"):
        raise requests.exceptions.InvalidSchema("Missing dependencies for SOCKS support.")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_asks_for_credentials(
    make_cli: MakeCli, servers: ExitStack, index: IndexServer, scheme: str
) -> None:
    proxy = behind(servers, index, userinfo=USERINFO)
    cli = private(make_cli, f"{scheme}://{HOST}/simple/")
    cli.sandbox.settings[f"{scheme}_proxy"] = f"http://wrong:{PROXY_PASSWORD}@{proxy.host}"
    ended = cli(*TARGET, "-vvv")
    said = failed(cli, ended, 5)
    assert "the index private gives no page for alpha" in said
    assert "answered 407" in said
    assert "The proxy asks for credentials; write them into HTTP_PROXY or HTTPS_PROXY" in said
    assert (len(proxy.asked), index.requests) == (1, [])
    assert_nowhere(PROXY_PASSWORD, cli, ended, user="wrong")
