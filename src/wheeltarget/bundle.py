"""The use case: settings, lock -> plans -> wheels -> bundles. Knows no Poetry, no terminal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from wheeltarget.core.errors import IntegrityError, PlanError, Problem, UsageError
from wheeltarget.core.explain import Compatibility
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
from wheeltarget.core.report import Report, WrittenBundle
from wheeltarget.core.request import report_on
from wheeltarget.core.sizes import human_size
from wheeltarget.core.wheelname import bundle_file_name
from wheeltarget.io.archive import ArchiveMember, Draft, write_draft
from wheeltarget.io.cache import HashMismatchError, Stored, is_intact, read_verified
from wheeltarget.io.index import Wanted
from wheeltarget.io.wheelcheck import unpacked_size
from wheeltarget.io.wheels import sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from wheeltarget.core.model import Digest
    from wheeltarget.core.plan import Chosen, Plan
    from wheeltarget.core.request import Request
    from wheeltarget.core.resolve import TargetSettings
    from wheeltarget.core.wheelname import WheelName
    from wheeltarget.io.archive import ZipTime
    from wheeltarget.io.cache import Cache

#: How often a bundle is written anew because an entry of the cache turned out to be damaged.
_HEALING_ROUNDS = 3


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

    ``build`` gives the project's own wheel and is called at most once; ``generator`` is the name
    and version that manifests carry; ``root`` is what paths in reports are relative to.
    """

    supply: WheelSupply
    build: Callable[[], tuple[WheelName, Stored]]
    generator: tuple[str, str]
    moment: ZipTime
    warn: Callable[[Problem], None]
    root: Path


# --- where bundles go -----------------------------------------------------------------------


def bundle_paths(
    request: Request, output: str | None, template: str, *, base: Path, here: Path
) -> tuple[Path, ...]:
    """The path of each target's bundle.

    ``output`` is what the user typed, relative to ``here``: a ``.zip`` path, a directory, or a
    template with ``{name}``, ``{version}``, ``{target}``. Else ``template`` holds, relative to
    ``base``, the project's folder.

    Raises UsageError where two bundles would be one file, or the template cannot be filled.
    """
    if output is None:
        root, pattern = base, template
    elif "{" in output or output.endswith(".zip"):
        root, pattern = here, output
    else:
        root, pattern = here / output, DEFAULT_NAME
    paths = tuple(root / _filled(pattern, request, s.target.name) for s in request.targets)
    if len({str(path).casefold() for path in paths}) < len(paths):
        raise UsageError(
            Problem(
                what=f"{len(paths)} targets cannot share the output {output or template}",
                hint="give a directory, or a template with {target}",
            )
        )
    return paths


DEFAULT_NAME = "{name}-{version}-{target}.zip"


def _filled(pattern: str, request: Request, target: str) -> str:
    project = request.project
    try:
        return bundle_file_name(
            pattern, name=project.name, version=str(project.version), target=target
        )
    except ValueError as error:
        raise UsageError(
            Problem(
                what=f"the output {pattern!r} cannot be filled in: {error}",
                hint="there are {name}, {version} and {target}",
            )
        ) from error


# --- bundling -------------------------------------------------------------------------------


def bundle_all(
    request: Request, plans: Sequence[Plan], paths: Sequence[Path], workshop: Workshop
) -> Report:
    """Write one bundle for each plan, all or none: they are put in place when all are finished.

    Raises the errors of its parts; no bundle that was there before is touched then.
    """
    # Built first: that it fails, or does not fit, should not be known only after long downloads.
    own = workshop.build() if request.project.packaged else None
    own_tags = [_own_tag(own, plan) for plan in plans]
    _check_built_for_target(request, plans, own_tags, workshop)
    wanted = [Wanted.of(chosen) for plan in plans for chosen in plan.chosen]
    stored = dict(workshop.supply.obtain(wanted))
    finished: list[_Finished] = []
    try:
        for plan, path, own_tag in zip(plans, paths, own_tags, strict=True):
            finished.append(_write_healing(request, plan, path, own_tag, workshop, stored))
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
                own_wheel=next(((m.wheel, m.tag) for m in each.members if m.built), None),
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
            listed = ", ".join(f"{m.name} {m.version} {human_size(sizes[m])}" for m in largest)
            name = settings.target.name
            problems.append(
                Problem(
                    what=f"the wheels for {name} unpack to {human_size(total)}, "
                    f"{human_size(total - limit)} more than the {human_size(limit)} that it takes; "
                    f"the largest are {listed}",
                    target=name,
                    hint="leave out what the target provides with --exclude, or what the project "
                    "does not need there",
                )
            )
    if problems:
        raise PlanError(*problems)


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


