"""Plans and problems for people. Returns lines, never prints.

Text may quote untrusted input; whoever prints it must escape markup.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from textwrap import wrap
from typing import TYPE_CHECKING

from wheeltarget.core.explain import interpreter_name
from wheeltarget.core.manifest import git_address
from wheeltarget.core.platforms import version_of
from wheeltarget.core.sizes import human_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.utils import NormalizedName

    from wheeltarget.core.errors import Problem
    from wheeltarget.core.model import LockedPackage, Project, StoredWheel
    from wheeltarget.core.plan import Conflict, Explained, Plan, ToBuild, Unavailable
    from wheeltarget.core.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenBundle:
    """A bundle on disk: ``path`` as a user would type it, ``size`` in bytes, number of wheels."""

    path: str
    size: int
    sha256: str
    wheels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSize:
    """The size of one wheel of a bundle in bytes, as it is and unpacked."""

    name: NormalizedName
    version: str
    packed: int
    unpacked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetReport:
    """What is to be said of one target.

    ``provided`` are packages that its runtime has already. ``built`` has the wheels that were
    built, with the tag that fits. ``sizes`` has those of all wheels, the largest first; both, like
    ``bundle``, only once it is written.
    """

    plan: Plan
    provided: tuple[NormalizedName, ...] = ()
    bundle: WrittenBundle | None = None
    built: Mapping[NormalizedName, tuple[StoredWheel, str]] = field(default_factory=dict)
    sizes: tuple[PackageSize, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is to be said of a run."""

    project: Project
    targets: tuple[TargetReport, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Every locked file of a package, seen from one target."""

    target: Target
    package: LockedPackage
    rows: tuple[Explained, ...]


# --- lines ------------------------------------------------------------------------------------


def target_title(target: Target) -> str:
    """``Python 3.8, glibc 2.12, x86_64``."""
    name = interpreter_name(target.interpreter, "").removeprefix("C")
    patch = f".{target.python.patch}" if target.python.patch is not None else ""
    threaded = " free-threaded" if target.free_threaded else ""
    return f"{name}{patch}{threaded}, {target.primary.title}"


def plan_lines(report: TargetReport, project: Project, *, verbose: bool = False) -> list[str]:
    """The report on one target; ``verbose`` names the file chosen for every package too."""
    plan = report.plan
    own = 1 if project.packaged else 0
    total = len(plan.chosen) + len(plan.to_build) + len(plan.unavailable) + own
    lines = [
        f"{project.name} {project.version} for {plan.target.name}: {target_title(plan.target)}",
        "",
        *_indented(_summary_lines(plan, total)),
    ]
    for title, rows in (
        ("Chosen:", _chosen_rows(plan, project) if verbose else []),
        ("To be built from source:", _build_rows(plan)),
        ("Left out, because the target provides them:", _excluded_rows(plan)),
        ("More than the target promises, as allowed for these packages:", _beyond_rows(plan)),
        (
            "Included, although the target does not decide their marker:",
            _undecided_rows(plan),
        ),
        ("Several versions of one package apply:", _conflict_rows(plan)),
        ("Without a hash that can be trusted:", _untrusted_rows(plan)),
        ("The runtime has these already; they can be left out:", _provided_rows(report)),
    ):
        if rows:
            lines += ["", f"  {title}", "", *_indented(rows)]
    return lines


def _summary_lines(plan: Plan, total: int) -> list[str]:
    if not plan.unavailable:
        what = "The only package has" if total == 1 else f"All {total} packages have"
        return [f"{what} a wheel." if total else "No package applies to this target."]
    found = total - len(plan.unavailable)
    return [
        f"{found} of {total} packages {'has' if found == 1 else 'have'} a wheel. Missing:",
        "",
        *aligned(_missing_row(entry) for entry in plan.unavailable),
        "",
        *_way_out_lines(plan, total),
    ]


def _missing_row(entry: Unavailable) -> tuple[str, ...]:
    count = len(entry.rejections)
    files = f"({count} file{'' if count == 1 else 's'}, --explain {entry.package.name})"
    return str(entry.package), entry.hint, files if count else ""


def _way_out_lines(plan: Plan, total: int) -> list[str]:
    """The smallest change of the target with which all have a wheel, or what remains anyway."""
    if plan.fits_from:
        return [f"All {total} would fit {plan.fits_from.familiar_tag}."]
    remaining = [str(entry.package) for entry in plan.unavailable if entry.fits_from is None]
    own = plan.target.primary
    any_version = f", whatever its {own.scale}," if own.ordered else ""
    lines = _wrapped(f"This target{any_version} has no wheel of", remaining)
    helped = [entry.fits_from for entry in plan.unavailable if entry.fits_from]
    if helped:
        best = max(helped, key=version_of)
        lines.append(f"All others would fit {best.familiar_tag}.")
    return lines


#: Lines of a list of packages are not longer, so that a terminal need not break them.
_WIDTH = 100


def _wrapped(beginning: str, packages: Iterable[str]) -> list[str]:
    """A sentence that ends in a list, in lines that part no name from its version."""
    listed = ", ".join(package.replace(" ", "\N{NO-BREAK SPACE}") for package in packages)
    lines = wrap(
        f"{beginning} {listed}.",
        _WIDTH,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def _chosen_rows(plan: Plan, project: Project) -> list[str]:
    own = [(f"{project.name} {project.version}", "(its own wheel, to be built)")]
    chosen = [(str(entry.package), entry.file.name) for entry in plan.chosen]
    built = [(str(entry.package), f"(to be built from {origin(entry)})") for entry in plan.to_build]
    return aligned(sorted(chosen + built + (own if project.packaged else [])))


def _build_rows(plan: Plan) -> list[str]:
    return aligned((str(entry.package), f"from {origin(entry)}") for entry in plan.to_build)


def origin(entry: ToBuild) -> str:
    """What a package is built from, for a person."""
    if entry.file is not None:
        return entry.file.name
    source = entry.package.source
    place = source.url or ""
    if source.kind == "git":
        return f"{git_address(place)} at {(source.commit or '')[:12]}"
    return place


def _excluded_rows(plan: Plan) -> list[str]:
    return [str(entry.package) for entry in plan.excluded]


def _beyond_rows(plan: Plan) -> list[str]:
    return aligned((str(entry.package), entry.file.name) for entry in plan.beyond)


def _provided_rows(report: TargetReport) -> list[str]:
    if not report.provided:
        return []
    return [", ".join(report.provided), f"--exclude {','.join(report.provided)}"]


def _undecided_rows(plan: Plan) -> list[str]:
    return aligned(
        (
            str(entry.package),
            str(entry.marker),
            f"(depends on {', '.join(entry.variables)})",
        )
        for entry in plan.undecided
    )


def _conflict_rows(plan: Plan) -> list[str]:
    rows = []
    for conflict in plan.conflicts:
        rows += aligned(
            (str(package), f"where {marker}" if str(marker) else "always")
            for package, marker in conflict.candidates
        )
        rows.append(conflict_hint(conflict))
    return rows


def conflict_hint(conflict: Conflict) -> str:
    """What to do about several versions that apply."""
    if not conflict.variables:
        return "The lock contradicts itself for this target; run `poetry lock`."
    if conflict.variables == ("python_full_version",):
        return "Say the patch level of the target's Python, for example --python 3.11.9."
    return f"Say {', '.join(conflict.variables)} under markers of a declared target."


def _untrusted_rows(plan: Plan) -> list[str]:
    return aligned((str(p), file.name, file.distrust or "") for p, file in plan.untrusted)


def explain_lines(explanation: Explanation) -> list[str]:
    """Every locked file of a package with its rank, or the axis on which it was rejected."""
    rows = explanation.rows
    fitting = [(f"rank {r.rank}", r.file, r.tag or "") for r in rows if r.rejection is None]
    others = [(r.rejection.axis.value, r.file, r.rejection.detail) for r in rows if r.rejection]
    title = f"{explanation.package} for {explanation.target.name}"
    return [
        f"{title}: {len(fitting)} of {len(rows)} files fit",
        "",
        *_indented(aligned([*fitting, *others])),
    ]


def bundle_line(bundle: WrittenBundle) -> str:
    """The line that names a finished bundle."""
    wheels = f"{bundle.wheels} wheel{'' if bundle.wheels == 1 else 's'}"
    return f"{bundle.path}  {human_size(bundle.size)}  {wheels}  sha256:{bundle.sha256}"


#: So many packages are named without ``-v``: those that are worth looking at where size matters.
_LARGEST = 3


def size_lines(report: TargetReport, *, verbose: bool = False) -> list[str]:
    """What the wheels for a target take, and which of them the most; ``verbose`` names all."""
    sizes = report.sizes
    if not sizes:
        return []
    packed, unpacked = sum(s.packed for s in sizes), sum(s.unpacked for s in sizes)
    shown = sizes if verbose else sizes[:_LARGEST]
    rows = [(f"{s.name} {s.version}", human_size(s.unpacked)) for s in shown]
    if len(shown) < len(sizes):
        rest = sum(s.unpacked for s in sizes[len(shown) :])
        rows.append((f"{len(sizes) - len(shown)} more", human_size(rest)))
    title = f"{report.plan.target.name}: {human_size(packed)} of wheels, "
    return [f"{title}{human_size(unpacked)} unpacked, of which", *_indented(aligned(rows))]


def problem_lines(problems: Iterable[Problem]) -> list[str]:
    """Problems for a person: what, where, and what to do; one paragraph each."""
    lines = []
    for problem in problems:
        where = [
            f"{label} {value}"
            for label, value in (
                ("package", problem.package),
                ("target", problem.target),
                ("file", problem.file),
            )
            if value and not _names(problem.what, value)
        ]
        lines.append(problem.what + (f" ({', '.join(where)})" if where else ""))
        if problem.hint:
            lines.append(f"  {problem.hint[0].upper()}{problem.hint[1:]}.")
    return lines


def _names(text: str, value: str) -> bool:
    """Whether a text names a value, which a longer word that holds it does not."""
    return re.search(rf"(?<![\w.-]){re.escape(value)}(?![\w-])", text) is not None


def printable(text: str) -> str:
    """Text with nothing in it that a terminal would obey; line ends and tabs stay."""
    return "".join(
        char if char.isprintable() or char in "\n\t" else ascii(char)[1:-1] for char in text
    )


def one_line(text: str) -> str:
    """Foreign text that shall not look like several lines of ours."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def aligned(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Rows of cells as lines with aligned columns."""
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" if line else "" for line in lines]
