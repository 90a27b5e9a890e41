"""``--combined``: one bundle for several targets."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from plugin.harness import Cli
from plugin.projectmaker import Recipe, locked
from support.behaviours import flip_byte
from support.wheels import build_wheel

if TYPE_CHECKING:
    from plugin.harness import MakeCli, Outcome
    from support.index import IndexServer

PURE = build_wheel("alpha", "1.0")
GLIBC, MUSL = (
    build_wheel("native", "2.0", tag=f"cp311-cp311-{platform}")
    for platform in ("manylinux_2_17_x86_64", "musllinux_1_2_aarch64")
)
ONLY_MUSL = build_wheel("tools", "3.0")
OLD, ALPINE = "cp311-manylinux2014_x86_64", "cp311-musllinux_1_2_aarch64"
TARGETS = ("-t", "cp311,manylinux2014_x86_64", "-t", "cp311,musllinux_1_2_aarch64")
PATH = Path("dist", "demo-0.1.0-combined.zip")


@pytest.fixture
def cli(make_cli: MakeCli, index: IndexServer) -> Cli:
    """A project with a package for all, one with a wheel for each, and one for Alpine only."""
    for wheel in (PURE, GLIBC, MUSL, ONLY_MUSL):
        index.add(wheel.filename, wheel.data)
    tools = locked(ONLY_MUSL, markers='platform_machine == "aarch64"')
    recipe = Recipe(
        packages=[locked(PURE), locked(GLIBC, MUSL), tools],
        package_mode=True,
        table={
            "targets": {
                "alpine": {"python": "3.11", "platforms": ["musllinux_1_2_aarch64"]},
                "old": {"python": "3.11", "platforms": ["manylinux2014_x86_64"]},
            },
        },
    )
    cli = make_cli(recipe)
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    return cli


def bundled(cli: Cli, ended: Outcome) -> tuple[list[str], dict[str, Any]]:
    """The members and the manifest of the bundle of a run that went well."""
    assert ended.code == 0, ended.err
    with zipfile.ZipFile(cli.project / PATH) as bundle:
        return bundle.namelist(), json.loads(bundle.read("manifest.json"))


def test_one_bundle_has_all_that_each_target_takes(cli: Cli) -> None:
    names, manifest = bundled(cli, cli("--combined", "-t", "old", "-t", "alpine"))
    own = "demo-0.1.0-py3-none-any.whl"
    expected = {
        "old": [PURE.filename, own, GLIBC.filename],
        "alpine": [PURE.filename, own, MUSL.filename, ONLY_MUSL.filename],
    }
    texts = [name for name in names if not name.startswith("wheels/")]
    assert texts[:5] == [
        "manifest.json",
        "requirements/old.txt",
        "requirements/alpine.txt",
        "pylock.old.toml",
        "pylock.alpine.toml",
    ]
    wheels = [name for name in names if name.startswith("wheels/")]
    assert wheels == sorted({f"wheels/{file}" for files in expected.values() for file in files})
    found = {
        each["target"]["name"]: [package["file"] for package in each["packages"]]
        for each in manifest["targets"]
    }
    assert found == expected
    assert {each["requirements"] for each in manifest["targets"]} <= set(texts)
    assert {each["pylock"] for each in manifest["targets"]} <= set(texts)
    with zipfile.ZipFile(cli.project / PATH) as bundle:
        for each in manifest["files"]:
            assert hashlib.sha256(bundle.read(each["name"])).hexdigest() == each["sha256"]
        lines = bundle.read("requirements/old.txt").decode().splitlines()
        assert [line.partition("==")[0] for line in lines] == ["alpha", "demo", "native"]


def test_it_is_reported_once_and_stands_with_every_target(cli: Cli) -> None:
    ended = cli("--combined", *TARGETS, "--no-root", "--json")
    assert [target["name"] for target in ended.document["targets"]] == [OLD, ALPINE]
    first, second = (target["bundle"] for target in ended.document["targets"])
    assert first == second
    assert first["path"] == str(PATH)
    ended = cli("--combined", *TARGETS, "--no-root")
    (line,) = ended.out.splitlines()
    assert line.startswith(f"{PATH}  ")
    assert "  4 wheels  " in line


def test_another_order_of_targets_holds_the_same_wheels(cli: Cli) -> None:
    one = bundled(cli, cli("--combined", *TARGETS))[0]
    other = bundled(cli, cli("--combined", *TARGETS[2:], *TARGETS[:2]))[0]
    assert sorted(one) == sorted(other)


def test_the_same_bytes_in_every_run(cli: Cli) -> None:
    assert cli("--combined", *TARGETS).code == 0
    before = (cli.project / PATH).read_bytes()
    ended = cli.process("--combined", *TARGETS, "--no-cache", settings={"PYTHONHASHSEED": "7"})
    assert ended.code == 0
    assert (cli.project / PATH).read_bytes() == before


def test_one_target_can_be_combined_too(cli: Cli) -> None:
    _, manifest = bundled(cli, cli("--combined", "-t", "old"))
    assert [each["target"]["name"] for each in manifest["targets"]] == ["old"]


def test_a_plain_path_is_enough_for_all(cli: Cli) -> None:
    assert cli("--combined", "-o", "all.zip").code == 0
    assert (cli.project / "all.zip").exists()


def test_one_target_that_fails_keeps_all_from_being_bundled(cli: Cli, index: IndexServer) -> None:
    index.behave(MUSL.filename, flip_byte(), forever=True)
    assert cli("--combined", *TARGETS).code == 6
    assert not (cli.project / PATH).exists()
    assert cli("--combined", *TARGETS, "-t", "cp312,win_amd64").code == 4
