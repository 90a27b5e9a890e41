"""Platform tags: what each one promises about a machine.

glibc: PEP 600 with the aliases of PEP 513, 571 and 599; musl: PEP 656; iOS: PEP 730; Android:
PEP 738; Pyodide: PEP 783; macOS, Windows and bare Linux: PEP 425 and the platform compatibility
tags specification. Which tags a machine takes stands in :mod:`wheeltarget.core.ladders`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum

from wheeltarget.core.suggest import did_you_mean


class Kind(Enum):
    """What a platform tag promises about: a C library, or an operating system."""

    GLIBC = "glibc"
    MUSL = "musl"
    LINUX = "linux"
    MACOS = "macOS"
    IOS = "iOS"
    ANDROID = "Android"
    PYODIDE = "Pyodide"
    WINDOWS = "Windows"
    #: Known only from the description of a real machine, such as FreeBSD.
    OTHER = "other"


#: Legacy aliases: name, glibc version, and the architectures that their PEPs define them for.
_LEGACY: dict[str, tuple[tuple[int, int], tuple[str, ...]]] = {
    "manylinux1": ((2, 5), ("x86_64", "i686")),
    "manylinux2010": ((2, 12), ("x86_64", "i686")),
    "manylinux2014": (
        (2, 17),
        ("x86_64", "i686", "aarch64", "armv7l", "ppc64", "ppc64le", "s390x"),
    ),
}
#: glibc version -> its legacy alias.
LEGACY_ALIAS = {version: name for name, (version, _) in _LEGACY.items()}

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
#: ``universal2`` stands for a machine of either architecture: it takes what runs on both.
MACOS_ARCHITECTURES = ("arm64", "x86_64", "universal2")
#: Architecture and SDK: a device or a simulator.
IOS_ARCHITECTURES = ("arm64_iphoneos", "arm64_iphonesimulator", "x86_64_iphonesimulator")
ANDROID_ARCHITECTURES = ("arm64_v8a", "armeabi_v7a", "x86_64", "x86")
PYODIDE_ARCHITECTURES = ("wasm32",)
#: Windows tags by architecture; the marker value stands in :meth:`Platform.marker_values`.
_WINDOWS = {"amd64": "win_amd64", "arm64": "win_arm64", "x86": "win32"}

#: The architectures of each kind that a target can be asked for by a tag.
ARCHITECTURES = {
    Kind.GLIBC: GLIBC_ARCHITECTURES,
    Kind.MUSL: MUSL_ARCHITECTURES,
    Kind.LINUX: LINUX_ARCHITECTURES,
    Kind.MACOS: MACOS_ARCHITECTURES,
    Kind.IOS: IOS_ARCHITECTURES,
    Kind.ANDROID: ANDROID_ARCHITECTURES,
    Kind.PYODIDE: PYODIDE_ARCHITECTURES,
    Kind.WINDOWS: tuple(_WINDOWS),
}

#: No C library or system is near such a minor version; it bounds the ladder of a typing error.
_HIGHEST_MINOR = 99

_VERSIONED = {
    Kind.GLIBC: "manylinux_{}_{}_{}",
    Kind.MUSL: "musllinux_{}_{}_{}",
    Kind.MACOS: "macosx_{}_{}_{}",
    Kind.IOS: "ios_{}_{}_{}",
    Kind.PYODIDE: "pyodide_{}_{}_{}",
}
_NUMBER = "(0|[1-9][0-9]{0,3})"
_PATTERNS: dict[Kind, re.Pattern[str]] = {
    **{
        kind: re.compile(form.format(_NUMBER, _NUMBER, "([a-z0-9_]+)"))
        for kind, form in _VERSIONED.items()
        if kind is not Kind.PYODIDE
    },
    # PEP 783 has renamed what Pyodide had called by its own name.
    Kind.PYODIDE: re.compile(f"(?:pyodide|pyemscripten)_{_NUMBER}_{_NUMBER}_([a-z0-9_]+)"),
}
#: The version of Pyodide's ABI that PEP 783 was accepted with.
PYEMSCRIPTEN_SINCE = (2026, 0)
_ANDROID = re.compile(f"android_{_NUMBER}_([a-z0-9_]+)")
_ALIASED = re.compile(r"(manylinux(?:1|2010|2014))_([a-z0-9_]+)")
_LINUX = re.compile(r"linux_([a-z0-9_]+)")

#: Marker variables that follow from the kind: os_name, sys_platform, platform_system. What
#: differs between machines of a kind is left out: an iPad says iPadOS.
_MARKERS = {
    Kind.GLIBC: ("posix", "linux", "Linux"),
    Kind.MUSL: ("posix", "linux", "Linux"),
    Kind.LINUX: ("posix", "linux", "Linux"),
    Kind.MACOS: ("posix", "darwin", "Darwin"),
    Kind.IOS: ("posix", "ios", None),
    Kind.ANDROID: ("posix", "android", "Android"),
    Kind.PYODIDE: ("posix", "emscripten", "Emscripten"),
    Kind.WINDOWS: ("nt", "win32", "Windows"),
    Kind.OTHER: (None, None, None),
}
#: platform_machine where it is not the architecture of the tag; None where machines differ.
_MACHINES = {
    (Kind.WINDOWS, "amd64"): "AMD64",
    (Kind.WINDOWS, "arm64"): "ARM64",
    (Kind.MACOS, "universal2"): None,
    # A device says its model, such as iPhone13,2; a simulator the machine of its host.
    (Kind.IOS, "arm64_iphoneos"): None,
    (Kind.IOS, "arm64_iphonesimulator"): "arm64",
    (Kind.IOS, "x86_64_iphonesimulator"): "x86_64",
    (Kind.ANDROID, "arm64_v8a"): "aarch64",
    # CPython tells these two by what the kernel says to a 32-bit process.
    (Kind.ANDROID, "armeabi_v7a"): "armv7l",
    (Kind.ANDROID, "x86"): "i686",
}


class PlatformError(ValueError):
    """A platform tag that no target can be made from; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What one platform tag stands for.

    ``version`` is that of the C library, of the system, or of Pyodide's ABI as (major, minor),
    Android's API level as (level, 0), None where the tag names none (Windows, bare Linux).
    ``arch`` is spelled as in the tag (``x86`` for ``win32``); for a kind that is not known it is
    the whole tag.
    """

    kind: Kind
    arch: str
    version: tuple[int, int] | None = None

    @property
    def tag(self) -> str:
        """The platform tag; for glibc the PEP 600 one, never a legacy alias."""
        if self.kind is Kind.WINDOWS:
            return _WINDOWS[self.arch]
        if self.kind is Kind.OTHER:
            return self.arch
        if self.version is None:
            return f"linux_{self.arch}"
        if self.kind is Kind.ANDROID:
            return f"android_{self.version[0]}_{self.arch}"
        if self.kind is Kind.PYODIDE and self.version >= PYEMSCRIPTEN_SINCE:
            return f"pyemscripten_{self.version[0]}_{self.version[1]}_{self.arch}"
        return _VERSIONED[self.kind].format(*self.version, self.arch)

    @property
    def familiar_tag(self) -> str:
        """The tag that people know it by: the legacy alias where there is one."""
        alias = LEGACY_ALIAS.get(self.version) if self.kind is Kind.GLIBC and self.version else None
        exists = alias is not None and self.arch in _LEGACY[alias][1]
        return f"{alias}_{self.arch}" if exists else self.tag

    @property
    def release(self) -> str:
        """Kind and version for a person: ``glibc 2.17``, ``macOS 11.0``, ``Windows``."""
        if self.kind is Kind.LINUX:
            return "Linux without a known C library"
        if self.kind is Kind.OTHER:
            return f"platform {self.arch}"
        if self.version is None:
            return str(self.kind.value)
        return f"{self.scale} {self.version_text}"

    @property
    def scale(self) -> str:
        """What the version counts: ``glibc``, ``Android API``, ``Pyodide ABI``."""
        counts = {Kind.ANDROID: " API", Kind.PYODIDE: " ABI"}
        return f"{self.kind.value}{counts.get(self.kind, '')}"

    @property
    def version_text(self) -> str:
        """The version for a person: ``2.17``; an Android API level is one number."""
        parts = version_of(self)
        return str(parts[0]) if self.kind is Kind.ANDROID else f"{parts[0]}.{parts[1]}"

    @property
    def title(self) -> str:
        """Release and architecture for a person: ``glibc 2.17, x86_64``."""
        return self.release if self.kind is Kind.OTHER else f"{self.release}, {self.arch}"

    @property
    def ordered(self) -> bool:
        """Whether a newer version of the platform takes what is made for an older one."""
        return self.version is not None and self.kind is not Kind.PYODIDE

    def marker_values(self) -> dict[str, str]:
        """The environment marker variables (PEP 508) that the platform decides.

        Windows says ``AMD64`` and ``ARM64`` where its tags say ``amd64`` and ``arm64``. A variable
        in which machines of this platform differ is not in it.
        """
        known = self.arch if self.kind is not Kind.OTHER else None
        values = (*_MARKERS[self.kind], _MACHINES.get((self.kind, self.arch), known))
        names = ("os_name", "sys_platform", "platform_system", "platform_machine")
        return {name: value for name, value in zip(names, values, strict=True) if value is not None}


def version_of(platform: Platform) -> tuple[int, int]:
    """The version to compare platforms of one kind by; (0, 0) where the kind has none."""
    return platform.version or (0, 0)


def read_platform_tag(tag: str) -> Platform | None:
    """What a wheel's platform tag stands for; None for one of a kind not known here.

    Any architecture is accepted: wheels for unknown ones exist, and only need to be described.
    """
    for arch, windows_tag in _WINDOWS.items():
        if tag == windows_tag:
            return Platform(kind=Kind.WINDOWS, arch=arch)
    if match := _ALIASED.fullmatch(tag):
        return Platform(kind=Kind.GLIBC, arch=match[2], version=_LEGACY[match[1]][0])
    for kind, pattern in _PATTERNS.items():
        if match := pattern.fullmatch(tag):
            return Platform(kind=kind, arch=match[3], version=(int(match[1]), int(match[2])))
    if match := _ANDROID.fullmatch(tag):
        return Platform(kind=Kind.ANDROID, arch=match[2], version=(int(match[1]), 0))
    if match := _LINUX.fullmatch(tag):
        return Platform(kind=Kind.LINUX, arch=match[1])
    return None


def oldest_version(kind: Kind, arch: str) -> tuple[int, int]:
    """The oldest version that a Python wheel can be for.

    glibc: 2.5 on the two architectures of PEP 513, 2.17 (PEP 599) on all others. macOS: the first
    release for the architecture. iOS and Android: as ``packaging.tags`` has it.
    """
    return {
        Kind.GLIBC: (2, 5) if arch in {"x86_64", "i686"} else (2, 17),
        Kind.MUSL: (1, 0),
        Kind.MACOS: (11, 0) if arch == "arm64" else (10, 4),
        Kind.IOS: (12, 0),
        Kind.ANDROID: (16, 0),
    }.get(kind, (0, 0))


# --- tags that a target is asked to be --------------------------------------------------------


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
    for arch in ("x86_64", "arm64_v8a", "arm64_iphoneos", "wasm32"):
        with_arch = read_platform_tag(f"{tag}_{arch}")
        if with_arch is not None and arch in ARCHITECTURES[with_arch.kind]:
            return f"{tag!r} lacks an architecture, as in {tag}_{arch}"
    spelled = _WINDOWS_ALIASES.get(tag, tag.replace("-", "_"))
    hint = f"; did you mean {spelled!r}?" if read_platform_tag(spelled) else ""
    return f"unknown platform tag {tag!r}{hint or did_you_mean(tag, EXAMPLE_TAGS)}"


#: Tags of every kind, for suggestions.
EXAMPLE_TAGS = (
    *(f"{name}_{arch}" for name, (_, archs) in _LEGACY.items() for arch in archs),
    *(f"manylinux_2_28_{arch}" for arch in GLIBC_ARCHITECTURES),
    *(f"musllinux_1_2_{arch}" for arch in MUSL_ARCHITECTURES),
    *(f"linux_{arch}" for arch in LINUX_ARCHITECTURES),
    *(f"macosx_11_0_{arch}" for arch in MACOS_ARCHITECTURES),
    *(f"ios_13_0_{arch}" for arch in IOS_ARCHITECTURES),
    *(f"android_24_{arch}" for arch in ANDROID_ARCHITECTURES),
    "pyodide_2025_0_wasm32",
    *_WINDOWS.values(),
)
#: Windows tags as one may think they are.
_WINDOWS_ALIASES = {
    "win_x86_64": "win_amd64",
    "win_aarch64": "win_arm64",
    "win_x86": "win32",
    "win_i686": "win32",
}
#: What an architecture is called elsewhere.
_ARCH_ALIASES = {
    "arm64": ("aarch64", "arm64_v8a", "arm64_iphoneos"),
    "aarch64": ("arm64", "arm64_v8a", "arm64_iphoneos"),
    "amd64": ("x86_64", "x86_64_iphonesimulator"),
    "x64": ("x86_64", "amd64"),
    "x86_64": ("amd64", "x86_64_iphonesimulator"),
}


def _unknown_arch(tag: str, platform: Platform) -> str:
    known = ARCHITECTURES[platform.kind]
    aliases = [alias for alias in _ARCH_ALIASES.get(platform.arch, ()) if alias in known]
    if aliases:
        hint = f"; did you mean {aliases[0]!r}?"
    else:
        hint = did_you_mean(platform.arch, known) or f"; there are {', '.join(known)}"
    return f"unknown architecture {platform.arch!r} in {tag!r}{hint}"


def _check_alias(alias: str, platform: Platform) -> None:
    if platform.arch not in _LEGACY[alias][1]:
        oldest = oldest_version(platform.kind, platform.arch)
        least = replace(platform, version=oldest).tag
        raise PlatformError(
            f"{alias}_{platform.arch} never existed; the oldest tag for {platform.arch} is {least}"
        )


#: The major versions that there are; of macOS, iOS and Android any small number may come.
_MAJORS = {Kind.GLIBC: range(2, 3), Kind.MUSL: range(1, 2), Kind.PYODIDE: range(2024, 2100)}


def _check_version(tag: str, platform: Platform) -> None:
    if platform.version is None:
        return
    major, minor = platform.version
    # Since macOS 11 went by the name of 10.16, there is no later 10.
    highest = 16 if (platform.kind, major) == (Kind.MACOS, 10) else _HIGHEST_MINOR
    if minor > highest or major not in _MAJORS.get(platform.kind, range(100)):
        raise PlatformError(f"{platform.release} in {tag!r} does not exist")
    oldest = oldest_version(platform.kind, platform.arch)
    if platform.version >= oldest:
        return
    if platform.kind is Kind.GLIBC:
        least = replace(platform, version=oldest).tag
        raise PlatformError(
            f"{tag!r} is older than any wheel; the oldest tag for {platform.arch} is {least}"
        )
    raise PlatformError(f"no Python wheel can be for {platform.release} on {platform.arch}")
