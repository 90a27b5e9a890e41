"""Groups and extras mean what they mean elsewhere in Poetry, but for the default: only main."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugin.projectmaker import Recipe, stub

if TYPE_CHECKING:
    from plugin.harness import Cli, MakeCli

TARGET = ("-t", "cp311,win_amd64", "--check")
ANY = "py3-none-any"


@pytest.fixture
def cli(make_cli: MakeCli) -> Cli:
    """Main with two extras, a group, an optional group, and a package that two groups want."""
    return make_cli(
        Recipe(
            packages=[
                stub("alpha", ANY),
                stub("click", ANY, groups=["main"], markers='extra == "cli" or extra == "all"'),
                stub("psycopg", ANY, markers='extra == "Pg.Sql" or extra == "all"'),
                stub("pytest", ANY, groups=["dev"]),
                stub("shared", ANY, groups=["dev", "docs"]),
                stub("sphinx", ANY, groups=["docs"]),
                stub(
                    "tzdata",
                    ANY,
                    groups=["main", "dev"],
                    markers={"main": 'sys_platform == "linux"'},
                ),
            ],
            groups={"dev": ["pytest", "shared", "tzdata"], "docs": ["sphinx", "shared"]},
            optional_groups=["docs"],
            extras={"cli": ["click"], "pg-sql": ["psycopg"], "all": ["click", "psycopg"]},
        )
    )


@pytest.mark.parametrize(
    ("args", "packages"),
    [
        ([], ["alpha"]),
        (["--with", "dev"], ["alpha", "pytest", "shared", "tzdata"]),
        (["--with", "docs"], ["alpha", "shared", "sphinx"]),
        (["--with", "dev,docs"], ["alpha", "pytest", "shared", "sphinx", "tzdata"]),
        (["--with", "dev", "--with", "docs", "--without", "dev"], ["alpha", "shared", "sphinx"]),
        (["--without", "main"], []),
        (["--only", "dev"], ["pytest", "shared", "tzdata"]),
        (["--only", "dev", "--only", "main"], ["alpha", "pytest", "shared", "tzdata"]),
        (["--all-groups"], ["alpha", "pytest", "shared", "sphinx", "tzdata"]),
        (["--all-groups", "--without", "dev"], ["alpha", "shared", "sphinx"]),
        (["-E", "cli"], ["alpha", "click"]),
        (["--extras", "cli pg-sql"], ["alpha", "click", "psycopg"]),
        (["--extras", "cli,PG_SQL"], ["alpha", "click", "psycopg"]),
        (["-E", "cli", "-E", "pg-sql"], ["alpha", "click", "psycopg"]),
        (["-E", "all"], ["alpha", "click", "psycopg"]),
        (["--all-extras"], ["alpha", "click", "psycopg"]),
        (["--only", "dev", "-E", "cli"], ["pytest", "shared", "tzdata"]),
    ],
)
def test_what_applies(cli: Cli, args: list[str], packages: list[str]) -> None:
    ended = cli(*TARGET, "--json", *args)
    assert (ended.code, ended.packages) == (0, packages)


def test_only_with_with_warns_as_poetry_does(cli: Cli) -> None:
    ended = cli(*TARGET, "--json", "--only", "docs", "--with", "dev")
    assert (ended.code, ended.packages) == (0, ["shared", "sphinx"])
    assert "`--with` and `--without` options are ignored" in ended.err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--with", "nosuch"], "nosuch (via --with)"),
        (["--without", "nosuch"], "nosuch (via --without)"),
        (["--only", "dev,nosuch"], "nosuch (via --only)"),
        (["--with", "a", "--only", "b"], "a (via --with), b (via --only)"),
        (["-E", "clii"], "no extra 'clii'; did you mean 'cli'?"),
        (["--extras", "nosuch"], "no extra 'nosuch'"),
        (["-E", "cli", "--all-extras"], "--extras and --all-extras exclude each other"),
    ],
)
def test_what_the_project_does_not_have(cli: Cli, args: list[str], said: str) -> None:
    ended = cli(*TARGET, *args)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert "<" not in ended.err  # Poetry's own message comes with colours


def test_all_unknown_extras_are_named_in_one_run(cli: Cli) -> None:
    ended = cli(*TARGET, "-E", "first second")
    assert ended.code == 2
    assert "'first'" in ended.err
    assert "'second'" in ended.err


def test_another_case_of_a_group_is_what_poetry_takes_it_for(cli: Cli) -> None:
    ended = cli(*TARGET, "--only", "DEV")
    known = cli.poetry("show", "--only", "DEV")
    assert (ended.code == 0) == (known.code == 0)
    assert ended.code in {0, 2}


def test_a_group_of_a_project_without_any_is_unknown(make_cli: MakeCli) -> None:
    ended = make_cli(Recipe(packages=[stub("alpha", ANY)]))(*TARGET, "--with", "dev")
    assert ended.code == 2
    assert "dev (via --with)" in ended.err
