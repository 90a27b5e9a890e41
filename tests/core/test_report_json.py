"""The document of ``--json``, CONTRACT section 6."""

from __future__ import annotations

import json
from typing import Any

from packaging.utils import canonicalize_name

from core.lockmaker import (
    SHA256,
    a_project,
    locked,
    plan_for,
    raw_file,
    raw_lock,
    raw_package,
    target_for,
)
from wheeltarget.core.document import json_document
from wheeltarget.core.errors import Problem
from wheeltarget.core.lock import read_lock
from wheeltarget.core.model import LockedPackage, Project, StoredWheel
from wheeltarget.core.plan import Plan, explain
from wheeltarget.core.platforms import parse_platform
from wheeltarget.core.report import (
    Explanation,
    PackageSize,
    Report,
    TargetReport,
    WrittenBundle,
)
from wheeltarget.core.target import with_more_platforms

TARGET = target_for("cp311,manylinux2014_x86_64")
NUMPY = "numpy-2.2.6-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"


def document(*plans: Plan, project: Project | None = None) -> Any:
    """The document after a journey through JSON text, as a script gets it."""
    report = Report(
        project=project or a_project(), targets=tuple(TargetReport(plan=plan) for plan in plans)
    )
    return json.loads(json.dumps(json_document(report)))


def pure(name: str, version: str = "1.0", markers: object = None) -> LockedPackage:
    return locked(name, version, f"{name}-{version}-py3-none-any.whl", markers=markers)


def test_the_example_of_the_contract() -> None:
    newer = "x-1.0-cp311-cp311-manylinux_2_28_x86_64.whl"
    plan = plan_for(
        TARGET,
        locked("x", "1.0", newer),
        locked("numpy", "2.2.6", NUMPY, "numpy-2.2.6.tar.gz"),
        pure("async_timeout", "5.0.1", markers='python_full_version < "3.11.3"'),
        pure("provided"),
        exclude=["provided"],
    )
    assert document(plan) == {
        "schema": 1,
        "project": {"name": "demo", "version": "0.1.0"},
        "ok": False,
        "targets": [
            {
                "name": "cp311-manylinux2014_x86_64",
                "ok": False,
                "python": "3.11",
                "implementation": "cp",
                "abis": ["cp311"],
                "platforms": list(TARGET.platforms),
                "packages": [
                    {
                        "name": "async-timeout",
                        "version": "5.0.1",
                        "outcome": "wheel",
                        "file": "async_timeout-5.0.1-py3-none-any.whl",
                        "tag": "py3-none-any",
                        "hash": SHA256,
                    },
                    {
                        "name": "numpy",
                        "version": "2.2.6",
                        "outcome": "wheel",
                        "file": NUMPY,
                        "tag": "cp311-cp311-manylinux_2_17_x86_64",
                        "hash": SHA256,
                    },
                    {"name": "provided", "version": "1.0", "outcome": "excluded"},
                    {
                        "name": "x",
                        "version": "1.0",
                        "outcome": "unavailable",
                        "rejected": [
                            {
                                "file": newer,
                                "axis": "platform",
                                "detail": "needs glibc 2.28, the target has 2.17",
                            }
                        ],
                        "hint": "needs glibc 2.28, the target has 2.17",
                    },
                ],
                "undecided": [
                    {
                        "name": "async-timeout",
                        "version": "5.0.1",
                        "marker": 'python_full_version < "3.11.3"',
                        "variable": "python_full_version",
                    }
                ],
                "fits-from": "manylinux_2_28_x86_64",
            }
        ],
    }


def test_the_keys_come_in_the_order_of_the_contract() -> None:
    result = document(plan_for(TARGET, locked("numpy", "2.2.6", NUMPY)))
    assert list(result) == ["schema", "project", "ok", "targets"]
    (target,) = result["targets"]
    assert list(target) == [
        "name",
        "ok",
        "python",
        "implementation",
        "abis",
        "platforms",
        "packages",
        "undecided",
        "fits-from",
    ]
    names = ["name", "version", "outcome", "file", "tag", "hash"]
    assert list(target["packages"][0]) == names


