from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lockmaker import quick, target_for
from wheeltarget.core.platforms import parse_platform
from wheeltarget.core.presets import presets
from wheeltarget.core.spec import Draft, SpecError, complete, parse_spec
from wheeltarget.core.target import PythonVersion, Target


def facts(target: Target) -> tuple[object, ...]:
    """All that a target is, but for its name."""
    return target.python, target.implementation, target.abis, target.tags, target.environment


# --- the forms of the contract ----------------------------------------------------------------


@pytest.mark.parametrize(
    "tag",
    [
        "manylinux2010_x86_64",
        "manylinux_2_26_aarch64",
        "musllinux_1_2_x86_64",
        "macosx_11_0_arm64",
        "win_amd64",
        "win32",
        "linux_armv7l",
    ],
)
def test_a_platform_tag(tag: str) -> None:
    target = target_for(tag, "3.12")
    assert target.name == f"cp312-{tag}"
    assert target.python == PythonVersion(3, 12)
    assert target.implementation == "cp"
    assert target.abis == ("cp312",)
    assert target.primary == parse_platform(tag)


@pytest.mark.parametrize(
    ("spec", "python", "abis", "name"),
    [
        (
            "cp38-cp38-manylinux2010_x86_64",
            (3, 8),
            ("cp38",),
            "cp38-manylinux2010_x86_64",
        ),
        (
            "cp313-cp313t-manylinux_2_28_x86_64",
            (3, 13),
            ("cp313t",),
            "cp313-cp313t-manylinux_2_28_x86_64",
        ),
        ("cp37-cp37m-win32", (3, 7), ("cp37m",), "cp37-win32"),
        ("cp312-cp312d-win_arm64", (3, 12), ("cp312d",), "cp312-cp312d-win_arm64"),
        ("cp39-abi3-win_amd64", (3, 9), ("cp39",), "cp39-win_amd64"),
        ("py311-none-win_amd64", (3, 11), ("cp311",), "cp311-win_amd64"),
        ("py3-none-win_amd64", (3, 10), ("cp310",), "cp310-win_amd64"),
        ("py3-cp312-win_amd64", (3, 12), ("cp312",), "cp312-win_amd64"),
        ("pp39-pypy39_pp73-win_amd64", (3, 9), ("pypy39_pp73",), "pp39-win_amd64"),
        ("CP38-CP38-ManyLinux1_X86_64", (3, 8), ("cp38",), "cp38-manylinux1_x86_64"),
    ],
)
def test_a_wheel_tag_triple(
    spec: str, python: tuple[int, int], abis: tuple[str, ...], name: str
) -> None:
    target = target_for(spec, "3.10")
    assert target.python[:2] == python
    assert target.abis == abis
    assert target.name == name


def test_a_triple_with_both_tags_of_one_platform_is_named_by_the_first() -> None:
    target = target_for("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64")
    assert target.name == "cp311-manylinux_2_17_x86_64"
    assert facts(target) == facts(target_for("cp311,manylinux2014_x86_64"))


def test_asking_by_an_alias_gives_the_same_target_under_the_name_asked_for() -> None:
    alias, pep_600 = target_for("manylinux2010_x86_64"), target_for("manylinux_2_12_x86_64")
    assert facts(alias) == facts(pep_600)
    assert alias.name == "cp311-manylinux2010_x86_64"
    assert pep_600.name == "cp311-manylinux_2_12_x86_64"


