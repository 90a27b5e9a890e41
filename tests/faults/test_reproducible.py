"""FAULTS 35: the same lock, project and target give the same bytes, whatever is around them."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from faults.rig import WHEEL, Rig, locked
from plugin.harness import Cli, MakeCli
from plugin.projectmaker import Recipe
from plugin.projectmaker import locked as locked_entry
from support.behaviours import drip
from support.index import IndexServer
from support.wheels import build_wheel

WHEELS = [WHEEL, *(build_wheel(name, "1.0") for name in ("Zeta", "alpha", "be.ta"))]
TARGET = ("-t", "cp311,manylinux2014_x86_64", "-o", "b.zip")


@pytest.fixture
def rig(tmp_path: Path, index: IndexServer) -> Rig:
    """An index with the wheels."""
    for wheel in WHEELS:
        index.add(wheel.filename, wheel.data)
    return Rig(tmp_path, index)


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
@pytest.mark.parametrize("workers", [1, 4])
def test_neither_order_nor_workers_show(rig: Rig, order: slice, workers: int) -> None:
    rig.bundle(*map(locked, WHEELS))
    first = rig.output.read_bytes()
    other = Rig(rig.root / "other", rig.index, workers=workers)
    for place, wheel in enumerate(WHEELS[order]):
        rig.index.behave(wheel.filename, drip(0.001 * place, 500))
    other.bundle(*map(locked, WHEELS[order]))
    assert other.output.read_bytes() == first


def test_the_order_of_members_is_fixed(rig: Rig) -> None:
    rig.bundle(*map(locked, WHEELS))
    names = zipfile.ZipFile(rig.output).namelist()
    wheels = sorted(f"wheels/{wheel.filename}" for wheel in WHEELS)
    assert names[0] == "manifest.json"
    assert names[-len(wheels) :] == wheels


# --- the command itself, with a project that has a wheel of its own ----------------------------


@pytest.fixture
def cli(make_cli: MakeCli, index: IndexServer) -> Cli:
    """A project with one dependency and one module."""
    index.add(WHEEL.filename, WHEEL.data)
    source = {"type": "legacy", "url": index.index_url.rstrip("/"), "reference": "private"}
    sources = [{"name": "private", "url": index.index_url}]
    package = locked_entry(WHEEL, source=source)
    return make_cli(Recipe(packages=[package], sources=sources, package_mode=True))


def bundle(cli: Cli, umask: int, **settings: str) -> bytes:
    """The bytes of a new bundle."""
    ended = cli.process(*TARGET, umask=umask, settings=settings)
    assert ended.code == 0, ended.err
    return (cli.project / "b.zip").read_bytes()


def test_the_surroundings_do_not_show(cli: Cli) -> None:
    first = bundle(cli, 0o022, TZ="UTC", LC_ALL="C", PYTHONHASHSEED="0")

    moved = Cli(cli.project.rename(cli.project.with_name("elsewhere")), cli.sandbox)
    for path in moved.project.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(0o700 if path.is_dir() else 0o600)
    other = {"TZ": "Pacific/Auckland", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "42"}
    assert bundle(moved, 0o077, **other) == first


FIRST, LAST = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)


@pytest.mark.parametrize(
    ("epoch", "moment"),
    [
        (None, FIRST),
        ("1582979696", (2020, 2, 29, 12, 34, 56)),
        ("0", FIRST),
        ("99999999999", LAST),
    ],
)
def test_source_date_epoch(
    cli: Cli, epoch: str | None, moment: tuple[int, int, int, int, int, int]
) -> None:
    if epoch is not None:
        cli.sandbox.settings["SOURCE_DATE_EPOCH"] = epoch
    ended = cli(*TARGET)
    assert ended.code == 0, ended.err
    with zipfile.ZipFile(cli.project / "b.zip") as bundle:
        assert {info.date_time for info in bundle.infolist()} == {moment}
        own = next(name for name in bundle.namelist() if "demo" in name)
        with zipfile.ZipFile(bundle.open(own)) as wheel:
            assert {info.date_time for info in wheel.infolist()} == {moment}


def test_source_date_epoch_that_is_no_number(cli: Cli) -> None:
    cli.sandbox.settings["SOURCE_DATE_EPOCH"] = "yesterday"
    ended = cli(*TARGET)
    assert ended.code == 2
    assert "SOURCE_DATE_EPOCH is 'yesterday'" in ended.err
    assert not (cli.project / "b.zip").exists()