def test_the_run_is_ok_where_every_target_is() -> None:
    good = plan_for(TARGET, pure("a"))
    bad = plan_for(TARGET, locked("a", "1", "a-1.tar.gz"))
    assert document(good)["ok"] is True
    assert document(good, good)["ok"] is True
    assert document(good, bad)["ok"] is False
    assert [target["ok"] for target in document(good, bad)["targets"]] == [True, False]
    assert document()["ok"] is True


def test_fits_from_is_null_where_nothing_is_missing_or_nothing_helps() -> None:
    good = plan_for(TARGET, pure("a"))
    bad = plan_for(TARGET, locked("a", "1", "a-1.tar.gz"))
    assert [target["fits-from"] for target in document(good, bad)["targets"]] == [None, None]


def test_a_target_says_its_patch_level_and_implementation() -> None:
    threaded = plan_for(target_for("3.13.1,cp313t,win_amd64"))
    pypy = plan_for(target_for("pp310,win_amd64"))
    one, other = document(threaded, pypy)["targets"]
    assert (one["python"], one["implementation"], one["abis"]) == ("3.13.1", "cp", ["cp313t"])
    assert (other["implementation"], other["abis"]) == ("pp", ["pypy310_pp73"])


def test_packages_are_sorted_by_name_and_then_by_version_with_the_project_among_them() -> None:
    packages = [pure("zzz"), pure("a", "1.10"), pure("a", "1.9")]
    result = document(plan_for(TARGET, *packages), project=a_project("my-app", packaged=True))
    listed = [(entry["name"], entry["version"]) for entry in result["targets"][0]["packages"]]
    assert listed == [("a", "1.9"), ("a", "1.10"), ("my-app", "0.1.0"), ("zzz", "1.0")]


def test_the_projects_own_wheel_is_built() -> None:
    project = a_project("my-app", packaged=True)
    plan = plan_for(TARGET)
    planned = {"name": "my-app", "version": "0.1.0", "outcome": "build"}
    assert document(plan, project=project)["targets"][0]["packages"] == [planned]
    wheel = StoredWheel(filename="my_app-0.1.0-py3-none-any.whl", sha256="ab" * 32, size=9)
    report = TargetReport(plan=plan, built={project.name: (wheel, "py3-none-any")})
    result = json_document(Report(project=project, targets=(report,)))
    assert json.loads(json.dumps(result))["targets"][0]["packages"] == [
        {
            **planned,
            "file": "my_app-0.1.0-py3-none-any.whl",
            "tag": "py3-none-any",
            "hash": "sha256:" + "ab" * 32,
        }
    ]


def test_a_project_without_a_wheel_is_not_listed() -> None:
    assert document(plan_for(TARGET))["targets"][0]["packages"] == []


def test_several_variables_are_named_in_one_text() -> None:
    package = pure("a", markers='python_full_version < "3.11.3" and platform_version == "x"')
    (entry,) = document(plan_for(TARGET, package))["targets"][0]["undecided"]
    assert entry["variable"] == "platform_version, python_full_version"


def test_conflicts_are_added_where_there_are_some() -> None:
    old = pure("foo", "1", markers='python_full_version < "3.11.3"')
    (target,) = document(plan_for(TARGET, old, pure("foo", "2")))["targets"]
    assert target["ok"] is False
    assert target["conflicts"] == [
        {
            "name": "foo",
            "candidates": [
                {"version": "1", "marker": 'python_full_version < "3.11.3"'},
                {"version": "2", "marker": ""},
            ],
            "variables": ["python_full_version"],
        }
    ]


def test_a_file_without_a_strong_hash_has_none() -> None:
    raw = {**raw_package("a", "1"), "files": [raw_file("a-1-py3-none-any.whl", "md5:x")]}
    (target,) = document(plan_for(TARGET, *read_lock(raw_lock(raw)).packages))["targets"]
    assert target["ok"] is False
    assert target["packages"][0]["hash"] is None