PARTS = [
    (["manylinux1", "cp36", "x86_64"], "cp36-manylinux1_x86_64"),
    (["manylinux_2_28", "aarch64", "3.12"], "cp312-manylinux_2_28_aarch64"),
    (["manylinux2014", "s390x", "python3.12"], "cp312-manylinux2014_s390x"),
    (["musllinux_1_2", "armv7l", "cp311"], "cp311-musllinux_1_2_armv7l"),
    (["macosx_12_0", "arm64", "py310"], "cp310-macosx_12_0_arm64"),
    (["win", "amd64", "pp310"], "pp310-win_amd64"),
    (["win", "arm64", "cp3.13"], "cp313-win_arm64"),
    (["win", "x86", "cp39"], "cp39-win32"),
    (["linux", "riscv64", "cp313"], "cp313-linux_riscv64"),
    (["manylinux_2_28_x86_64", "cp313t"], "cp313-cp313t-manylinux_2_28_x86_64"),
    (["win_amd64", "cp313", "cp313t", "none"], "cp313-cp313t-win_amd64"),
    (["win_amd64", "pypy310_pp73"], "pp310-win_amd64"),
    (["win_amd64", "cp311", "py3", "abi3"], "cp311-win_amd64"),
    (["win_amd64", "cp315t", "abi3t"], "cp315-cp315t-win_amd64"),
    (["x86_64", "manylinux1", "manylinux1", "x86_64", "cp36"], "cp36-manylinux1_x86_64"),
]


@pytest.mark.parametrize(("parts", "name"), PARTS, ids=[name for _, name in PARTS])
def test_parts_in_any_order_are_one_target(parts: list[str], name: str) -> None:
    targets = [target_for(",".join(order), "3.8") for order in permutations(parts)]
    assert {target.name for target in targets} == {name}
    assert all(facts(target) == facts(targets[0]) for target in targets)


@quick
@given(st.sampled_from(PARTS), st.data())
def test_case_and_white_space_around_parts_do_not_matter(
    case: tuple[list[str], str], data: st.DataObject
) -> None:
    parts, name = case
    spaces = st.sampled_from(["", " ", "  "])
    order = data.draw(st.permutations(parts))
    text = ",".join(f"{data.draw(spaces)}{part}{data.draw(spaces)}" for part in order)
    spelled = data.draw(st.sampled_from([text, text.upper(), text.title()]))
    assert target_for(spelled, "3.8").name == name


@pytest.mark.parametrize(
    ("spec", "patch"),
    [
        ("win_amd64,3.11.9", 9),
        ("win_amd64,cp311,3.11.9", 9),
        ("win_amd64,3.11.9,cp311", 9),
        ("win_amd64,python3.11.0", 0),
        ("win_amd64,3.11.9,3.11.9", 9),
        ("win_amd64,3.11", None),
    ],
)
def test_a_part_may_say_the_patch_level(spec: str, patch: int | None) -> None:
    assert target_for(spec, "3.8").python == PythonVersion(3, 11, patch)


def test_what_a_spec_does_not_say_stays_open() -> None:
    draft = parse_spec("manylinux2014_x86_64")
    assert draft.python is None
    assert draft.implementation is None
    assert draft.abis == ()
    assert draft.markers == {}


def test_a_bare_linux_tag_may_stand_beside_a_c_library() -> None:
    for spec in ("linux_x86_64,musllinux_1_2_x86_64", "manylinux2014_x86_64,linux_x86_64"):
        assert target_for(spec).platforms[-1] == "linux_x86_64"


# --- completing a draft -----------------------------------------------------------------------

WINDOWS = parse_platform("win_amd64")


def test_the_given_python_holds_where_the_draft_says_none() -> None:
    assert complete(Draft(platforms=(WINDOWS,)), PythonVersion(3, 9)).python == (3, 9, None)
    said = Draft(platforms=(WINDOWS,), python=PythonVersion(3, 12))
    assert complete(said, PythonVersion(3, 9)).python == (3, 12, None)


def test_a_name_of_its_own_replaces_the_one_made_of_tags() -> None:
    draft = Draft(platforms=(WINDOWS,))
    assert complete(draft, PythonVersion(3, 9), "prod").name == "prod"
    assert complete(draft, PythonVersion(3, 9)).name == "cp39-win_amd64"


