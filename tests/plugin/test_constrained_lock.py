"""`poetry lock` with ``constrain-lock``: which versions it chooses."""

from __future__ import annotations

from typing import Any

import pytest
from poetry.repositories.repository_pool import RepositoryPool

from plugin.locking import FITS_NEW, FITS_OLD, FITS_WINDOWS, OLD, PURE, Shop, Work
from support.behaviours import status

VERSIONS = {
    "1.0": [FITS_OLD, FITS_NEW, FITS_WINDOWS],
    "2.0": [FITS_NEW, FITS_WINDOWS],
    "3.0": [FITS_OLD],
    "4.0": [FITS_WINDOWS],
}


@pytest.mark.parametrize(
    ("targets", "chosen"),
    [
        (["old"], "3.0"),
        (["new"], "2.0"),
        (["win"], "4.0"),
        (["new", "win"], "2.0"),
        (["old", "new"], "1.0"),
        (["old", "new", "win"], "1.0"),
    ],
)
def test_the_newest_version_with_a_wheel_for_each_target(
    shop: Shop, work: Work, targets: list[str], chosen: str
) -> None:
    shop.offer_all("fast", VERSIONS)
    assert work.write("fast", targets=targets).lock() == {"fast": [chosen]}


def test_only_the_default_targets_count(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    work.write("fast", targets=["old", "new"], default_targets=["new"])
    assert work.lock() == {"fast": ["2.0"]}


@pytest.mark.parametrize("constrain", [{}, {"constrain_lock": False}])
def test_without_the_key_the_newest_version(
    shop: Shop, work: Work, constrain: dict[str, Any]
) -> None:
    shop.offer_all("fast", VERSIONS)
    assert work.write("fast", constrain=False, **constrain).lock() == {"fast": ["4.0"]}


def test_a_pure_wheel_fits_and_a_source_archive_does_not(shop: Shop, work: Work) -> None:
    shop.offer("plain", "1.0", PURE)
    shop.offer("plain", "2.0", sdist=True)
    assert work.write("plain").lock() == {"plain": ["1.0"]}


def test_what_may_be_built_needs_no_wheel(shop: Shop, work: Work) -> None:
    shop.offer("plain", "1.0", PURE)
    shop.offer("plain", "2.0", FITS_WINDOWS, sdist=True)
    assert work.write("plain", build=["plain"]).lock() == {"plain": ["2.0"]}


def test_what_the_target_provides_needs_no_wheel(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    assert work.write("fast", exclude=["fast"]).lock() == {"fast": ["4.0"]}


def test_a_package_may_take_more_than_its_target(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", {"1.0": [FITS_OLD], "2.0": ["cp38-cp38-manylinux_2_28_x86_64"]})
    more = {"fast": {"platforms": ["manylinux_2_28_x86_64"]}}
    work.write("fast", targets={"old": {**OLD, "packages": more}})
    assert work.lock() == {"fast": ["2.0"]}


def test_a_half_uploaded_release_is_passed_over(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", {"1.0": [FITS_OLD, FITS_WINDOWS], "1.1": [FITS_WINDOWS]})
    assert work.write("fast").lock() == {"fast": ["1.0"]}
    shop.offer("fast", "1.1", FITS_OLD)
    assert work.lock("--regenerate") == {"fast": ["1.1"]}


def test_what_poetry_remembers_of_a_half_uploaded_release_is_read_anew(
    shop: Shop, work: Work
) -> None:
    shop.offer_all("fast", {"1.0": [FITS_OLD], "1.1": [FITS_WINDOWS]})
    assert work.write("fast", constrain=False).lock() == {"fast": ["1.1"]}
    shop.offer("fast", "1.1", FITS_OLD)
    work.write("fast").lock("--regenerate")
    # Poetry 2.0 remembers the files of a version for good; it must not lock them, then.
    can_forget = hasattr(RepositoryPool, "refresh")
    assert work.locked() == {"fast": ["1.1" if can_forget else "1.0"]}
    assert work.cli.poetry("wheeltarget", "lock", "--check-lock").code == 0


def test_what_another_package_requires_has_wheels_too(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    shop.offer("user", "1.0", PURE, requires=["fast"])
    assert work.write("user").lock() == {"fast": ["3.0"], "user": ["1.0"]}


def test_an_older_version_whose_requirements_have_wheels(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    shop.offer("user", "1.0", PURE, requires=["fast<4"])
    shop.offer("user", "2.0", PURE, requires=["fast>=4"])
    assert work.write("user").lock() == {"fast": ["3.0"], "user": ["1.0"]}


def test_an_older_version_that_does_not_require_what_has_no_wheel(shop: Shop, work: Work) -> None:
    shop.offer("never", "1.0", FITS_WINDOWS)
    shop.offer("user", "1.0", PURE)
    shop.offer("user", "2.0", PURE, requires=["never"])
    assert work.write("user").lock() == {"user": ["1.0"]}


def test_what_an_extra_of_a_package_requires_has_wheels(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    shop.offer("user", "1.0", PURE, requires=['fast; extra == "speed"', 'never; extra == "x"'])
    assert work.write("user[speed]").lock() == {"fast": ["3.0"], "user": ["1.0"]}


def test_an_extra_of_the_project_has_wheels(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    assert work.write(extras={"speed": ["fast"]}).lock() == {"fast": ["3.0"]}


# --- markers --------------------------------------------------------------------------------------


def test_what_is_for_windows_alone_needs_no_linux_wheel(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    work.write("fast; sys_platform == 'win32'", targets=["old", "new"])
    assert work.lock() == {"fast": ["4.0"]}


def test_below_a_package_for_windows_no_linux_wheel_is_needed(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    shop.offer("winuser", "1.0", PURE, requires=["fast"])
    work.write("winuser; sys_platform == 'win32'", targets=["old"])
    assert work.lock() == {"fast": ["4.0"], "winuser": ["1.0"]}


@pytest.mark.parametrize("first", ["a", "z"])
def test_what_is_also_needed_elsewhere_needs_all_wheels(shop: Shop, work: Work, first: str) -> None:
    # Whichever the solver looks at first.
    shop.offer_all("fast", VERSIONS)
    shop.offer(f"{first}winuser", "1.0", PURE, requires=["fast"])
    shop.offer("muser", "1.0", PURE, requires=["fast"])
    work.write(f"{first}winuser; sys_platform == 'win32'", "muser", targets=["old"])
    assert work.lock()["fast"] == ["3.0"]


def test_a_marker_that_no_target_decides_needs_wheels(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    work.write("fast; platform_release >= '4'")
    assert work.lock() == {"fast": ["3.0"]}


def test_a_split_by_python_gives_each_side_its_newest(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    work.write(
        "fast <3; python_version >= '3.10'",
        "fast >=3; python_version < '3.10'",
        targets=["old", "new"],
    )
    assert sorted(work.lock()["fast"]) == ["2.0", "3.0"]


def test_a_split_by_platform_gives_each_side_its_newest(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    work.write(
        "fast >1; sys_platform == 'win32'", "fast <4; sys_platform != 'win32'", targets=["old"]
    )
    assert sorted(work.lock()["fast"]) == ["3.0", "4.0"]


def test_each_side_may_be_required_by_others_too(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    shop.offer("user", "1.0", PURE, requires=["fast"])
    work.write(
        "user",
        "fast <3; python_version >= '3.10'",
        "fast >=3; python_version < '3.10'",
        targets=["old", "new"],
    )
    assert sorted(work.lock()["fast"]) == ["2.0", "3.0"]


def test_a_version_that_is_not_for_the_targets_python_is_no_candidate(
    shop: Shop, work: Work
) -> None:
    shop.offer("fast", "1.0", PURE)
    shop.offer("fast", "2.0", PURE, requires_python=">=3.9")
    assert work.write("fast; python_version < '3.9'").lock() == {"fast": ["1.0"]}


# --- groups ---------------------------------------------------------------------------------------


def test_tools_of_other_groups_need_no_wheels(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    shop.offer("plain", "1.0", PURE)
    work.write("plain", groups={"dev": {"fast": "*"}})
    assert work.lock() == {"fast": ["4.0"], "plain": ["1.0"]}


@pytest.mark.parametrize("tool", ["atool", "ztool"])
def test_what_a_tool_shares_with_the_project_has_wheels(shop: Shop, work: Work, tool: str) -> None:
    shop.offer_all("fast", VERSIONS)
    shop.offer(tool, "1.0", PURE, requires=["fast"])
    shop.offer("muser", "1.0", PURE, requires=["middle"])
    shop.offer("middle", "1.0", PURE, requires=["fast"])
    work.write("muser", groups={"dev": {tool: "*"}})
    assert work.lock()["fast"] == ["3.0"]


# --- what is locked already -----------------------------------------------------------------------


def test_relocking_changes_nothing(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    shop.offer("user", "1.0", PURE, requires=["fast"])
    work.write("user").lock()
    before = work.lock_text
    shop.offer("fast", "3.5", FITS_OLD)
    work.lock()
    assert work.lock_text == before
    assert work.lock("--regenerate")["fast"] == ["3.5"]
    again = work.lock_text
    work.lock("--regenerate")
    assert work.lock_text == again


def test_relocking_keeps_the_version_of_each_side(shop: Shop, work: Work) -> None:
    # Poetry alone would take the newest locked version for both.
    shop.offer_all("fast", {"1.0": [PURE], "2.0": [FITS_OLD]})
    work.write(
        "fast; python_version < '3.10'",
        "fast >0; python_version >= '3.10'",
        targets=["old", "new"],
    )
    assert sorted(work.lock()["fast"]) == ["1.0", "2.0"]
    before = work.lock_text
    shop.offer("fast", "1.5", PURE)
    work.lock()
    assert work.lock_text == before


def test_a_locked_version_without_a_wheel_gives_way_and_others_stay(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    shop.offer("plain", "1.0", PURE)
    assert work.write("fast", "plain", constrain=False).lock()["fast"] == ["4.0"]
    shop.offer("plain", "2.0", PURE)
    assert work.write("fast", "plain").lock() == {"fast": ["3.0"], "plain": ["1.0"]}


def test_the_lock_is_one_that_poetry_alone_would_have_written(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    work.write("fast").lock()
    constrained = work.lock_text
    assert work.cli.poetry("--no-plugins", "check", "--lock").code == 0
    work.write("fast", constrain=False)
    assert work.cli.poetry("--no-plugins", "lock").code == 0
    assert work.lock_text == constrained
    work.write("fast<4", constrain=False).lock("--regenerate")
    assert _without_hash(work.lock_text) == _without_hash(constrained)


def _without_hash(lock: str) -> list[str]:
    return [line for line in lock.splitlines() if "content-hash" not in line]


def test_it_costs_no_request(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", {"1.0": [FITS_OLD], "2.0": [FITS_OLD]})
    shop.offer("user", "1.0", PURE, requires=["fast"])
    asked = []
    for constrain in (False, True):
        work.sandbox.settings["POETRY_CACHE_DIR"] = str(work.sandbox.root / f"cache-{constrain}")
        shop.index.requests.clear()
        work.write("user", constrain=constrain).lock("--regenerate")
        asked.append(sorted(request.path for request in shop.index.requests))
    assert asked[0] == asked[1]


def test_versions_that_are_ruled_out_are_not_read(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    shop.offer("user", "1.0", PURE, requires=["fast"])
    shop.index.requests.clear()
    assert work.write("user", targets=["old", "new"]).lock()["fast"] == ["1.0"]
    read = {name.split("-")[1] for name in shop.index.downloads() if name.startswith("fast-")}
    assert read == {"1.0"}


def test_a_locked_version_without_a_wheel_whose_project_is_gone_gives_way(
    shop: Shop, work: Work
) -> None:
    shop.offer("user", "1.0", PURE)
    shop.offer("user", "2.0", PURE, requires=["fast"])
    shop.offer_all("fast", {"1.0": [FITS_WINDOWS]})
    work.write("user", constrain=False).lock()
    shop.index.behave("/simple/fast/", status(404), forever=True)
    assert work.write("user").lock() == {"user": ["1.0"]}


# --- other sources --------------------------------------------------------------------------------


@pytest.mark.parametrize("formats", ["html", "both"])
def test_any_form_of_page(shop: Shop, work: Work, formats: str) -> None:
    shop.index.formats = formats
    shop.offer_all("fast", VERSIONS)
    assert work.write("fast").lock() == {"fast": ["3.0"]}


@pytest.mark.parametrize("kind", ["transparent", "legacy"])
def test_pypi_itself_and_what_stands_in_for_it(shop: Shop, work: Work, kind: str) -> None:
    shop.offer_all("fast", VERSIONS)
    root = shop.index.index_url.removesuffix("simple/")
    work.sandbox.stand_in_for_pypi(root, kind)
    assert work.write("fast", sources=False).lock() == {"fast": ["3.0"]}


def test_what_is_not_from_an_index_needs_no_wheel(shop: Shop, work: Work) -> None:
    shop.offer("fast", "4.0", FITS_WINDOWS)
    work.write(f"fast @ {shop.index.file_url(f'fast-4.0-{FITS_WINDOWS}.whl')}")
    assert work.lock() == {"fast": ["4.0"]}
