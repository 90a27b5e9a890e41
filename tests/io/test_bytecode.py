"""Bytecode: by a Python like the target's, and the same in every run."""

from __future__ import annotations

import csv
import importlib.util
import io
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.interpreters import by_minor
from support.trees import HERE, Workbench, archived, content, names, run, target_here, wheel
from support.wheels import BuiltWheel
from wheeltarget.core.errors import FileSystemError, UsageError
from wheeltarget.core.target import PythonVersion
from wheeltarget.io.bytecode import Compiler, compiling, find_interpreter

TAG = sys.implementation.cache_tag
MODULE = """\
NAMES = frozenset({"alpha", "beta", "gamma", "delta"})
def inner(x):
    return x in {"alpha", "beta", "gamma", "delta", "a longer text with spaces"}
def where():
    return inner.__code__.co_filename
"""


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def demo() -> BuiltWheel:
    return wheel(
        files={
            "demo/__init__.py": MODULE,
            "demo/sub/__init__.py": MODULE * 20,
            "top.py": "",
            "demo/template.py": "print '{{ name }}'\n",
            "demo/latin.py": b"x = '\xff'\n",
            "demo/nul.py": b"x\0",
            "demo/escape.py": "x = '\\d'\n",
            "demo-1.0.data/scripts/script.py": "#!python\n",
            "demo-1.0.data/headers/header.py": "",
        }
    )


@pytest.fixture
def compiler() -> Iterator[Compiler]:
    with compiling(sys.executable) as compiler:
        yield compiler


def test_every_module_that_compiles_has_its_bytecode(bench: Workbench, compiler: Compiler) -> None:
    tree = bench.tree(demo(), prefix="python/", compiler=compiler)
    compiled = [name for name in names(tree) if name.endswith(".pyc")]
    assert compiled == [
        f"python/__pycache__/top.{TAG}.pyc",
        f"python/demo/__pycache__/__init__.{TAG}.pyc",
        f"python/demo/__pycache__/escape.{TAG}.pyc",
        f"python/demo/sub/__pycache__/__init__.{TAG}.pyc",
    ]
    record = content(tree, tree.records["demo-1.0-py3-none-any.whl"][0]).decode()
    rows = {path: (sha256, size) for path, sha256, size in csv.reader(io.StringIO(record))}
    for name in compiled:
        sha256, size = rows[name.removeprefix("python/")]
        assert sha256.startswith("sha256=")
        assert size == str(len(content(tree, name)))
    assert "top.py" not in compiled


def test_python_takes_it_whatever_the_time_of_the_source(
    bench: Workbench, compiler: Compiler
) -> None:
    folder = bench.unpacked(bench.tree(demo(), compiler=compiler))
    source = folder / "demo" / "__init__.py"
    cached = Path(importlib.util.cache_from_source(str(source)))
    # PEP 552: a hash, and nobody checks it.
    assert cached.read_bytes()[4:8] == b"\1\0\0\0"
    source.write_text("raise SystemExit('compiled anew')\n")
    code = "import demo; print(demo.inner('beta'), demo.where())"
    assert run(sys.executable, "-c", code, PYTHONPATH=str(folder)) == f"True {source}\n"


def test_the_path_of_this_machine_is_not_in_it(bench: Workbench, compiler: Compiler) -> None:
    tree = bench.tree(demo(), prefix="python/", compiler=compiler)
    data = content(tree, f"python/demo/__pycache__/__init__.{TAG}.pyc")
    assert b"demo/__init__.py" in data
    assert tempfile.gettempdir().encode() not in data
    assert b"python/" not in data


