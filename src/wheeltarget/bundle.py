"""The use case: settings, lock -> plans -> wheels -> bundles. Knows no Poetry, no terminal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from wheeltarget.core.built import Origin, doubt, misfit, tag_for, untruths
from wheeltarget.core.errors import IntegrityError, PlanError, Problem, WheeltargetError
from wheeltarget.core.manifest import (
    MANIFEST_NAME,
    REQUIREMENTS_NAME,
    WHEELS_FOLDER,
    Contents,
    Member,
    manifest_text,
    requirements_text,
)
from wheeltarget.core.model import StoredWheel
from wheeltarget.core.report import Report, WrittenBundle, aligned
from wheeltarget.core.request import report_on
from wheeltarget.core.sizes import human_size
from wheeltarget.io.archive import ArchiveMember, Draft, write_draft
from wheeltarget.io.cache import HashMismatchError, Stored, is_intact, read_verified
from wheeltarget.io.index import Wanted, problems_of
from wheeltarget.io.wheelcheck import unpacked_size
from wheeltarget.io.wheels import sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from wheeltarget.core.model import Digest, LockedPackage
    from wheeltarget.core.plan import Chosen, Plan, ToBuild
    from wheeltarget.core.request import Request
    from wheeltarget.core.resolve import TargetSettings
    from wheeltarget.io.archive import ZipTime
    from wheeltarget.io.build import RawWheel
    from wheeltarget.io.cache import Cache

#: How often a bundle is written anew because an entry of the cache turned out to be damaged.
_HEALING_ROUNDS = 3


class WheelBuilder(Protocol):
    """Where wheels come from that nobody has. See :class:`wheeltarget.io.build.Builder`."""

    def own(self) -> RawWheel:
        """The project's own wheel."""

    def prepare(self, entries: Sequence[ToBuild]) -> None:
        """Get what is needed to build them."""

    def package(self, entry: ToBuild) -> RawWheel:
        """The wheel of a locked package."""

    def keep(self, entry: ToBuild, raw: RawWheel) -> None:
        """Remember a wheel that is what it must be."""

    def finish(self, raw: RawWheel, versions: Mapping[NormalizedName, Version]) -> Stored:
        """A wheel as it goes into a bundle with these versions."""


class WheelSupply(Protocol):
    """Where wheels come from. See :class:`wheeltarget.io.wheels.Supply`."""

    @property
    def cache(self) -> Cache:
        """Where its wheels are kept."""

    def obtain(self, wanted: Iterable[Wanted]) -> Mapping[Digest, Stored]:
        """All wanted wheels, each stored under its locked hash."""


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """What bundling needs of the outside world.

    ``generator`` is the name and version that manifests carry; ``root`` is what paths in reports
    are relative to.
    """

    supply: WheelSupply
    builder: WheelBuilder
    generator: tuple[str, str]
    moment: ZipTime
    warn: Callable[[Problem], None]
    root: Path


# --- bundling -------------------------------------------------------------------------------


