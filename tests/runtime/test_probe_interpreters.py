"""The probe, run by every interpreter that there is on this machine, against its own tools."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path

import packaging
import pytest
from packaging import tags as packaging_tags
from packaging.specifiers import SpecifierSet

from support.interpreters import interpreters, minor_version
from support.tools import clean_environment, run
from wheeltarget.runtime.assembly import probe_text

KERNEL = {"platform_release", "platform_version"}
FITS_PACKAGING = SpecifierSet(metadata("packaging")["Requires-Python"])

# Runs on any Python 3. Prints null where there is nothing to compare with.
NEWEST = """\
import json, sys
sys.path.insert(0, sys.argv[1])
from packaging import markers, tags
assert markers.__file__.startswith(sys.argv[1])
print(json.dumps([[str(tag) for tag in tags.sys_tags()], markers.default_environment()]))
"""
OF_PIP = """\
import json, warnings
warnings.simplefilter("ignore")
try:
    from pip._vendor.packaging import markers
except ImportError:
    print("null")
    raise SystemExit
try:
    from pip._vendor.packaging import tags
    found = [str(tag) for tag in tags.sys_tags()]
except ImportError:
    from pip._internal import pep425tags
    found = ["-".join(tag) for tag in pep425tags.get_supported()]
print(json.dumps([found, dict(markers.default_environment())]))
"""


# --- interpreters ---------------------------------------------------------------------------


INTERPRETERS = interpreters()
TOO_OLD = [name for name in INTERPRETERS if minor_version(name) < (3, 6)]
each_interpreter = pytest.mark.parametrize(
    "name", [name for name in INTERPRETERS if name not in TOO_OLD]
)


def test_the_interpreter_of_the_tests_is_among_them() -> None:
    assert sys.executable in INTERPRETERS.values()
    assert minor_version(next(iter(INTERPRETERS))) == sys.version_info[:2]


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script as a file."""
    path = tmp_path_factory.mktemp("script") / "probe.py"
    path.write_bytes(probe_text().encode("ascii"))
    return path


# --- the description ------------------------------------------------------------------------


def described(name: str, script: Path) -> dict[str, object]:
    """What the script prints when it is run by path."""
    ended = run([INTERPRETERS[name], str(script)])
    assert (ended.returncode, ended.stderr) == (0, "")
    description = json.loads(ended.stdout)
    assert isinstance(description, dict)
    return description


@each_interpreter
def test_the_facts(name: str, script: Path) -> None:
    found = described(name, script)
    implementation, python = name.split()
    major, minor = minor_version(name)
    assert found["schema"] == 1
    assert found["python"] == (python if python.replace(".", "").isdigit() else f"{major}.{minor}")
    short = {"cpython": "cp", "pypy": "pp"}.get(implementation, implementation)
    assert found["implementation"] == short
    assert found["abis"]
    assert found["platforms"]


