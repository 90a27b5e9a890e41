"""Wheels put into folders without pip, as the binary distribution format specification says."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lockmaker import quick
from runtime.bundlerig import package, wheel_file
from support.tools import run as run_tool
from support.wheels import BuiltWheel, build_wheel
from wheeltarget.runtime import placing
from wheeltarget.runtime.journal import Journal, all_or_nothing
from wheeltarget.runtime.placing import Places, folder_places, installed_version, is_version_of
from wheeltarget.runtime.speech import BundleError
from wheeltarget.runtime.wheelfile import WheelMember

RICH = build_wheel(
    "Rich.Wheel",
    "1.0",
    modules={"tool.py": "def main():\n    print('main')\n    return 3\n", "pkg/data.txt": "x"},
    extra_members={
        "Rich.Wheel-1.0.data/scripts/plain.sh": b"#!/bin/sh\necho plain\n",
        "Rich.Wheel-1.0.data/scripts/py.py": b"#!python\nimport sys; print(sys.argv[1:])\n",
        "Rich.Wheel-1.0.data/headers/sub/x.h": b"int x;",
        "Rich.Wheel-1.0.data/data/share/doc, with comma.txt": b"text",
        "Rich.Wheel-1.0.data/purelib/pure.py": b"pure = 1\n",
        "Rich.Wheel-1.0.data/platlib/plat.py": b"plat = 1\n",
        "Rich.Wheel-1.0.dist-info/entry_points.txt": b"[console_scripts]\nrun-it = tool:main\n",
        "Rich.Wheel-1.0.dist-info/INSTALLER": b"other\n",
        "Rich.Wheel-1.0.dist-info/RECORD.jws": b"{}",
    },
)


def install(folder: Path, places: Places, *wheels: BuiltWheel) -> Journal:
    """Put wheels into places; what was made."""
    opened = [wheel_file(wheel, folder) for wheel in wheels]
    try:
        with all_or_nothing() as journal:
            placing.place(opened, places, journal)
        return journal
    finally:
        for wheel in opened:
            wheel.archive.close()


def five(folder: Path) -> Places:
    """Places that are all different."""
    return Places(*(str(folder / "site" / name) for name in Places._fields))


def tree(folder: Path) -> dict[str, Path]:
    return {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}


# --- where files go -------------------------------------------------------------------------


def test_every_file_has_its_place(tmp_path: Path) -> None:
    install(tmp_path, five(tmp_path), RICH)
    found = tree(tmp_path / "site")
    info = "purelib/Rich.Wheel-1.0.dist-info"
    assert set(found) == {
        *("purelib/tool.py", "purelib/pkg/data.txt", "purelib/pure.py", "platlib/plat.py"),
        *("headers/Rich.Wheel/sub/x.h", "data/share/doc, with comma.txt"),
        *("scripts/plain.sh", "scripts/py.py", "scripts/run-it"),
        *(f"{info}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "INSTALLER")),
        f"{info}/entry_points.txt",
    }
    assert found[f"{info}/INSTALLER"].read_text() == "wheeltarget\n"
    check_record(found[f"{info}/RECORD"], set(found))


def check_record(record: Path, installed: set[str]) -> None:
    """A RECORD names all files, with hashes that ``record_bytes`` of the tests gives, too."""
    rows = list(csv.reader(io.StringIO(record.read_text())))
    base = record.parent.parent
    paths = {os.path.normpath(base / row[0]) for row in rows}
    assert paths == {os.path.normpath(base.parent / name) for name in installed}
    assert all("\\" not in row[0] for row in rows)
    for path, digest, size in rows:
        if path.endswith("/RECORD"):
            assert (digest, size) == ("", "")
            continue
        data = (base / path).read_bytes()
        raw = base64.urlsafe_b64decode(digest[len("sha256=") :] + "=")
        assert (raw, size) == (hashlib.sha256(data).digest(), str(len(data)))


def test_the_root_goes_where_the_wheel_says(tmp_path: Path) -> None:
    for number, (said, place_name) in enumerate(
        [(b" TRUE ", "purelib"), (b"false", "platlib"), (b"", "platlib")]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        header = b"Wheel-Version: 1.9\nRoot-Is-Purelib: " + said + b"\n"
        members = {"a-1.0.dist-info/WHEEL": header}
        install(folder, five(folder), changed(build_wheel("a", "1.0"), members))
        assert [path.name for path in (folder / "site").iterdir()] == [place_name]


def changed(wheel: BuiltWheel, members: Mapping[str, bytes | None]) -> BuiltWheel:
    """A wheel with other members; None takes one away."""
    with zipfile.ZipFile(io.BytesIO(wheel.data)) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in {**kept, **members}.items():
            if data is not None:
                archive.writestr(name, data)
    return BuiltWheel(wheel.filename, buffer.getvalue(), wheel.sha256)


def test_what_can_be_run(tmp_path: Path) -> None:
    buffer = io.BytesIO(RICH.data)
    with zipfile.ZipFile(buffer, "a") as archive:
        info = zipfile.ZipInfo("pkg/program")
        info.external_attr = 0o100755 << 16
        archive.writestr(info, b"#!/bin/sh\n")
    wheel = BuiltWheel(RICH.filename, buffer.getvalue(), RICH.sha256)
    install(tmp_path, folder_places(str(tmp_path / "site")), wheel)
    runnable = {name for name, p in tree(tmp_path / "site").items() if p.stat().st_mode & 0o100}
    assert runnable == {"pkg/program", "bin/plain.sh", "bin/py.py", "bin/run-it"}


def test_installed_commands_run(tmp_path: Path) -> None:
    site = tmp_path / "site"
    install(tmp_path, folder_places(str(site)), RICH)
    settings = {"PYTHONPATH": str(site)}
    assert run_tool([str(site / "bin/plain.sh")]).stdout == "plain\n"
    assert run_tool([str(site / "bin/py.py"), "a b"]).stdout == "['a b']\n"
    ended = run_tool([str(site / "bin/run-it")], settings)
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "main\n", "")


# --- wheels that are refused ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "told"),
    [
        (
            {"a-1.0.dist-info/WHEEL": b"Wheel-Version: 2.0\n"},
            "it has Wheel-Version 2.0, this",
        ),
        ({"a-1.0.dist-info/WHEEL": b""}, "it has Wheel-Version , this knows 1"),
        ({"a-1.0.dist-info/WHEEL": b"\xff"}, "it can't be read"),
        ({"a-1.0.dist-info/WHEEL": None}, "it can't be read"),
        ({"b-1.0.dist-info/METADATA": b""}, "it has not exactly one .dist-info folder"),
        ({"../x.py": b""}, "its member '../x.py' is refused: it is a path that"),
        ({"/x.py": b""}, "its member '/x.py' is refused: it is a path from the root"),
        ({"a:b.py": b""}, "its member 'a:b.py' is refused"),
        ({"a-1.0.data/scripts/../x": b""}, "its member 'a-1.0.data/scripts/../x' is refused"),
        ({"a-1.0.data/secret/x": b""}, "goes to no known place"),
        ({"a-1.0.data/x": b""}, "goes to no known place"),
        ({"a-1.0.dist-info/entry_points.txt": b"x"}, "its entry_points.txt can't be read"),
        ({"a-1.0.dist-info/entry_points.txt": b"\xff"}, "its entry_points.txt can't be read"),
    ],
)
def test_wheels_that_are_refused(
    members: dict[str, bytes | None], told: str, tmp_path: Path
) -> None:
    wheel = changed(build_wheel("a", "1.0"), members)
    with pytest.raises(BundleError) as caught:
        install(tmp_path, five(tmp_path), wheel)
    assert caught.value.code == 6
    (problem,) = caught.value.problems
    assert problem.startswith(f"{wheel.filename}: ")
    assert told in problem
    assert sorted(tree(tmp_path)) == [wheel.filename]


def test_no_zip(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="it can't be read: File is not a zip file"):
        install(tmp_path, five(tmp_path), BuiltWheel("a-1.0-py3-none-any.whl", b"x", "0" * 64))


def test_a_wheel_of_another_name(tmp_path: Path) -> None:
    wheel = build_wheel("b", "1.0")
    renamed = BuiltWheel("a-1.0-py3-none-any.whl", wheel.data, wheel.sha256)
    with pytest.raises(BundleError, match=r"not exactly one \.dist-info folder of its name"):
        install(tmp_path, five(tmp_path), renamed)


# --- collisions -----------------------------------------------------------------------------


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    places = folder_places(str(tmp_path / "site"))
    (tmp_path / "site/bin").mkdir(parents=True)
    for name in ("tool.py", "bin/run-it"):
        (tmp_path / "site" / name).write_text("mine")
    with pytest.raises(BundleError) as caught:
        install(tmp_path, places, build_wheel("alpha", "1.0"), RICH)
    assert caught.value.code == 7
    assert caught.value.problems == [
        f"rich-wheel: {tmp_path / 'site/tool.py'} is there already",
        f"rich-wheel: {tmp_path / 'site/bin/run-it'} is there already",
    ]
    assert set(tree(tmp_path / "site")) == {"tool.py", "bin/run-it"}


def test_two_wheels_with_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same = {"shared/__init__.py": b"", "shared/unlike.py": b"a"}
    one = build_wheel("one", "1.0", extra_members=same)
    two = build_wheel("two", "1.0", extra_members={**same, "shared/unlike.py": b"b"})
    install(tmp_path, folder_places(str(tmp_path / "site")), one, two)
    path = tmp_path / "site/shared/unlike.py"
    assert path.read_bytes() == b"b"
    said = capsys.readouterr().err
    assert said == f"Warning: both one and two have {path}; that of the latter is taken\n"


def test_a_failure_takes_everything_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    real = Journal.write

    def fail(self: Journal, path: str, *rest: object) -> object:
        written.append(path)
        if len(written) == 6:
            raise KeyboardInterrupt
        return real(self, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Journal, "write", fail)
    (tmp_path / "site").mkdir()
    (tmp_path / "site/mine.txt").touch()
    with pytest.raises(KeyboardInterrupt):
        install(tmp_path, folder_places(str(tmp_path / "site")), RICH)
    assert len(written) == 6
    assert [p.name for p in (tmp_path / "site").iterdir()] == ["mine.txt"]


@quick
@given(st.lists(st.sampled_from(["a", "a/b", "a/b/c", "d/e"]), unique=True), st.booleans())
def test_a_journal_takes_back_what_was_made(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], keep: bool
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    (folder / "kept").touch()
    journal = Journal()
    for name in names:
        journal.write(str(folder / "new" / name / "file"), [b"x"])
    if keep and names:
        (folder / "new" / names[0] / "of others").touch()
    journal.undo()
    left = set(tree(folder))
    assert left == {"kept", *([f"new/{names[0]}/of others"] if keep and names else [])}
    assert (folder / "new").exists() == bool(keep and names)


# --- what is installed ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "version"),
    [
        ("Beta.Two-2.0.dist-info", "2.0"),
        ("beta_two-2.1.dist-info", "2.1"),
        ("Beta_Two-2.2-py3.6.egg-info", "2.2"),
        ("beta_two.egg-info", "unknown"),
        ("beta_two_x-1.0.dist-info", ""),
        ("beta_two", ""),
    ],
)
def test_installed_versions(entry: str, version: str, tmp_path: Path) -> None:
    (tmp_path / entry).mkdir()
    assert installed_version(folder_places(str(tmp_path)), "beta-two") == version
    assert installed_version(folder_places(str(tmp_path / "none")), "beta-two") == ""


def test_versions_in_two_spellings() -> None:
    known = package(build_wheel("a", "1.0"))._replace(version="1.0b1", file="a-1.0.beta1-x.whl")
    assert is_version_of("1.0b1", known)
    assert is_version_of("1.0.beta1", known)
    assert not is_version_of("1.0", known)


def test_own_places_are_those_of_pip(tmp_path: Path) -> None:
    code = "import json; from wheeltarget.runtime.placing import own_places; print(*own_places())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    purelib, platlib, headers, scripts, data = found.stdout.split()
    assert Path(purelib) == Path(platlib)
    assert Path(scripts) == Path(sys.prefix) / ("Scripts" if os.name == "nt" else "bin")
    assert (Path(data), Path(headers).parts[-3:-1]) == (Path(sys.prefix), ("include", "site"))


def test_members_of_a_wheel(tmp_path: Path) -> None:
    wheel = wheel_file(build_wheel("a", "1.0"), tmp_path)
    with wheel.archive:
        assert WheelMember(wheel.root, "a.py", "a.py", False) in wheel.members()
