"""A request, its plans, and what keeps them from being bundled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheeltarget.core.errors import IntegrityError, LockError, PlanError, Problem, UsageError
from wheeltarget.core.lock import RELOCK
from wheeltarget.core.markers import MarkerValueError, evaluate
from wheeltarget.core.plan import Excluded, Plan, make_plan
from wheeltarget.core.report import Report, TargetReport, conflict_hint
from wheeltarget.core.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.utils import NormalizedName

    from wheeltarget.core.model import Lock, Project
    from wheeltarget.core.resolve import TargetSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for: the project, its lock, the targets, and which of its parts.

    ``combined`` asks for one bundle for all targets.
    """

    project: Project
    lock: Lock
    targets: tuple[TargetSettings, ...]
    groups: frozenset[NormalizedName]
    extras: frozenset[NormalizedName]
    strict: bool = False
    combined: bool = False


def check_combined(request: Request) -> None:
    """Raises UsageError where targets that cannot share a bundle are ``combined``."""
    problems = [
        Problem(
            what=f"--combined holds wheels, and {settings.target.name} asks for the layout "
            f"{settings.layout}",
            target=settings.target.name,
            hint="leave out --combined, or add --layout wheelhouse",
        )
        for settings in request.targets
        if request.combined and settings.layout != "wheelhouse"
    ]
    if problems:
        raise UsageError(*problems)


def plan_all(request: Request) -> tuple[Plan, ...]:
    """A plan for each target, in the order asked for.

    Raises UsageError where a marker cannot be compared with a value that a target gives, LockError
    where the lock lacks what a target needs.
    """
    try:
        _check_gaps(request)
        return tuple(
            make_plan(
                request.lock.packages,
                settings.target,
                groups=request.groups,
                extras=request.extras,
                exclude=settings.exclude,
                variants={name: settings.target_for(name) for name in settings.packages},
                build=settings.build,
            )
            for settings in request.targets
        )
    except MarkerValueError as error:
        raise UsageError(Problem(what=str(error), hint="check the target's markers")) from error


def _check_gaps(request: Request) -> None:
    problems = [
        Problem(
            what=f"poetry.lock: no locked version of {gap.name} is what all that want it for "
            f"{settings.target.name} ask for: {', '.join(gap.wanted)}",
            package=gap.name,
            target=settings.target.name,
            hint=RELOCK,
        )
        for settings in request.targets
        for gap in request.lock.gaps
        # The project itself is never locked, and satisfies who depends on it.
        if gap.name not in {request.project.name, *settings.exclude}
        and evaluate(gap.marker, settings.target.environment, request.extras).holds
    ]
    if problems:
        raise LockError(*problems)


def report_on(request: Request, plans: Sequence[Plan]) -> Report:
    """What is to be said of the plans before anything is bundled."""
    return Report(
        project=request.project,
        targets=tuple(
            TargetReport(plan=plan, provided=tuple(_provided(settings, plan)))
            for settings, plan in zip(request.targets, plans, strict=True)
        ),
    )


def _provided(settings: TargetSettings, plan: Plan) -> Iterable[NormalizedName]:
    """The packages of a plan that the runtime has, so that they could be excluded."""
    provides = settings.preset.provides if settings.preset else ()
    return dict.fromkeys(c.package.name for c in plan.chosen if c.package.name in provides)


def naming_problems(request: Request) -> list[Problem]:
    """Packages that targets name and that are not in the lock: probably typing errors."""
    locked = {package.name for package in request.lock.packages}
    locked |= {gap.name for gap in request.lock.gaps}
    named = {
        "build": {name for settings in request.targets for name in settings.build},
        "exclude": {name for settings in request.targets for name in settings.exclude},
        "packages": {name for settings in request.targets for name in settings.packages},
    }
    return [
        Problem(
            what=f"{key} names {name}, which is not in the lock{did_you_mean(name, locked)}",
            hint="remove or correct it",
        )
        for key, names in named.items()
        for name in sorted(names - locked)
    ]


def undecided_problems(plan: Plan) -> Iterable[Problem]:
    """Packages that are included although a fact is missing to say whether they apply."""
    for entry in plan.undecided:
        yield Problem(
            what=f"{entry.package} is included although {plan.target.name} does not decide its "
            f"marker: {entry.marker} (depends on {', '.join(entry.variables)})",
            package=str(entry.package),
            target=plan.target.name,
            hint=_undecided_hint(entry.variables),
        )


def _undecided_hint(variables: Sequence[str]) -> str:
    """How to decide a marker."""
    if tuple(variables) == ("python_full_version",):
        return "say the patch level of the target's Python, for example --python 3.11.9"
    return f"say {', '.join(variables)} under markers of a declared target"


def check_plans(request: Request, plans: Sequence[Plan]) -> None:
    """Raises PlanError or IntegrityError where a plan cannot be bundled.

    With ``strict`` an undecided marker or the name of no package is such a reason, too.
    """
    unplanned = [problem for plan in plans for problem in _plan_problems(plan)]
    if request.project.packaged:
        unplanned += [problem for plan in plans for problem in _self_problems(request, plan)]
    if request.strict:
        unplanned += naming_problems(request)
        unplanned += [problem for plan in plans for problem in undecided_problems(plan)]
    untrusted = [problem for plan in plans for problem in _trust_problems(plan)]
    if unplanned:
        raise PlanError(*unplanned, *untrusted)
    if untrusted:
        raise IntegrityError(*untrusted)


def _self_problems(request: Request, plan: Plan) -> Iterable[Problem]:
    """The project itself among what is locked: two wheels of one package cannot be installed."""
    for entry in plan.entries:
        if entry.package.name == request.project.name and not isinstance(entry, Excluded):
            yield Problem(
                what=f"{entry.package} is locked, and the project itself is "
                f"{request.project.name} {request.project.version}",
                package=str(entry.package),
                target=plan.target.name,
                hint="leave one of them out with --no-root or --exclude",
            )


def _trust_problems(plan: Plan) -> Iterable[Problem]:
    """What is to be taken, and the lock holds no hash of it that can be trusted."""
    for package, file in plan.untrusted:
        yield Problem(
            what=f"{file.name} cannot be verified: {file.distrust}",
            package=str(package),
            target=plan.target.name,
            file=file.name,
            hint=RELOCK,
        )
    for entry in plan.unlisted:
        yield Problem(
            what=f"the lock lists no file of {entry.package}, so nothing of it can be verified",
            package=str(entry.package),
            target=plan.target.name,
            hint=RELOCK,
        )


def _plan_problems(plan: Plan) -> Iterable[Problem]:
    name = plan.target.name
    unusable = [entry for entry in plan.unavailable if entry not in plan.unlisted]
    if unusable:
        missing = ", ".join(str(entry.package) for entry in unusable)
        first = unusable[0].package.name
        yield Problem(
            what=f"no usable file for {name} of {missing}",
            target=name,
            hint=f"see why with --check --explain {first}; a package that the target provides can "
            "be left out with --exclude",
        )
    for conflict in plan.conflicts:
        versions = ", ".join(
            f"{package.version} (where {marker})" if str(marker) else f"{package.version} (always)"
            for package, marker in conflict.candidates
        )
        yield Problem(
            what=f"several versions of {conflict.name} apply to {name}: {versions}",
            package=conflict.name,
            target=name,
            hint=conflict_hint(conflict).rstrip("."),
        )
