"""Presets: machines that people know by name, each with its evidence.

They stand in ``presets.json``, in families: ``{python}``, ``{release}`` and ``{arch}`` in a
family's texts are filled with each of its own. An architecture may have another name in its tags.
A runtime without evidence has no preset; a
fact that is not known, such as a kernel release, is in none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from wheeltarget.core.platforms import Platform, parse_platform
from wheeltarget.core.sizes import parse_size
from wheeltarget.core.target import PythonVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.utils import NormalizedName


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One machine. ``python`` is None where it has none of its own, as a distribution.

    ``platform`` is the newest that it takes. ``provides`` are packages that it has already, which
    may be left out; ``max_unpacked_size`` is what it takes at most, in bytes. ``evidence`` says
    where the facts are from, ``date`` when they were last looked at (ISO 8601).
    """

    name: str
    runtime: str
    python: PythonVersion | None
    platform: Platform
    provides: tuple[NormalizedName, ...]
    max_unpacked_size: int | None
    evidence: tuple[str, ...]
    date: str


@cache
def presets() -> Mapping[str, Preset]:
    """All presets by name, in the order of the data file."""
    document = json.loads(files(__package__).joinpath("presets.json").read_bytes())
    return read_presets(document["families"])


def read_presets(families: Iterable[Mapping[str, Any]]) -> Mapping[str, Preset]:
    """The presets of all families. Raises ValueError where two have one name."""
    result: dict[str, Preset] = {}
    for family in families:
        for preset in _members(family):
            if preset.name in result:
                raise ValueError(f"two presets have the name {preset.name}")
            result[preset.name] = preset
    return result


def _members(family: Mapping[str, Any]) -> Iterator[Preset]:
    archs = family["archs"]
    if isinstance(archs, list):
        archs = dict(zip(archs, archs, strict=True))
    releases = family.get("releases") or {"": family["platform"]}
    size = family.get("max-unpacked-size")
    every = product(family["names"], releases.items(), family.get("pythons", [None]), archs.items())
    for name, (release, platform), python, (arch, arch_in_tag) in every:
        yield Preset(
            name=name.format(release=release, python=python, arch=arch),
            runtime=family["runtime"].format(release=release),
            python=PythonVersion.parse(python) if python else None,
            platform=parse_platform(platform.format(arch=arch_in_tag)),
            provides=tuple(map(canonicalize_name, family.get("provides", ()))),
            max_unpacked_size=parse_size(size) if size else None,
            evidence=tuple(family["evidence"]),
            date=family["date"],
        )
