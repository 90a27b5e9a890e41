"""What keeps the plans of a request from being bundled, and as which class of error."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from core.lockmaker import a_project, locked, target_for
from wheeltarget.core.errors import (
    IntegrityError,
    LockError,
    PlanError,
    UsageError,
    WheeltargetError,
)
from wheeltarget.core.markers import parse_marker
from wheeltarget.core.model import Gap, Lock, LockedPackage
from wheeltarget.core.platforms import parse_platform
from wheeltarget.core.presets import presets
from wheeltarget.core.request import (
    Request,
    check_combined,
    check_plans,
    naming_problems,
    plan_all,
    report_on,
)
from wheeltarget.core.resolve import TargetSettings

GOOD = locked("good", "1", "good-1-py3-none-any.whl")
SDIST = locked("sdist", "1", "sdist-1.tar.gz")
VOID = locked("void", "1")
WEAK = replace(GOOD, files=(replace(GOOD.files[0], digest=None, distrust="it is an md5"),))
UNSURE = locked(
    "unsure", "1", "unsure-1-py3-none-any.whl", markers='python_full_version < "3.11.3"'
)
RELEASE = locked("kernel", "1", "kernel-1-py3-none-any.whl", markers='platform_release >= "5.0"')


def request_of(*packages: LockedPackage, strict: bool = False, exclude: str = "good") -> Request:
    """A request for two targets."""
    return Request(
        project=a_project(),
        lock=Lock(packages=packages, content_hash="c0ffee"),
        targets=tuple(
            TargetSettings(target=target_for(tag), exclude=frozenset([canonicalize_name(exclude)]))
            for tag in ("win_amd64", "manylinux2014_x86_64")
        ),
        groups=frozenset([canonicalize_name("main")]),
        extras=frozenset(),
        strict=strict,
    )


def refused(request: Request, expected: type[WheeltargetError]) -> list[str]:
    """What is said of a request whose plans cannot be bundled."""
    with pytest.raises(WheeltargetError) as caught:
        check_plans(request, plan_all(request))
    assert type(caught.value) is expected
    assert all(problem.hint for problem in caught.value.problems)
    return [problem.what for problem in caught.value.problems]


WINDOWS = parse_marker('sys_platform == "win32"')


def with_gap(name: str, **gap: Any) -> Request:
    """A request for two targets, with a lock that lacks something."""
    gap = {"wanted": ("good 1 wants it",), "marker": WINDOWS, **gap}
    request = request_of(GOOD, exclude="setuptools")
    lock = replace(request.lock, gaps=(Gap(name=canonicalize_name(name), **gap),))
    return replace(request, lock=lock)


def test_what_the_lock_lacks_is_an_error_for_the_targets_that_need_it() -> None:
    (said,) = refused(with_gap("missing"), LockError)
    assert said == (
        "poetry.lock: no locked version of missing is what all that want it for "
        "cp311-win_amd64 ask for: good 1 wants it"
    )


def test_a_lack_that_no_target_feels_is_none() -> None:
    for name in ("setuptools", "demo"):  # excluded; the project itself
        check_plans(request := with_gap(name), plan_all(request))
    assert naming_problems(with_gap("setuptools")) == []
    for marker in ('sys_platform == "darwin"', 'platform_release == "5"', 'extra == "x"'):
        request = with_gap("missing", marker=parse_marker(marker))
        check_plans(request, plan_all(request))


def test_what_is_whole_and_trusted_passes() -> None:
    request = request_of(GOOD, UNSURE, exclude="unsure", strict=True)
    check_plans(request, plan_all(request))


def test_what_cannot_be_verified_is_a_matter_of_integrity() -> None:
    weak = "good-1-py3-none-any.whl cannot be verified: it is an md5"
    void = "the lock lists no file of void 1, so nothing of it can be verified"
    assert refused(request_of(WEAK, exclude="x"), IntegrityError) == [weak, weak]
    assert refused(request_of(WEAK, VOID, exclude="x"), IntegrityError) == [weak, void] * 2


def test_everything_is_listed_for_all_targets_and_no_plan_counts_more() -> None:
    whats = refused(request_of(SDIST, VOID), PlanError)
    assert [what.split(" of ")[0] for what in whats] == [
        "no usable file for cp311-win_amd64",
        "no usable file for cp311-manylinux2014_x86_64",
        *["the lock lists no file"] * 2,
    ]
    assert not any("void" in what for what in whats[:2])


def test_two_versions_that_apply_are_named_with_their_markers_and_what_decides() -> None:
    other = locked("unsure", "2", "unsure-2-py3-none-any.whl")
    request = request_of(other, UNSURE)
    assert refused(request, PlanError) == [
        f"several versions of unsure apply to {name}: "
        '1 (where python_full_version < "3.11.3"), 2 (always)'
        for name in ("cp311-win_amd64", "cp311-manylinux2014_x86_64")
    ]
    with pytest.raises(PlanError) as caught:
        check_plans(request, plan_all(request))
    problem = caught.value.problems[0]
    assert (problem.package, problem.target) == ("unsure", "cp311-win_amd64")
    assert problem.hint is not None
    assert problem.hint.startswith("Say the patch level")
    assert not problem.hint.endswith(".")


@pytest.mark.parametrize(
    ("package", "variable"), [(UNSURE, "python_full_version"), (RELEASE, "platform_release")]
)
def test_only_strict_refuses_what_is_undecided(package: LockedPackage, variable: str) -> None:
    check_plans(request_of(package), plan_all(request_of(package)))
    whats = refused(request_of(GOOD, package, strict=True), PlanError)
    assert len(whats) == 2
    assert all(f"(depends on {variable})" in what for what in whats)


def test_only_strict_refuses_to_exclude_nothing() -> None:
    check_plans(request_of(GOOD, exclude="godo"), plan_all(request_of(GOOD, exclude="godo")))
    (what,) = refused(request_of(GOOD, exclude="godo", strict=True), PlanError)
    assert what == "exclude names godo, which is not in the lock; did you mean 'good'?"


def test_the_project_itself_cannot_be_locked_too() -> None:
    itself = locked("demo", "9", "demo-9-py3-none-any.whl")
    request = replace(request_of(itself), project=a_project(packaged=True))
    assert len(refused(request, PlanError)) == 2
    check_plans(replace(request, project=a_project()), plan_all(request))
    left_out = replace(request_of(itself, exclude="demo"), project=a_project(packaged=True))
    check_plans(left_out, plan_all(left_out))


def test_a_value_that_a_marker_cannot_use_is_a_usage_error() -> None:
    target = target_for(markers={"platform_release": "not a release"})
    request = replace(request_of(RELEASE), targets=(TargetSettings(target=target),))
    with pytest.raises(UsageError, match="kernel 1: cannot evaluate"):
        plan_all(request)


def test_a_package_that_may_take_more_must_be_locked() -> None:
    request = request_of(GOOD, strict=True)
    more = {canonicalize_name("goood"): (parse_platform("win_amd64"),)}
    targets = tuple(replace(settings, packages=more) for settings in request.targets)
    said = "packages names goood, which is not in the lock; did you mean 'good'?"
    assert refused(replace(request, targets=targets), PlanError) == [said]


def test_a_package_that_may_take_more_is_planned_with_more() -> None:
    newer = "good-1-cp311-cp311-manylinux_2_28_x86_64.whl"
    request = request_of(locked("good", "1", newer), exclude="x")
    linux = request.targets[1]
    more = {canonicalize_name("good"): (parse_platform("manylinux_2_28_x86_64"),)}
    (plan,) = plan_all(replace(request, targets=(replace(linux, packages=more),)))
    assert [(entry.file.name, entry.beyond) for entry in plan.chosen] == [(newer, True)]


def test_what_a_runtime_provides_is_reported_where_it_is_bundled() -> None:
    preset = presets()["aws-lambda-python3.11-x86_64"]
    names = ("boto3", "botocore", "numpy")
    packages = [locked(name, "1", f"{name}-1-py3-none-any.whl") for name in names]
    request = request_of(*packages, exclude="botocore")
    windows, linux = request.targets
    request = replace(request, targets=(windows, replace(linux, preset=preset)))
    report = report_on(request, plan_all(request))
    assert report.project == request.project
    assert [target.provided for target in report.targets] == [(), ("boto3",)]


# --- several targets in one bundle ------------------------------------------------------------


def test_only_wheelhouses_can_be_combined() -> None:
    request = request_of()
    tree = replace(request.targets[0], layout="site-packages")
    mixed = replace(request, targets=(*request.targets, tree))
    check_combined(mixed)
    check_combined(replace(request, combined=True))
    with pytest.raises(UsageError, match="--combined holds wheels") as caught:
        check_combined(replace(mixed, combined=True))
    (problem,) = caught.value.problems
    assert problem.target == tree.target.name
