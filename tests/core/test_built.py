"""Wheels that were built here, and what is said of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.lockmaker import a_project, locked, target_for
from wheeltarget.core.built import Origin, doubt, misfit, tag_for, untruths
from wheeltarget.core.metadata import read_metadata
from wheeltarget.core.wheelname import parse_wheel_name

LINUX = target_for("cp311,manylinux2014_x86_64")
OWN = Origin(project=a_project("app", "1.0"))
LIB = Origin(project=a_project("app", "1.0"), package=locked("lib", "2.0"))
NATIVE = parse_wheel_name("lib-2.0-cp311-cp311-linux_x86_64.whl")


@pytest.mark.parametrize(
    ("tags", "tag"),
    [
        ("py3-none-any", "py3-none-any"),
        ("py2.py3-none-any", "py3-none-any"),
        ("cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-manylinux_2_17_x86_64"),
        ("cp311-cp311-linux_x86_64", None),
        ("cp312-cp312-manylinux_2_17_x86_64", None),
    ],
)
def test_a_built_wheel_fits_as_any_other(tags: str, tag: str | None) -> None:
    assert tag_for(parse_wheel_name(f"lib-2.0-{tags}.whl"), LINUX) == tag


def test_that_a_wheel_does_not_fit_names_it_and_says_what_to_do() -> None:
    problem = misfit(LIB, NATIVE, LINUX)
    assert problem.what == (
        f"the wheel built for lib 2.0 {NATIVE.filename} does not fit "
        "cp311-manylinux2014_x86_64: it was built for this machine"
    )
    assert (problem.package, problem.file) == ("lib 2.0", NATIVE.filename)
    assert "--exclude" in (problem.hint or "")
    assert "--no-root" in (misfit(OWN, NATIVE, LINUX).hint or "")
    assert misfit(OWN, NATIVE, LINUX).what.startswith("the project's own wheel ")
    assert misfit(OWN, NATIVE, LINUX).package == "app 1.0"


@pytest.mark.parametrize(
    ("target", "way"),
    [
        ("cp311,manylinux2014_x86_64", "add 'linux_x86_64' to its platforms"),
        ("cp311,musllinux_1_2_x86_64", "add 'linux_x86_64' to its platforms"),
        ("cp312,manylinux2014_x86_64", "bundle on such a machine"),
        ("cp311,manylinux2014_aarch64", "bundle on such a machine"),
        ("cp311,android_24_x86_64", "bundle on such a machine"),
        ("cp311,win_amd64", "bundle on such a machine"),
    ],
)
def test_a_target_may_take_what_is_built_on_a_machine_like_it(target: str, way: str) -> None:
    assert way in (misfit(LIB, NATIVE, target_for(target)).hint or "")


def test_a_bare_linux_tag_is_doubted_where_the_target_has_a_c_library() -> None:
    target = target_for("cp311,manylinux2014_x86_64,linux_x86_64")
    tag = tag_for(NATIVE, target)
    assert tag == "cp311-cp311-linux_x86_64"
    problem = doubt(LIB, NATIVE, tag, target)
    assert problem is not None
    assert "nothing says that it runs with glibc 2.17" in problem.what
    assert doubt(LIB, NATIVE, tag, target_for("cp311,linux_x86_64")) is None
    assert doubt(LIB, NATIVE, "py3-none-any", target) is None


def said(text: str, requires: dict[str, object]) -> list[str]:
    file = "lib-2.0-py3-none-any.whl"
    package = replace(locked("lib", "2.0"), requires=requires)
    problems = list(untruths(package, parse_wheel_name(file), read_metadata(text), LINUX))
    assert all(problem.package == "lib 2.0" and problem.hint for problem in problems)
    prefix = f"{file}, built for lib 2.0, is not what is locked: "
    assert all(problem.what.startswith(prefix) for problem in problems)
    return [problem.what.removeprefix(prefix) for problem in problems]


def test_a_wheel_that_is_what_is_locked_is_true() -> None:
    assert said("Name: lib\nVersion: 2.0\nRequires-Dist: idna\n", {"idna": "*"}) == []


def test_every_untruth_is_told() -> None:
    assert said("Name: lib\nVersion: 2.1\nRequires-Dist: idna\n", {}) == [
        "its METADATA is of lib 2.1",
        "it is lib 2.1, the lock says lib 2.0",
        "it requires idna, the lock does not",
    ]


def test_a_lock_that_cannot_be_read_is_told_too() -> None:
    (reason,) = said("Name: lib\nVersion: 2.0\n", {"idna": 5})
    assert reason == "the lock's dependency idna of lib 2.0 cannot be read"
