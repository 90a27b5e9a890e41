"""Presets, description files and per-package platforms, as ``bundle-wheels`` takes them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from plugin.projectmaker import Recipe, stub

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugin.harness import Cli, MakeCli, Outcome

LAMBDA = "aws-lambda-python3.11-x86_64"
NUMPY = stub(
    "numpy",
    "cp311-cp311-manylinux_2_28_x86_64",
    "cp311-cp311-manylinux_2_17_x86_64",
    "cp311-cp311-musllinux_1_2_x86_64",
    "cp313-cp313-android_24_arm64_v8a",
    "cp313-cp313-ios_13_0_arm64_iphoneos",
    "cp313-cp313-pyodide_2025_0_wasm32",
    "cp311-cp311-linux_armv7l",
    "cp311-cp311-macosx_11_0_universal2",
)
BOTO3 = stub("boto3", "py3-none-any")
KERNEL = stub("kernel", "py3-none-any", markers='platform_release >= "5"')


def check(cli: Cli, *args: str) -> Outcome:
    return cli("--check", "--json", *args)


def project(*packages: Any, **targets: Mapping[str, Any]) -> Recipe:
    return Recipe(
        packages=packages or (NUMPY, BOTO3),
        requires_python=">=3.9",
        table={"targets": {name: dict(of) for name, of in targets.items()}} if targets else None,
    )


def file_of(ended: Outcome, name: str = "numpy") -> str:
    """The tag of the file that is chosen for a package."""
    (target,) = ended.document["targets"]
    (package,) = (each for each in target["packages"] if each["name"] == name)
    return str(package["file"]).removesuffix(".whl").split("-", 2)[2]


@pytest.mark.parametrize(
    ("args", "name", "tag"),
    [
        (["-t", LAMBDA], LAMBDA, "cp311-cp311-manylinux_2_17_x86_64"),
        (
            ["-t", "debian-12-x86_64", "--python", "3.11"],
            "debian-12-x86_64",
            "cp311-cp311-manylinux_2_28_x86_64",
        ),
        (
            ["-t", "alpine-3.20-x86_64,cp311"],
            "alpine-3.20-x86_64",
            "cp311-cp311-musllinux_1_2_x86_64",
        ),
        (
            ["-t", "pyodide-python3.13-wasm32"],
            "pyodide-python3.13-wasm32",
            "cp313-cp313-pyodide_2025_0_wasm32",
        ),
        (
            ["-t", "cp313,android_26_arm64_v8a"],
            "cp313-android_26_arm64_v8a",
            "cp313-cp313-android_24_arm64_v8a",
        ),
        (
            ["-t", "cp313,ios_17_2_arm64_iphoneos"],
            "cp313-ios_17_2_arm64_iphoneos",
            "cp313-cp313-ios_13_0_arm64_iphoneos",
        ),
        (
            ["-t", "debian-12-armv7l,linux_armv7l,cp311"],
            "debian-12-armv7l",
            "cp311-cp311-linux_armv7l",
        ),
        (
            ["-t", "cp311,macosx_12_0_universal2"],
            "cp311-macosx_12_0_universal2",
            "cp311-cp311-macosx_11_0_universal2",
        ),
    ],
)
def test_a_machine_can_be_said_by_its_name(
    make_cli: MakeCli, args: list[str], name: str, tag: str
) -> None:
    ended = check(make_cli(project()), *args)
    assert (ended.code, ended.targets, file_of(ended)) == (0, [name], tag)


# --- what a runtime provides --------------------------------------------------------------------


def test_what_the_runtime_provides_is_only_a_suggestion(make_cli: MakeCli) -> None:
    cli = make_cli(project())
    shown = cli("--check", "-t", LAMBDA)
    assert "--exclude boto3\n" in shown.out
    (target,) = check(cli, "-t", LAMBDA).document["targets"]
    assert target["provided"] == ["boto3"]
    assert {p["name"]: p["outcome"] for p in target["packages"]}["boto3"] == "wheel"
    (target,) = check(cli, "-t", LAMBDA, "--exclude", "boto3").document["targets"]
    assert "provided" not in target


# --- the guard ----------------------------------------------------------------------------------


def test_a_target_that_contradicts_its_preset_is_warned_of_and_strictly_refused(
    make_cli: MakeCli,
) -> None:
    cli = make_cli(
        project(
            newer={"extends": LAMBDA, "platforms": ["manylinux_2_28_x86_64"]},
            other={"extends": LAMBDA, "python": "3.12"},
        )
    )
    shown = cli("--check", "-t", "newer")
    assert shown.code == 0
    warning = "takes wheels for glibc 2.28, but the runtime has 2.26: they would deploy, and fail"
    assert f"Warning: the target newer {warning}" in shown.err
    strict = cli("--check", "--strict", "-t", "newer", "-t", "other")
    assert (strict.code, strict.out) == (2, "")
    assert f"Error: the target newer {warning}" in strict.err
    assert "Error: the target other is for Python 3.12, but the runtime has 3.11" in strict.err


# --- packages that may take more ----------------------------------------------------------------


def test_one_package_may_take_more_than_the_target_promises(make_cli: MakeCli) -> None:
    more = {"numpy": {"platforms": ["manylinux_2_28_x86_64"]}}
    cli = make_cli(project(fn={"extends": LAMBDA, "packages": more}))
    ended = check(cli, "--strict")
    assert (ended.code, file_of(ended)) == (0, "cp311-cp311-manylinux_2_28_x86_64")
    shown = cli("--check")
    assert "More than the target promises, as allowed for these packages:" in shown.out
    explained = cli("--check", "--explain", "numpy").out
    assert re.search(r"rank 0 +numpy-1\.0-cp311-cp311-manylinux_2_28_x86_64\.whl", explained)


def test_a_misspelled_package_is_noticed(make_cli: MakeCli) -> None:
    more = {"nunpy": {"platforms": ["manylinux_2_28_x86_64"]}}
    cli = make_cli(project(fn={"extends": LAMBDA, "packages": more}))
    said = "packages names nunpy, which is not in the lock; did you mean 'numpy'?"
    shown = cli("--check")
    assert shown.code == 0
    assert f"Warning: {said}" in shown.err
    strict = cli("--check", "--strict")
    assert strict.code == 4
    assert f"Error: {said}" in strict.err


# --- description files --------------------------------------------------------------------------

TAGS = ["cp311-cp311-manylinux_2_26_x86_64", "cp311-cp311-manylinux_2_17_x86_64", "py3-none-any"]
PEX = {"compatible_tags": TAGS, "marker_environment": {"platform_release": "5.15.0-aws"}}


def write(cli: Cli, document: object, name: str = "box.json") -> None:
    path = cli.project / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")


def test_a_description_is_relative_to_the_current_folder_or_to_the_project(
    make_cli: MakeCli,
) -> None:
    cli = make_cli(project(box={"description-file": "sub/box.json"}))
    write(cli, {"schema": 1, "tags": TAGS, "markers": {}}, "sub/box.json")
    sub = cli.project / "sub"
    ended = cli("--check", "--json", "-t", "@box.json", "-P", str(cli.project), cwd=sub)
    assert (ended.code, ended.targets) == (0, ["cp311-manylinux_2_26_x86_64"])
    ended = cli("--check", "--json", "-t", "box", "-P", str(cli.project), cwd=sub)
    assert (ended.code, ended.targets) == (0, ["box"])
    assert file_of(ended) == "cp311-cp311-manylinux_2_17_x86_64"


def test_a_kernel_frozen_in_a_complete_platform_is_warned_of_and_decides_nothing(
    make_cli: MakeCli,
) -> None:
    cli = make_cli(project(BOTO3, KERNEL))
    write(cli, PEX)
    ended = cli("--check", "-t", "@box.json")
    assert ended.code == 0
    assert "Warning: box.json gives platform_release, the kernel of the machine" in ended.err
    (undecided,) = check(cli, "-t", "@box.json").document["targets"][0]["undecided"]
    assert (undecided["name"], undecided["variable"]) == ("kernel", "platform_release")
    assert cli("--check", "--strict", "-t", "@box.json").code == 4


def test_a_frozen_kernel_that_nothing_asks_for_is_no_error_of_a_strict_run(
    make_cli: MakeCli,
) -> None:
    cli = make_cli(project(BOTO3))
    write(cli, PEX)
    assert cli("--check", "--strict", "-t", "@box.json").code == 0


def test_a_malformed_description_names_its_key(make_cli: MakeCli) -> None:
    cli = make_cli(project())
    write(cli, {"schema": 1, "tags": ["cp311"], "markers": {}})
    ended = cli("--check", "-t", "@box.json")
    assert (ended.code, ended.out) == (2, "")
    assert "box.json: tags[0]: 'cp311' is not a wheel tag" in ended.err


def test_a_folder_or_a_huge_file_is_no_description(make_cli: MakeCli) -> None:
    cli = make_cli(project())
    (cli.project / "huge.json").write_bytes(b" " * (4 * 1024 * 1024 + 1))
    ended = cli("--check", "-t", "@huge.json", "-t", "@.")
    assert ended.code == 2
    assert "huge.json: is larger than 4.2 MB" in ended.err
    assert "cannot read .: Is a directory" in ended.err


def test_a_description_for_a_python_that_the_project_refuses(make_cli: MakeCli) -> None:
    cli = make_cli(project())
    tags = [tag.replace("cp311", "cp38") for tag in TAGS]
    write(cli, {"schema": 1, "tags": tags, "markers": {}})
    ended = cli("--check", "-t", "@box.json")
    assert ended.code == 2
    assert "the project does not allow Python 3.8; it requires >=3.9" in ended.err
