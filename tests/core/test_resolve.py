"""The targets of a run, from the table and the options."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from core.lockmaker import Raw
from wheeltarget.core.config import read_table
from wheeltarget.core.errors import Problem, UsageError
from wheeltarget.core.markers import parse_marker
from wheeltarget.core.resolve import (
    Surroundings,
    TargetOptions,
    TargetSettings,
    only_python,
    resolve_targets,
)
from wheeltarget.core.target import PythonVersion

ANY = ""
DECLARED = ">=3.10,<3.12"
TWO_MINORS = 'python_version >= "3.11" and python_version < "3.13"'
ONLY_3_12 = 'python_version >= "3.12" and python_version < "3.13"'


@dataclass
class Host:
    """Poetry's active environment, and what is said of it."""

    version: PythonVersion
    asked: int = 0
    notices: list[Problem] = field(default_factory=list)
    remarks: list[Problem] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)

    def active(self) -> PythonVersion:
        self.asked += 1
        return self.version

    def read_file(self, path: str, declared: bool) -> bytes:
        """Paths in pyproject.toml are relative to the project."""
        name = f"project/{path}" if declared else path
        if name not in self.files:
            raise FileNotFoundError(2, "No such file or directory", name)
        return self.files[name]


def resolve(
    *specs: str,
    table: Raw | None = None,
    python: str | None = None,
    project: str = ANY,
    exclude: tuple[str, ...] = (),
    build: tuple[str, ...] = (),
    all_targets: bool = False,
    host: Host | None = None,
) -> tuple[TargetSettings, ...]:
    host = host or Host(PythonVersion(3, 13, 7))
    return resolve_targets(
        read_table(table or {}),
        TargetOptions(
            specs=specs, all_targets=all_targets, python=python, exclude=exclude, build=build
        ),
        Surroundings(
            project=parse_marker(project),
            declared=DECLARED,
            active=host.active,
            notice=host.notices.append,
            remark=host.remarks.append,
            read_file=host.read_file,
        ),
    )


def names(settings: tuple[TargetSettings, ...]) -> list[str]:
    return [each.target.name for each in settings]


def problems(*specs: str, table: Raw | None = None, project: str = ANY) -> list[tuple[str, str]]:
    """The targets that cannot be, and why."""
    with pytest.raises(UsageError) as caught:
        resolve(*specs, table=table, project=project)
    return [(problem.target or "", problem.what) for problem in caught.value.problems]


WINDOWS: Raw = {"platforms": ["win_amd64"]}
PROD: Raw = {"targets": {"prod": {"python": "3.10", **WINDOWS}}}
OPEN: Raw = {"targets": {"prod": WINDOWS}}


# --- where the Python version comes from ------------------------------------------------------


def python_of(*specs: str, **options: object) -> str:
    (settings,) = resolve(*specs, **options)  # type: ignore[arg-type]
    return str(settings.target.python)


def test_first_the_spec_says_the_python() -> None:
    assert python_of("cp311,win_amd64", python="3.12", project=TWO_MINORS) == "3.11"
    assert python_of("cp311-cp311-win_amd64", python="3.12") == "3.11"


def test_then_the_option() -> None:
    assert python_of("win_amd64", python="3.12.1", project=TWO_MINORS) == "3.12.1"
    assert python_of("prod", table=PROD, python="3.12") == "3.12"


def test_then_the_table() -> None:
    assert python_of("prod", table=PROD) == "3.10"


def test_then_the_project_if_it_admits_one_minor_version_only() -> None:
    host = Host(PythonVersion(3, 13))
    assert python_of("win_amd64", project=ONLY_3_12, host=host) == "3.12"
    assert python_of("prod", table=OPEN, project=ONLY_3_12, host=host) == "3.12"
    assert host.asked == 0
    assert host.notices == []


def test_then_the_active_interpreter_without_its_patch_level_and_with_one_notice() -> None:
    host = Host(PythonVersion(3, 12, 7))
    settings = resolve("win_amd64", "win32", "prod", table=OPEN, project=TWO_MINORS, host=host)
    assert [str(each.target.python) for each in settings] == ["3.12"] * 3
    assert host.asked == 1
    (notice,) = host.notices
    assert notice.target == "win_amd64"
    assert notice.what == (
        "the target win_amd64 does not say its Python; taking 3.12 from the active environment"
    )
    assert notice.hint


def test_the_active_interpreter_is_not_asked_where_all_targets_say_their_python() -> None:
    host = Host(PythonVersion(3, 13))
    resolve("cp311,win_amd64", "prod", table=PROD, host=host)
    assert (host.asked, host.notices) == (0, [])


@pytest.mark.parametrize(
    ("project", "expected"),
    [
        (ONLY_3_12, PythonVersion(3, 12)),
        ('python_version == "3.8"', PythonVersion(3, 8)),
        ('python_full_version >= "3.11.4" and python_version < "3.12"', PythonVersion(3, 11)),
        ('python_full_version == "3.11.4"', PythonVersion(3, 11)),
        (TWO_MINORS, None),
        ('python_version >= "3.12"', None),
        (ANY, None),
        ("<empty>", None),
    ],
)
def test_the_only_python_that_a_project_admits(
    project: str, expected: PythonVersion | None
) -> None:
    assert only_python(parse_marker(project)) == expected


@pytest.mark.parametrize("python", ["3", "2.7", "", "3.11rc1"])
def test_an_impossible_python_option_is_refused(python: str) -> None:
    with pytest.raises(UsageError, match=r"^--python: "):
        resolve("win_amd64", python=python)


# --- a Python that the project does not allow -------------------------------------------------