OwnWheel = tuple["WheelName", Stored, str]


def _own_tag(own: tuple[WheelName, Stored] | None, plan: Plan) -> OwnWheel | None:
    """The project's own wheel with the tag that fits the target. Raises PlanError if none does."""
    if own is None:
        return None
    name, stored = own
    best = Compatibility(plan.target).best(name)
    if best is None:
        raise PlanError(
            Problem(
                what=f"the project's own wheel {name.filename} does not fit {plan.target.name}: it "
                "was built for this machine",
                target=plan.target.name,
                file=name.filename,
                hint="bundle on such a machine, or leave it out with --no-root",
            )
        )
    return name, stored, best[1]


def _check_built_for_target(
    request: Request, plans: Sequence[Plan], own: Sequence[OwnWheel | None], workshop: Workshop
) -> None:
    """A bare linux tag promises no C library, and this machine's is probably newer.

    Such a wheel is warned of; with ``strict`` PlanError is raised.
    """
    for plan, wheel in zip(plans, own, strict=True):
        if wheel is None or "-linux_" not in wheel[2] or plan.target.primary.version is None:
            continue
        problem = Problem(
            what=f"the project's own wheel {wheel[0].filename} was built for the C library of this "
            f"machine; nothing says that it runs with {plan.target.primary.release}",
            target=plan.target.name,
            file=wheel[0].filename,
            hint="bundle on a machine as old as the target",
        )
        if request.strict:
            raise PlanError(problem)
        workshop.warn(problem)


def _write_healing(
    request: Request,
    plan: Plan,
    path: Path,
    own: OwnWheel | None,
    workshop: Workshop,
    stored: dict[Digest, Stored],
) -> _Finished:
    """Write a bundle; where entries of the cache are damaged, fetch them again and start over.

    Entries are verified while they are copied, so that a bundle costs one reading of them.
    """
    for _ in range(_HEALING_ROUNDS):
        try:
            return _write_bundle(request, plan, path, own, workshop, stored)
        except HashMismatchError as error:
            wanted = {each.digest: each for each in map(Wanted.of, plan.chosen)}
            if error.digest not in wanted:
                raise IntegrityError(_changed_problem(request)) from error
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


def _changed_problem(request: Request) -> Problem:
    return Problem(
        what="the project's own wheel changed while it was bundled",
        package=f"{request.project.name} {request.project.version}",
        hint="something else writes into the folder for temporary files; run it again",
    )


def _write_bundle(
    request: Request,
    plan: Plan,
    path: Path,
    own: OwnWheel | None,
    workshop: Workshop,
    stored: Mapping[Digest, Stored],
) -> _Finished:
    sources: dict[str, Stored] = {}
    members = []
    for chosen in plan.chosen:
        entry = stored[Wanted.of(chosen).digest]
        members.append(_member(chosen, entry, plan))
        sources[chosen.file.name] = entry
    if own is not None:
        name, entry, tag = own
        members.append(_own_member(name, entry, tag))
        sources[name.filename] = entry
    _check_distinct(plan, list(sources))
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
    undecided = next((u for u in plan.undecided if u.package is chosen.package), None)
    return Member(
        name=chosen.package.name,
        version=str(chosen.package.version),
        tag=chosen.tag,
        wheel=StoredWheel(filename=chosen.file.name, sha256=sha256_of(entry), size=entry.size),
        source=chosen.package.source,
        beyond=chosen.beyond,
        undecided=(str(undecided.marker), undecided.variables) if undecided else None,
    )


def _own_member(name: WheelName, entry: Stored, tag: str) -> Member:
    return Member(
        name=name.name,
        version=str(name.version),
        tag=tag,
        wheel=StoredWheel(filename=name.filename, sha256=entry.digest.hex, size=entry.size),
        built=True,
    )
