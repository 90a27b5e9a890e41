"""What else locks: `poetry add`, `remove`, `update`, `install`; and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import poetry.puzzle.solver as solving
import pytest
import tomlkit
from poetry.puzzle.solver import Solver

from plugin.locking import FITS_NEW, FITS_OLD, FITS_WINDOWS, OLD, PURE, Shop, Work, words
from plugin.projectmaker import PYPROJECT

VERSIONS = {"1.0": [FITS_OLD, FITS_NEW], "2.0": [FITS_OLD], "3.0": [FITS_WINDOWS]}


@pytest.fixture(autouse=True)
def _poetry_is_left_as_it_was() -> Iterator[None]:
    yield
    assert solving.Solver is Solver


def wanted(work: Work) -> list[str]:
    """What the project asks for."""
    document = tomlkit.parse((work.folder / PYPROJECT).read_text(encoding="utf-8"))
    dependencies: list[str] = document["project"]["dependencies"]
    return dependencies


def dev(work: Work) -> dict[str, str]:
    """What the group `dev` of the project asks for."""
    document = tomlkit.parse((work.folder / PYPROJECT).read_text(encoding="utf-8"))
    of: dict[str, str] = document["tool"]["poetry"]["group"]["dev"]["dependencies"]
    return of


def run(work: Work, *args: str) -> str:
    """Run Poetry; all that it prints, on one line."""
    ended = work.cli.poetry(*args)
    assert ended.code == 0, ended.err
    return words(ended.out + ended.err)


# --- commands -------------------------------------------------------------------------------------


def test_add_asks_for_a_version_that_has_a_wheel(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    run(work.write(), "add", "--lock", "fast")
    assert wanted(work) == ["fast (>=2.0,<3.0)"]
    assert work.locked() == {"fast": ["2.0"]}


def test_add_keeps_to_the_version_that_the_user_wants(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    run(work.write(), "add", "--lock", "fast<2")
    assert work.locked() == {"fast": ["1.0"]}


def test_add_for_another_platform_asks_for_the_newest(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    run(work.write(), "add", "--lock", "--platform", "win32", "fast")
    assert work.locked() == {"fast": ["3.0"]}


@pytest.mark.parametrize("options", [["--group", "dev"], ["--dev"]])
def test_add_to_another_group_asks_for_the_newest(
    shop: Shop, work: Work, options: list[str]
) -> None:
    shop.offer_all("fast", VERSIONS)
    shop.offer("plain", "1.0", PURE)
    work.write(groups={"dev": {"plain": "*"}})
    run(work, "add", "--lock", *options, "fast")
    assert work.locked()["fast"] == ["3.0"]
    assert dev(work)["fast"] == "^3.0"


def test_add_fails_with_a_reason_and_changes_nothing(shop: Shop, work: Work) -> None:
    shop.offer("fast", "3.0", FITS_WINDOWS)
    ended = work.write().cli.poetry("add", "--lock", "fast")
    assert ended.code == 1
    assert "fast 3.0 has no wheel for" in words(ended.err)
    assert wanted(work) == []


def test_update_goes_to_the_newest_version_that_has_a_wheel(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", {"1.0": [FITS_OLD]})
    work.write("fast").lock()
    shop.offer_all("fast", VERSIONS)
    run(work, "update", "--lock", "fast")
    assert work.locked() == {"fast": ["2.0"]}


def test_remove_locks_what_remains_for_the_targets(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    shop.offer("plain", "1.0", PURE)
    work.write("fast", "plain", constrain=False).lock()
    work.write("fast", "plain")
    run(work, "remove", "--lock", "plain")
    assert work.locked() == {"fast": ["2.0"]}


@pytest.mark.parametrize("command", ["install", "sync"])
def test_install_without_a_lock_chooses_for_the_targets(
    shop: Shop, work: Work, command: str
) -> None:
    shop.offer_all("fast", {"2.0": [FITS_OLD, PURE], "3.0": [FITS_WINDOWS]})
    assert "fast (2.0)" in run(work.write("fast"), command, "--dry-run")


def test_install_may_solve_again_from_the_lock_alone(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", {"2.0": [FITS_OLD, PURE], "3.0": [FITS_WINDOWS]})
    work.sandbox.settings["POETRY_INSTALLER_RE_RESOLVE"] = "true"
    assert "fast (2.0)" in run(work.write("fast"), "install", "--dry-run")
    work.lock()
    assert "fast (2.0)" in run(work, "install", "--dry-run")


def test_install_from_a_lock_reads_no_target(shop: Shop, work: Work) -> None:
    shop.offer("fast", "3.0", PURE)
    work.write("fast", constrain=False).lock()
    work.write("fast", targets=[])
    assert "fast (3.0)" in run(work, "install", "--dry-run")


def test_other_commands_are_left_alone(work: Work) -> None:
    work.write(constrain=False, constrain_lock="nonsense")
    assert work.cli.poetry("version").code == 0
    assert work.cli.poetry("config", "--list").code == 0


# --- what is said ---------------------------------------------------------------------------------


def test_it_tells_what_was_held_back(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    shop.offer_all("plain", {"1.0": [PURE]})
    said = work.write("fast", "plain", targets=["old", "new"]).cli.poetry("lock").err
    rows = [line.split("   ") for line in said.splitlines() if line.startswith("  ")]
    assert [(row[0].strip(), row[1], row[-1]) for row in rows] == [
        ("fast 1.0", "not 3.0", "new"),
        ("fast 1.0", "not 3.0", "old"),
    ]
    assert "no wheel for glibc 2.28 on x86_64; there are some for Windows (amd64)" in said


def test_what_no_target_holds_back_is_not_told(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", {"1.0": [PURE]})
    shop.offer("fast", "2.0", PURE, requires_python=">=3.12")
    shop.offer_all("tool", VERSIONS)
    ended = work.write("fast", groups={"dev": {"tool": "*"}}).cli.poetry("lock")
    assert (ended.code, "Held back" in ended.err) == (0, False)


def test_a_failure_says_which_targets_rule_out_what(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    shop.offer("fast", "2.5", "cp38-cp38-manylinux_2_17_x86_64", sdist=True)
    said = words(work.write("fast>=2.5").fail().err)
    assert "demo depends on fast (>=2.5) which doesn't match any versions" in said
    assert (
        "fast 2.5 to 3.0 have no wheel for Python 3.8, glibc 2.12, x86_64 (target old): "
        "no wheel for CPython 3.8 on glibc 2.12 on x86_64 (3.0); "
        "needs glibc 2.17, the target has 2.12 (2.5)"
    ) in said
    assert (
        "Allow fast 2.0, the newest that has one, or say manylinux2014_x86_64 if the machine takes "
        "it, or name the package under build, to have it built, or name it under exclude, if the "
        "platform provides it."
    ) in said


def test_a_failure_names_each_target(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", {"1.0": [FITS_OLD], "2.0": [FITS_NEW]})
    said = words(work.write("fast", targets=["old", "new"]).fail().err)
    assert "fast 2.0 has no wheel for Python 3.8, glibc 2.12, x86_64 (target old)" in said
    assert "fast 1.0 has no wheel for Python 3.11, glibc 2.28, x86_64 (target new)" in said


def test_a_failure_below_another_package_is_explained(shop: Shop, work: Work) -> None:
    shop.offer("never", "1.0", FITS_WINDOWS)
    shop.offer("user", "1.0", PURE, requires=["never"])
    said = words(work.write("user").fail().err)
    assert "never 1.0 has no wheel for Python 3.8, glibc 2.12, x86_64 (target old)" in said


def test_a_failure_that_no_target_causes_is_poetrys_own(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    ended = work.write("fast>=7").fail()
    assert "which doesn't match any versions, version solving failed" in words(ended.err)
    assert "target" not in ended.err


def test_a_package_that_does_not_exist_is_poetrys_own_matter(work: Work) -> None:
    assert "target" not in work.write("fast").fail().err


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"constrain_lock": "yes"}, "constrain-lock: must be true or false, not a string"),
        ({"targets": {}}, "constrain-lock needs a target to lock for"),
        ({"nonsense": 1}, "unknown key"),
        ({"targets": {"o": {**OLD, "python": "3.7"}}}, "the project does not allow Python 3.7"),
    ],
)
def test_a_wrong_table_is_told(work: Work, table: dict[str, Any], said: str) -> None:
    work.write(**{"constrain": False, "constrain_lock": True, **table})
    ended = work.cli.poetry("lock")
    assert ended.code == 1
    assert said in words(ended.err)
