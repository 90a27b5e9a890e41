from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lockmaker import quick, target_for
from wheeltarget.core.markers import VARIABLES
from wheeltarget.core.platforms import Platform, parse_platform
from wheeltarget.core.target import (
    PythonVersion,
    default_abis,
    environment_of,
    implementation_title,
    is_free_threaded,
    make_target,
    tag_name,
    with_more_platforms,
)


@pytest.mark.parametrize(
    ("text", "version", "nodot"),
    [
        ("3.11", (3, 11, None), "311"),
        ("3.11.9", (3, 11, 9), "311"),
        ("3.9.0", (3, 9, 0), "39"),
        ("3.2", (3, 2, None), "32"),
        ("3.99", (3, 99, None), "399"),
    ],
)
def test_a_python_version_is_read(
    text: str, version: tuple[int, int, int | None], nodot: str
) -> None:
    python = PythonVersion.parse(text)
    assert tuple(python) == version
    assert str(python) == text
    assert python.nodot == nodot
    assert python.minor_version == f"3.{version[1]}"


@pytest.mark.parametrize(
    "text",
    ["", "3", "3.", "311", "3.11.", "3.11.1.1", "3.x", "v3.11", " 3.11", "3.11\n", "3.1\u0661"],
)
def test_what_is_no_python_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a Python version") as caught:
        PythonVersion.parse(text)
    assert str(caught.value) == f"{text!r} is not a Python version such as 3.11 or 3.11.9"


@pytest.mark.parametrize("text", ["2.7", "3.0", "3.1", "3.100", "4.0", "0.3", "3.1.5"])
def test_a_python_that_no_target_can_have_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=rf"^there is no Python {text} to bundle for$"):
        PythonVersion.parse(text)


@quick
@given(st.text("0123456789.", max_size=9))
def test_whatever_is_read_is_a_python_3_that_gives_back_its_numbers(text: str) -> None:
    try:
        python = PythonVersion.parse(text)
    except ValueError:
        return
    assert [int(part) for part in text.split(".")] == [n for n in python if n is not None]
    assert python.major == 3
    assert 2 <= python.minor <= 99


# --- ABIs and names ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("implementation", "python", "abi"),
    [
        ("cp", "3.2", "cp32mu"),
        ("cp", "3.3", "cp33m"),
        ("cp", "3.7", "cp37m"),
        ("cp", "3.8", "cp38"),
        ("cp", "3.13", "cp313"),
        ("pp", "3.9", "pypy39_pp73"),
        ("pp", "3.11", "pypy311_pp73"),
    ],
)
def test_the_default_abi_is_the_implementations_own(
    implementation: str, python: str, abi: str
) -> None:
    version = PythonVersion.parse(python)
    assert default_abis(implementation, version) == (abi,)
    platforms = (parse_platform("win_amd64"),)
    target = make_target(
        python=version, implementation=implementation, abis=(), platforms=platforms, name="t"
    )
    assert target.abis == (abi,)


@pytest.mark.parametrize(
    ("abis", "expected"),
    [
        (("cp313t",), True),
        (("cp313td",), True),
        (("cp314t", "cp314"), True),
        (("cp313",), False),
        (("cp313", "cp313t"), False),
        (("cp37m",), False),
        (("pypy39_pp73",), False),
        (("abi3t",), False),
        ((), False),
    ],
)
def test_a_free_threaded_interpreter_is_known_by_its_first_abi(
    abis: tuple[str, ...], expected: bool
) -> None:
    assert is_free_threaded(abis) is expected


@pytest.mark.parametrize(
    ("implementation", "python", "abis", "name"),
    [
        ("cp", "3.11", (), "cp311-win_amd64"),
        ("cp", "3.11", ("cp311",), "cp311-win_amd64"),
        ("cp", "3.11.9", (), "cp311-win_amd64"),
        ("cp", "3.7", ("cp37m",), "cp37-win_amd64"),
        ("cp", "3.7", ("cp37",), "cp37-cp37-win_amd64"),
        ("cp", "3.13", ("cp313t",), "cp313-cp313t-win_amd64"),
        ("cp", "3.12", ("cp312d", "cp312"), "cp312-cp312d-win_amd64"),
        ("pp", "3.10", (), "pp310-win_amd64"),
        ("pp", "3.10", ("pypy310_pp74",), "pp310-pypy310_pp74-win_amd64"),
    ],
)
def test_a_target_is_named_by_its_tags_with_the_abi_only_where_it_is_not_the_default(
    implementation: str, python: str, abis: tuple[str, ...], name: str
) -> None:
    assert tag_name(implementation, PythonVersion.parse(python), abis, "win_amd64") == name


