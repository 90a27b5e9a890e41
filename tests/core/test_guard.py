"""Contradictions between a target and the preset that it extends."""

from __future__ import annotations

from typing import Any

import pytest

from core.lockmaker import Raw
from core.test_resolve import Host, resolve
from wheeltarget.core.target import PythonVersion

NEWER = (
    "takes wheels for glibc 2.28, but the runtime has 2.26: they would deploy, and fail at import"
)
LARGER = (
    "allows 300.0 MB (300000000 bytes) unpacked, but the runtime takes 262.1 MB (262144000 bytes)"
)
LAMBDA = "aws-lambda-python3.11-x86_64"


def said(base: str = LAMBDA, *specs: str, python: str | None = None, **keys: Any) -> list[str]:
    """What is said of a target that extends a preset, without the target and the preset."""
    host = Host(PythonVersion(3, 11, 7))
    table: Raw = {"targets": {"prod": {"extends": base, **keys}}}
    resolve(*(specs or ("prod",)), table=table, python=python, host=host)
    for notice in host.notices:
        assert notice.what.endswith(f"({base}, as of 2026-11-20)")
        assert notice.target == "prod"
        assert notice.hint
    prefix, suffix = "the target prod ", f" ({base}, as of 2026-11-20)"
    return [notice.what.removeprefix(prefix).removesuffix(suffix) for notice in host.notices]


@pytest.mark.parametrize(
    ("keys", "phrase"),
    [
        (
            {"platforms": ["manylinux_2_28_x86_64"]},
            NEWER,
        ),
        (
            {"platforms": ["manylinux_2_17_x86_64", "manylinux_2_28_x86_64"]},
            NEWER,
        ),
        (
            {"platforms": ["musllinux_1_2_x86_64"]},
            "is for musl 1.2 on x86_64, but the runtime is glibc 2.26 on x86_64",
        ),
        (
            {"platforms": ["manylinux_2_26_aarch64"]},
            "is for glibc 2.26 on aarch64, but the runtime is glibc 2.26 on x86_64",
        ),
        ({"python": "3.12"}, "is for Python 3.12, but the runtime has 3.11"),
        (
            {"python": "3.13", "abis": ["cp313t"]},
            "is for Python 3.13, but the runtime has 3.11",
        ),
        ({"abis": ["cp311d"]}, "has ABI cp311d, but the runtime is a usual CPython"),
        ({"implementation": "pp"}, "has ABI pypy311_pp73, but the runtime is a usual CPython"),
        (
            {"markers": {"platform_machine": "aarch64"}},
            "says that platform_machine is 'aarch64', but on the runtime it is 'x86_64'",
        ),
        (
            {"max-unpacked-size": "300 MB"},
            LARGER,
        ),
    ],
)
def test_a_contradiction_is_told(keys: dict[str, Any], phrase: str) -> None:
    assert said(**keys) == [phrase]


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"platforms": ["manylinux_2_26_x86_64", "linux_x86_64"]},
        {"platforms": ["manylinux2014_x86_64"]},
        {"python": "3.11.9"},
        {"abis": ["cp311"]},
        {"abis": ["cp311", "abi3"]},
        {"markers": {"platform_release": "5.10"}},
        {"max-unpacked-size": "200 MB"},
        {"packages": {"numpy": {"platforms": ["manylinux_2_28_x86_64"]}}},
    ],
)
def test_less_or_more_precise_than_the_preset_is_no_contradiction(keys: dict[str, Any]) -> None:
    assert said(**keys) == []


def test_another_abi_of_pyodide_is_a_contradiction_whatever_its_version() -> None:
    older = {"platforms": ["pyodide_2024_0_wasm32"]}
    (phrase,) = said("pyodide-python3.13-wasm32", python="3.13", **older)
    assert phrase.startswith("takes wheels for Pyodide ABI 2024.0, but the runtime has 2025.0")


def test_markers_of_another_implementation_are_a_contradiction() -> None:
    assert said(markers={"implementation_name": "pypy"}) == [
        "says that implementation_name is 'pypy', but on the runtime it is 'cpython'"
    ]


def test_several_contradictions_are_all_told() -> None:
    assert len(said(python="3.12", platforms=["musllinux_1_2_x86_64"])) == 2


def test_a_python_from_the_command_line_is_looked_at_too() -> None:
    assert said(python="3.12") == ["is for Python 3.12, but the runtime has 3.11"]
    assert said("debian-12-x86_64", python="3.12") == []


def test_a_preset_itself_is_never_contradicted() -> None:
    host = Host(PythonVersion(3, 11, 7))
    resolve(LAMBDA, "debian-12-armv7l,linux_armv7l,3.11", host=host)
    assert host.notices == []


def test_a_preset_further_down_the_chain_counts() -> None:
    host = Host(PythonVersion(3, 11, 7))
    table: Raw = {
        "targets": {
            "a": {"extends": "b", "platforms": ["manylinux_2_35_x86_64"]},
            "b": {"extends": LAMBDA},
        }
    }
    resolve("a", table=table, host=host)
    assert len(host.notices) == 1


def test_a_runtime_without_a_limit_allows_any() -> None:
    keys = {"python": "3.11", "max-unpacked-size": "900 GB"}
    assert said("azure-functions-python3.11-x86_64", **keys) == []
