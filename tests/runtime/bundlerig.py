"""What tests of ``__main__.py`` share: bundles for this interpreter, and runs of its code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from support.bundles import (
    BundleTarget,
    Document,
    bundle_bytes,
    bundle_members,
    json_bytes,
    target_document,
    unpacked,
)
from support.wheels import BuiltWheel, build_wheel
from wheeltarget.runtime.contents import Package, parse_manifest
from wheeltarget.runtime.interpreter import describe
from wheeltarget.runtime.main import main
from wheeltarget.runtime.wheelfile import WheelFile

ALPHA = build_wheel("alpha", "1.0")
BETA = build_wheel("Beta.Two", "2.0")
WHEELS = (ALPHA, BETA)
ALPHA_MEMBER = f"wheels/{ALPHA.filename}"
FORMS = pytest.mark.parametrize("as_folder", [False, True], ids=["zip", "folder"])


@cache
def description() -> Document:
    """The interpreter of the tests."""
    return describe()


def target(name: str = "here", *wheels: BuiltWheel, **changes: object) -> BundleTarget:
    """A target that is this interpreter, but for the changes; by default with two wheels."""
    return BundleTarget(target_document(description(), name, **changes), wheels or WHEELS)


def members(*targets: BundleTarget, short: bool = False) -> dict[str, bytes]:
    """The members of a bundle; a ``short`` one has no real ``__main__.py``."""
    found = bundle_members(*(targets or (target(),)))
    return replaced(found, "__main__.py", b"# short\n") if short else found


def replaced(found: Mapping[str, bytes], name: str, data: bytes) -> dict[str, bytes]:
    """The members with another content of one, to which the manifest agrees."""
    manifest = json.loads(found["manifest.json"])
    for entry in manifest["files"]:
        if entry["name"] == name:
            entry["sha256"] = hashlib.sha256(data).hexdigest()
    return {**found, "manifest.json": json_bytes(manifest), name: data}


def put(tmp_path: Path, found: Mapping[str, bytes], *, as_folder: bool = False) -> Path:
    """The members as a bundle, or unpacked."""
    if as_folder:
        return unpacked(found, tmp_path / "unpacked")
    path = tmp_path / "b.zip"
    path.write_bytes(bundle_bytes(found))
    return path


def package(wheel: BuiltWheel) -> Package:
    """What the manifest says of a wheel."""
    contents = parse_manifest(bundle_members(target("here", wheel))["manifest.json"])
    return contents.parts[0].packages[0]


def wheel_file(wheel: BuiltWheel, folder: Path) -> WheelFile:
    """A wheel that was opened; the test must close its archive."""
    path = folder / wheel.filename
    path.write_bytes(wheel.data)
    return WheelFile(str(path), package(wheel))


class Run:
    """Runs commands of ``__main__.py`` in this process, and keeps what they say."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.out = ""
        self.err = ""

    def __call__(self, path: Path, *arguments: str | Path) -> int:
        """Run a command; the exit code."""
        try:
            code = main(str(path), [str(each) for each in arguments])
        except SystemExit as end:  # argparse
            code = int(end.code or 0)
        self.out, self.err = self._capsys.readouterr()
        return code

    @property
    def errors(self) -> list[str]:
        """The errors that were told."""
        lines = self.err.splitlines()
        return [line[len("Error: ") :] for line in lines if line.startswith("Error: ")]
