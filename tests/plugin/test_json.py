"""``--json``: one document on stdout whatever happens, everything else on stderr."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

import wheeltarget.plugin.commands.bundle_wheels as command_module
from plugin.projectmaker import Recipe, locked, stub
from support.wheels import build_wheel

if TYPE_CHECKING:
    from plugin.harness import Cli, MakeCli
    from support.index import IndexServer

ANY = "py3-none-any"
WHEEL = build_wheel("alpha", "1.0")
TARGET = ("-t", "cp311,manylinux2014_x86_64")
LOUDNESS = ["", "-q", "-v", "-vv", "-vvv"]


def digest(filename: str) -> str:
    return f"sha256:{hashlib.sha256(filename.encode()).hexdigest()}"


@pytest.fixture
def cli(make_cli: MakeCli, index: IndexServer) -> Cli:
    """One package that can be fetched, from a source that Poetry is told of."""
    index.add(WHEEL.filename, WHEEL.data)
    source = {"name": "private", "url": index.index_url}
    locked_source = {"type": "legacy", "url": index.index_url[:-1], "reference": "private"}
    return make_cli(Recipe(packages=[locked(WHEEL, source=locked_source)], sources=[source]))


def test_the_document_of_a_plan(make_cli: MakeCli) -> None:
    native = "native-2.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    recipe = Recipe(
        packages=[
            stub("Native", native[11:-4], version="2.0"),
            stub("young", "cp311-cp311-manylinux_2_28_x86_64"),
            stub("given", ANY),
            stub("unsure", ANY, markers='platform_release < "5"'),
        ],
        package_mode=True,
    )
    ended = make_cli(recipe)(*TARGET, "--check", "--json", "--exclude", "given")
    document = ended.document
    (target,) = document["targets"]
    assert ended.code == 4
    assert (document["schema"], document["ok"]) == (1, False)
    assert document["project"] == {"name": "demo", "version": "0.1.0"}
    assert {key: target[key] for key in ("name", "ok", "python", "implementation", "abis")} == {
        "name": "cp311-manylinux2014_x86_64",
        "ok": False,
        "python": "3.11",
        "implementation": "cp",
        "abis": ["cp311"],
    }
    assert target["platforms"][:3] == [
        "manylinux_2_17_x86_64",
        "manylinux2014_x86_64",
        "manylinux_2_16_x86_64",
    ]
    assert target["platforms"][-1] == "manylinux1_x86_64"
    assert target["fits-from"] == "manylinux_2_28_x86_64"
    assert "bundle" not in target
    assert target["packages"] == [
        {"name": "demo", "version": "0.1.0", "outcome": "build"},
        {"name": "given", "version": "1.0", "outcome": "excluded"},
        {
            "name": "native",
            "version": "2.0",
            "outcome": "wheel",
            "file": native.replace("native", "Native"),
            "tag": "cp311-cp311-manylinux_2_17_x86_64",
            "hash": digest(native.replace("native", "Native")),
        },
        {
            "name": "unsure",
            "version": "1.0",
            "outcome": "wheel",
            "file": "unsure-1.0-py3-none-any.whl",
            "tag": "py3-none-any",
            "hash": digest("unsure-1.0-py3-none-any.whl"),
        },
        {
            "name": "young",
            "version": "1.0",
            "outcome": "unavailable",
            "rejected": [
                {
                    "file": "young-1.0-cp311-cp311-manylinux_2_28_x86_64.whl",
                    "axis": "platform",
                    "detail": "needs glibc 2.28, the target has 2.17",
                }
            ],
            "hint": "needs glibc 2.28, the target has 2.17",
        },
    ]
    assert target["undecided"] == [
        {
            "name": "unsure",
            "version": "1.0",
            "marker": 'platform_release < "5"',
            "variable": "platform_release",
        }
    ]


def test_the_document_of_a_bundle(cli: Cli) -> None:
    ended = cli(*TARGET, "--json", "-o", "b.zip")
    (target,) = ended.document["targets"]
    data = (cli.project / "b.zip").read_bytes()
    assert ended.code == 0
    assert (ended.document["ok"], target["ok"], target["fits-from"]) == (True, True, None)
    assert target["bundle"] == {
        "path": "b.zip",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
    }
    assert target["packages"][0]["hash"] == f"sha256:{WHEEL.sha256}"


def test_what_is_explained_is_in_the_document(cli: Cli) -> None:
    ended = cli(*TARGET, "--check", "--json", "--explain", "alpha")
    assert ended.document["explained"] == [
        {
            "target": "cp311-manylinux2014_x86_64",
            "name": "alpha",
            "version": "1.0",
            "files": [
                {
                    "file": WHEEL.filename,
                    "rank": ended.document["explained"][0]["files"][0]["rank"],
                    "tag": "py3-none-any",
                }
            ],
        }
    ]


@pytest.mark.parametrize("loudness", LOUDNESS)
@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["--check"], 0),
        ([], 0),
        (["--check", "--explain", "alpha", "--exclude", "nosuch"], 0),
        (["-E", "nosuch"], 2),
        (["--with", "nosuch"], 2),
        (["-o", "{nosuch}.zip"], 2),
        (["--strict", "--only", "main", "--offline"], 5),
    ],
)
def test_stdout_is_one_document(cli: Cli, args: list[str], code: int, loudness: str) -> None:
    ended = cli(*TARGET, "--json", *args, *([loudness] if loudness else []))
    assert ended.code == code
    assert ended.document["ok"] is (code == 0)
    if loudness == "-q":
        assert (ended.err == "") is (code == 0)


@pytest.mark.parametrize("loudness", ["-q", "-vvv"])
@pytest.mark.parametrize(("args", "code"), [(["--check"], 0), ([], 0), (["-E", "nosuch"], 2)])
def test_a_process_with_its_log_prints_one_document(
    cli: Cli, args: list[str], code: int, loudness: str
) -> None:
    ended = cli.process(*TARGET, "--json", *args, loudness)
    assert ended.code == code
    assert ended.document["ok"] is (code == 0)


def test_people_read_the_rest_on_stderr(cli: Cli) -> None:
    checked = cli(*TARGET, "--check", "--json")
    assert "All 1 packages have a wheel" in checked.err.replace(
        "The only package has", "All 1 packages have"
    )
    bundled = cli(*TARGET, "--json")
    assert "Fetching 1 wheel" in bundled.err
    assert "sha256:" in bundled.err
    assert bundled.document["targets"][0]["bundle"]["size"] > 0


@pytest.mark.parametrize("loudness", LOUDNESS)
def test_an_error_of_our_own_is_a_document_too(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, loudness: str
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("our own fault")

    monkeypatch.setattr(command_module, "plan_all", broken)
    ended = cli(*TARGET, "--check", "--json", *([loudness] if loudness else []))
    assert ended.code == 1
    assert (ended.document["ok"], ended.document["targets"]) == (False, [])
    assert "our own fault" in ended.document["errors"][0]["what"]
    assert ("our own fault" in ended.err) is (loudness != "-q")  # quiet is Poetry's doing


def test_an_option_that_does_not_exist_is_a_document_too(cli: Cli) -> None:
    ended = cli(*TARGET, "--check", "--json", "--nonsense")
    assert ended.code == 2
    (error,) = ended.document["errors"]
    assert "--nonsense" in error["what"]


def test_several_errors_stand_together(make_cli: MakeCli) -> None:
    packages = [
        stub("one", ANY, markers='python_full_version < "3.11.2"'),
        stub("one", ANY, version="2.0", markers='python_full_version >= "3.11.2"'),
        stub("two", "cp310-cp310-win32"),
    ]
    ended = make_cli(Recipe(packages=packages))(*TARGET, "--check", "--json")
    assert ended.code == 4
    (target,) = ended.document["targets"]
    assert target["conflicts"] == [
        {
            "name": "one",
            "candidates": [
                {"version": "1.0", "marker": 'python_full_version < "3.11.2"'},
                {"version": "2.0", "marker": 'python_full_version >= "3.11.2"'},
            ],
            "variables": ["python_full_version"],
        }
    ]
    assert len(ended.document["errors"]) == 2
    assert {error["target"] for error in ended.document["errors"]} == {target["name"]}
