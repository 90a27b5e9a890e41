"""Parts of a bundle that cannot be together."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.lockmaker import target_for
from wheeltarget.bundle.parts import merged
from wheeltarget.core.errors import IntegrityError
from wheeltarget.core.manifest import Part
from wheeltarget.core.model import Digest
from wheeltarget.io.cache import Stored

LINUX, WINDOWS = (
    Part(target=target_for(f"cp311,{platform}"), members=())
    for platform in ("manylinux2014_x86_64", "win_amd64")
)


def stored(digit: str) -> Stored:
    return Stored(path=Path(digit), digest=Digest("sha256", digit * 64), size=1)


def test_what_several_parts_have_is_there_once() -> None:
    one, other = {"a.whl": stored("a"), "b.whl": stored("b")}, {"b.whl": stored("b")}
    assert merged([(LINUX, one), (WINDOWS, other)]) == one


def test_one_name_for_two_wheels_is_refused() -> None:
    """A built wheel may be another for each target, by what it requires."""
    with pytest.raises(IntegrityError) as caught:
        merged([(LINUX, {"a.whl": stored("a")}), (WINDOWS, {"a.whl": stored("b")})])
    (problem,) = caught.value.problems
    assert (problem.target, problem.file) == ("cp311-win_amd64", "a.whl")
    assert "--combined" in (problem.hint or "")


def test_names_that_differ_in_case_only_are_refused_across_parts() -> None:
    with pytest.raises(IntegrityError, match=r"a\.whl and A\.whl are one file") as caught:
        merged([(LINUX, {"a.whl": stored("a")}), (WINDOWS, {"A.whl": stored("b")})])
    assert caught.value.problems[0].hint
