"""The text members of a bundle, in the order that the contract fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheeltarget.core.manifest import (
    MAIN_NAME,
    MANIFEST_NAME,
    manifest_text,
    requirements_name,
    requirements_text,
)
from wheeltarget.core.pylock import pylock_names, pylock_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheeltarget.core.manifest import Contents


def text_members(contents: Contents, main: str) -> Mapping[str, str]:
    """Name and text of each member before the wheels; ``main`` is the text of ``__main__.py``.

    A bundle of an installed tree has no lock of PEP 751, since it has no wheel to name there.
    """
    files = {requirements_name(contents, p): requirements_text(p) for p in contents.parts}
    pylocks = pylock_names(contents) if contents.layout == "wheelhouse" else ()
    for name, part in zip(pylocks, contents.parts, strict=bool(pylocks)):
        files[name] = pylock_text(contents, part)
    files[MAIN_NAME] = main
    return {MANIFEST_NAME: manifest_text(contents, files, pylocks), **files}