def test_a_written_bundle_is_named() -> None:
    bundle = WrittenBundle(path="dist/a.zip", size=12, sha256="ab" * 32, wheels=3)
    sizes = (
        PackageSize(name=canonicalize_name("b"), version="2", packed=30, unpacked=90),
        PackageSize(name=canonicalize_name("a"), version="1", packed=40, unpacked=50),
    )
    report = TargetReport(plan=plan_for(TARGET), bundle=bundle, sizes=sizes)
    result = json_document(Report(project=a_project(), targets=(report,)))
    (target,) = json.loads(json.dumps(result))["targets"]
    assert target["bundle"] == {"path": "dist/a.zip", "sha256": "ab" * 32, "size": 12}
    assert target["size"] == {
        "packed": 70,
        "unpacked": 140,
        "packages": [
            {"name": "b", "version": "2", "packed": 30, "unpacked": 90},
            {"name": "a", "version": "1", "packed": 40, "unpacked": 50},
        ],
    }


# --- runs that failed, and explanations -------------------------------------------------------


def test_a_run_that_failed_before_there_was_a_plan_still_gives_a_document() -> None:
    problem = Problem(what="no lock", hint="run `poetry lock`")
    assert json_document(None, [problem]) == {
        "schema": 1,
        "ok": False,
        "targets": [],
        "errors": [{"what": "no lock", "hint": "run `poetry lock`"}],
    }


def test_problems_make_a_run_not_ok_although_its_plans_are() -> None:
    report = Report(project=a_project(), targets=(TargetReport(plan=plan_for(TARGET)),))
    problem = Problem(what="gone", package="a 1", target="prod", file="a.whl")
    result = json_document(report, iter([problem]))
    assert result["ok"] is False
    assert result["errors"] == [
        {"what": "gone", "package": "a 1", "target": "prod", "file": "a.whl"}
    ]


def test_an_explanation_lists_every_file_with_rank_and_tag_or_axis_and_detail() -> None:
    package = locked("foo", "1", "foo-1.tar.gz", "foo-1-py3-none-any.whl")
    explanation = Explanation(target=TARGET, package=package, rows=tuple(explain(package, TARGET)))
    report = Report(project=a_project())
    assert json_document(report, explained=[explanation])["explained"] == [
        {
            "target": "cp311-manylinux2014_x86_64",
            "name": "foo",
            "version": "1",
            "files": [
                {
                    "file": "foo-1-py3-none-any.whl",
                    "rank": TARGET.tags.index("py3-none-any"),
                    "tag": "py3-none-any",
                },
                {
                    "file": "foo-1.tar.gz",
                    "axis": "build-only",
                    "detail": "a source archive, which would be built",
                },
            ],
        }
    ]
    assert "explained" not in json_document(report)


def test_what_goes_beyond_the_target_and_what_the_runtime_has_is_said() -> None:
    newer = "numpy-2.2.6-cp311-cp311-manylinux_2_28_x86_64.whl"
    more = with_more_platforms(TARGET, (parse_platform("manylinux_2_28_x86_64"),))
    plan = plan_for(
        TARGET, locked("numpy", "2.2.6", newer), pure("boto3"), variants={"numpy": more}
    )
    target = TargetReport(plan=plan, provided=(canonicalize_name("boto3"),))
    (said,) = json.loads(json.dumps(json_document(Report(project=a_project(), targets=(target,)))))[
        "targets"
    ]
    assert [(p["name"], p.get("beyond")) for p in said["packages"]] == [
        ("boto3", None),
        ("numpy", True),
    ]
    assert said["provided"] == ["boto3"]
    assert "provided" not in document(plan)["targets"][0]


def test_a_package_that_is_to_be_built_has_a_file_once_it_is() -> None:
    plan = plan_for(TARGET, locked("lib", "1", source={"type": "directory", "url": "../lib"}))
    planned = {"name": "lib", "version": "1", "outcome": "build"}
    assert document(plan)["targets"][0]["packages"] == [planned]
    wheel = StoredWheel(filename="lib-1-py3-none-any.whl", sha256="ab" * 32, size=9)
    built = {canonicalize_name("lib"): (wheel, "py3-none-any")}
    report = Report(project=a_project(), targets=(TargetReport(plan=plan, built=built),))
    (target,) = json.loads(json.dumps(json_document(report)))["targets"]
    assert target["packages"] == [
        {
            **planned,
            "file": wheel.filename,
            "tag": "py3-none-any",
            "hash": f"sha256:{wheel.sha256}",
        }
    ]
