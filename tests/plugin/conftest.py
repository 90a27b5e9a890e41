"""What tests of the plugin alone have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest


@pytest.fixture
def servers() -> Iterator[ExitStack]:
    """Where a test's own servers are entered."""
    with ExitStack() as stack:
        yield stack
