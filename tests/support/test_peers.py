"""The peers are asked what we think they are asked, and where they differ is written down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest
from packaging.pylock import PylockSelectError
from packaging.tags import android_platforms, ios_platforms, mac_platforms

from support.peers import pip_choice, pylock_choice, replace_extras
from support.projects import parsed_lock
from support.uv_peer import UV_TARGETS, UvTarget, uv_choice

PYTHON = "3.11.9"
GLIBC = UV_TARGETS["manylinux_2_17_x86_64"]
EVERY_KIND = [
    "manylinux_2_17_x86_64",
    "manylinux_2_40_aarch64",
    "manylinux_2_39_riscv64",
    "musllinux_1_2_x86_64",
    "macosx_10_15_x86_64",
    "macosx_13_0_arm64",
    "win_amd64",
    "win_arm64",
    "win32",
    "android_24_arm64_v8a",
    "ios_13_0_arm64_iphoneos",
    "pyodide_2025_0_wasm32",
]
STRANGERS = [
    "manylinux_2_41_x86_64",
    "manylinux_2_4_x86_64",
    "manylinux2010_aarch64",
    "musllinux_1_3_x86_64",
    "macosx_13_1_arm64",
    "macosx_10_3_x86_64",
    "win_ia64",
    "linux_armv7l",
]


def lock_of(packages: Mapping[str, Sequence[str]], **package: Any) -> dict[str, Any]:
    """A lock with version 1.0 of some packages, each with wheels of the given tags."""
    return {
        "metadata": {"python-versions": "*"},
        "package": [
            {
                "name": name,
                "version": "1.0",
                "python-versions": "*",
                "groups": ["main"],
                "files": [{"file": wheel(name, tag), "hash": "sha256:00"} for tag in tags],
                **package,
            }
            for name, tags in packages.items()
        ],
    }


def wheel(name: str, tag: str) -> str:
    """The file name of version 1.0; ``tag`` may begin with a build number."""
    return f"{name.replace('-', '_')}-1.0-{tag}.whl"


def ask_pip(filenames: Sequence[str], target: UvTarget, python: str = PYTHON) -> str | None:
    major, minor = map(int, python.split(".")[:2])
    return pip_choice(
        filenames,
        python=(major, minor),
        implementation="cp",
        abis=[f"cp{major}{minor}" + ("m" if minor < 8 else "")],
        platforms=target.platforms,
    )


def ask_packaging(
    lock: Mapping[str, Any], target: UvTarget, python: str = PYTHON, **wanted: set[str]
) -> dict[str, str | None]:
    chosen = {"groups": {"main"}, "extras": set[str](), **wanted}
    return pylock_choice(
        lock, environment=target.environment(python), tags=target.tags(python), **chosen
    )


def ask_uv(
    lock: Mapping[str, Any], target: UvTarget, python: str = PYTHON, **wanted: set[str]
) -> dict[str, str | None]:
    chosen = {"groups": {"main"}, "extras": set[str](), **wanted}
    return uv_choice(lock, target=target, python=python, **chosen)


# What uv means by its platforms


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERY_KIND)
def test_uv_takes_exactly_the_ladder_in_its_order(name: str) -> None:
    """One package for each tag there is, and one for each two neighbours, the worse one first."""
    target = UV_TARGETS[name]
    ladder = target.platforms
    every = [*STRANGERS, *{tag: None for key in EVERY_KIND for tag in UV_TARGETS[key].platforms}]
    singles = {f"single-{number}": [f"py3-none-{tag}"] for number, tag in enumerate(every)}
    pairs = {
        f"pair-{number}": [f"py3-none-{worse}", f"py3-none-{better}"]
        for number, (better, worse) in enumerate(pairwise(ladder))
    }
    choice = ask_uv(lock_of({**singles, **pairs}), target)
    taken = {tag for number, tag in enumerate(every) if choice[f"single-{number}"]}
    assert taken == set(ladder)
    for number, better in enumerate(ladder[:-1]):
        assert choice[f"pair-{number}"] == wheel(f"pair-{number}", f"py3-none-{better}")


@pytest.mark.parametrize("name", EVERY_KIND)
def test_uv_has_the_marker_values_we_say(name: str) -> None:
    environment = UV_TARGETS[name].environment(PYTHON)
    lock = lock_of({variable.replace("_", "-"): ["py3-none-any"] for variable in environment})
    for package, (variable, value) in zip(lock["package"], environment.items(), strict=True):
        package["markers"] = f'{variable} == "{value}"'
    assert ask_uv(lock, UV_TARGETS[name]).keys() == {each["name"] for each in lock["package"]}


def test_ladders_are_those_of_packaging() -> None:
    """But for one: packaging and pip say ``fat3`` where uv says ``fat32``; no wheel has either."""

    def ladder(name: str) -> tuple[str, ...]:
        return UV_TARGETS[name].platforms

    assert ladder("macosx_13_0_arm64") == tuple(mac_platforms((13, 0), "arm64"))
    assert ladder("android_24_arm64_v8a") == tuple(android_platforms(24, "arm64_v8a"))
    assert ladder("ios_13_0_arm64_iphoneos") == tuple(ios_platforms((13, 0), "arm64-iphoneos"))
    for name, version in (("macosx_10_15_x86_64", (10, 15)), ("macosx_12_0_x86_64", (12, 0))):
        theirs = tuple(mac_platforms(version, "x86_64"))
        assert [tag for tag in ladder(name) if "_fat3" not in tag] == [
            tag for tag in theirs if "_fat3" not in tag
        ]


def test_uv_without_a_compatible_wheel_and_without_a_choice() -> None:
    lock = lock_of({"thing": ["cp311-cp311-win_amd64"], "other": ["py3-none-any"]})
    assert ask_uv(lock, GLIBC) == {"thing": None, "other": wheel("other", "py3-none-any")}
    lock["package"].append({**lock["package"][0], "version": "2.0", "files": []})
    with pytest.raises(RuntimeError, match="thing"):
        ask_uv(lock, GLIBC)


# Where the peers differ, each asked with the files in both orders


def answers(tags: Sequence[str]) -> Iterator[tuple[str | None, str | None, str | None]]:
    for order in (tags, tags[::-1]):
        lock = lock_of({"thing": order})
        files = [file["file"] for file in lock["package"][0]["files"]]
        chosen = (
            ask_pip(files, GLIBC),
            ask_packaging(lock, GLIBC)["thing"],
            ask_uv(lock, GLIBC)["thing"],
        )
        by_pip, by_packaging, by_uv = (name and name[10:-4] for name in chosen)
        yield by_pip, by_packaging, by_uv


def test_packaging_does_not_look_at_build_numbers() -> None:
    plain, first, tenth = "py3-none-any", "1-py3-none-any", "10-py3-none-any"
    assert list(answers([plain, first, tenth])) == [(tenth, plain, tenth), (tenth, tenth, tenth)]


def test_a_build_number_does_not_beat_a_better_tag() -> None:
    native = "cp311-cp311-manylinux_2_17_x86_64"
    assert set(answers(["1-py3-none-any", native])) == {(native, native, native)}


def test_uv_alone_decides_ties_by_file_name() -> None:
    short, long = "py3-none-any", "py2.py3-none-any"
    assert list(answers([short, long])) == [(short, short, long), (long, long, long)]


def test_pip_puts_legacy_aliases_above_lower_pep_600_tags() -> None:
    newer, alias = "py3-none-manylinux_2_16_x86_64", "py3-none-manylinux1_x86_64"
    assert set(answers([newer, alias])) == {(alias, newer, newer)}


def test_uv_reads_tags_in_lower_case_only() -> None:
    upper = "py3-none-manylinux2014_X86_64"
    assert set(answers([upper])) == {(upper, upper, None)}


def test_pip_takes_a_prerelease_if_there_is_nothing_else() -> None:
    assert ask_pip(["thing-1.0rc1-py3-none-any.whl"], GLIBC) == "thing-1.0rc1-py3-none-any.whl"
    assert ask_pip(["thing-1.0-py2-none-any.whl", "thing-1.0.tar.gz"], GLIBC) is None


# The rewriting of a lock


def test_groups_and_extras_become_sets() -> None:
    lock = lock_of({"thing": ["py3-none-any"]}, groups=["main", "Dev"])
    lock["extras"] = {"cpu": [], "cuda": []}
    lock["package"][0]["markers"] = {
        "main": 'extra == "Cpu" and extra != "cuda" and python_full_version < "3.11.3"'
    }

    def applies(groups: set[str], extras: set[str], python: str) -> bool:
        wanted = {"groups": groups, "extras": extras}
        by_packaging = ask_packaging(lock, GLIBC, python, **wanted)
        assert by_packaging == ask_uv(lock, GLIBC, python, **wanted)
        return bool(by_packaging)

    assert applies({"main"}, {"cpu"}, "3.11.2")
    assert not applies({"main"}, {"cpu"}, "3.11.3")
    assert not applies({"main"}, {"cpu", "cuda"}, "3.11.2")
    assert not applies({"main"}, set(), "3.11.2")
    assert applies({"dev"}, set(), "3.11.3")
    assert not applies(set(), {"cpu"}, "3.11.2")
    with pytest.raises(ValueError, match="unknown form"):
        replace_extras('"cpu" == extra', str.format)


def test_other_sources_are_named_by_kind() -> None:
    file = {"file": "thing-1.0.zip", "hash": "sha256:00"}
    source = {"url": "https://code.invalid/thing", "resolved_reference": "0" * 40}
    for kind, expected in {
        "git": "<vcs>",
        "directory": "<directory>",
        "url": "<archive>",
        "file": "<archive>",
        "legacy": None,
    }.items():
        lock = lock_of({"thing": []}, files=[file], source={**source, "type": kind})
        assert ask_packaging(lock, GLIBC) == {"thing": expected}


def test_nothing_is_taken_from_this_host() -> None:
    lock = lock_of({"thing": ["py3-none-any"]})
    environment = GLIBC.environment(PYTHON)
    del environment["platform_release"]
    with pytest.raises(ValueError, match="platform_release"):
        pylock_choice(lock, environment=environment, tags=[], groups={"main"}, extras=set())


def test_two_versions_at_once_are_an_error() -> None:
    lock = lock_of({"thing": ["py3-none-any"]})
    lock["package"] *= 2
    with pytest.raises(PylockSelectError, match="Multiple packages"):
        ask_packaging(lock, GLIBC)


# Real locks: three tools that share no code give one answer


@pytest.mark.parametrize("groups", [{"main"}, {"main", "dev", "docs"}])
@pytest.mark.parametrize(
    ("project", "platform", "python", "extras"),
    [
        ("small-api", "manylinux_2_17_x86_64", "3.11.9", ()),
        ("small-api", "musllinux_1_2_aarch64", "3.13.1", ()),
        ("data-service", "manylinux_2_28_aarch64", "3.9.2", ()),
        ("data-service", "win_arm64", "3.13.1", ()),
        ("legacy-glibc", "manylinux_2_17_x86_64", "3.7.17", ()),
        ("legacy-glibc", "macosx_10_9_x86_64", "3.10.4", ()),
        ("markers", "macosx_11_0_arm64", "3.8.18", ("redis", "pg", "all")),
        ("markers", "manylinux_2_31_x86_64", "3.11.2", ("redis",)),
        ("markers", "win_amd64", "3.12.7", ("pg",)),
    ],
)
def test_the_peers_agree_on_real_locks(
    project: str, platform: str, python: str, extras: Sequence[str], groups: set[str]
) -> None:
    lock, target = parsed_lock(project), UV_TARGETS[platform]
    wanted = {"groups": groups, "extras": set(extras)}
    by_packaging = ask_packaging(lock, target, python, **wanted)
    assert len(by_packaging) > 15
    assert ask_uv(lock, target, python, **wanted) == by_packaging
    for package in lock["package"]:
        files = [file["file"] for file in package["files"]]
        chosen = by_packaging.get(package["name"])
        if chosen in files:
            assert ask_pip(files, target, python) == chosen