@pytest.mark.parametrize("minor", sorted(by_minor()))
def test_two_runs_give_the_same_bytes(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, minor: str
) -> None:
    python = PythonVersion.parse(minor)
    if python < (3, 7):
        return  # PEP 552 came with 3.7; a target before it is refused
    results = []
    for seed, optimize in (("1", ""), ("2", "2"), ("random", "1")):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        monkeypatch.setenv("PYTHONOPTIMIZE", optimize)
        with compiling(
            find_interpreter(target_here(python=python), iter([by_minor()[minor]]))
        ) as c:
            tree = bench.tree(demo(), target=target_here(python=python), compiler=c)
            results.append(archived(tree))
    assert len(set(results)) == 1
    assert f"cpython-{python.nodot}.pyc".encode() in results[0]


def test_who_shares_a_module_shares_its_bytecode(bench: Workbench, compiler: Compiler) -> None:
    wheels = [wheel(name, files={"shared.py": MODULE}) for name in ("one", "two")]
    tree = bench.tree(*wheels, compiler=compiler)
    assert names(tree).count(f"__pycache__/shared.{TAG}.pyc") == 1
    for file, _ in tree.records.values():
        assert f"__pycache__/shared.{TAG}.pyc,sha256=" in content(tree, file).decode()


def test_without_a_compiler_there_is_none(bench: Workbench) -> None:
    assert not [name for name in names(bench.tree(demo())) if "__pycache__" in name]


def test_what_was_compiled_goes_with_the_compiler(bench: Workbench) -> None:
    with compiling(sys.executable) as compiler:
        tree = bench.tree(demo(), compiler=compiler)
        assert compiler.folder.exists()
    assert not compiler.folder.exists()
    with pytest.raises(FileSystemError):
        archived(tree)


# --- the interpreter --------------------------------------------------------------------------


def test_this_process_may_be_it() -> None:
    assert find_interpreter(target_here()) == sys.executable


def test_else_the_one_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = [minor for minor in by_minor() if minor != HERE.minor_version]
    (tmp_path / f"python{others[0]}").symlink_to(by_minor()[others[0]])
    monkeypatch.setenv("PATH", str(tmp_path))
    target = target_here(python=PythonVersion.parse(others[0]))
    assert find_interpreter(target) == str(tmp_path / f"python{others[0]}")


@pytest.mark.parametrize(
    ("python", "options", "name"),
    [
        ((3, 98), {}, "python3.98"),
        ((3, 98), {"implementation": "pp"}, "pypy3.98"),
        (HERE[:2], {"implementation": "pp"}, f"pypy{HERE}"),
        ((3, 98), {"abis": ["cp398t"]}, "python3.98t"),
    ],
)
def test_none_that_is_like_the_target(
    python: tuple[int, int], options: dict[str, object], name: str
) -> None:
    target = target_here(python=PythonVersion(*python), **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError) as caught:
        find_interpreter(target)
    (problem,) = caught.value.problems
    assert problem.what == f"compile needs {name} on this machine, and there is none on PATH"
    assert problem.target == "prod"
    assert name in (problem.hint or "")


def test_a_name_is_not_believed(tmp_path: Path) -> None:
    shim = tmp_path / "python3.98"
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    shim.chmod(0o755)
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    candidates = [str(shim), str(broken), str(tmp_path / "missing")]
    with pytest.raises(UsageError):
        find_interpreter(target_here(python=PythonVersion(3, 98)), iter(candidates))


def test_an_interpreter_that_hangs_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*args: object, **options: object) -> None:
        raise subprocess.TimeoutExpired("python", 30.0)

    monkeypatch.setattr("subprocess.run", hang)
    with pytest.raises(UsageError):
        find_interpreter(target_here())


def test_a_compiler_that_fails_is_told_of(bench: Workbench, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    for line, said in (
        ("echo no such luck >&2; exit 3", "no such luck"),
        ("exit 3", "exit code 3"),
    ):
        broken.write_text(f"#!/bin/sh\n{line}\n")
        broken.chmod(0o755)
        with compiling(str(broken)) as compiler, pytest.raises(FileSystemError, match=said):
            bench.tree(demo(), compiler=compiler)
