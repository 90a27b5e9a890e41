"""``poetry bundle-wheels``: options -> request -> use case; errors -> exit codes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from cleo.helpers import option
from packaging.utils import canonicalize_name
from poetry.console.commands.group_command import GroupCommand
from poetry.console.exceptions import GroupNotFoundError

from wheeltarget.bundle.usecase import bundle_all
from wheeltarget.core.config import read_table
from wheeltarget.core.document import json_document
from wheeltarget.core.errors import Problem, UsageError
from wheeltarget.core.manifest import json_text
from wheeltarget.core.plan import explain
from wheeltarget.core.report import (
    Explanation,
    Report,
    bundle_line,
    explain_lines,
    plan_lines,
    size_lines,
)
from wheeltarget.core.request import (
    Request,
    check_combined,
    check_plans,
    naming_problems,
    plan_all,
    report_on,
    undecided_problems,
)
from wheeltarget.core.resolve import TargetOptions, resolve_targets
from wheeltarget.core.suggest import did_you_mean
from wheeltarget.io.archive import zip_time
from wheeltarget.io.paths import bundle_paths, shown_path
from wheeltarget.plugin import project as of_poetry
from wheeltarget.plugin.beside import check_options, read_beside
from wheeltarget.plugin.commands.base import WheeltargetCommand, values
from wheeltarget.plugin.surroundings import surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cleo.io.inputs.option import Option
    from packaging.utils import NormalizedName
    from poetry.poetry import Poetry

    from wheeltarget.bundle.beside import Beside
    from wheeltarget.core.config import Table
    from wheeltarget.core.plan import Plan
    from wheeltarget.io.archive import ZipTime
    from wheeltarget.plugin.console import Console


class BundleWheelsCommand(WheeltargetCommand, GroupCommand):
    """The command. Everything that it knows of its options stays in this class."""

    name = "bundle-wheels"
    description = "Bundles the locked wheels that fit another machine into a zipped wheelhouse."

    options: ClassVar[list[Option]] = [
        values(
            "target",
            "t",
            "The machine to bundle for: the name of a declared target, a preset, a platform tag, a "
            "wheel tag triple, tags separated by commas, or @ and the path of a description file.",
        ),
        option("all-targets", None, "Bundle for every declared target."),
        option(
            "python",
            None,
            "The target's Python; beats a declared one, not one in tags.",
            flag=False,
        ),
        option("output", "o", "A .zip path, a directory, or a template.", flag=False),
        option("layout", None, "What a bundle holds: wheelhouse or site-packages.", flag=False),
        values("with", None, "Dependency groups to include besides main."),
        values("without", None, "Dependency groups to ignore."),
        values("only", None, "The only dependency groups to include."),
        option("all-groups", None, "Include all dependency groups."),
        values("extras", "E", "Extra sets of dependencies to include."),
        option("all-extras", None, "Include all extra dependencies."),
        option("no-root", None, "Leave out the project's own wheel."),
        values("build", None, "A package that may be built from its source archive."),
        values("exclude", None, "A package that the target provides, to be left out."),
        option("check", None, "Only plan: no network, nothing written."),
        values("explain", None, "A package whose every locked file is to be explained."),
        option("json", None, "One JSON document on stdout, everything else on stderr."),
        option("offline", None, "Use no network; what is not in the cache is an error."),
        option("strict", None, "Treat warnings that touch the bundle's content as errors."),
        option("combined", None, "Write one bundle for all targets."),
        option("sbom", None, "Write a bill of materials to this path or template.", flag=False),
        option("export-urls", None, "Write a requirements file of URLs, likewise.", flag=False),
    ]

    @property
    def default_groups(self) -> set[str]:
        """A bundle is for deployment, so only ``main``."""
        return {"main"}

    def failure_document(self, problems: Sequence[Problem]) -> Mapping[str, object]:
        """The document with all that is known of the run, and why it failed."""
        return json_document(self._report, problems, self._explanations)

    # --- planning ---------------------------------------------------------------------------

    #: How far the run came, for the document of ``--json``.
    _report: Report | None = None
    _explanations: tuple[Explanation, ...] = ()

    def work(self, console: Console) -> None:
        """Plan, report, and bundle."""
        if self.option("offline") and self.option("no-cache"):
            raise UsageError(
                Problem(what="--offline takes all from the cache, which --no-cache turns off")
            )
        sbom, urls = self.option("sbom"), self.option("export-urls")
        check_options(sbom, urls, check=self.option("check"), offline=self.option("offline"))
        poetry = self.load_poetry(console)
        table = read_table(of_poetry.table(poetry))
        request = self._request(poetry, table, console)
        check_combined(request)
        paths = bundle_paths(
            request,
            self.option("output"),
            table.output,
            base=poetry.pyproject_path.parent,
            here=Path.cwd(),
        )
        epoch = os.environ.get("SOURCE_DATE_EPOCH")
        moment = zip_time(epoch)
        beside = read_beside(
            poetry, request, paths, sbom=sbom, urls=urls, here=Path.cwd(), dated=bool(epoch)
        )
        self._explanations = tuple(self._explain(request))
        plans = plan_all(request)
        self._report = report_on(request, plans)
        self._show_plans(console, request, self._report)
        self._suggest(poetry, request, plans, console)
        check_plans(request, plans)
        if not self.option("check"):
            self._report = self._bundle(poetry, request, plans, paths, beside, moment, console)
            self._show_bundles(console, self._report, beside)
        if self.wants_json:
            console.document(json_text(json_document(self._report, (), self._explanations)))

    def _request(self, poetry: Poetry, table: Table, console: Console) -> Request:
        options = TargetOptions(
            specs=tuple(self.option("target")),
            all_targets=self.option("all-targets"),
            python=self.option("python"),
            exclude=tuple(_split(self.option("exclude"))),
            build=tuple(_split(self.option("build"))),
            layout=self.option("layout"),
        )
        notices: list[Problem] = []
        try:
            around = surroundings(poetry, notices.append, console)
            targets = resolve_targets(table, options, around)
            if notices and self.option("strict"):
                raise UsageError(*notices)
        finally:
            # Also where a target cannot be: a notice may tell why.
            for notice in () if self.option("strict") else notices:
                console.warn(notice)
        groups = self._groups()
        return Request(
            targets=targets,
            groups=groups,
            extras=of_poetry.select_extras(
                poetry, self.option("extras"), every=self.option("all-extras")
            ),
            project=of_poetry.load_project(poetry, root=not self.option("no-root")),
            lock=of_poetry.load_lock(poetry, groups),
            strict=self.option("strict"),
            combined=self.option("combined"),
        )

    def _groups(self) -> frozenset[NormalizedName]:
        try:
            return frozenset(canonicalize_name(group) for group in self.activated_groups)
        except GroupNotFoundError as error:
            raise UsageError(Problem(what=_without_markup(str(error)))) from error

    def _explain(self, request: Request) -> Iterator[Explanation]:
        names = [canonicalize_name(name) for name in _split(self.option("explain"))]
        locked = {package.name for package in request.lock.packages}
        unknown = [name for name in names if name not in locked]
        if unknown:
            raise UsageError(
                *(
                    Problem(
                        what=f"--explain: the lock has no package {name!r}"
                        f"{did_you_mean(name, locked)}"
                    )
                    for name in unknown
                )
            )
        for settings in request.targets:
            for package in request.lock.packages:
                if package.name in names:
                    target = settings.target_for(package.name)
                    rows = explain(package, target)
                    yield Explanation(target=target, package=package, rows=rows)

    def _show_plans(self, console: Console, request: Request, report: Report) -> None:
        """The report with ``--check``; of failing targets only, on stderr, without it."""
        check = self.option("check")
        show = console.results if check else console.notes
        for problem in () if request.strict else naming_problems(request):
            console.warn(problem)
        for target in report.targets:
            if not check and target.plan.ok and not request.strict:
                for problem in undecided_problems(target.plan):
                    console.warn(problem)
            if check or not target.plan.ok:
                lines = plan_lines(target, request.project, verbose=console.verbose)
                show([*lines, ""])
        for explanation in self._explanations:
            console.results([*explain_lines(explanation), ""])

    def _suggest(
        self, poetry: Poetry, request: Request, plans: Sequence[Plan], console: Console
    ) -> None:
        """Name the versions that have the missing wheels, as far as the network tells."""
        lacking = any(plan.unavailable for plan in plans)
        if not lacking or self.option("check") or self.option("offline"):
            return
        from wheeltarget.plugin.suggestions import suggestions

        given = [f" --target {spec}" for spec in self.option("target")]
        command = f"poetry wheeltarget lock{''.join(given)}"
        lines = list(suggestions(poetry, request, plans, command))
        console.notes([*lines, ""] if lines else [])

    # --- bundling ---------------------------------------------------------------------------

    def _bundle(
        self,
        poetry: Poetry,
        request: Request,
        plans: Sequence[Plan],
        paths: Sequence[Path],
        beside: Beside,
        moment: ZipTime,
        console: Console,
    ) -> Report:
        # Imported here: --check needs neither requests nor anything else of the network.
        from wheeltarget.plugin.workshop import WorkshopOptions, open_workshop

        options = WorkshopOptions(
            moment=moment, offline=self.option("offline"), cached=not self.option("no-cache")
        )
        with open_workshop(poetry, request.project, console, options) as workshop:
            return bundle_all(request, plans, paths, workshop, beside)

    def _show_bundles(self, console: Console, report: Report, beside: Beside) -> None:
        """The sizes on stderr; on stdout a line for each bundle, which may be for several."""
        written = (*beside.sboms, *beside.urls)
        console.notes(f"Wrote {shown_path(path, Path.cwd())}" for path in written)
        for target in report.targets:
            console.notes(size_lines(target, verbose=console.verbose))
        bundles = dict.fromkeys(target.bundle for target in report.targets)
        console.results(bundle_line(bundle) for bundle in bundles if bundle)


def _split(values: Sequence[str]) -> list[str]:
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


def _without_markup(text: str) -> str:
    """Poetry's own messages without their colours, since ours are printed as they are."""
    from cleo.formatters.formatter import Formatter

    return Formatter().remove_format(text)
