"""Paths, clashes and texts of an installed tree."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheeltarget.core.platforms import parse_platform
from wheeltarget.core.target import PythonVersion, make_target
from wheeltarget.core.tree import (
    Placed,
    bytecode_path,
    check_member_path,
    clashes,
    is_importable,
    is_wrapper_of,
    launcher_kind,
    read_prefix,
    record_text,
    script_code,
)
from wheeltarget.core.wheelname import UnsafeFileNameError

parts = st.text(min_size=1, max_size=8)
paths = st.lists(parts, min_size=1, max_size=4).map("/".join)


def placed(path: str, sha256: str = "00", owner: str = "a 1") -> Placed:
    return Placed(path=path, owner=owner, sha256=sha256, size=1)


@given(st.one_of(paths, st.text()))
def test_a_path_that_is_taken_stays_below_its_folder(path: str) -> None:
    try:
        check_member_path(path)
    except UnsafeFileNameError:
        return
    assert not path.startswith("/")
    assert path.isprintable()
    assert not {"", ".", ".."} & set(path.removesuffix("/").split("/"))
    assert "\\" not in path


@pytest.mark.parametrize(
    "path", ["a", "a/b.py", "a/", ".hidden", "a b/c", "\u00e9/x", "a..b", "ab:c"]
)
def test_usual_paths_are_taken(path: str) -> None:
    check_member_path(path)


@given(paths)
def test_a_prefix_that_is_taken_is_a_path_with_a_slash_at_its_end(text: str) -> None:
    try:
        prefix = read_prefix(text)
    except ValueError:
        return
    assert prefix.endswith("/")
    check_member_path(prefix)
    assert read_prefix(prefix) == prefix


@given(st.lists(st.tuples(st.sampled_from(["a", "A", "a/b", "a/B/c", "b"]), st.sampled_from("12"))))
def test_what_does_not_clash_is_a_tree(files: list[tuple[str, str]]) -> None:
    found = list(clashes([placed(path, sha256) for path, sha256 in files], "prod"))
    by_fold: dict[str, set[tuple[str, str]]] = {}
    for path, sha256 in files:
        by_fold.setdefault(path.casefold(), set()).add((path, sha256))
    twice = any(len(of_one) > 1 for of_one in by_fold.values())
    inside = any(other.startswith(f"{name}/") for name in by_fold for other in by_fold)
    assert bool(found) == (twice or inside)


@given(
    st.dictionaries(paths.filter(str.isprintable), st.binary(min_size=32, max_size=32), max_size=5)
)
def test_a_record_can_be_read_again(files: dict[str, bytes]) -> None:
    text = record_text([placed(path, data.hex()) for path, data in files.items()], "x/RECORD")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert [path for path, *_ in rows] == sorted({*files, "x/RECORD"})
    assert ["x/RECORD", "", ""] in rows


def test_wrappers_are_known_by_their_endings() -> None:
    for name in ("tool", "tool.exe", "tool-script.py", "tool-script.pyw", "tool.pya"):
        assert is_wrapper_of(name, {"tool"})
    assert not is_wrapper_of("tool.sh", {"tool"})
    assert not is_wrapper_of("tools", {"tool"})


def test_modules_and_their_bytecode() -> None:
    assert [
        p for p in ("a.py", "a/b.py", "bin/c.py", "include/d/e.py", "f.pyi") if is_importable(p)
    ] == [
        "a.py",
        "a/b.py",
    ]
    assert bytecode_path("a.py", "cpython-311") == "__pycache__/a.cpython-311.pyc"
    assert bytecode_path("a/b.py", "pypy310") == "a/__pycache__/b.pypy310.pyc"


@pytest.mark.parametrize(
    ("platform", "kind"),
    [("win_amd64", "win-amd64"), ("win32", "win-ia32"), ("manylinux_2_28_aarch64", None)],
)
def test_only_windows_has_launchers(platform: str, kind: str | None) -> None:
    target = make_target(
        python=PythonVersion(3, 12),
        implementation="cp",
        abis=(),
        platforms=(parse_platform(platform),),
        name="prod",
    )
    assert launcher_kind(target) == kind


@pytest.mark.parametrize("zipped", [True, False])
def test_scripts_are_valid_python(zipped: bool) -> None:
    code = script_code("pkg.sub", "Class.method", zipped=zipped)
    compile(code, "script", "exec")
    assert "from pkg.sub import Class\n" in code
    assert "sys.exit(Class.method())" in code
