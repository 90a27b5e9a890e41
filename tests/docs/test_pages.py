"""What pages show is so: options, configurations, links, and what commands print."""

from __future__ import annotations

import importlib
import importlib.util
import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from cleo.io.inputs.argv_input import ArgvInput
from cleo.io.inputs.definition import Definition
from poetry.console.application import Application

from docs.markdown import DOCS, PAGES, ROOT, Block, anchors, below, blocks, links, section
from docs.test_schema import code_accepts, schema_accepts
from plugin.harness import Cli, Sandbox
from wheeltarget.plugin.commands.bundle_wheels import BundleWheelsCommand
from wheeltarget.plugin.commands.diff import DiffCommand
from wheeltarget.plugin.commands.list_targets import ListCommand
from wheeltarget.plugin.commands.probe import ProbeCommand
from wheeltarget.plugin.commands.show_target import ShowCommand
from wheeltarget.plugin.commands.verify import VerifyCommand

# Chosen at run time: what a type checker finds of the two depends on the Python it assumes.
tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

#: Our commands, and what each takes.
COMMANDS = {
    command.name: command
    for command in (
        BundleWheelsCommand,
        DiffCommand,
        ListCommand,
        ProbeCommand,
        ShowCommand,
        VerifyCommand,
    )
}
COMMAND = f"poetry ({'|'.join(map(str, COMMANDS))})"
NETWORK = pytest.mark.network
BLOCKS = [block for page in PAGES for block in blocks(page)]


# --- commands ------------------------------------------------------------------------------------


def shown(text: str) -> list[tuple[str, str]]:
    """Each of our commands in a block with its arguments, as typed."""
    joined = text.replace("\\\n", " ")
    found = re.findall(rf"(?m){COMMAND}((?:[^\n|;>)#'\"]|'[^'\n]*'|\"[^\"\n]*\")*)", joined)
    return [(command, arguments.strip()) for command, arguments in found]


SHOWN = [(block, *found) for block in BLOCKS for found in shown(block.text)]


@pytest.mark.parametrize(
    ("block", "command", "arguments"),
    SHOWN,
    ids=[f"{block} {command} {arguments}" for block, command, arguments in SHOWN],
)
def test_a_shown_command_has_existing_options_only(
    block: Block, command: str, arguments: str
) -> None:
    if arguments.startswith("["):
        return
    common = Application().definition.options
    of = COMMANDS[command]
    definition = Definition([*common, *of.options, *of.arguments])
    # Raises for an option that does not exist, or lacks its value, and for a stray argument.
    ArgvInput([command, *shlex.split(arguments)], definition).validate()


def test_commands_are_found_in_blocks() -> None:
    text = "x=1 poetry bundle-wheels --check --json | jq\n$ poetry bundle-wheels -t \\\n  a,b > x\n"
    assert shown(text) == [("bundle-wheels", "--check --json"), ("bundle-wheels", "-t    a,b")]
    text = "poetry wheeltarget show @x.json\npoetry wheeltarget probe --script | ssh box\n"
    assert shown(text) == [("wheeltarget show", "@x.json"), ("wheeltarget probe", "--script")]


def test_all_commands_are_shown() -> None:
    assert {command for _, command, _ in SHOWN} == set(COMMANDS)


# --- what they print -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """A command that a page shows with its output, and the folder that it was run in."""

    block: Block
    command: str
    arguments: str
    output: str

    def __str__(self) -> str:
        return f"{self.block} {self.command} {self.arguments}"


def runs() -> list[Run]:
    found = []
    for block in BLOCKS:
        if block.folder is None:
            continue
        _, *parts = re.split(rf"(?m)^\$ {COMMAND}(.*)\n", block.text)
        found += [
            Run(block, command, arguments.strip(), output)
            for command, arguments, output in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
        ]
    return found


