"""What a run writes beside its bundles: bills of materials, and files of URLs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheeltarget.core.errors import PlanError
from wheeltarget.core.exporturls import lacking_problems, secret_problems, urls_text
from wheeltarget.io.archive import text_draft
from wheeltarget.io.index import Wanted
from wheeltarget.io.sbom import bill_of, sbom_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from wheeltarget.bundle.workshop import Workshop
    from wheeltarget.bundle.writing import Finished
    from wheeltarget.core.errors import Problem
    from wheeltarget.core.manifest import Part
    from wheeltarget.core.model import Requirement
    from wheeltarget.core.plan import Plan
    from wheeltarget.core.request import Request
    from wheeltarget.io.archive import Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is asked for beside the bundles: a path for each target, none where it is not wanted.

    ``wanted`` is what the project asks for, in the groups of the run. ``dated`` says that the
    time of the bundles is one that was chosen.
    """

    sboms: Sequence[Path] = ()
    urls: Sequence[Path] = ()
    wanted: Sequence[Requirement] = ()
    dated: bool = False


NOTHING = Beside()


def find_urls(
    request: Request, plans: Sequence[Plan], workshop: Workshop
) -> Sequence[Mapping[str, str]]:
    """For each plan the URLs of its wheels by file name, as they were found, with their secrets.

    What has no URL, or one that may not work for others, is a warning. Raises PlanError with all
    of that where the request is ``strict``, and what the supply raises.
    """
    _tell([p for plan in plans for p in lacking_problems(request.project, plan)], request, workshop)
    wanted = [Wanted.of(chosen) for plan in plans for chosen in plan.chosen]
    links = workshop.supply.links_for(wanted)
    found = []
    for plan in plans:
        urls = {}
        for chosen in plan.chosen:
            source = chosen.package.source
            if source.kind == "url":
                urls[chosen.file.name] = source.url or ""
            elif of_file := links.get(Wanted.of(chosen).digest):
                urls[chosen.file.name] = of_file[0].url
        found.append(urls)
    secret = (secret_problems(plan, urls) for plan, urls in zip(plans, found, strict=True))
    _tell([problem for of_plan in secret for problem in of_plan], request, workshop)
    return found


def _tell(problems: Sequence[Problem], request: Request, workshop: Workshop) -> None:
    if request.strict and problems:
        raise PlanError(*problems)
    for problem in problems:
        workshop.warn(problem)


def drafts_beside(
    beside: Beside,
    parts: Sequence[tuple[Part, Finished]],
    urls: Sequence[Mapping[str, str]],
    workshop: Workshop,
) -> Iterator[Draft]:
    """The files that are asked for, not yet in their places; the parts are in order of targets.

    Raises FileSystemError.
    """
    for path, (part, _), of_part in zip(beside.urls, parts, urls, strict=False):
        yield text_draft(path, urls_text(part, of_part))
    for path, (part, finished) in zip(beside.sboms, parts, strict=False):
        bill = bill_of(finished.contents, part, finished.sources, beside.wanted)
        for problem in bill.problems:
            workshop.warn(problem)
        moment = workshop.moment if beside.dated else None
        yield text_draft(path, sbom_text(bill, bundle=finished.draft.sha256, moment=moment))