def bundle_all(
    request: Request, plans: Sequence[Plan], paths: Sequence[Path], workshop: Workshop
) -> Report:
    """Write one bundle for each plan, all or none: they are put in place when all are finished.

    Raises the errors of its parts; no bundle that was there before is touched then.
    """
    # Built first: that it fails, or does not fit, should not be known only after long downloads.
    built = _build_all(request, plans, workshop)
    wanted = [Wanted.of(chosen) for plan in plans for chosen in plan.chosen]
    stored = dict(workshop.supply.obtain(wanted))
    finished: list[_Finished] = []
    try:
        for plan, path, own in zip(plans, paths, built, strict=True):
            finished.append(_write_healing(request, plan, path, own, workshop, stored))
        # Only now: what is measured has been verified while it was written.
        _check_sizes(request.targets, finished)
        for each in finished:
            each.draft.publish()
    finally:
        for each in finished:
            each.draft.discard()
    report = report_on(request, plans)
    return replace(
        report,
        targets=tuple(
            replace(
                target,
                bundle=_written(each.draft, len(each.members), workshop.root),
                built={m.name: (m.wheel, m.tag) for m in each.members if m.built},
            )
            for target, each in zip(report.targets, finished, strict=True)
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _Finished:
    """A bundle that is not yet in its place, what it holds, and where its wheels were read."""

    draft: Draft
    members: Sequence[Member]
    sources: Mapping[str, Stored]


#: So many of the largest packages are named where a bundle is too large.
_LARGEST = 10


def _check_sizes(targets: Sequence[TargetSettings], finished: Sequence[_Finished]) -> None:
    """Raises PlanError where the wheels of a bundle unpack to more than its target takes."""
    problems = []
    for settings, each in zip(targets, finished, strict=True):
        limit = settings.max_unpacked_size
        if limit is None:
            continue
        sizes = {m: _unpacked(m, each.sources[m.wheel.filename]) for m in each.members}
        total = sum(sizes.values())
        if total > limit:
            largest = sorted(sizes, key=lambda m: (-sizes[m], m.name))[:_LARGEST]
            listed = aligned((f"    {m.name} {m.version}", human_size(sizes[m])) for m in largest)
            name = settings.target.name
            problems.append(
                Problem(
                    what=f"the wheels for {name} unpack to {human_size(total)}, "
                    f"{human_size(total - limit)} more than the {human_size(limit)} that it takes; "
                    "the largest are\n" + "\n".join(listed),
                    target=name,
                    hint=_smaller_hint(settings, each.members),
                )
            )
    if problems:
        raise PlanError(*problems)


def _smaller_hint(settings: TargetSettings, members: Sequence[Member]) -> str:
    provides = settings.preset.provides if settings.preset else ()
    provided = [member.name for member in members if member.name in provides]
    if provided:
        return f"the runtime has {', '.join(provided)}: --exclude {','.join(provided)}"
    return "leave out what the target provides, or what the project does not need there, --exclude"


def _unpacked(member: Member, stored: Stored) -> int:
    try:
        return unpacked_size(stored)
    except ValueError as error:
        filename = member.wheel.filename
        raise IntegrityError(
            Problem(
                what=f"{filename} cannot be measured: {error}",
                package=f"{member.name} {member.version}",
                file=filename,
                hint="the locked file itself is broken; lock another version",
            )
        ) from error


def _written(draft: Draft, wheels: int, root: Path) -> WrittenBundle:
    path = draft.path
    shown = path.relative_to(root) if path.is_relative_to(root) else path
    return WrittenBundle(path=str(shown), size=draft.size, sha256=draft.sha256, wheels=wheels)


# --- what is built ----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Built:
    """A wheel that was built for one bundle, with the tag that fits its target."""

    origin: Origin
    raw: RawWheel
    tag: str
    stored: Stored


def _build_all(
    request: Request, plans: Sequence[Plan], workshop: Workshop
) -> Sequence[Sequence[_Built]]:
    """What has to be built for each plan, each thing once. Raises with all that went wrong."""
    entries = list({_key_of(e): e for plan in plans for e in plan.to_build}.values())
    if entries:
        workshop.builder.prepare(entries)
    raws: dict[str, RawWheel] = {}
    failures: list[WheeltargetError] = []
    for key, _, build in _to_build(request, plans, workshop):
        try:
            raws[key] = build()
        except WheeltargetError as error:
            failures.append(error)
    results = []
    for plan, settings in zip(plans, request.targets, strict=True):
        of_plan = []
        for key, origin, _ in _to_build(request, [plan], workshop):
            if key not in raws:
                continue
            try:
                of_plan.append(_fitted(origin, raws[key], plan, settings, request, workshop))
            except WheeltargetError as error:
                failures.append(error)
        results.append(of_plan)
    if failures:
        gravest, problems = problems_of(failures)
        raise gravest(*problems)
    for entry in entries:
        workshop.builder.keep(entry, raws[_key_of(entry)])
    return results


def _to_build(
    request: Request, plans: Sequence[Plan], workshop: Workshop
) -> Iterator[tuple[str, Origin, Callable[[], RawWheel]]]:
    """What has to be built, each thing once: a key, what it is, and how."""
    if request.project.packaged:
        yield "", Origin(project=request.project), workshop.builder.own
    entries = {_key_of(entry): entry for plan in plans for entry in plan.to_build}
    for key, entry in entries.items():
        origin = Origin(project=request.project, package=entry.package)
        yield key, origin, partial(workshop.builder.package, entry)


def _key_of(entry: ToBuild) -> str:
    return f"{entry.package} {entry.package.source}"


def _fitted(
    origin: Origin,
    raw: RawWheel,
    plan: Plan,
    settings: TargetSettings,
    request: Request,
    workshop: Workshop,
) -> _Built:
    """The wheel as it goes into the bundle. Raises PlanError or IntegrityError."""
    target = plan.target
    if origin.package is not None:
        target = settings.target_for(origin.package.name)
        if problems := list(untruths(origin.package, raw.name, raw.metadata, target)):
            raise IntegrityError(*problems)
    tag = tag_for(raw.name, target)
    if tag is None:
        raise PlanError(misfit(origin, raw.name, target))
    if (problem := doubt(origin, raw.name, tag, target)) is not None:
        if request.strict:
            raise PlanError(problem)
        workshop.warn(problem)
    versions = {entry.package.name: entry.package.version for entry in plan.entries}
    return _Built(origin=origin, raw=raw, tag=tag, stored=workshop.builder.finish(raw, versions))


# --- writing ----------------------------------------------------------------------------------


def _write_healing(
    request: Request,
    plan: Plan,
    path: Path,
    built: Sequence[_Built],
    workshop: Workshop,
    stored: dict[Digest, Stored],
) -> _Finished:
    """Write a bundle; where entries of the cache are damaged, fetch them again and start over.

    Entries are verified while they are copied, so that a bundle costs one reading of them.
    """
    for _ in range(_HEALING_ROUNDS):
        try:
            return _write_bundle(request, plan, path, built, workshop, stored)
        except HashMismatchError as error:
            wanted = {each.digest: each for each in map(Wanted.of, plan.chosen)}
            if error.digest not in wanted:
                raise IntegrityError(_changed_problem()) from error
            damaged = [each for d, each in wanted.items() if not is_intact(stored[d])]
            for each in damaged:
                workshop.supply.cache.discard(each.digest)
            # One that reads badly once and well the next time needs no fetching.
            stored.update(workshop.supply.obtain(damaged))
    raise IntegrityError(
        Problem(
            what="the cache gives back other bytes than were written into it, again and again",
            hint="check the disk, or use --no-cache",
        )
    )


def _changed_problem() -> Problem:
    return Problem(
        what="a wheel that was built here changed while it was bundled",
        hint="something else writes into the folder for temporary files; run it again",
    )


def _write_bundle(
    request: Request,
    plan: Plan,
    path: Path,
    built: Sequence[_Built],
    workshop: Workshop,
    stored: Mapping[Digest, Stored],
) -> _Finished:
    sources: dict[str, Stored] = {}
    members = []
    for chosen in plan.chosen:
        entry = stored[Wanted.of(chosen).digest]
        members.append(_member(chosen, entry, plan))
        sources[chosen.file.name] = entry
    for each in built:
        members.append(_built_member(each, plan))
        sources[each.raw.name.filename] = each.stored
    _check_distinct(
        plan, [*(c.file.name for c in plan.chosen), *(b.raw.name.filename for b in built)]
    )
    contents = Contents(
        generator=workshop.generator,
        project=request.project,
        content_hash=request.lock.content_hash,
        target=plan.target,
        groups=tuple(request.groups),
        extras=tuple(request.extras),
        members=tuple(members),
        excluded=plan.excluded,
    )
    draft = write_draft(path, _archive_members(contents, sources), workshop.moment)
    return _Finished(draft=draft, members=members, sources=sources)


def _check_distinct(plan: Plan, filenames: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for filename in filenames:
        other = seen.setdefault(filename.casefold(), filename)
        if other != filename:
            raise IntegrityError(
                Problem(
                    what=f"{other} and {filename} are one file where case does not count",
                    target=plan.target.name,
                    file=filename,
                )
            )


def _archive_members(contents: Contents, sources: Mapping[str, Stored]) -> Iterable[ArchiveMember]:
    """The members in the order that the contract fixes."""
    yield ArchiveMember.of_text(MANIFEST_NAME, manifest_text(contents))
    yield ArchiveMember.of_text(REQUIREMENTS_NAME, requirements_text(contents))
    for filename, entry in sorted(sources.items()):
        yield ArchiveMember(
            name=f"{WHEELS_FOLDER}/{filename}",
            size=entry.size,
            content=partial(read_verified, entry),
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


def _built_member(built: _Built, plan: Plan) -> Member:
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
