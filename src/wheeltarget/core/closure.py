"""What packages require of each other on a target, by their METADATA (PEP 508, core metadata).

Three answers, as for all markers: a requirement holds, does not, or depends on what is not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from packaging.utils import canonicalize_name

from wheeltarget.core.markers import TRUE, Verdict, evaluate, parse_marker

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from packaging.requirements import Requirement
    from packaging.utils import NormalizedName
    from packaging.version import Version

#: What packages require, by name: their ``Requires-Dist``, in order.
Requires: TypeAlias = "Mapping[NormalizedName, Sequence[Requirement]]"
#: The extras that are wanted of packages, by name.
Extras: TypeAlias = "Mapping[NormalizedName, AbstractSet[NormalizedName]]"


class RequirementError(ValueError):
    """A requirement whose marker cannot be evaluated; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A requirement that holds on a target, or may hold there.

    ``verdict`` is never false. Where it is undecided, its variables are those that the target does
    not know, and ``extra`` where that is why an extra may be wanted or not.
    """

    requirement: Requirement
    verdict: Verdict = TRUE

    @property
    def name(self) -> NormalizedName:
        """The package that is required."""
        return canonicalize_name(self.requirement.name)

    @property
    def extras(self) -> frozenset[NormalizedName]:
        """The extras that are required of it."""
        return frozenset(map(canonicalize_name, self.requirement.extras))

    @property
    def sure(self) -> bool:
        """Whether the requirement holds whatever the target does not say."""
        return self.verdict.holds is True

    def met_by(self, version: Version) -> bool:
        """Whether a version will do; a pre-release that is there counts (PEP 440)."""
        return self.requirement.specifier.contains(version, prereleases=True)


def requirements_on(
    environment: Mapping[str, str],
    requires: Iterable[Requirement],
    extras: AbstractSet[NormalizedName] = frozenset(),
    possible: AbstractSet[NormalizedName] = frozenset(),
) -> tuple[Need, ...]:
    """The requirements of one package that hold, or may hold, in an environment; in order.

    ``environment`` has the known marker variables, ``extras`` the extras that are wanted of the
    package, ``possible`` those that may be wanted besides.

    Raises RequirementError.
    """
    verdicts = [(each, _verdict(environment, each, extras, possible)) for each in requires]
    return tuple(
        Need(requirement=each, verdict=verdict)
        for each, verdict in verdicts
        if verdict.holds is not False
    )


def _verdict(
    environment: Mapping[str, str],
    requirement: Requirement,
    extras: AbstractSet[NormalizedName],
    possible: AbstractSet[NormalizedName],
) -> Verdict:
    text = str(requirement.marker or "")
    try:
        marker = parse_marker(text)
        least = evaluate(marker, environment, extras)
        most = evaluate(marker, environment, {*extras, *possible})
    except Exception as error:  # the parser's own errors have no common root
        raise RequirementError(f"the marker {text!r} cannot be evaluated: {error}") from error
    if least.holds == most.holds:
        return least
    if least.holds is True:
        return least
    return Verdict(holds=None, variables=tuple(sorted({*most.variables, "extra"})))


def closure(
    environment: Mapping[str, str], requires: Requires, wanted: Extras
) -> Mapping[NormalizedName, tuple[Need, ...]]:
    """What each package requires in an environment, with the extras that others want of it.

    ``requires`` are all packages that are there; ``wanted`` are the extras asked for from outside.
    A package may require one that is not there: whether all needs are met is for the caller to see.

    Raises RequirementError.
    """
    sure = _extras(environment, requires, wanted, doubtful=False)
    possible = _extras(environment, requires, wanted, doubtful=True)
    return {
        name: requirements_on(environment, of, sure[name], possible[name])
        for name, of in requires.items()
    }


def _extras(
    environment: Mapping[str, str], requires: Requires, wanted: Extras, *, doubtful: bool
) -> Mapping[NormalizedName, frozenset[NormalizedName]]:
    """The extras of each package that are wanted, from outside or by others, until no more come.

    With ``doubtful``, by requirements that only may hold, too.
    """
    extras = {name: frozenset(wanted.get(name, ())) for name in requires}
    waiting = dict.fromkeys(requires)
    while waiting:
        name = next(iter(waiting))
        del waiting[name]
        for need in requirements_on(environment, requires[name], extras[name]):
            known = extras.get(need.name)
            if known is not None and (need.sure or doubtful) and not need.extras <= known:
                extras[need.name] = known | need.extras
                waiting[need.name] = None
    return extras
