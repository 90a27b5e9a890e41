"""Which packages apply to a target, and what is said of those that may."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.lockmaker import Raw, a_project, locked, plan_for, quick, real_lock, target_for
from wheeltarget.core.document import json_document
from wheeltarget.core.markers import MarkerValueError
from wheeltarget.core.model import LockedPackage
from wheeltarget.core.plan import Plan, explain
from wheeltarget.core.report import Report, TargetReport, plan_lines

LINUX = target_for("cp311,manylinux_2_28_x86_64")
PATCHED = target_for("3.11.9,manylinux_2_28_x86_64")


def pure(
    name: str,
    version: str = "1.0",
    markers: object = None,
    groups: Sequence[str] = ("main",),
    source: Raw | None = None,
) -> LockedPackage:
    """A package with a wheel for everyone."""
    return locked(
        name,
        version,
        f"{name.replace('-', '_')}-{version}-py3-none-any.whl",
        markers=markers,
        groups=groups,
        source=source,
    )


def entries(plan: Plan) -> list[str]:
    return [str(entry.package) for entry in plan.entries]


# --- groups, markers, extras ------------------------------------------------------------------


def test_only_packages_of_active_groups_apply() -> None:
    packages = [
        pure("main-only"),
        pure("dev-only", groups=["dev"]),
        pure("both", groups=["dev", "main"]),
        pure("none", groups=[]),
    ]
    assert entries(plan_for(LINUX, *packages)) == ["both 1.0", "main-only 1.0"]
    assert entries(plan_for(LINUX, *packages, groups=["dev"])) == ["both 1.0", "dev-only 1.0"]
    assert entries(plan_for(LINUX, *packages, groups=[])) == []


def test_only_the_markers_of_active_groups_count_and_one_is_enough() -> None:
    package = pure(
        "foo",
        groups=["main", "dev", "docs"],
        markers={"main": 'os_name == "nt"', "dev": 'os_name == "posix"', "docs": 'os_name == "x"'},
    )
    for groups, applies in ((["main"], False), (["dev"], True), (["main", "dev"], True)):
        assert bool(plan_for(LINUX, package, groups=groups).entries) is applies
    assert entries(plan_for(target_for("cp311,win32"), package)) == ["foo 1.0"]


def test_markers_are_those_of_the_target() -> None:
    package = pure("foo", markers='sys_platform == "win32" and platform_machine == "AMD64"')
    assert entries(plan_for(target_for("cp311,win_amd64"), package)) == ["foo 1.0"]
    assert entries(plan_for(LINUX, package)) == []


def test_extras_are_those_asked_for() -> None:
    cpu = pure("torch", "2.0+cpu", markers='extra == "cpu" and extra != "cuda"')
    cuda = pure("torch", "2.0+cu118", markers='extra == "cuda" and extra != "cpu"')
    assert entries(plan_for(LINUX, cpu, cuda)) == []
    assert entries(plan_for(LINUX, cpu, cuda, extras=["cpu"])) == ["torch 2.0+cpu"]
    assert entries(plan_for(LINUX, cpu, cuda, extras=["cuda"])) == ["torch 2.0+cu118"]
    assert entries(plan_for(LINUX, cpu, cuda, extras=["cuda", "cpu"])) == []


def test_entries_are_sorted_by_name_and_then_by_version() -> None:
    packages = [pure("b"), pure("a", "1.10"), pure("a-b"), pure("a", "1.9")]
    assert entries(plan_for(LINUX, *packages)) == ["a 1.9", "a 1.10", "a-b 1.0", "b 1.0"]


# --- excluded ---------------------------------------------------------------------------------


def test_an_excluded_package_is_left_out_and_listed() -> None:
    old = locked("boto3", "1.0", "boto3-1.0-py2-none-any.whl")
    plan = plan_for(LINUX, old, pure("foo"), exclude=["Boto3", "never-locked"])
    assert [str(entry.package) for entry in plan.excluded] == ["boto3 1.0"]
    assert [str(entry.package) for entry in plan.chosen] == ["foo 1.0"]
    assert plan.ok


def test_what_does_not_apply_is_not_listed_as_excluded() -> None:
    package = pure("boto3", markers='os_name == "nt"')
    assert plan_for(LINUX, package, exclude=["boto3"]).entries == ()


def test_two_versions_of_an_excluded_package_do_not_conflict() -> None:
    plan = plan_for(LINUX, pure("foo", "1"), pure("foo", "2"), exclude=["foo"])
    assert plan.conflicts == ()
    assert plan.ok


# --- undecided --------------------------------------------------------------------------------


def test_an_undecided_package_is_included_and_said_so() -> None:
    package = pure("async-timeout", markers='python_full_version < "3.11.3"')
    plan = plan_for(LINUX, package, pure("foo"))
    assert entries(plan) == ["async-timeout 1.0", "foo 1.0"]
    (undecided,) = plan.undecided
    assert undecided.package == package
    assert str(undecided.marker) == 'python_full_version < "3.11.3"'
    assert undecided.variables == ("python_full_version",)
    assert plan.ok


def test_a_patch_level_decides() -> None:
    package = pure("async-timeout", markers='python_full_version < "3.11.3"')
    assert plan_for(PATCHED, package).entries == ()
    plan = plan_for(target_for("3.11.2,win32"), package)
    assert entries(plan) == ["async-timeout 1.0"]
    assert plan.undecided == ()


@pytest.mark.parametrize(("spec", "included"), [("cp311", True), ("cp310", True), ("cp312", False)])
def test_async_timeout_of_a_real_lock(spec: str, included: bool) -> None:
    plan = plan_for(
        target_for(f"{spec},manylinux_2_28_x86_64"), *real_lock("data-service").packages
    )
    assert ("async-timeout" in [entry.package.name for entry in plan.entries]) is included
    open_ones = [entry.package.name for entry in plan.undecided]
    assert open_ones == (["async-timeout"] if spec == "cp311" else [])


def test_a_group_whose_marker_is_always_true_leaves_nothing_undecided() -> None:
    package = pure("foo", groups=["main", "dev"], markers={"dev": 'platform_version == "x"'})
    assert plan_for(LINUX, package, groups=["dev"]).undecided != ()
    assert plan_for(LINUX, package, groups=["main", "dev"]).undecided == ()


def test_a_value_that_a_marker_cannot_take_is_an_error_that_names_the_package() -> None:
    target = target_for("cp311,linux_x86_64", markers={"platform_release": "5.10-amzn2.x86_64"})
    package = pure("foo", markers='platform_release >= "5"')
    with pytest.raises(MarkerValueError, match=r"^foo 1\.0: cannot evaluate platform_release"):
        plan_for(target, package)


# --- conflicts --------------------------------------------------------------------------------


def test_two_versions_that_both_apply_for_sure_are_a_conflict_that_names_both() -> None:
    plan = plan_for(LINUX, pure("foo", "2", markers='os_name == "posix"'), pure("foo", "1"))
    (conflict,) = plan.conflicts
    assert conflict.name == "foo"
    assert [(str(package), str(marker)) for package, marker in conflict.candidates] == [
        ("foo 1", ""),
        ("foo 2", 'os_name == "posix"'),
    ]
    assert conflict.variables == ()
    assert not plan.ok


def test_two_versions_that_might_both_apply_are_a_conflict_that_names_the_variable() -> None:
    old = pure("foo", "1", markers='python_full_version < "3.11.3"')
    new = pure("foo", "2", markers='python_full_version >= "3.11.3"')
    plan = plan_for(LINUX, old, new)
    (conflict,) = plan.conflicts
    assert [str(marker) for _, marker in conflict.candidates] == [
        'python_full_version < "3.11.3"',
        'python_full_version >= "3.11.3"',
    ]
    assert conflict.variables == ("python_full_version",)
    assert not plan.ok
    decided = plan_for(PATCHED, old, new)
    assert entries(decided) == ["foo 2"]
    assert decided.ok


def test_a_certain_and_an_uncertain_version_are_a_conflict_too() -> None:
    maybe = pure("foo", "2", markers='python_full_version < "3.11.3" or platform_version == "x"')
    other = pure("foo", "3", markers='platform_release >= "5"')
    (conflict,) = plan_for(LINUX, pure("foo", "1"), maybe, other).conflicts
    assert conflict.variables == ("platform_release", "platform_version", "python_full_version")


def test_one_version_from_two_sources_is_a_conflict() -> None:
    corp: Raw = {"type": "legacy", "url": "https://host/simple", "reference": "corp"}
    one, other = pure("foo"), pure("foo", source=corp)
    (conflict,) = plan_for(LINUX, other, one).conflicts
    assert [package.source.reference for package, _ in conflict.candidates] == [None, "corp"]


def test_sources_are_told_in_the_order_of_their_names_and_then_of_their_urls() -> None:
    sources = [("b", "https://1"), ("a", "https://3"), ("a", "https://2")]
    packages = [
        pure("foo", source={"type": "legacy", "url": url, "reference": name})
        for name, url in sources
    ]
    (conflict,) = plan_for(LINUX, pure("foo"), *packages).conflicts
    found = [(package.source.reference, package.source.url) for package, _ in conflict.candidates]
    assert found == [(None, None), ("a", "https://2"), ("a", "https://3"), ("b", "https://1")]


def test_versions_of_which_one_applies_do_not_conflict() -> None:
    windows = pure("foo", "1", markers='os_name == "nt"')
    other = pure("foo", "2", markers='os_name != "nt"')
    plan = plan_for(LINUX, windows, other)
    assert entries(plan) == ["foo 2"]
    assert plan.conflicts == ()


def test_different_packages_do_not_conflict_and_every_conflict_is_listed() -> None:
    packages = [pure(name, version) for name in ("b", "a", "c") for version in "21"]
    plan = plan_for(LINUX, *packages, pure("d"))
    assert [conflict.name for conflict in plan.conflicts] == ["a", "b", "c"]


# --- FAULTS 13: the order of the lock changes nothing -----------------------------------------

POOL = [
    pure("foo", "1", markers=""),
    pure("foo", "2"),
    pure("foo", "10"),
    pure("maybe", markers='python_full_version < "3.11.3"'),
    pure("windows", markers='os_name == "nt"'),
    pure("provided"),
    pure("provided", "2.0"),
    locked("gone", "1", "gone-1-cp39-cp39-win32.whl", "gone-1.tar.gz", "gone-1-py2-none-any.whl"),
    locked("newer", "1", *(f"newer-1-cp311-cp311-manylinux_2_{n}_x86_64.whl" for n in (31, 35))),
    locked(
        "ties",
        "1",
        "ties-1-2-py3-none-any.whl",
        "Ties-1-2-py3-none-any.whl",
        "ties-1-py2.py3-none-any.whl",
        "ties-1-cp32-abi3-manylinux1_x86_64.whl",
    ),
    *(pure(f"same{index}") for index in range(3)),
]


def everything_said(packages: list[LockedPackage]) -> tuple[object, ...]:
    plan = plan_for(LINUX, *packages, exclude=["provided"])
    report = TargetReport(plan=plan)
    by_name = sorted(packages, key=lambda package: (package.name, package.version))
    return (
        json_document(Report(project=a_project(), targets=(report,))),
        plan_lines(report, a_project(), verbose=True),
        [explain(package, LINUX) for package in by_name],
        plan.undecided,
        [conflict.variables for conflict in plan.conflicts],
    )


@settings(quick, max_examples=60)
@given(st.data())
def test_the_order_of_packages_and_files_changes_nothing(data: st.DataObject) -> None:
    packages = []
    for package in data.draw(st.permutations(POOL)):
        names = data.draw(st.permutations([file.name for file in package.files]))
        markers = {str(group): str(marker) for group, marker in package.markers.items()}
        packages.append(locked(package.name, str(package.version), *names, markers=markers))
    assert everything_said(packages) == everything_said(POOL)


@pytest.mark.parametrize(
    ("groups", "extras", "expected"),
    [
        (["main"], [], ["idna 3.20"]),
        (["main", "test"], [], ["idna 3.20", "iniconfig 2.3.1"]),
        # dev includes test (PEP 735), so the lock has its packages in both groups.
        (["dev"], [], ["iniconfig 2.3.1", "packaging 26.3"]),
        (["main"], ["old"], ["click 8.0.4", "idna 3.20"]),
        (["main"], ["new"], ["click 8.1.7", "idna 3.20"]),
        (["main"], ["old", "new"], ["idna 3.20"]),
    ],
)
def test_groups_that_include_others_and_extras_that_exclude_each_other(
    groups: list[str], extras: list[str], expected: list[str]
) -> None:
    packages = real_lock("groups").packages
    plan = plan_for(
        target_for("cp311,manylinux2014_x86_64"), *packages, groups=groups, extras=extras
    )
    assert [str(entry.package) for entry in plan.entries] == expected
    assert plan.conflicts == ()
    windows = plan_for(target_for("cp311,win_amd64"), *packages, groups=groups, extras=extras)
    with_colorama = "test" in groups or "dev" in groups or len(extras) == 1
    assert ("colorama 0.4.6" in [str(each.package) for each in windows.entries]) is with_colorama
