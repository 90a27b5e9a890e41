"""Names and forms of members."""

from __future__ import annotations

import stat
from dataclasses import replace
from typing import Any

import pytest

from wheeltarget.core.zipform import (
    DEFLATED,
    UTF8,
    Listing,
    ZipMember,
    form_findings,
    name_findings,
    packing_problem,
    unsafe_reason,
)

MEMBER = ZipMember(name="a", offset=0, start=31, packed_size=0, size=0, crc=0)
FOLDER = (stat.S_IFDIR | 0o755) << 16
PROGRAM = (stat.S_IFREG | 0o755) << 16


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        *((name, None) for name in ("a", "a/b.py", "a/", ".hidden/-x", "x~1", "Ä/ß", "a..b")),
        # What an installed tree may have, since a wheel may.
        *((name, None) for name in ("aux.py", "what?.txt", "a./b ")),
        ("../a", "it has the part '..'"),
        ("C:a", "it is absolute"),
        ("", "it has the part ''"),
    ],
)
def test_names_are_safe_as_those_in_wheels_are(name: str, reason: str | None) -> None:
    assert unsafe_reason(name) == reason


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["a", "b", "c/", "c/d", "e/f", "e/g"], []),
        (["a", "a"], ["a is in the archive more than once"]),
        (["ä", "A\u0308"], ["A\u0308 is the same file as ä where case does not count"]),
        (["a", "A/b/c"], ["A/b/c is below a, which is a file"]),
        (["a/b", "a-b", "a", "a!/c"], ["a/b is below a, which is a file"]),
        (["a/b/c", "a/b", "a/d"], ["a/b/c is below a/b, which is a file"]),
        (["a", "a/"], ["a/ is the same file as a where case does not count"]),
    ],
)
def test_names_that_clash(names: list[str], found: list[str]) -> None:
    assert [f"{f.member} {f.what}" for f in name_findings(names)] == found


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"attributes": 0}, None),
        ({"attributes": FOLDER}, None),
        ({"method": DEFLATED, "size": 9}, None),
        ({"attributes": (stat.S_IFLNK | 0o777) << 16}, "is a link or a device"),
        ({"flags": 0x2000}, "is encrypted"),
        ({"flags": 0x10}, "has flags that are not known"),
        ({"method": 9}, "is compressed by method 9, which is neither stored nor deflate"),
        ({"size": 9}, "is stored, and yet has two sizes"),
    ],
)
def test_members_that_cannot_be_unpacked_everywhere(
    change: dict[str, Any], reason: str | None
) -> None:
    assert packing_problem(replace(MEMBER, **change)) == reason


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"name": "ä", "flags": UTF8}, []),
        ({"version": 45, "made_by": (3, 45)}, []),
        ({"name": "a/"}, ["is a folder"]),
        ({"attributes": FOLDER}, ["is a folder"]),
        ({"attributes": PROGRAM}, ["is not a plain file"]),
        ({"attributes": MEMBER.attributes | 1}, ["is not a plain file"]),
        ({"method": DEFLATED}, ["is compressed"]),
        ({"made_by": (0, 20)}, ["is said to be written by another program"]),
        ({"internal": 1}, ["is said to be written by another program"]),
        ({"flags": UTF8}, ["has flags that no bundle has"]),
        ({"extras": (0x5455,)}, ["has extra fields or a comment"]),
        ({"comment": b"x"}, ["has extra fields or a comment"]),
        ({"moment": (34, 0)}, ["has another time than the first member"]),
    ],
)
def test_members_that_no_bundle_has(change: dict[str, Any], found: list[str]) -> None:
    members = [MEMBER, replace(MEMBER, **change)]
    assert [finding.what for finding in form_findings(members, None)] == found


def test_in_a_tree_there_are_programs_and_compressed_files() -> None:
    program = replace(MEMBER, attributes=PROGRAM, method=DEFLATED)
    assert list(form_findings([program], {"manifest.json"})) == []
    assert len(list(form_findings([program], {"a"}))) == 2


def test_of_two_members_with_one_name_the_last_is_found() -> None:
    last = replace(MEMBER, size=1)
    assert Listing(members=(MEMBER, last)).by_name() == {"a": last}
