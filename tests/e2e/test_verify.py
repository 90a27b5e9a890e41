"""Bundles that ``bundle-wheels`` really wrote verify clean, and against the lock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plugin.harness import Cli
from plugin.projectmaker import Recipe, locked
from support.wheels import build_wheel

if TYPE_CHECKING:
    from plugin.harness import MakeCli
    from support.index import IndexServer

PURE = build_wheel("alpha", "1.0", requires=["native>=2"])
GLIBC, MUSL = (
    build_wheel("native", "2.0", tag=f"cp311-cp311-{platform}")
    for platform in ("manylinux_2_17_x86_64", "musllinux_1_2_aarch64")
)
TARGETS = ("-t", "cp311,manylinux2014_x86_64", "-t", "cp311,musllinux_1_2_aarch64")


@pytest.fixture
def cli(make_cli: MakeCli, index: IndexServer) -> Cli:
    for wheel in (PURE, GLIBC, MUSL):
        index.add(wheel.filename, wheel.data)
    packages = [locked(PURE), locked(GLIBC, MUSL)]
    cli = make_cli(Recipe(packages=packages, package_mode=True))
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    return cli


def bundles(cli: Cli) -> list[str]:
    return sorted(str(p.relative_to(cli.project)) for p in cli.project.glob("dist/*.zip"))


def test_what_was_written_verifies_and_differs_as_it_should(cli: Cli, tmp_path: Path) -> None:
    assert cli(*TARGETS).code == 0
    assert cli(*TARGETS, "--combined").code == 0
    paths = bundles(cli)
    assert len(paths) == 3
    ended = cli.poetry("wheeltarget", "verify", *paths, "--lock", "--strict")
    assert (ended.code, ended.err) == (0, "")
    assert [line.split("  ")[0] for line in ended.out.splitlines()] == paths
    absolute = [str(cli.project / path) for path in paths]
    assert cli.poetry("wheeltarget", "verify", *absolute, cwd=tmp_path).code == 0
    combined, glibc, musl = paths
    ended = cli.poetry("wheeltarget", "diff", glibc, musl, "--json")
    (target,) = ended.document["targets"]
    assert [(each["name"], each["change"]) for each in target["packages"]] == [("native", "file")]
    assert cli.poetry("wheeltarget", "diff", combined, combined).out == "no difference\n"


def test_what_is_excluded_is_not_missed(cli: Cli) -> None:
    assert cli(*TARGETS[:2], "--exclude", "native").code == 0
    ended = cli.poetry("wheeltarget", "verify", *bundles(cli))
    assert (ended.code, ended.err) == (0, "")


def test_a_group_without_the_project_verifies(cli: Cli) -> None:
    assert cli(*TARGETS[:2], "--no-root").code == 0
    assert cli.poetry("wheeltarget", "verify", *bundles(cli), "--lock").code == 0


@pytest.mark.parametrize("prefix", ["", "python"])
def test_an_installed_tree_verifies(cli: Cli, prefix: str) -> None:
    path = cli.project / "pyproject.toml"
    path.write_text(path.read_text() + f'\n[tool.wheeltarget]\nprefix = "{prefix}"\n')
    assert cli(*TARGETS[:2], "--layout", "site-packages").code == 0
    ended = cli.poetry("wheeltarget", "verify", *bundles(cli), "--strict")
    assert (ended.code, ended.err) == (0, "")
