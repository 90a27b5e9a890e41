"""Standalone scripts, joined from modules of this package.

They travel to machines where nothing of ours is installed, so that each has to be one file. This
module itself does not travel.
"""

from __future__ import annotations

import ast
import re
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PACKAGE = "wheeltarget.runtime"
_INTERPRETER = ("basics", "elf", "linux", "platforms", "interpreter")


def probe_text() -> str:
    """The script that describes the interpreter that runs it, for Python 3.6 and newer."""
    return assembled((*_INTERPRETER, "probe"))


def main_text() -> str:
    """``__main__.py`` of a bundle: it checks, lists and installs the bundle that it is in."""
    return assembled(
        (
            "opening",
            *_INTERPRETER,
            *("speech", "contents", "records", "archive", "container", "fitting", "integrity"),
            *("wheelfile", "launchers", "journal", "placing", "pip", "environment"),
            *("installing", "main"),
        )
    )


def assembled(modules: Sequence[str]) -> str:
    """Modules of this package as one script, in the order in which they need each other.

    It begins with the docstring of the last one. Imports of the standard library are gathered, but
    for those of a first module ``opening``, which shall run before any other.
    """
    sources = {name: _source(name) for name in modules}
    trees = {name: ast.parse(source) for name, source in sources.items()}
    opening = [_body(sources[name], trees[name]) for name in modules if name == "opening"]
    rest = [name for name in modules if name != "opening"]
    parts = [
        _docstring(sources[modules[-1]], trees[modules[-1]]),
        *opening,
        _imports(trees[name] for name in rest),
        *(f"{_rule(name)}\n\n{_body(sources[name], trees[name], drop=True)}" for name in rest),
    ]
    joined = "\n\n".join(part.strip("\n") + "\n" for part in parts)
    return re.sub("\n{4,}", "\n\n\n", joined)


def _source(name: str) -> str:
    return files(_PACKAGE).joinpath(f"{name}.py").read_text(encoding="utf-8")


def _rule(name: str) -> str:
    return f"# === {name} ".ljust(100, "=")


def _docstring(source: str, tree: ast.Module) -> str:
    return "\n".join(source.splitlines()[: tree.body[0].end_lineno])


def _imports(trees: Iterable[ast.Module]) -> str:
    """What modules import of the standard library, each name once, as lines."""
    plain: set[str] = set()
    members: dict[str, set[str]] = {}
    for node in (node for tree in trees for node in tree.body):
        if isinstance(node, ast.Import):
            plain |= {f"import {alias.name}\n" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not _is_ours(node):
            members.setdefault(node.module or "", set()).update(a.name for a in node.names)
    froms = [f"from {name} import {', '.join(sorted(of))}\n" for name, of in members.items()]
    return "".join([*sorted(plain), *sorted(froms)])


def _is_ours(node: ast.ImportFrom) -> bool:
    return (node.module or "").startswith(_PACKAGE)


def _body(source: str, tree: ast.Module, *, drop: bool = False) -> str:
    """A module's text without its docstring and, if ``drop`` says so, its imports."""
    lines: list[str | None] = list(source.splitlines())
    for index, node in enumerate(tree.body):
        if index == 0 or (drop and isinstance(node, (ast.Import, ast.ImportFrom))):
            lines[node.lineno - 1 : node.end_lineno] = [None] * _height(node)
    return "\n".join(line for line in lines if line is not None).strip("\n")


def _height(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1
