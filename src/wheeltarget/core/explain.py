"""Why a file does not fit a target, and the smallest change that would make it fit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

from wheeltarget.core.ladders import lowest_platform_taking
from wheeltarget.core.platforms import Kind, Platform, read_platform_tag, version_of
from wheeltarget.core.target import (
    IMPLEMENTATIONS,
    STABLE_ABIS,
    default_abis,
    implementation_title,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wheeltarget.core.model import LockedFile
    from wheeltarget.core.target import Target
    from wheeltarget.core.wheelname import WheelName


class Axis(Enum):
    """The first thing about a file that fails, in the order in which it is looked at."""

    MALFORMED = "malformed"
    BUILD_ONLY = "build-only"
    PYTHON = "python"
    ABI = "abi"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """One locked file that does not fit, with the reason for a person in ``detail``.

    ``needs`` is the oldest platform of the target's kind and architecture that would take it, None
    where no change of the platform's version helps.
    """

    file: str
    axis: Axis
    detail: str
    needs: Platform | None = None


@dataclass(frozen=True)
class Compatibility:
    """A target's tags, indexed for many look-ups."""

    target: Target

    @cached_property
    def ranks(self) -> Mapping[str, int]:
        """Tag -> rank, 0 the best."""
        return {tag: rank for rank, tag in enumerate(self.target.tags)}

    @cached_property
    def _pairs(self) -> frozenset[tuple[str, str]]:
        return frozenset(_pair(tag) for tag in self.target.tags)

    @cached_property
    def _pythons(self) -> frozenset[str]:
        """Python tags of wheels that need no stable ABI: the interpreter's own and ``py*``."""
        return frozenset(python for python, abi in self._pairs if abi == "none")

    @cached_property
    def _stable_pythons(self) -> frozenset[str]:
        """Python tags that a stable ABI wheel can have for this version of CPython."""
        if self.target.implementation != "cp":
            return frozenset()
        return frozenset(f"cp3{minor}" for minor in range(2, self.target.python.minor + 1))

    @cached_property
    def _platforms(self) -> frozenset[str]:
        return frozenset((*self.target.platforms, "any"))

    def best(self, wheel: WheelName) -> tuple[int, str] | None:
        """The wheel's best rank and the tag that has it, None where no tag fits."""
        ranks = self.ranks
        return min(((ranks[tag], tag) for tag in wheel.tags() if tag in ranks), default=None)

    def fits_platform(self, wheel: WheelName) -> bool:
        """Whether one of the wheel's platform tags fits, whatever its Python and ABI."""
        return not self._platforms.isdisjoint(wheel.platforms)

    def fits_python(self, python: str, abi: str) -> bool:
        """Whether a python tag fits, as far as that can be said without the ABI."""
        stable = abi in STABLE_ABIS
        return python in (self._stable_pythons if stable else self._pythons)

    def failing_axis(self, wheel: WheelName) -> Axis:
        """The first axis on which every one of the wheel's tags fails."""
        if any(pair in self._pairs for pair in wheel.pairs()):
            return Axis.PLATFORM
        if any(self.fits_python(python, abi) for python, abi in wheel.pairs()):
            return Axis.ABI
        return Axis.PYTHON


def _pair(tag: str) -> tuple[str, str]:
    python, abi, _ = tag.split("-")
    return python, abi


def reject(file: LockedFile, fit: Compatibility) -> Rejection:
    """Why a file that does not fit does not."""
    if file.malformed is not None:
        return Rejection(
            file=file.name,
            axis=Axis.MALFORMED,
            detail=f"not the name of a wheel: {file.malformed}",
        )
    if file.wheel is None:
        return Rejection(
            file=file.name,
            axis=Axis.BUILD_ONLY,
            detail="a source archive, which would be built",
        )
    axis = fit.failing_axis(file.wheel)
    if axis is Axis.PYTHON:
        return Rejection(file=file.name, axis=axis, detail=_python_detail(file.wheel, fit.target))
    if axis is Axis.ABI:
        return Rejection(file=file.name, axis=axis, detail=_abi_detail(file.wheel, fit))
    needs = _needed_platform(file.wheel, fit.target)
    detail = _platform_detail(file.wheel, fit.target, needs)
    return Rejection(file=file.name, axis=axis, detail=detail, needs=needs)