def cases() -> list[object]:
    """All runs; a bundle needs the network, a plan or a target does not."""
    return [
        pytest.param(
            run,
            id=str(run),
            marks=NETWORK
            if run.command == "bundle-wheels" and "--check" not in run.arguments
            else (),
        )
        for run in runs()
    ]


def pattern(output: str) -> re.Pattern[str]:
    """``…`` stands for any number of lines where it is a line, else for anything in a line."""
    escaped = re.escape(output.rstrip("\n"))
    lines = re.sub(r"(?m)^…$\n?", "(?:.*\n)*?", escaped.replace("\\\n", "\n") + "\n")
    return re.compile(lines.replace("…", ".*"))


@pytest.mark.parametrize("run", cases())
def test_a_command_prints_what_the_page_shows(run: Run, tmp_path: Path, sandbox: Sandbox) -> None:
    assert run.block.folder is not None
    project = tmp_path / "project"
    shutil.copytree(ROOT / run.block.folder, project, ignore=shutil.ignore_patterns("dist"))
    outcome = Cli(project, sandbox).poetry(*run.command.split(), *shlex.split(run.arguments))
    # On a terminal both appear in one; which comes first depends on the command.
    both = [(outcome.out + outcome.err), (outcome.err + outcome.out)]
    expected = pattern(run.output)
    assert any(expected.fullmatch(text.rstrip("\n") + "\n") for text in both), both[0]


def test_pages_show_what_commands_print() -> None:
    assert {run.block.page for run in runs()} >= {"README.md", "docs/tutorial.md"}


def test_an_ellipsis_stands_for_lines_or_for_a_part_of_one() -> None:
    assert pattern("a …\n…\nb\n").fullmatch("a 1.0 (x)\n\ny\nb\n")
    assert pattern("…\nb\n").fullmatch("b\n")
    assert not pattern("a …\nb\n").fullmatch("a 1.0\nc\nb\n")
    assert not pattern("a.c\n").fullmatch("abc\n")


# --- configurations ------------------------------------------------------------------------------

TABLES = [block for block in BLOCKS if block.language == "toml"]


@pytest.mark.parametrize("block", TABLES, ids=str)
def test_a_shown_configuration_is_valid(block: Block) -> None:
    document = tomllib.loads(block.text)
    table = document.get("tool", {}).get("wheeltarget", {})
    assert code_accepts(table)
    assert schema_accepts(table)


def test_configurations_are_shown() -> None:
    assert sum("[tool.wheeltarget" in block.text for block in TABLES) > 5


# --- links ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_internal_links_resolve(page: str) -> None:
    folder = (ROOT / page).parent
    for link in links(page):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        linked = (folder / path).resolve() if path else ROOT / page
        assert linked.is_file(), link
        if anchor:
            assert anchor in anchors(linked.relative_to(ROOT).as_posix()), link


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("docs/")])
def test_a_page_of_the_documentation_links_within_it(page: str) -> None:
    for link in links(page):
        path = link.partition("#")[0]
        if path and not link.startswith("https://"):
            assert ((ROOT / page).parent / path).resolve().is_relative_to(DOCS), link


# --- the changelog page --------------------------------------------------------------------------


def test_the_changelog_page_is_the_changelog() -> None:
    spec = importlib.util.spec_from_file_location("docs_hooks", DOCS / "hooks.py")
    assert spec is not None
    assert spec.loader is not None
    hooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hooks)

    def replaced(path: str) -> str:
        page = SimpleNamespace(file=SimpleNamespace(src_uri=path))
        return str(hooks.on_page_markdown("text", page=page, config=None, files=None))

    assert replaced("changelog.md") == (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert replaced("index.md") == "text"


def test_the_changelog_tells_what_is_unreleased() -> None:
    unreleased = section("CHANGELOG.md", "[Unreleased]")
    assert unreleased.level == 2
    kinds = below("CHANGELOG.md", "[Unreleased]")
    assert {each.title for each in kinds} <= {"Added", "Changed", "Removed", "Fixed", "Security"}
    assert all(each.text.strip().startswith("- ") for each in kinds)
