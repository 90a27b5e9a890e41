"""The installed tree: what is where, and that it works unpacked on a machine that knows nothing."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support.trees import (
    HERE,
    Workbench,
    archived,
    content,
    names,
    of_data,
    run,
    target_here,
    wheel,
)
from support.wheels import BuiltWheel, build_wheel
from wheeltarget.core.errors import IntegrityError, Problem
from wheeltarget.core.target import PythonVersion
from wheeltarget.io.cache import HashMismatchError
from wheeltarget.io.tree import Tree, installed_tree

LONG = "".join(f"line_{number} = {number}\n" for number in range(500))
ENTRY_POINTS = """\
[console_scripts]
tool = demo.cli:main
deep = demo.cli:Deep.run [extra]

[gui_scripts]
window = demo.cli:main

[other]
x = y
"""
CLI = """\
import os
import sys

import demo


def main():
    print(demo.__name__, os.path.basename(sys.argv[0]), *sys.argv[1:])


class Deep:
    @staticmethod
    def run():
        return 7
"""


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def demo() -> BuiltWheel:
    """Something of every scheme."""
    return wheel(
        "demo",
        files={
            "demo/__init__.py": LONG,
            "demo/cli.py": CLI,
            "demo-1.0.data/scripts/plain": "#!/bin/sh\necho plain\n",
            "demo-1.0.data/scripts/py": "#!python -x\nimport sys\nprint(sys.version_info[1])\n",
            "demo-1.0.data/data/share/demo.txt": "data",
            "demo-1.0.data/headers/demo.h": "int x;",
            "demo-1.0.data/purelib/pure.py": "PURE = 1\n",
            "demo-1.0.data/platlib/plat.py": "PLAT = 1\n",
        },
        entry_points=ENTRY_POINTS,
    )


def test_every_scheme_has_its_place(bench: Workbench) -> None:
    assert names(bench.tree(demo())) == [
        "bin/deep",
        "bin/plain",
        "bin/py",
        "bin/tool",
        "bin/window",
        "demo-1.0.dist-info/INSTALLER",
        "demo-1.0.dist-info/METADATA",
        "demo-1.0.dist-info/RECORD",
        "demo-1.0.dist-info/WHEEL",
        "demo-1.0.dist-info/entry_points.txt",
        "demo/__init__.py",
        "demo/cli.py",
        "include/demo/demo.h",
        "plat.py",
        "pure.py",
        "share/demo.txt",
    ]


def test_a_prefix_stands_before_all(bench: Workbench) -> None:
    plain, prefixed = bench.tree(demo()), bench.tree(demo(), prefix="python/lib/")
    assert names(prefixed) == [f"python/lib/{name}" for name in names(plain)]
    ((file, sha256),) = prefixed.records.values()
    assert file == "python/lib/demo-1.0.dist-info/RECORD"
    assert [*plain.records.values()] == [("demo-1.0.dist-info/RECORD", sha256)]


def test_the_record_says_all_that_is_there(bench: Workbench) -> None:
    tree = bench.tree(demo(), prefix="python/")
    file, sha256 = tree.records["demo-1.0-py3-none-any.whl"]
    data = content(tree, file)
    assert hashlib.sha256(data).hexdigest() == sha256
    rows = list(csv.reader(io.StringIO(data.decode())))
    assert rows == sorted(rows)
    assert [f"python/{path}" for path, *_ in rows] == names(tree)
    for path, sha256, size in rows:
        if path == "demo-1.0.dist-info/RECORD":
            assert (sha256, size) == ("", "")
            continue
        data = content(tree, f"python/{path}")
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        assert (sha256, size) == (f"sha256={digest}", str(len(data)))
    assert content(tree, "python/demo-1.0.dist-info/INSTALLER") == b"wheeltarget\n"


def test_what_speaks_of_another_installation_does_not_come_along(bench: Workbench) -> None:
    built = wheel(
        files={
            f"demo-1.0.dist-info/{name}": "theirs"
            for name in ("INSTALLER", "REQUESTED", "direct_url.json", "RECORD.jws")
        }
        | {"demo/__pycache__/x.cpython-311.pyc": "theirs", "demo/x.py": ""}
    )
    tree = bench.tree(built)
    assert "theirs" not in archived(tree).decode("latin-1")
    assert "demo/x.py" in names(tree)


# --- it works where nobody knows of it --------------------------------------------------------


def test_it_can_be_imported(bench: Workbench) -> None:
    folder = bench.unpacked(bench.tree(demo(), prefix="python/")) / "python"
    code = (
        "import demo, pure, plat, importlib.metadata as m\n"
        "print(demo.line_499, pure.PURE, plat.PLAT, m.version('demo'))\n"
        "assert all(file.locate().exists() for file in m.files('demo'))\n"
    )
    assert run(sys.executable, "-c", code, PYTHONPATH=str(folder)) == "499 1 1 1.0\n"


def test_scripts_find_the_tree_from_anywhere(bench: Workbench, tmp_path: Path) -> None:
    folder = bench.unpacked(bench.tree(demo(), prefix="python/")) / "python"
    link = tmp_path / "link"
    link.symlink_to(folder / "bin" / "tool")
    assert run(folder / "bin" / "tool", "a", "b c") == "demo tool a b c\n"
    assert run(folder / "bin" / "window") == "demo window\n"
    assert run(link) == "demo link\n"
    assert run(folder / "bin" / "plain") == "plain\n"
    assert run(folder / "bin" / "py") == f"{HERE.minor}\n"
    assert subprocess.run([sys.executable, folder / "bin" / "deep"], check=False).returncode == 7


def test_a_script_beside_is_not_taken_for_a_package(bench: Workbench) -> None:
    built = wheel(
        files={
            "demo/__init__.py": "",
            "demo/cli.py": CLI,
            "demo-1.0.data/scripts/demo.py": "#!python\nraise SystemExit('wrong')\n",
        },
        entry_points=ENTRY_POINTS,
    )
    assert run(bench.unpacked(bench.tree(built)) / "bin" / "tool") == "demo tool\n"


@pytest.mark.parametrize(
    ("python", "options", "line"),
    [
        ((3, 11), {}, "#!/usr/bin/env python3.11\n"),
        ((3, 10), {"implementation": "pp"}, "#!/usr/bin/env pypy3.10\n"),
        ((3, 13), {"abis": ["cp313t"]}, "#!/usr/bin/env python3.13t\n"),
    ],
)
def test_scripts_ask_for_the_targets_interpreter(
    bench: Workbench, python: tuple[int, int], options: dict[str, object], line: str
) -> None:
    target = target_here(python=PythonVersion(*python), **options)  # type: ignore[arg-type]
    tree = bench.tree(demo(), target=target)
    for name in ("bin/tool", "bin/py"):
        assert content(tree, name).decode().startswith(line)


@pytest.mark.parametrize(
    ("platform", "machine"),
    [("win_amd64", 0x8664), ("win_arm64", 0xAA64), ("win32", 0x14C)],
)
def test_windows_has_launchers_of_its_architecture(
    bench: Workbench, platform: str, machine: int
) -> None:
    tree = bench.tree(demo(), target=target_here(platform))
    assert {"bin/tool.exe", "bin/window.exe", "bin/py"} <= set(names(tree))
    for name, python in (("tool", "python"), ("window", "pythonw")):
        program = content(tree, f"bin/{name}.exe")
        header = program.index(b"PE\0\0")
        assert int.from_bytes(program[header + 4 : header + 6], "little") == machine
        assert f"#!/usr/bin/env {python}\nPK".encode() in program
    folder = bench.unpacked(tree)
    # Python runs the archive at its end, which is all that the launcher asks of it.
    assert run(sys.executable, folder / "bin" / "tool.exe", "x") == "demo tool x\n"


def test_a_wrapper_that_the_wheel_brings_gives_way_to_ours(bench: Workbench) -> None:
    built = wheel(
        files={
            "demo/__init__.py": "",
            "demo/cli.py": CLI,
            "demo-1.0.data/scripts/tool": "#!python\ntheirs\n",
            "demo-1.0.data/scripts/tool-script.py": "theirs",
            "demo-1.0.data/scripts/tool.exe": "theirs",
        },
        entry_points=ENTRY_POINTS,
    )
    tree = bench.tree(built)
    assert [name for name in names(tree) if name.startswith("bin/")] == [
        "bin/deep",
        "bin/tool",
        "bin/window",
    ]
    assert b"theirs" not in content(tree, "bin/tool")


def test_scripts_and_what_the_wheel_says_are_executable(bench: Workbench) -> None:
    built = wheel(
        files={
            "demo/helper": "#!/bin/sh\n",
            "demo/x.py": "",
            "demo-1.0.data/scripts/py": "#!python\n",
            "demo-1.0.data/scripts/native": b"\x7fELF",
        },
        executable=["demo/helper"],
    )
    tree = bench.tree(built)
    executable = {member.name for member in tree.members if member.executable}
    assert executable == {"bin/native", "bin/py", "demo/helper"}


# --- small, and the same everywhere -----------------------------------------------------------


def test_what_the_wheel_has_compressed_stays_so(bench: Workbench) -> None:
    built = demo()
    tree = bench.tree(built)
    with zipfile.ZipFile(io.BytesIO(archived(tree))) as ours:
        methods = {info.filename: info.compress_type for info in ours.infolist()}
        module = ours.getinfo("demo/__init__.py")
    with zipfile.ZipFile(io.BytesIO(built.data)) as theirs:
        assert module.compress_size == theirs.getinfo("demo/__init__.py").compress_size
    assert methods["demo/__init__.py"] == methods["share/demo.txt"] == zipfile.ZIP_DEFLATED
    assert methods["bin/tool"] == methods["demo-1.0.dist-info/RECORD"] == zipfile.ZIP_STORED
    assert tree.unpacked_size == sum(len(content(tree, name)) for name in names(tree))


def test_a_wheel_that_is_stored_stays_so(bench: Workbench) -> None:
    built = build_wheel("demo", "1.0", modules={"demo.py": LONG})
    with zipfile.ZipFile(io.BytesIO(archived(bench.tree(built)))) as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


def test_the_order_of_wheels_does_not_matter(bench: Workbench) -> None:
    others = [wheel(n, files={f"{n}.py": LONG, "tests/__init__.py": ""}) for n in "abc"]
    wheels = [demo(), *others]
    assert archived(bench.tree(*wheels)) == archived(bench.tree(*reversed(wheels)))


ELSEWHERE = """\
import hashlib, os, sys
from pathlib import Path
from io_test_tree import demo
from support.trees import Workbench, archived, target_here
from wheeltarget.io.bytecode import compiling
os.umask(int(os.environ["UMASK"], 8))
with compiling(sys.executable) as compiler:
    tree = Workbench(Path.cwd()).tree(demo(), target=target_here("win_amd64"), compiler=compiler)
    sys.stdout.write(hashlib.sha256(archived(tree)).hexdigest())
