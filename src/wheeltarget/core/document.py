"""Plans and problems for programs: the document of ``--json`` (CONTRACT section 6)."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from wheeltarget.core.plan import Chosen, Excluded, ToBuild

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wheeltarget.core.errors import Problem
    from wheeltarget.core.model import LockedPackage, Project
    from wheeltarget.core.plan import Conflict, Entry, Undecided
    from wheeltarget.core.report import Explanation, PackageSize, Report, TargetReport

#: Version of the form of the document.
JSON_SCHEMA = 1


def json_document(
    report: Report | None,
    problems: Iterable[Problem] = (),
    explained: Sequence[Explanation] = (),
) -> Mapping[str, object]:
    """The document of ``--json``, schema 1.

    ``report`` is None where the run failed before there was a plan; ``problems`` are what it failed
    for, and then the document is not ok.
    """
    errors = [problem_json(problem) for problem in problems]
    document: dict[str, object] = {"schema": JSON_SCHEMA}
    if report is not None:
        document["project"] = _named(report.project)
    targets = report.targets if report is not None else ()
    document["ok"] = not errors and all(target.plan.ok for target in targets)
    document["targets"] = [_target_json(t, report.project) for t in targets] if report else []
    if explained:
        document["explained"] = [_explanation_json(explanation) for explanation in explained]
    if errors:
        document["errors"] = errors
    return document


def problem_json(problem: Problem) -> Mapping[str, object]:
    """A problem for a program: the fields that apply."""
    fields = {
        "what": problem.what,
        "package": problem.package,
        "target": problem.target,
        "file": problem.file,
        "hint": problem.hint,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _target_json(report: TargetReport, project: Project) -> Mapping[str, object]:
    plan = report.plan
    packages = [_entry_json(entry, report) for entry in plan.entries]
    if project.packaged:
        packages.append(_built_json(project, report))
    document: dict[str, object] = {
        "name": plan.target.name,
        "ok": plan.ok,
        "python": str(plan.target.python),
        "implementation": plan.target.implementation,
        "abis": list(plan.target.abis),
        "platforms": list(plan.target.platforms),
        "packages": sorted(packages, key=lambda package: str(package["name"])),
        "undecided": [_undecided_json(entry) for entry in plan.undecided],
        "fits-from": plan.fits_from.tag if plan.fits_from else None,
    }
    if report.provided:
        document["provided"] = list(report.provided)
    if plan.conflicts:
        document["conflicts"] = [_conflict_json(conflict) for conflict in plan.conflicts]
    if report.bundle:
        document["size"] = _sizes_json(report.sizes)
        document["bundle"] = {
            "path": report.bundle.path,
            "sha256": report.bundle.sha256,
            "size": report.bundle.size,
        }
    return document


def _sizes_json(sizes: Sequence[PackageSize]) -> Mapping[str, object]:
    return {
        "packed": sum(size.packed for size in sizes),
        "unpacked": sum(size.unpacked for size in sizes),
        "packages": [asdict(size) for size in sizes],
    }


def _named(package: LockedPackage | Project) -> dict[str, object]:
    return {"name": package.name, "version": str(package.version)}


def _entry_json(entry: Entry, report: TargetReport) -> dict[str, object]:
    document = _named(entry.package)
    if isinstance(entry, ToBuild):
        return _built_json(entry.package, report)
    if isinstance(entry, Chosen):
        digest = entry.file.digest
        document["outcome"] = "wheel"
        document["file"] = entry.file.name
        document["tag"] = entry.tag
        document["hash"] = str(digest) if digest else None
        if entry.beyond:
            document["beyond"] = True
    elif isinstance(entry, Excluded):
        document["outcome"] = "excluded"
    else:
        document["outcome"] = "unavailable"
        document["rejected"] = [
            {"file": r.file, "axis": r.axis.value, "detail": r.detail} for r in entry.rejections
        ]
        document["hint"] = entry.hint
    return document


def _built_json(package: LockedPackage | Project, report: TargetReport) -> dict[str, object]:
    document = {**_named(package), "outcome": "build"}
    if package.name in report.built:
        wheel, tag = report.built[package.name]
        document |= {
            "file": wheel.filename,
            "tag": tag,
            "hash": f"sha256:{wheel.sha256}",
        }
    return document


def _undecided_json(entry: Undecided) -> Mapping[str, object]:
    return {
        **_named(entry.package),
        "marker": str(entry.marker),
        "variable": ", ".join(entry.variables),
    }


def _conflict_json(conflict: Conflict) -> Mapping[str, object]:
    return {
        "name": conflict.name,
        "candidates": [
            {"version": str(package.version), "marker": str(marker)}
            for package, marker in conflict.candidates
        ],
        "variables": list(conflict.variables),
    }


def _explanation_json(explanation: Explanation) -> Mapping[str, object]:
    """Files that fit with their rank, the others with the axis that failed."""
    return {
        "target": explanation.target.name,
        **_named(explanation.package),
        "files": [
            {"file": row.file, "rank": row.rank, "tag": row.tag}
            if row.rejection is None
            else {
                "file": row.file,
                "axis": row.rejection.axis.value,
                "detail": row.rejection.detail,
            }
            for row in explanation.rows
        ],
    }
