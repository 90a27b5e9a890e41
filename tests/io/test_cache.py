"""The store: what goes in is hashed, what comes out is verified, and nothing half-written stays."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from wheeltarget.core.errors import FileSystemError
from wheeltarget.core.model import Digest
from wheeltarget.io.cache import (
    Cache,
    HashMismatchError,
    Stored,
    SweptError,
    read_verified,
    writing,
)

DATA = bytes(range(256)) * 1000


def digest_of(data: bytes, algorithm: str = "sha256") -> Digest:
    """The digest that a lock would name."""
    return Digest(algorithm, hashlib.new(algorithm, data).hexdigest())


DIGEST = digest_of(DATA)


def files(folder: Path) -> list[Path]:
    """Every file below a folder."""
    return sorted(path for path in folder.rglob("*") if not path.is_dir())


def content(stored: Stored | None) -> bytes:
    """What the cache gives back."""
    assert stored is not None
    return b"".join(read_verified(stored))


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """An empty cache in a folder that does not exist yet."""
    return Cache(tmp_path / "a" / "cache")


@pytest.fixture
def entry(cache: Cache) -> Stored:
    """A good entry."""
    return cache.add(DIGEST, [DATA])


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_what_goes_in_comes_out(cache: Cache, algorithm: str) -> None:
    digest = digest_of(DATA, algorithm)
    assert cache.find(digest) is None
    stored = cache.add(digest, [DATA[:7], b"", DATA[7:]])
    assert (stored.size, stored.digest) == (len(DATA), digest)
    assert cache.find(digest) == stored
    assert content(stored) == DATA
    assert files(cache.root) == [stored.path]


def test_large_entries_are_read_in_chunks(cache: Cache) -> None:
    data = b"x" * (2**20 + 1)
    assert list(map(len, read_verified(cache.add(digest_of(data), [data])))) == [2**20, 1]


def short(data: bytes) -> bytes:
    return data[:-1]


def longer(data: bytes) -> bytes:
    return data + b"\0"


def flipped(data: bytes) -> bytes:
    return data[:5] + bytes([data[5] ^ 1]) + data[6:]


def empty(data: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("damage", [short, longer, flipped, empty])
def test_a_wrong_body_is_not_stored(cache: Cache, damage: Callable[[bytes], bytes]) -> None:
    wrong = damage(DATA)
    with pytest.raises(HashMismatchError) as caught:
        cache.add(DIGEST, [wrong])
    assert caught.value.digest == DIGEST
    assert caught.value.found == digest_of(wrong).hex
    assert str(digest_of(wrong)) in str(caught.value)
    assert files(cache.root) == []


def test_a_wrong_body_leaves_the_good_entry(cache: Cache, entry: Stored) -> None:
    with pytest.raises(HashMismatchError):
        cache.add(DIGEST, [b"wrong"])
    assert content(cache.find(DIGEST)) == DATA
    assert files(cache.root) == [entry.path]


def test_a_body_that_breaks_off_is_not_stored(cache: Cache) -> None:
    def breaking() -> Iterator[bytes]:
        yield DATA[:100]
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        cache.add(DIGEST, breaking())
    assert files(cache.root) == []


# --- entries that something has happened to ----------------------------------------------------


@pytest.mark.parametrize("damage", [short, longer, flipped])
def test_a_damaged_entry_is_noticed_while_it_is_read(
    cache: Cache, entry: Stored, damage: Callable[[bytes], bytes]
) -> None:
    entry.path.write_bytes(damage(DATA))
    for stored in (entry, cache.find(DIGEST)):  # found before and after it was damaged
        with pytest.raises(HashMismatchError) as caught:
            content(stored)
        assert caught.value.digest == DIGEST


def test_an_empty_entry_is_missing(cache: Cache, entry: Stored) -> None:
    entry.path.write_bytes(b"")
    assert cache.find(DIGEST) is None


def test_a_folder_is_missing_and_is_replaced(cache: Cache) -> None:
    path = cache.add(DIGEST, [DATA]).path
    path.unlink()
    path.mkdir()
    assert cache.find(DIGEST) is None
    assert content(cache.add(DIGEST, [DATA])) == DATA


def test_a_folder_with_something_in_it_is_nothing_of_ours(cache: Cache, entry: Stored) -> None:
    entry.path.unlink()
    (entry.path / "precious").mkdir(parents=True)
    with pytest.raises(FileSystemError, match="cannot write"):
        cache.add(DIGEST, [DATA])
    assert (entry.path / "precious").is_dir()


def test_a_symbolic_link_is_missing_and_is_replaced(
    cache: Cache, entry: Stored, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(DATA)
    entry.path.unlink()
    entry.path.symlink_to(elsewhere)
    assert cache.find(DIGEST) is None
    stored = cache.add(DIGEST, [DATA])
    assert not stored.path.is_symlink()
    assert content(stored) == DATA
    assert elsewhere.read_bytes() == DATA


def test_an_entry_that_becomes_a_symbolic_link_is_not_followed(
    entry: Stored, tmp_path: Path
) -> None:
    elsewhere = entry.path.rename(tmp_path / "elsewhere")
    entry.path.symlink_to(elsewhere)
    with pytest.raises(HashMismatchError, match="unreadable"):
        content(entry)


def test_an_entry_that_vanishes_must_be_fetched_anew(cache: Cache, entry: Stored) -> None:
    cache.discard(DIGEST)
    assert cache.find(DIGEST) is None
    with pytest.raises(HashMismatchError, match="unreadable"):
        content(entry)
    cache.discard(DIGEST)  # once more is no error
    assert files(cache.root) == []


# --- the file system ---------------------------------------------------------------------------


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = Cache(tmp_path / "file" / "cache")
    assert cache.find(DIGEST) is None
    with pytest.raises(FileSystemError) as caught:
        cache.add(DIGEST, [DATA])
    assert str(tmp_path / "file" / "cache") in caught.value.problems[0].what
    assert caught.value.problems[0].hint


class FullDisk:
    """A file that fails at a step: writing, or writing what is left when it is closed."""

    def __init__(self, path: str, step: str) -> None:
        self._file = open(path, "wb")  # noqa: PTH123, SIM115
        self._step = step

    def write(self, data: bytes) -> int:
        self._fail("write")
        return self._file.write(data)

    def close(self) -> None:
        self._file.close()
        self._fail("close")

    def _fail(self, step: str) -> None:
        if step == self._step:
            raise OSError(28, "No space left on device")


@pytest.mark.parametrize("step", ["write", "close"])
def test_a_full_disk_leaves_nothing(
    cache: Cache, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fdopen(descriptor: int, mode: str) -> FullDisk:
        os.close(descriptor)
        return FullDisk(str(files(cache.root)[0]), step)

    monkeypatch.setattr("os.fdopen", fdopen)
    with pytest.raises(FileSystemError, match="No space left on device"):
        cache.add(DIGEST, [DATA])
    assert files(cache.root) == []


def test_an_entry_that_cannot_be_put_in_place_leaves_nothing(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace(source: str, target: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.replace", replace)
    with pytest.raises(FileSystemError, match="Permission denied"):
        cache.add(DIGEST, [DATA])
    assert files(cache.root) == []


@pytest.mark.parametrize(
    ("path", "error", "expected"),
    [
        (Path("here"), OSError(28, "No space left"), "cannot write here: No space left"),
        (None, OSError(28, "No space left", "there"), "cannot write there: No space left"),
        (None, OSError("strange"), "cannot write the cache: strange"),
    ],
)
def test_an_os_error_names_the_place(path: Path | None, error: OSError, expected: str) -> None:
    with pytest.raises(FileSystemError) as caught, writing(path):
        raise error
    assert caught.value.problems[0].what == expected


# --- several at once, and one that is killed ---------------------------------------------------


def test_writers_at_once_do_not_disturb_each_other(cache: Cache) -> None:
    both_write = threading.Barrier(2)
    results: list[Stored] = []

    def chunks() -> Iterable[bytes]:
        yield DATA[:10]
        both_write.wait(5)
        yield DATA[10:]

    threads = [
        threading.Thread(target=lambda: results.append(cache.add(DIGEST, chunks())))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [content(stored) for stored in results] == [DATA, DATA]
    assert files(cache.root) == [results[0].path]


KILLED = """
import os, signal, sys
from pathlib import Path
from wheeltarget.core.model import Digest
from wheeltarget.io.cache import Cache

