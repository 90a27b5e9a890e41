"""Poetry finds the plugin by its entry point, and pays nothing for it in other commands."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest
from poetry.console.application import Application
from poetry.plugins.application_plugin import ApplicationPlugin

from plugin.projectmaker import Recipe, stub
from wheeltarget.plugin.plugin import WheeltargetPlugin

if TYPE_CHECKING:
    from plugin.harness import Cli, MakeCli, Sandbox

ENTRY = {"wheeltarget", "wheeltarget.plugin", "wheeltarget.plugin.plugin"}


@pytest.fixture
def cli(make_cli: MakeCli) -> Cli:
    return make_cli(Recipe(packages=[stub("alpha", "py3-none-any")]))


def loaded_by(code: str, sandbox: Sandbox) -> set[str]:
    """The modules that a fresh interpreter has loaded after the code, and not before its mark."""
    probe = f"import json, sys\n{code}\nprint(json.dumps(sorted(set(sys.modules) - before)))"
    ended = subprocess.run(
        [sys.executable, "-c", probe],
        env=sandbox.environment(),
        capture_output=True,
        check=True,
        text=True,
    )
    return set(json.loads(ended.stdout.splitlines()[-1]))


def test_poetry_finds_the_plugin_by_its_entry_point() -> None:
    (entry,) = entry_points(group=ApplicationPlugin.group, name="wheeltarget")
    assert entry.load() is WheeltargetPlugin


def test_the_entry_module_imports_nothing_but_poetrys_base_class(sandbox: Sandbox) -> None:
    loaded = loaded_by(
        "import poetry.plugins.application_plugin\n"
        "before = set(sys.modules)\n"
        "import wheeltarget.plugin.plugin",
        sandbox,
    )
    assert loaded == ENTRY


def test_activating_it_imports_nothing_more(sandbox: Sandbox) -> None:
    loaded = loaded_by(
        "import poetry.plugins.application_plugin\n"
        "from poetry.console.application import Application\n"
        "application = Application()\n"
        "before = set(sys.modules)\n"
        "from wheeltarget.plugin.plugin import WheeltargetPlugin\n"
        "WheeltargetPlugin().activate(application)",
        sandbox,
    )
    assert loaded == ENTRY


def test_another_command_loads_none_of_our_rooms(sandbox: Sandbox) -> None:
    loaded = loaded_by(
        "before = set()\n"
        "from poetry.console.application import Application\n"
        "application = Application()\n"
        "application.auto_exits(False)\n"
        "from cleo.io.inputs.argv_input import ArgvInput\n"
        "assert application.run(ArgvInput(['poetry', 'about'])) == 0",
        sandbox,
    )
    assert {name for name in loaded if name.partition(".")[0] == "wheeltarget"} == ENTRY


@pytest.mark.parametrize("table", [None, {}, {"constrain-lock": False}])
def test_locking_loads_none_of_our_rooms_unless_asked(
    make_cli: MakeCli, table: dict[str, bool] | None
) -> None:
    cli = make_cli(Recipe(table=table))
    loaded = loaded_by(
        "before = set()\n"
        "from poetry.console.application import Application\n"
        "application = Application()\n"
        "application.auto_exits(False)\n"
        "from cleo.io.inputs.argv_input import ArgvInput\n"
        f"argv = ['poetry', '-q', '-P', {str(cli.project)!r}, 'lock']\n"
        "assert application.run(ArgvInput(argv)) == 0",
        cli.sandbox,
    )
    assert {name for name in loaded if name.partition(".")[0] == "wheeltarget"} == ENTRY


def test_a_process_of_poetry_has_the_command(cli: Cli) -> None:
    ended = cli.process("--target", "win_amd64", "--python", "3.12", "--check")
    assert (ended.code, ended.err) == (0, "")
    assert "demo 0.1.0 for cp312-win_amd64" in ended.out


def test_without_plugins_there_is_no_such_command(cli: Cli) -> None:
    ended = cli("--no-plugins", "--check")
    assert ended.code == 1
    assert "bundle-wheels" in ended.err
    assert "does not exist" in ended.err


def test_the_command_is_listed_with_its_description(cli: Cli) -> None:
    listed = cli.poetry("list")
    assert listed.code == 0
    (line,) = [line for line in listed.out.splitlines() if "bundle-wheels" in line]
    assert "wheels" in line.replace("bundle-wheels", "")


def test_help_names_every_option_of_the_contract(cli: Cli) -> None:
    shown = cli("--help")
    assert shown.code == 0
    for option in (
        *("-t, --target=", "--all-targets", "--python=", "-o, --output="),
        *("--with=", "--without=", "--only=", "--all-groups", "-E, --extras=", "--all-extras"),
        *("--no-root", "--exclude=", "--check", "--explain=", "--json", "--offline", "--strict"),
    ):
        assert option in shown.out
    assert shown.err == ""


def test_a_second_application_gets_a_command_of_its_own() -> None:
    first, second = Application(), Application()
    for application in (first, second):
        WheeltargetPlugin().activate(application)
    further = [
        f"wheeltarget {name}" for name in ("list", "show", "probe", "lock", "verify", "diff")
    ]
    for name in ("bundle-wheels", *further):
        assert first.command_loader.get(name) is not second.command_loader.get(name)
