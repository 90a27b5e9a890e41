"""What a wheel's archive says of itself."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wheeltarget.io.cache import Stored


def unpacked_size(stored: Stored) -> int:
    """The size in bytes of all files in a wheel, as its central directory gives it.

    Raises ValueError where the file is not a zip archive.
    """
    try:
        with zipfile.ZipFile(stored.path) as archive:
            return sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, RuntimeError) as error:  # the latter for features it lacks
        raise ValueError(f"it is not a zip archive that can be read: {error}") from error
