"""Targets of a run that are presets, description files, or differ by package."""

from __future__ import annotations

import json

import pytest
from packaging.utils import canonicalize_name

from core.lockmaker import Raw
from core.test_resolve import Host, problems, python_of, resolve
from wheeltarget.core.errors import UsageError
from wheeltarget.core.presets import presets
from wheeltarget.core.target import PythonVersion

LAMBDA = "aws-lambda-python3.11-arm64"


def test_a_preset_brings_its_limit_and_what_it_provides_only_as_a_suggestion() -> None:
    (settings,) = resolve(LAMBDA)
    assert settings.max_unpacked_size == 262_144_000
    assert settings.preset is presets()[LAMBDA]
    assert "boto3" in settings.preset.provides
    assert settings.exclude == frozenset()


def test_a_target_that_extends_a_preset_overrides_its_limit() -> None:
    table: Raw = {"targets": {"fn": {"extends": LAMBDA, "max-unpacked-size": "50 MB"}}}
    (settings,) = resolve("fn", table=table)
    assert settings.max_unpacked_size == 50_000_000
    assert settings.target.name == "fn"
    assert settings.preset is presets()[LAMBDA]


def test_a_distribution_takes_the_python_that_is_asked_for() -> None:
    (settings,) = resolve("debian-12-x86_64", python="3.12")
    assert (settings.target.name, str(settings.target.python)) == ("debian-12-x86_64", "3.12")
    assert settings.max_unpacked_size is None
    assert python_of("debian-12-x86_64,3.10.4") == "3.10.4"


def test_a_tag_is_no_preset() -> None:
    (settings,) = resolve("win32")
    assert settings.preset is None


# --- packages that may take more --------------------------------------------------------------


def more(**packages: list[str]) -> Raw:
    own = {name: {"platforms": tags} for name, tags in packages.items()}
    return {"targets": {"prod": {"platforms": ["manylinux_2_17_x86_64"], "packages": own}}}


def test_a_package_sees_a_target_with_more_platforms() -> None:
    (settings,) = resolve("prod", table=more(numpy=["manylinux_2_28_x86_64"]))
    numpy = settings.target_for(canonicalize_name("numpy"))
    assert numpy.primary.tag == "manylinux_2_28_x86_64"
    assert numpy.platforms[:1] == ("manylinux_2_28_x86_64",)
    assert set(settings.target.tags) < set(numpy.tags)
    assert numpy.environment == settings.target.environment
    assert settings.target_for(canonicalize_name("other")) is settings.target


TAG = "manylinux_2_17_x86_64"


def test_the_platforms_of_a_package_must_be_of_the_targets_machine() -> None:
    assert problems("prod", table=more(numpy=["manylinux_2_28_aarch64"])) == [
        ("prod", f"packages.numpy: {TAG} and manylinux_2_28_aarch64 are of two architectures")
    ]
    assert problems("prod", table=more(numpy=["musllinux_1_2_x86_64"])) == [
        ("prod", "packages.numpy: no machine is all of manylinux_2_17_x86_64, musllinux_1_2_x86_64")
    ]


# --- description files ------------------------------------------------------------------------

TAGS = ["cp311-cp311-manylinux_2_26_x86_64", "py3-none-any"]
BOX: Raw = {"description-file": "box.json"}


def box(**markers: str) -> bytes:
    return json.dumps({"schema": 1, "tags": TAGS, "markers": markers}).encode()


def with_file(data: bytes, *, of_project: bool = False) -> Host:
    path = "project/box.json" if of_project else "box.json"
    return Host(PythonVersion(3, 13), files={path: data})


def test_a_file_is_a_target_named_by_its_tags() -> None:
    host = with_file(box(python_full_version="3.11.9"))
    (settings,) = resolve("@box.json", host=host)
    target = settings.target
    assert target.name == "cp311-manylinux_2_26_x86_64"
    assert target.python == PythonVersion(3, 11, 9)
    assert target.tags == tuple(TAGS)
    assert target.environment["python_full_version"] == "3.11.9"
    assert (host.asked, host.notices, host.remarks) == (0, [], [])


def test_a_declared_file_is_relative_to_the_project_and_keeps_the_declared_name() -> None:
    host = with_file(box(), of_project=True)
    (settings,) = resolve("box", table={"targets": {"box": BOX}}, host=host)
    assert settings.target.name == "box"
    assert settings.target.tags == tuple(TAGS)


def test_the_python_option_makes_a_declared_file_more_precise() -> None:
    host = with_file(box(), of_project=True)
    table: Raw = {"targets": {"box": BOX}}
    (settings,) = resolve("box", table=table, host=host, python="3.11.4")
    assert settings.target.python == PythonVersion(3, 11, 4)
    assert settings.target.environment["python_full_version"] == "3.11.4"
    with pytest.raises(UsageError, match=r"Python 3\.12 and Python 3\.11 contradict each other"):
        resolve("box", table=table, host=host, python="3.12")


def test_an_extending_target_adds_markers_to_a_file() -> None:
    more: Raw = {"extends": "box", "markers": {"python_full_version": "3.11.8"}}
    host = with_file(box(), of_project=True)
    (settings,) = resolve("more", table={"targets": {"box": BOX, "more": more}}, host=host)
    assert settings.target.python == PythonVersion(3, 11, 8)
    assert settings.target.environment["python_full_version"] == "3.11.8"


def test_a_package_may_take_more_than_a_described_machine() -> None:
    packages = {"numpy": {"platforms": ["manylinux_2_28_x86_64"]}}
    table: Raw = {"targets": {"box": {**BOX, "packages": packages}}}
    (settings,) = resolve("box", table=table, host=with_file(box(), of_project=True))
    numpy = settings.target_for(canonicalize_name("numpy"))
    assert numpy.tags[0] == "cp311-cp311-manylinux_2_28_x86_64"
    assert set(TAGS) < set(numpy.tags)


