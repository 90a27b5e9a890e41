"""Platform tags: what they mean, and the ladder of tags that a machine of that kind takes.

A *ladder* is the ordered tuple of platform tags, best first. glibc: PEP 600 with the aliases of
PEP 513, 571 and 599; musl: PEP 656; macOS, Windows and bare Linux: PEP 425 and the platform
compatibility tags specification.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from wheeltarget.core.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kind(Enum):
    """What a platform tag promises about: a C library, or an operating system."""

    GLIBC = "glibc"
    MUSL = "musl"
    LINUX = "linux"
    MACOS = "macOS"
    WINDOWS = "Windows"


#: Legacy aliases: name, glibc version, and the architectures that their PEPs define them for.
_LEGACY: dict[str, tuple[tuple[int, int], tuple[str, ...]]] = {
    "manylinux1": ((2, 5), ("x86_64", "i686")),
    "manylinux2010": ((2, 12), ("x86_64", "i686")),
    "manylinux2014": (
        (2, 17),
        ("x86_64", "i686", "aarch64", "armv7l", "ppc64", "ppc64le", "s390x"),
    ),
}
_ALIAS = {version: name for name, (version, _) in _LEGACY.items()}

GLIBC_ARCHITECTURES = (
    "x86_64",
    "i686",
    "aarch64",
    "armv7l",
    "ppc64",
    "ppc64le",
    "s390x",
    "riscv64",
    "loongarch64",
)
MUSL_ARCHITECTURES = (
    "x86_64",
    "i686",
    "aarch64",
    "armv7l",
    "armv6l",
    "ppc64le",
    "s390x",
    "riscv64",
    "loongarch64",
)
LINUX_ARCHITECTURES = tuple(dict.fromkeys((*GLIBC_ARCHITECTURES, *MUSL_ARCHITECTURES)))
MACOS_ARCHITECTURES = ("arm64", "x86_64")
#: Windows tags by architecture; the marker value stands in :meth:`Platform.marker_values`.
_WINDOWS = {"amd64": "win_amd64", "arm64": "win_arm64", "x86": "win32"}

ARCHITECTURES = {
    Kind.GLIBC: GLIBC_ARCHITECTURES,
    Kind.MUSL: MUSL_ARCHITECTURES,
    Kind.LINUX: LINUX_ARCHITECTURES,
    Kind.MACOS: MACOS_ARCHITECTURES,
    Kind.WINDOWS: tuple(_WINDOWS),
}

#: glibc 2.5 on the two architectures of PEP 513, 2.17 (PEP 599) on all others.
_GLIBC_FLOOR = {"x86_64": (2, 5), "i686": (2, 5)}
_GLIBC_FLOOR_ELSEWHERE = (2, 17)
#: No C library or macOS is near such a minor version; it bounds the ladder of a typing error.
_HIGHEST_MINOR = 99

_GLIBC = re.compile(r"manylinux_([0-9]{1,4})_([0-9]{1,4})_([a-z0-9_]+)")
_ALIASED = re.compile(r"(manylinux(?:1|2010|2014))_([a-z0-9_]+)")
_MUSL = re.compile(r"musllinux_([0-9]{1,4})_([0-9]{1,4})_([a-z0-9_]+)")
_MACOS = re.compile(r"macosx_([0-9]{1,4})_([0-9]{1,4})_([a-z0-9_]+)")
_LINUX = re.compile(r"linux_([a-z0-9_]+)")


class PlatformError(ValueError):
    """A platform tag that no target can be made from; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What one platform tag stands for.

    ``version`` is that of the C library or of macOS as (major, minor), None where the tag names
    none (Windows, bare Linux). ``arch`` is spelled as in the tag (``x86`` for ``win32``).
    """

    kind: Kind
    arch: str
    version: tuple[int, int] | None = None

    @property
    def tag(self) -> str:
        """The platform tag; for glibc the PEP 600 one, never a legacy alias."""
        if self.kind is Kind.WINDOWS:
            return _WINDOWS[self.arch]
        if self.version is None:
            return f"linux_{self.arch}"
        prefix = {
            Kind.GLIBC: "manylinux",
            Kind.MUSL: "musllinux",
            Kind.MACOS: "macosx",
        }[self.kind]
        return f"{prefix}_{self.version[0]}_{self.version[1]}_{self.arch}"

    @property
    def familiar_tag(self) -> str:
        """The tag that people know it by: the legacy alias where there is one."""
        alias = _ALIAS.get(self.version) if self.kind is Kind.GLIBC and self.version else None
        exists = alias is not None and self.arch in _LEGACY[alias][1]
        return f"{alias}_{self.arch}" if exists else self.tag

    @property
    def release(self) -> str:
        """Kind and version for a person: ``glibc 2.17``, ``macOS 11.0``, ``Windows``."""
        if self.kind is Kind.LINUX:
            return "Linux without a known C library"
        if self.version is None:
            return str(self.kind.value)
        return f"{self.kind.value} {self.version[0]}.{self.version[1]}"

    def marker_values(self) -> dict[str, str]:
        """The environment marker variables (PEP 508) that the platform decides.

        Windows says ``AMD64`` and ``ARM64`` where its tags say ``amd64`` and ``arm64``.
        """
        if self.kind is Kind.WINDOWS:
            machine = {"amd64": "AMD64", "arm64": "ARM64", "x86": "x86"}[self.arch]
            return _marker_values("nt", "win32", "Windows", machine)
        if self.kind is Kind.MACOS:
            return _marker_values("posix", "darwin", "Darwin", self.arch)
        return _marker_values("posix", "linux", "Linux", self.arch)


def _marker_values(os_name: str, sys_platform: str, system: str, machine: str) -> dict[str, str]:
    return {
        "os_name": os_name,
        "sys_platform": sys_platform,
        "platform_system": system,
        "platform_machine": machine,
    }


def read_platform_tag(tag: str) -> Platform | None:
    """What a wheel's platform tag stands for; None for one of a kind not known here.

    Any architecture is accepted: wheels for unknown ones exist, and only need to be described.
    """
    for arch, windows_tag in _WINDOWS.items():
        if tag == windows_tag:
            return Platform(kind=Kind.WINDOWS, arch=arch)
    if match := _ALIASED.fullmatch(tag):
        return Platform(kind=Kind.GLIBC, arch=match[2], version=_LEGACY[match[1]][0])
    for kind, pattern in (
        (Kind.GLIBC, _GLIBC),
        (Kind.MUSL, _MUSL),
        (Kind.MACOS, _MACOS),
    ):
        if match := pattern.fullmatch(tag):
            return Platform(kind=kind, arch=match[3], version=(int(match[1]), int(match[2])))
    if match := _LINUX.fullmatch(tag):
        return Platform(kind=Kind.LINUX, arch=match[1])
    return None


def parse_platform(tag: str) -> Platform:
    """Read a platform tag that a target is asked to be.

    Raises PlatformError where no machine can be of that platform.
    """
    platform = read_platform_tag(tag)
    if platform is None:
        raise PlatformError(_unknown_tag(tag))
    if platform.arch not in ARCHITECTURES[platform.kind]:
        raise PlatformError(_unknown_arch(tag, platform))
    if match := _ALIASED.fullmatch(tag):
        _check_alias(match[1], platform)
    _check_version(tag, platform)
    return platform


def _unknown_tag(tag: str) -> str:
    if read_platform_tag(f"{tag}_x86_64") is not None and tag.startswith(
        ("manylinux", "musllinux")
    ):
        return f"{tag!r} lacks an architecture, as in {tag}_x86_64"
    spelled = tag.replace("-", "_")
    hint = f"; did you mean {spelled!r}?" if read_platform_tag(spelled) else ""
    return f"unknown platform tag {tag!r}{hint or did_you_mean(tag, _EXAMPLES)}"


_EXAMPLES = (
    *(f"{name}_{arch}" for name, (_, archs) in _LEGACY.items() for arch in archs),
    *(f"manylinux_2_28_{arch}" for arch in GLIBC_ARCHITECTURES),
    *(f"musllinux_1_2_{arch}" for arch in MUSL_ARCHITECTURES),
    *(f"linux_{arch}" for arch in LINUX_ARCHITECTURES),
    *(f"macosx_11_0_{arch}" for arch in MACOS_ARCHITECTURES),
    *_WINDOWS.values(),
)
_ARCH_ALIASES = {
    "arm64": "aarch64",
    "aarch64": "arm64",
    "amd64": "x86_64",
    "x64": "x86_64",
}


def _unknown_arch(tag: str, platform: Platform) -> str:
    known = ARCHITECTURES[platform.kind]
    alias = _ARCH_ALIASES.get(platform.arch)
    if alias in known:
        hint = f"; did you mean {alias!r}?"
    elif platform.kind is Kind.MACOS and platform.arch == "universal2":
        hint = "; a machine is either arm64 or x86_64, and takes universal2 wheels as well"
    else:
        hint = did_you_mean(platform.arch, known) or f"; there are {', '.join(known)}"
    return f"unknown architecture {platform.arch!r} in {tag!r}{hint}"


def _check_alias(alias: str, platform: Platform) -> None:
    if platform.arch not in _LEGACY[alias][1]:
        least = replace(platform, version=_glibc_floor(platform.arch)).tag
        raise PlatformError(
            f"{alias}_{platform.arch} never existed; the oldest tag for {platform.arch} is {least}"
        )


def _check_version(tag: str, platform: Platform) -> None:
    if platform.version is None:
        return
    major, minor = platform.version
    if minor > _HIGHEST_MINOR:
        raise PlatformError(f"{platform.release} in {tag!r} does not exist")
    if platform.kind is Kind.GLIBC:
        floor = _glibc_floor(platform.arch)
        if major != floor[0]:
            raise PlatformError(f"{platform.release} in {tag!r} does not exist")
        if platform.version < floor:
            least = replace(platform, version=floor).tag
            raise PlatformError(
                f"{tag!r} is older than any wheel; the oldest tag for {platform.arch} is {least}"
            )
    elif platform.kind is Kind.MUSL and major != 1:
        raise PlatformError(f"{platform.release} in {tag!r} does not exist")
    elif platform.kind is Kind.MACOS and (major > _HIGHEST_MINOR or not ladder(platform)):
        raise PlatformError(f"no Python wheel can be for {platform.release} on {platform.arch}")


def _glibc_floor(arch: str) -> tuple[int, int]:
    return _GLIBC_FLOOR.get(arch, _GLIBC_FLOOR_ELSEWHERE)


def ladder(platform: Platform) -> tuple[str, ...]:
    """The platform tags that a machine of this platform takes, best first.

    Without bare ``linux_*`` tags, which a target takes only where it lists them.
    """
    if platform.kind is Kind.GLIBC:
        return _glibc_ladder(platform)
    if platform.kind is Kind.MUSL:
        assert platform.version is not None
        major, minor = platform.version
        return tuple(f"musllinux_{major}_{m}_{platform.arch}" for m in range(minor, -1, -1))
    if platform.kind is Kind.MACOS:
        assert platform.version is not None
        return tuple(_macos_ladder(platform.version, platform.arch))
    return (platform.tag,)


#: Binary formats that hold code for an architecture, best first (PEP 425; Apple's "lipo").
_MACOS_FORMATS = {
    "x86_64": ("x86_64", "intel", "fat64", "fat3", "universal2", "universal"),
    "arm64": ("arm64", "universal2"),
}


def _macos_ladder(version: tuple[int, int], arch: str) -> Iterator[str]:
    """As ``packaging.tags.mac_platforms``, whose formats have changed between its releases."""
    formats = _MACOS_FORMATS[arch]
    # Since 11 a major version is one compatibility level, whatever its minor version.
    for major in range(version[0], 10, -1):
        yield from (f"macosx_{major}_0_{form}" for form in formats)
    if arch == "x86_64" and version >= (10, 4):
        # 10.4 is the first for this architecture; 11 goes by the name of 10.16, too.
        for minor in range(16 if version >= (11, 0) else version[1], 3, -1):
            yield from (f"macosx_10_{minor}_{form}" for form in formats)
    elif version >= (11, 0):
        # arm64 began with 11; the x86_64 half of a universal2 wheel may support older ones.
        yield from (f"macosx_10_{minor}_universal2" for minor in range(16, 3, -1))


def _glibc_ladder(platform: Platform) -> tuple[str, ...]:
    assert platform.version is not None
    major, minor = platform.version
    tags = []
    for rung in range(minor, _glibc_floor(platform.arch)[1] - 1, -1):
        tags.append(f"manylinux_{major}_{rung}_{platform.arch}")
        # The alias means the same as its PEP 600 tag, so it follows at once (PEP 600, "Legacy
        # manylinux tags").
        if alias := _ALIAS.get((major, rung)):
            tags.append(f"{alias}_{platform.arch}")
    return tuple(tags)


def ladder_of(platforms: tuple[Platform, ...]) -> tuple[str, ...]:
    """One ladder from several platforms in the given order; bare ``linux_*`` tags come last."""
    tags = [
        tag for platform in platforms if platform.kind is not Kind.LINUX for tag in ladder(platform)
    ]
    bare = [platform.tag for platform in platforms if platform.kind is Kind.LINUX]
    return tuple(dict.fromkeys(tags + bare))


def lowest_platform_taking(tag: str, like: Platform) -> Platform | None:
    """The oldest platform of the same kind and architecture as ``like`` that takes a wheel tag.

    None where no version of it does: another kind or architecture, or a kind without versions.
    """
    needed = read_platform_tag(tag)
    if needed is None or needed.kind is not like.kind:
        return None
    if needed.version is None:
        return None
    lowest = needed.version
    if like.kind is Kind.MACOS and like.arch == "arm64":
        # A universal2 wheel for macOS 10.9 runs on arm64 from its first release, 11.0.
        lowest = max(lowest, (11, 0))
    candidate = replace(like, version=lowest)
    return candidate if tag in ladder(candidate) else None


def version_of(platform: Platform) -> tuple[int, int]:
    """The version to compare platforms of one kind by; (0, 0) where the kind has none."""
    return platform.version or (0, 0)
