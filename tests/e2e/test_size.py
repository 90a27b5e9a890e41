"""``max-unpacked-size``: what a target takes, measured in the wheels themselves."""

from __future__ import annotations

import hashlib
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from plugin.projectmaker import Recipe, locked
from support.wheels import BuiltWheel, build_wheel
from wheeltarget.core.sizes import human_size

if TYPE_CHECKING:
    from plugin.harness import Cli, MakeCli
    from support.index import IndexServer

SMALL, LARGE = build_wheel("small", "1.0"), build_wheel("large", "2.0", requires=["x"] * 1000)
TARGET = {"python": "3.11", "platforms": ["win_amd64"]}


def unpacked(*wheels: BuiltWheel) -> int:
    """What the wheels take on a disk."""
    archives = [zipfile.ZipFile(BytesIO(wheel.data)) for wheel in wheels]
    return sum(len(each.read(name)) for each in archives for name in each.namelist())


@pytest.fixture
def bundle(make_cli: MakeCli, index: IndexServer) -> Any:
    """Bundle both wheels for targets with these limits, by name."""

    def run(package_mode: bool = False, **limits: str | None) -> tuple[Any, Cli]:
        targets = {
            name: {**TARGET, **({"max-unpacked-size": limit} if limit else {})}
            for name, limit in limits.items()
        }
        packages = [locked(wheel) for wheel in (SMALL, LARGE)]
        for wheel in (SMALL, LARGE):
            index.add(wheel.filename, wheel.data)
        cli = make_cli(
            Recipe(packages=packages, table={"targets": targets}, package_mode=package_mode)
        )
        cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
        return cli("-q"), cli

    return run


def test_what_fits_exactly_is_bundled(bundle: Any) -> None:
    ended, cli = bundle(fits=f"{unpacked(SMALL, LARGE)} B", any=None)
    assert (ended.code, ended.err) == (0, "")
    assert len(list((cli.project / "dist").iterdir())) == 2


def test_a_byte_too_much_is_an_error_that_lists_the_largest(bundle: Any) -> None:
    size = unpacked(SMALL, LARGE)
    ended, cli = bundle(tight=f"{size - 1} B", any=None, tiny="1 B")
    assert ended.code == 4
    assert "the wheels for tight unpack to " in ended.err
    assert ", 1 B more than the " in ended.err
    assert f", {human_size(size - 1)} more than the 1 B that it takes" in ended.err
    assert ended.err.index("large 2.0 ") < ended.err.index("small 1.0 ")
    # Not even the bundle of the target that has no limit is written, nor anything else left.
    assert list((cli.project / "dist").iterdir()) == []


def test_sizes_are_told_and_stand_in_the_document(bundle: Any) -> None:
    _, cli = bundle(prod=None)
    ended = cli("--json")
    (target,) = ended.document["targets"]
    expected: list[dict[str, Any]] = [
        {
            "name": wheel.filename.split("-")[0],
            "version": wheel.filename.split("-")[1],
            "packed": len(wheel.data),
            "unpacked": unpacked(wheel),
        }
        for wheel in (LARGE, SMALL)
    ]
    total = {key: sum(size[key] for size in expected) for key in ("packed", "unpacked")}
    assert target["size"] == {**total, "packages": expected}
    title, large, small = ended.err.splitlines()[-4:-1]
    assert f"{human_size(unpacked(LARGE, SMALL))} unpacked" in title
    assert (large.split()[0], small.split()[0]) == ("large", "small")


def test_the_projects_own_wheel_counts(bundle: Any) -> None:
    ended, _ = bundle(package_mode=True, tight=f"{unpacked(SMALL, LARGE)} B")
    assert ended.code == 4
    assert "demo 0.1.0 " in ended.err


def test_a_locked_file_that_is_no_archive_cannot_be_measured(
    make_cli: MakeCli, index: IndexServer
) -> None:
    data = b"no zip at all"
    broken = BuiltWheel(SMALL.filename, data, hashlib.sha256(data).hexdigest())
    index.add(broken.filename, broken.data)
    targets = {"prod": {**TARGET, "max-unpacked-size": "1 GB"}}
    cli = make_cli(Recipe(packages=[locked(broken)], table={"targets": targets}))
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    ended = cli("-q")
    assert ended.code == 6
    assert f"{broken.filename} cannot be measured: it is not a zip archive" in ended.err
    assert list((cli.project / "dist").iterdir()) == []
