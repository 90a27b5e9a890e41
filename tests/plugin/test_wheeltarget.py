"""``poetry wheeltarget list``, ``show`` and ``probe``, in a project and outside of one."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from plugin.harness import Cli, Outcome
from plugin.projectmaker import Recipe, stub
from wheeltarget.core.presets import presets
from wheeltarget.runtime.interpreter import describe

if TYPE_CHECKING:
    from pathlib import Path

    from plugin.harness import MakeCli, Sandbox

LAMBDA = "aws-lambda-python3.11-arm64"
TABLE = {
    "targets": {
        "fn": {"extends": LAMBDA, "platforms": ["manylinux_2_28_aarch64"]},
        "open": {"platforms": ["win_amd64"]},
    }
}


@pytest.fixture
def cli(make_cli: MakeCli) -> Cli:
    alpha = stub("alpha", "py3-none-any")
    return make_cli(Recipe(packages=[alpha], table=TABLE, requires_python=">=3.9,<3.12"))


@pytest.fixture
def nowhere(tmp_path: Path, sandbox: Sandbox) -> Cli:
    """A folder without a project."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return Cli(folder, sandbox)


def names(ended: Outcome) -> list[str]:
    assert (ended.code, ended.err) == (0, "")
    return [line.split()[0] for line in ended.out.splitlines()[1:]]


# --- list -------------------------------------------------------------------------------------


def test_declared_targets_and_presets_are_listed(cli: Cli) -> None:
    assert names(cli.poetry("wheeltarget", "list")) == ["fn", "open", *presets()]


def test_outside_of_a_project_the_presets_are_listed(nowhere: Cli) -> None:
    assert names(nowhere.poetry("wheeltarget", "list")) == list(presets())


def test_the_list_is_narrowed_by_words(cli: Cli) -> None:
    assert names(cli.poetry("wheeltarget", "list", "debian", "x86")) == [
        f"debian-{release}-x86_64" for release in (9, 10, 11, 12, 13)
    ]


def test_that_nothing_is_found_is_said(nowhere: Cli) -> None:
    ended = nowhere.poetry("wheeltarget", "list", "solaris")
    assert (ended.code, ended.out, ended.err) == (0, "", "No target has such a name.\n")


def test_a_declared_description_is_read_where_it_can_be(make_cli: MakeCli) -> None:
    files = {name: {"description-file": f"{name}.json"} for name in ("box", "lost", "torn")}
    cli = make_cli(Recipe(table={"targets": files}))
    (cli.project / "box.json").write_text(json.dumps(describe()), encoding="utf-8")
    (cli.project / "torn.json").write_text("{", encoding="utf-8")
    ended = cli.poetry("wheeltarget", "list", "o")
    assert (ended.code, ended.err) == (0, "")
    found = {row[0]: row[2:] for row in map(str.split, ended.out.splitlines())}
    assert found["box"][0] == str(describe()["python"])
    assert found["box"][2:] == ["described", "by", "box.json"]
    for name in ("lost", "torn"):
        assert found[name] == ["-", "-", "described", "by", f"{name}.json"]


def test_a_broken_table_is_an_error_here_too(make_cli: MakeCli) -> None:
    table = {"targets": {"x": {"extend": "y"}}}
    ended = make_cli(Recipe(table=table)).poetry("wheeltarget", "list")
    assert (ended.code, ended.out) == (2, "")
    assert "tool.wheeltarget.targets.x.extend: unknown key; did you mean 'extends'?" in ended.err


# --- show -------------------------------------------------------------------------------------


def test_a_target_is_shown_with_what_is_odd_about_it(cli: Cli) -> None:
    ended = cli.poetry("wheeltarget", "show", "fn")
    assert ended.code == 0
    assert ended.out.startswith("fn: Python 3.11, glibc 2.28, aarch64\n")
    assert "cp311-cp311-manylinux_2_28_aarch64" in ended.out
    assert ended.err.startswith(
        "Warning: the target fn takes wheels for glibc 2.28, but the runtime has 2.26"
    )


def test_a_preset_that_the_project_does_not_allow_can_be_looked_at(cli: Cli) -> None:
    ended = cli.poetry("wheeltarget", "show", "aws-lambda-python3.14-x86_64")
    assert (ended.code, ended.err) == (0, "")


def test_outside_of_a_project_the_python_must_be_said(nowhere: Cli) -> None:
    ended = nowhere.poetry("wheeltarget", "show", "debian-12-x86_64")
    assert (ended.code, ended.out) == (2, "")
    assert "the target does not say its Python; add --python" in ended.err
    ended = nowhere.poetry("wheeltarget", "show", "debian-12-x86_64", "--python", "3.11")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("debian-12-x86_64: Python 3.11, glibc 2.36, x86_64\n")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["debian-12-x86_46"], "did you mean 'debian-12-x86_64' (a preset)"),
        (["cp311,py3.12,win32"], "Python 3.11 and Python 3.12 contradict each other"),
        (["win32", "--python", "x"], "--python: 'x' is not a Python version"),
        (["@no.json"], "cannot read no.json: No such file or directory"),
        ([], 'Not enough arguments (missing: "target")'),
        (["win32", "--jsn"], 'The option "--jsn" does not exist'),
    ],
)
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_what_cannot_be_shown_says_why_and_writes_no_description(
    nowhere: Cli, args: list[str], said: str, more: list[str]
) -> None:
    ended = nowhere.poetry("wheeltarget", "show", *args, *more)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


def test_what_is_shown_as_json_is_a_target(cli: Cli) -> None:
    shown = cli.poetry("wheeltarget", "show", "open", "--python", "3.11.4", "--json")
    assert (shown.code, shown.err) == (0, "")
    (cli.project / "win.json").write_text(shown.out, encoding="utf-8")
    ended = cli("--check", "--json", "--target", "@win.json")
    assert ended.code == 0
    assert "Warning" not in ended.err
    (target,) = ended.document["targets"]
    assert (target["name"], target["python"]) == ("cp311-win_amd64", "3.11.4")


# --- probe ------------------------------------------------------------------------------------


def test_the_probe_describes_the_interpreter_that_runs_poetry(nowhere: Cli) -> None:
    ended = nowhere.poetry("wheeltarget", "probe")
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out) == describe()


def test_what_the_probe_writes_is_a_target(cli: Cli) -> None:
    (cli.project / "here.json").write_text(cli.poetry("wheeltarget", "probe").out, encoding="utf-8")
    ended = cli.poetry("wheeltarget", "show", "@here.json")
    assert (ended.code, ended.err) == (0, "")
    version = ".".join(map(str, sys.version_info[:3]))
    assert f"\n  python_full_version              {version}\n" in ended.out


def test_the_script_does_the_same_without_us(nowhere: Cli) -> None:
    script = nowhere.poetry("wheeltarget", "probe", "--script")
    assert (script.code, script.err) == (0, "")
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-"],
        input=script.out,
        capture_output=True,
        check=True,
        text=True,
    )
    assert json.loads(ran.stdout) == describe()


def test_the_commands_are_listed_with_their_descriptions(nowhere: Cli) -> None:
    listed = nowhere.poetry("list", "wheeltarget")
    assert listed.code == 0
    for command in ("wheeltarget list", "wheeltarget probe", "wheeltarget show"):
        (line,) = [each for each in listed.out.splitlines() if each.strip().startswith(command)]
        assert len(line.split()) > 4