"""


def test_the_same_bytes_under_other_settings(tmp_path: Path) -> None:
    (tmp_path / "io_test_tree.py").write_text(Path(__file__).read_text(encoding="utf-8"))
    tests = str(Path(__file__).parents[1])
    variants = [
        {"UMASK": "022", "TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "0"},
        {"UMASK": "077", "TZ": "Pacific/Auckland", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "7"},
    ]
    hashes = set()
    for variant in variants:
        folder = tmp_path / variant["UMASK"]
        folder.mkdir()
        path = os.pathsep.join([str(tmp_path), tests])
        ended = subprocess.run(
            [sys.executable, "-c", ELSEWHERE],
            cwd=folder,
            env={**os.environ, **variant, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        )
        hashes.add(ended.stdout)
    assert len(hashes) == 1
    assert len(hashes.pop()) == 64


# --- what cannot be beside each other ---------------------------------------------------------


def refused(bench: Workbench, *wheels: BuiltWheel, **options: object) -> list[Problem]:
    with pytest.raises(IntegrityError) as caught:
        bench.tree(*wheels, **options)  # type: ignore[arg-type]
    assert all(p.target == "prod" and p.package and p.hint for p in caught.value.problems)
    return list(caught.value.problems)


def test_two_wheels_may_have_the_same_file(bench: Workbench) -> None:
    tree = bench.tree(
        wheel("one", files={"shared/x.py": LONG, "one.py": ""}, level=9),
        wheel("two", files={"shared/x.py": LONG}, level=1, executable=["shared/x.py"]),
    )
    assert names(tree).count("shared/x.py") == 1
    (shared,) = (member for member in tree.members if member.name == "shared/x.py")
    assert shared.executable
    for name in ("one", "two"):
        assert b"shared/x.py,sha256=" in content(tree, f"{name}-1.0.dist-info/RECORD")


@pytest.mark.parametrize(
    ("one", "two", "what"),
    [
        ("tests/x.py", "tests/x.py", "both have tests/x.py, with different content"),
        ("Pkg/x.py", "pkg/X.py", "have Pkg/x.py and pkg/X.py: one file where case does not count"),
        ("a/b", "a/b/c.py", "have a/b and a/b/c.py: a file and a folder of one name"),
        ("A/b/c/d.py", "a/B", "have a/B and A/b/c/d.py: a file and a folder of one name"),
        ("stra\u00dfe.py", "strasse.py", "one file where case does not count"),
        ("caf\u00e9.py", "cafe\u0301.py", "one file where case does not count"),
    ],
)
def test_two_wheels_cannot_differ_about_a_file(
    bench: Workbench, one: str, two: str, what: str
) -> None:
    (problem,) = refused(bench, wheel("one", files={one: "1"}), wheel("two", files={two: "2"}))
    assert what in problem.what
    assert "one 1.0" in problem.what
    assert "two 1.0" in problem.what
    assert problem.file in {one, two}


def test_no_wheel_has_the_record_of_another(bench: Workbench) -> None:
    (problem,) = refused(
        bench,
        wheel("one"),
        wheel("two", files={"two-1.0.data/data/one-1.0.dist-info/RECORD": "theirs"}),
    )
    assert "both have one-1.0.dist-info/RECORD, with different content" in problem.what


def test_one_wheel_can_clash_with_itself(bench: Workbench) -> None:
    (problem,) = refused(bench, wheel(files={"x.py": "1", "demo-1.0.data/purelib/x.py": "2"}))
    assert problem.what == "demo 1.0 has x.py, with different content"


RESERVED = ("manifest.json", "requirements.txt", "__main__.py")


@pytest.mark.parametrize("path", ["Manifest.json", "__main__.py", "requirements.txt/x"])
def test_the_bundles_own_members_are_taken(bench: Workbench, path: str) -> None:
    built = wheel(files={path: ""})
    (problem,) = refused(bench, built, reserved=RESERVED)
    assert "at the root of the bundle is its own" in problem.what
    assert "prefix" in (problem.hint or "")
    assert f"python/{path}" in names(bench.tree(built, reserved=RESERVED, prefix="python/"))


def test_a_prefix_can_be_taken_too(bench: Workbench) -> None:
    assert refused(bench, wheel(), reserved=RESERVED, prefix="manifest.json/")


# --- wheels that are none ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../evil.py", "it has the part '..'"),
        ("demo/../../evil.py", "it has the part '..'"),
        ("demo/./x.py", "it has the part '.'"),
        ("demo//x.py", "it has the part ''"),
        ("/etc/evil", "it is absolute"),
        ("C:/evil", "it is absolute"),
        ("C:evil", "it is absolute"),
        ("demo\\evil.py", "it holds a backslash"),
        ("demo/x\n.py", "it holds a control or invisible character"),
        ("demo/\x1b[31m.py", "it holds a control or invisible character"),
        ("demo/x\0.py", "it holds a control or invisible character"),
        (f"demo/{'x' * 256}", "it has a part longer than 255 bytes"),
        ("/".join(["x" * 200] * 21), "it is longer than 4096 bytes"),
        ("demo-1.0.data/scripts/../../x", "it has the part '..'"),
    ],
)
def test_a_path_that_leaves_the_tree_is_refused(bench: Workbench, path: str, reason: str) -> None:
    buffer = io.BytesIO(wheel().data)
    with zipfile.ZipFile(buffer, "a") as archive:
        info = zipfile.ZipInfo("x")
        info.filename = path
        archive.writestr(info, b"")
    (problem,) = refused(bench, of_data("demo-1.0-py3-none-any.whl", buffer.getvalue()))
    name = path.encode("unicode_escape").decode() if "\\" not in path else "demo"
    assert reason in problem.what
    assert name in problem.what
    assert "\n" not in problem.what
    assert problem.file == "demo-1.0-py3-none-any.whl"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"other-1.0.dist-info/x": ""}, "it has 2 .dist-info folders instead of one"),
        ({"demo-1.0.data/x": "", "Demo-1.0.data/y": ""}, "it has 2 .data folders instead of one"),
        ({"demo-1.0.data/x": ""}, "is in no folder of an installation scheme"),
        ({"demo-1.0.data/odd/x": ""}, "not contained in a valid .data subdirectory"),
        ({"demo-1.0.dist-info/WHEEL": "Wheel-Version: 2.0\n"}, "Incompatible Wheel-Version 2.0"),
        ({"demo-1.0.dist-info/WHEEL": "\xff".encode("latin-1")}, "can't decode byte 0xff"),
        ({"demo-1.0.dist-info/WHEEL": b" " * 5_000_000}, "its WHEEL is larger than 4"),
        ({"demo-1.0.dist-info/entry_points.txt": "[console_scripts]\nx = y"}, "cannot be read"),
        ({"demo-1.0.dist-info/entry_points.txt": "x = y"}, "cannot be read"),
        (
            {"demo-1.0.dist-info/entry_points.txt": "[console_scripts]\na/b = c:d"},
            "its entry point 'a/b' cannot be the name of a file",
        ),
        (
            {"demo-1.0.dist-info/entry_points.txt": "[gui_scripts]\n.. = c:d"},
            "it has the part '..'",
        ),
    ],
)
def test_what_is_no_wheel_is_refused(
    bench: Workbench, files: dict[str, str | bytes], reason: str
) -> None:
    members = {"demo-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"} | files
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    (problem,) = refused(bench, of_data("demo-1.0-py3-none-any.whl", buffer.getvalue()))
    assert problem.what.startswith("demo-1.0-py3-none-any.whl cannot be installed: ")
    assert reason in problem.what
    assert problem.package == "demo 1.0"


def test_a_wheel_without_its_folders_is_refused(bench: Workbench) -> None:
    for built, reason in (
        (of_data("demo-1.0-py3-none-any.whl", b"PK\5\6" + bytes(18)), "has 0 .dist-info folders"),
        (of_data("demo-1.0-py3-none-any.whl", b"no zip"), "it is not a zip archive"),
        (of_data("demo-1.0-py3-none-any.whl", wheel("other").data), "is of another project"),
    ):
        (problem,) = refused(bench, built)
        assert reason in problem.what
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("demo-1.0.dist-info/METADATA", "")
    (problem,) = refused(bench, of_data("demo-1.0-py3-none-any.whl", buffer.getvalue()))
    assert "it has no WHEEL" in problem.what


def test_all_that_is_amiss_is_said_at_once(bench: Workbench) -> None:
    problems = refused(
        bench,
        of_data("demo-1.0-py3-none-any.whl", b"no zip"),
        wheel("one", files={"x.py": "1", "manifest.json": ""}),
        wheel("two", files={"x.py": "2"}),
        reserved=RESERVED,
    )
    assert [problem.package for problem in problems] == ["demo 1.0", "two 1.0", "one 1.0"]


def test_a_spelling_of_its_own_is_fine(bench: Workbench) -> None:
    built = wheel("Foo.Bar", files={"foo_bar-1.0.data/scripts/x": "#!python\n"})
    assert "bin/x" in names(bench.tree(built))


# --- what is said -----------------------------------------------------------------------------


def test_pth_files_at_the_root_are_told_of(bench: Workbench) -> None:
    built = wheel(
        files={
            "demo.pth": "import demo",
            "demo-1.0.data/data/other.pth": "",
            "demo-1.0-nspkg.pth": "import types",
            "demo/inner.pth": "",
        }
    )
    tree = bench.tree(built)
    assert [(w.package, w.file) for w in tree.warnings] == [
        ("demo 1.0", "demo.pth"),
        ("demo 1.0", "other.pth"),
    ]
    assert all(w.hint and w.target == "prod" for w in tree.warnings)
    assert bench.tree(demo()).warnings == ()


# --- wheels that change -----------------------------------------------------------------------


def damaged(path: Path, at: int = 60) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def tree_of(bench: Workbench, built: BuiltWheel) -> tuple[Tree, Path]:
    return bench.tree(built), bench.stored(built).stored.path


def test_a_damaged_entry_of_the_cache_is_noticed_before_it_is_read(bench: Workbench) -> None:
    stored = bench.stored(demo())
    damaged(stored.stored.path)
    with pytest.raises(HashMismatchError) as caught:
        installed_tree([stored], target_here())
    assert caught.value.digest == stored.stored.digest


@pytest.mark.parametrize("how", ["flipped", "short", "gone"])
def test_an_entry_that_changes_afterwards_is_noticed_when_it_is_copied(
    bench: Workbench, how: str
) -> None:
    tree, path = tree_of(bench, demo())
    if how == "gone":
        path.unlink()
    elif how == "short":
        path.write_bytes(path.read_bytes()[:100])
    else:
        damaged(path, path.read_bytes().index(b"demo/__init__.py") + 40)
    with pytest.raises(HashMismatchError):
        archived(tree)
