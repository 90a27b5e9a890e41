"""Wheels into the cache: what is fetched, what is not, and what is said of it in one go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from faults.rig import WHEEL, Rig, locked, strong, wanted_of
from support.behaviours import flip_byte, oversized, status
from support.index import IndexServer
from support.server import Behaviour
from support.wheels import build_wheel
from wheeltarget.core.errors import (
    FileSystemError,
    IntegrityError,
    NetworkError,
    UsageError,
    WheeltargetError,
)
from wheeltarget.core.model import Digest, LockedPackage, Source
from wheeltarget.io.cache import HashMismatchError, Stored
from wheeltarget.io.fetch import CancelledError
from wheeltarget.io.wheels import sha256_of

NAMES = ("alpha", "beta", "gamma", "delta")
WHEELS = [build_wheel(name, "1.0") for name in NAMES]
PACKAGES = [locked(wheel) for wheel in WHEELS]
FILES = [wheel.filename for wheel in WHEELS]


@pytest.fixture
def rig(tmp_path: Path, index: IndexServer) -> Rig:
    """An index with all the wheels."""
    for wheel in [WHEEL, *WHEELS]:
        index.add(wheel.filename, wheel.data)
    return Rig(tmp_path, index)


def fails(rig: Rig, expected: type[WheeltargetError], *packages: LockedPackage) -> list[str]:
    """What is wrong, one text for each problem."""
    with pytest.raises(expected) as caught:
        rig.obtain(*packages)
    assert type(caught.value) is expected
    return [problem.what for problem in caught.value.problems]


def contents(stored: Iterator[Stored]) -> list[bytes]:
    return [each.path.read_bytes() for each in stored]


# --- what is fetched ---------------------------------------------------------------------------


def test_all_are_fetched_once_and_then_never_again(rig: Rig) -> None:
    stored = rig.obtain(*PACKAGES)
    assert contents(stored[Digest("sha256", wheel.sha256)] for wheel in WHEELS) == [
        wheel.data for wheel in WHEELS
    ]
    assert len(rig.index.requests) == 2 * len(WHEELS)  # a page and a file for each
    assert sorted(rig.index.downloads()) == sorted(FILES)
    assert rig.progress.begun == [len(WHEELS)]
    assert sorted(rig.progress.finished) == sorted(FILES)
    assert rig.progress.size == sum(len(wheel.data) for wheel in WHEELS)
    assert rig.progress.ended == 1

    rig.index.requests.clear()
    assert rig.obtain(*PACKAGES) == stored
    assert rig.index.requests == []
    assert rig.progress.begun == [len(WHEELS)]
    assert rig.warnings == []


def test_only_what_is_missing_is_fetched(rig: Rig) -> None:
    rig.obtain(*PACKAGES[:2])
    rig.index.requests.clear()
    assert len(rig.obtain(*PACKAGES)) == len(PACKAGES)
    assert sorted(rig.index.downloads()) == sorted(FILES[2:])


def test_a_file_wanted_for_several_targets_is_fetched_once(rig: Rig) -> None:
    assert len(rig.obtain(*PACKAGES[:1] * 3)) == 1
    assert len(rig.index.requests) == 2


def test_several_files_of_a_project_need_one_page(rig: Rig) -> None:
    wheels = [build_wheel("many", "1.0", tag=f"cp3{n}-none-any") for n in (9, 10, 11)]
    for wheel in wheels:
        rig.index.add(wheel.filename, wheel.data)
    assert len(rig.obtain(locked(*wheels))) == 3
    assert len(rig.index.requests_for("")) == 1  # the path of a page ends with a slash


@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
def test_another_strong_hash_of_the_lock_is_as_good(rig: Rig, algorithm: str) -> None:
    (stored,) = rig.obtain(locked(WHEEL, digests=strong(WHEEL, algorithm))).values()
    assert stored.digest.algorithm == algorithm
    assert sha256_of(stored) == WHEEL.sha256
    stored.path.write_bytes(b"damaged")
    with pytest.raises(HashMismatchError):
        sha256_of(stored)


def test_the_sha256_that_was_locked_needs_no_reading(rig: Rig) -> None:
    (stored,) = rig.obtain(locked(WHEEL)).values()
    stored.path.unlink()
    assert sha256_of(stored) == WHEEL.sha256


# --- offline -----------------------------------------------------------------------------------


def test_offline_lists_everything_that_is_missing(rig: Rig) -> None:
    rig.obtain(*PACKAGES[1:2])
    rig.index.requests.clear()
    rig.offline = True
    whats = fails(rig, NetworkError, *PACKAGES)
    assert [what.split()[0] for what in whats] == [FILES[0], *FILES[2:]]
    assert rig.index.requests == []


def test_offline_is_enough_where_nothing_is_missing(rig: Rig) -> None:
    rig.obtain(*PACKAGES)
    rig.offline = True
    assert len(rig.obtain(*PACKAGES)) == len(PACKAGES)


# --- what the index says -----------------------------------------------------------------------


def test_all_files_that_vanished_are_listed_in_the_order_of_the_lock(
    tmp_path: Path, index: IndexServer
) -> None:
    for name in ("delta", "alpha", "beta"):
        index.add(f"{name}-0.9-py3-none-any.whl", b"older")
    index.add(FILES[1], WHEELS[1].data)
    whats = fails(Rig(tmp_path, index), NetworkError, *PACKAGES)
    assert [what.split("gamma")[0] for what in whats] == [
        f"the index PyPI no longer offers {FILES[0]}",
        "the index PyPI gives no page for ",
        f"the index PyPI no longer offers {FILES[3]}",
    ]
    assert index.downloads() == []


def test_a_yanked_file_is_used_with_a_warning(rig: Rig) -> None:
    rig.index.add(FILES[0], WHEELS[0].data, yanked="wrong metadata")
    rig.index.add(FILES[1], WHEELS[1].data, yanked="")
    assert len(rig.obtain(*PACKAGES)) == len(PACKAGES)
    assert [(w.file, w.package) for w in rig.warnings] == [
        (FILES[0], "alpha 1.0"),
        (FILES[1], "beta 1.0"),
    ]
    assert "is yanked: wrong metadata" in rig.warnings[0].what
    assert "is yanked;" in rig.warnings[1].what


def test_a_reason_cannot_command_the_terminal(rig: Rig) -> None:
    rig.index.add(FILES[0], WHEELS[0].data, yanked="\x1b[31m<error>é\nError: \u202e\x07")
    rig.obtain(PACKAGES[0])
    assert r"is yanked: \x1b[31m<error>é\nError: \u202e\x07; it" in rig.warnings[0].what


def test_another_hash_of_the_index_is_noticed_before_anything_is_downloaded(rig: Rig) -> None:
    rig.index.add(FILES[1], WHEELS[1].data, listed_hash="sha256:" + "0" * 64)
    (what,) = fails(rig, IntegrityError, *PACKAGES)
    assert FILES[1] in what
    assert WHEELS[1].sha256 in what
    assert rig.index.downloads() == []


def test_all_files_with_another_hash_are_listed(rig: Rig) -> None:
    wheels = [build_wheel("many", "1.0", tag=f"cp3{n}-none-any") for n in (9, 10)]
    for wheel in wheels:
        rig.index.add(wheel.filename, wheel.data, listed_hash="sha256:" + "0" * 64)
    whats = fails(rig, IntegrityError, locked(*wheels))
    assert [what.split()[7] for what in whats] == [wheel.filename for wheel in wheels]


@pytest.mark.parametrize("listed", [None, "md5", "sha256:short", "sha512:" + "0" * 128])
def test_a_hash_that_says_nothing_of_the_locked_one_is_no_obstacle(
    rig: Rig, listed: str | None
) -> None:
    rig.index.add(FILES[0], WHEELS[0].data, listed_hash=listed)
    assert len(rig.obtain(PACKAGES[0])) == 1


def test_the_gravest_problem_decides_and_all_are_listed(rig: Rig) -> None:
    rig.index.add(FILES[0], WHEELS[0].data, listed_hash="sha256:" + "0" * 64)
    rig.index.behave("/simple/beta/", status(403))
    whats = fails(rig, IntegrityError, *PACKAGES)
    assert len(whats) == 2
    assert "another hash" in whats[0]
    assert "answered 403" in whats[1]


def test_a_source_that_the_project_lacks_is_named(rig: Rig) -> None:
    (what,) = fails(rig, UsageError, locked(WHEEL, source=Source(url="x", reference="acme")))
    assert "'acme'" in what
    assert rig.index.requests == []


def test_all_sources_that_the_project_lacks_are_named(rig: Rig) -> None:
    lacking = [
        locked(wheel, source=Source(url="x", reference=name))
        for wheel, name in zip(WHEELS, ("zeta", "acme"), strict=False)
    ]
    whats = fails(rig, UsageError, *lacking, locked(WHEEL))
    assert ["'acme'" in whats[0], "'zeta'" in whats[1]] == [True, True]
    assert rig.index.requests == []


# --- links without a download ------------------------------------------------------------------


def test_links_are_asked_for_although_the_wheels_are_cached(rig: Rig) -> None:
    rig.obtain(*PACKAGES)
    rig.index.requests.clear()
    links = rig.supply().links_for(wanted_of(*PACKAGES))
    assert [links[Digest("sha256", wheel.sha256)][0].url for wheel in WHEELS] == [
        rig.index.file_url(file) for file in FILES
    ]
    assert len(rig.index.requests) == len(WHEELS)
    assert rig.index.downloads() == []


def test_links_that_are_known_are_not_asked_for_again(rig: Rig) -> None:
    rig.index.add(FILES[0], WHEELS[0].data, yanked="broken")
    supply, wanted = rig.supply(), wanted_of(*PACKAGES)
    supply.links_for(wanted[:2])
    assert len(supply.obtain(wanted)) == len(WHEELS)
    assert len(rig.index.requests_for("")) == len(WHEELS)  # the path of a page ends with a slash
    assert len(rig.warnings) == 1


def test_a_known_link_is_good_for_one_download(rig: Rig) -> None:
    supply, wanted = rig.supply(), wanted_of(PACKAGES[0])
    supply.links_for(wanted)
    supply.obtain(wanted)
    rig.cache.discard(wanted[0].digest)
    supply.obtain(wanted)
    assert len(rig.index.requests_for("")) == 2


def test_links_of_urls_and_files(rig: Rig) -> None:
    direct = locked(WHEELS[0], source=Source(kind="url", url=rig.index.file_url(FILES[0])))
    beside = locked(WHEELS[1], source=Source(kind="file", url=FILES[1]))
    links = rig.supply().links_for(wanted_of(direct, beside))
    assert [link.url for (link,) in links.values()] == [rig.index.file_url(FILES[0])]
    assert rig.index.requests == []


def test_links_that_cannot_be_had_are_all_listed(rig: Rig) -> None:
    rig.index.behave("/simple/alpha/", status(404))
    rig.index.behave("/simple/beta/", status(404))
    with pytest.raises(NetworkError) as caught:
        rig.supply().links_for(wanted_of(*PACKAGES))
    assert len(caught.value.problems) == 2


# --- damage on the way -------------------------------------------------------------------------


def test_a_flipped_byte_is_asked_for_again_past_caches(rig: Rig) -> None:
    rig.index.behave(WHEEL.filename, flip_byte())
    assert contents(iter(rig.obtain(locked(WHEEL)).values())) == [WHEEL.data]
    first, second = rig.index.requests_for(WHEEL.filename)
    assert "cache-control" not in first.headers
    assert second.headers["cache-control"] == "no-cache"


def test_bytes_that_stay_flipped_are_refused(rig: Rig) -> None:
    rig.index.behave(WHEEL.filename, flip_byte(), forever=True)
    (what,) = fails(rig, IntegrityError, locked(WHEEL))
    assert WHEEL.filename in what
    assert WHEEL.sha256 in what
    assert len(rig.index.requests_for(WHEEL.filename)) == 2
    assert list(rig.leftovers()) == []


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (status(404), "answered 404"),
        (oversized(9, "grown"), f"longer than {len(WHEEL.data)} bytes"),
    ],
)
def test_a_fresh_copy_that_cannot_be_had_is_a_matter_of_the_network(
    rig: Rig, fault: Behaviour, says: str
) -> None:
    rig.index.behave(WHEEL.filename, flip_byte(), fault)
    (what,) = fails(rig, NetworkError, locked(WHEEL))
    assert says in what


def test_a_failed_download_says_what_failed(rig: Rig) -> None:
    rig.index.behave(WHEEL.filename, status(410))
    with pytest.raises(NetworkError) as caught:
        rig.obtain(locked(WHEEL))
    (problem,) = caught.value.problems
    assert (problem.package, problem.file) == ("foo 1.0", WHEEL.filename)
    assert rig.index.file_url(WHEEL.filename) in problem.what
    assert "poetry lock" in str(problem.hint)
    assert rig.progress.ended == 1


def test_a_cache_that_cannot_be_written_is_named(rig: Rig) -> None:
    rig.cache.root.write_bytes(b"")
    (what,) = fails(rig, FileSystemError, PACKAGES[0])
    assert str(rig.cache.root) in what


# --- interruption ------------------------------------------------------------------------------


def test_a_cancelled_run_asks_for_nothing(rig: Rig) -> None:
    rig.cancelled.set()
    with pytest.raises(CancelledError):
        rig.obtain(*PACKAGES)
    assert rig.index.requests == []


def test_a_fault_of_our_own_is_not_dressed_up(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(size: int) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(rig.progress, "advance", broken)
    with pytest.raises(ZeroDivisionError):
        rig.obtain(*PACKAGES)


def test_the_first_failure_ends_the_others(rig: Rig) -> None:
    rig.index.behave(FILES[0], status(404))
    rig.workers = 1
    assert len(fails(rig, NetworkError, *PACKAGES)) == 1
    assert rig.index.downloads() == FILES[:1]


def test_limits_reach_the_transport(rig: Rig) -> None:
    rig.limits = replace(rig.limits, file_size=len(WHEEL.data) - 1)
    (what,) = fails(rig, NetworkError, locked(WHEEL))
    assert f"longer than {len(WHEEL.data) - 1} bytes" in what
