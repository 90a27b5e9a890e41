"""The bundle's zip: the same bytes everywhere, readable everywhere, whole or not there."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import stat
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wheeltarget.core.errors import FileSystemError, UsageError
from wheeltarget.io import zipwriter
from wheeltarget.io.archive import (
    ArchiveMember,
    Draft,
    ZipTime,
    text_draft,
    write_archive,
    write_draft,
    zip_time,
)

MOMENT: ZipTime = (2020, 2, 29, 12, 34, 56)
FIRST, LAST = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)


def binary(name: str, data: bytes, *, executable: bool = False) -> ArchiveMember:
    """A member that comes in small chunks."""
    return ArchiveMember(
        name=name,
        size=len(data),
        content=lambda: [data[at : at + 7] for at in range(0, len(data), 7)],
        executable=executable,
    )


MEMBERS = [
    ArchiveMember.of_text("manifest.json", '{"ä": 1}\n'),
    binary("wheels/b.whl", bytes(range(100))),
    binary("wheels/a.whl", b""),
    binary("bin/run", b"#!/bin/sh\n", executable=True),
    binary("wheels/ü.whl", b"not ASCII"),
]
CONTENTS = {
    "manifest.json": '{"ä": 1}\n'.encode(),
    "wheels/b.whl": bytes(range(100)),
    "wheels/a.whl": b"",
    "bin/run": b"#!/bin/sh\n",
    "wheels/ü.whl": b"not ASCII",
}


def write(path: Path, members: list[ArchiveMember] = MEMBERS) -> Draft:
    """Write and publish."""
    draft = write_draft(path, members, MOMENT)
    draft.publish()
    return draft


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """An archive of the members."""
    write(tmp_path / "demo.zip")
    return tmp_path / "demo.zip"


# --- what it is like ---------------------------------------------------------------------------


def test_it_holds_the_members_in_order_stored_with_one_time(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as zipped:
        infos = zipped.infolist()
        assert {info.filename: zipped.read(info) for info in infos} == CONTENTS
    assert [info.filename for info in infos] == [member.name for member in MEMBERS]
    assert {(info.date_time, info.compress_type, info.create_system) for info in infos} == {
        (MOMENT, zipfile.ZIP_STORED, 3)
    }
    executable = {info.filename: oct(info.external_attr >> 16) for info in infos}
    assert executable.pop("bin/run") == oct(stat.S_IFREG | 0o755)
    assert set(executable.values()) == {oct(stat.S_IFREG | 0o644)}


def test_the_draft_says_size_and_hash(tmp_path: Path) -> None:
    draft = write(tmp_path / "new" / "folder" / "demo.zip")
    data = draft.path.read_bytes()
    assert (draft.size, draft.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert names(draft.path.parent) == ["demo.zip"]


def local_header(data: bytes, offset: int) -> tuple[tuple[int, ...], bytes, bytes]:
    """Fields (version needed, flags, method, time, date, CRC, sizes), name and extra field."""
    signature, *fields, name, extra = struct.unpack_from("<4sHHHHHIIIHH", data, offset)
    assert signature == b"PK\3\4"
    start = offset + 30
    return tuple(fields), data[start : start + name], data[start + name : start + name + extra]


def central_headers(data: bytes) -> Iterator[tuple[int, tuple[int, ...], bytes, bytes]]:
    """For each member the offset of its local header, and what should stand there."""
    *_, count, size, offset, comment = struct.unpack_from("<4sHHHHIIH", data, len(data) - 22)
    assert (comment, offset + size) == (0, len(data) - 22)
    for _ in range(count):
        head = struct.unpack_from("<4s6H3I5H2I", data, offset)
        name, extra, remark = head[10:13]
        start = offset + 46
        yield (
            head[16],
            (*head[2:7], *head[7:10]),
            data[start : start + name],
            data[start + name : start + name + extra],
        )
        assert remark == 0
        offset += 46 + name + extra


def test_local_headers_say_what_the_central_directory_says(bundle: Path) -> None:
    data = bundle.read_bytes()
    expected_offset = 0
    for offset, *central in central_headers(data):
        assert tuple(central) == local_header(data, offset)
        (version, flags, *_, size), name, extra = local_header(data, offset)
        assert version == 20  # readable since 1993
        assert flags == (0 if name.isascii() else 0x800)  # no data descriptor, no encryption
        assert (extra, offset) == (b"", expected_offset)
        expected_offset += 30 + len(name) + size
    assert data[expected_offset : expected_offset + 4] == b"PK\1\2"


def works(python: str) -> bool:
    """Whether that Python is there: a launcher of the name may stand for nothing."""
    if shutil.which(python) is None:
        return False
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


def readers() -> list[list[str]]:
    """Programs of this machine that test an archive; an old Python among them if there is one."""
    pythons = [sys.executable, *filter(works, ("python3.6", "python3.7", "python3.8"))]
    unzip = [["unzip", "-tqq"]] if shutil.which("unzip") else []
    return [*unzip, *([python, "-m", "zipfile", "-t"] for python in pythons)]


@pytest.mark.parametrize("large", [zipwriter._LARGE, 5])
def test_other_programs_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    monkeypatch.setattr(zipwriter, "_LARGE", large)
    path = write(tmp_path / "demo.zip", MEMBERS[:-1]).path
    with zipfile.ZipFile(path) as zipped:
        assert zipped.testzip() is None
        assert all(zipped.read(name) == CONTENTS[name] for name in zipped.namelist())
    for command in readers():
        ended = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
        assert ended.returncode == 0, (command, ended.stdout, ended.stderr)


def test_zip64_is_used_where_a_size_asks_for_it_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipwriter, "_LARGE", 10)
    path = write(tmp_path / "demo.zip").path
    with zipfile.ZipFile(path) as zipped:
        offsets = {info.filename: info.header_offset for info in zipped.infolist()}
    extra_fields = {
        name: local_header(path.read_bytes(), offset)[2][:2] for name, offset in offsets.items()
    }
    assert extra_fields == {
        name: b"\x01\x00" if len(content) > 10 else b"" for name, content in CONTENTS.items()
    }


# --- the same bytes everywhere -----------------------------------------------------------------

ELSEWHERE = """
import os, sys
from pathlib import Path
os.umask(int(os.environ["UMASK"], 8))
import locale
locale.setlocale(locale.LC_ALL, "")
from wheeltarget.io.archive import ArchiveMember, write_draft, zip_time
names = sorted({"b/" + str(n) for n in range(20)})
members = [ArchiveMember.of_text(name, name * 3) for name in names]
write_draft(Path(sys.argv[1]), members, zip_time(os.environ.get("SOURCE_DATE_EPOCH"))).publish()
"""


def test_the_same_bytes_under_other_settings(tmp_path: Path) -> None:
    variants = [
        {"UMASK": "022", "TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "0"},
        {"UMASK": "077", "TZ": "Pacific/Auckland", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "7"},
        {"UMASK": "000", "TZ": "EST5EDT", "LC_ALL": "C", "PYTHONHASHSEED": "random"},
    ]
    for number, variant in enumerate(variants):
        folder = tmp_path / f"folder {number}"
        folder.mkdir()
        environment = {**os.environ, **variant, "SOURCE_DATE_EPOCH": "1582979696"}
        subprocess.run(
            [sys.executable, "-c", ELSEWHERE, "x.zip"], cwd=folder, env=environment, check=True
        )
    written = [path.read_bytes() for path in sorted(tmp_path.glob("*/x.zip"))]
    assert len(written) == len(variants)
    assert len(set(written)) == 1


def test_the_same_bytes_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = io.BytesIO(), io.BytesIO()
    write_archive(here, MEMBERS, MOMENT)
    with monkeypatch.context() as patch:
        patch.setattr("sys.platform", "win32")
        assert zipfile.ZipInfo("x").create_system == 0
        write_archive(there, MEMBERS, MOMENT)
    assert there.getvalue() == here.getvalue()


def test_a_new_file_has_the_permissions_that_any_new_file_has(bundle: Path) -> None:
    (bundle.parent / "other").touch()
    assert bundle.stat().st_mode == (bundle.parent / "other").stat().st_mode


@pytest.mark.parametrize(
    ("epoch", "moment"),
    [
        (None, FIRST),
        ("", FIRST),
        ("0", FIRST),
        ("-1", FIRST),
        (f"-{10**19}", FIRST),
        ("315532799", FIRST),
        ("315532800", FIRST),
        ("315532801", (1980, 1, 1, 0, 0, 1)),
        ("1582979696", MOMENT),
        ("4354819197", (2107, 12, 31, 23, 59, 57)),
        ("4354819199", LAST),
        ("4354819200", LAST),
        (str(2**32 + 2**30), LAST),
        (str(2**32 + 2**30 + 1), LAST),
        (str(10**19), LAST),
    ],
)
def test_source_date_epoch_is_clamped(epoch: str | None, moment: ZipTime) -> None:
    assert zip_time(epoch) == moment
    zipfile.ZipFile(io.BytesIO(), "w").writestr(zipfile.ZipInfo("x", moment), b"")


@pytest.mark.parametrize(
    "epoch", ["now", "1.5", "1e9", "0x10", "12:30", "-", "2020-02-29", "1_000", " 5", "5\n", "٣"]
)
def test_source_date_epoch_must_be_a_number(epoch: str) -> None:
    with pytest.raises(UsageError) as caught:
        zip_time(epoch)
    assert repr(epoch) in caught.value.problems[0].what
    assert caught.value.problems[0].hint


# --- all or nothing ----------------------------------------------------------------------------


class Failing(io.FileIO):
    """A file on a disk that is full from the n-th write on, or only at that one."""

    def __init__(self, descriptor: int, *, at: int, forever: bool) -> None:
        super().__init__(descriptor, "w+")
        self.writes = 0
        self._at = at
        self._forever = forever

    def write(self, data: object) -> int:
        self.writes += 1
        if self.writes == self._at or (self._forever and self.writes > self._at):
            raise OSError(28, "No space left on device")
        return super().write(data)  # type: ignore[arg-type]


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("forever", [True, False])
def test_a_disk_full_at_any_write_leaves_the_old_bundle(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, *, buffered: bool, forever: bool
) -> None:
    old = bundle.read_bytes()
    opened: list[Failing] = []

    def failing_at(write_number: int) -> Callable[[int, str], io.IOBase]:
        def fdopen(descriptor: int, mode: str) -> io.IOBase:
            opened.append(Failing(descriptor, at=write_number, forever=forever))
            return io.BufferedRandom(opened[-1], 16) if buffered else opened[-1]

        return fdopen

    monkeypatch.setattr("os.fdopen", failing_at(10**9))
    write_draft(bundle, MEMBERS, MOMENT).discard()
    assert opened[-1].writes > 10
    for number in range(1, opened[-1].writes + 1):
        monkeypatch.setattr("os.fdopen", failing_at(number))
        with pytest.raises(FileSystemError, match="No space left on device") as caught:
            write_draft(bundle, MEMBERS, MOMENT)
        assert caught.value.problems[0].file == str(bundle)
        assert names(bundle.parent) == [bundle.name]
    assert bundle.read_bytes() == old


@pytest.mark.parametrize("step", ["fsync", "open"])
def test_a_step_that_fails_leaves_the_old_bundle(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    old = bundle.read_bytes()

    def fail(*args: object) -> int:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(f"os.{step}", fail)
        with pytest.raises(FileSystemError, match="Input/output error"):
            write_draft(bundle, MEMBERS, MOMENT)
    assert names(bundle.parent) == [bundle.name]
    assert bundle.read_bytes() == old


def test_a_bundle_that_cannot_be_put_in_place(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = bundle.read_bytes()

    def fail(source: Path, target: Path) -> None:
        raise PermissionError(13, "Permission denied")

    draft = write_draft(bundle, MEMBERS[:1], MOMENT)
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", fail)
        with pytest.raises(FileSystemError, match="Permission denied"):
            draft.publish()
    draft.discard()
    assert names(bundle.parent) == [bundle.name]
    assert bundle.read_bytes() == old


def test_what_a_member_raises_passes_through(bundle: Path) -> None:
    old = bundle.read_bytes()

    def broken() -> Iterator[bytes]:
        yield b"some"
        raise LookupError("the member's own")

    members = [*MEMBERS, ArchiveMember(name="x", size=9, content=broken)]
    with pytest.raises(LookupError, match="the member's own"):
        write_draft(bundle, members, MOMENT)
    assert names(bundle.parent) == [bundle.name]
    assert bundle.read_bytes() == old


def test_a_draft_shows_only_when_it_is_published(tmp_path: Path) -> None:
    path = tmp_path / "demo.zip"
    draft = write_draft(path, MEMBERS, MOMENT)
    assert not path.exists()
    draft.publish()
    draft.discard()  # nothing left to drop
    assert names(tmp_path) == ["demo.zip"]
    assert zipfile.is_zipfile(path)


def test_a_text_is_put_in_place_like_a_bundle(tmp_path: Path) -> None:
    path = tmp_path / "new" / "urls.txt"
    draft = text_draft(path, "ä\n")
    assert not path.exists()
    draft.publish()
    assert path.read_bytes() == "ä\n".encode()
    assert (draft.size, draft.sha256) == (3, hashlib.sha256("ä\n".encode()).hexdigest())
    assert names(path.parent) == ["urls.txt"]


def test_a_long_name_leaves_room_for_the_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / f"{'n' * 250}.zip"
    assert write(path).path.exists()


@pytest.mark.parametrize("kind", ["folder", "link to a file", "link to nothing"])
def test_a_place_that_is_no_plain_file_is_refused(tmp_path: Path, kind: str) -> None:
    path, other = tmp_path / "demo.zip", tmp_path / "other"
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(other)
        if kind == "link to a file":
            other.write_bytes(b"precious")
    before = names(tmp_path)
    with pytest.raises(FileSystemError, match="folder" if kind == "folder" else "symbolic link"):
        write_draft(path, MEMBERS, MOMENT)
    assert names(tmp_path) == before
    assert not other.exists() or other.read_bytes() == b"precious"


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"precious")
    with pytest.raises(FileSystemError) as caught:
        write_draft(tmp_path / "file" / "demo.zip", MEMBERS, MOMENT)
    assert str(tmp_path / "file") in caught.value.problems[0].what
    assert (tmp_path / "file").read_bytes() == b"precious"
