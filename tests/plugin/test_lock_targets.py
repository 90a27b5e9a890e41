"""`poetry wheeltarget lock`: the same on demand, and a look at the present lock."""

from __future__ import annotations

import pytest

from plugin.harness import Outcome
from plugin.locking import FITS_NEW, FITS_OLD, FITS_WINDOWS, PURE, Shop, Work, words
from plugin.projectmaker import LOCK

VERSIONS = {"1.0": [FITS_OLD, FITS_NEW], "2.0": [FITS_OLD], "3.0": [FITS_WINDOWS]}


def lock(work: Work, *args: str) -> Outcome:
    """Run the command."""
    return work.cli.poetry("wheeltarget", "lock", *args)


@pytest.fixture
def free(shop: Shop, work: Work) -> Work:
    """A project that does not ask for a constrained lock."""
    shop.offer_all("fast", VERSIONS)
    return work.write("fast", targets=["old", "new"], constrain=False)


def test_it_locks_for_the_declared_targets(free: Work) -> None:
    ended = lock(free)
    assert ended.code == 0, ended.err
    assert free.locked() == {"fast": ["1.0"]}
    assert "fast 1.0" in ended.err


def test_it_locks_for_the_targets_that_are_named(free: Work) -> None:
    assert lock(free, "--target", "old").code == 0
    assert free.locked() == {"fast": ["2.0"]}
    assert lock(free, "-t", "cp311-cp311-win_amd64", "--regenerate").code == 0
    assert free.locked() == {"fast": ["3.0"]}


def test_named_targets_go_before_the_key(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    work.write("fast", targets=["old", "win"], default_targets=["old"])
    assert lock(work, "--target", "win").code == 0
    assert work.locked() == {"fast": ["3.0"]}
    assert lock(work).code == 0
    assert work.locked() == {"fast": ["2.0"]}


def test_what_is_locked_and_fits_stays_unless_regenerated(shop: Shop, free: Work) -> None:
    lock(free)
    shop.offer("fast", "1.5", FITS_OLD, FITS_NEW)
    assert lock(free).code == 0
    assert free.locked() == {"fast": ["1.0"]}
    assert lock(free, "--regenerate").code == 0
    assert free.locked() == {"fast": ["1.5"]}


def test_a_group_that_is_to_be_bundled_has_wheels_too(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    work.write(constrain=False, groups={"worker": {"fast": "*"}})
    assert lock(work).code == 0
    assert work.locked() == {"fast": ["3.0"]}
    assert lock(work, "--with", "worker").code == 0
    assert work.locked() == {"fast": ["2.0"]}


def test_no_lock_for_the_targets_is_no_plan(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    ended = lock(work.write("fast>2", constrain=False))
    assert ended.code == 4
    said = words(ended.err)
    assert "demo depends on fast (>2) which doesn't match any versions" in said
    assert "Error: fast 3.0 has no wheel for Python 3.8, glibc 2.12, x86_64 (target old)" in said
    assert not (work.folder / LOCK).exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--target", "nonsense"], "nonsense"),
        (["--with", "nonsense"], "nonsense (via --with)"),
        (["--target", "old", "--all-targets"], "exclude each other"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_a_wrong_command_line(free: Work, args: list[str], said: str) -> None:
    ended = lock(free, *args)
    assert ended.code == 2
    assert said in words(ended.err)


def test_without_targets_it_says_how_to_name_one(work: Work) -> None:
    ended = lock(work.write(targets=[], constrain=False))
    assert ended.code == 2
    assert "--target" in ended.err


# --- --check-lock ---------------------------------------------------------------------------------


def test_a_lock_that_satisfies_all_targets(free: Work) -> None:
    lock(free)
    before = free.lock_text
    free.index.requests.clear()
    ended = lock(free, "--check-lock")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "old: Python 3.8, glibc 2.12, x86_64: every package in the lock has a wheel (1)",
        "new: Python 3.11, glibc 2.28, x86_64: every package in the lock has a wheel (1)",
    ]
    assert (free.lock_text, free.index.requests) == (before, [])


def test_a_lock_that_does_not(shop: Shop, free: Work) -> None:
    shop.offer("plain", "1.0", PURE)
    free.write("fast", "plain", targets=["old", "new"], constrain=False)
    assert lock(free, "--target", "old").code == 0
    ended = lock(free, "--check-lock")
    assert ended.code == 4
    assert ended.out.splitlines() == [
        "old: Python 3.8, glibc 2.12, x86_64: every package in the lock has a wheel (2)",
        "new: Python 3.11, glibc 2.28, x86_64: no wheel in the lock for 1 of 2 packages",
        "",
        "  fast 2.0   no wheel for CPython 3.11; there are some for CPython 3.8",
        "",
    ]
    assert words(ended.err) == (
        "Error: the lock does not satisfy new: it has no wheel of fast 2.0 "
        "`poetry wheeltarget lock` chooses versions that have one."
    )


def test_it_looks_at_what_extras_and_groups_bring(shop: Shop, work: Work) -> None:
    shop.offer_all("fast", VERSIONS)
    shop.offer("tool", "1.0", FITS_WINDOWS)
    work.write(constrain=False, extras={"speed": ["fast"]}, groups={"dev": {"tool": "*"}}).lock()
    ended = lock(work, "--check-lock")
    assert ended.code == 4
    assert "fast 3.0" in ended.out
    assert "tool" not in ended.out
    assert "tool 1.0" in lock(work, "--check-lock", "--with", "dev").out
    assert lock(work, "--check-lock", "--only", "dev", "-t", "cp311-cp311-win_amd64").code == 0


def test_a_missing_or_stale_lock_is_told(free: Work) -> None:
    assert lock(free, "--check-lock").code == 3
    lock(free)
    free.write("fast<3", constrain=False)
    assert lock(free, "--check-lock").code == 3
