"""The target that a bundle is for, as its manifest has it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheeltarget.core.description import Description, described_target
from wheeltarget.core.limits import DEFAULT_LIMITS
from wheeltarget.core.markers import VARIABLES
from wheeltarget.core.target import PythonVersion, tags_of
from wheeltarget.core.typed import (
    KeyPathError,
    as_type,
    check_keys,
    convert,
    get_array,
    join,
    need,
)
from wheeltarget.core.wheelname import check_file_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheeltarget.core.target import Target

_TARGET = ("name", "python", "implementation", "abis", "platforms", "markers")


def read_target(table: Mapping[str, object], path: str, most: int) -> Target:
    """The target of a part of a bundle; ``path`` is the key of the part.

    ``most`` is how many platforms it may have, times its ABIs. Raises KeyPathError.
    """
    raw, place = need(table, "target", dict, path), join(path, "target")
    check_keys(raw, _TARGET, place)
    python = convert(need(raw, "python", str, place), PythonVersion.parse, join(place, "python"))
    implementation = convert(need(raw, "implementation", str, place), _word, place)
    need(raw, "abis", list, place)
    abis = get_array(raw, "abis", _word, place) or ()
    need(raw, "platforms", list, place)
    platforms = get_array(raw, "platforms", _word, place)
    if not platforms:
        raise KeyPathError(join(place, "platforms"), "names no platform")
    if len(platforms) * max(1, len(abis)) > most:
        limit = DEFAULT_LIMITS.platforms
        raise KeyPathError(join(place, "platforms"), f"makes more than {limit}, times the ABIs")
    description = Description(
        python=python,
        implementation=implementation,
        abis=abis,
        platforms=platforms,
        tags=tags_of(implementation, python, abis, platforms),
        markers=_markers(raw, place, python),
    )
    name = need(raw, "name", str, place)
    return described_target(description, convert(name, _target_name, join(place, "name")))


def _target_name(text: str) -> str:
    """It is part of the file names of bundles, and of members."""
    check_file_name(f"{text}.zip")
    return text


def _word(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9_]{1,60}", text):
        raise ValueError(f"{text!r} is not a part of a wheel tag")
    return text


def _markers(raw: Mapping[str, object], path: str, python: PythonVersion) -> Mapping[str, str]:
    markers, place = need(raw, "markers", dict, path), join(path, "markers")
    check_keys(markers, VARIABLES, place)
    values = {name: as_type(markers[name], str, join(place, name)) for name in markers}
    if need(values, "python_version", str, place) != python.minor_version:
        reason = f"is not that of Python {python}"
        raise KeyPathError(join(place, "python_version"), reason)
    return values