def test_all_targets_that_the_project_does_not_allow_are_listed_in_one_error() -> None:
    table: Raw = {
        "targets": {
            "old": {"python": "3.8", **WINDOWS},
            "good": {"python": "3.11", **WINDOWS},
            "new": {"python": "3.13.1", **WINDOWS},
        }
    }
    found = problems("old", "good", "new", "cp39,win32", table=table, project=TWO_MINORS)
    assert [target for target, _ in found] == ["old", "new", "cp39,win32"]
    for (_, what), python in zip(found, ("3.8", "3.13.1", "3.9"), strict=True):
        assert what == (f"the project does not allow Python {python}; it requires {DECLARED}")


def test_a_patch_level_that_the_project_does_not_allow_is_refused() -> None:
    project = 'python_full_version >= "3.11.4"'
    assert len(problems("3.11.3,win_amd64", project=project)) == 1
    assert python_of("3.11.4,win_amd64", project=project) == "3.11.4"
    # The target may have that patch level: it does not say.
    assert python_of("3.11,win_amd64", project=project) == "3.11"


def test_different_kinds_of_errors_are_listed_together() -> None:
    table: Raw = {"targets": {"empty": {"python": "3.11"}}}
    found = problems("empty", "win_amd46", "cp38,win32", table=table, project=TWO_MINORS)
    assert [what.split(";")[0].split("(")[0].strip() for _, what in found] == [
        "the target names no platform",
        "unknown platform tag 'win_amd46'",
        "the project does not allow Python 3.8",
    ]


# --- which targets ----------------------------------------------------------------------------

THREE: Raw = {
    "default-targets": ["b"],
    "targets": {name: {"python": "3.11", **WINDOWS} for name in ("a", "b", "c")},
}


def test_targets_asked_for_come_in_the_order_asked_for() -> None:
    asked = resolve("c", "cp310,win32", "a", table=THREE)
    assert names(asked) == ["c", "cp310-win32", "a"]


def test_without_any_the_default_ones_are_taken() -> None:
    assert names(resolve(table=THREE)) == ["b"]


def test_without_defaults_all_declared_ones_are_taken() -> None:
    table = {key: value for key, value in THREE.items() if key != "default-targets"}
    assert names(resolve(table=table)) == ["a", "b", "c"]


def test_all_targets_are_more_than_the_default_ones() -> None:
    assert names(resolve(table=THREE, all_targets=True)) == ["a", "b", "c"]


def test_targets_and_all_targets_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="--target and --all-targets exclude each other"):
        resolve("a", table=THREE, all_targets=True)


@pytest.mark.parametrize("all_targets", [True, False])
def test_no_target_at_all_is_an_error_that_says_how_to_name_one(all_targets: bool) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(table={"targets": {}}, all_targets=all_targets)
    (problem,) = caught.value.problems
    assert problem.what == "no target is given and none is declared"
    assert problem.hint is not None
    assert "--target" in problem.hint
    assert "[tool.wheeltarget.targets]" in problem.hint


def test_a_target_asked_for_twice_is_taken_once() -> None:
    asked = resolve("a", "cp311,win32", "a", "win32,cp311", "cp311-cp311-win32", table=THREE)
    assert names(asked) == ["a", "cp311-win32"]


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [
        ("3.11.4,win32", "3.11.9,win32", "cp311-win32"),
        ("manylinux1_x86_64", "manylinux1_x86_64,linux_x86_64", "cp313-manylinux1_x86_64"),
    ],
)
def test_two_different_targets_of_one_name_are_an_error_and_none_is_lost(
    one: str, other: str, name: str
) -> None:
    assert problems(one, other) == [
        (other, f"two different targets have the name {name}; declare one by another name")
    ]


def test_a_declared_name_wins_over_a_tag() -> None:
    table: Raw = {"targets": {"win_amd64": {"python": "3.9", "platforms": ["win32"]}}}
    (settings,) = resolve("win_amd64", table=table)
    assert settings.target.name == "win_amd64"
    assert settings.target.platforms == ("win32",)


def test_a_declared_target_keeps_its_name_and_all_that_it_says() -> None:
    table: Raw = {
        "targets": {
            "prod": {
                "python": "3.13",
                "abis": ["cp313t"],
                "platforms": ["manylinux_2_28_x86_64", "linux_x86_64"],
                "markers": {"platform_release": "5.10"},
            }
        }
    }
    (settings,) = resolve("prod", table=table)
    target = settings.target
    assert target.name == "prod"
    assert target.abis == ("cp313t",)
    assert target.platforms[0] == "manylinux_2_28_x86_64"
    assert target.platforms[-1] == "linux_x86_64"
    assert target.environment["platform_release"] == "5.10"


def test_a_misspelled_declared_target_is_suggested() -> None:
    table: Raw = {"targets": {"production": WINDOWS}}
    assert problems("prodction", table=table) == [
        ("prodction", "unknown target 'prodction'; did you mean 'production' (declared)?")
    ]


# --- what the platform provides ---------------------------------------------------------------


def test_excluded_packages_come_from_table_target_and_option_together() -> None:
    table: Raw = {
        "exclude": ["Everywhere"],
        "targets": {
            "prod": {"python": "3.11", "exclude": ["Boto3"], **WINDOWS},
            "plain": {"python": "3.11", **WINDOWS},
        },
    }
    prod, plain, tag = resolve(
        "prod", "plain", "cp311,win32", table=table, exclude=("From_Option",)
    )
    assert prod.exclude == {"everywhere", "boto3", "from-option"}
    assert plain.exclude == {"everywhere", "from-option"}
    assert tag.exclude == {"everywhere", "from-option"}


def test_an_excluded_package_must_be_named_as_one() -> None:
    with pytest.raises(UsageError, match=r"^--exclude: 'no name' is not the name of a package$"):
        resolve("cp311,win32", exclude=("boto3", "no name"))
