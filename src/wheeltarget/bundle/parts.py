"""What a bundle holds for one target: its members, and where each wheel is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheeltarget.core.errors import IntegrityError, Problem
from wheeltarget.core.manifest import Member, Part
from wheeltarget.core.model import StoredWheel
from wheeltarget.io.index import Wanted
from wheeltarget.io.wheels import sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wheeltarget.bundle.building import BuiltWheel
    from wheeltarget.core.model import Digest, LockedPackage
    from wheeltarget.core.plan import Chosen, Plan
    from wheeltarget.core.resolve import TargetSettings
    from wheeltarget.io.cache import Stored


@dataclass(frozen=True, kw_only=True)
class PlannedPart:
    """One target of a bundle before its wheels are there."""

    settings: TargetSettings
    plan: Plan
    built: Sequence[BuiltWheel]

    @property
    def wanted(self) -> Mapping[Digest, Wanted]:
        """The locked wheels that it takes."""
        return {each.digest: each for each in map(Wanted.of, self.plan.chosen)}


def filled(part: PlannedPart, stored: Mapping[Digest, Stored]) -> tuple[Part, Mapping[str, Stored]]:
    """What the bundle says of the part, and by file name where its wheels are read.

    Raises HashMismatchError where an entry of the cache is damaged, and IntegrityError where two
    wheels would be one file.
    """
    members = []
    sources: dict[str, Stored] = {}
    for chosen in part.plan.chosen:
        entry = stored[Wanted.of(chosen).digest]
        members.append(_member(chosen, entry, part.plan))
        sources[chosen.file.name] = entry
    for each in part.built:
        members.append(_built_member(each, part.plan))
        sources[each.raw.name.filename] = each.stored
    names = [member.wheel.filename for member in members]
    _check_distinct(part.plan.target.name, names)
    target = part.plan.target
    return Part(target=target, members=tuple(members), excluded=part.plan.excluded), sources


def merged(parts: Iterable[tuple[Part, Mapping[str, Stored]]]) -> Mapping[str, Stored]:
    """Where the wheels of several parts are read, each file once.

    Raises IntegrityError where one file name stands for two wheels.
    """
    sources: dict[str, Stored] = {}
    for part, of_part in parts:
        for filename, entry in of_part.items():
            other = sources.setdefault(filename, entry)
            if other.digest != entry.digest:
                raise IntegrityError(_ambiguous_problem(part.target.name, filename))
        _check_distinct(part.target.name, sources)
    return sources


def _check_distinct(target: str, filenames: Iterable[str]) -> None:
    seen: dict[str, str] = {}
    for filename in filenames:
        other = seen.setdefault(filename.casefold(), filename)
        if other != filename:
            raise IntegrityError(
                Problem(
                    what=f"{other} and {filename} are one file where case does not count",
                    target=target,
                    file=filename,
                    hint="such a bundle could not be unpacked everywhere; one of the two has to go",
                )
            )


def _ambiguous_problem(target: str, filename: str) -> Problem:
    return Problem(
        what=f"{filename} is for {target} another file than for the targets before it",
        target=target,
        file=filename,
        hint="bundle this target on its own, without --combined",
    )


def _member(chosen: Chosen, entry: Stored, plan: Plan) -> Member:
    return Member(
        name=chosen.package.name,
        version=str(chosen.package.version),
        tag=chosen.tag,
        wheel=StoredWheel(filename=chosen.file.name, sha256=sha256_of(entry), size=entry.size),
        source=chosen.package.source,
        beyond=chosen.beyond,
        undecided=_undecided(chosen.package, plan),
    )


def _undecided(package: LockedPackage | None, plan: Plan) -> tuple[str, tuple[str, ...]] | None:
    """The marker that the target does not decide, and the variables that it depends on."""
    undecided = next((u for u in plan.undecided if u.package is package), None)
    return (str(undecided.marker), undecided.variables) if undecided else None


def _built_member(built: BuiltWheel, plan: Plan) -> Member:
    name, package = built.raw.name, built.origin.package
    return Member(
        name=name.name,
        version=str(name.version),
        tag=built.tag,
        wheel=StoredWheel(
            filename=name.filename, sha256=built.stored.digest.hex, size=built.stored.size
        ),
        source=package.source if package else None,
        built=True,
        undecided=_undecided(package, plan),
    )
