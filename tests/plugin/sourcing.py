"""Indexes as sources of a project, wheels locked from them, and what came of it."""

from __future__ import annotations

import base64
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from plugin.projectmaker import Locked, Recipe, locked, write_toml
from support.index import IndexServer
from support.wheels import BuiltWheel, build_wheel

if TYPE_CHECKING:
    from plugin.harness import Cli, MakeCli, Outcome

ALPHA = build_wheel("alpha", "1.0")
BETA = build_wheel("Beta_X", "2.0+local.1", tag="cp311-cp311-win_amd64", build="1")
TARGET = ("-t", "cp311,win_amd64", "-o", "b.zip")
USER, PASSWORD = "someone", "p4ss w/rd:@"


def serve(servers: ExitStack, *wheels: BuiltWheel, **more: Any) -> IndexServer:
    """An index that listens until the test ends."""
    index = servers.enter_context(IndexServer(**more))
    for wheel in wheels:
        index.add(wheel.filename, wheel.data)
    return index


def guarded(servers: ExitStack, **more: Any) -> IndexServer:
    """An index with ALPHA that asks for a password."""
    return serve(servers, ALPHA, **{"username": USER, "password": PASSWORD, **more})


def source(index: IndexServer, name: str = "private", **more: str) -> dict[str, str]:
    """The index as a source of the project."""
    return {"name": name, "url": index.index_url, **more}


def from_source(wheel: BuiltWheel, index: IndexServer, name: str = "private") -> Locked:
    """A package as Poetry locks it from a source of the project."""
    where = {"type": "legacy", "url": index.index_url.rstrip("/"), "reference": name}
    return locked(wheel, source=where)


def project_on(
    make_cli: MakeCli, index: IndexServer, wheel: BuiltWheel = ALPHA, name: str = "private"
) -> Cli:
    """A project with one wheel of one source."""
    packages = [from_source(wheel, index, name)]
    return make_cli(Recipe(packages=packages, sources=[source(index, name)]))


def configure(cli: Cli, way: str, settings: Mapping[str, Any]) -> None:
    """Tell Poetry settings, which are nested tables, in one of the ways in which it takes them."""
    if way == "environment":
        cli.sandbox.settings.update(_variables("POETRY", settings))
    elif way == "poetry.toml":
        write_toml(cli.project / way, settings)
    else:
        write_toml(cli.sandbox.root / "config" / way, settings)


def _variables(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, Mapping):
        yield prefix, str(value).lower() if isinstance(value, bool) else str(value)
        return
    for key, inner in value.items():
        yield from _variables(f"{prefix}_{key.upper().replace('-', '_')}", inner)


def bundled(cli: Cli, ended: Outcome) -> dict[str, Any]:
    """The sources in the manifest by package, after a run that went well."""
    assert ended.code == 0, ended.err
    with zipfile.ZipFile(cli.project / "b.zip") as bundle:
        manifest = json.loads(bundle.read("manifest.json"))
        for package in manifest["packages"]:
            assert f"wheels/{package['file']}" in bundle.namelist()
    return {package["name"]: package["source"] for package in manifest["packages"]}


def failed(cli: Cli, ended: Outcome, code: int) -> str:
    """What the user reads, on one line, after a run that failed as it should."""
    assert (ended.code, ended.out) == (code, ""), ended.err
    assert "Traceback" not in ended.err
    assert not (cli.project / "b.zip").exists()
    return " ".join(ended.err.split())


def told(*indexes: IndexServer) -> set[str]:
    """The hosts that were sent credentials."""
    return {
        request.host
        for index in indexes
        for request in index.requests
        if {"authorization", "proxy-authorization"} & set(request.headers)
    }


def assert_nowhere(secret: str, cli: Cli, *outcomes: Outcome, user: str = USER) -> None:
    """The secret is in nothing that was printed or written, in no usual spelling."""
    basic = base64.b64encode(f"{user}:{secret}".encode()).decode()
    spellings = {secret, quote(secret), quote(secret, safe=""), basic}
    spellings.add(secret.partition(" ")[0])
    shown = "".join(ended.out + ended.err for ended in outcomes)
    assert [text for text in spellings if text in shown] == []
    for folder in (cli.sandbox.cache, cli.project / "b.zip", cli.sandbox.temporary):
        for path in [folder, *folder.rglob("*")]:
            data = path.read_bytes() if path.is_file() else b""
            found = [text for text in spellings if text in path.name or text.encode() in data]
            assert found == [], path
