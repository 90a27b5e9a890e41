"""The page about the commands of a bundle says what ``__main__.py`` has."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from docs.markdown import below, codes, read, rows, section
from runtime.bundlerig import Run, members, put, target
from runtime.test_bundle_fitting import GLIBC_2_17, GLIBC_2_28, here, part
from wheeltarget.runtime import main, opening, pip, speech
from wheeltarget.runtime.fitting import misfits

PAGE = "docs/reference/bundle-commands.md"
HOW_TO = "docs/how-to/install-a-bundle.md"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs commands of a bundle."""
    return Run(capsys)


def commands() -> dict[str, argparse.ArgumentParser]:
    parser = main._parser("b.zip")
    (of,) = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    return dict(of.choices)


def options(parser: argparse.ArgumentParser) -> dict[str, str | None]:
    """The options, and what their values are called."""
    return {
        name: str(action.metavar) if action.metavar else None
        for action in parser._actions
        for name in action.option_strings
    }


def shown_options(title: str) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for row in rows(section(PAGE, title).text):
        for text in codes(row[0]):
            name, _, value = text.partition(" ")
            found[name] = value or None
    return found


def test_every_command_has_its_section() -> None:
    titles = [each.title for each in below(PAGE, "Commands of a bundle") if each.level == 2]
    assert titles[:3] == ["check", "install", "list"]
    assert set(commands()) == {"check", "install", "list"}


def test_options() -> None:
    common = shown_options("Options of all commands")
    assert common == {"--select": "NAME", "-h": None, "--help": None}
    assert options(commands()["check"]) == options(commands()["list"]) == common
    assert options(commands()["install"]) == {**common, **shown_options("install")}


def test_exit_codes() -> None:
    shown = {int(row[0]) for row in rows(section(PAGE, "Exit codes").text)}
    ours = {speech.USAGE, opening.UNFIT, speech.DAMAGED, speech.FILE_SYSTEM, speech.INTERRUPTED}
    assert shown == {0, 1, *ours}


def test_options_of_pip() -> None:
    (command,) = re.findall(r"(?m)^pip install (.*)$", section(PAGE, "With pip").text)
    shown = {word for word in command.split() if word.startswith("--")}
    # That these two are there, too, is nobody's business.
    assert {*shown, "--disable-pip-version-check", "--no-cache-dir"} == {*pip.HOW, "--find-links"}


def test_the_how_to_has_existing_options_only() -> None:
    shown = re.findall(r"\S+\.zip (check|install|list)\b([^\n&`]*)", read(HOW_TO))
    assert {command for command, _ in shown} == set(commands())
    for command, arguments in shown:
        names = re.findall(r"--[a-z]+", arguments)
        assert set(names) <= set(options(commands()[command]))


def test_the_how_to_shows_what_is_said(tmp_path: Path, run: Run) -> None:
    lines = read(HOW_TO).splitlines()
    assert run(put(tmp_path, members(target("prod"))), "check") == 0
    assert run.out.strip().replace("2 wheels", "22 wheels") in lines
    told = misfits(part(GLIBC_2_28), "wheelhouse", here(GLIBC_2_17, "3.8.18", "cp38"))
    for problem in told:
        assert f"Error: target prod: {problem}" in lines
    assert len(told) == 2
