"""What to say of versions that targets rule out: why a lock failed, and what was held back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from wheeltarget.core.errors import Problem
from wheeltarget.core.platforms import version_of
from wheeltarget.core.report import aligned, target_title

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from wheeltarget.core.offers import Lack
    from wheeltarget.core.target import Target

#: So many ranges of versions are named, then only how many more versions there are.
_RANGES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RuledOut:
    """Versions of a package that a target rules out, each with why.

    ``considered`` are all versions that the solver could have had, ``fitting`` the newest version
    of all that would fit the target, None where there is none.
    """

    name: NormalizedName
    target: Target
    lacks: Mapping[Version, Lack]
    considered: Collection[Version]
    fitting: Version | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """``chosen`` was locked instead of ``newest``, which the target rules out."""

    name: NormalizedName
    chosen: Version
    newest: Version
    lack: Lack
    target: Target


def spans(versions: Collection[Version], considered: Collection[Version]) -> str:
    """``38.0.0 to 46.0.1``: versions as ranges among all that were considered."""
    runs: list[list[Version]] = []
    gap = True
    for version in sorted({*versions, *considered}):
        if version not in versions:
            gap = True
        elif gap:
            runs.append([version])
            gap = False
        else:
            runs[-1].append(version)
    shown = [f"{r[0]}" if len(r) == 1 else f"{r[0]} to {r[-1]}" for r in runs[:_RANGES]]
    more = sum(len(run) for run in runs[_RANGES:])
    return ", ".join(shown) + (f" and {more} more" if more else "")


def mentioned(text: str) -> frozenset[NormalizedName]:
    """Every word of a text that may be the name of a package, such as the solver's message."""
    words: list[str] = re.findall(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", text)
    return frozenset(canonicalize_name(word) for word in words)


def ruled_out_problem(ruled: RuledOut) -> Problem:
    """Which versions a target rules out, why, and what would help."""
    have = "has" if len(ruled.lacks) == 1 else "have"
    return Problem(
        what=f"{ruled.name} {spans(ruled.lacks, ruled.considered)} {have} no wheel for "
        f"{target_title(ruled.target)} (target {ruled.target.name}): "
        f"{'; '.join(_reasons(ruled))}",
        package=ruled.name,
        target=ruled.target.name,
        hint=_hint(ruled),
    )


def _reasons(ruled: RuledOut) -> list[str]:
    """Each reason once, with the versions that it is for where there are several."""
    by_reason: dict[str, list[Version]] = {}
    for version in sorted(ruled.lacks, reverse=True):
        by_reason.setdefault(ruled.lacks[version].reason, []).append(version)
    if len(by_reason) == 1:
        return list(by_reason)
    shown = list(by_reason.items())[:_RANGES]
    return [f"{reason} ({spans(of, ruled.considered)})" for reason, of in shown]


def _hint(ruled: RuledOut) -> str:
    """What would help: another version, a newer machine, a build, or leaving the package out."""
    ways = []
    if ruled.fitting is not None:
        ways.append(f"allow {ruled.name} {ruled.fitting}, the newest that has one")
    lowest = min(
        (lack.fits_from for lack in ruled.lacks.values() if lack.fits_from),
        key=version_of,
        default=None,
    )
    if lowest is not None:
        ways.append(f"say {lowest.familiar_tag} if the machine takes it")
    if any(lack.source for lack in ruled.lacks.values()):
        ways.append("name the package under build, to have it built")
    ways.append("name it under exclude, if the platform provides it")
    return ", or ".join(ways)


def held_back_lines(held: Sequence[HeldBack]) -> list[str]:
    """The list after a successful lock; nothing where nothing was held back."""
    if not held:
        return []
    rows = aligned(
        (f"{each.name} {each.chosen}", f"not {each.newest}", each.lack.reason, each.target.name)
        for each in sorted(held, key=lambda each: (each.name, each.chosen, each.target.name))
    )
    return ["Held back, so that the targets have wheels:", "", *(f"  {row}" for row in rows), ""]


def suggestion(
    name: NormalizedName,
    newest: Version | None,
    *,
    allowed: Version | None,
    constraint: str,
    command: str,
) -> str | None:
    """What another lock could hold, None where there is nothing to say.

    ``allowed`` is the newest fitting version that the project's ``constraint`` allows, ``newest``
    the newest of all; ``command`` would lock it.
    """
    if allowed is not None:
        return f"{name} {allowed} is the newest that has one; `{command}` would choose it"
    if newest is not None:
        return f"{name} {newest} is the newest that has one, but the project asks for {constraint}"
    return None