def test_a_frozen_kernel_is_told_once_and_left_unknown() -> None:
    pex = {"compatible_tags": TAGS, "marker_environment": {"platform_release": "5.15-aws"}}
    host = with_file(json.dumps(pex).encode())
    (settings,) = resolve("@box.json", host=host)
    assert "platform_release" not in settings.target.environment
    (remark,) = host.remarks
    assert remark.what.startswith("box.json gives platform_release, the kernel of the machine")
    assert host.notices == []


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("@", "@ needs the path of a description file"),
        ("@no.json", "cannot read no.json: No such file or directory"),
        ("@box.json", "box.json: tags: is missing"),
    ],
)
def test_a_file_that_is_no_description_is_named_with_the_reason(spec: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(spec, host=with_file(b'{"schema": 1}'))
    assert [problem.what for problem in caught.value.problems] == [reason]


class Broken(Host):
    """Neither a disk nor an interpreter."""

    def read_file(self, path: str, declared: bool) -> bytes:
        raise OSError("device on fire")

    def active(self) -> PythonVersion:
        raise ValueError("say it")


def test_an_error_of_the_system_without_a_text_is_still_told() -> None:
    with pytest.raises(UsageError, match=r"cannot read x\.json: device on fire"):
        resolve("@x.json", host=Broken(PythonVersion(3, 13)))


def test_where_nothing_is_active_the_python_must_be_said() -> None:
    with pytest.raises(UsageError, match="say it"):
        resolve("win32", host=Broken(PythonVersion(3, 13)))


# --- --python beside a target that says its own -----------------------------------------------


@pytest.mark.parametrize("spec", ["aws-lambda-python3.11-arm64", "cp311,win32", "@box.json"])
def test_the_option_adds_the_patch_level_to_what_a_spec_says(spec: str) -> None:
    host = with_file(box())
    (settings,) = resolve(spec, python="3.11.4", host=host)
    assert settings.target.python == PythonVersion(3, 11, 4)
    assert settings.target.environment["python_full_version"] == "3.11.4"
    assert host.remarks == []


@pytest.mark.parametrize("spec", ["aws-lambda-python3.11-arm64", "cp311,win32", "@box.json"])
@pytest.mark.parametrize("python", ["3.12", "3.10.4"])
def test_that_the_option_does_not_hold_is_remarked(spec: str, python: str) -> None:
    host = with_file(box())
    (settings,) = resolve(spec, python=python, host=host)
    assert settings.target.python == PythonVersion(3, 11)
    (remark,) = host.remarks
    assert remark.what == f"{spec} says Python 3.11, so --python {python} is not for it"


def test_an_option_that_says_the_same_is_nothing_to_remark() -> None:
    host = with_file(box(python_full_version="3.11.9"))
    resolve("@box.json", python="3.11.9", host=host)
    assert host.remarks == []


def test_a_pre_release_has_no_patch_level_to_be_added() -> None:
    host = with_file(box(python_full_version="3.11.0b2"), of_project=True)
    with pytest.raises(UsageError, match=r"Python 3\.11\.4 and Python 3\.11\.0b2 contradict"):
        resolve("box", table={"targets": {"box": BOX}}, host=host, python="3.11.4")


def test_a_full_version_under_markers_says_the_python_before_the_host_does() -> None:
    target: Raw = {"platforms": ["win32"], "markers": {"python_full_version": "3.12.9"}}
    host = Host(PythonVersion(3, 11))
    (settings,) = resolve("prod", table={"targets": {"prod": target}}, host=host)
    assert (settings.target.python, host.asked) == (PythonVersion(3, 12, 9), 0)
    target["markers"] = {"python_full_version": "x"}
    assert problems("prod", table={"targets": {"prod": target}}) == [
        ("prod", "'x' is not a Python version such as 3.11 or 3.11.9")
    ]


# --- the same, asked for in other ways --------------------------------------------------------


def test_white_space_around_a_target_says_nothing() -> None:
    table: Raw = {"targets": {"prod": {"python": "3.11", "platforms": ["win32"]}}}
    assert resolve(" prod ", "prod", table=table) == resolve("prod", table=table)
    host = with_file(box())
    assert resolve(" @box.json", host=host) == resolve("@box.json", host=host)


def test_a_target_asked_for_twice_is_told_of_once() -> None:
    host = Host(PythonVersion(3, 11))
    table: Raw = {"targets": {"fn": {"extends": LAMBDA, "python": "3.12"}}}
    resolve("fn", "fn", table=table, host=host)
    assert len(host.notices) == 1


def test_what_is_to_be_built_comes_from_table_target_and_option_together() -> None:
    table: Raw = {
        "build": ["A"],
        "targets": {
            "base": {"python": "3.11", "platforms": ["win32"], "build": ["B"]},
            "top": {"extends": "base"},
            "none": {"extends": "base", "build": []},
        },
    }
    top, none = resolve("top", "none", table=table, build=("c",))
    assert top.build == {"a", "b", "c"}
    assert none.build == {"a", "c"}


def test_two_packages_cannot_take_what_no_machine_is() -> None:
    table = more(a=["manylinux_2_28_x86_64"], b=["musllinux_1_2_x86_64"])
    table["targets"] = {
        "prod": {**table["targets"]["prod"], "platforms": ["linux_x86_64"]}  # type: ignore[index]
    }
    ((_, reason),) = problems("prod", table=table)
    assert reason.startswith("packages.b: no machine is all of linux_x86_64, manylinux_2_28")