@each_interpreter
def test_the_script_may_come_through_stdin(name: str, script: Path) -> None:
    with script.open("rb") as source:
        ended = subprocess.run(
            [INTERPRETERS[name], "-I", "-S", "-"],
            stdin=source,
            capture_output=True,
            env=clean_environment(),
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (0, b"")
    by_path = run([INTERPRETERS[name], "-W", "error", str(script)])
    assert by_path.stderr == ""
    assert ended.stdout.decode("ascii").splitlines() == by_path.stdout.splitlines()
    assert ended.stdout.endswith(b"}" + os.linesep.encode())


@each_interpreter
def test_tags_follow_from_the_facts(name: str, script: Path) -> None:
    found = described(name, script)
    abis, platforms = found["abis"], found["platforms"]
    assert isinstance(abis, list)
    assert isinstance(platforms, list)
    python = minor_version(name)
    interpreter = "{}{}{}".format(found["implementation"], *python)
    if found["implementation"] == "cp":
        special = packaging_tags.cpython_tags(python, abis, platforms)
    else:
        special = packaging_tags.generic_tags(interpreter, abis, platforms)
    pure = {"cp": interpreter, "pp": "pp3"}.get(str(found["implementation"]))
    others = packaging_tags.compatible_tags(python, pure, platforms)
    assert found["tags"] == [str(tag) for tag in (*special, *others)]


@each_interpreter
def test_its_own_tools_say_the_same(name: str, tmp_path: Path, script: Path) -> None:
    found = described(name, script)
    is_newest = FITS_PACKAGING.contains(".".join(map(str, minor_version(name))))
    if is_newest:
        copy = tmp_path / "packaging"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(Path(packaging.__file__).parent, copy, ignore=ignored)
        ended = run([INTERPRETERS[name], "-I", "-c", NEWEST, str(tmp_path)])
    else:
        ended = run([INTERPRETERS[name], "-I", "-c", OF_PIP])
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    if told is None:  # an old interpreter without pip
        assert not is_newest
        return
    tags, markers = told
    for variable in KERNEL if markers["platform_system"] == "Linux" else ():
        del markers[variable]
    assert found["markers"] == markers
    if is_newest:
        assert found["tags"] == tags
    else:
        compare_with_pip(found["tags"], tags)


def compare_with_pip(found: object, tags: list[str]) -> None:
    """As sets: packaging has since changed the order, and added the interpreter's own pure tag."""
    assert isinstance(found, list)
    own = "{}-none-any".format(tags[0].split("-", maxsplit=1)[0])
    ours, theirs = set(found), {*tags, own}
    if "cp3-none-any" in tags:
        # The pip of Python 3.6. Nobody else ever used this tag.
        theirs.remove("cp3-none-any")
        newer = re.compile(r"py3[0-9]+-none-(?!any).+|.+-manylinux(_|20).+")
        ours = {tag for tag in ours if not newer.fullmatch(tag)}
    assert ours == theirs


# --- troubles -------------------------------------------------------------------------------


def test_an_interpreter_that_is_too_old_says_so(script: Path) -> None:
    ended = [run([INTERPRETERS[name], str(script)]) for name in TOO_OLD]
    assert [(each.returncode, each.stdout) for each in ended] == [(1, "")] * len(TOO_OLD)
    for each in ended:
        (line,) = each.stderr.splitlines()
        assert "is too old, this needs 3.6 or newer" in line
    # And where there is none, the same by a Python that is made to believe that it is.
    code = "import sys; sys.argv[:] = sys.argv[1:]; sys.version_info = (3, 5, 0); "
    told = run([sys.executable, "-c", f"{code}exec(open(sys.argv[0]).read())", str(script)])
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.startswith("wheeltarget: can't describe this Python: Python 3.5 is too old")
    assert told.stderr.count("\n") == 1


@each_interpreter
@pytest.mark.parametrize("size", ["short", "whole"])
def test_a_pipe_that_nobody_reads(name: str, size: str, script: Path) -> None:
    # A short description stays in Python's buffer until the end.
    code = f"import sys; sys.path.insert(0, {str(script.parent)!r}); import probe; "
    short = ["-c", f"{code}sys.exit(probe.write('{{}}'))"]
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [INTERPRETERS[name], "-B", *(short if size == "short" else [str(script)])],
            stdout=writing,
            stderr=subprocess.PIPE,
            env=clean_environment(),
            check=False,
        )
    finally:
        os.close(writing)
    assert ended.returncode == 1
    (line,) = ended.stderr.decode().splitlines()
    assert line.startswith("wheeltarget: can't write the description: ")


@each_interpreter
def test_no_output_at_all(name: str, script: Path) -> None:
    code = (
        "import sys; sys.stdout = None; import runpy; runpy.run_path(sys.argv[1], {}, '__main__')"
    )
    ended = run([INTERPRETERS[name], "-c", code, str(script)])
    assert ended.returncode == 1
    assert ended.stderr == "wheeltarget: can't write the description: there is no output\n"
