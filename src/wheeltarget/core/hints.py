"""What to write instead of a target that cannot be read."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from wheeltarget.core.platforms import ARCHITECTURES, EXAMPLE_TAGS, read_platform_tag
from wheeltarget.core.presets import presets
from wheeltarget.core.suggest import closest, offer

if TYPE_CHECKING:
    from collections.abc import Collection

#: One of each kind, for examples: together every architecture is of one of them.
_OPEN_PLATFORMS = (
    "manylinux_2_28",
    "musllinux_1_2",
    "macosx_11_0",
    "ios_13_0",
    "android_24",
    "pyodide_2025_0",
    "win",
)


def a_platform(arch: str) -> str:
    """A platform without its architecture that there is for a known one: ``macosx_11_0``."""
    known = ((name, read_platform_tag(f"{name}_{arch}")) for name in _OPEN_PLATFORMS)
    return next(name for name, of in known if of is not None and arch in ARCHITECTURES[of.kind])


def an_architecture(open_platform: str) -> str:
    """An architecture that such a platform has."""
    known = (read_platform_tag(f"{open_platform}_{arch}") for arch in ("x86_64", "amd64"))
    platform = next(platform for platform in known if platform is not None)
    return ARCHITECTURES[platform.kind][0]


#: So many names are suggested at most.
_SUGGESTED = 3


def suggestion(word: str, names: Collection[str]) -> str:
    """What of any kind has a name that is close to one that nothing has, after a semicolon.

    ``names`` are the declared targets.
    """
    kinds = {
        **dict.fromkeys(names, "declared"),
        **{name: "a preset" for name in presets() if name not in names},
        **dict.fromkeys(EXAMPLE_TAGS, "a tag"),
    }
    lower = word.lower()
    # What one vendor calls arm64 is aarch64 to another.
    renamed = [
        lower.replace(one, other)
        for one, other in (("aarch64", "arm64"), ("arm64", "aarch64"), ("amd64", "x86_64"))
        if one in lower
    ]
    begun = [name for name in kinds if name.startswith(lower)]
    # A word such as "lambda" is in many names; a digit or two would be, too.
    within = [name for name in kinds if len(lower) > 3 and lower in name]
    renamed = [name for name in renamed if name in kinds]
    found = dict.fromkeys([*renamed, *begun, *within, *closest(word, kinds)])
    hint = offer([f"{name!r} ({kinds[name]})" for name in islice(found, _SUGGESTED)])
    listed = [name for name in kinds if lower in name.lower() and kinds[name] != "a tag"]
    if (begun or within) and len(listed) > _SUGGESTED:
        return f"{hint} `poetry wheeltarget list {lower}` shows all {len(listed)}"
    return hint or "; `poetry wheeltarget list` shows declared targets and presets"
