"""The real projects in ``tests/data/projects`` and their locks."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

PROJECTS = Path(__file__).parent.parent / "data" / "projects"
#: Projects with a lock of version 2.1, which has groups and markers of its own.
MODERN = ("data-service", "legacy-glibc", "markers", "small-api")


def parsed_lock(project: str) -> dict[str, Any]:
    """Parse the lock of a project by name."""
    # Chosen at run time: what a type checker finds of the two depends on the Python it assumes.
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    text = (PROJECTS / project / "poetry.lock").read_text(encoding="utf-8")
    lock: dict[str, Any] = toml.loads(text)
    return lock
