"""What is said of versions that targets rule out."""

from __future__ import annotations

from functools import partial

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from core.lockmaker import locked, target_for
from wheeltarget.core.heldback import (
    HeldBack,
    RuledOut,
    held_back_lines,
    mentioned,
    ruled_out_problem,
    spans,
    suggestion,
)
from wheeltarget.core.lockcheck import check_lines, lock_problems, unfit_packages
from wheeltarget.core.offers import Lack
from wheeltarget.core.platforms import parse_platform
from wheeltarget.core.resolve import TargetSettings

NAME = canonicalize_name("fast")
OLD = target_for("manylinux2010_x86_64", "3.8", name="old")
NEEDS_217 = Lack(
    reason="needs glibc 2.17, the target has 2.12",
    fits_from=parse_platform("manylinux2014_x86_64"),
)
NEEDS_228 = Lack(reason="needs glibc 2.28", fits_from=parse_platform("manylinux_2_28_x86_64"))


def versions(text: str) -> list[Version]:
    return [Version(word) for word in text.split()]


def ruled_out(lacks: dict[str, Lack], fitting: str | None = None) -> RuledOut:
    return RuledOut(
        name=NAME,
        target=OLD,
        lacks={Version(version): lack for version, lack in lacks.items()},
        considered=versions("1 2 3 4 5 6 7 8"),
        fitting=Version(fitting) if fitting else None,
    )


@pytest.mark.parametrize(
    ("some", "said"),
    [
        ("3", "3"),
        ("3 4 5", "3 to 5"),
        ("8 1 2 4", "1 to 2, 4, 8"),
        ("1 3 5 7", "1, 3, 5 and 1 more"),
        ("9 10", "9 to 10"),
    ],
)
def test_versions_are_said_as_ranges(some: str, said: str) -> None:
    assert spans(versions(some), versions("1 2 3 4 5 6 7 8")) == said


def test_every_word_may_be_a_name() -> None:
    said = "Because demo depends on Fast_X.y (>=2) which doesn't match any versions."
    assert {"demo", "fast-x-y", "versions"} <= mentioned(said)


def test_what_is_ruled_out_is_told() -> None:
    problem = ruled_out_problem(ruled_out({"2": NEEDS_217}))
    assert problem.what == (
        "fast 2 has no wheel for Python 3.8, glibc 2.12, x86_64 (target old): "
        "needs glibc 2.17, the target has 2.12"
    )
    assert problem.hint == (
        "say manylinux2014_x86_64 if the machine takes it, or name it under exclude, if the "
        "platform provides it"
    )
    assert (problem.package, problem.target) == ("fast", "old")


def test_reasons_are_said_with_their_versions_where_they_differ() -> None:
    reasons = {str(version): Lack(reason=f"reason {version}") for version in (2, 3, 4, 5)}
    problem = ruled_out_problem(ruled_out({**reasons, "6": reasons["5"]}))
    assert "fast 2 to 6 have no wheel for" in problem.what
    assert problem.what.endswith("reason 5 (5 to 6); reason 4 (4); reason 3 (3)")


def test_all_that_would_help_is_said() -> None:
    source = Lack(reason="has no wheel at all", source=True)
    problem = ruled_out_problem(ruled_out({"2": NEEDS_228, "3": NEEDS_217, "4": source}, "1"))
    assert problem.hint == (
        "allow fast 1, the newest that has one, or say manylinux2014_x86_64 if the machine takes "
        "it, or name the package under build, to have it built, or name it under exclude, if the "
        "platform provides it"
    )


def test_what_was_held_back_is_listed() -> None:
    held = [
        HeldBack(
            name=canonicalize_name(name),
            chosen=Version("1"),
            newest=Version("10.0"),
            lack=NEEDS_217,
            target=OLD,
        )
        for name in ("slow", "fast")
    ]
    assert held_back_lines(held) == [
        "Held back, so that the targets have wheels:",
        "",
        "  fast 1   not 10.0   needs glibc 2.17, the target has 2.12   old",
        "  slow 1   not 10.0   needs glibc 2.17, the target has 2.12   old",
        "",
    ]
    assert held_back_lines([]) == []


def test_another_lock_is_suggested_where_one_would_help() -> None:
    one, two = Version("1"), Version("2")
    suggest = partial(suggestion, NAME, command="poetry wheeltarget lock")
    assert suggest(two, allowed=one, constraint="<2") == (
        "fast 1 is the newest that has one; `poetry wheeltarget lock` would choose it"
    )
    assert suggest(two, allowed=None, constraint=">=3") == (
        "fast 2 is the newest that has one, but the project asks for >=3"
    )
    assert suggest(None, allowed=None, constraint="*") is None


# --- the present lock -----------------------------------------------------------------------------

PURE = locked("pure", "1", "pure-1-py3-none-any.whl")
WINDOWS = locked("win", "1", "win-1-cp38-cp38-win_amd64.whl", markers='sys_platform == "win32"')
NEWER = locked("fast", "2", "fast-2-cp38-cp38-manylinux2014_x86_64.whl", "fast-2.tar.gz")
EXTRA = locked("also", "3", "also-3-py2-none-any.whl", markers='extra == "x"')
MAIN = frozenset([canonicalize_name("main")])


def test_a_lock_is_looked_at_with_all_extras() -> None:
    check = unfit_packages([PURE, WINDOWS, NEWER, EXTRA], MAIN, TargetSettings(target=OLD))
    assert check.total == 3
    assert [str(entry.package) for entry in check.unfit] == ["also 3", "fast 2"]
    assert check_lines(check) == [
        "old: Python 3.8, glibc 2.12, x86_64: no wheel in the lock for 2 of 3 packages",
        "",
        "  also 3   no wheel for CPython 3.8 on glibc 2.12 on x86_64",
        "  fast 2   needs glibc 2.17, the target has 2.12",
        "",
    ]
    (problem,) = lock_problems([check])
    assert (problem.what, problem.target) == (
        "the lock does not satisfy old: it has no wheel of also 3, fast 2",
        "old",
    )


def test_what_is_built_or_provided_is_no_lack() -> None:
    settings = TargetSettings(
        target=OLD,
        build=frozenset([canonicalize_name("fast")]),
        exclude=frozenset([canonicalize_name("also")]),
    )
    check = unfit_packages([PURE, NEWER, EXTRA], MAIN, settings)
    assert check_lines(check) == [
        "old: Python 3.8, glibc 2.12, x86_64: every package in the lock has a wheel (2)"
    ]
    assert lock_problems([check]) == []
