"""The table ``[tool.wheeltarget]``."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.lockmaker import Raw, quick
from wheeltarget.core.config import Table, read_table
from wheeltarget.core.errors import UsageError
from wheeltarget.core.platforms import parse_platform
from wheeltarget.core.target import PythonVersion
from wheeltarget.core.typed import join


def refused(raw: object) -> str:
    """Why a table is refused."""
    with pytest.raises(UsageError) as caught:
        read_table(raw)
    (problem,) = caught.value.problems
    assert problem.hint
    assert problem.what.startswith("pyproject.toml: ")
    return problem.what.removeprefix("pyproject.toml: ")


def of_target(raw: object) -> str:
    """Why the table of a target is refused."""
    path, _, reason = refused({"targets": {"prod": raw}}).partition(": ")
    assert path.startswith("tool.wheeltarget.targets.prod")
    return f"{path.removeprefix('tool.wheeltarget.targets.prod')}: {reason}"


def test_an_empty_table_has_the_documented_defaults() -> None:
    table = read_table({})
    assert table == Table()
    assert table.output == "dist/{name}-{version}-{target}.zip"
    assert table.default_targets == ()
    assert table.exclude == ()
    assert table.targets == {}


def test_a_full_table_is_read() -> None:
    table = read_table(
        {
            "default-targets": ["prod", "edge"],
            "output": "out/{target}.zip",
            "exclude": ["Boto3", "boto_core"],
            "targets": {
                "prod": {
                    "python": "3.11.9",
                    "implementation": "cp",
                    "abis": ["cp311"],
                    "platforms": ["manylinux_2_26_x86_64", "linux_x86_64"],
                    "markers": {"platform_release": "5.10"},
                    "exclude": ["AWS.Lambda"],
                },
                "edge": {"extends": "prod"},
            },
        }
    )
    assert table.default_targets == ("prod", "edge")
    assert table.output == "out/{target}.zip"
    assert table.exclude == ("boto3", "boto-core")
    prod = table.targets["prod"]
    assert prod.exclude == ("aws-lambda",)
    assert prod.draft.python == PythonVersion(3, 11, 9)
    assert prod.draft.implementation == "cp"
    assert prod.draft.abis == ("cp311",)
    assert prod.draft.platforms == (
        parse_platform("manylinux_2_26_x86_64"),
        parse_platform("linux_x86_64"),
    )
    assert prod.draft.markers == {"platform_release": "5.10"}
    assert table.targets["edge"] == prod


# --- keys and types ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ([], "tool.wheeltarget: must be a table, not an array"),
        ("x", "tool.wheeltarget: must be a table, not a string"),
        ({"outptu": "x"}, "tool.wheeltarget.outptu: unknown key; did you mean 'output'?"),
        ({"target": {}}, "tool.wheeltarget.target: unknown key; did you mean 'targets'?"),
        ({"zzz": 1}, "tool.wheeltarget.zzz: unknown key"),
        ({"a.b": 1}, 'tool.wheeltarget."a.b": unknown key'),
        (
            {"default-targets": "prod"},
            "tool.wheeltarget.default-targets: must be an array, not a string",
        ),
        (
            {"default-targets": [1]},
            "tool.wheeltarget.default-targets[0]: must be a string, not a whole number",
        ),
        ({"default-targets": []}, "tool.wheeltarget.default-targets: names no target"),
        ({"output": 1}, "tool.wheeltarget.output: must be a string, not a whole number"),
        ({"output": "{nam}.zip"}, "tool.wheeltarget.output: unknown placeholder '{nam}'"),
        ({"output": "{name"}, "tool.wheeltarget.output: unknown placeholder '{'"),
        ({"exclude": "boto3"}, "tool.wheeltarget.exclude: must be an array, not a string"),
        ({"exclude": ["a", {}]}, "tool.wheeltarget.exclude[1]: must be a string, not a table"),
        (
            {"exclude": ["no name"]},
            "tool.wheeltarget.exclude[0]: 'no name' is not the name of a package",
        ),
        (
            {"exclude": ["boto3", "Boto3"]},
            "tool.wheeltarget.exclude[1]: 'Boto3' stands twice",
        ),
        ({"targets": []}, "tool.wheeltarget.targets: must be a table, not an array"),
        (
            {"targets": {"prod": "x"}},
            "tool.wheeltarget.targets.prod: must be a table, not a string",
        ),
        (
            {"targets": {"a b": {"zzz": 1}}},
            'tool.wheeltarget.targets."a b".zzz: unknown key',
        ),
    ],
)
def test_what_is_not_as_documented_is_refused_with_the_path_of_the_key(
    raw: object, reason: str
) -> None:
    assert refused(raw) == reason


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ({"pyhton": "3.11"}, ".pyhton: unknown key; did you mean 'python'?"),
        ({"platform": []}, ".platform: unknown key; did you mean 'platforms'?"),
        ({"extends": 1}, ".extends: must be a string, not a whole number"),
        ({"python": 3.11}, ".python: must be a string, not a number"),
        ({"python": "3"}, ".python: '3' is not a Python version such as 3.11 or 3.11.9"),
        ({"python": "2.7"}, ".python: there is no Python 2.7 to bundle for"),
        ({"implementation": []}, ".implementation: must be a string, not an array"),
        (
            {"implementation": "jy"},
            ".implementation: unknown implementation 'jy'; there are cp, pp",
        ),
        ({"abis": "cp311"}, ".abis: must be an array, not a string"),
        ({"abis": [True]}, ".abis[0]: must be a string, not true or false"),
        ({"abis": ["CP311"]}, ".abis[0]: 'CP311' is not an ABI tag such as cp311"),
        ({"abis": ["cp-311"]}, ".abis[0]: 'cp-311' is not an ABI tag such as cp311"),
        ({"abis": ["cp\u0663"]}, ".abis[0]: 'cp\u0663' is not an ABI tag such as cp311"),
        ({"abis": [""]}, ".abis[0]: '' is not an ABI tag such as cp311"),
        ({"abis": ["cp311", "cp311"]}, ".abis[1]: 'cp311' stands twice"),
        ({"platforms": "win32"}, ".platforms: must be an array, not a string"),
        ({"platforms": []}, ".platforms: names no platform"),
        ({"platforms": [1.5]}, ".platforms[0]: must be a string, not a number"),
        (
            {"platforms": ["win32", "win_amd46"]},
            ".platforms[1]: unknown platform tag 'win_amd46'; did you mean 'win_amd64'?",
        ),
        (
            {"platforms": ["manylinux2010_aarch64"]},
            (
                ".platforms[0]: manylinux2010_aarch64 never existed; "
                "the oldest tag for aarch64 is manylinux_2_17_aarch64"
            ),
        ),
        (
            {"platforms": ["manylinux_2_17_arm64"]},
            (
                ".platforms[0]: unknown architecture 'arm64' in 'manylinux_2_17_arm64'; "
                "did you mean 'aarch64'?"
            ),
        ),
        (
            {"platforms": ["manylinux_2_17_x86_64", "manylinux2014_x86_64"]},
            ".platforms[1]: 'manylinux2014_x86_64' stands twice",
        ),
        ({"markers": ["x"]}, ".markers: must be a table, not an array"),
        (
            {"markers": {"platform_release": 5}},
            ".markers.platform_release: must be a string, not a whole number",
        ),
        (
            {"markers": {"platform_relase": "5"}},
            ".markers.platform_relase: unknown key; did you mean 'platform_release'?",
        ),
        ({"markers": {"extra": "cpu"}}, ".markers.extra: unknown key"),
        ({"exclude": {}}, ".exclude: must be an array, not a table"),
        ({"exclude": ["-x"]}, ".exclude[0]: '-x' is not the name of a package"),
    ],
)
def test_a_target_is_refused_with_the_path_of_the_key(raw: Raw, reason: str) -> None:
    assert of_target(raw) == reason


@pytest.mark.parametrize("abi", ["cp311", "cp313t", "pypy39_pp73", "abi3", "none"])
def test_abi_tags_are_taken(abi: str) -> None:
    table = read_table({"targets": {"prod": {"abis": [abi]}}})
    assert table.targets["prod"].draft.abis == (abi,)


def test_no_abi_named_means_the_default_one() -> None:
    assert read_table({"targets": {"prod": {}}}).targets["prod"].draft.abis == ()


@pytest.mark.parametrize(
    ("key", "reason"), [("abis", "names no ABI"), ("platforms", "names no platform")]
)
def test_an_empty_list_says_nothing_and_is_refused(key: str, reason: str) -> None:
    path = f"tool.wheeltarget.targets.prod.{key}"
    with pytest.raises(UsageError, match=f"^pyproject.toml: {path}: {reason}$"):
        read_table({"targets": {"prod": {key: []}}})


def test_an_empty_output_is_refused() -> None:
    with pytest.raises(UsageError, match="output: is empty"):
        read_table({"output": ""})


WRONG: list[object] = [None, True, 1, 1.5, "", "x", [], ["x"], [[]], {}, {"x": 1}]
WRONG += [dt.date(2024, 1, 1), "\0", ["\n"], "1" * 5000]
TOP_KEYS = ["default-targets", "output", "exclude", "targets", "build", ""]
KEYS = ["extends", "python", "implementation", "abis", "platforms", "markers", "exclude"]


@settings(quick, max_examples=500)
@given(st.sampled_from(TOP_KEYS), st.sampled_from(KEYS), st.sampled_from(WRONG), st.booleans())
def test_whatever_stands_there_the_only_error_is_a_usage_error(
    top: str, key: str, value: object, deep: bool
) -> None:
    raw: object = {"targets": {"prod": {key: value}}} if deep else {top: value}
    path = f"tool.wheeltarget.targets.prod.{key}" if deep else join("tool.wheeltarget", top)
    try:
        table = read_table(raw)
    except UsageError:
        assert refused(raw).startswith(path)
    else:
        assert isinstance(table, Table)


# --- names of targets -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "cannot be the name of a target: it begins or ends with a character"),
        ("../evil", "cannot be the name of a target: it holds /"),
        ("a\\b", "cannot be the name of a target: it holds \\"),
        ("a\nb", "cannot be the name of a target: it holds a control or invisible character"),
        ("-x", "cannot be the name of a target: it begins or ends with a character"),
        ("nul", "cannot be the name of a target: it is the name of a device on Windows"),
        ("x" * 252, "cannot be the name of a target: it is longer than 255 bytes"),
        ("a,b", "the name of a target cannot hold a comma or begin with @"),
        ("@x", "the name of a target cannot hold a comma or begin with @"),
    ],
)
def test_a_name_that_cannot_be_part_of_a_file_name_is_refused(name: str, reason: str) -> None:
    assert reason in refused({"targets": {name: {}}})


@pytest.mark.parametrize("name", ["prod", "aws-lambda-python3.12-arm64", "Prod 2", "a@b", "ä"])
def test_other_names_are_taken(name: str) -> None:
    assert list(read_table({"targets": {name: {}}}).targets) == [name]


@pytest.mark.parametrize(
    ("defaults", "reason"),
    [
        (["prdo"], "default-targets: unknown target 'prdo'; did you mean 'prod'?"),
        (["zzz"], "default-targets: unknown target 'zzz'"),
        (["prod", "prod"], "default-targets[1]: 'prod' stands twice"),
        (["prod", "stage", "edge"], "default-targets: unknown target 'edge'"),
    ],
)
def test_default_targets_must_be_declared_once(defaults: list[str], reason: str) -> None:
    raw = {"default-targets": defaults, "targets": {"prod": {}, "stage": {}}}
    assert refused(raw) == f"tool.wheeltarget.{reason}"


# --- extends ----------------------------------------------------------------------------------


def test_keys_override_those_of_the_target_that_is_extended() -> None:
    base = {
        "python": "3.11",
        "implementation": "cp",
        "abis": ["cp311"],
        "platforms": ["win_amd64"],
        "markers": {"platform_release": "10", "platform_version": "x"},
        "exclude": ["boto3"],
    }
    top = {
        "extends": "base",
        "python": "3.12",
        "implementation": "pp",
        "abis": ["pypy312_pp73"],
        "platforms": ["win32"],
        "markers": {"platform_release": "11"},
        "exclude": [],
    }
    targets = read_table(
        {"targets": {"top": top, "base": base, "same": {"extends": "base"}}}
    ).targets
    assert targets["same"] == targets["base"]
    draft = targets["top"].draft
    assert draft.python == PythonVersion(3, 12)
    assert draft.implementation == "pp"
    assert draft.abis == ("pypy312_pp73",)
    assert draft.platforms == (parse_platform("win32"),)
    assert draft.markers == {"platform_release": "11", "platform_version": "x"}
    assert targets["top"].exclude == ()


def test_the_nearest_of_a_chain_wins() -> None:
    targets = read_table(
        {
            "targets": {
                "c": {"extends": "b"},
                "b": {"extends": "a", "python": "3.12"},
                "a": {"python": "3.11", "platforms": ["win32"], "exclude": ["x"]},
            }
        }
    ).targets
    assert targets["c"].draft.python == PythonVersion(3, 12)
    assert targets["c"].draft.platforms == (parse_platform("win32"),)
    assert targets["c"].exclude == ("x",)
    assert targets["a"].draft.python == PythonVersion(3, 11)


@pytest.mark.parametrize(
    ("extends", "reason"),
    [
        ({"a": "a"}, "a.extends: goes round in a circle: a -> a"),
        ({"a": "b", "b": "a"}, "b.extends: goes round in a circle: a -> b -> a"),
        ({"x": "a", "a": "b", "b": "a"}, "b.extends: goes round in a circle: x -> a -> b -> a"),
        ({"prod": "base", "bsae": ""}, "prod.extends: unknown target 'base'; did you mean 'bsae'?"),
        ({"prod": "zzz"}, "prod.extends: unknown target 'zzz'"),
        ({"prod": "mid", "mid": "zzz"}, "mid.extends: unknown target 'zzz'"),
    ],
)
def test_a_target_cannot_extend_itself_or_nothing(extends: dict[str, str], reason: str) -> None:
    tables = {name: {"extends": base} if base else {} for name, base in extends.items()}
    assert refused({"targets": tables}) == f"tool.wheeltarget.targets.{reason}"
