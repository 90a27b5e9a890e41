"""A target: ordered tags plus marker values, both made from explicit facts only.

The order of tags is that of ``packaging.tags.cpython_tags`` (``generic_tags`` for other
implementations) followed by ``compatible_tags``; it is written out here because those functions
read the host where an argument is missing, and because their answer changes between releases.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from packaging.version import Version

from wheeltarget.core.ladders import in_rank_order, ladder_of
from wheeltarget.core.platforms import Kind, Platform, version_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: Tag prefix -> (implementation_name, platform_python_implementation).
IMPLEMENTATIONS = {
    "cp": ("cpython", "CPython"),
    "pp": ("pypy", "PyPy"),
}

#: ABI tags of the stable ABI (PEP 384, PEP 803): a wheel with one fits later versions too.
STABLE_ABIS = frozenset({"abi3", "abi3t"})
#: ABI tags that many interpreters share: they do not say which one the target is.
SHARED_ABIS = STABLE_ABIS | {"none"}

#: The oldest minor version of a target: below it no wheel tag or ABI is defined as it is today.
OLDEST_MINOR = 2
#: Python's minor versions are yearly; beyond this stands a typing error.
NEWEST_MINOR = 99


_NUMBER = "0|[1-9][0-9]{0,2}"


class PythonVersion(NamedTuple):
    """A Python version; ``patch`` is None where the target does not say it."""

    major: int
    minor: int
    patch: int | None = None

    @classmethod
    def parse(cls, text: str) -> PythonVersion:
        """Read ``3.11`` or ``3.11.9``. Raises ValueError for anything else, or no Python 3."""
        match = re.fullmatch(rf"({_NUMBER})\.({_NUMBER})(?:\.({_NUMBER}))?", text)
        if match is None:
            raise ValueError(f"{text!r} is not a Python version such as 3.11 or 3.11.9")
        version = cls(int(match[1]), int(match[2]), int(match[3]) if match[3] else None)
        version.check()
        return version

    def check(self) -> None:
        """Raises ValueError for a version that no target can have."""
        if self.major != 3 or not OLDEST_MINOR <= self.minor <= NEWEST_MINOR:
            raise ValueError(f"there is no Python {self} to bundle for")

    @property
    def minor_version(self) -> str:
        """``3.11``, the marker variable ``python_version``."""
        return f"{self.major}.{self.minor}"

    @property
    def nodot(self) -> str:
        """``311``, as in tags."""
        return f"{self.major}{self.minor}"

    def __str__(self) -> str:
        return self.minor_version if self.patch is None else f"{self.minor_version}.{self.patch}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One Python environment that is not this machine.

    ``platforms`` is the whole ladder and ``tags`` all tags that fit, as ``python-abi-platform``,
    both best first. ``environment`` has the known marker variables; a variable of PEP 508 that it
    does not name is unknown. ``primary`` is the newest platform that was asked for, one with a
    known C library before a bare ``linux_*``.
    """

    name: str
    python: PythonVersion
    implementation: str
    abis: tuple[str, ...]
    primary: Platform
    platforms: tuple[str, ...]
    tags: tuple[str, ...] = field(repr=False)
    environment: Mapping[str, str]

    @property
    def interpreter(self) -> str:
        """The python tag of the interpreter itself, for example ``cp311``."""
        return f"{self.implementation}{self.python.nodot}"

    @property
    def free_threaded(self) -> bool:
        """Whether the interpreter is a CPython without the GIL (PEP 703)."""
        return is_free_threaded(self.abis)


def make_target(
    *,
    python: PythonVersion,
    implementation: str,
    abis: Sequence[str],
    platforms: tuple[Platform, ...],
    name: str,
    markers: Mapping[str, str] | None = None,
) -> Target:
    """Build a target from facts. ``abis`` empty means the implementation's own ABI.

    ``markers`` override or add marker values.
    """
    own = tuple(abis) or default_abis(implementation, python)
    rungs = ladder_of(platforms)
    return Target(
        name=name,
        python=python,
        implementation=implementation,
        abis=own,
        primary=primary_of(platforms),
        platforms=rungs,
        tags=tags_of(implementation, python, own, rungs),
        environment={
            **environment_of(implementation, python, platforms[0]),
            **(markers or {}),
        },
    )


def tags_of(
    implementation: str, python: PythonVersion, abis: Sequence[str], platforms: Sequence[str]
) -> tuple[str, ...]:
    """All tags that fit, best first; ``platforms`` is the whole ladder."""
    return tuple(dict.fromkeys(_tags(implementation, python, abis, platforms)))


def primary_of(platforms: Sequence[Platform]) -> Platform:
    """The newest with a known C library or system, else the first."""
    known = [platform for platform in platforms if platform.kind is not Kind.LINUX]
    return max(known, key=version_of, default=platforms[0])


def own_abis(abis: Sequence[str]) -> tuple[str, ...]:
    """The ABIs that are not shared with other interpreters."""
    return tuple(abi for abi in abis if abi not in SHARED_ABIS)


