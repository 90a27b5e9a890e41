"""File names: the strict grammar of wheels, and the only place where a file name is born.

``packaging.utils.parse_wheel_filename`` accepts path separators, NUL and newline in the build tag,
so it is no security check; and what it accepts changes between its releases, while the choice of a
file must not. Hence a grammar of our own (PEP 427, PEP 425 and the binary distribution format
specification).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A name that no common file system can hold is refused (bytes).
MAX_NAME_BYTES = 255
#: A compressed tag set that expands to more is refused; real ones stay below 100.
MAX_TAGS = 2000

_FORBIDDEN = frozenset('\\/:*?"<>|%')
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"]
)
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._]*[A-Za-z0-9])?")
#: What a version may be written with; Version itself also takes white space around it.
_VERSION = re.compile(r"[A-Za-z0-9._!+]+")
_BUILD = re.compile(r"([0-9]+)([A-Za-z0-9_.]*)")
_TAG_SET = re.compile(r"[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*")
#: What a source archive's name ends in, the one of PEP 625 first.
SDIST_SUFFIXES = (".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tar.Z", ".tar", ".tgz")


class UnsafeFileNameError(ValueError):
    """A file name that could do harm on some file system or terminal."""


class MalformedWheelNameError(ValueError):
    """A harmless name that ends in ``.whl`` and yet is not the name of a wheel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelName:
    """The parts of a wheel's file name (PEP 427).

    ``build`` is the build tag as (number, rest), the empty tuple where there is none: tuples that
    compare as the specification orders builds. Tag parts are lower-case, in the order written.
    """

    filename: str
    name: NormalizedName
    version: Version
    build: tuple[()] | tuple[int, str]
    pythons: tuple[str, ...]
    abis: tuple[str, ...]
    platforms: tuple[str, ...]

    def tags(self) -> Iterator[str]:
        """All tags that the compressed set stands for, as ``python-abi-platform``."""
        for parts in product(self.pythons, self.abis, self.platforms):
            yield "-".join(parts)

    def pairs(self) -> Iterator[tuple[str, str]]:
        """All (python tag, ABI tag) pairs of the compressed set."""
        return product(self.pythons, self.abis)


def check_file_name(filename: str) -> None:
    """Refuse a name that could leave its folder, or mean something to a shell, terminal or OS.

    Raises UnsafeFileNameError with the reason.
    """
    if not filename:
        raise UnsafeFileNameError("it is empty")
    if not filename.isprintable():
        raise UnsafeFileNameError("it holds a control or invisible character")
    bad = sorted(_FORBIDDEN.intersection(filename))
    if bad:
        raise UnsafeFileNameError(f"it holds {' '.join(bad)}")
    if filename[0] in ".-~ " or filename[-1] in ". ":
        raise UnsafeFileNameError(
            "it begins or ends with a character that file systems treat apart"
        )
    if ".." in filename:
        raise UnsafeFileNameError("it holds ..")
    if filename.partition(".")[0].rstrip().lower() in _DEVICES:
        raise UnsafeFileNameError("it is the name of a device on Windows")
    if len(filename.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES:
        raise UnsafeFileNameError(f"it is longer than {MAX_NAME_BYTES} bytes")


def is_wheel_name(filename: str) -> bool:
    """Whether the name claims to be a wheel's."""
    return filename.lower().endswith(".whl")


def parse_wheel_name(filename: str) -> WheelName:
    """Read ``name-version(-build)?-python-abi-platform.whl``.

    Raises UnsafeFileNameError or MalformedWheelNameError.
    """
    check_file_name(filename)
    if not filename.endswith(".whl"):
        raise MalformedWheelNameError("it does not end in .whl")
    parts = filename[: -len(".whl")].split("-")
    if len(parts) not in (5, 6):
        raise MalformedWheelNameError(f"it has {len(parts)} parts instead of 5 or 6")
    name, version, *build, pythons, abis, platforms = parts
    if not _NAME.fullmatch(name):
        raise MalformedWheelNameError(f"{name!r} is not a distribution name")
    return WheelName(
        filename=filename,
        name=canonicalize_name(name),
        version=_version(version),
        build=_build(build[0]) if build else (),
        **_tag_sets(pythons, abis, platforms),
    )


def _version(text: str) -> Version:
    # The specification escapes "-" in a version as "_"; PEP 440 reads both alike.
    try:
        if _VERSION.fullmatch(text):
            return Version(text)
    except InvalidVersion:
        pass
    raise MalformedWheelNameError(f"{text!r} is not a version")


def _build(text: str) -> tuple[int, str]:
    match = _BUILD.fullmatch(text)
    # int() would need quadratic time for thousands of digits; check_file_name has capped them.
    if match is None:
        raise MalformedWheelNameError(f"{text!r} is not a build tag")
    return int(match[1]), match[2]


def _tag_sets(pythons: str, abis: str, platforms: str) -> dict[str, tuple[str, ...]]:
    sets = {"pythons": pythons, "abis": abis, "platforms": platforms}
    expanded = 1
    result = {}
    for axis, text in sets.items():
        if not _TAG_SET.fullmatch(text):
            raise MalformedWheelNameError(f"{text!r} is not a tag")
        result[axis] = tuple(dict.fromkeys(text.lower().split(".")))
        expanded *= len(result[axis])
    if expanded > MAX_TAGS:
        raise MalformedWheelNameError(f"its tags expand to {expanded}")
    return result


def contradicts_package(filename: str, name: NormalizedName, version: Version) -> bool:
    """Whether a source archive's name says that it belongs to another project or version.

    Old archives are named freely, so only a clear contradiction counts: the name can be read as
    ``project-version``, and no reading gives the locked one.
    """
    stem = next(
        (filename[: -len(suffix)] for suffix in SDIST_SUFFIXES if filename.endswith(suffix)),
        None,
    )
    if stem is None:
        return False
    readings = []
    for index in (i for i, char in enumerate(stem) if char == "-"):
        try:
            readings.append((canonicalize_name(stem[:index]), Version(stem[index + 1 :])))
        except InvalidVersion:
            continue
    return bool(readings) and (name, version) not in readings


def bundle_file_name(template: str, *, name: str, version: str, target: str) -> str:
    """Fill ``{name}``, ``{version}`` and ``{target}`` into an output template.

    Raises ValueError where the template holds another placeholder or a stray brace.
    """
    values = {"name": name, "version": version, "target": target}

    def fill(match: re.Match[str]) -> str:
        key = match[1]
        if key is None or key not in values:
            raise ValueError(f"unknown placeholder {match[0]!r}")
        return values[key]

    return re.sub(r"\{([^{}]*)\}|[{}]", fill, template)
