"""Bundling: all targets of a run, all or none."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from wheeltarget.bundle.beside import NOTHING, Beside, drafts_beside, find_urls
from wheeltarget.bundle.building import build_all
from wheeltarget.bundle.parts import PlannedPart
from wheeltarget.bundle.sizes import check_sizes, sizes_of
from wheeltarget.bundle.writing import PlannedBundle, write_bundle
from wheeltarget.core.report import Report, WrittenBundle
from wheeltarget.core.request import report_on
from wheeltarget.io.bytecode import find_interpreter
from wheeltarget.io.index import Wanted
from wheeltarget.io.paths import shown_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from wheeltarget.bundle.workshop import Workshop
    from wheeltarget.bundle.writing import Finished
    from wheeltarget.core.manifest import Part
    from wheeltarget.core.plan import Plan
    from wheeltarget.core.report import PackageSize
    from wheeltarget.core.request import Request


def bundle_all(
    request: Request,
    plans: Sequence[Plan],
    paths: Sequence[Path],
    workshop: Workshop,
    beside: Beside = NOTHING,
) -> Report:
    """Write one bundle for each plan, or one for all where the request is ``combined``.

    All or none: they are put in place when all are finished, and with them what is written
    ``beside`` them. Raises the errors of its parts; no file from before is touched then.
    """
    pythons = [find_interpreter(s.target) if s.compile else None for s in request.targets]
    urls = find_urls(request, plans, workshop) if beside.urls else []
    # Built first: that it fails, or does not fit, should not be known only after long downloads.
    built = build_all(request, plans, workshop)
    parts = [
        PlannedPart(settings=settings, plan=plan, built=of_plan)
        for settings, plan, of_plan in zip(request.targets, plans, built, strict=True)
    ]
    wanted = [Wanted.of(chosen) for plan in plans for chosen in plan.chosen]
    stored = dict(workshop.supply.obtain(wanted))
    finished = []
    with ExitStack() as drafts:
        for planned in _planned_bundles(request, parts, paths, pythons):
            each = write_bundle(request, planned, workshop, stored)
            drafts.callback(each.draft.discard)
            finished.append(each)
        # Only now: what is measured has been verified while it was written.
        measured = [(part, each, sizes_of(part, each.sources)) for part, each in _parts(finished)]
        check_sizes(
            (settings, sizes, each.tree_size)
            for settings, (_, each, sizes) in zip(request.targets, measured, strict=True)
        )
        ready = [each.draft for each in finished]
        for draft in drafts_beside(beside, list(_parts(finished)), urls, workshop):
            drafts.callback(draft.discard)
            ready.append(draft)
        for draft in ready:
            draft.publish()
    return _report(request, plans, measured, workshop.root)


def _planned_bundles(
    request: Request,
    parts: Sequence[PlannedPart],
    paths: Sequence[Path],
    pythons: Sequence[str | None],
) -> Iterator[PlannedBundle]:
    if request.combined:
        (path,) = paths
        yield PlannedBundle(path=path, parts=tuple(parts), combined=True)
    else:
        for part, path, python in zip(parts, paths, pythons, strict=True):
            yield PlannedBundle(path=path, parts=(part,), python=python)


def _parts(finished: Sequence[Finished]) -> Iterator[tuple[Part, Finished]]:
    """Each target's part, in order, and the bundle that it is in."""
    for each in finished:
        for part in each.parts:
            yield part, each


def _report(
    request: Request,
    plans: Sequence[Plan],
    measured: Sequence[tuple[Part, Finished, tuple[PackageSize, ...]]],
    root: Path,
) -> Report:
    report = report_on(request, plans)
    return replace(
        report,
        targets=tuple(
            replace(
                target,
                bundle=_written(finished, root),
                sizes=sizes,
                built={m.name: (m.wheel, m.tag) for m in part.members if m.built},
            )
            for target, (part, finished, sizes) in zip(report.targets, measured, strict=True)
        ),
    )


def _written(finished: Finished, root: Path) -> WrittenBundle:
    draft = finished.draft
    return WrittenBundle(
        path=shown_path(draft.path, root),
        size=draft.size,
        sha256=draft.sha256,
        wheels=len(finished.sources),
    )
