from __future__ import annotations

import pytest

from core.lockmaker import target_for
from wheeltarget.core.markers import (
    VARIABLES,
    MarkerValueError,
    any_of,
    evaluate,
    parse_marker,
    variables_of,
)
from wheeltarget.core.platforms import parse_platform

LINUX = target_for("manylinux2014_x86_64", "3.11").environment
PATCHED = target_for("manylinux2014_x86_64", "3.11.9").environment


def holds(text: str, *extras: str) -> bool | None:
    return evaluate(parse_marker(text), LINUX, extras).holds


def undecided(text: str) -> tuple[str, ...]:
    """The unknown variables that a marker depends on."""
    verdict = evaluate(parse_marker(text), LINUX)
    assert verdict.holds is None
    return verdict.variables


# --- what is known decides --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("<empty>", False),
        ('sys_platform == "linux"', True),
        ('sys_platform == "win32"', False),
        ('python_version >= "3.9"', True),
        ('python_version < "3.9"', False),
        ('python_version in "3.10, 3.11"', True),
        ('platform_machine != "aarch64" and os_name == "posix"', True),
        ('platform_machine == "aarch64" or os_name == "nt"', False),
        ('implementation_name == "cpython"', True),
        ('platform_python_implementation == "PyPy"', False),
        # One known part is enough where the unknown one cannot change the answer.
        ('sys_platform == "win32" and platform_release >= "10"', False),
        ('sys_platform == "linux" or platform_release >= "10"', True),
        ('sys_platform == "win32" and python_full_version < "3.11.3"', False),
        ('(platform_version == "x" or os_name == "posix") and os_name == "nt"', False),
    ],
)
def test_known_variables_decide_for_sure(text: str, expected: bool) -> None:
    verdict = evaluate(parse_marker(text), LINUX)
    assert verdict.holds is expected
    assert verdict.variables == ()


def test_every_variable_of_pep_508_can_be_known() -> None:
    environment = {
        **dict.fromkeys(VARIABLES, "x"),
        "python_version": "3.11",
        "python_full_version": "3.11.1",
        "platform_release": "5",
    }
    for name, value in environment.items():
        assert evaluate(parse_marker(f'{name} == "{value}"'), environment).holds is True
        assert evaluate(parse_marker(f'{name} != "{value}"'), environment).holds is False


def test_a_target_leaves_open_only_what_the_contract_says() -> None:
    assert set(VARIABLES) - set(LINUX) == {
        "platform_release",
        "platform_version",
        "implementation_version",
        "python_full_version",
    }
    assert parse_platform("manylinux2014_x86_64").marker_values().items() <= LINUX.items()


# --- what is unknown leaves undecided ---------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ('platform_release >= "5.10"', ("platform_release",)),
        ('"tegra" in platform_release', ("platform_release",)),
        ('platform_version == "x"', ("platform_version",)),
        ('implementation_version == "3.11"', ("implementation_version",)),
        ('python_full_version < "3.11.3"', ("python_full_version",)),
        (
            'platform_version == "x" or platform_release < "5" and os_name == "posix"',
            ("platform_release", "platform_version"),
        ),
        (
            'python_full_version < "3.11.3" and platform_release < "5"',
            ("platform_release", "python_full_version"),
        ),
        # A known part that does not decide is not named.
        ('sys_platform == "linux" and platform_version == "x"', ("platform_version",)),
        ('sys_platform == "win32" or platform_version == "x"', ("platform_version",)),
    ],
)
def test_an_unknown_variable_leaves_undecided_and_is_named(
    text: str, variables: tuple[str, ...]
) -> None:
    assert undecided(text) == variables


def test_a_value_that_is_given_decides() -> None:
    marker = parse_marker('platform_release >= "5.10" and platform_version == "x"')
    old = {**LINUX, "platform_release": "4.14", "platform_version": "x"}
    new = {**LINUX, "platform_release": "6.1", "platform_version": "x"}
    assert evaluate(marker, old).holds is False
    assert evaluate(marker, new).holds is True


@pytest.mark.parametrize(
    "text",
    [
        'python_full_version < "3.11.3" or python_full_version >= "3.11.3"',
        'python_full_version != "3.11.3" or python_full_version == "3.11.3"',
        'platform_release < "5" or platform_release >= "5"',
        'platform_version == "x" or platform_version != "x"',
        '(os_name == "nt" or platform_version == "x") or platform_version != "x"',
    ],
)
def test_what_holds_for_every_value_is_not_undecided(text: str) -> None:
    assert holds(text) is True


@pytest.mark.parametrize(
    "text",
    [
        'python_full_version < "3.11.3" and python_full_version >= "3.11.3"',
        'platform_release < "5" and platform_release >= "5"',
        'platform_version == "x" and platform_version == "y"',
        '(os_name == "posix" and platform_version == "x") and platform_version != "x"',
    ],
)
def test_what_holds_for_no_value_is_not_undecided(text: str) -> None:
    assert holds(text) is False


