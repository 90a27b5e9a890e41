"""What tests of the whole plugin have in common: a sandbox, a project's CLI, an index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from plugin.harness import Cli, MakeCli, Sandbox
from support.index import IndexServer


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """Poetry's own folders, empty."""
    return Sandbox.below(tmp_path / "sandbox")


@pytest.fixture
def make_cli(tmp_path: Path, sandbox: Sandbox) -> MakeCli:
    """Make a project and the CLI to run in it."""
    return lambda recipe: Cli(recipe.write(tmp_path / "project"), sandbox)


@pytest.fixture
def index() -> Iterator[IndexServer]:
    """An empty index that listens on the loopback address."""
    with IndexServer() as server:
        yield server