def test_the_full_version_among_the_markers_refines_the_python() -> None:
    target = target_for("win_amd64", "3.11", markers={"python_full_version": "3.11.4"})
    assert target.python == PythonVersion(3, 11, 4)
    assert target.environment["python_full_version"] == "3.11.4"


def test_markers_may_repeat_what_the_python_says() -> None:
    markers = {"python_version": "3.11", "python_full_version": "3.11.4"}
    assert target_for("win_amd64", "3.11.4", markers=markers).python == PythonVersion(3, 11, 4)


WORDS = [
    "cp311",
    "cp313t",
    "pp39",
    "py3",
    "3.11.9",
    "abi3",
    "win",
    "x86_64",
    "manylinux1",
    "manylinux_2_28_x86_64",
]
ODDITIES = ["linux_x86_64", "any", "cp311-cp311-win32", "", "cp27mu", "python", "3.11.9.9"]
soups = st.lists(st.sampled_from([*WORDS, *ODDITIES]), max_size=5).map(",".join)


@quick
@given(st.text(max_size=20) | soups)
def test_any_text_gives_a_target_or_a_spec_error(text: str) -> None:
    try:
        target = complete(parse_spec(text), PythonVersion(3, 11))
    except SpecError:
        return
    assert target.tags
    # The name becomes part of a file's name.
    assert set(target.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")


@pytest.mark.parametrize("spec", ["manylinux2014_x86_64", "debian-12-x86_64"])
def test_an_architecture_may_be_said_twice(spec: str) -> None:
    assert parse_spec(f"{spec},x86_64") == parse_spec(f"x86_64,{spec}") == parse_spec(spec)


@pytest.mark.parametrize(
    ("spec", "platform"),
    [
        ("android_24,arm64_v8a,cp313", "android_24_arm64_v8a"),
        ("ios_13_0,arm64_iphoneos", "ios_13_0_arm64_iphoneos"),
        ("pyodide_2025_0,wasm32", "pyodide_2025_0_wasm32"),
        ("pyemscripten_2026_0,wasm32", "pyemscripten_2026_0_wasm32"),
        ("macosx_11_0,universal2", "macosx_11_0_universal2"),
        ("cp313-cp313-android_24_x86_64", "android_24_x86_64"),
    ],
)
def test_further_platforms_are_said_as_all_others(spec: str, platform: str) -> None:
    assert parse_spec(spec).platforms == (parse_platform(platform),)


def test_a_preset_is_read_whatever_its_case_and_with_further_parts() -> None:
    draft = parse_spec("3.11.4,AWS-Lambda-Python3.11-arm64")
    assert draft.preset is presets()["aws-lambda-python3.11-arm64"]
    assert draft.python == PythonVersion(3, 11, 4)
    assert draft.implementation == "cp"
    assert complete(draft, PythonVersion(3, 9)).name == "aws-lambda-python3.11-arm64"


def test_a_distribution_may_have_any_implementation() -> None:
    target = complete(parse_spec("debian-12-x86_64,pp310"), PythonVersion(3, 9))
    assert (target.implementation, target.name) == ("pp", "debian-12-x86_64")


@pytest.mark.parametrize("name", ["cp311-manylinux2014_x86_64", "pp310-win_amd64"])
def test_the_name_that_we_give_to_a_target_is_a_spec(name: str) -> None:
    assert complete(parse_spec(name), PythonVersion(3, 9)).name == name


def test_a_bare_linux_beside_a_preset_has_the_presets_architecture() -> None:
    assert parse_spec("debian-12-armv7l,linux") == parse_spec("debian-12-armv7l,linux_armv7l")


def test_of_several_versions_the_newest_is_the_one_to_compare_by() -> None:
    target = complete(parse_spec("manylinux1_x86_64,manylinux2010_x86_64"), PythonVersion(3, 9))
    assert target.primary.release == "glibc 2.12"
    assert target.name == "cp39-manylinux1_x86_64"
