"""Dependencies point one way: plugin -> bundle -> {io, core}; io -> core; core -> nothing of ours.

plugin and bundle also take what travels from runtime, which imports nothing of ours.

Read from the source with ``ast``, so that imports in functions and for type checkers count too.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

import wheeltarget

PACKAGE = "wheeltarget"
ROOT = Path(wheeltarget.__file__).parent
MODULES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))

#: Room -> the rooms of ours that it may import. ``""`` is the package itself.
OURS = {
    "": set[str](),
    "core": {"core"},
    "io": {"io", "core"},
    # A bundle carries the script that checks and installs it.
    "bundle": {"bundle", "io", "core", "runtime"},
    "plugin": {"plugin", "bundle", "io", "core", "runtime"},
    "runtime": {"runtime"},
}
#: Room -> what it may import besides the standard library and ours; ``x`` allows ``x.y`` as well.
OTHERS = {
    "": set[str](),
    # Locks write what a package needs in Poetry's own notation of versions.
    "core": {"packaging", "poetry.core.version.markers", "poetry.core.constraints.version"},
    # The last two are of the extra "sbom".
    "io": {"packaging", "build", "installer", "cyclonedx", "packageurl"},
    "bundle": {"packaging"},
    "plugin": {"packaging", "poetry", "cleo", "requests", "urllib3", "dulwich"},
    # PEP 600: who builds a Python can say in a module of this name which wheels it takes.
    "runtime": {"_manylinux"},
}
#: What of the standard library would let the host, the clock or a file into the core.
IMPURE = {
    *("datetime", "glob", "os", "pathlib", "platform", "random", "secrets", "shutil", "socket"),
    *("ssl", "subprocess", "sysconfig", "tempfile", "time", "urllib.request"),
}


def room_of(module: str) -> str:
    """``core`` for ``wheeltarget.core.plan`` or ``core/plan.py``, ``""`` for the package itself."""
    parts = module.removesuffix(".py").replace("/", ".").removeprefix(f"{PACKAGE}.").split(".")
    return "" if parts[0] in {PACKAGE, "__init__"} else parts[0]


def imports(source: str) -> Iterator[str]:
    """Every module that a source imports, as ``package.module`` or ``package.module.name``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where a module comes from"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _name(node.func) in {"import_module", "__import__"}:
            (module,) = node.args[:1]
            yield str(ast.literal_eval(module))


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def trespasses(room: str, source: str) -> list[str]:
    """The imports of a source that a module of the room may not make."""
    return [imported for imported in imports(source) if not _allowed(room, imported)]


def _allowed(room: str, imported: str) -> bool:
    top = imported.partition(".")[0]
    if top == PACKAGE:
        return room_of(imported) in OURS[room]
    if top in sys.stdlib_module_names:
        return room != "core" or IMPURE.isdisjoint({top, imported, imported.rpartition(".")[0]})
    return any(imported == known or imported.startswith(f"{known}.") for known in OTHERS[room])


def test_the_rooms_are_all_known() -> None:
    assert {room_of(module) for module in MODULES} <= OURS.keys()
    assert {"core", "io", "bundle", "plugin"} <= {room_of(module) for module in MODULES}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_room_may(module: str) -> None:
    source = (ROOT / module).read_text(encoding="utf-8")
    assert trespasses(room_of(module), source) == []


@pytest.mark.parametrize(
    ("room", "source", "found"),
    [
        ("core", "import requests", ["requests"]),
        ("core", "from pathlib import Path", ["pathlib.Path"]),
        ("core", "import urllib.parse", []),
        ("core", "from urllib.request import urlopen", ["urllib.request.urlopen"]),
        ("core", "from poetry.core.packages.package import Package", None),
        ("core", "from poetry.core.version.markers import parse_marker", []),
        ("core", "from poetry.core.constraints.version import parse_constraint", []),
        ("core", "from poetry.core.constraints.generic import parse_constraint", None),
        ("core", "import packaging.tags, json", []),
        ("core", "from wheeltarget.io.cache import Cache", None),
        ("core", "def f():\n    from wheeltarget import bundle", None),
        ("io", "if TYPE_CHECKING:\n    from wheeltarget.bundle import Request", None),
        ("io", "from poetry.core.version.markers import parse_marker", None),
        ("bundle", "import importlib\nimportlib.import_module('wheeltarget.plugin.sources')", None),
        ("bundle", "from cleo.io.io import IO", None),
        ("plugin", "from wheeltarget.bundle import Request\nimport requests", []),
        ("runtime", "from wheeltarget.core.model import Lock", None),
    ],
)
def test_a_trespass_is_found(room: str, source: str, found: list[str] | None) -> None:
    trespassing = trespasses(room, dedent(source))
    assert trespassing == found if found is not None else trespassing


def test_relative_imports_are_refused() -> None:
    with pytest.raises(AssertionError, match="relative"):
        list(imports("from . import core"))