def interpreter_name(python: str, abi: str) -> str:
    """A python tag for a person: ``CPython 3.10``, ``PyPy 3.9``, ``Python 2``."""
    for prefix, name in (
        *((prefix, long_name) for prefix, (_, long_name) in IMPLEMENTATIONS.items()),
        ("py", "Python"),
    ):
        digits = python.removeprefix(prefix)
        if digits != python and digits.isdecimal():
            version = f"{digits[0]}.{digits[1:]}" if len(digits) > 1 else digits
            newer = " or newer" if abi in STABLE_ABIS or _is_open(prefix, digits) else ""
            threaded = " (free-threaded)" if _is_threaded(abi) else ""
            return f"{name} {version}{newer}{threaded}"
    return python


def _is_open(prefix: str, digits: str) -> bool:
    # py310-none-any is taken by every later Python 3; py2 only by Python 2.
    return prefix == "py" and digits.startswith("3") and len(digits) > 1


def _python_detail(wheel: WheelName, target: Target) -> str:
    names = [interpreter_name(python, abi) for python, abi in wheel.pairs()]
    own = interpreter_name(target.interpreter, "")
    return f"for {_listed(names)}, the target has {own}"


def _abi_detail(wheel: WheelName, fit: Compatibility) -> str:
    abis = [abi for python, abi in wheel.pairs() if fit.fits_python(python, abi)]
    named = _listed(_abi_name(abi) for abi in abis)
    return f"for ABI {named}, the target has {_abi_name(fit.target.abis[0])}"


def _abi_name(abi: str) -> str:
    return f"{abi} (free-threaded)" if _is_threaded(abi) else abi


def _needed_platform(wheel: WheelName, target: Target) -> Platform | None:
    own = target.primary
    lowest = [lowest_platform_taking(tag, own) for tag in wheel.platforms]
    newer = [p for p in lowest if p is not None and version_of(p) > version_of(own)]
    return min(newer, key=version_of, default=None)


def _platform_detail(wheel: WheelName, target: Target, needs: Platform | None) -> str:
    own = target.primary
    if needs is not None:
        return f"needs {needs.release}, the target has {own.version_text}"
    return f"for {_listed(_foreign_name(tag, own) for tag in wheel.platforms)}"


def _foreign_name(tag: str, own: Platform) -> str:
    """What of a foreign platform differs: its architecture, its C library or system, or both."""
    platform = read_platform_tag(tag)
    if platform is None:
        return tag
    if platform.kind is own.kind and platform.arch == own.arch:
        other = platform.kind is Kind.PYODIDE
        return platform.release if other else f"{tag}, which no target takes"
    if platform.kind is own.kind:
        return f"{platform.arch}, the target is {own.arch}"
    if platform.kind is Kind.LINUX:
        return f"a bare {tag}, which the target does not list"
    system = "musl" if platform.kind is Kind.MUSL else platform.release
    return f"{system} on {platform.arch}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(words))


def hint_for(
    files: Sequence[LockedFile], rejections: Sequence[Rejection], fit: Compatibility
) -> str:
    """The smallest change with which the package would have a wheel, or that there is none."""
    target = fit.target
    needed = [r.needs for r in rejections if r.needs is not None]
    if needed:
        lowest = min(needed, key=version_of)
        return f"needs {lowest.release}, the target has {target.primary.version_text}"
    wheels = [file.wheel for file in files if file.wheel is not None]
    if not wheels:
        return _without_wheels(rejections)
    if abis := _other_abis((w for w in wheels if fit.fits_platform(w)), fit):
        return f"no wheel for ABI {target.abis[0]}; there are some for ABI {abis}"
    if pythons := _other_pythons((w for w in wheels if fit.fits_platform(w)), target):
        return f"no wheel for {_own_python(target)}; there are some for {pythons}"
    right_python = [w for w in wheels if fit.failing_axis(w) is Axis.PLATFORM]
    if platforms := _other_platforms(right_python):
        return f"no wheel for {_own_platform(target.primary)}; there are some for {platforms}"
    return f"no wheel for {_own_python(target)} on {_own_platform(target.primary)}"


