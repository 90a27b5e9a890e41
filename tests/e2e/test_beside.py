"""``--sbom`` and ``--export-urls``: what is written beside a bundle, and that it can be used."""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from uv import find_uv_bin

from e2e.buildrig import SDIST, archive, from_tree, tree
from plugin.harness import Cli
from plugin.projectmaker import Locked, Recipe, locked
from support.behaviours import status
from support.tools import run, run_pip
from support.wheels import build_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plugin.harness import MakeCli, Outcome
    from support.index import IndexServer

ALPHA = build_wheel("alpha", "1.0", requires=["beta", 'win ; sys_platform == "win32"'])
BETA = build_wheel("Beta", "2.0+local.1", requires=['gamma ; extra == "more"'])
GAMMA = build_wheel("gamma", "3.0")
OLD = ("-t", "cp311,manylinux2014_x86_64")
NAME = "cp311-manylinux2014_x86_64"
BUNDLE = Path("dist", f"demo-0.1.0-{NAME}.zip")


@pytest.fixture
def cli(make_cli: MakeCli, index: IndexServer) -> Cli:
    """A project with a wheel of its own and three dependencies."""
    for wheel in (ALPHA, BETA, GAMMA):
        index.add(wheel.filename, wheel.data)
    packages = [locked(ALPHA), locked(BETA), locked(GAMMA, groups=["docs"])]
    recipe = Recipe(packages=packages, package_mode=True, groups={"docs": ["gamma"]})
    cli = make_cli(recipe)
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    return cli


def bill(cli: Cli, ended: Outcome, path: str) -> dict[str, Any]:
    """A bill that a run has written, which the schema accepts."""
    assert ended.code == 0, ended.err
    text = (cli.project / path).read_text(encoding="ascii")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document: dict[str, Any] = json.loads(text)
    return document


def hashes(bundle: Path) -> dict[str, str]:
    """The sha256 of each package of a bundle."""
    with zipfile.ZipFile(bundle) as archive:
        packages = json.loads(archive.read("manifest.json"))["packages"]
    return {package["name"]: package["sha256"] for package in packages}


# --- bills of materials ---------------------------------------------------------------------


def test_a_bill_has_exactly_the_wheels_of_the_bundle(cli: Cli) -> None:
    document = bill(
        cli,
        cli(*OLD, "--with", "docs", "--sbom", "out/{name}-{target}.json"),
        (f"out/demo-{NAME}.json"),
    )
    own = document["metadata"]["component"]
    components = [own, *document["components"]]
    assert {c["name"]: c["hashes"][0]["content"] for c in components} == hashes(
        cli.project / BUNDLE
    )
    assert document["dependencies"] == [
        {"dependsOn": ["beta==2.0+local.1"], "ref": "alpha==1.0"},
        {"ref": "beta==2.0+local.1"},
        {
            "dependsOn": ["alpha==1.0", "beta==2.0+local.1", "gamma==3.0"],
            "ref": "demo==0.1.0",
        },
        {"ref": "gamma==3.0"},
    ]
    assert {"name": "wheeltarget:group", "value": "docs"} in document["metadata"]["properties"]


