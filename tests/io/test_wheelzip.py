"""A wheel's members: refused where they cannot be unpacked without harm, and read to their end."""

from __future__ import annotations

import hashlib
import io
import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheeltarget.core.model import Digest
from wheeltarget.io.cache import HashMismatchError, Stored
from wheeltarget.io.wheelzip import MemberReader, WheelMember, read_members, unpacked

TEXT = b"some text that can be made smaller, since it says the same, the same, the same\n" * 50


def zipped(
    *members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED, mode: int = 0o100644
) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = method
            archive.writestr(info, data)
    return buffer.getvalue()


def refused(data: bytes) -> str:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the callers look at what it says
        read_members(io.BytesIO(data))
    return str(caught.value)


def test_members_are_read_in_order_without_folders() -> None:
    data = zipped(("b/", b""), ("b/x.py", TEXT), ("a.py", b""))
    file = io.BytesIO(data)
    members = read_members(file)
    assert [member.path for member in members] == ["b/x.py", "a.py"]
    (member, empty) = members
    assert (member.size, member.crc, member.deflated) == (len(TEXT), zlib.crc32(TEXT), True)
    reader = MemberReader(file, member)
    assert b"".join(reader.chunks()) == TEXT
    assert reader.hashed().content == hashlib.sha256(TEXT).hexdigest()
    raw = data[member.offset : member.offset + member.packed_size]
    assert reader.hashed().data == hashlib.sha256(raw).hexdigest()
    assert zlib.decompress(raw, -15) == TEXT
    assert list(MemberReader(file, empty).chunks()) in ([], [b""])


@given(st.lists(st.binary(max_size=3000), max_size=3), st.booleans(), st.integers(0, 9))
def test_any_content_comes_back(files: list[bytes], deflate: bool, times: int) -> None:
    contents = {f"{number}": data * (10**times // 10**5 + 1) for number, data in enumerate(files)}
    method = zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED
    file = io.BytesIO(zipped(*contents.items(), method=method))
    read = {m.path: b"".join(MemberReader(file, m).chunks()) for m in read_members(file)}
    assert read == contents


def test_the_executable_bit_is_seen() -> None:
    (plain,) = read_members(io.BytesIO(zipped(("x", b""))))
    (executable,) = read_members(io.BytesIO(zipped(("x", b""), mode=0o100755)))
    (windows,) = read_members(io.BytesIO(zipped(("x", b""), mode=0)))
    assert (plain.executable, executable.executable, windows.executable) == (False, True, False)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_twice() -> None:
    assert "'x' is refused: it is in the archive twice" in refused(zipped(("x", b""), ("x", b"")))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices(kind: int) -> None:
    assert "it is a link or a device" in refused(zipped(("x", b"/etc"), mode=kind | 0o777))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods(method: int) -> None:
    reason = f"compressed by method {method}, neither stored nor deflate"
    assert reason in refused(zipped(("x", TEXT), method=method))


def changed(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


LOCAL = 0
ARCHIVE = zipped(("name", TEXT))
CENTRAL = ARCHIVE.index(b"PK\1\2")
END = ARCHIVE.index(b"PK\5\6")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is not a zip archive"),
        (b"x" * 100, "it is not a zip archive"),
        (changed(ARCHIVE, CENTRAL + 8, b"\1"), "it is encrypted"),
        (changed(ARCHIVE, LOCAL + 6, b"\1"), "it is encrypted"),
        (changed(ARCHIVE, LOCAL + 8, b"\0"), "says something else than the directory"),
        (changed(ARCHIVE, LOCAL + 30, b"N"), "says something else than the directory"),
        (changed(ARCHIVE, LOCAL, b"PK\3\5"), "its local header is missing"),
        (changed(ARCHIVE, CENTRAL + 42, b"\xff\xff"), "its local header is missing"),
        (changed(ARCHIVE, END + 16, bytes([CENTRAL + 5, 0])), "it begins before the archive"),
        (changed(ARCHIVE, CENTRAL + 6, b"\xff"), "it is not a zip archive that can be read"),
        (
            changed(ARCHIVE, CENTRAL + 8, b"\0\x08").replace(b"namePK", b"\xff\xffmePK"),
            "can be read",
        ),
    ],
)
def test_archives_that_say_two_things(data: bytes, reason: str) -> None:
    assert reason in refused(data)


def broken(change: Callable[[bytes], tuple[bytes, dict[str, int]]]) -> str:
    """Why a deflated member with other data, or other facts, is refused."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    raw = packer.compress(TEXT) + packer.flush()
    data, facts = change(raw)
    values = {"size": len(TEXT), "packed_size": len(data), "crc": zlib.crc32(TEXT)} | facts
    member = WheelMember(path="x", offset=0, deflated=True, executable=False, **values)
    with pytest.raises(ValueError, match="its member 'x' ") as caught:
        list(MemberReader(io.BytesIO(data), member).chunks())
    return str(caught.value)


def test_content_that_is_not_what_it_says() -> None:
    what = "is not what its size and CRC say"
    assert what in broken(lambda raw: (raw, {"crc": 1}))
    assert what in broken(lambda raw: (raw, {"size": 7}))
    assert what in broken(lambda raw: (raw, {"size": 7_000_000}))


def test_deflate_streams_with_another_end() -> None:
    what = "has another end than it says"
    assert what in broken(lambda raw: (raw[:-3], {}))
    assert what in broken(lambda raw: (raw, {"packed_size": len(raw) + 9}))
    assert what in broken(lambda raw: (raw + b"hidden", {}))
    assert what in broken(lambda raw: (raw + b"hidden" * 100_000, {}))
    assert "cannot be unpacked" in broken(lambda raw: (b"\xff" * len(raw), {}))


def test_a_bomb_is_stopped_at_the_size_that_it_says() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    raw = packer.compress(bytes(200_000_000)) + packer.flush()
    facts = {"size": 10, "packed_size": len(raw), "crc": 0}
    member = WheelMember(path="x", offset=0, deflated=True, executable=False, **facts)
    reader = MemberReader(io.BytesIO(raw), member)
    with pytest.raises(ValueError, match="size and CRC"):
        assert sum(map(len, reader.chunks())) == 0


@pytest.mark.parametrize("change", [b"", b"PK", ARCHIVE.replace(b"name", b"nome"), ARCHIVE[::-1]])
def test_content_that_has_changed_since_it_was_hashed(tmp_path: Path, change: bytes) -> None:
    path = tmp_path / "entry"
    path.write_bytes(ARCHIVE)
    stored = Stored(path=path, digest=Digest("sha256", "0" * 64), size=len(ARCHIVE))
    (member,) = read_members(io.BytesIO(ARCHIVE))
    content = hashlib.sha256(TEXT).hexdigest()
    assert unpacked(stored, member, content) == TEXT
    path.write_bytes(change)
    if b"nome" in change:  # the data is the same
        assert unpacked(stored, member, content) == TEXT
        return
    with pytest.raises(HashMismatchError) as caught:
        unpacked(stored, member, content)
    assert caught.value.digest == stored.digest