# --- the patch level (DESIGN, trap 13) --------------------------------------------------------


def test_async_timeout_depends_on_the_patch_level_of_3_11() -> None:
    marker = parse_marker('python_full_version < "3.11.3"')
    assert evaluate(marker, LINUX).holds is None
    assert evaluate(marker, PATCHED).holds is False
    for python, expected in (("3.10", True), ("3.12", False), ("3.11.2", True), ("3.11.3", False)):
        environment = target_for("win_amd64", python).environment
        assert evaluate(marker, environment).holds is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('python_full_version >= "3.11"', True),
        ('python_full_version >= "3.11.0"', True),
        ('python_full_version > "3.11.0"', None),
        ('python_full_version <= "3.11.0"', None),
        ('python_full_version < "3.11"', False),
        ('python_full_version < "3.11.0"', False),
        ('python_full_version == "3.11.*"', True),
        ('python_full_version == "3.11.99"', None),
        ('python_full_version != "3.10.4"', True),
        ('python_full_version >= "3.11.0rc1"', True),
        ('python_full_version ~= "3.11.2"', None),
        ('python_full_version in "3.11.1, 3.11.2"', None),
        ('python_full_version < "3.12" and python_version >= "3.8"', True),
        # PEP 508: the minor version 3.11 is compared, and is less.
        ('python_version >= "3.11.3"', False),
    ],
)
def test_the_minor_version_bounds_the_full_version(text: str, expected: bool | None) -> None:
    assert holds(text) is expected


def test_only_the_patch_level_is_open_so_its_two_halves_may_agree() -> None:
    text = (
        'python_full_version < "3.11.3" and platform_version == "x" '
        'or python_full_version >= "3.11.3" and platform_version == "x"'
    )
    assert undecided(text) == ("platform_version",)


# --- extras (DESIGN, trap 4) ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "extras", "expected"),
    [
        ('extra == "cpu" and extra != "cuda"', (), False),
        ('extra == "cpu" and extra != "cuda"', ("cpu",), True),
        ('extra == "cpu" and extra != "cuda"', ("cpu", "cuda"), False),
        ('extra == "cpu" and extra == "cuda"', ("cpu", "cuda"), True),
        ('extra == "cpu" and extra == "cuda"', ("cpu",), False),
        ('extra == "cpu" or extra == "cuda"', ("cuda",), True),
        ('extra == "cpu" or extra == "cuda"', ("docs",), False),
        ('extra != "cpu" and extra != "cuda"', (), True),
        ('extra != "cpu" or extra != "cuda"', ("cpu",), True),
        ('extra == "Foo_Bar"', ("foo-bar",), True),
        ('extra == "foo-bar"', ("Foo.Bar",), True),
        ('extra == "cpu" and sys_platform == "win32"', ("cpu",), False),
    ],
)
def test_extras_are_a_set(text: str, extras: tuple[str, ...], expected: bool) -> None:
    assert holds(text, *extras) is expected


def test_extras_are_always_known() -> None:
    assert undecided('extra != "cpu" and platform_version == "x"') == ("platform_version",)


# --- known values that no comparison takes ----------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value", "text"),
    [
        ("platform_release", "5.10-amzn2.x86_64", 'platform_release >= "5"'),
        ("platform_release", "", 'platform_release >= "5"'),
        # poetry-core reads these as ranges, and then fails in its own ways.
        ("platform_release", "*", 'platform_release >= "5"'),
        ("platform_release", ">=5", 'platform_release == "5" or platform_release == "6.1"'),
        ("platform_version", "a, b", 'platform_version == "a"'),
        ("platform_version", "a || b", '"a" in platform_version'),
    ],
)
def test_a_value_that_cannot_be_compared_is_an_error_that_names_the_marker(
    variable: str, value: str, text: str
) -> None:
    marker = parse_marker(text)
    with pytest.raises(MarkerValueError, match=f"cannot evaluate .*{variable}.* for the target"):
        evaluate(marker, {**LINUX, variable: value})


# --- the pieces -------------------------------------------------------------------------------


def test_the_variables_of_a_marker_are_found_at_any_depth() -> None:
    text = 'os_name == "nt" and (sys_platform == "x" or extra == "y" and python_version < "3.9")'
    names = {"os_name", "sys_platform", "extra", "python_version"}
    assert set(variables_of(parse_marker(text))) == names
    assert set(variables_of(parse_marker(""))) == set()


def test_any_of_several_markers_holds_where_one_does() -> None:
    windows, mac = parse_marker('sys_platform == "win32"'), parse_marker('sys_platform == "darwin"')
    either = any_of([windows, mac])
    for platform, expected in (("win32", True), ("darwin", True), ("linux", False)):
        assert evaluate(either, {"sys_platform": platform}).holds is expected
    assert any_of([]).is_empty()
    assert any_of([windows]) == windows
    assert any_of([windows, parse_marker("")]).is_any()
