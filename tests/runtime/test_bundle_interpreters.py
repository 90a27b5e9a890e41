"""``__main__.py`` as it travels, run by every interpreter that there is on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from runtime.bundlerig import ALPHA, BETA, members, put, target
from support.bundles import BundleTarget, Document, bundle_bytes, target_document, tree_members
from support.interpreters import by_minor, interpreters, minor_version
from support.tools import clean_environment, run
from support.wheels import build_wheel
from wheeltarget.runtime.assembly import main_text, probe_text

INTERPRETERS = {
    name: path for name, path in interpreters().items() if minor_version(name) >= (3, 6)
}
OWN = next(iter(INTERPRETERS))
TOO_OLD = [path for name, path in interpreters().items() if minor_version(name) < (3, 6)]
each_interpreter = pytest.mark.parametrize("name", INTERPRETERS)
TOOL = build_wheel(
    "tool",
    "1.0",
    modules={"tool.py": "import alpha\ndef main():\n    print('it runs', alpha.__version__)\n"},
    extra_members={
        "tool-1.0.dist-info/entry_points.txt": b"[console_scripts]\nt = tool:main\n",
        "tool-1.0.data/headers/t.h": b"",
    },
)


@cache
def described(python: str) -> Document:
    """The interpreter, as its own probe describes it."""
    ended = subprocess.run(
        [python, "-"], input=probe_text(), capture_output=True, text=True, check=True
    )
    found: Document = json.loads(ended.stdout)
    return found


def target_of(python: str) -> BundleTarget:
    """A target that is an interpreter, with a wheel for it alone among others."""
    tag = described(python)["tags"][0]
    return BundleTarget(
        target_document(described(python)), [ALPHA, TOOL, build_wheel("native", "1.0", tag=tag)]
    )


def tree(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def well(command: list[str], settings: Mapping[str, str] | None = None) -> str:
    """What a command says on stdout; it must end well, and say nothing else."""
    ended = run(command, settings)
    assert (ended.returncode, ended.stderr) == (0, ""), ended
    return ended.stdout


# --- every interpreter ----------------------------------------------------------------------


@each_interpreter
def test_check_and_list(name: str, tmp_path: Path) -> None:
    python = INTERPRETERS[name]
    found = members(target_of(python))
    path, folder = put(tmp_path, found), put(tmp_path, found, as_folder=True)
    for place in ([str(path)], [str(folder)], [str(folder / "__main__.py")]):
        for flags in ([], ["-I"], ["-W", "error", "-bb"]):
            told = well([python, *flags, *place, "check"])
            assert told == "all is well: 3 wheels, target here\n"
    assert well([python, "-S", "-E", str(path), "list"]).startswith("demo 1.0\n")
    assert tree(folder) == set(found)
    assert not (folder / "__pycache__").exists()


@each_interpreter
def test_install_into_a_folder(name: str, tmp_path: Path) -> None:
    python = INTERPRETERS[name]
    path = put(tmp_path, members(target_of(python)))
    out = tmp_path / "out"
    ended = run([python, str(path), "install", "--target", str(out)])
    assert (ended.returncode, ended.stdout) == (0, f"installed 3 packages into {out}\n"), ended
    assert ended.stderr == "" or ended.stderr.startswith("Warning: pip ")
    assert ended.stderr.count("\n") <= 1
    assert well([str(out / "bin/t")], {"PYTHONPATH": str(out)}) == "it runs 1.0\n"


@each_interpreter
def test_install_where_there_is_no_pip(name: str, tmp_path: Path) -> None:
    environment = tmp_path / "an environment"
    well([INTERPRETERS[name], "-m", "venv", "--without-pip", str(environment)])
    python = str(environment / "bin/python")
    path = put(tmp_path, members(target_of(INTERPRETERS[name])))
    assert well([python, str(path), "install"]) == f"installed 3 packages into {environment}\n"
    assert well([str(environment / "bin/t")]) == "it runs 1.0\n"
    again = well([INTERPRETERS[name], str(path), "install", "--venv", str(environment)])
    assert again == f"installed 0 packages into {environment}; 3 packages there already\n"
    code = "import alpha, native, tool, sys; print(alpha.__file__.startswith(sys.prefix))"
    assert well([python, "-c", code]) == "True\n"


@each_interpreter
def test_install_a_tree(name: str, tmp_path: Path) -> None:
    python = INTERPRETERS[name]
    # Names of the standard library: what is in a bundle must not be taken for it.
    # (Python 3.9 itself imports two of them before it runs a folder.)
    traps = {f"{n}.py": "raise SystemExit(99)" for n in TRAPS if n not in {"typing", "re"}}
    trap = build_wheel("trap", "1.0", modules=traps)
    of = BundleTarget(target_document(described(python)), [ALPHA, trap])
    path = put(tmp_path, tree_members(of), as_folder=True)
    for place in (path, path / "__main__.py"):
        for flags in ([], ["-I"]):
            assert well([python, *flags, str(place), "check"]).startswith("all is well")
    out = tmp_path / "out"
    well([python, str(path), "install", "--target", str(out)])
    assert {"alpha.py", "json.py"} <= tree(out)


TRAPS = ("argparse", "json", "os", "re", "typing", "zipfile", "csv", "_manylinux", "venv", "ctypes")


@pytest.mark.slow
@each_interpreter
def test_make_an_environment(name: str, tmp_path: Path) -> None:
    python = INTERPRETERS[name]
    path = put(tmp_path, members(target_of(python)))
    environment = tmp_path / "environment"
    told = well([python, str(path), "install", "--venv", str(environment)])
    assert told == f"installed 3 packages into {environment}\n"
    assert well([str(environment / "bin/t")]) == "it runs 1.0\n"
    inside = str(environment / "bin/python")
    if (environment / "bin/pip").exists():
        assert run([inside, "-m", "pip", "check"]).returncode == 0
        assert run([inside, "-m", "pip", "uninstall", "-y", "tool"]).returncode == 0
        assert not (environment / "bin/t").exists()


def test_the_wrong_interpreter_of_an_environment_counts(tmp_path: Path) -> None:
    others = [path for version, path in by_minor().items() if version in ("3.8", "3.9", "3.10")]
    (other, *_) = others
    environment = tmp_path / "environment"
    well([other, "-m", "venv", "--without-pip", str(environment)])
    before = tree(environment)
    path = put(tmp_path, members())
    ended = run([sys.executable, str(path), "install", "--venv", str(environment)])
    assert (ended.returncode, ended.stdout) == (4, "")
    assert "needs Python {}.{}, here is Python 3.".format(*sys.version_info) in ended.stderr
    assert tree(environment) == before
    # And the other way round: who starts it need not be the one that it is for.
    well([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "right")])
    told = well([other, str(path), "install", "--venv", str(tmp_path / "right")])
    assert told.startswith("installed 2 packages")


@pytest.mark.slow
def test_pip_puts_another_version_in_place(tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    old = put(tmp_path / "old", members(), as_folder=True)
    well([sys.executable, str(old), "install", "--venv", str(environment)])
    new = put(tmp_path, members(target("here", build_wheel("alpha", "2.0"), BETA)))
    told = well([sys.executable, str(new), "install", "--venv", str(environment)])
    assert told == f"installed 1 package into {environment}; 1 package there already\n"
    code = "import alpha; print(alpha.__version__)"
    assert well([str(environment / "bin/python"), "-c", code]) == "2.0\n"


# --- too old --------------------------------------------------------------------------------


def test_an_interpreter_that_is_too_old_says_so(tmp_path: Path) -> None:
    path = put(tmp_path, members())
    ended = [run([python, str(path), "check"]) for python in TOO_OLD]
    # And where there is none, the same by a Python that is made to believe that it is.
    fake = "import sys; sys.version_info = (3, 5, 0); exec(sys.stdin.read())"
    ended.append(
        subprocess.run(
            [sys.executable, "-c", fake],
            input=main_text(),
            capture_output=True,
            text=True,
            check=False,
        )
    )
    for each in ended:
        assert (each.returncode, each.stdout) == (4, "")
        (line,) = each.stderr.splitlines()
        assert line.startswith("Error: Python ")
        assert line.endswith(" is too old, this needs Python 3.6 or newer")


# --- surroundings ---------------------------------------------------------------------------


def test_modules_of_the_working_folder_are_not_imported(tmp_path: Path) -> None:
    path = put(tmp_path, members())
    for name in TRAPS:
        (tmp_path / f"{name}.py").write_text("raise SystemExit(99)")
    ended = subprocess.run(
        [sys.executable, "b.zip", "check"],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert path.exists()


@pytest.mark.parametrize("name", [min(INTERPRETERS, key=minor_version), OWN])
def test_any_locale(name: str, tmp_path: Path) -> None:
    python = INTERPRETERS[name]
    folder = tmp_path / "grün"
    folder.mkdir()
    path = put(folder, members(target_of(python)))
    settings = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONCOERCECLOCALE": "0"}
    told = well([python, str(path), "install", "--target", str(folder / "out")], settings)
    assert told.isascii()
    assert (folder / "out/alpha.py").exists()


@pytest.mark.parametrize("command", ["list", "check", "--help"])
def test_a_pipe_that_nobody_reads(command: str, tmp_path: Path) -> None:
    path = put(tmp_path, members())
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [sys.executable, str(path), command],
            stdout=writing,
            stderr=subprocess.PIPE,
            env=clean_environment(),
            check=False,
        )
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_installation(number: signal.Signals, tmp_path: Path) -> None:
    path = put(tmp_path, members())
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = tmp_path / "environment"
    process = subprocess.Popen(
        [sys.executable, str(path), "install", "--venv", str(environment)],
        env=clean_environment(TMPDIR=str(temporary)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not (environment / "pyvenv.cfg").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    if number == signal.SIGINT:  # as a terminal does, which sends it to all
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, b""), err
    assert err.decode().splitlines()[-1] == "Error: interrupted"
    assert not environment.exists()


def test_nothing_is_written_beside(tmp_path: Path) -> None:
    folder = put(tmp_path, members(), as_folder=True)
    zipped = tmp_path / "b.zip"
    zipped.write_bytes(bundle_bytes(members()))
    before = tree(tmp_path)
    for place in (zipped, folder, folder / "__main__.py"):
        well([sys.executable, str(place), "check"])
        well([sys.executable, str(place), "list"])
    assert tree(tmp_path) == before