def test_a_bill_is_the_same_in_every_run(cli: Cli) -> None:
    first = bill(cli, cli(*OLD, "--sbom", "one.json"), "one.json")
    assert bill(cli, cli(*OLD, "--offline", "--sbom", "two.json"), "two.json") == first
    assert (cli.project / "one.json").read_bytes() == (cli.project / "two.json").read_bytes()
    assert "timestamp" not in first["metadata"]
    cli.sandbox.settings["SOURCE_DATE_EPOCH"] = "1700000000"
    dated = bill(cli, cli(*OLD, "--sbom", "two.json"), "two.json")
    assert dated["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert dated["serialNumber"] != first["serialNumber"]


def test_a_combined_bundle_has_a_bill_for_each_target(cli: Cli) -> None:
    targets = (*OLD, "-t", "cp312,win_amd64")
    ended = cli(*targets, "--combined", "--sbom", "{target}.json")
    told = [line for line in ended.err.splitlines() if line.startswith("Wrote ")]
    assert told == [f"Wrote {NAME}.json", "Wrote cp312-win_amd64.json"]
    linux = bill(cli, ended, f"{NAME}.json")
    windows = bill(cli, ended, "cp312-win_amd64.json")
    assert linux["serialNumber"] != windows["serialNumber"]


def test_a_wheel_with_broken_metadata_is_a_warning(make_cli: MakeCli, index: IndexServer) -> None:
    broken = build_wheel("alpha", "1.0", requires=["beta (>=1.*)"])
    index.add(broken.filename, broken.data)
    cli = make_cli(Recipe(packages=[locked(broken)]))
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    ended = cli(*OLD, "--sbom", "bill.json")
    assert len(bill(cli, ended, "bill.json")["components"]) == 1
    assert "Warning: the bill of materials lacks what alpha-1.0-py3-none-any.whl" in ended.err


# --- files of URLs ----------------------------------------------------------------------------


def exported(cli: Cli, *args: str) -> list[str]:
    ended = cli(*OLD, "--export-urls", "urls.txt", *args)
    assert ended.code == 0, ended.err
    return (cli.project / "urls.txt").read_text(encoding="ascii").splitlines()


def test_each_wheel_has_its_url_also_from_the_cache(cli: Cli, index: IndexServer) -> None:
    lines = exported(cli)
    assert lines == [
        f"alpha @ {index.file_url(ALPHA.filename)} --hash=sha256:{ALPHA.sha256}",
        f"beta @ {index.file_url(BETA.filename)} --hash=sha256:{BETA.sha256}".replace("+", "%2B"),
        "# demo 0.1.0: built, has no URL",
    ]
    asked = len(index.requests)
    assert asked == 2 * 2  # a page and a file for each
    assert exported(cli) == lines
    assert len(index.requests) == asked + 2


def test_what_has_no_url_is_a_warning_and_an_error_with_strict(
    make_cli: MakeCli, index: IndexServer, tmp_path: Path
) -> None:
    index.add(SDIST.filename, SDIST.data)
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / GAMMA.filename).write_bytes(GAMMA.data)
    tree(tmp_path / "lib-a", "lib-a")
    packages = [
        archive(),
        from_tree("lib-a", "../lib-a"),
        locked(GAMMA, source={"type": "file", "url": GAMMA.filename}),
    ]
    cli = make_cli(Recipe(packages=packages))
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    args = (*OLD, "--build", "old-style", "--export-urls", "urls.txt")
    strict = cli(*args, "--strict")
    assert strict.code == 4
    assert strict.err.count("which has no URL") == 3
    assert not (cli.project / "dist").exists()
    ended = cli(*args)
    assert ended.code == 0, ended.err
    assert ended.err.count("Warning: the file of URLs for") == 3
    assert (cli.project / "urls.txt").read_text(encoding="ascii") == (
        "# gamma 3.0: a file beside the project, has no URL\n"
        "# lib-a 0.1: built, has no URL\n"
        "# old-style 1.0: built, has no URL\n"
    )


def page(index: IndexServer, links: Mapping[str, str]) -> None:
    """Let the index's pages link these files at these addresses."""
    for name, url in links.items():
        body = f'<a href="{url}">{url.rpartition("/")[2].partition("?")[0]}</a>'.encode()
        answer = status(200, {"Content-Type": "text/html"}, body)
        index.behave(f"/simple/{name}/", answer, forever=True)


def test_secrets_stay_out_of_the_file_and_what_may_need_them_is_told(
    make_cli: MakeCli, index: IndexServer
) -> None:
    index.add(ALPHA.filename, ALPHA.data)
    signed = f"{index.file_url(ALPHA.filename)}?signature=hunter2#sha256={ALPHA.sha256}"
    page(index, {"alpha": signed})
    beta = f"{index.file_url(BETA.filename)}".replace("//", "//me:hunter2@").replace("+", "%2B")
    index.add(BETA.filename, BETA.data)
    cli = make_cli(
        Recipe(packages=[locked(ALPHA), locked(BETA, source={"type": "url", "url": beta})])
    )
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    ended = cli(*OLD, "--export-urls", "urls.txt")
    assert ended.code == 0, ended.err
    text = (cli.project / "urls.txt").read_text(encoding="ascii")
    assert "hunter2" not in text + ended.err + ended.out
    assert f"alpha @ {index.file_url(ALPHA.filename)} --hash" in text
    assert f"beta @ {index.file_url(BETA.filename)}".replace("+", "%2B") in text
    assert ended.err.count("is written without its query and credentials") == 2
    strict = cli(*OLD, "--export-urls", "urls.txt", "--strict")
    assert strict.code == 4
    assert "hunter2" not in strict.err


