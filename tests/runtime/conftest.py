"""Fixtures of the tests of what travels."""

from __future__ import annotations

import pytest

from runtime.bundlerig import Run


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs commands of a bundle."""
    return Run(capsys)
