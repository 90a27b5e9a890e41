"""FAULTS 31, 33 and 34: full disks, places that are none, runs at once, caches that lie."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faults.rig import WHEEL, Rig, locked
from support.index import IndexServer
from support.wheels import build_wheel
from wheeltarget.core.errors import FileSystemError, IntegrityError, NetworkError, PlanError
from wheeltarget.core.model import Digest
from wheeltarget.io.cache import HashMismatchError, Stored, read_verified

WHEELS = [WHEEL, *(build_wheel(name, "2.0") for name in ("alpha", "beta", "gamma", "delta"))]
PACKAGES = [locked(wheel) for wheel in WHEELS]


@pytest.fixture
def rig(tmp_path: Path, index: IndexServer) -> Rig:
    """An index with the wheels."""
    for wheel in WHEELS:
        index.add(wheel.filename, wheel.data)
    return Rig(tmp_path, index)


def check_good(rig: Rig) -> None:
    """The bundle has all wheels, and nothing else was left anywhere."""
    data = rig.output.read_bytes()
    assert all(wheel.data in data for wheel in WHEELS)
    assert list(rig.leftovers()) == []


# --- 4: names that a file system may take for one ---------------------------------------------


def test_two_files_that_differ_in_case_only_are_refused(rig: Rig) -> None:
    upper = build_wheel("Foo", "1.0")
    for wheel in (WHEEL, upper):
        rig.cache.add(Digest("sha256", wheel.sha256), [wheel.data])
    both = (locked(WHEEL), locked(upper))
    with pytest.raises(PlanError, match="several versions of foo"):
        rig.bundle(*both)
    with pytest.raises(IntegrityError, match="one file where case does not count"):
        rig.bundle(*both, checked=False)
    assert list(rig.leftovers()) == []


# --- 31: the file system says no ---------------------------------------------------------------


class FullDisk(io.FileIO):
    """A disk with room for a number of bytes, shared by all files on it."""

    room = 0

    def write(self, data: object) -> int:
        size = len(memoryview(data))  # type: ignore[arg-type]
        FullDisk.room -= size
        if FullDisk.room < 0:
            raise OSError(28, "No space left on device")
        return super().write(data)  # type: ignore[arg-type]


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets the room that is left for files opened from now on."""

    def fdopen(descriptor: int, mode: str) -> io.IOBase:
        if mode == "rb":
            return io.FileIO(descriptor, mode)
        raw = FullDisk(descriptor, mode)
        return io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)

    def fill(room: int) -> None:
        FullDisk.room = room
        monkeypatch.setattr("os.fdopen", fdopen)

    return fill


SIZES = sum(len(wheel.data) for wheel in WHEELS)


@pytest.mark.parametrize("room", [0, 10, len(WHEEL.data), SIZES - 1, SIZES, SIZES + 1, 2 * SIZES])
def test_a_full_disk(rig: Rig, disk: Callable[[int], None], room: int) -> None:
    disk(room)
    said = rig.fails(FileSystemError, *PACKAGES)
    assert "No space left on device" in said
    assert str(rig.root) in said
    disk(10**9)
    rig.cancelled.clear()
    rig.bundle(*PACKAGES)
    check_good(rig)


@pytest.mark.parametrize("kind", ["folder", "link", "below a file"])
def test_a_place_that_is_none(rig: Rig, kind: str) -> None:
    place, precious = rig.root / "place.zip", rig.root / "precious"
    precious.write_bytes(b"precious")
    if kind == "folder":
        place.mkdir()
    elif kind == "link":
        place.symlink_to(precious)
    else:
        place = precious / "place.zip"
    before = sorted(rig.root.iterdir())
    with pytest.raises(FileSystemError) as caught:
        rig.bundle(*PACKAGES, output=place)
    (problem,) = caught.value.problems
    assert str(place.parent) in problem.what
    assert problem.hint
    assert precious.read_bytes() == b"precious"
    assert [path for path in sorted(rig.root.iterdir()) if path != rig.cache.root] == before


def test_an_unwritable_cache(rig: Rig) -> None:
    rig.cache.root.write_bytes(b"")
    with pytest.raises(FileSystemError) as caught:
        rig.bundle(*PACKAGES)
    assert str(rig.cache.root) in caught.value.problems[0].what
    assert not rig.output.exists()


def test_the_bundle_is_made_on_its_own_file_system(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(rig.root / "nowhere"))
    replaced: list[tuple[Path, Path]] = []
    replace = Path.replace

    def noting(source: Path, target: Path) -> Path:
        replaced.append((source, target))
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", noting)
    rig.bundle(*PACKAGES)
    check_good(rig)
    assert len(replaced) == len(WHEELS) + 1
    assert all(source.parent == target.parent for source, target in replaced)