def chunks():
    yield b"x" * 100_000
    os.kill(os.getpid(), signal.SIGTERM)

Cache(Path(sys.argv[1])).add(Digest("sha256", sys.argv[2]), chunks())
"""


def test_a_killed_writer_leaves_no_entry_and_disturbs_nobody(cache: Cache) -> None:
    # SIGTERM without a handler ends a process as abruptly as SIGKILL, and Windows has it too.
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(cache.root), DIGEST.hex], check=False, timeout=60
    )
    assert ended.returncode in {-signal.SIGTERM, signal.SIGTERM}
    assert cache.find(DIGEST) is None
    assert content(cache.add(DIGEST, [DATA])) == DATA


# --- the end of a run -------------------------------------------------------------------------


def test_after_the_sweep_nothing_is_left_and_nothing_begun(cache: Cache) -> None:
    """A thread that is left behind may be in the middle of a file, or about to begin one."""
    late = threading.Event()
    outcome: list[BaseException] = []

    def chunks() -> Iterator[bytes]:
        yield DATA[:1]
        late.wait(10)
        yield DATA[1:]

    def write() -> None:
        try:
            cache.add(DIGEST, chunks())
        except FileSystemError as error:
            outcome.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    while not list(cache.root.rglob(".partial-*")):
        time.sleep(0.01)
    cache.sweep()
    late.set()
    writer.join()
    assert isinstance(outcome[0], FileSystemError)
    with pytest.raises(SweptError):
        cache.add(DIGEST, [DATA])
    assert [path for path in cache.root.rglob("*") if path.is_file()] == []
