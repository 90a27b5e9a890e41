"""``check`` of bundles with an installed tree, and of those for several targets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.bundlerig import ALPHA, ALPHA_MEMBER, FORMS, Run, members, put, target
from support.bundles import (
    json_bytes,
    tree_members,
)

# --- an installed tree ----------------------------------------------------------------------

CHANGES: list[tuple[Callable[[dict[str, bytes]], object], str]] = [
    (lambda t: t.pop("lib/alpha.py"), "lib/alpha.py: it is missing, or outside of the tree"),
    (
        lambda t: t.update({"lib/alpha.py": b"other"}),
        "lib/alpha.py: its sha256 is not the one in lib/alpha-1.0.dist-info/RECORD",
    ),
    (lambda t: t.update({"lib/more.py": b""}), "lib/more.py: it does not belong to the bundle"),
    (lambda t: t.update({"more.py": b""}), "more.py: it does not belong to the bundle"),
    (
        lambda t: t.pop("lib/alpha-1.0.dist-info/RECORD"),
        "lib/alpha-1.0.dist-info/RECORD: it is missing",
    ),
    (
        lambda t: t.update({"lib/alpha-1.0.dist-info/RECORD": b"alpha.py,,\n"}),
        "lib/alpha-1.0.dist-info/RECORD: its sha256 is not the one in the manifest",
    ),
]


@FORMS
@pytest.mark.parametrize(("change", "told"), CHANGES, ids=[told for _, told in CHANGES])
def test_an_installed_tree(
    change: Callable[[dict[str, bytes]], object],
    told: str,
    as_folder: bool,
    tmp_path: Path,
    run: Run,
) -> None:
    found = tree_members(target(), "lib/")
    assert run(put(tmp_path / "well", found, as_folder=True), "check") == 0
    assert run.out == "all is well: 2 packages, target here\n"
    change(found)
    assert run(put(tmp_path, found, as_folder=as_folder), "check") == 6
    assert told in run.errors


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (b"\xff,,\n", "it can't be read"),
        (b"alpha.py,sha256=!,3\n", "its sha256 is not the one in"),
        (b"alpha.py,md5=x,3\n", "its sha256 is not the one in"),
        (b"alpha.py,sha256=AAAAA,3\n", "it can't be read"),
        (b"../../../etc/passwd,sha256=AA,3\n", "it is missing, or outside of the tree"),
        (b"../manifest.json,sha256=AA,3\n", "it is missing, or outside of the tree"),
    ],
)
def test_a_record_that_is_nonsense(record: bytes, told: str, tmp_path: Path, run: Run) -> None:
    found = tree_members(target("here", ALPHA), "lib/")
    name = "lib/alpha-1.0.dist-info/RECORD"
    changed = replaced_record(found, name, record)
    assert run(put(tmp_path, changed), "check") == 6
    assert any(told in error for error in run.errors), run.errors


def replaced_record(found: dict[str, bytes], name: str, data: bytes) -> dict[str, bytes]:
    """Another RECORD, to which the manifest agrees."""
    manifest = json.loads(found["manifest.json"])
    manifest["packages"][0]["record"]["sha256"] = hashlib.sha256(data).hexdigest()
    return {**found, name: data, "manifest.json": json_bytes(manifest)}


# --- several targets ------------------------------------------------------------------------


def combined() -> dict[str, bytes]:
    """A bundle for Windows, for this interpreter, and for an old one."""
    windows = target("win", ALPHA, platforms=["win_amd64"])
    return members(windows, target("here"), target("old", ALPHA, python="3.5", abis=["cp35m"]))


def test_the_first_target_that_fits_is_taken(tmp_path: Path, run: Run) -> None:
    path = put(tmp_path, combined())
    assert run(path, "check") == 0
    assert run.out == "all is well: 2 wheels, target here\n"
    assert run(path, "check", "--select", "here") == 0
    assert run(path, "check", "--select", "win") == 4
    assert all(error.startswith("target win: needs Windows, here is ") for error in run.errors[:1])
    assert run(path, "check", "--select", "none") == 2
    assert "the bundle has no target none" in run.err
    assert "It has: win, here, old." in run.err


def test_no_target_fits(tmp_path: Path, run: Run) -> None:
    path = put(tmp_path, members(target("a.b", python="3.5"), target("c", python="3.4")))
    assert run(path, "check") == 4
    assert [error.partition(":")[0] for error in run.errors] == ["target a.b", "target c"]


def test_targets_must_agree_about_a_wheel(tmp_path: Path, run: Run) -> None:
    found = combined()
    manifest = json.loads(found["manifest.json"])
    manifest["targets"][0]["packages"][0]["sha256"] = "0" * 64
    path = put(tmp_path, {**found, "manifest.json": json_bytes(manifest)})
    assert run(path, "check") == 6
    assert f"{ALPHA_MEMBER}: its sha256 is not the one in the manifest" in run.errors


def test_requirements_that_are_not_among_the_files(tmp_path: Path, run: Run) -> None:
    found = members()
    manifest = json.loads(found["manifest.json"])
    manifest["files"] = [each for each in manifest["files"] if each["name"] != "requirements.txt"]
    del found["requirements.txt"]
    assert run(put(tmp_path, {**found, "manifest.json": json_bytes(manifest)}), "check") == 6
    assert run.errors == ["manifest.json: requirements.txt is not among its files"]