# --- 33: two at once, and one that is killed ---------------------------------------------------


def test_two_runs_at_once(rig: Rig) -> None:
    rigs = [Rig(rig.root, rig.index) for _ in range(2)]
    threads = [threading.Thread(target=each.bundle, args=PACKAGES) for each in rigs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_good(rig)


KILLED = """
import os, signal, sys
from pathlib import Path
from wheeltarget.io.archive import ArchiveMember, write_draft

def content():
    yield b"x" * 100_000
    os.kill(os.getpid(), signal.SIGTERM)

member = ArchiveMember(name="x", size=9, content=content)
write_draft(Path(sys.argv[1]), [member], (1980, 1, 1, 0, 0, 0))
"""


def test_after_one_that_was_killed(rig: Rig) -> None:
    rig.bundle(*PACKAGES)
    old = rig.output.read_bytes()
    # Without a handler SIGTERM is as abrupt as SIGKILL, which Windows does not have.
    killed = [sys.executable, "-c", KILLED, str(rig.output)]
    assert subprocess.run(killed, check=False).returncode in {-signal.SIGTERM, signal.SIGTERM}
    assert rig.output.read_bytes() == old
    rig.bundle(*PACKAGES)
    assert rig.output.read_bytes() == old


# --- 34: a cache that lies ---------------------------------------------------------------------


def truncate(entry: Path) -> None:
    entry.write_bytes(entry.read_bytes()[:-1])


def empty(entry: Path) -> None:
    entry.write_bytes(b"")


def flip(entry: Path) -> None:
    data = bytearray(entry.read_bytes())
    data[len(data) // 2] ^= 1
    entry.write_bytes(data)


def lengthen(entry: Path) -> None:
    entry.write_bytes(entry.read_bytes() + b"\0")


def link(entry: Path) -> None:
    entry.symlink_to(entry.rename(entry.with_suffix(".elsewhere")))


def turn_into_a_folder(entry: Path) -> None:
    entry.unlink()
    entry.mkdir()


def entries(rig: Rig) -> list[Stored]:
    """What is in the cache."""
    found = [rig.cache.find(file.digest) for p in PACKAGES for file in p.files if file.digest]
    return [entry for entry in found if entry]


@pytest.mark.parametrize("damage", [truncate, empty, flip, lengthen, link, turn_into_a_folder])
def test_a_damaged_entry_is_replaced(rig: Rig, damage: Callable[[Path], None]) -> None:
    rig.bundle(*PACKAGES)
    good = rig.output.read_bytes()
    damage(entries(rig)[0].path)
    rig.output.unlink()
    rig.index.requests.clear()

    rig.bundle(*PACKAGES)
    assert rig.output.read_bytes() == good
    assert rig.index.downloads() == [WHEEL.filename]

    rig.index.requests.clear()
    rig.bundle(*PACKAGES)
    assert rig.index.requests == []
    assert rig.output.read_bytes() == good
    assert not any(entry.path.is_symlink() for entry in entries(rig))


def test_a_damaged_entry_cannot_be_replaced_offline(rig: Rig) -> None:
    rig.bundle(*PACKAGES)
    flip(entries(rig)[0].path)
    rig.offline = True
    said = rig.fails(NetworkError, *PACKAGES)
    assert f"{WHEEL.filename} is not in the cache" in said


def test_many_damaged_entries_are_replaced(rig: Rig) -> None:
    rig.bundle(*PACKAGES)
    for entry in entries(rig):
        flip(entry.path)
    rig.bundle(*PACKAGES)
    check_good(rig)


def test_an_entry_that_reads_badly_once_is_read_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.bundle(*PACKAGES)
    rig.index.requests.clear()
    bad = iter([True])

    def read(stored: Stored) -> Iterator[bytes]:
        if next(bad, False):
            raise HashMismatchError(stored.digest, "0" * 64)
        yield from read_verified(stored)

    monkeypatch.setattr("wheeltarget.bundle.writing.read_verified", read)
    rig.bundle(*PACKAGES)
    check_good(rig)
    assert rig.index.requests == []


def test_a_cache_that_never_gives_back_what_it_got_is_reported(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(stored: Stored) -> Iterator[bytes]:
        yield from read_verified(stored)
        raise HashMismatchError(stored.digest, "0" * 64)

    monkeypatch.setattr("wheeltarget.bundle.writing.read_verified", read)
    assert "again and again" in rig.fails(IntegrityError, *PACKAGES)
    assert list(rig.leftovers()) == []