def _other_abis(wheels: Iterable[WheelName], fit: Compatibility) -> str:
    """The ABIs of the same Python that wheels are for, where an implementation has several."""
    if fit.target.implementation == "cp":
        return ""
    pairs = {pair for wheel in wheels for pair in wheel.pairs()}
    return ", ".join(sorted({abi for python, abi in pairs if fit.fits_python(python, abi)}))


def _without_wheels(rejections: Sequence[Rejection]) -> str:
    if any(r.axis is Axis.BUILD_ONLY for r in rejections):
        return "only a source archive is locked; --build can have it built"
    return "no usable file is locked" if rejections else "the lock lists no file of it"


def _own_python(target: Target) -> str:
    name = interpreter_name(target.interpreter, "")
    if target.free_threaded:
        return f"{name} (free-threaded)"
    if target.abis == default_abis(target.implementation, target.python):
        return name
    return f"{name} with ABI {target.abis[0]}"


def _own_platform(platform: Platform) -> str:
    other = platform.kind is Kind.OTHER
    return platform.release if other else f"{platform.release} on {platform.arch}"


def _other_pythons(wheels: Iterable[WheelName], target: Target) -> str:
    """The versions of the target's implementation that wheels are for: ``CPython 3.8 to 3.12``.

    Free-threaded ones are another ABI: named for a free-threaded target, or where there is nothing
    else.
    """
    pairs = {pair for wheel in wheels for pair in wheel.pairs()}
    name = implementation_title(target.implementation)
    own = target.implementation
    default = _versions((pair for pair in pairs if not _is_threaded(pair[1])), own)
    threaded = _versions((pair for pair in pairs if _is_threaded(pair[1])), own)
    named = [f"free-threaded {name} {', '.join(threaded)}"] if threaded else []
    usual = [f"{name} {', '.join(default)}"] if default else []
    return " and ".join(named + usual) if target.free_threaded else "".join((usual or named)[:1])


def _is_threaded(abi: str) -> bool:
    return abi == "abi3t" or (abi.startswith("cp") and abi.endswith("t"))


def _versions(pairs: Iterable[tuple[str, str]], implementation: str) -> list[str]:
    exact: set[int] = set()
    floors: set[int] = set()
    for python, abi in pairs:
        if minor := re.fullmatch(rf"{implementation}3([0-9]+)", python):
            (floors if abi in STABLE_ABIS else exact).add(int(minor[1]))
    return _ranges(sorted(exact)) + [f"3.{floor} or newer" for floor in sorted(floors)[:1]]


def _ranges(minors: Sequence[int]) -> list[str]:
    """``[8, 9, 10, 12]`` as ``["3.8 to 3.10", "3.12"]``."""
    runs: list[list[int]] = []
    for minor in minors:
        if runs and minor == runs[-1][-1] + 1:
            runs[-1].append(minor)
        else:
            runs.append([minor])
    return [f"3.{r[0]}" if len(r) == 1 else f"3.{r[0]} to 3.{r[-1]}" for r in runs]


def _other_platforms(wheels: Iterable[WheelName]) -> str:
    """What wheels are for: ``glibc (aarch64, x86_64), macOS (arm64)``."""
    archs: dict[str, set[str]] = {}
    for tag in {tag for wheel in wheels for tag in wheel.platforms}:
        platform = read_platform_tag(tag)
        if platform is not None:
            # Of a kind whose versions exclude each other, the version is what differs.
            name = platform.release if platform.kind is Kind.PYODIDE else platform.kind.value
            archs.setdefault(name, set()).add(platform.arch)
    return ", ".join(f"{kind} ({', '.join(sorted(of))})" for kind, of in sorted(archs.items()))
