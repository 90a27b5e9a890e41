"""Tags, ABIs and markers of the probe, against packaging for the same facts."""

from __future__ import annotations

import ast
import json
import platform
import sys
import sysconfig
from collections.abc import Callable, Iterable
from importlib import machinery
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging import markers as packaging_markers
from packaging import tags as packaging_tags

from core.lockmaker import quick
from wheeltarget.runtime import basics, interpreter, probe
from wheeltarget.runtime.assembly import main_text, probe_text

PLATFORMS = ["linux_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"]
HERE = sys.version_info[:2]


def texts(tags: Iterable[packaging_tags.Tag]) -> list[str]:
    """Tags as wheels spell them, in their order."""
    return [str(tag) for tag in tags]


# --- tags -----------------------------------------------------------------------------------


def cpython(python: tuple[int, int], abis: list[str], platforms: list[str]) -> list[str]:
    """All tags of a CPython, as packaging says."""
    own = f"cp{python[0]}{python[1]}"
    return texts(
        [
            *packaging_tags.cpython_tags(python, abis, platforms),
            *packaging_tags.compatible_tags(python, own, platforms),
        ]
    )


@pytest.mark.parametrize(
    ("minor", "abis"),
    [
        (6, ["cp36m"]),
        (7, ["cp37dm"]),
        (8, ["cp38"]),
        (11, ["cp311d", "cp311"]),
        (13, ["cp313t"]),
        (14, ["cp314td", "cp314t"]),
        (15, ["cp315"]),
        (15, ["cp315t"]),
    ],
)
def test_tags_of_cpython(minor: int, abis: list[str]) -> None:
    found = interpreter.tags("cp", (3, minor), abis, PLATFORMS)
    assert found == cpython((3, minor), abis, PLATFORMS)
    assert found[0] == f"cp3{minor}-{abis[0]}-linux_x86_64"
    stable = "abi3t" if "t" in abis[0] else "abi3"
    assert {tag.split("-")[1] for tag in found} == {*abis, stable, "none"}


@quick
@given(
    st.integers(6, 40),
    st.sampled_from(["", "m", "d", "dm", "t", "td"]),
    st.lists(st.sampled_from([*PLATFORMS, "Win_AMD64", "any_thing"]), min_size=1, unique=True),
)
def test_tags_of_any_cpython(minor: int, flags: str, platforms: list[str]) -> None:
    abis = [f"cp3{minor}{flags}", f"cp3{minor}"]
    assert interpreter.tags("cp", (3, minor), abis, platforms) == cpython(
        (3, minor), abis, platforms
    )


@pytest.mark.parametrize(
    ("implementation", "abis", "pure"),
    [
        ("pp", ["pypy310_pp73"], "pp3"),
        ("graalpy", ["graalpy240_311_native"], None),
        ("ip", [], None),
        ("py", ["Strange"], None),
    ],
)
def test_tags_of_others(implementation: str, abis: list[str], pure: str | None) -> None:
    own = f"{implementation}310"
    expected = texts(
        [
            *packaging_tags.generic_tags(own, abis, PLATFORMS),
            *packaging_tags.compatible_tags((3, 10), pure, PLATFORMS),
        ]
    )
    assert interpreter.tags(implementation, (3, 10), abis, PLATFORMS) == expected
    assert ("pp3-none-any" in expected) == (implementation == "pp")


# --- ABIs -----------------------------------------------------------------------------------

SetConfig = Callable[[dict[str, object]], None]


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> SetConfig:
    """Set what sysconfig says, to the probe and to packaging alike."""
    return lambda values: monkeypatch.setattr(sysconfig, "get_config_var", values.get)


@pytest.mark.parametrize("minor", [6, 7, 8, 12, 13, 15])
@pytest.mark.parametrize("debug", [None, 0, 1])
@pytest.mark.parametrize("gil_disabled", [None, 0, 1])
@pytest.mark.parametrize("pymalloc", [None, 0, 1])
def test_abis_of_cpython(
    config: SetConfig, minor: int, debug: object, gil_disabled: object, pymalloc: object
) -> None:
    config({"Py_DEBUG": debug, "Py_GIL_DISABLED": gil_disabled, "WITH_PYMALLOC": pymalloc})
    expected = list(packaging_tags._cpython_abis((3, minor)))
    assert interpreter.own_abis("cp", (3, minor)) == expected
    assert any("d" in abi for abi in expected) == (debug == 1)
    assert any("t" in abi for abi in expected) == (gil_disabled == 1 and minor >= 13)


