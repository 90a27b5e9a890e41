"""Wheels that nobody has: built for each target, compared with it and with the lock."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from wheeltarget.core.built import Origin, doubt, misfit, tag_for, untruths
from wheeltarget.core.errors import IntegrityError, PlanError, WheeltargetError
from wheeltarget.io.index import problems_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from wheeltarget.bundle.workshop import Workshop
    from wheeltarget.core.plan import Plan, ToBuild
    from wheeltarget.core.request import Request
    from wheeltarget.core.resolve import TargetSettings
    from wheeltarget.io.build import RawWheel
    from wheeltarget.io.cache import Stored


@dataclass(frozen=True, kw_only=True)
class BuiltWheel:
    """A wheel that was built for one target, with the tag that fits."""

    origin: Origin
    raw: RawWheel
    tag: str
    stored: Stored


def build_all(
    request: Request, plans: Sequence[Plan], workshop: Workshop
) -> Sequence[Sequence[BuiltWheel]]:
    """What has to be built for each plan, each thing once.

    Raises an error of the gravest kind, with all that went wrong.
    """
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
) -> BuiltWheel:
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
    stored = workshop.builder.finish(raw, versions)
    return BuiltWheel(origin=origin, raw=raw, tag=tag, stored=stored)
