"""The zip writer: as zipfile writes what both can write, and deflated members as they are."""

from __future__ import annotations

import io
import os
import shutil
import stat
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.interpreters import by_minor
from wheeltarget.io import zipwriter
from wheeltarget.io.zipwriter import ArchiveMember, Unpacked, ZipTime, write_archive

MOMENT: ZipTime = (2020, 2, 29, 12, 34, 57)
TEXT = b"print('a line that is long enough to be worth it')\n" * 40


def written(members: list[ArchiveMember]) -> bytes:
    file = io.BytesIO()
    write_archive(file, members, MOMENT)
    return file.getvalue()


def by_zipfile(members: list[ArchiveMember]) -> bytes:
    """What the standard library writes for stored members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for member in members:
            info = zipfile.ZipInfo(member.name, MOMENT)
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | (0o755 if member.executable else 0o644)) << 16
            with archive.open(info, "w") as out:
                for chunk in member.content():
                    out.write(chunk)
    return file.getvalue()


def deflated(name: str, data: bytes, *, level: int = 9) -> ArchiveMember:
    """A member that was compressed elsewhere."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    raw = packer.compress(data) + packer.flush()
    return ArchiveMember(
        name=name,
        size=len(raw),
        content=lambda: [raw[:5], raw[5:]],
        deflated=Unpacked(size=len(data), crc=zlib.crc32(data)),
    )


names = st.text(st.characters(codec="utf-8", exclude_characters="\0\\:/"), min_size=1, max_size=9)


@given(st.dictionaries(names, st.tuples(st.binary(max_size=200), st.booleans()), max_size=6))
def test_stored_members_are_written_as_zipfile_writes_them(
    files: dict[str, tuple[bytes, bool]],
) -> None:
    members = [
        ArchiveMember.of_bytes(name, data, executable=executable)
        for name, (data, executable) in files.items()
    ]
    assert written(members) == by_zipfile(members)


def test_more_members_than_16_bits_count() -> None:
    members = [ArchiveMember.of_bytes(f"{n}", b"") for n in range(0x10001)]
    data = written(members)
    assert data == by_zipfile(members)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert len(archive.namelist()) == 0x10001


def test_a_deflated_member_is_copied_as_it_is() -> None:
    member = deflated("a/b.py", TEXT)
    data = written([member, ArchiveMember.of_bytes("c", b"d")])
    assert b"".join(member.content()) in data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        (info, _) = archive.infolist()
        assert (info.compress_type, info.flag_bits) == (zipfile.ZIP_DEFLATED, 0)
        assert (info.file_size, info.compress_size) == (len(TEXT), member.size)
        assert archive.read("a/b.py") == TEXT
        assert archive.testzip() is None
    assert (member.unpacked_size, member.size < len(TEXT)) == (len(TEXT), True)


@pytest.mark.parametrize("large", [zipwriter._LARGE, 30])
def test_old_pythons_read_and_import_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    monkeypatch.setattr(zipwriter, "_LARGE", large)
    path = tmp_path / "x.zip"
    path.write_bytes(written([deflated("mod.py", b"VALUE = 7\n" + TEXT)]))
    for minor in {"3.6", "3.13"} & by_minor().keys() | {""}:
        python = by_minor().get(minor, sys.executable)
        subprocess.run([python, "-m", "zipfile", "-t", path], check=True, capture_output=True)
        if large > 30:  # no zipimport knows ZIP64 before 3.13
            code = "import mod; assert mod.VALUE == 7"
            environment = {**os.environ, "PYTHONPATH": str(path)}
            subprocess.run([python, "-c", code], check=True, capture_output=True, env=environment)


def test_a_member_of_another_size_than_it_says_is_refused() -> None:
    member = ArchiveMember(name="x", size=3, content=lambda: [b"four"])
    with pytest.raises(ValueError, match="x has 4 bytes instead of 3"):
        written([member])


class Sparse(io.FileIO):
    """A file in which runs of zeros take no room."""

    def write(self, data: object) -> int:
        chunk = bytes(data)  # type: ignore[call-overload]
        if chunk.count(0) == len(chunk) > 4096:
            self.seek(len(chunk), os.SEEK_CUR)
            return len(chunk)
        return super().write(chunk)


def zeros(size: int) -> Iterator[bytes]:
    block = bytes(8 * 1024 * 1024)
    for at in range(0, size, len(block)):
        yield block[: min(len(block), size - at)]


def large_archive(file: IO[bytes]) -> None:
    """A stored member above 4 GiB, and a deflated one that begins behind it."""
    size = 2**32 + 5
    write_archive(
        file,
        [
            ArchiveMember(name="large.bin", size=size, content=lambda: zeros(size)),
            deflated("mod.py", TEXT),
        ],
        MOMENT,
    )


@pytest.mark.slow
def test_members_and_offsets_above_4_gib(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    with Sparse(path, "w+") as file:
        large_archive(file)
    with zipfile.ZipFile(path) as archive:
        large, small = archive.infolist()
        assert (large.file_size, large.compress_size) == (2**32 + 5, 2**32 + 5)
        assert small.header_offset > 2**32
        assert archive.read("mod.py") == TEXT
        with archive.open("large.bin") as stream:
            assert stream.read(10) == bytes(10)
    if shutil.which("unzip"):
        subprocess.run(["unzip", "-tqq", path, "mod.py"], check=True, capture_output=True)
