from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lockmaker import quick
from wheeltarget.core.sizes import human_size, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("250 MB", 250_000_000),
        ("250MB", 250_000_000),
        ("250 MiB", 262_144_000),
        ("1.5 GB", 1_500_000_000),
        ("1.5 GiB", 1_610_612_736),
        ("1 kB", 1000),
        ("1 KB", 1000),
        ("1 KiB", 1024),
        ("1 b", 1),
        ("1.001 kB", 1001),
        ("262.15 MB", 262_150_000),
    ],
)
def test_a_size_is_read_in_powers_of_1000_or_of_1024(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "250", "MB", "-1 MB", "1e3 MB", "1,5 GB", "250  MB", "250 MB ", "250 Mb/s", "1 TB"]
)
def test_what_is_no_size_is_refused_with_the_units(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size such as 250 MB; units are B, kB, MB"):
        parse_size(text)


@pytest.mark.parametrize("text", ["0 MB", "0.4 B"])
def test_no_room_at_all_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="leaves room for nothing"):
        parse_size(text)


@quick
@given(st.integers(1, 10**11))
def test_what_is_said_is_what_was_read(size: int) -> None:
    assert parse_size(f"{size} B") == size
    assert abs(parse_size(human_size(size)) - size) <= max(1, size * 0.051)
