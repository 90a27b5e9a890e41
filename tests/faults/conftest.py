"""What this machine knows of networks must not reach these tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults.rig import Rig, plain_network
from support.index import IndexServer


@pytest.fixture(autouse=True)
def _plain_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plain_network(monkeypatch, tmp_path)


@pytest.fixture
def rig(tmp_path: Path, index: IndexServer) -> Rig:
    """Poetry's pool with the index as PyPI, a cache, and a place for bundles."""
    return Rig(tmp_path, index)