# --- a target's facts -------------------------------------------------------------------------


def test_the_interpreter_has_the_python_tag_of_its_implementation() -> None:
    assert target_for("cp38-cp38-win_amd64").interpreter == "cp38"
    assert target_for("pp310,win_amd64").interpreter == "pp310"


def test_a_target_knows_whether_it_is_free_threaded() -> None:
    assert target_for("cp313-cp313t-win_amd64").free_threaded
    assert not target_for("cp313-cp313-win_amd64").free_threaded


def test_marker_values_follow_from_the_target_alone() -> None:
    assert target_for("manylinux2014_aarch64", "3.11").environment == {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": "aarch64",
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_version": "3.11",
        "sys_platform": "linux",
    }


def test_pypy_has_its_own_marker_values() -> None:
    environment = target_for("pp39-pypy39_pp73-win_amd64").environment
    assert environment["implementation_name"] == "pypy"
    assert environment["platform_python_implementation"] == "PyPy"
    assert environment["platform_machine"] == "AMD64"


def test_what_the_target_does_not_say_is_unknown() -> None:
    unknown = set(VARIABLES) - set(target_for("manylinux2014_x86_64", "3.11").environment)
    assert unknown == {
        "implementation_version",
        "platform_release",
        "platform_version",
        "python_full_version",
    }


def test_a_patch_level_makes_the_full_version_known() -> None:
    environment = target_for("manylinux2014_x86_64", "3.11.9").environment
    assert environment["python_version"] == "3.11"
    assert environment["python_full_version"] == "3.11.9"


def test_given_marker_values_override_and_add() -> None:
    # On a 32-bit userland the tags and the machine differ.
    markers = {"platform_machine": "aarch64", "platform_release": "5.10"}
    environment = target_for("manylinux2014_armv7l", markers=markers).environment
    assert environment["platform_machine"] == "aarch64"
    assert environment["platform_release"] == "5.10"
    assert environment["sys_platform"] == "linux"


def test_the_primary_platform_is_the_first_with_a_known_c_library() -> None:
    assert target_for("linux_x86_64,manylinux_2_28_x86_64").primary.tag == "manylinux_2_28_x86_64"
    assert target_for("linux_x86_64").primary.tag == "linux_x86_64"


# --- more platforms for one package -----------------------------------------------------------


def test_more_platforms_come_before_the_targets_own_and_bare_linux_last() -> None:
    target = target_for("cp311,manylinux_2_17_aarch64,linux_aarch64")
    more = with_more_platforms(target, (parse_platform("manylinux_2_18_aarch64"),))
    assert more.platforms == (
        "manylinux_2_18_aarch64",
        "manylinux_2_17_aarch64",
        "manylinux2014_aarch64",
        "linux_aarch64",
    )
    whole = target_for("cp311,manylinux_2_18_aarch64,linux_aarch64", name=target.name)
    assert more == whole


def test_the_newest_platform_is_the_one_to_compare_by() -> None:
    target = target_for("cp311,manylinux_2_28_x86_64")
    older = with_more_platforms(target, (parse_platform("manylinux_2_17_x86_64"),))
    assert older.primary.tag == "manylinux_2_28_x86_64"
    assert older.platforms[0] == "manylinux_2_17_x86_64"
    bare = target_for("cp311,linux_x86_64")
    assert with_more_platforms(bare, bare_linux()).primary.tag == "linux_x86_64"
    known = with_more_platforms(bare, (parse_platform("manylinux_2_17_x86_64"),))
    assert known.primary.tag == "manylinux_2_17_x86_64"


def bare_linux() -> tuple[Platform, ...]:
    return (parse_platform("linux_x86_64"),)


@pytest.mark.parametrize(
    ("implementation", "pure"),
    [("cp", "cp311-none-any"), ("pp", "pp3-none-any"), ("graalpy", None)],
)
def test_the_pure_tag_of_an_implementation_is_that_of_packaging(
    implementation: str, pure: str | None
) -> None:
    target = make_target(
        python=PythonVersion(3, 11),
        implementation=implementation,
        abis=["x"],
        platforms=bare_linux(),
        name="x",
    )
    own = [tag for tag in target.tags if tag.endswith("-any") and not tag.startswith("py3")]
    assert own == ([pure] if pure else [])


def test_of_an_implementation_that_is_not_known_nothing_is_assumed() -> None:
    python, platform = PythonVersion(3, 11), bare_linux()[0]
    assert default_abis("graalpy", python) == ()
    assert implementation_title("graalpy") == "graalpy"
    assert implementation_title("pp") == "PyPy"
    assert "implementation_name" not in environment_of("graalpy", python, platform)
