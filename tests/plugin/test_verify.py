"""``poetry wheeltarget verify`` and ``diff``, outside of a project and in one."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from plugin.harness import Cli
from plugin.projectmaker import LOCK, Recipe, locked
from support.bundleforge import (
    ALPHA,
    BETA,
    a_bundle,
    a_combined_bundle,
    contents_of,
    part_of,
    wheelhouse,
    zipped,
)
from support.wheels import build_wheel

if TYPE_CHECKING:
    from plugin.harness import MakeCli, Outcome, Sandbox
    from support.bundleforge import Members

DOUBTFUL = build_wheel("alpha", "1.0", requires=['gamma; python_full_version < "3.11.4"'])
EVIL = "wheels/<error>x</error>\x1b[31m.whl"


@pytest.fixture
def nowhere(tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A folder without a project, on a machine without a network."""

    def no_network(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    folder = tmp_path / "empty"
    folder.mkdir()
    return Cli(folder, sandbox)


def write(cli: Cli, name: str, members: Members) -> None:
    (cli.project / name).write_bytes(zipped(members))


def verify(cli: Cli, *args: str) -> Outcome:
    return cli.poetry("wheeltarget", "verify", *args)


def diff(cli: Cli, *args: str) -> Outcome:
    return cli.poetry("wheeltarget", "diff", *args)


# --- verify ---------------------------------------------------------------------------------------


def test_a_line_is_printed_for_each_bundle(nowhere: Cli) -> None:
    write(nowhere, "a.zip", a_bundle())
    write(nowhere, "b.zip", a_combined_bundle())
    ended = verify(nowhere, "a.zip", "b.zip")
    assert (ended.code, ended.err) == (0, "")
    one, other = ended.out.splitlines()
    assert one.startswith("a.zip  5.9 kB  2 wheels  sha256:")
    assert other.startswith("b.zip  ")
    assert "  3 wheels  " in other


def test_every_problem_of_every_bundle_is_listed_in_one_run(nowhere: Cli) -> None:
    members = a_bundle()
    members["requirements.txt"] += b"evil==1\n"
    write(nowhere, "a.zip", {**members, EVIL: b""})
    Path(nowhere.project, "b.zip").write_bytes(zipped(a_bundle()) + b"x")
    write(nowhere, "c.zip", a_bundle())
    ended = verify(nowhere, "a.zip", "b.zip", "missing.zip", "c.zip")
    assert ended.code == 6
    assert ended.out.startswith("c.zip  ")
    for expected in (
        "a.zip: requirements.txt has another sha256 than the manifest says",
        "a.zip: wheels/<error>x</error>\\x1b[31m.whl does not belong to the bundle",
        "b.zip: the file has 1 bytes behind its end",
        "missing.zip cannot be read: No such file or directory",
    ):
        assert f"Error: {expected}" in ended.err
    assert "Traceback" not in ended.err


def test_files_that_cannot_be_read_have_a_code_of_their_own(nowhere: Cli) -> None:
    ended = verify(nowhere, "missing.zip", ".")
    assert ended.code == 7
    assert "missing.zip cannot be read" in ended.err
    assert "Give the path of a bundle." in ended.err


def test_without_a_bundle_there_is_nothing_to_verify(nowhere: Cli) -> None:
    assert verify(nowhere).code == 2


def test_warnings_are_errors_if_asked_for(nowhere: Cli) -> None:
    write(nowhere, "a.zip", wheelhouse(contents_of(part_of(DOUBTFUL)), DOUBTFUL))
    ended = verify(nowhere, "a.zip")
    assert ended.code == 0
    assert ended.err.startswith("Warning: a.zip: alpha 1.0 may require gamma, which is not in")
    ended = verify(nowhere, "a.zip", "--strict")
    assert (ended.code, ended.out) == (6, "")
    assert ended.err.startswith("Error: a.zip: alpha 1.0 may require gamma")


def test_the_document_says_all_of_it(nowhere: Cli) -> None:
    write(nowhere, "a.zip", a_combined_bundle())
    write(nowhere, "b.zip", wheelhouse(contents_of(part_of(DOUBTFUL)), DOUBTFUL))
    Path(nowhere.project, "c.zip").write_bytes(b"x")
    ended = verify(nowhere, "a.zip", "b.zip", "--json")
    assert ended.code == 0
    assert ended.document["schema"] == 1
    assert ended.document["ok"] is True
    first, second = ended.document["bundles"]
    assert (first["path"], first["ok"], first["wheels"]) == ("a.zip", True, 3)
    assert first["project"] == {"name": "demo", "version": "0.1.0"}
    assert first["targets"] == ["old", "alpine"]
    assert (first["problems"], first["warnings"]) == ([], [])
    (warning,) = second["warnings"]
    assert warning["package"] == "alpha 1.0"
    ended = verify(nowhere, "a.zip", "c.zip", "--json")
    assert ended.code == 6
    assert ended.document["ok"] is False
    assert [bundle["ok"] for bundle in ended.document["bundles"]] == [True, False]
    (problem,) = ended.document["bundles"][1]["problems"]
    assert problem["what"] == "the file is not a zip archive, or its end is missing"
    assert ended.document["bundles"][1]["project"] is None


# --- against the lock -----------------------------------------------------------------------------


@pytest.fixture
def project(make_cli: MakeCli) -> Cli:
    """A project with both wheels in its lock."""
    return make_cli(Recipe(packages=[locked(ALPHA), locked(BETA)]))


def locked_hash(cli: Cli) -> str:
    lines = (cli.project / LOCK).read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("content-hash")]
    return line.split('"')[1]


