"""Description files: a target as a real machine says it, tags and marker values in JSON.

Two forms are read: the one that ``poetry wheeltarget show --json`` and the probe write, and the
"complete platform" of pex, which has no version of its form and names its keys otherwise.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

from packaging.version import InvalidVersion, Version

from wheeltarget.core.ladders import in_rank_order
from wheeltarget.core.markers import VARIABLES
from wheeltarget.core.platforms import ARCHITECTURES, Kind, Platform, read_platform_tag
from wheeltarget.core.target import (
    SHARED_ABIS,
    PythonVersion,
    Target,
    environment_of,
    is_free_threaded,
    own_abis,
    primary_of,
)
from wheeltarget.core.typed import (
    KeyPathError,
    as_type,
    check_keys,
    get,
    get_array,
    get_as,
    join,
    json_object,
    need,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

T = TypeVar("T")

#: Version of the form that is written here.
DESCRIPTION_SCHEMA = 1

_KEYS = ("schema", "python", "implementation", "abis", "platforms", "markers", "tags")
_PEX_TAGS = "compatible_tags"
_PEX_MARKERS = "marker_environment"
_PEX_KEYS = (_PEX_TAGS, _PEX_MARKERS)

_TAG = re.compile(r"[a-z0-9_]{1,60}-[a-z0-9_]{1,60}-[a-z0-9_]{1,60}")
#: The implementation, the major and the minor version of an interpreter's own python tag.
_INTERPRETER = re.compile(r"([a-z]+)([0-9])([0-9]{1,2})")
#: What a wheel for any platform has in place of one.
_ANY = "any"
#: Facts of the kernel: in a container, those of whoever runs it.
KERNEL_VARIABLES = ("platform_release", "platform_version")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A machine as described. ``tags`` and ``platforms`` are best first.

    ``markers`` are the known values. ``frozen`` names variables whose value the file gives and
    that were left out of them, because they are facts of the kernel that the file was written on.
    """

    python: PythonVersion
    implementation: str
    abis: tuple[str, ...]
    platforms: tuple[str, ...]
    tags: tuple[str, ...]
    markers: Mapping[str, str]
    frozen: tuple[str, ...] = ()

    @property
    def primary(self) -> Platform:
        """The first platform with a known C library or system, else a bare Linux, or another."""
        return _primary(self.platforms)


def description_document(target: Target) -> Mapping[str, object]:
    """A target as a description file; :func:`read_description` gives the same target back."""
    return {
        "schema": DESCRIPTION_SCHEMA,
        "python": str(target.python),
        "implementation": target.implementation,
        "abis": list(target.abis),
        "platforms": list(target.platforms),
        "markers": dict(sorted(target.environment.items())),
        "tags": list(target.tags),
    }


def described_target(
    description: Description, name: str, markers: Mapping[str, str] | None = None
) -> Target:
    """The target that a description stands for; ``markers`` override or add marker values."""
    return Target(
        name=name,
        python=description.python,
        implementation=description.implementation,
        abis=description.abis,
        primary=description.primary,
        platforms=description.platforms,
        tags=description.tags,
        environment={**description.markers, **(markers or {})},
    )


def _primary(platforms: tuple[str, ...]) -> Platform:
    """See :attr:`Description.primary`; one of a kind not known here stands for itself."""
    named = _named_platforms(platforms)
    return primary_of(named) if named else Platform(kind=Kind.OTHER, arch=platforms[0])


def _named_platforms(platforms: Iterable[str]) -> list[Platform]:
    """Those of a kind and architecture that are known here."""
    known = [read_platform_tag(tag) for tag in platforms]
    return [p for p in known if p is not None and p.arch in ARCHITECTURES[p.kind]]


# --- reading ----------------------------------------------------------------------------------


def read_description(data: bytes) -> Description:
    """Read a description file. Raises ValueError, with the path of the key that is wrong."""
    raw = _parsed(data)
    if any(key in raw for key in _PEX_KEYS):
        tags, markers = _tags(raw, _PEX_TAGS), _markers(raw, _PEX_MARKERS)
        frozen = _kernel_facts(markers)
        known = {name: value for name, value in markers.items() if name not in frozen}
        return _description(_facts(tags, _PEX_TAGS), known, _PEX_MARKERS, frozen)
    check_keys(raw, _KEYS, "")
    schema = need(raw, "schema", int, "")
    if schema != DESCRIPTION_SCHEMA:
        raise KeyPathError("schema", f"is {schema}; this version reads {DESCRIPTION_SCHEMA}")
    facts = _facts(_tags(raw, "tags"), "tags")
    facts = _check_agreement(raw, facts)
    return _description(facts, _markers(raw, "markers"), "markers", ())


