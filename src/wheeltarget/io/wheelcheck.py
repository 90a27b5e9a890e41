"""What a wheel's archive says of itself."""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING

from wheeltarget.core.limits import DEFAULT_LIMITS
from wheeltarget.core.metadata import MetadataError

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


#: What zipfile raises for archives that are damaged, or packed in ways that it does not know.
UNREADABLE = (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError)


def metadata_name(archive: zipfile.ZipFile) -> str:
    """The name of the METADATA of a wheel. Raises MetadataError."""
    # A package may bring others, with a METADATA of their own further down.
    end = ".dist-info/METADATA"
    names = [n for n in archive.namelist() if n.endswith(end) and n.count("/") == 1]
    if len(names) != 1:
        raise MetadataError("it has no single METADATA")
    return names[0]


def metadata_text(stored: Stored) -> str | None:
    """The METADATA of a wheel; None where it has none that can be read.

    A character that is not UTF-8 is replaced: old wheels have such in their descriptions.
    """
    try:
        with zipfile.ZipFile(stored.path) as archive:
            name = metadata_name(archive)
            if archive.getinfo(name).file_size > DEFAULT_LIMITS.metadata_size:
                return None
            return archive.read(name).decode(errors="replace")
    except (*UNREADABLE, MetadataError):
        return None
