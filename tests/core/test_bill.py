"""A bill of materials: wheels, licences, origins, and what needs what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from packaging.utils import canonicalize_name
from poetry.core.constraints.version import parse_constraint

from core.lockmaker import a_project, target_for
from core.test_manifest import contents, member, part
from wheeltarget.core.bill import Bill, make_bill, origin, purl_qualifiers
from wheeltarget.core.licences import Licence
from wheeltarget.core.manifest import Member
from wheeltarget.core.markers import parse_marker
from wheeltarget.core.model import Requirement, Source

#: A target that leaves open what platform_release is.
TARGET = target_for("manylinux2014_x86_64", "3.11")


def metadata(of: Member, *lines: str) -> str:
    return "\n".join([f"Name: {of.name}", f"Version: {of.version}", *lines])


def wanted(
    name: str, marker: str = "", *, extras: Sequence[str] = (), by: Sequence[str] | None = None
) -> Requirement:
    """What the project asks for; ``by`` are the project's extras that it is optional for."""
    return Requirement(
        name=canonicalize_name(name),
        constraint=parse_constraint("*"),
        marker=parse_marker(marker),
        extras=frozenset(map(canonicalize_name, extras)),
        in_extras=frozenset(map(canonicalize_name, by or ())),
        optional=by is not None,
    )


def bill(
    packages: Mapping[str, Sequence[str]],
    *asked: Requirement,
) -> Bill:
    """The bill of a bundle of these packages, each given by lines of its METADATA."""
    members = [member(name) for name in packages]
    texts = {m.wheel.filename: metadata(m, *packages[m.name]) for m in members}
    base = replace(contents(*members), project=a_project("app"), extras=("net",))
    return make_bill(base, part(*members, target=TARGET), texts, asked, {"MIT"}.__contains__)


def needs(of: Bill) -> dict[str, tuple[str, ...]]:
    return {item.member.name: item.needs for item in of.items}


def test_wheels_stand_by_name_with_their_licences() -> None:
    found = bill({"b": ["License: MIT"], "a": []})
    assert [(item.member.name, item.licences) for item in found.items] == [
        ("a", ()),
        ("b", (Licence("MIT", spdx=True),)),
    ]
    assert (found.own, found.needs, found.problems) == (None, (), ())


def test_the_projects_own_wheel_stands_apart() -> None:
    found = bill({"app": ["License: MIT", "Requires-Dist: a"], "a": []}, wanted("a"))
    assert found.own is not None
    assert (found.own.member.name, found.own.needs) == ("app", ("a",))
    assert found.own.licences == (Licence("MIT", spdx=True),)
    assert needs(found) == {"a": ()}


def test_relations_are_those_that_hold_or_may_hold_on_the_target() -> None:
    found = bill(
        {
            "a": [
                "Requires-Dist: B.x",
                'Requires-Dist: win ; sys_platform == "win32"',
                'Requires-Dist: c ; platform_release >= "5"',
                "Requires-Dist: not-there",
                "Requires-Dist: a[more]",
            ],
            "b-x": [],
            "win": [],
            "c": [],
        }
    )
    assert needs(found) == {"a": ("b-x", "c"), "b-x": (), "c": (), "win": ()}


def test_extras_that_the_project_asks_for_bring_relations() -> None:
    packages = {"a": ['Requires-Dist: b ; extra == "tls"'], "b": [], "c": [], "d": []}
    found = bill(
        packages,
        wanted("a"),
        wanted("a", extras=["tls"]),
        wanted("c", 'extra == "net"', by=["net"]),
        wanted("d", by=["other"]),
        wanted("b", 'sys_platform == "win32"'),
        wanted("gone"),
    )
    assert found.needs == ("a", "c")
    assert needs(found)["a"] == ("b",)
    assert needs(bill(packages, wanted("a")))["a"] == ()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Requires-Dist: a b", "METADATA cannot be read"),
        ('Requires-Dist: b ; "x" == extra', "cannot be evaluated"),
    ],
)
def test_a_wheel_with_broken_metadata_stays_and_is_told_of(line: str, reason: str) -> None:
    found = bill({"a": [line, "License: MIT"], "b": ["Requires-Dist: a"]})
    assert needs(found) == {"a": (), "b": ("a",)}
    assert found.items[0].licences == (Licence("MIT", spdx=True),)
    (problem,) = found.problems
    assert reason in problem.what
    assert (problem.package, problem.file) == ("a 1.0", "a-1.0-py3-none-any.whl")


def test_a_wheel_whose_metadata_nobody_could_read_stays() -> None:
    base = contents(member("a"))
    found = make_bill(base, base.parts[0], {}, [], {"MIT"}.__contains__)
    assert needs(found) == {"a": ()}
    assert "METADATA cannot be read" in found.problems[0].what


# --- where a wheel is from ----------------------------------------------------------------------

PRIVATE = Source(url="https://me:secret@host/simple?token=secret", reference="acme")
ARCHIVE = Source(kind="url", url="https://me:secret@host/a-1.0-py3-none-any.whl?sig=secret#x")
FILE = "a-1.0-py3-none-any.whl"


@pytest.mark.parametrize(
    ("source", "built", "qualifiers"),
    [
        (None, True, None),
        (Source(kind="directory", url="../a"), True, None),
        (Source(kind="file", url="a.whl"), False, None),
        (Source(), False, {"file_name": FILE}),
        (Source(), True, {}),
        (PRIVATE, False, {"file_name": FILE, "repository_url": "https://host/simple"}),
        (ARCHIVE, False, {"file_name": FILE, "download_url": f"https://host/{FILE}"}),
        (
            Source(kind="git", url="https://me:secret@host/a.git", commit="c0ffee"),
            True,
            {"vcs_url": "git+https://host/a.git@c0ffee"},
        ),
    ],
)
def test_a_package_url_says_where_a_wheel_is_from_without_secrets(
    source: Source | None, built: bool, qualifiers: dict[str, str] | None
) -> None:
    assert purl_qualifiers(replace(member("a"), source=source, built=built)) == qualifiers


@pytest.mark.parametrize(
    ("source", "address"),
    [
        (None, None),
        (Source(), None),
        (Source(kind="file", url="a.whl"), None),
        (PRIVATE, "https://host/simple"),
        (Source(kind="git", url="git@host:me/a.git", commit="c0"), "git+ssh://host/me/a.git@c0"),
        (Source(kind="git", url="https://host/a.git"), "git+https://host/a.git"),
        (Source(kind="git", url="file://None/home/me/a", commit="c0"), None),
    ],
)
def test_an_origin_is_an_address_that_others_can_use(
    source: Source | None, address: str | None
) -> None:
    assert origin(source) == address
