"""Where a target contradicts what is known of the preset that it extends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheeltarget.core.platforms import read_platform_tag, version_of
from wheeltarget.core.sizes import human_size
from wheeltarget.core.target import default_abis, environment_of, own_abis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheeltarget.core.platforms import Platform
    from wheeltarget.core.presets import Preset
    from wheeltarget.core.target import Target


def contradictions(
    target: Target, preset: Preset, *, max_unpacked_size: int | None
) -> Iterator[str]:
    """Each as a phrase that follows the target's name.

    Less than the preset has is none: a bundle for an older C library runs on a newer one.
    """
    known = preset.platform
    newest = _newest(target, known)
    if newest is None:
        yield f"is for {_place(target.primary)}, but the runtime is {_place(known)}"
    elif version_of(newest) > version_of(known) or (newest != known and not known.ordered):
        yield (
            f"takes wheels for {newest.release}, but the runtime has {known.version_text}: they "
            "would deploy, and fail at import"
        )
    if newest is not None:
        yield from _other_markers(target, preset)
    if preset.python is not None:
        yield from _other_interpreter(target, preset)
    limit = preset.max_unpacked_size
    if limit is not None and (max_unpacked_size or limit) > limit:
        yield (
            f"allows {_exact(max_unpacked_size or limit)} unpacked, but the runtime takes "
            f"{_exact(limit)}"
        )


def _newest(target: Target, known: Platform) -> Platform | None:
    """The newest platform of the preset's kind and architecture that the target takes."""
    rungs = [read_platform_tag(tag) for tag in target.platforms]
    same = [rung for rung in rungs if rung and (rung.kind, rung.arch) == (known.kind, known.arch)]
    return max(same, key=version_of, default=None)


def _place(platform: Platform) -> str:
    return f"{platform.release} on {platform.arch}"


def _exact(size: int) -> str:
    return f"{human_size(size)} ({size} bytes)"


def _other_markers(target: Target, preset: Preset) -> Iterator[str]:
    known = preset.platform.marker_values()
    # Another interpreter is told apart below, not by every marker that follows from it.
    same = preset.python is not None and target.python[:2] == preset.python[:2]
    if preset.python is not None and same and target.implementation == "cp":
        known = environment_of("cp", preset.python, preset.platform)
    for name, value in known.items():
        own = target.environment.get(name)
        if own != value:
            yield f"says that {name} is {own!r}, but on the runtime it is {value!r}"


def _other_interpreter(target: Target, preset: Preset) -> Iterator[str]:
    assert preset.python is not None
    if target.python[:2] != preset.python[:2]:
        yield f"is for Python {target.python}, but the runtime has {preset.python}"
    elif own_abis(target.abis) != default_abis("cp", preset.python):
        yield f"has ABI {', '.join(target.abis)}, but the runtime is a usual CPython"
