"""Projects in every form that Poetry reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from plugin.harness import Cli
from plugin.projectmaker import LOCK, PYPROJECT, Locked, Recipe, content_hash, stub, write_toml

if TYPE_CHECKING:
    from plugin.harness import Outcome, Sandbox

ALPHA = stub("alpha", "py3-none-any")
UNPACKAGED = {"poetry": {"package-mode": False}}


def check(
    tmp_path: Path, sandbox: Sandbox, pyproject: dict[str, Any], *packages: Locked, args: str = ""
) -> Outcome:
    write_toml(tmp_path / PYPROJECT, pyproject)
    lock = Recipe(packages=packages).lock(content_hash(tmp_path, pyproject))
    write_toml(tmp_path / LOCK, lock)
    return Cli(tmp_path, sandbox)("-t", "win32", *args.split(), "--check", "--json")


def test_a_table_of_poetry_alone(tmp_path: Path, sandbox: Sandbox) -> None:
    poetry = {
        "name": "Old.Style",
        "version": "1!2.0+x",
        "description": "",
        "authors": ["x <x@example.org>"],
        "dependencies": {"python": "~3.9", "alpha": {"version": "*", "optional": True}},
        "extras": {"Some_Extra": ["alpha"]},
        "dev-dependencies": {"beta": "*"},
    }
    alpha = stub("alpha", "py3-none-any", markers='extra == "some-extra"')
    beta = stub("beta", "py3-none-any", groups=["dev"])
    args = "-E some-extra --with dev"
    ended = check(tmp_path, sandbox, {"tool": {"poetry": poetry}}, alpha, beta, args=args)
    assert (ended.code, ended.packages) == (0, ["alpha", "beta", "old-style"])
    assert ended.targets == ["cp39-win32"]
    assert ended.document["project"] == {"name": "old-style", "version": "1!2.0+x"}


def test_a_project_without_a_name(tmp_path: Path, sandbox: Sandbox) -> None:
    dependencies = {"python": ">=3.9,<3.10", "alpha": "*"}
    pyproject = {"tool": {"poetry": {"package-mode": False, "dependencies": dependencies}}}
    ended = check(tmp_path, sandbox, pyproject, ALPHA)
    assert (ended.code, ended.packages) == (0, ["alpha"])


def test_dynamic_fields(tmp_path: Path, sandbox: Sandbox) -> None:
    project = {"name": "dyn", "requires-python": ">=3.9,<3.10", "dynamic": ["version"]}
    poetry = {"version": "3.0", "package-mode": False, "dependencies": {"alpha": "*"}}
    pyproject = {"project": project, "tool": {"poetry": poetry}}
    ended = check(tmp_path, sandbox, pyproject, ALPHA)
    assert ended.code == 0
    assert ended.document["project"] == {"name": "dyn", "version": "3.0"}


@pytest.mark.parametrize(("packages", "names"), [((ALPHA,), ["alpha"]), ((), [])])
def test_any_python_and_few_packages(
    tmp_path: Path, sandbox: Sandbox, packages: tuple[Locked, ...], names: list[str]
) -> None:
    pyproject = {"project": {"name": "small", "version": "1"}, "tool": UNPACKAGED}
    ended = check(tmp_path, sandbox, pyproject, *packages, args="--python 3.14")
    assert (ended.code, ended.packages, ended.targets) == (0, names, ["cp314-win32"])
