"""Commands that wheels bring: scripts, and entry points."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from runtime.bundlerig import wheel_file
from support.tools import run as run_tool
from support.wheels import BuiltWheel, build_wheel
from wheeltarget.runtime import launchers
from wheeltarget.runtime.launchers import entry_scripts, own_script, shebang
from wheeltarget.runtime.speech import BundleError
from wheeltarget.runtime.wheelfile import EntryPoint

ENTRIES = b"""\
[console_scripts]
Tool.run = tool.cli : main
other=tool:Deep.call [extra]
[gui_scripts]
windows = tool:main
[else]
x = nonsense
"""

# --- entry points ---------------------------------------------------------------------------


def with_entries(text: bytes) -> BuiltWheel:
    return build_wheel("tool", "1.0", extra_members={"tool-1.0.dist-info/entry_points.txt": text})


def entries(text: bytes, folder: Path) -> list[EntryPoint]:
    wheel = wheel_file(with_entries(text), folder)
    with wheel.archive:
        return wheel.entry_points()


def test_entry_points(tmp_path: Path) -> None:
    assert entries(ENTRIES, tmp_path) == [
        EntryPoint("Tool.run", "tool.cli", "main", False),
        EntryPoint("other", "tool", "Deep.call", False),
        EntryPoint("windows", "tool", "main", True),
    ]
    assert entries(b"", tmp_path) == []


@pytest.mark.parametrize(
    "line",
    ["../x = a:b", "x = a", "x = a:b;import os", "x = a:1b", "a/b = c:d", "x:y = a:b", "x = .a:b"],
)
def test_entry_points_that_are_refused(line: str, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"its entry point '.*' is refused"):
        entries(f"[console_scripts]\n{line}\n".encode(), tmp_path)


# --- launchers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("python", "line"),
    [
        ("/usr/bin/python3", b"#!/usr/bin/python3\n"),
        ("/" + "x" * 123, b"#!/" + b"x" * 123 + b"\n"),
        ("/a b/python", b"#!/bin/sh\n'''exec' '/a b/python' \"$0\" \"$@\"\n' '''\n"),
        ("/" + "x" * 124, b"#!/bin/sh\n'''exec' /" + b"x" * 124 + b" \"$0\" \"$@\"\n' '''\n"),
    ],
)
def test_first_lines(python: str, line: bytes) -> None:
    assert shebang(python) == line


@pytest.mark.parametrize("folder", ["a b", "it's", "x" * 130, '$HOME `ls` "q"', "ä ö"])
def test_any_path_of_an_interpreter_works(folder: str, tmp_path: Path) -> None:
    python = tmp_path / folder / "python"
    python.parent.mkdir()
    python.symlink_to(os.path.realpath(sys.executable))
    script = tmp_path / "script"
    script.write_bytes(own_script(b"#!python\nimport sys\nprint(sys.argv[1:])\n", str(python)))
    script.chmod(0o755)
    ended = run_tool([str(script), "a b", "$c"])
    assert (ended.returncode, ended.stdout) == (0, "['a b', '$c']\n"), ended.stderr


def test_scripts_of_other_programs_stay() -> None:
    assert own_script(b"#!/bin/sh\nx", "/p") == b"#!/bin/sh\nx"
    assert own_script(b"\x7fELF", "/p") == b"\x7fELF"
    assert own_script(b"#!python -E\nx", "/p") == b"#!/p -E\nx"
    assert own_script(b"#!pythonw\r\nx", "/p") == b"#!/p\nx"


def test_on_windows_a_command_file_stands_in(tmp_path: Path) -> None:
    python = tmp_path / "python.exe"
    (tmp_path / "pythonw.exe").touch()
    console = EntryPoint("tool", "pkg.cli", "App.run", False)
    scripts = dict(entry_scripts(console, str(python), True))
    assert list(scripts) == ["tool-script.py", "tool.cmd"]
    assert scripts["tool.cmd"] == f'@"{python}" "%~dp0tool-script.py" %*\r\n'.encode()
    code = scripts["tool-script.py"].decode()
    assert "from pkg.cli import App\n" in code
    assert "sys.exit(App.run())" in code
    gui = dict(entry_scripts(console._replace(is_gui=True), str(python), True))
    assert list(gui) == ["tool-script.pyw", "tool.cmd"]
    assert b"pythonw.exe" in gui["tool.cmd"]
    odd = dict(entry_scripts(console, "C:\\100%\\python.exe", True))
    assert b'@"C:\\100%%\\python.exe"' in odd["tool.cmd"]
    assert list(dict(entry_scripts(console, "/p", False))) == ["tool"]
    assert launchers._windowed("/none/python.exe") == "/none/python.exe"
