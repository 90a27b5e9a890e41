"""Which targets a run has, and where their Python comes from."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from plugin.harness import Cli
from plugin.projectmaker import Recipe, stub
from support.projects import PROJECTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugin.harness import MakeCli, Outcome, Sandbox

ALPHA = stub("alpha", "py3-none-any")
HOST_PYTHON = f"3.{sys.version_info.minor}"


def recipe(table: Mapping[str, Any] | None = None, requires_python: str = ">=3.6") -> Recipe:
    return Recipe(packages=[ALPHA], requires_python=requires_python, table=table)


def declared(**targets: Mapping[str, Any]) -> dict[str, Any]:
    return {"targets": {name.replace("_", "-"): dict(of) for name, of in targets.items()}}


def check(cli: Cli, *args: str) -> Outcome:
    """Plan for a person first, so that stderr is that of a run without JSON."""
    shown = cli("--check", *args)
    document = cli("--check", "--json", *args)
    assert shown.code == document.code
    return document


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("cp38,manylinux2010_x86_64", "cp38-manylinux2010_x86_64"),
        ("cp38-cp38-manylinux2010_x86_64", "cp38-manylinux2010_x86_64"),
        ("manylinux1,cp36,x86_64", "cp36-manylinux1_x86_64"),
        ("x86_64, manylinux1, cp36", "cp36-manylinux1_x86_64"),
        ("cp313-cp313t-manylinux_2_28_x86_64", "cp313-cp313t-manylinux_2_28_x86_64"),
        ("manylinux_2_26_aarch64,3.11.9", "cp311-manylinux_2_26_aarch64"),
        ("musllinux_1_2_x86_64,cp312", "cp312-musllinux_1_2_x86_64"),
        ("macosx_11_0_arm64,cp311", "cp311-macosx_11_0_arm64"),
        ("win_amd64,cp312", "cp312-win_amd64"),
        ("linux_armv7l,cp311", "cp311-linux_armv7l"),
        ("pp310,manylinux_2_28_x86_64", "pp310-manylinux_2_28_x86_64"),
    ],
)
def test_a_spec_has_many_forms(make_cli: MakeCli, spec: str, name: str) -> None:
    ended = check(make_cli(recipe()), "-t", spec)
    assert (ended.code, ended.targets) == (0, [name])


@pytest.mark.parametrize(
    ("args", "python"),
    [
        (["-t", "cp312,win_amd64", "--python", "3.11"], "3.12"),
        (["-t", "prod", "--python", "3.11.4"], "3.11.4"),
        (["-t", "prod"], "3.10"),
        (["-t", "win_amd64", "--python", "3.11"], "3.11"),
    ],
)
def test_the_spec_beats_the_option_beats_the_table(
    make_cli: MakeCli, args: list[str], python: str
) -> None:
    table = declared(prod={"python": "3.10", "platforms": ["win_amd64"]})
    ended = check(make_cli(recipe(table)), *args)
    assert ended.document["targets"][0]["python"] == python
    assert ended.err.count("Warning") == ("cp312,win_amd64" in args)


def test_requires_python_decides_where_it_admits_one_minor(make_cli: MakeCli) -> None:
    ended = make_cli(recipe(requires_python=">=3.9,<3.10"))("-t", "win_amd64", "--check")
    assert (ended.code, ended.err) == (0, "")
    assert "Python 3.9, Windows, amd64" in ended.out


def test_the_active_interpreter_comes_last_and_a_notice_says_so(make_cli: MakeCli) -> None:
    ended = check(make_cli(recipe()), "-t", "win_amd64")
    assert ended.document["targets"][0]["python"] == HOST_PYTHON
    assert f"{HOST_PYTHON} from the active environment" in ended.err
    assert "--python" in ended.err


def test_the_notice_comes_once_for_several_targets(make_cli: MakeCli) -> None:
    ended = make_cli(recipe())("--check", "-t", "win_amd64", "-t", "win_arm64")
    assert ended.code == 0
    assert ended.err.count("active environment") == 1


def test_with_strict_the_active_interpreter_is_no_answer(make_cli: MakeCli) -> None:
    ended = make_cli(recipe())("--check", "-t", "win_amd64", "--strict")
    assert ended.code == 2
    assert "--python" in ended.err


@pytest.mark.parametrize(
    ("project", "python", "platform"),
    [
        ("small-api", "3.8", "manylinux2010_x86_64"),
        ("data-service", "3.8", "manylinux2010_x86_64"),
        ("legacy-glibc", "3.12", "manylinux_2_28_aarch64"),
        ("legacy-glibc", "3.12", "win_amd64"),
        ("legacy-glibc", "3.13", "manylinux_2_28_x86_64"),
    ],
)
def test_a_python_that_the_project_does_not_allow(
    sandbox: Sandbox, project: str, python: str, platform: str
) -> None:
    cli = Cli(PROJECTS / project, sandbox)
    ended = cli("--check", "-t", platform, "--python", python)
    assert (ended.code, ended.out) == (2, "")
    assert f"does not allow Python {python}" in ended.err
    assert platform in ended.err


# --- declared targets -----------------------------------------------------------------------

TWO = declared(
    prod={"python": "3.11", "platforms": ["manylinux_2_28_x86_64"], "exclude": ["alpha"]},
    edge={"extends": "prod", "platforms": ["musllinux_1_2_x86_64"], "python": "3.12.1"},
)


@pytest.mark.parametrize(
    ("defaults", "args", "targets"),
    [
        (None, [], ["prod", "edge"]),
        (["edge"], [], ["edge"]),
        (["edge"], ["--all-targets"], ["prod", "edge"]),
        (["edge"], ["-t", "prod"], ["prod"]),
        (["edge"], ["-t", "prod", "-t", "edge", "-t", "prod"], ["prod", "edge"]),
        (["edge"], ["-t", "edge", "--target=cp39,win32"], ["edge", "cp39-win32"]),
    ],
)
def test_which_targets_a_run_has(
    make_cli: MakeCli, defaults: list[str] | None, args: list[str], targets: list[str]
) -> None:
    table = TWO if defaults is None else {**TWO, "default-targets": defaults}
    ended = check(make_cli(recipe(table)), *args)
    assert (ended.code, ended.targets) == (0, targets)


def test_a_target_extends_another_one(make_cli: MakeCli) -> None:
    prod, edge = check(make_cli(recipe(TWO))).document["targets"]
    assert (prod["python"], edge["python"]) == ("3.11", "3.12.1")
    assert prod["platforms"][0] == "manylinux_2_28_x86_64"
    assert edge["platforms"] == [f"musllinux_1_{minor}_x86_64" for minor in (2, 1, 0)]
    outcomes = [[package["outcome"] for package in target["packages"]] for target in (prod, edge)]
    assert outcomes == [["excluded"], ["excluded"]]


def test_a_declared_name_beats_a_tag(make_cli: MakeCli) -> None:
    table = declared(win_amd64={"python": "3.11", "platforms": ["win_arm64"]})
    table["targets"]["win_amd64"] = table["targets"].pop("win-amd64")
    (target,) = check(make_cli(recipe(table)), "-t", "win_amd64").document["targets"]
    assert (target["name"], target["platforms"]) == ("win_amd64", ["win_arm64"])


@pytest.mark.parametrize(
    ("table", "args", "said"),
    [
        (None, [], ["no target", "--target"]),
        (TWO, ["-t", "prod", "--all-targets"], ["--target and --all-targets"]),
        (TWO, ["-t", "prd"], ["'prd'", "did you mean 'prod' (declared)?"]),
        (None, ["-t", "manylinux2014_x86-64,cp311"], ["did you mean"]),
        (None, ["-t", "manylinux2010_aarch64,cp311"], ["never existed"]),
        (None, ["-t", "manylinux_2_28_x68_64,cp311"], ["x68_64", "did you mean 'x86_64'?"]),
        (None, ["-t", "win_amd64", "--python", "three"], ["--python", "'three'"]),
        (None, ["-t", "win_amd64", "--python", "2.7"], ["2.7"]),
        (None, ["-t", "cp38,cp39,win_amd64"], ["3.8", "3.9"]),
        ({"defaut-targets": ["x"]}, [], ["tool.wheeltarget.defaut-targets", "default-targets"]),
        ({**TWO, "default-targets": ["pord"]}, [], ["default-targets", "'pord'", "'prod'"]),
        (declared(a={"platforms": "win32"}), [], ["tool.wheeltarget.targets.a.platforms"]),
        (declared(a={"extends": "b"}, b={"extends": "a"}), [], ["circle", "a -> b -> a"]),
    ],
)
def test_a_target_that_cannot_be(
    make_cli: MakeCli, table: Mapping[str, Any] | None, args: list[str], said: list[str]
) -> None:
    ended = make_cli(recipe(table))("--check", *args)
    assert (ended.code, ended.out) == (2, "")
    assert [text for text in said if text not in ended.err] == []
    assert "Traceback" not in ended.err


def test_all_targets_that_cannot_be_are_named_in_one_run(make_cli: MakeCli) -> None:
    ended = make_cli(recipe())(
        "--check", "-t", "cp311,win_amd65", "-t", "cp311,manylinux2010_s390x"
    )
    assert ended.code == 2
    assert "win_amd65" in ended.err
    assert "manylinux2010_s390x" in ended.err


def test_exclude_adds_to_what_is_declared(make_cli: MakeCli) -> None:
    packages = [stub(name, "py3-none-any") for name in ("alpha", "beta", "gamma", "delta-x")]
    table = {"exclude": ["Alpha"], **declared(prod={"python": "3.11", "platforms": ["win32"]})}
    table["targets"]["prod"]["exclude"] = ["beta"]
    cli = make_cli(Recipe(packages=packages, table=table))
    (target,) = check(cli, "--exclude", "Delta_X").document["targets"]
    outcomes = {package["name"]: package["outcome"] for package in target["packages"]}
    left_out = {name for name, outcome in outcomes.items() if outcome == "excluded"}
    assert left_out == {"alpha", "beta", "delta-x"}
    assert outcomes["gamma"] == "wheel"


def test_a_marker_value_that_cannot_be_compared(make_cli: MakeCli) -> None:
    table = declared(
        prod={
            "python": "3.11",
            "platforms": ["manylinux_2_28_x86_64"],
            "markers": {"platform_release": "no version"},
        }
    )
    alpha = stub("alpha", "py3-none-any", markers='platform_release >= "5"')
    ended = make_cli(Recipe(packages=[alpha], table=table))("--check")
    assert (ended.code, ended.out) == (2, "")
    assert "alpha 1.0" in ended.err
    assert "platform_release" in ended.err


def test_a_marker_value_decides(make_cli: MakeCli) -> None:
    target = {"python": "3.11", "platforms": ["manylinux_2_28_x86_64"]}
    table = declared(
        new={**target, "markers": {"platform_release": "6"}},
        old={**target, "markers": {"platform_release": "4"}},
    )
    alpha = stub("alpha", "py3-none-any", markers='platform_release >= "5"')
    ended = make_cli(Recipe(packages=[alpha], table=table))("--check", "--json", "--strict")
    assert ended.code == 0
    assert [len(target["packages"]) for target in ended.document["targets"]] == [1, 0]
