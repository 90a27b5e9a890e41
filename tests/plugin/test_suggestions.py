"""Where no wheel is locked that fits: which other version has one."""

from __future__ import annotations

import pytest

from plugin.locking import FITS_NEW, FITS_OLD, FITS_WINDOWS, PURE, Shop, Work, words
from support.behaviours import status

VERSIONS = {"1.0": [FITS_OLD], "1.5": [FITS_OLD], "2.0": [FITS_WINDOWS], "3.0": [FITS_WINDOWS]}
WOULD = "is the newest that has one; `poetry wheeltarget lock"


def bundle(work: Work, *args: str) -> str:
    """Run a bundling that finds no wheel; what is said on stderr, on one line."""
    ended = work.cli(*args)
    assert ended.code == 4, ended.err
    return words(ended.err)


@pytest.fixture
def stuck(shop: Shop, work: Work) -> Work:
    """A project with a lock that has no wheel for its target."""
    shop.offer_all("fast", VERSIONS)
    work.write("fast", constrain=False).lock()
    return work


@pytest.mark.parametrize("formats", ["html", "json", "both"])
def test_the_newest_version_with_a_wheel_is_named(shop: Shop, stuck: Work, formats: str) -> None:
    shop.index.formats = formats
    said = bundle(stuck)
    assert f"fast 1.5 {WOULD}` would choose it Error: no usable file for old" in said
    shop.index.formats = "both"  # Poetry 2.0 locks from HTML alone
    assert stuck.cli.poetry("wheeltarget", "lock").code == 0
    assert stuck.locked() == {"fast": ["1.5"]}


def test_the_command_has_the_targets_that_were_asked_for(stuck: Work) -> None:
    said = bundle(stuck, "--target", "cp38-cp38-manylinux_2_12_x86_64")
    assert f"{WOULD} --target cp38-cp38-manylinux_2_12_x86_64` would choose it" in said


def test_each_of_several_targets_has_its_own(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", {**VERSIONS, "1.7": [FITS_NEW]})
    said = bundle(work_on(work, "fast"), "--all-targets")
    assert f"fast 1.5 {WOULD}` would choose it (target old)" in said
    assert f"fast 1.7 {WOULD}` would choose it (target new)" in said
    assert "(target win)" not in said


def work_on(work: Work, *dependencies: str) -> Work:
    """The project, locked with no regard to its targets."""
    work.write(*dependencies, targets=["old", "new", "win"], constrain=False).lock()
    return work


def test_what_another_package_requires_is_named_too(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    shop.offer("user", "1.0", PURE, requires=["fast"])
    work.write("user", constrain=False).lock()
    assert f"fast 1.5 {WOULD}" in bundle(work)


def test_the_projects_constraint_counts(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    work.write("fast<1.5 ; sys_platform=='linux'", constrain=False)
    shop.offer_all("fast", {"1.4": [FITS_WINDOWS]})
    work.lock()
    assert f"fast 1.0 {WOULD}" in bundle(work)


def test_a_version_that_the_project_forbids_is_named_with_the_constraint(
    shop: Shop, work: Work
) -> None:
    shop.offer_all("fast", VERSIONS)
    work.write("fast>=2", constrain=False).lock()
    assert "fast 1.5 is the newest that has one, but the project asks for >=2" in bundle(work)


def test_yanked_and_early_versions_and_other_pythons_do_not_count(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", {"1.0": [FITS_OLD], "1.9": [], "2.0": [FITS_WINDOWS]})
    shop.offer("fast", "1.8b1", FITS_OLD)
    shop.offer("fast", "1.7", PURE, requires_python=">=3.9")
    shop.offer("fast", "1.6", PURE, yanked="broken")
    work.write("fast>1.8", constrain=False).lock()
    assert "fast 1.0 is the newest that has one" in bundle(work)


def test_where_no_version_has_a_wheel_nothing_is_said(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", {"1.0": [FITS_WINDOWS]})
    work.write("fast", constrain=False).lock()
    assert "newest" not in bundle(work)


@pytest.mark.parametrize("option", ["--check", "--offline"])
def test_without_network_nothing_is_asked(shop: Shop, stuck: Work, option: str) -> None:
    shop.index.requests.clear()
    assert "newest" not in bundle(stuck, option)
    assert shop.index.requests == []


@pytest.mark.parametrize("code", [404, 500])
def test_a_silent_index_is_no_other_failure(shop: Shop, stuck: Work, code: int) -> None:
    shop.index.behave("/simple/fast/", status(code), forever=True)
    shop.index.requests.clear()
    assert "newest" not in bundle(stuck)
    assert len(shop.index.requests) == 1


def test_an_index_that_does_not_answer_is_asked_once(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    shop.offer_all("slow", VERSIONS)
    work.write("fast", "slow", constrain=False).lock()
    for name in ("fast", "slow"):
        shop.index.behave(f"/simple/{name}/", status(500), forever=True)
    shop.index.requests.clear()
    assert "newest" not in bundle(work)
    assert len(shop.index.requests) == 1


def test_what_is_not_from_an_index_has_no_other_version(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    work.write(f"fast @ {shop.index.file_url(f'fast-3.0-{FITS_WINDOWS}.whl')}", constrain=False)
    work.lock()
    assert "newest" not in bundle(work)


def test_an_answer_that_is_no_page_is_no_other_failure(shop: Shop, stuck: Work) -> None:
    shop.index.behave("/simple/fast/", status(200), forever=True)
    assert "newest" not in bundle(stuck)