def _parsed(data: bytes) -> dict[str, object]:
    if not data.strip():
        raise ValueError("is empty")
    # PowerShell writes UTF-16 where output is redirected.
    encoding = "UTF-16" if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "UTF-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(f"is not {encoding}: {error.reason} at byte {error.start}") from error
    return json_object(text.removeprefix("\ufeff"))


def _tags(raw: Mapping[str, object], key: str) -> tuple[str, ...]:
    need(raw, key, list, "")
    tags = get_array(raw, key, _tag, "")
    if not tags:
        raise KeyPathError(key, "names no tag")
    return tags


def _tag(text: str) -> str:
    if not _TAG.fullmatch(text):
        raise ValueError(f"{text!r} is not a wheel tag such as cp311-cp311-manylinux_2_28_x86_64")
    return text


def _markers(raw: Mapping[str, object], key: str) -> Mapping[str, str]:
    """The marker values; one that is null or empty is unknown."""
    markers = need(raw, key, dict, "")
    check_keys(markers, VARIABLES, key)
    return {
        name: str(as_type(value, str, join(key, name)))
        for name, value in markers.items()
        if value not in (None, "")
    }


def _kernel_facts(markers: Mapping[str, str]) -> tuple[str, ...]:
    """Values that are the kernel's. Elsewhere than on Linux it is a part of the system."""
    if markers.get("platform_system", "Linux") != "Linux":
        return ()
    return tuple(name for name in KERNEL_VARIABLES if name in markers)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What ordered tags say of the machine that takes them."""

    python: PythonVersion
    implementation: str
    abis: tuple[str, ...]
    platforms: tuple[str, ...]
    tags: tuple[str, ...]


def _facts(tags: tuple[str, ...], key: str) -> _Facts:
    parts = [tag.split("-") for tag in tags]
    platforms = in_rank_order([platform for _, _, platform in parts if platform != _ANY])
    if not platforms:
        raise KeyPathError(key, f"none of the tags is of a platform; all are for {_ANY!r}")
    own = {match[0]: match for python, abi, _ in parts if (match := _interpreter(python, abi))}
    if not own:
        raise KeyPathError(key, "none of the tags is of an interpreter, such as cp311-cp311-...")
    if len(own) > 1:
        raise KeyPathError(key, f"the tags are of several interpreters: {', '.join(own)}")
    (first,) = own.values()
    facts = _Facts(
        python=_located(lambda: PythonVersion.parse(f"{first[2]}.{first[3]}"), key),
        implementation=first[1],
        abis=own_abis(list(dict.fromkeys(abi for python, abi, _ in parts if python == first[0]))),
        platforms=platforms,
        tags=tuple(_in_rank_order(tags)),
    )
    _check_pythons(parts, facts, key)
    _check_machine(facts, key)
    return facts


def _in_rank_order(tags: tuple[str, ...]) -> Iterator[str]:
    """The tags as given, but bare ``linux_*`` ones last of the platforms of one python and ABI."""
    for _, run in groupby(tags, key=lambda tag: tag.rpartition("-")[0]):
        yield from sorted(run, key=lambda tag: tag.rpartition("-")[2].startswith("linux_"))


def _check_pythons(parts: list[list[str]], facts: _Facts, key: str) -> None:
    """No wheel for a later Python fits, whatever its ABI."""
    for python, abi, platform in parts:
        match = _INTERPRETER.fullmatch(python)
        if match and (int(match[2]), int(match[3])) > facts.python[:2]:
            raise KeyPathError(key, f"{python}-{abi}-{platform} is not for Python {facts.python}")
    threaded = {is_free_threaded([abi]) for abi in facts.abis}
    if len(threaded) > 1:
        raise KeyPathError(key, f"the ABIs {', '.join(facts.abis)} are of two interpreters")


#: What a 64-bit ARM kernel is called by a 32-bit Python, whose wheels are for armv7l.
_ARMV8L = "armv8l"


def _check_machine(facts: _Facts, key: str) -> None:
    """All platforms are those of one machine, as far as they are known."""
    named = _named_platforms(facts.platforms)
    kinds = {platform.kind for platform in named} - {Kind.LINUX}
    # A Mac takes formats that hold code for several architectures.
    archs = {platform.arch for platform in named} - {"universal2", _ARMV8L}
    versions = {platform.version for platform in named if platform.kind is Kind.PYODIDE}
    if len(kinds) > 1 or len(archs) > 1 or len(versions) > 1:
        raise KeyPathError(key, f"no machine is all of {_listed(facts.platforms)}")


def _interpreter(python: str, abi: str) -> re.Match[str] | None:
    """A python tag that names one interpreter, with an ABI of its own."""
    match = _INTERPRETER.fullmatch(python)
    return match if match and match[1] != "py" and abi not in SHARED_ABIS else None


def _check_agreement(raw: Mapping[str, object], facts: _Facts) -> _Facts:
    """The facts, which the keys beside the tags must repeat; only they can add a patch level."""
    abis = get_array(raw, "abis", str, "")
    platforms = get_array(raw, "platforms", str, "")
    claims = {
        "implementation": (get(raw, "implementation", str, ""), facts.implementation),
        "abis": (abis and own_abis(abis), facts.abis),
        "platforms": (platforms and in_rank_order(platforms), facts.platforms),
    }
    for key, (said, found) in claims.items():
        if said is not None and said != found:
            raise KeyPathError(key, f"contradicts the tags, which are of {_listed(found)}")
    python = get_as(raw, "python", PythonVersion.parse, "")
    if python is None:
        return facts
    if python[:2] != facts.python[:2]:
        raise KeyPathError("python", f"contradicts the tags, which are of Python {facts.python}")
    return replace(facts, python=python)


def _listed(found: Sequence[str]) -> str:
    if isinstance(found, str):
        return found
    return ", ".join(found[:3]) + (", ..." if len(found) > 3 else "")


def _description(
    facts: _Facts, markers: Mapping[str, str], key: str, frozen: tuple[str, ...]
) -> Description:
    if "python_full_version" in markers:
        # CPython that was built from a checkout says so with a plus, which is no version.
        markers = {**markers, "python_full_version": markers["python_full_version"].rstrip("+")}
    python = _patched(facts.python, markers, key)
    primary = _primary(facts.platforms)
    derived = environment_of(facts.implementation, python, primary)
    for name, value in derived.items():
        if name == "platform_machine" and _sees_another_machine(primary):
            continue
        # It has been compared, and may have a local part.
        if name == "python_full_version":
            continue
        if markers.get(name, value) != value:
            raise KeyPathError(join(key, name), f"contradicts the tags, which mean {value!r}")
    return Description(
        python=python,
        implementation=facts.implementation,
        abis=facts.abis,
        platforms=facts.platforms,
        tags=facts.tags,
        markers={**derived, **markers},
        frozen=frozen,
    )


def _sees_another_machine(platform: Platform) -> bool:
    """A 32-bit Python on a 64-bit kernel, or one that Windows emulates."""
    return platform.kind is Kind.WINDOWS or platform.arch in {"i686", "armv7l", "armv6l", "x86"}


def _patched(python: PythonVersion, markers: Mapping[str, str], key: str) -> PythonVersion:
    """The Python version, with the patch level that ``python_full_version`` gives."""
    full = markers.get("python_full_version")
    if full is None:
        return python
    path = join(key, "python_full_version")
    version = _located(lambda: _version(full), path)
    if version.epoch or len(version.release) != 3:
        raise KeyPathError(path, f"{full!r} is no version of Python with a patch level")
    patch = None if version.is_prerelease else version.micro
    if version.release[:2] != python[:2] or python.patch not in (None, patch):
        raise KeyPathError(path, f"{full!r} contradicts Python {python}")
    return _located(lambda: PythonVersion.parse(str(python._replace(patch=patch))), path)


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        raise ValueError(f"{text!r} is not a version") from None


def _located(read: Callable[[], T], path: str) -> T:
    try:
        return read()
    except ValueError as error:
        raise KeyPathError(path, str(error)) from error
