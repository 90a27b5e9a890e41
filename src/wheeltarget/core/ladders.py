"""Ladders: the platform tags that a machine of a platform takes, best first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wheeltarget.core.platforms import (
    LEGACY_ALIAS,
    Kind,
    Platform,
    oldest_version,
    read_platform_tag,
    version_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def ladder(platform: Platform) -> tuple[str, ...]:
    """The platform tags that a machine of this platform takes, best first.

    Without bare ``linux_*`` tags, which a target takes only where it lists them.
    """
    rungs = _RUNGS.get(platform.kind)
    return (platform.tag,) if rungs is None else tuple(rungs(platform))


def _glibc(platform: Platform) -> Iterator[str]:
    major, minor = version_of(platform)
    for rung in range(minor, oldest_version(platform.kind, platform.arch)[1] - 1, -1):
        yield f"manylinux_{major}_{rung}_{platform.arch}"
        # The alias means the same as its PEP 600 tag, so it follows at once (PEP 600, "Legacy
        # manylinux tags").
        if alias := LEGACY_ALIAS.get((major, rung)):
            yield f"{alias}_{platform.arch}"


def _musl(platform: Platform) -> Iterator[str]:
    major, minor = version_of(platform)
    yield from (f"musllinux_{major}_{rung}_{platform.arch}" for rung in range(minor, -1, -1))


#: Binary formats that hold code for an architecture, best first (PEP 425; Apple's "lipo").
_MACOS_FORMATS = {
    "x86_64": ("x86_64", "intel", "fat64", "fat3", "universal2", "universal"),
    "arm64": ("arm64", "universal2"),
    "universal2": ("universal2",),
}


def _macos(platform: Platform) -> Iterator[str]:
    """As ``packaging.tags.mac_platforms``, whose formats have changed between its releases."""
    version = version_of(platform)
    formats = _MACOS_FORMATS[platform.arch]
    # Since 11 a major version is one compatibility level, whatever its minor version.
    for major in range(version[0], 10, -1):
        yield from (f"macosx_{major}_0_{form}" for form in formats)
    # 10.4 is the first for x86_64; 11 goes by the name of 10.16, too. arm64 began with 11; the
    # x86_64 half of a universal2 wheel may support older ones.
    old_formats = formats if platform.arch != "arm64" else ("universal2",)
    for minor in range(16 if version >= (11, 0) else version[1], 3, -1):
        yield from (f"macosx_10_{minor}_{form}" for form in old_formats)


#: No minor release of iOS went beyond 8; packaging allows for one more.
_IOS_MINORS = range(9, -1, -1)


def _ios(platform: Platform) -> Iterator[str]:
    """As ``packaging.tags.ios_platforms`` (PEP 730)."""
    newest, minor = version_of(platform)
    yield from (f"ios_{newest}_{rung}_{platform.arch}" for rung in range(minor, -1, -1))
    for major in range(newest - 1, oldest_version(platform.kind, platform.arch)[0] - 1, -1):
        yield from (f"ios_{major}_{rung}_{platform.arch}" for rung in _IOS_MINORS)


def _android(platform: Platform) -> Iterator[str]:
    """As ``packaging.tags.android_platforms`` (PEP 738)."""
    oldest = oldest_version(platform.kind, platform.arch)[0]
    for level in range(version_of(platform)[0], oldest - 1, -1):
        yield f"android_{level}_{platform.arch}"


#: Pyodide 0.29.4, with the ABI 2025_0, was the first to take the new name as well.
_FIRST_YEAR_OF_PYEMSCRIPTEN = 2025


def _pyodide(platform: Platform) -> Iterator[str]:
    """One version of the ABI takes no other (PEP 783); since 2025 it goes by two names."""
    year, patch = version_of(platform)
    if year >= _FIRST_YEAR_OF_PYEMSCRIPTEN:
        yield f"pyemscripten_{year}_{patch}_{platform.arch}"
    yield f"pyodide_{year}_{patch}_{platform.arch}"


_RUNGS = {
    Kind.GLIBC: _glibc,
    Kind.MUSL: _musl,
    Kind.MACOS: _macos,
    Kind.IOS: _ios,
    Kind.ANDROID: _android,
    Kind.PYODIDE: _pyodide,
}


def ladder_of(platforms: Iterable[Platform]) -> tuple[str, ...]:
    """One ladder from several platforms in the given order; bare ``linux_*`` tags come last."""
    return in_rank_order([tag for platform in platforms for tag in ladder(platform)])


def in_rank_order(tags: Sequence[str]) -> tuple[str, ...]:
    """Platform tags as given, each once, with bare ``linux_*`` tags moved to the end."""
    bare = [tag for tag in tags if tag.startswith("linux_")]
    return tuple(dict.fromkeys([tag for tag in tags if tag not in bare] + bare))


def lowest_platform_taking(tag: str, like: Platform) -> Platform | None:
    """The oldest platform of the same kind and architecture as ``like`` that takes a wheel tag.

    None where no version of it does: another kind or architecture, a kind without versions, or
    one whose versions do not take what is made for older ones.
    """
    needed = read_platform_tag(tag)
    if needed is None or needed.kind is not like.kind or needed.version is None:
        return None
    if not needed.ordered:
        return None
    # A universal2 wheel for macOS 10.9 runs on arm64 from its first release, 11.0.
    lowest = max(needed.version, oldest_version(like.kind, like.arch))
    candidate = replace(like, version=lowest)
    return candidate if tag in ladder(candidate) else None
