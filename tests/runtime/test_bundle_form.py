"""The zip of a bundle: no byte of it may change unnoticed."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lockmaker import quick
from runtime.bundlerig import Run, members, put, target
from support.bundles import bundle_bytes, tree_members
from wheeltarget.runtime import archive, records
from wheeltarget.runtime.container import opened
from wheeltarget.runtime.integrity import damages, read_contents
from wheeltarget.runtime.speech import BundleError

SHORT = bundle_bytes(members(short=True))
TREE = bundle_bytes(tree_members(target(), "python/"))


def noticed(path: Path) -> list[str]:
    """What is found wrong with a bundle."""
    try:
        with opened(str(path)) as container:
            return damages(container, read_contents(container))
    except BundleError as error:
        return error.problems


@pytest.mark.parametrize("data", [SHORT, TREE[-2500:]], ids=["wheels", "end of a tree"])
def test_any_flipped_byte_is_noticed(data: bytes, tmp_path: Path) -> None:
    whole = SHORT if data is SHORT else TREE
    offset = len(whole) - len(data)
    path = tmp_path / "b.zip"
    path.write_bytes(whole)
    assert noticed(path) == []
    with path.open("r+b", buffering=0) as file:
        for place in range(len(data)):
            flipped = data[place] ^ (1 << place % 8)
            os.pwrite(file.fileno(), bytes([flipped]), offset + place)
            assert noticed(path), place
            os.pwrite(file.fileno(), data[place : place + 1], offset + place)
    assert noticed(path) == []


@quick
@given(st.data())
def test_any_change_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(SHORT)))
    end = data.draw(st.integers(start, min(len(SHORT), start + 40)))
    new = data.draw(st.binary(max_size=60))
    changed = SHORT[:start] + new + SHORT[end:]
    path = tmp_path_factory.mktemp("changed") / "b.zip"
    path.write_bytes(changed)
    assert bool(noticed(path)) == (changed != SHORT)


# --- what the form may not be ---------------------------------------------------------------


def test_trailing_data_and_a_flipped_wheel_are_both_told(tmp_path: Path, run: Run) -> None:
    path = put(tmp_path, members())
    data = path.read_bytes()
    place = data.index(b"__version__ = '1.0'")
    path.write_bytes(data[:place] + b"#" + data[place + 1 :] + b"more")
    assert run(path, "check") == 6
    assert run.errors == [
        "its end is not as it must be, or something follows it",
        "wheels/alpha-1.0-py3-none-any.whl: its checksum (CRC) is wrong",
    ]
    assert "get it anew" in run.err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: b"#!/bin/sh\n" + data, "it does not begin with its first member"),
        (lambda data: data[:-30], "manifest.json: it is missing"),
        (lambda data: b"", "it is no zip, or cut off"),
        (lambda data: b"PK\5\6" + bytes(17), "it is no zip, or cut off"),
        (lambda data: data[:-2] + b"\3\0zip", "its end is not as it must be"),
        (lambda data: bytes(5) + data[5:], "manifest.json: its header is not where or what"),
    ],
)
def test_forms_that_other_programs_take(
    change: Callable[[bytes], bytes], told: str, tmp_path: Path
) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(change(SHORT))
    assert any(told in problem for problem in noticed(path)), noticed(path)


def test_a_member_that_is_there_twice(tmp_path: Path) -> None:
    found = members(short=True)
    buffer = io.BytesIO(bundle_bytes(found))
    with zipfile.ZipFile(buffer, "a") as file:
        info = zipfile.ZipInfo("requirements.txt", (1980, 1, 1, 0, 0, 0))
        info.create_system, info.external_attr = 3, 0o100644 << 16
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr(info, found["requirements.txt"])
    path = tmp_path / "b.zip"
    path.write_bytes(buffer.getvalue())
    assert noticed(path) == ["requirements.txt: there are two of that name"]


def test_a_wheel_that_is_compressed_or_can_be_run(tmp_path: Path) -> None:
    found = members(short=True)
    path = tmp_path / "b.zip"
    path.write_bytes(bundle_bytes(found, programs=["pylock.toml"]))
    assert noticed(path) == ["pylock.toml: it is compressed, or no plain file"]


def test_a_gap_between_the_members_and_the_directory(tmp_path: Path) -> None:
    found = members(short=True)
    with zipfile.ZipFile(io.BytesIO(SHORT)) as file:
        start = file.start_dir
    end = bytearray(SHORT[start:])
    end[-6:-2] = struct.pack("<L", start + 4)
    path = tmp_path / "b.zip"
    path.write_bytes(SHORT[:start] + b"hid!" + bytes(end))
    assert noticed(path) == ["something stands between its members and their directory"]
    assert len(found) == 6


# --- compressed members ---------------------------------------------------------------------


def deflated(found: dict[str, bytes]) -> bytes:
    """A bundle whose members are compressed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in found.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o100644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, data)
    return buffer.getvalue()


def test_a_tree_may_be_compressed(tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(deflated(tree_members(target())))
    assert noticed(path) == []
    path.write_bytes(deflated(members(short=True)))
    assert len(noticed(path)) == len(members())


def test_compressed_data_that_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = tree_members(target())
    data = bytearray(deflated({**found, "zeros.bin": bytes(3_000_000)}))
    path = tmp_path / "b.zip"
    path.write_bytes(data)
    with archive.Archive(str(path)) as container:
        check_lies(container)


def check_lies(container: archive.Archive) -> None:
    """Each change of what the directory says of the large member is found while it is read."""
    entry = container._entries["zeros.bin"]
    for changed, told in (
        (entry._replace(size=10), "it does not end where it says"),
        (entry._replace(packed=entry.packed - 1), "does not end where it says"),
        (entry._replace(packed=10**9), "it is cut off|does not end where it says"),
        (entry._replace(data=entry.data + 1), "it can't be unpacked"),
        (entry._replace(crc=1), "CRC"),
    ):
        container._entries["zeros.bin"] = changed
        read: list[bytes] = []
        with pytest.raises(archive.DamagedError, match=told):
            read.extend(container.pieces("zeros.bin"))
        if changed.size == 10:  # it stops soon after
            assert sum(map(len, read)) <= archive.CHUNK


# --- ZIP64 ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("large", "many"), [(500, 65535), (10**9, 4), (100, 2)])
def test_large_archives(
    large: int, many: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", large)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", many)
    data = bundle_bytes(members(short=True))
    monkeypatch.undo()
    assert data != SHORT
    monkeypatch.setattr(records, "LARGE", large)
    monkeypatch.setattr(records, "MANY", many)
    path = tmp_path / "b.zip"
    path.write_bytes(data)
    assert noticed(path) == []
    for place in range(0, len(data), 29):
        path.write_bytes(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
        assert noticed(path), place
