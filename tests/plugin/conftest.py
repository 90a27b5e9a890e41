"""What tests of the plugin alone have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from plugin.harness import Sandbox
from plugin.locking import Shop, Work
from support.index import IndexServer


@pytest.fixture
def servers() -> Iterator[ExitStack]:
    """Where a test's own servers are entered."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def shop(index: IndexServer) -> Shop:
    """What the index offers."""
    return Shop(index)


@pytest.fixture
def work(tmp_path: Path, sandbox: Sandbox, index: IndexServer) -> Work:
    """A project that takes its packages from the index."""
    return Work(tmp_path / "project", sandbox, index)