def test_a_bundle_of_the_projects_lock(project: Cli) -> None:
    write(project, "a.zip", a_bundle(content_hash=locked_hash(project)))
    ended = verify(project, "a.zip", "--lock")
    assert (ended.code, ended.err) == (0, "")


def test_a_bundle_of_another_lock(project: Cli) -> None:
    write(project, "a.zip", a_bundle(content_hash="decade"))
    assert verify(project, "a.zip").code == 0
    ended = verify(project, "a.zip", "--lock")
    assert ended.code == 6
    assert "a.zip: the bundle was made from a lock with content-hash decade" in ended.err


def test_a_lock_that_is_missing(project: Cli) -> None:
    (project.project / LOCK).unlink()
    write(project, "a.zip", a_bundle())
    ended = verify(project, "a.zip", "--lock", "--json")
    assert ended.code == 3
    assert ended.document["ok"] is False
    assert ended.document["bundles"] == []
    assert ended.document["errors"][0]["what"] == "there is no poetry.lock"


def test_a_lock_needs_a_project(nowhere: Cli) -> None:
    write(nowhere, "a.zip", a_bundle())
    assert verify(nowhere, "a.zip", "--lock").code == 2


# --- diff -----------------------------------------------------------------------------------------


def changed() -> Members:
    newer = build_wheel("alpha", "1.1", requires=["beta"])
    return wheelhouse(contents_of(part_of(newer, BETA), content_hash="decade"), newer, BETA)


def test_bundles_are_compared(nowhere: Cli) -> None:
    write(nowhere, "a.zip", a_bundle())
    write(nowhere, "b.zip", changed())
    ended = diff(nowhere, "a.zip", "a.zip")
    assert (ended.code, ended.out, ended.err) == (0, "no difference\n", "")
    ended = diff(nowhere, "a.zip", "b.zip")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "lock   c0ffee   ->   decade",
        "",
        "cp311-manylinux2014_x86_64",
        "  alpha   1.0   ->   1.1",
    ]


def test_the_document_of_a_difference(nowhere: Cli) -> None:
    write(nowhere, "a.zip", a_bundle())
    write(nowhere, "b.zip", changed())
    assert diff(nowhere, "a.zip", "a.zip", "--json").document["same"] is True
    ended = diff(nowhere, "a.zip", "b.zip", "--json")
    assert ended.code == 0
    document: Any = ended.document
    assert document["same"] is False
    assert document["bundles"] == ["a.zip", "b.zip"]
    assert document["facts"] == [{"name": "lock", "from": "c0ffee", "to": "decade"}]
    assert document["targets"][0]["packages"][0]["change"] == "version"


def test_what_is_broken_cannot_be_compared(nowhere: Cli) -> None:
    write(nowhere, "a.zip", a_bundle())
    Path(nowhere.project, "b.zip").write_bytes(b"x")
    ended = diff(nowhere, "b.zip", "a.zip")
    assert (ended.code, ended.out) == (6, "")
    assert "b.zip: the file is not a zip archive" in ended.err
    assert diff(nowhere, "a.zip", "missing.zip").code == 7
    assert diff(nowhere, "a.zip").code == 2