@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
def test_the_hash_is_a_sha256_whatever_the_lock_has(
    make_cli: MakeCli, index: IndexServer, algorithm: str
) -> None:
    digest = hashlib.new(algorithm, GAMMA.data).hexdigest()
    index.add(GAMMA.filename, GAMMA.data)
    files = {GAMMA.filename: f"{algorithm}:{digest}"}
    cli = make_cli(Recipe(packages=[Locked(name="gamma", version="3.0", files=files)]))
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    assert exported(cli) == [
        f"gamma @ {index.file_url(GAMMA.filename)} --hash=sha256:{GAMMA.sha256}"
    ]


def installed(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name.endswith(".dist-info")}


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_installers_fetch_exactly_these_files(
    cli: Cli, index: IndexServer, installer: str, tmp_path: Path
) -> None:
    exported(cli, "--with", "docs")
    index.requests.clear()
    index.add("alpha-9.0-py3-none-any.whl", b"newer")
    folder, file = tmp_path / "installed", str(cli.project / "urls.txt")
    arguments = ("install", "--no-deps", "--target", str(folder), "-r", file)
    if installer == "pip":
        ended = run_pip(*arguments, "--no-index")
    else:
        uv = (find_uv_bin(), "pip", *arguments, "--require-hashes", "--no-index", "--no-cache")
        ended = run([*uv, "--no-config", "--python", sys.executable])
    assert ended.returncode == 0, ended.stderr
    assert sorted(index.downloads()) == sorted(w.filename for w in (ALPHA, BETA, GAMMA))
    assert installed(folder) == {
        "alpha-1.0.dist-info",
        "Beta-2.0+local.1.dist-info",
        "gamma-3.0.dist-info",
    }


def test_an_installer_refuses_another_file_at_the_url(
    cli: Cli, index: IndexServer, tmp_path: Path
) -> None:
    exported(cli)
    index.add(ALPHA.filename, build_wheel("alpha", "1.0", modules={"evil.py": ""}).data)
    file = str(cli.project / "urls.txt")
    ended = run_pip("install", "--no-deps", "--target", str(tmp_path / "installed"), "-r", file)
    assert ended.returncode != 0
    assert "DO NOT MATCH THE HASHES" in ended.stderr


# --- both ---------------------------------------------------------------------------------------

BOTH = ("--sbom", "--export-urls")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        *(
            (("--check", each, "x"), f"{each} writes a file, and --check writes nothing")
            for each in BOTH
        ),
        (
            ("--offline", "--export-urls", "x"),
            "--export-urls asks the index, which --offline forbids",
        ),
        *(
            (("-t", "cp312,win_amd64", each, "x"), f"2 targets cannot share {each} x")
            for each in BOTH
        ),
        *((("-o", "x.zip", each, "x.zip"), "cannot be one file") for each in BOTH),
        (("--sbom", "X", "--export-urls", "x"), "cannot be one file"),
        *(((each, "{foo}"), "cannot be filled in") for each in BOTH),
    ],
)
def test_what_cannot_be_is_a_usage_error_before_anything_is_done(
    cli: Cli, index: IndexServer, args: Sequence[str], said: str
) -> None:
    ended = cli(*OLD, *args)
    assert (ended.code, said in ended.err) == (2, True), ended.err
    assert index.requests == []
    assert not (cli.project / "dist").exists()


@pytest.mark.parametrize("option", BOTH)
def test_a_place_that_cannot_be_written_leaves_the_old_bundle(cli: Cli, option: str) -> None:
    assert cli(*OLD, "--no-root").code == 0
    old = (cli.project / BUNDLE).read_bytes()
    (cli.project / "folder").mkdir()
    ended = cli(*OLD, option, "folder")
    assert ended.code == 7
    assert "it is a folder" in ended.err
    assert (cli.project / BUNDLE).read_bytes() == old
    assert not list(cli.project.rglob("*.partial"))


def test_a_run_that_fails_leaves_what_was_beside_the_bundle(cli: Cli, index: IndexServer) -> None:
    for name in ("bill.json", "urls.txt"):
        (cli.project / name).write_text("old")
    index.behave(BETA.filename, status(404), forever=True)
    ended = cli(*OLD, "--sbom", "bill.json", "--export-urls", "urls.txt")
    assert ended.code == 5
    for name in ("bill.json", "urls.txt"):
        assert (cli.project / name).read_text() == "old"


def test_without_the_library_a_bill_is_a_usage_error(
    cli: Cli, index: IndexServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] == "cyclonedx"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "cyclonedx", None)
    ended = cli(*OLD, "--sbom", "bill.json")
    assert ended.code == 2
    assert 'poetry self add "poetry-plugin-wheeltarget[sbom]"' in ended.err
    assert index.requests == []
    assert cli(*OLD).code == 0
