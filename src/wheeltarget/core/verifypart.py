"""What is wrong with the packages that a bundle has for one target."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from wheeltarget.core.bundlefile import manifest_problem
from wheeltarget.core.closure import RequirementError, closure, requirements_on
from wheeltarget.core.errors import Problem
from wheeltarget.core.wheelname import parse_wheel_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.requirements import Requirement
    from packaging.utils import NormalizedName

    from wheeltarget.core.bundlefile import Manifest, ReadPart
    from wheeltarget.core.closure import Need
    from wheeltarget.core.manifest import Contents, Member
    from wheeltarget.core.metadata import Metadata
    from wheeltarget.core.target import Target

_MAIN = "main"
#: No real marker has as many; the time that one takes can double with each two of them.
_MOST_COMPARISONS = 20


def part_findings(
    part: ReadPart, manifest: Manifest, metadata: Mapping[str, Metadata | str]
) -> tuple[list[Problem], list[Problem]]:
    """Problems and warnings. ``metadata`` by the file name of the wheel; a text is why not."""
    problems = [*_twice(part)]
    tags = frozenset(part.target.tags) if part.target else None
    for member in part.members:
        place = f"{part.path}{'.' if part.path else ''}packages: {member.wheel.filename}"
        problems += [
            manifest_problem(f"{place} {reason}", part.name)
            for reason in _contradictions(member, manifest, tags)
        ]
        problems += _metadata_problems(member, metadata.get(member.wheel.filename), part)
    if manifest.contents is None or part.target is None:
        return problems, []
    unmet, doubtful = _closure_findings(part, part.target, manifest.contents, metadata)
    return problems + unmet, doubtful


def _twice(part: ReadPart) -> Iterator[Problem]:
    names = Counter(member.name for member in part.members)
    names += Counter({entry.package.name for entry in part.excluded})
    for name, times in names.items():
        if times > 1:
            yield manifest_problem(f"{name} stands there {times} times", part.name)


def _contradictions(
    member: Member, manifest: Manifest, tags: frozenset[str] | None
) -> Iterator[str]:
    wheel = parse_wheel_name(member.wheel.filename)
    if (wheel.name, wheel.version) != (member.name, Version(member.version)):
        yield f"is not a file of {member.name} {member.version}"
    if member.tag not in wheel.tags():
        yield f"has no tag {member.tag!r}"
    elif tags is not None and member.tag not in tags and not member.beyond:
        yield f"does not fit the target, which has no tag {member.tag!r}"
    if (member.record is not None) != (manifest.layout == "site-packages"):
        yield "has a record, or has none, unlike its layout"
    if member.record is not None and not _is_record(member.record[0], manifest.prefix):
        yield f"has a record that is no {manifest.prefix}*.dist-info/RECORD"


def _is_record(name: str, prefix: str) -> bool:
    folder, _, file = name.removeprefix(prefix).partition("/")
    return name.startswith(prefix) and folder.endswith(".dist-info") and file == "RECORD"


def _metadata_problems(
    member: Member, metadata: Metadata | str | None, part: ReadPart
) -> Iterator[Problem]:
    if metadata is None:
        return
    wheel = parse_wheel_name(member.wheel.filename)
    if isinstance(metadata, str):
        what = f"{member.wheel.filename}: {metadata}"
    elif (metadata.name, metadata.version) != (wheel.name, wheel.version):
        said = f"{metadata.name} {metadata.version}"
        what = f"{member.wheel.filename}: METADATA says that it is {said}"
    else:
        return
    yield Problem(
        what=what,
        package=f"{member.name} {member.version}",
        target=part.name,
        file=member.wheel.filename,
        hint="the wheel itself is broken: lock another version, and bundle anew",
    )


# --- what packages require ------------------------------------------------------------------------


def _closure_findings(
    part: ReadPart,
    target: Target,
    contents: Contents,
    metadata: Mapping[str, Metadata | str],
) -> tuple[list[Problem], list[Problem]]:
    """What is required and not there: for sure, and perhaps."""
    requires: dict[NormalizedName, tuple[Requirement, ...]] = {}
    sure: list[Problem] = []
    doubtful: list[Problem] = []
    for member, of_wheel in _required(part, contents, metadata):
        unread = dict.fromkeys(of_wheel.unread, "it does not follow PEP 508")
        unread |= dict(_not_evaluated(target, of_wheel.requires))
        doubtful += (_unread(member, text, why, part) for text, why in unread.items())
        requires[member.name] = tuple(r for r in of_wheel.requires if str(r) not in unread)
    wanted = {contents.project.name: frozenset(map(canonicalize_name, contents.extras))}
    members = {member.name: member for member in part.members}
    excluded = {entry.package.name for entry in part.excluded}
    for name, needs in closure(target.environment, requires, wanted).items():
        for need in needs:
            lack = None if need.name in excluded else _lack(need, members)
            if lack is not None:
                found = sure if need.sure else doubtful
                found.append(_unmet(members[name], need, lack, part))
    return sure, doubtful


def _required(
    part: ReadPart, contents: Contents, metadata: Mapping[str, Metadata | str]
) -> Iterator[tuple[Member, Metadata]]:
    """The packages whose requirements count, and their METADATA."""
    for member in part.members:
        of_wheel = metadata.get(member.wheel.filename)
        # Without the group main the project has not what it requires, and is not meant to.
        own = member.source is None and member.name == contents.project.name
        if of_wheel is None or isinstance(of_wheel, str):
            continue
        if not own or _MAIN in contents.groups:
            yield member, of_wheel


def _not_evaluated(target: Target, requires: Iterable[Requirement]) -> Iterator[tuple[str, str]]:
    """Requirements of which nobody knows whether they hold on the target, and why."""
    for requirement in requires:
        if str(requirement.marker or "").count('"') > 2 * _MOST_COMPARISONS:
            yield str(requirement), f"its marker has more than {_MOST_COMPARISONS} comparisons"
            continue
        try:
            requirements_on(target.environment, [requirement])
        except RequirementError as error:
            yield str(requirement), str(error)


def _unread(member: Member, text: str, why: str, part: ReadPart) -> Problem:
    return Problem(
        what=f"{member.name} {member.version} requires {text!r}, which was not looked for: {why}",
        package=f"{member.name} {member.version}",
        target=part.name,
        file=member.wheel.filename,
        hint="see whether the bundle has what is required",
    )


def _lack(need: Need, members: Mapping[NormalizedName, Member]) -> str | None:
    member = members.get(need.name)
    if member is None:
        return "which is not in the bundle"
    try:
        met = need.met_by(Version(member.version))
    except ValueError:  # a version with a number of thousands of digits
        return "which is no version"
    return None if met else f"the bundle has {member.version}"


def _unmet(member: Member, need: Need, lack: str, part: ReadPart) -> Problem:
    wanted = f"{need.name}{str(need.requirement.specifier)[:100]}"
    may = "" if need.sure else "may require"
    what = f"{member.name} {member.version} {may or 'requires'} {wanted}, {lack}"
    if may:
        what += f"; the target does not say {', '.join(need.verdict.variables)}"
    return Problem(
        what=what,
        package=f"{member.name} {member.version}",
        target=part.name,
        file=member.wheel.filename,
        hint="bundle it anew, with all that is required, or exclude what the platform provides",
    )
