"""The JSON schema and the code agree on what ``[tool.wheeltarget]`` may be."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import fastjsonschema
import pytest

from wheeltarget.core import config
from wheeltarget.core.config import read_table
from wheeltarget.core.errors import UsageError
from wheeltarget.core.markers import VARIABLES
from wheeltarget.core.platforms import EXAMPLE_TAGS
from wheeltarget.core.target import IMPLEMENTATIONS

SCHEMA: dict[str, Any] = json.loads(
    files("wheeltarget.core").joinpath("config.schema.json").read_text(encoding="utf-8")
)
TARGET: dict[str, Any] = SCHEMA["definitions"]["target"]
PACKAGE: dict[str, Any] = SCHEMA["definitions"]["package"]
_validate: Callable[[object], object] = fastjsonschema.compile(SCHEMA, use_default=False)

GLIBC = ["manylinux2014_x86_64"]


def target(**keys: object) -> dict[str, object]:
    """A table with one target; ``_`` in a key stands for ``-``."""
    return {"targets": {"prod": {key.replace("_", "-"): value for key, value in keys.items()}}}


def schema_accepts(value: object) -> bool:
    try:
        _validate(value)
    except fastjsonschema.JsonSchemaValueException:
        return False
    return True


def code_accepts(value: object) -> bool:
    try:
        read_table(value)
    except UsageError:
        return False
    return True


VALID: list[object] = [
    {},
    {"output": "dist/{name}-{version}-{target}.zip"},
    {"output": "out/{target}.zip"},
    {"exclude": []},
    {"build": []},
    {"build": ["antlr4-python3-runtime"]},
    {"constrain-lock": True},
    {"constrain-lock": False},
    target(build=["docopt"]),
    {"exclude": ["boto3", "ruamel.yaml", "typing_extensions", "A-b.c"]},
    {"targets": {}},
    *({"layout": layout} for layout in ("wheelhouse", "site-packages")),
    *({"prefix": prefix} for prefix in ("", "python", "python/", "lib/python3.11/site-packages")),
    *({"compile": value} for value in (True, False)),
    target(layout="site-packages", prefix="python", compile=True),
    {"default-targets": ["prod"], **target(platforms=GLIBC)},
    target(),
    target(platforms=GLIBC),
    target(platforms=["manylinux_2_28_aarch64", "linux_aarch64"]),
    target(platforms=["win32"]),
    target(platforms=["macosx_11_0_arm64"]),
    target(platforms=["musllinux_1_2_x86_64"]),
    target(python="3.11"),
    target(python="3.11.9"),
    target(implementation="cp"),
    target(implementation="pp"),
    target(abis=["cp313t"]),
    target(abis=["pypy310_pp73"]),
    target(markers={}),
    target(markers={"platform_release": "5.10"}),
    target(exclude=["boto3"]),
    target(platforms=["ios_13_0_arm64_iphoneos"]),
    target(platforms=["android_24_arm64_v8a"]),
    target(platforms=["pyodide_2025_0_wasm32"]),
    target(platforms=["pyemscripten_2026_0_wasm32"]),
    target(platforms=["macosx_11_0_universal2"]),
    target(extends="aws-lambda-python3.12-arm64"),
    target(description_file="target.json"),
    target(description_file="target.json", exclude=["boto3"], max_unpacked_size="1 GB"),
    *(target(max_unpacked_size=size) for size in ("250 MB", "250MiB", "1.5 gb", "7 B", "1 kB")),
    target(packages={}),
    target(packages={"Foo.bar_baz": {"platforms": ["manylinux_2_28_x86_64"]}}),
    {"targets": {"base": {"platforms": GLIBC}, "other": {"extends": "base", "python": "3.12"}}},
]

INVALID: list[object] = [
    [],
    "prod",
    {"exlude": []},
    *({"layout": layout} for layout in ("wheel-house", "", 1)),
    *({"prefix": prefix} for prefix in ("/opt", "a//b", "a\\b", "C:/x", "/", 1)),
    *({"compile": value} for value in ("yes", 1)),
    target(layout="zip"),
    target(prefix="/python"),
    target(compile="true"),
    {"default-targets": []},
    {"default-targets": "prod", **target()},
    {"default-targets": ["prod", "prod"], **target()},
    {"default-targets": [1], **target()},
    {"output": 1},
    {"output": "{nme}.zip"},
    {"output": "{name"},
    {"output": "name}"},
    {"output": "{{name}}"},
    {"exclude": "boto3"},
    {"build": "docopt"},
    {"constrain-lock": "yes"},
    {"constrain-lock": 1},
    {"constrain-lock": None},
    target(build=["-"]),
    {"exclude": ["boto3", "boto3"]},
    {"exclude": ["-boto3"]},
    {"exclude": ["boto 3"]},
    {"exclude": [""]},
    {"exclude": [3]},
    {"targets": []},
    {"targets": {"prod": "manylinux2014_x86_64"}},
    target(pyton="3.11"),
    target(description_file=""),
    target(description_file=1),
    *(
        target(description_file="target.json", **{key: value})
        for key, value in {
            "extends": "debian-12-x86_64",
            "python": "3.11",
            "implementation": "cp",
            "abis": ["cp311"],
            "platforms": GLIBC,
            "markers": {"os_name": "posix"},
        }.items()
    ),
    *(target(max_unpacked_size=size) for size in (250, "", "250", "MB", "-1 MB", "1 TB", "1 i")),
    target(packages=[]),
    target(packages={"-": {"platforms": GLIBC}}),
    target(packages={"numpy": {}}),
    target(packages={"numpy": {"platforms": []}}),
    target(packages={"numpy": {"platforms": GLIBC, "python": "3.11"}}),
    target(extends=1),
    target(python="3"),
    target(python="2.7"),
    target(python="3.x"),
    target(python="3.11.9.1"),
    target(python="3.100"),
    target(python="3.1"),
    target(python="3.011"),
    target(python="03.11"),
    {"output": ""},
    target(abis=[]),
    target(python=3.11),
    target(implementation="CPython"),
    target(implementation="py"),
    target(abis="cp311"),
    target(abis=["CP311"]),
    target(abis=["311"]),
    target(abis=["cp311", "cp311"]),
    target(platforms=[]),
    target(platforms="manylinux2014_x86_64"),
    target(platforms=["any"]),
    target(platforms=["Manylinux2014_x86_64"]),
    target(platforms=[*GLIBC, *GLIBC]),
    target(markers=[]),
    target(markers={"platform_release": 5}),
    target(markers={"platform_relase": "5.10"}),
    target(markers={"extra": "cli"}),
    target(exclude=[True]),
]

#: What a schema cannot say, so that only a run finds it: the reason, and an example.
CODE_ONLY: dict[str, object] = {
    "default-targets name declared targets": {"default-targets": ["prd"], **target()},
    "extends names a declared target or a preset": target(extends="prd"),
    "extends does not go round": {"targets": {"a": {"extends": "b"}, "b": {"extends": "a"}}},
    "names are distinct when normalised": {"exclude": ["typing_extensions", "Typing-Extensions"]},
    "platforms are distinct, whatever their name": target(
        platforms=["manylinux2014_x86_64", "manylinux_2_17_x86_64"]
    ),
    "a tag is one that has existed": target(platforms=["manylinux2010_aarch64"]),
    "a tag has a known architecture": target(platforms=["manylinux_2_28_x68_64"]),
    "a size leaves room for something": target(max_unpacked_size="0 MB"),
    "a package stands once": target(
        packages={"a-b": {"platforms": GLIBC}, "A_B": {"platforms": GLIBC}}
    ),
    "what a description file says is not overridden": {
        "targets": {"box": {"description-file": "x"}, "top": {"extends": "box", "python": "3.11"}}
    },
    "a tag has a version that can be": target(platforms=["manylinux_2_4_x86_64"]),
    "a prefix stays in the bundle": {"prefix": "a/../b"},
    "a prefix's folders can be on any system": {"prefix": "python/aux"},
    "a target's name can be a file name": {"targets": {"a/b": {}}},
    "a target's name does not read as tags": {"targets": {"cp311,prod": {}}},
    "a target's name does not read as a file": {"targets": {"@prod": {}}},
}


@pytest.mark.parametrize("value", VALID, ids=repr)
def test_both_accept(value: object) -> None:
    assert schema_accepts(value)
    assert code_accepts(value)


@pytest.mark.parametrize("value", INVALID, ids=repr)
def test_both_refuse(value: object) -> None:
    assert not schema_accepts(value)
    assert not code_accepts(value)


@pytest.mark.parametrize("value", CODE_ONLY.values(), ids=CODE_ONLY.keys())
def test_only_the_code_refuses(value: object) -> None:
    assert schema_accepts(value)
    assert not code_accepts(value)


def test_the_schema_has_the_keys_of_the_code() -> None:
    assert list(SCHEMA["properties"]) == list(config.TABLE_KEYS)
    assert list(TARGET["properties"]) == list(config.TARGET_KEYS)
    assert list(PACKAGE["properties"]) == list(config.PACKAGE_KEYS)


def test_every_key_of_the_schema_has_a_description() -> None:
    for table in (SCHEMA, TARGET, PACKAGE):
        assert all(value["description"].endswith(".") for value in table["properties"].values())


def test_every_kind_of_platform_has_its_pattern() -> None:
    pattern = re.compile(SCHEMA["definitions"]["platforms"]["items"]["pattern"])
    assert all(pattern.search(tag) for tag in (*EXAMPLE_TAGS, "pyemscripten_2026_0_wasm32"))


def test_the_schema_has_the_values_of_the_code() -> None:
    assert TARGET["properties"]["markers"]["propertyNames"]["enum"] == list(VARIABLES)
    assert TARGET["properties"]["implementation"]["enum"] == list(IMPLEMENTATIONS)
    assert SCHEMA["definitions"]["layout"]["enum"] == list(config.LAYOUTS)
    assert SCHEMA["properties"]["output"]["default"] == config.DEFAULT_OUTPUT


def test_the_schema_allows_nothing_else() -> None:
    assert SCHEMA["additionalProperties"] is False
    assert TARGET["additionalProperties"] is False
    assert PACKAGE["additionalProperties"] is False
