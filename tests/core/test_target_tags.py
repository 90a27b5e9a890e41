"""The order of tags, against what packaging gives for explicit arguments."""

from __future__ import annotations

from itertools import permutations

import pytest
from packaging.tags import compatible_tags, cpython_tags, generic_tags

from core.lockmaker import target_for
from wheeltarget.core.platforms import parse_platform
from wheeltarget.core.target import PythonVersion, make_target

PLATFORMS = [
    ("manylinux_2_28_x86_64",),
    ("manylinux2014_aarch64", "linux_aarch64"),
    ("musllinux_1_2_x86_64",),
    ("macosx_14_0_arm64",),
    ("win32",),
]


def cpython_abis(minor: int) -> list[tuple[str, ...]]:
    """What a CPython of that version can be built as."""
    own = f"cp3{minor}m" if minor < 8 else f"cp3{minor}"
    abis: list[tuple[str, ...]] = [(), (own,), (own, "abi3", "none"), (f"cp3{minor}d", own)]
    if minor < 8:
        abis += [(f"cp3{minor}dm",), (f"cp3{minor}",)]
    if minor >= 13:
        abis += [(f"cp3{minor}t",), (f"cp3{minor}td", f"cp3{minor}t"), (f"cp3{minor}t", "abi3")]
    return abis


def our_tags(
    implementation: str, minor: int, abis: tuple[str, ...], platforms: tuple[str, ...]
) -> tuple[tuple[str, ...], list[str]]:
    """The tags of a target, and its ladder."""
    target = make_target(
        python=PythonVersion(3, minor),
        implementation=implementation,
        abis=abis,
        platforms=tuple(map(parse_platform, platforms)),
        name="t",
    )
    return target.tags, list(target.platforms)


def cpython_reference(minor: int, abis: tuple[str, ...], platforms: list[str]) -> tuple[str, ...]:
    """What packaging says, without repetition."""
    version = (3, minor)
    own = [f"cp3{minor}m" if minor < 8 else f"cp3{minor}"]
    tags = [
        *cpython_tags(version, abis=abis or own, platforms=platforms),
        *compatible_tags(version, interpreter=f"cp3{minor}", platforms=platforms),
    ]
    return tuple(dict.fromkeys(map(str, tags)))


@pytest.mark.parametrize("platforms", PLATFORMS, ids=lambda tags: tags[0])
@pytest.mark.parametrize(
    ("minor", "abis"), [(minor, abis) for minor in range(6, 16) for abis in cpython_abis(minor)]
)
def test_cpython_tags_have_the_order_of_packaging(
    minor: int, abis: tuple[str, ...], platforms: tuple[str, ...]
) -> None:
    tags, ladder = our_tags("cp", minor, abis, platforms)
    assert tags == cpython_reference(minor, abis, ladder)


@pytest.mark.parametrize("own", ["cp315", "cp315t"])
def test_stable_abis_that_are_listed_change_nothing_that_packaging_does_not_change(
    own: str,
) -> None:
    for others in permutations(["abi3", "abi3t", "none"]):
        tags, ladder = our_tags("cp", 15, (own, *others), ("win_amd64",))
        assert tags == cpython_reference(15, (own, *others), ladder)


@pytest.mark.parametrize("platforms", PLATFORMS, ids=lambda tags: tags[0])
@pytest.mark.parametrize("minor", range(6, 12))
@pytest.mark.parametrize("listed", [(), ("own",), ("none", "own"), ("own", "pypy_41", "none")])
def test_pypy_tags_have_the_order_of_packaging(
    minor: int, listed: tuple[str, ...], platforms: tuple[str, ...]
) -> None:
    own = f"pypy3{minor}_pp73"
    abis = tuple(own if abi == "own" else abi for abi in listed)
    tags, ladder = our_tags("pp", minor, abis, platforms)
    reference = [
        *generic_tags(f"pp3{minor}", abis or [own], ladder),
        *compatible_tags((3, minor), interpreter="pp3", platforms=ladder),
    ]
    assert tags == tuple(dict.fromkeys(map(str, reference)))


# --- the contract's own words -----------------------------------------------------------------


def test_the_tags_of_a_small_target_in_full() -> None:
    assert target_for("win_amd64", "3.4").tags == (
        "cp34-cp34m-win_amd64",
        "cp34-abi3-win_amd64",
        "cp34-none-win_amd64",
        "cp33-abi3-win_amd64",
        "cp32-abi3-win_amd64",
        "py34-none-win_amd64",
        "py3-none-win_amd64",
        "py33-none-win_amd64",
        "py32-none-win_amd64",
        "py31-none-win_amd64",
        "py30-none-win_amd64",
        "cp34-none-any",
        "py34-none-any",
        "py3-none-any",
        "py33-none-any",
        "py32-none-any",
        "py31-none-any",
        "py30-none-any",
    )


@pytest.mark.parametrize("python", ["3.6", "3.11", "3.15"])
def test_abi3_goes_down_to_python_3_2_and_not_below(python: str) -> None:
    tags = target_for("win_amd64", python).tags
    floors = [tag.split("-")[0] for tag in tags if tag.split("-")[1] == "abi3"]
    assert floors == [f"cp3{minor}" for minor in range(int(python[2:]), 1, -1)]
    assert not any("abi3t" in tag for tag in tags)


@pytest.mark.parametrize("python", ["313", "314", "315"])
def test_a_free_threaded_interpreter_takes_abi3t_and_never_abi3(python: str) -> None:
    tags = target_for(f"cp{python}-cp{python}t-win_amd64").tags
    assert tags[:3] == (
        f"cp{python}-cp{python}t-win_amd64",
        f"cp{python}-abi3t-win_amd64",
        f"cp{python}-none-win_amd64",
    )
    assert "cp32-abi3t-win_amd64" in tags
    assert not any("-abi3-" in tag for tag in tags)
    assert f"cp{python}-cp{python}-win_amd64" not in tags


@pytest.mark.parametrize(
    ("spec", "tag"),
    [
        ("cp311,win_amd64", "cp311-none-any"),
        ("cp313-cp313t-win_amd64", "cp313-none-any"),
        ("pp310,win_amd64", "pp3-none-any"),
    ],
)
def test_pure_wheels_for_the_interpreter_itself_are_taken(spec: str, tag: str) -> None:
    assert tag in target_for(spec).tags


def test_no_tag_stands_twice() -> None:
    spec = "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64,linux_x86_64"
    tags = target_for(spec).tags
    assert len(set(tags)) == len(tags)
