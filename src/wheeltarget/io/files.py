"""Files that a user names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheeltarget.core.sizes import human_size

if TYPE_CHECKING:
    from pathlib import Path


def read_capped(path: Path, limit: int) -> bytes:
    """The content of a file of at most ``limit`` bytes. Raises OSError, or ValueError."""
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"is larger than {human_size(limit)}")
    return data
