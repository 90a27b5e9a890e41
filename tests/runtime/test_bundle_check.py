"""``check`` and ``list``: every fault of a bundle is told in one run (FAULTS.md 36)."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lockmaker import quick
from runtime.bundlerig import ALPHA, ALPHA_MEMBER, BETA, FORMS, Run, members, put, target
from support.bundles import (
    BundleTarget,
    bundle_bytes,
    json_bytes,
    with_manifest,
)
from support.wheels import build_wheel
from wheeltarget.core.tree import check_member_path
from wheeltarget.runtime.contents import parse_manifest, unsafe
from wheeltarget.runtime.speech import BundleError

MANIFEST = json.loads(members()["manifest.json"])
#: Whatever JSON can say.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
)


@FORMS
def test_all_is_well(as_folder: bool, tmp_path: Path, run: Run) -> None:
    path = put(tmp_path, members(), as_folder=as_folder)
    assert run(path, "check") == 0
    assert (run.out, run.err) == ("all is well: 2 wheels, target here\n", "")
    path = put(tmp_path / "one", members(target("one", ALPHA)), as_folder=True)
    assert run(path, "check") == 0
    assert run.out == "all is well: 1 wheel, target one\n"


@FORMS
def test_every_fault_is_told_at_once(as_folder: bool, tmp_path: Path, run: Run) -> None:
    found = members()
    found["requirements.txt"] += b"more==1\n"
    found[ALPHA_MEMBER] = ALPHA.data[:-1] + b"\1"
    del found[f"wheels/{BETA.filename}"]
    found["wheels/gamma-1.0-py3-none-any.whl"] = b"extra"
    found["<b>\x1b[31m.txt"] = b"extra"
    found["pylock.toml"] = b"short"
    assert run(put(tmp_path, found, as_folder=as_folder), "check") == 6
    assert run.out == ""
    assert sorted(run.errors) == sorted(
        [
            "<b>\\x1b[31m.txt: it holds a character that paths may not have",
            "<b>\\x1b[31m.txt: it does not belong to the bundle",
            "pylock.toml: its sha256 is not the one in the manifest",
            "requirements.txt: its sha256 is not the one in the manifest",
            "requirements.txt: it does not agree with the manifest",
            f"{ALPHA_MEMBER}: its sha256 is not the one in the manifest",
            f"wheels/{BETA.filename}: it is missing",
            "wheels/gamma-1.0-py3-none-any.whl: it does not belong to the bundle",
        ]
    )


def test_a_damaged_bundle_for_another_interpreter(tmp_path: Path, run: Run) -> None:
    found = members(target("old", python="3.5"))
    del found["pylock.toml"]
    assert run(put(tmp_path, found), "check") == 6
    damaged, unlike = run.errors
    assert damaged == "pylock.toml: it is missing"
    assert unlike.startswith("target old: needs Python 3.5, here is Python 3.")


@FORMS
def test_sizes_and_hashes_of_the_manifest(as_folder: bool, tmp_path: Path, run: Run) -> None:
    found = members()
    manifest = json.loads(found["manifest.json"])
    manifest["packages"][0]["size"] += 1
    manifest["packages"][1]["sha256"] = "0" * 64
    path = put(tmp_path, {**found, "manifest.json": json_bytes(manifest)}, as_folder=as_folder)
    assert run(path, "check") == 6
    assert sorted(run.errors) == [
        "requirements.txt: it does not agree with the manifest",
        f"wheels/{BETA.filename}: its sha256 is not the one in the manifest",
        f"{ALPHA_MEMBER}: it has {len(ALPHA.data)} bytes, the manifest says {len(ALPHA.data) + 1}",
    ]


def test_names_that_only_capitals_tell_apart(tmp_path: Path, run: Run) -> None:
    found = {**members(), "Requirements.txt": b""}
    assert run(put(tmp_path, found), "check") == 6
    assert "Requirements.txt: only capitals tell it from requirements.txt" in run.errors


def test_links_in_a_folder(tmp_path: Path, run: Run) -> None:
    path = put(tmp_path, members(), as_folder=True)
    wheel = path / ALPHA_MEMBER
    wheel.rename(tmp_path / "elsewhere.whl")
    wheel.symlink_to(tmp_path / "elsewhere.whl")
    assert run(path, "check") == 6
    assert run.errors == [f"{ALPHA_MEMBER}: it is a link or no file"] * 2


# --- the manifest ---------------------------------------------------------------------------


def test_a_newer_schema(tmp_path: Path, run: Run) -> None:
    path = put(tmp_path, with_manifest(members(), schema=2))
    for command in ("check", "install", "list"):
        assert run(path, command) == 6
        assert run.errors == ["manifest.json has schema 2, this knows schema 1"]
        assert "needs a newer version of wheeltarget" in run.err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "it is not JSON"),
        (b"\xff", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[]", "schema is missing or no number"),
        (b'{"schema": true}', "schema is missing or no number"),
        (b'{"schema": 1, "schema": 1}', "a key stands twice"),
    ],
)
def test_no_manifest(text: bytes, told: str, tmp_path: Path, run: Run) -> None:
    path = put(tmp_path, {**members(), "manifest.json": text})
    assert run(path, "list") == 6
    (error,) = run.errors
    assert error.startswith(f"manifest.json: {told}")


def test_a_missing_or_damaged_manifest(tmp_path: Path, run: Run) -> None:
    found = members()
    path = put(tmp_path, found)
    path.write_bytes(path.read_bytes().replace(b'"schema": 1', b'"schema": 2', 1))
    assert run(path, "check") == 6
    assert run.errors == ["manifest.json: its checksum (CRC) is wrong"]
    del found["manifest.json"]
    assert run(put(tmp_path, found), "check") == 6
    assert run.errors == ["manifest.json: it is missing"]


def test_a_huge_manifest(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wheeltarget.runtime.integrity.LARGEST_MANIFEST", 100)
    assert run(put(tmp_path, members()), "check") == 6
    assert run.errors == ["manifest.json: it is too large"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"layout": "x"}, "layout can't be 'x'"),
        ({"layout": "site-packages"}, "prefix is missing or no text"),
        ({"layout": "site-packages", "prefix": "../"}, "prefix can't be '../'"),
        ({"layout": "site-packages", "prefix": "a"}, "prefix can't be 'a'"),
        ({"packages": {}}, "packages is missing or no list"),
        ({"target": None}, "target is missing or no object"),
        ({"target": {"name": "x", "python": "3"}}, "platforms is missing"),
        ({"targets": []}, "targets is empty"),
        ({"targets": [{"requirements": "/etc/x"}]}, "requirements can't be '/etc/x': it is a path"),
        ({"project": []}, "project is missing or no object"),
    ],
)
def test_a_manifest_of_another_shape(
    changes: dict[str, Any], told: str, tmp_path: Path, run: Run
) -> None:
    assert run(put(tmp_path, with_manifest(members(), **changes)), "check") == 6
    (error,) = run.errors
    assert error.startswith(f"manifest.json: {told}")


@pytest.mark.parametrize("command", ["check", "install", "list"])
def test_every_bad_entry_is_told(command: str, tmp_path: Path, run: Run) -> None:
    manifest = json.loads(members()["manifest.json"])
    good = manifest["packages"][0]
    manifest["packages"] = [
        good,
        {**good, "file": "../../etc/alpha-1.0-py3-none-any.whl"},
        {**good, "file": "beta-1.0-py3-none-any.whl"},
        {**good, "version": "1.0 "},
        {**good, "sha256": "A" * 64},
        {**good, "name": "<fg=red>"},
        "alpha",
        good,
    ]
    manifest["files"].append({"name": "C:\\x\x1b", "sha256": "0" * 64})
    path = put(tmp_path, {**members(), "manifest.json": json_bytes(manifest)})
    assert run(path, command) == 6
    wanted = [
        "packages[1]: file can't be '../../etc/alpha-1.0-py3-none-any.whl': it is a path that",
        "packages[2]: file can't be 'beta-1.0-py3-none-any.whl': it is not the name of a wheel",
        "packages[3]: version can't be '1.0 '",
        "packages[4]: sha256 can't be 'AAAA",
        "packages[5]: name can't be '<fg=red>'",
        "packages[6]: name is missing",
        "packages names alpha twice",
        "files[3]: name can't be 'C:\\x\\x1b': it holds a character",
    ]
    for text in wanted:
        assert any(error.startswith(f"manifest.json: {text}") for error in run.errors), text
    assert "\x1b" not in run.err
    assert not (tmp_path / "etc").exists()


@quick
@given(st.sampled_from(sorted(MANIFEST)), JSON)
def test_any_value_in_a_manifest(key: str, value: object) -> None:
    with contextlib.suppress(BundleError):
        parse_manifest(json_bytes({**MANIFEST, key: value}))


@pytest.mark.parametrize(
    "name",
    [
        *("", "/a", "a//b", "../a", "a/..", "./a", "a\\b", "C:a", "a\0", "a\nb"),
        *("x" * 256, "\u202ea", "a/"),
    ],
)
def test_unsafe_names(name: str) -> None:
    assert unsafe(name, windows=False)
    assert unsafe(name, windows=True)


@pytest.mark.parametrize("name", ["a*", "a.", "a ", "con", "Aux.txt", "x/COM1.log", "p/a:b"])
def test_names_that_mean_something_else_on_windows(name: str) -> None:
    """A wheel for Linux may have them, and the writer of trees lets them in."""
    assert unsafe(name, windows=True)
    assert unsafe(name, windows=False) == ""
    check_member_path(name)


@pytest.mark.parametrize(
    "name", ["a", ".a", "a-b/c_d.e", "console", "com10", "ä", "..a", "x" * 255]
)
def test_safe_names(name: str) -> None:
    assert unsafe(name, windows=True) == unsafe(name, windows=False) == ""


# --- list -----------------------------------------------------------------------------------


def test_list(tmp_path: Path, run: Run) -> None:
    about = {ALPHA.filename: {"built": True, "beyond": True}}
    first = target("win", ALPHA, platforms=["win_amd64"], python="3.8")
    first = BundleTarget(first.document, [ALPHA], [("boto3", "1.35.0")], about)
    path = put(
        tmp_path, members(first, target("mac", python="3.9", platforms=["macosx_11_0_arm64"]))
    )
    assert run(path, "list") == 0
    assert run.err == ""
    assert run.out == (
        "demo 1.0\n"
        "\n"
        "target win: Python 3.8, win_amd64\n"
        f"  alpha  1.0     {len(ALPHA.data)}  built, beyond\n"
        "  boto3  1.35.0       left out\n"
        "\n"
        "target mac: Python 3.9, macosx_11_0_arm64\n"
        f"  alpha     1.0  {len(ALPHA.data)}\n"
        f"  beta-two  2.0  {len(BETA.data)}\n"
    )
    assert run(path, "list", "--select", "mac") == 0
    assert "win" not in run.out


def test_untrusted_text_is_shown_escaped(tmp_path: Path, run: Run) -> None:
    found = with_manifest(
        members(target("<error>\x1b[1m")), project={"name": "a\nb<fg=red>", "version": "\x9b1"}
    )
    assert run(put(tmp_path, found), "list") == 0
    assert run.out.startswith("a\\nb<fg=red> \\x9b1\n\ntarget <error>\\x1b[1m: ")


# --- the command line -----------------------------------------------------------------------


def test_usage(tmp_path: Path, run: Run) -> None:
    path = put(tmp_path, members())
    assert run(path) == 2
    assert "a command is missing" in run.err
    assert run(path, "--help") == 0
    assert run.out.startswith("usage: python b.zip ")
    assert {"check", "install", "list"} <= set(run.out.split())
    assert run(path, "install", "--help") == 0
    assert {"--target", "--venv", "--select"} <= set(run.out.split())
    for arguments in (
        ["chek"],
        ["check", "--all"],
        ["check", "--sel", "x"],
        ["install", "--target", "a", "--venv", "b"],
        ["install", "--target"],
    ):
        assert run(path, *arguments) == 2, arguments


def test_files_that_cannot_be_read(tmp_path: Path, run: Run) -> None:
    assert run(tmp_path / "none.zip", "check") == 7
    assert run.errors == [f"{tmp_path / 'none.zip'}: {os.strerror(2)}"]


def test_wheels_of_odd_names_are_taken(tmp_path: Path, run: Run) -> None:
    odd = build_wheel("Odd.Name_x", "1!2.0+cu118", build="1", tag="py2.py3-none-any")
    assert run(put(tmp_path, members(target("here", odd))), "check") == 0


def test_a_bundle_without_wheels(tmp_path: Path, run: Run) -> None:
    empty = BundleTarget(target().document, [])
    path = tmp_path / "b.zip"
    path.write_bytes(bundle_bytes(members(empty)))
    assert run(path, "check") == 0
    assert run(path, "list") == 0
    assert run.out.endswith(f", {run.out.split()[-1]}\n")
