"""Keys of a target beside its tags: presets, description files, packages, sizes."""

from __future__ import annotations

import pytest

from core.test_config import refused
from wheeltarget.core.config import read_table
from wheeltarget.core.platforms import parse_platform
from wheeltarget.core.presets import presets
from wheeltarget.core.target import PythonVersion


def test_a_preset_is_extended_as_a_declared_target_is() -> None:
    raw = {
        "a": {"extends": "aws-lambda-python3.11-arm64", "python": "3.11.9"},
        "b": {"extends": "a", "exclude": ["boto3"]},
    }
    draft = read_table({"targets": raw}).targets["b"].draft
    assert draft.python == PythonVersion(3, 11, 9)
    assert draft.implementation == "cp"
    assert draft.platforms == (parse_platform("manylinux_2_26_aarch64"),)
    assert draft.preset is presets()["aws-lambda-python3.11-arm64"]


def test_a_declared_target_wins_over_a_preset_of_its_name() -> None:
    raw = {"debian-12-x86_64": {"platforms": ["win32"]}, "x": {"extends": "debian-12-x86_64"}}
    draft = read_table({"targets": raw}).targets["x"].draft
    assert (draft.preset, draft.platforms) == (None, (parse_platform("win32"),))


def test_a_target_may_have_the_name_of_the_preset_that_it_extends() -> None:
    name = "debian-12-x86_64"
    targets = read_table({"targets": {name: {"extends": name, "python": "3.11"}}}).targets
    assert targets[name].draft.preset is presets()[name]
    assert targets[name].draft.python == PythonVersion(3, 11)


def test_an_empty_marker_value_is_no_value() -> None:
    raw = {"targets": {"x": {"markers": {"platform_release": ""}}}}
    assert refused(raw) == (
        "tool.wheeltarget.targets.x.markers.platform_release: is empty; leave it out where the "
        "value is not known"
    )


def test_an_unknown_base_suggests_declared_targets_and_presets() -> None:
    message = refused({"targets": {"debian-box": {}, "x": {"extends": "debian-12-x86_46"}}})
    assert message.startswith(
        "tool.wheeltarget.targets.x.extends: unknown target 'debian-12-x86_46'; "
        "did you mean 'debian-12-x86_64', "
    )


def test_the_size_and_the_packages_of_a_target_are_extended_too() -> None:
    newer, older = ["manylinux_2_28_x86_64"], ["manylinux_2_24_x86_64"]
    raw = {
        "base": {
            "max-unpacked-size": "250 MiB",
            "packages": {"Numpy": {"platforms": newer}, "cffi": {"platforms": newer}},
        },
        "top": {"extends": "base", "packages": {"numpy": {"platforms": older}}},
        "small": {"extends": "base", "max-unpacked-size": "1 MB"},
    }
    targets = read_table({"targets": raw}).targets
    assert targets["top"].max_unpacked_size == 262_144_000
    assert targets["small"].max_unpacked_size == 1_000_000
    assert targets["top"].packages == {
        "numpy": (parse_platform(older[0]),),
        "cffi": (parse_platform(newer[0]),),
    }


def test_a_description_file_can_have_what_it_does_not_say() -> None:
    raw = {
        "box": {
            "description-file": "box.json",
            "exclude": ["boto3"],
            "max-unpacked-size": "1 GB",
            "packages": {"numpy": {"platforms": ["manylinux_2_28_x86_64"]}},
        },
        "more": {"extends": "box", "markers": {"platform_release": "5.10"}, "exclude": []},
    }
    targets = read_table({"targets": raw}).targets
    assert targets["box"].description_file == "box.json"
    assert targets["more"].description_file == "box.json"
    assert targets["more"].draft.markers == {"platform_release": "5.10"}
    assert targets["more"].packages == targets["box"].packages


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ({"max-unpacked-size": 250}, ".max-unpacked-size: must be a string, not a whole number"),
        ({"max-unpacked-size": "big"}, ".max-unpacked-size: 'big' is not a size such as 250 MB"),
        ({"description-file": ""}, ".description-file: is empty"),
        ({"packages": []}, ".packages: must be a table, not an array"),
        ({"packages": {"-": {}}}, ".packages.\"-\": '-' is not the name of a package"),
        ({"packages": {"numpy": "x"}}, ".packages.numpy: must be a table, not a string"),
        ({"packages": {"numpy": {}}}, ".packages.numpy.platforms: is missing"),
        ({"packages": {"numpy": {"platforms": []}}}, ".packages.numpy.platforms: names no pl"),
        ({"packages": {"numpy": {"python": "3"}}}, ".packages.numpy.python: unknown key"),
        (
            {"packages": {"a-b": {"platforms": ["win32"]}, "A_b": {"platforms": ["win32"]}}},
            ".packages.A_b: the package a-b stands twice",
        ),
        *(
            ({"description-file": "x", key: value}, f".{key}: cannot stand beside description-file")
            for key, value in {
                "extends": "debian-12-x86_64",
                "python": "3.11",
                "implementation": "cp",
                "abis": ["cp311"],
                "platforms": ["win32"],
                "markers": {},
            }.items()
        ),
    ],
)
def test_what_is_wrong_with_the_further_keys_is_named(target: object, reason: str) -> None:
    assert refused({"targets": {"x": target}}).startswith(f"tool.wheeltarget.targets.x{reason}")


@pytest.mark.parametrize(
    "keys",
    [{"python": "3.11"}, {"implementation": "cp"}, {"abis": ["cp311"]}, {"platforms": ["win32"]}],
)
def test_what_a_description_file_says_cannot_be_overridden(keys: dict[str, object]) -> None:
    raw = {"box": {"description-file": "x.json"}, "top": {"extends": "box", **keys}}
    assert refused({"targets": raw}) == (
        "tool.wheeltarget.targets.top: extends box, whose description-file says all but markers; "
        "python, implementation, abis and platforms cannot be overridden"
    )
