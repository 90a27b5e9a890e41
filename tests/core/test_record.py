"""RECORD, read without trust."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.wheels import record
from wheeltarget.core.limits import DEFAULT_LIMITS
from wheeltarget.core.record import Recorded, RecordError, read_record

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
HASH = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"


def test_paths_hashes_and_sizes_are_read() -> None:
    data = record({"a,b.py": b""}, "x.dist-info/RECORD")
    assert read_record(data) == (
        Recorded(path="a,b.py", sha256=EMPTY, size=0),
        Recorded(path="x.dist-info/RECORD", sha256=None, size=None),
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a\n", "line 1: it has 1 fields instead of 3"),
        ("\n", "line 1: it has 0 fields instead of 3"),
        (f"a,{HASH},0\na,{HASH},0\n", "line 2: 'a' stands twice"),
        ("../a,,\n", "line 1: '../a' has an unsafe name"),
        (f"a,{HASH},x\n", "line 1: 'x' is no size"),
        (f"a,{HASH},-1\n", "line 1: '-1' is no size"),
        (f"a,{HASH},{'1' * 20}\n", "is no size"),
        (f"a,{HASH},²\n", "is no size"),
        (f"a,{HASH[:-1]},0\n", "is no sha256 as RECORD writes it"),
        (f"a,{HASH[:-1]}ä,0\n", "is no sha256 as RECORD writes it"),
        (f"a,{HASH.replace('256', '512')},0\n", "is no sha256 as RECORD writes it"),
        ('"a', "cannot be read: "),
    ],
)
def test_a_record_that_cannot_be_read(text: str, reason: str) -> None:
    with pytest.raises(RecordError) as error:
        read_record(text.encode())
    assert reason in str(error.value)


def test_a_record_must_be_text() -> None:
    with pytest.raises(RecordError, match="cannot be read: 'utf-8' codec"):
        read_record(b"\xff")


def test_a_record_has_a_largest_number_of_lines() -> None:
    few = replace(DEFAULT_LIMITS, archive_members=2)
    assert len(read_record(b"a,,\nb,,\n", few)) == 2
    with pytest.raises(RecordError, match="has more than 2 lines"):
        read_record(b"a,,\nb,,\nc,,\n", few)
