"""FAULTS 36: a bundle that was damaged or changed, and all that is wrong with it in one run."""

from __future__ import annotations

import io
import json
import socket
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from faults.rig import WHEEL, Rig, locked
from plugin.harness import Cli, Outcome, Sandbox
from support.index import IndexServer
from support.wheels import ZIP_EPOCH, build_wheel, zip_bytes

OTHER = build_wheel("other", "2.0")
FIRST, SECOND = f"wheels/{WHEEL.filename}", f"wheels/{OTHER.filename}"

Members = dict[str, bytes]


@pytest.fixture
def members(tmp_path: Path, index: IndexServer) -> Members:
    """The members of a bundle that was really written."""
    for wheel in (WHEEL, OTHER):
        index.add(wheel.filename, wheel.data)
    rig = Rig(tmp_path, index)
    rig.bundle(locked(WHEEL), locked(OTHER))
    with zipfile.ZipFile(rig.output) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    # Then what is wrong below is wrong by what was changed alone.
    assert zip_bytes(found) == rig.output.read_bytes()
    return found


@pytest.fixture
def verify(
    tmp_path: Path, sandbox: Sandbox, members: Members, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    """Verify files of these contents, outside of a project, where nothing may use the network."""

    def no_network(*_: object) -> None:
        raise AssertionError("the network was asked")

    folder = tmp_path / "elsewhere"
    folder.mkdir()

    def verify(*contents: bytes) -> Outcome:
        names = [f"{number}.zip" for number in range(len(contents))]
        for name, data in zip(names, contents, strict=True):
            (folder / name).write_bytes(data)
        with monkeypatch.context() as patched:
            patched.setattr(socket.socket, "connect", no_network)
            return Cli(folder, sandbox).poetry("wheeltarget", "verify", *names)

    return verify


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def flipped_wheel(members: Members) -> bytes:
    data = members[SECOND]
    return zip_bytes({**members, SECOND: flipped(data, data.index(b"__version__"))})


def flipped_manifest(members: Members) -> bytes:
    data = members["manifest.json"]
    return zip_bytes({**members, "manifest.json": flipped(data, data.index(b'"content-hash"') + 3)})


def without(members: Members, name: str) -> Members:
    return {each: data for each, data in members.items() if each != name}


def renamed(members: Members) -> bytes:
    return zip_bytes({**without(members, SECOND), "wheels/renamed.whl": members[SECOND]})


def duplicate(members: Members) -> bytes:
    """Two members of one name: some programs take the first, some the last."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.simplefilter("ignore", UserWarning)
        for name, data in [*members.items(), (SECOND, b"evil")]:
            info = zipfile.ZipInfo(name, ZIP_EPOCH)
            info.create_system, info.external_attr = 3, 0o100644 << 16
            archive.writestr(info, data)
    return buffer.getvalue()


def two_names(members: Members) -> bytes:
    """A local header with another name than the directory."""
    name = SECOND.encode()
    other = name.replace(b"other", b"evil_")
    return zip_bytes(members).replace(name + b"PK\3\4", other + b"PK\3\4")


def hidden(members: Members) -> bytes:
    """A member that the directory does not name: who reads from the front sees it."""
    data, evil = zip_bytes(members), zip_bytes({"wheels/evil.whl": b"evil"})
    (start,) = struct.unpack_from("<I", data, len(data) - 6)
    (length,) = struct.unpack_from("<I", evil, len(evil) - 6)
    end = data[:-6] + struct.pack("<I", start + length) + data[-2:]
    return end[:start] + evil[:length] + end[start:]


def saying(members: Members, change: Callable[[Any], object]) -> bytes:
    document = json.loads(members["manifest.json"])
    change(document)
    text = json.dumps(document, indent=2) + "\n"
    return zip_bytes({**members, "manifest.json": text.encode()})


def path_in_manifest(members: Members) -> bytes:
    return saying(
        members, lambda d: d["packages"][0].update(file="../../evil-1.0-py3-none-any.whl")
    )


DAMAGES: list[tuple[Callable[[Members], bytes], str]] = [
    (flipped_wheel, f"{SECOND} has another sha256 than the manifest says"),
    (flipped_manifest, "manifest.json: lock"),
    (lambda m: zip_bytes(without(m, FIRST)), f"{FIRST} is missing"),
    (lambda m: zip_bytes(without(m, "manifest.json")), "manifest.json is missing"),
    (lambda m: zip_bytes(without(m, "__main__.py")), "__main__.py is missing"),
    (lambda m: zip_bytes({**m, "sitecustomize.py": b""}), "sitecustomize.py does not belong to"),
    (renamed, "wheels/renamed.whl does not belong to the bundle"),
    (duplicate, f"{SECOND} is in the archive more than once"),
    (two_names, f"{SECOND} has a local header that contradicts the directory: name"),
    (hidden, "the file has bytes before its central directory that belong to no member"),
    (lambda m: zip_bytes(m) + b"evil", "the file has 4 bytes behind its end"),
    (lambda m: b"evil" + zip_bytes(m), "the file has 4 bytes that its offsets do not account for"),
    (lambda m: zip_bytes(m)[:-1], "the file is not a zip archive, or its end is missing"),
    (lambda _: zip_bytes({}), "manifest.json is missing"),
    (lambda m: saying(m, lambda d: d.update(schema=2)), "manifest.json: schema is 2; this version"),
    (path_in_manifest, "'../../evil-1.0-py3-none-any.whl' is not the name of a wheel"),
    (lambda m: zip_bytes({**m, "<error>": b""}), "<error> does not belong to the bundle"),
]


def test_a_bundle_as_it_was_written(
    members: Members, verify: Callable[..., Outcome], tmp_path: Path
) -> None:
    ended = verify(zip_bytes(members))
    assert (ended.code, ended.err) == (0, "")
    assert not list(tmp_path.glob("elsewhere/*.lock"))


def test_every_problem_of_every_bundle_is_listed_in_one_run(
    members: Members, verify: Callable[..., Outcome]
) -> None:
    ended = verify(*(damage(members) for damage, _ in DAMAGES))
    assert (ended.code, ended.out) == (6, "")
    assert "Traceback" not in ended.err
    for number, (_, expected) in enumerate(DAMAGES):
        said = [line for line in ended.err.splitlines() if line.startswith(f"Error: {number}.zip:")]
        assert any(expected in line for line in said), (expected, said)


def test_one_bundle_with_much_that_is_wrong(
    members: Members, verify: Callable[..., Outcome]
) -> None:
    data = members[FIRST]
    wrong = {**members, FIRST: flipped(data, data.index(b"__version__")), "evil": b""}
    del wrong[SECOND]
    wrong["requirements.txt"] += b"evil==1\n"
    ended = verify(zip_bytes(wrong) + b"x")
    assert ended.code == 6
    for expected in (
        "the file has 1 bytes behind its end",
        f"{FIRST} has another sha256 than the manifest says",
        f"{SECOND} is missing",
        "evil does not belong to the bundle",
        "requirements.txt has another sha256 than the manifest says",
    ):
        assert f"Error: 0.zip: {expected}" in ended.err
