"""The scripts that travel: one file each, joined from modules."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from wheeltarget.runtime.assembly import main_text, probe_text

SCRIPTS = pytest.mark.parametrize("text", [main_text, probe_text])


def defined(tree: ast.Module) -> Iterator[str]:
    """The names that a script gives at its top level, each as often as it does so."""
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                for target in targets:
                    yield from (n.id for n in ast.walk(target) if isinstance(n, ast.Name))
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from (each.asname or each.name for each in names)


def imported(tree: ast.Module) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
        elif isinstance(node, ast.Import):
            found += [each.name for each in node.names]
    return found


@SCRIPTS
def test_no_module_takes_a_name_of_another(text: Callable[[], str]) -> None:
    names = Counter(defined(ast.parse(text())))
    # The opening imports for itself, since it runs before all others.
    assert {name for name, count in names.items() if count > 1} <= {"sys"}
    assert "own_platforms" in names


@SCRIPTS
def test_it_imports_nothing_of_ours(text: Callable[[], str]) -> None:
    modules = imported(ast.parse(text()))
    assert {"os", "sys"} <= set(modules)
    assert [name for name in modules if name.startswith(("wheeltarget", "__future__"))] == []


@SCRIPTS
def test_it_is_made_of_plain_lines(text: Callable[[], str]) -> None:
    assert text().isascii()
    assert text() == text()
    lines = text().split("\n")
    assert [line for line in lines if line != line.rstrip() or len(line) > 100] == []
    assert text().startswith('"""')
    assert text().endswith(")\n")
    assert "\n\n\n\n" not in text()


def test_each_says_what_it_is() -> None:
    assert (ast.get_docstring(ast.parse(probe_text())) or "").startswith("Describe the Python")
    assert (ast.get_docstring(ast.parse(main_text())) or "").startswith("Check, list or install")


def test_the_opening_comes_first() -> None:
    text = main_text()
    assert text.index("del sys.path[0]") < text.index("import argparse")
    assert "del sys.path[0]" not in probe_text()