def test_windows_tells_of_a_debug_build_by_its_suffixes(
    config: SetConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    config({})
    assert interpreter.own_abis("cp", (3, 12)) == ["cp312"]
    suffixes = ["_d.cp312-win_amd64.pyd", "_d.pyd"]
    monkeypatch.setattr(machinery, "EXTENSION_SUFFIXES", suffixes)
    monkeypatch.setattr(packaging_tags, "EXTENSION_SUFFIXES", suffixes)
    assert interpreter.own_abis("cp", (3, 12)) == ["cp312d", "cp312"]
    assert list(packaging_tags._cpython_abis((3, 12))) == ["cp312d", "cp312"]


def test_a_debug_build_counts_its_references(
    config: SetConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    config({})
    monkeypatch.setattr(sys, "gettotalrefcount", lambda: 1, raising=False)
    assert interpreter.own_abis("cp", (3, 12)) == ["cp312d", "cp312"]
    assert list(packaging_tags._cpython_abis((3, 12))) == ["cp312d", "cp312"]


@pytest.mark.parametrize(
    ("suffix", "abi"),
    [
        (".pypy310-pp73-x86_64-linux-gnu.so", "pypy310_pp73"),
        (".pypy39-pp73-win_amd64.pyd", "pypy39_pp73"),
        (".graalpy-38-native-x86_64-darwin.dylib", "graalpy_38_native"),
        (".cpython-310-x86_64-linux-gnu.so", "cp310"),
        (".cpython-313t-darwin.so", "cp313t"),
        (".cp310-win_amd64.pyd", "cp310"),
        (".pyston-23-x86_64-linux-gnu.so", "pyston_23_x86_64_linux_gnu"),
        (".my abi.so", "my_abi"),
    ],
)
def test_abis_of_others(config: SetConfig, suffix: str, abi: str) -> None:
    config({"EXT_SUFFIX": suffix})
    assert interpreter.own_abis("pp", HERE) == [abi]
    assert list(packaging_tags._generic_abi()) == [abi]


@pytest.mark.parametrize("suffix", ["..so", ".pyd"])
def test_a_suffix_without_an_abi(config: SetConfig, suffix: str) -> None:
    config({"EXT_SUFFIX": suffix, "Py_DEBUG": 0})
    expected = list(packaging_tags._generic_abi())
    assert interpreter.own_abis("pp", HERE) == expected
    assert expected == ([] if suffix == "..so" else [f"cp{HERE[0]}{HERE[1]}"])


@pytest.mark.parametrize("suffix", [None, 0, "", "so", ".cpython.so", ".cpython-.so"])
def test_no_suffix_is_an_error(config: SetConfig, suffix: object) -> None:
    config({"EXT_SUFFIX": suffix})
    with pytest.raises(SystemError):
        list(packaging_tags._generic_abi())
    with pytest.raises(basics.ProbeError, match="EXT_SUFFIX"):
        interpreter.own_abis("pp", HERE)


# --- markers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("info", "version"),
    [
        ((3, 11, 7, "final", 0), "3.11.7"),
        ((3, 14, 0, "beta", 2), "3.14.0b2"),
        ((3, 14, 0, "alpha", 0), "3.14.0a0"),
        ((7, 3, 17, "candidate", 1), "7.3.17c1"),
    ],
)
def test_full_versions(info: tuple[int, int, int, str, int], version: str) -> None:
    assert interpreter.format_full_version(info) == version
    names = ("major", "minor", "micro", "releaselevel", "serial")
    theirs = SimpleNamespace(**dict(zip(names, info, strict=True)))
    assert packaging_markers._format_full_version(theirs) == version  # type: ignore[arg-type]


@pytest.mark.parametrize("system", ["Linux", "Darwin", "Windows"])
def test_markers_tell_the_kernel_only_where_it_is_the_system(
    monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    packaging_markers._cached_default_environment.cache_clear()
    expected = dict(packaging_markers._cached_default_environment())
    packaging_markers._cached_default_environment.cache_clear()
    if system == "Linux":
        del expected["platform_release"], expected["platform_version"]
    found = interpreter.own_markers()
    assert found == expected
    assert list(found) == sorted(found)


# --- the whole ------------------------------------------------------------------------------


def test_a_final_release_has_three_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    for level, numbers in (("final", 3), ("candidate", 2)):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "version_info", VersionInfo((3, 14, 2, level, 0)))
            found = interpreter.describe()["python"]
        assert found == ".".join(["3", "14", "2"][:numbers])


class VersionInfo(tuple[object, ...]):
    """Another ``sys.version_info``."""

    __slots__ = ()

    @property
    def releaselevel(self) -> object:
        """``final`` or an earlier stage."""
        return self[3]


def test_an_unknown_implementation(config: SetConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    told = SimpleNamespace(name="strange", version=sys.implementation.version)
    monkeypatch.setattr(platform, "system", lambda: "FreeBSD")
    monkeypatch.setattr(sysconfig, "get_platform", lambda: "freebsd-13.2-RELEASE-amd64")
    monkeypatch.setattr(sys, "implementation", told)
    config({"EXT_SUFFIX": ".Strange-1.so"})
    found = interpreter.describe()
    assert found["implementation"] == "strange"
    assert found["abis"] == ["strange_1"]
    expected = [*packaging_tags.generic_tags(), *packaging_tags.compatible_tags()]
    assert found["tags"] == texts(expected)


@pytest.mark.parametrize("version", [(2, 7), (3, 5), (3, 5, 9)])
def test_an_old_python_is_refused(version: tuple[int, ...]) -> None:
    with pytest.raises(basics.ProbeError, match=rf"^Python {version[0]}\.{version[1]} is too old"):
        interpreter.check_python(version)
    interpreter.check_python((3, 6))
    interpreter.check_python((3, 10))


def test_an_error_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "mac_ver", lambda: ("", ("", "", ""), ""))
    assert probe.main() == 1
    said = capsys.readouterr()
    assert said.out == ""
    expected = "can't describe this Python: the version of macOS is not known"
    assert said.err == f"wheeltarget: {expected}\n"


def test_main_prints_what_describe_returns(capsys: pytest.CaptureFixture[str]) -> None:
    assert probe.main() == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.isascii()
    assert said.out.endswith("}\n")
    assert json.loads(said.out) == interpreter.describe()
    keys = ["schema", "python", "implementation", "abis", "platforms", "markers", "tags"]
    assert list(json.loads(said.out)) == keys


@pytest.mark.parametrize("text", [probe_text, main_text])
def test_the_script_has_no_syntax_that_python_2_lacks(text: Callable[[], str]) -> None:
    source = text()
    assert source.isascii()
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.YieldFrom, ast.Nonlocal, ast.Starred)
    found = [node for node in ast.walk(ast.parse(source)) if newer_syntax(node, newer)]
    assert [ast.unparse(node) for node in found] == []


def newer_syntax(node: ast.AST, newer: tuple[type[ast.AST], ...]) -> bool:
    """Whether it is what Python 2 can't read; ``f(*args)`` alone it can, at the end of a call."""
    match node:
        case ast.Starred(ctx=ast.Load()):
            return False
        case ast.Raise(cause=cause):
            return cause is not None
        case ast.FunctionDef(returns=returns, args=args):
            return returns is not None or bool(args.kwonlyargs or args.posonlyargs)
        case ast.arg(annotation=annotation):
            return annotation is not None
        case ast.Call(args=args):
            return any(isinstance(arg, ast.Starred) for arg in args[:-1])
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return any(isinstance(item, ast.Starred) for item in items)
        case ast.Dict(keys=names):
            return None in names
    return isinstance(node, newer)


@pytest.mark.parametrize(
    "source",
    [
        *("f'{x}'", "x: int = 1", "def f(x: int): pass", "def f() -> int: pass", "f(*a, b)"),
        *("[*a]", "{**a}", "raise X from None", "def f(*, a): pass", "(x := 1)", "a, *b = c"),
    ],
)
def test_newer_syntax_is_found(source: str) -> None:
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Starred)
    assert any(newer_syntax(node, newer) for node in ast.walk(ast.parse(source)))
