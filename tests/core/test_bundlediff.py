"""In what bundles differ."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from support.bundleforge import (
    ALPHA,
    BETA,
    Members,
    a_bundle,
    a_combined_bundle,
    a_target,
    a_tree,
    contents_of,
    part_of,
    wheelhouse,
)
from support.wheels import BuiltWheel, build_wheel
from wheeltarget.core.bundlediff import (
    Difference,
    difference,
    difference_document,
    difference_lines,
)
from wheeltarget.core.bundlefile import read_manifest
from wheeltarget.core.manifest import Contents
from wheeltarget.core.model import Source

NAME = "cp311-manylinux2014_x86_64"


def compared(before: Members, after: Members) -> Difference:
    one, other = (read_manifest(members["manifest.json"]) for members in (before, after))
    assert (one.problems, other.problems) == ((), ())
    return difference(one, other)


def lines(before: Members, after: Members) -> list[str]:
    return difference_lines(compared(before, after))


def bundle(*wheels: BuiltWheel, main: bytes = b"", **more: Any) -> Members:
    return wheelhouse(contents_of(part_of(*wheels, **more)), *wheels, main=main)


def saying(**more: Any) -> Members:
    contents: Contents = contents_of(part_of(ALPHA, BETA), **more)
    return wheelhouse(contents, ALPHA, BETA)


@pytest.mark.parametrize("make", [a_bundle, a_combined_bundle, a_tree])
def test_a_bundle_does_not_differ_from_itself(make: Any) -> None:
    found = compared(make(), make())
    assert found.same
    assert difference_lines(found) == ["no difference"]
    assert difference_document(found, ["a", "b"]) == {
        "schema": 1,
        "same": True,
        "bundles": ["a", "b"],
        "facts": [],
        "targets": [],
    }


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"content_hash": "decade"}, "lock   c0ffee   ->   decade"),
        ({"generator": ("x", "1")}, "generator   poetry-plugin-wheeltarget 0.1.0   ->   x 1"),
        ({"groups": ("docs",)}, "groups   main   ->   docs"),
        ({"extras": ("cli",)}, "extras   none   ->   cli"),
        ({"extras": tuple("abcde")}, "extras   none   ->   a, b, c and 2 more"),
    ],
)
def test_what_differs_of_the_whole_is_said(change: dict[str, Any], line: str) -> None:
    assert lines(saying(), saying(**change)) == [line]


def test_the_layout_and_the_script_are_compared() -> None:
    one, other = a_bundle(), a_tree("python/")
    assert lines(one, other) == [
        "layout   wheelhouse   ->   site-packages",
        "prefix   none         ->   python/",
    ]
    (found,) = compared(bundle(ALPHA), bundle(ALPHA, main=b"x")).facts
    assert (found.name, found.after) == ("__main__.py", hashlib.sha256(b"x").hexdigest())


def test_packages_come_go_and_change() -> None:
    newer = build_wheel("alpha", "1.1")
    rebuilt = build_wheel("beta", "2.0", modules={"beta.py": ""})
    gamma, delta = build_wheel("gamma", "1"), build_wheel("delta", "1")
    before, after = bundle(ALPHA, BETA, gamma), bundle(newer, rebuilt, delta)
    found = compared(before, after)
    assert [line.split() for line in difference_lines(found)] == [
        [NAME],
        ["alpha", "1.0", "->", "1.1"],
        ["beta", "2.0", "(file)", BETA.filename, "->", rebuilt.filename],
        ["delta", "none", "->", "1"],
        ["gamma", "1", "->", "none"],
    ]
    document: Any = difference_document(found, ["a", "b"])
    (target,) = document["targets"]
    assert [(each["name"], each["change"]) for each in target["packages"]] == [
        ("alpha", "version"),
        ("beta", "file"),
        ("delta", "added"),
        ("gamma", "removed"),
    ]
    assert target["packages"][2]["from"] is None
    assert target["packages"][2]["to"]["file"] == delta.filename


def test_one_file_name_with_two_contents_is_a_difference() -> None:
    other = build_wheel("alpha", "1.0")
    other = replace(other, data=other.data + b"x", sha256="0" * 64)
    (_, line) = lines(bundle(ALPHA), bundle(other))
    assert line == f"  alpha 1.0 (sha256)   {ALPHA.sha256}   ->   {'0' * 64}"


def test_another_source_is_a_difference() -> None:
    git = Source(kind="git", url="https://host/x.git", commit="c0ffee")
    found = compared(bundle(ALPHA), bundle(ALPHA, source=git))
    assert [each.kind for each in found.targets[0].packages] == ["facts"]
    assert difference_lines(found)[1].startswith('  alpha 1.0 (source)   {"type": "index"')


def test_what_is_excluded_is_compared() -> None:
    before = wheelhouse(contents_of(part_of(ALPHA, excluded=["x==1", "y==1"])), ALPHA)
    after = wheelhouse(contents_of(part_of(ALPHA, excluded=["y==2", "z==1"])), ALPHA)
    assert lines(before, after) == [
        NAME,
        "  x (excluded)   1      ->   none",
        "  y (excluded)   1      ->   2",
        "  z (excluded)   none   ->   1",
    ]


def test_two_targets_are_compared_whatever_their_names() -> None:
    before = bundle(ALPHA, target=a_target("cp311,manylinux_2_17_x86_64", "old"))
    after = bundle(ALPHA, target=a_target("cp311,manylinux_2_19_x86_64", "new"))
    assert lines(before, after) == [
        "new",
        "  name        old    ->   new",
        "  platforms   none   ->   manylinux_2_19_x86_64, manylinux_2_18_x86_64",
    ]


def test_the_targets_of_combined_bundles_are_matched_by_name() -> None:
    combined = a_combined_bundle()
    only = wheelhouse(
        contents_of(part_of(ALPHA, target=a_target(name="old")), combined=True), ALPHA
    )
    assert lines(combined, only) == ["old", "  beta   2.0   ->   none", "", "alpine: removed"]
    assert lines(only, combined)[-1] == "alpine: added"


def test_a_combined_bundle_differs_from_one_for_its_only_target() -> None:
    target = a_target(name="old")
    parts = part_of(ALPHA, target=target)
    one, other = (wheelhouse(contents_of(parts, combined=c), ALPHA) for c in (False, True))
    assert lines(one, other) == ["combined   false   ->   true"]


def test_an_order_is_a_difference() -> None:
    one, other = (a_target(f"cp311,linux_x86_64,{tag}") for tag in ("manylinux2014_x86_64",) * 2)
    swapped = replace(other, platforms=tuple(reversed(other.platforms)))
    found = lines(bundle(ALPHA, target=one), bundle(ALPHA, target=swapped))
    assert found[1].startswith("  platforms   manylinux_2_17_x86_64, manylinux2014_x86_64, ")