def with_more_platforms(target: Target, platforms: tuple[Platform, ...]) -> Target:
    """The target, taking the ladders of these platforms too: best first, before its own.

    Its other tags, Python and marker values stay, so that only the choice of a file changes.
    """
    rungs = in_rank_order((*ladder_of(platforms), *target.platforms))
    tags = _tags(target.implementation, target.python, target.abis, rungs)
    return replace(
        target,
        primary=primary_of((target.primary, *platforms)),
        platforms=rungs,
        # A described machine may take tags that do not follow from its facts.
        tags=tuple(dict.fromkeys((*tags, *target.tags))),
    )


def tag_name(
    implementation: str, python: PythonVersion, abis: Sequence[str], platform_tag: str
) -> str:
    """``cp311-manylinux2014_x86_64``; with the ABI in between where it isn't the default one."""
    interpreter = f"{implementation}{python.nodot}"
    default = default_abis(implementation, python)
    parts = [interpreter, *([] if tuple(abis) == default else abis[:1]), platform_tag]
    return "-".join(parts)


def default_abis(implementation: str, python: PythonVersion) -> tuple[str, ...]:
    """The ABI that an implementation has unless it was built otherwise.

    CPython before 3.8 carries the pymalloc flag ``m`` and before 3.3 the wide-unicode flag ``u``
    (PEP 3149, bpo-36707). PyPy: ``pp73`` since its release 7.3. None is known of others.
    """
    if implementation == "cp":
        flags = "" if python.minor >= 8 else "m" if python.minor >= 3 else "mu"
        return (f"cp{python.nodot}{flags}",)
    return (f"pypy{python.nodot}_pp73",) if implementation == "pp" else ()


def implementation_title(implementation: str) -> str:
    """``CPython`` for ``cp``; one that is not known goes by its tag."""
    known = IMPLEMENTATIONS.get(implementation)
    return known[1] if known else implementation


def is_free_threaded(abis: Sequence[str]) -> bool:
    """Whether the first ABI is that of a free-threaded CPython, ``cp313t``."""
    return bool(abis) and bool(re.fullmatch(r"cp[0-9]+[a-z]*t[a-z]*", abis[0]))


def _tags(
    implementation: str,
    python: PythonVersion,
    abis: Sequence[str],
    platforms: Sequence[str],
) -> Iterator[str]:
    interpreter = f"{implementation}{python.nodot}"
    if implementation == "cp":
        yield from _cpython_tags(python, abis, platforms)
    else:
        yield from _generic_tags(interpreter, abis, platforms)
    # As packaging.tags.sys_tags has it: a pure wheel can be for a CPython of one version, or for
    # every PyPy 3, and for no other implementation.
    pure = {"cp": interpreter, "pp": "pp3"}.get(implementation)
    yield from _compatible_tags(python, pure, platforms)


def _cpython_tags(
    python: PythonVersion, abis: Sequence[str], platforms: Sequence[str]
) -> Iterator[str]:
    interpreter = f"cp{python.nodot}"
    # A free-threaded build cannot load abi3 extensions (PEP 703); its stable ABI is abi3t
    # (PEP 803), which a build with the GIL does not promise to load.
    stable = "abi3t" if is_free_threaded(abis) else "abi3"
    own = [abi for abi in abis if abi not in {"abi3", stable, "none"}]
    for abi in (*own, stable, "none"):
        yield from (f"{interpreter}-{abi}-{platform}" for platform in platforms)
    for minor in range(python.minor - 1, 1, -1):
        yield from (f"cp3{minor}-{stable}-{platform}" for platform in platforms)


def _generic_tags(interpreter: str, abis: Sequence[str], platforms: Sequence[str]) -> Iterator[str]:
    for abi in dict.fromkeys((*abis, "none")):
        yield from (f"{interpreter}-{abi}-{platform}" for platform in platforms)


def _compatible_tags(
    python: PythonVersion, interpreter: str | None, platforms: Sequence[str]
) -> Iterator[str]:
    pythons = [
        f"py{python.nodot}",
        "py3",
        *(f"py3{m}" for m in range(python.minor - 1, -1, -1)),
    ]
    for version in pythons:
        yield from (f"{version}-none-{platform}" for platform in platforms)
    if interpreter is not None:
        yield f"{interpreter}-none-any"
    yield from (f"{version}-none-any" for version in pythons)


def environment_of(
    implementation: str, python: PythonVersion, platform: Platform
) -> dict[str, str]:
    """The marker variables that follow from these facts."""
    values = {"python_version": python.minor_version, **platform.marker_values()}
    if implementation in IMPLEMENTATIONS:
        name, long_name = IMPLEMENTATIONS[implementation]
        values |= {"implementation_name": name, "platform_python_implementation": long_name}
    if python.patch is not None:
        values["python_full_version"] = str(Version(str(python)))
    return values
