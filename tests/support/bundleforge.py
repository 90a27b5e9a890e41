"""Bundles from a line each, whole or with one thing wrong, as real zips."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from support.wheels import ZIP_EPOCH, BuiltWheel, build_wheel, zip_bytes
from wheeltarget.core.manifest import (
    MANIFEST_NAME,
    WHEELS_FOLDER,
    Contents,
    Member,
    Part,
    json_text,
    manifest_document,
)
from wheeltarget.core.members import text_members
from wheeltarget.core.model import LockedPackage, Project, Source, StoredWheel
from wheeltarget.core.plan import Excluded
from wheeltarget.core.pylock import pylock_names
from wheeltarget.core.spec import complete, parse_spec
from wheeltarget.core.target import PythonVersion, Target
from wheeltarget.core.wheelname import parse_wheel_name

#: The members of a bundle by name, in order.
Members = dict[str, bytes]

ALPHA = build_wheel("alpha", "1.0", requires=["beta>=2"])
BETA = build_wheel("beta", "2.0", tag="cp311-cp311-manylinux_2_17_x86_64")
MAIN = b"print('a bundle')\n"


def a_target(spec: str = "cp311,manylinux2014_x86_64", name: str | None = None) -> Target:
    """A target."""
    return complete(parse_spec(spec), PythonVersion.parse("3.11"), name)


def member_of(wheel: BuiltWheel, target: Target, **more: Any) -> Member:
    """What a manifest says of a wheel; ``more`` replaces parts of it."""
    name = parse_wheel_name(wheel.filename)
    tags = list(name.tags())
    member = Member(
        name=name.name,
        version=str(name.version),
        tag=next((tag for tag in tags if tag in target.tags), tags[0]),
        wheel=StoredWheel(filename=wheel.filename, sha256=wheel.sha256, size=len(wheel.data)),
        source=Source(),
    )
    return replace(member, **more)


def part_of(
    *wheels: BuiltWheel, target: Target | None = None, excluded: Sequence[str] = (), **more: Any
) -> Part:
    """What a bundle has for one target; each of ``excluded`` is ``name==version``."""
    target = target or a_target()
    pairs = [each.split("==") for each in excluded]
    return Part(
        target=target,
        members=tuple(member_of(wheel, target, **more) for wheel in wheels),
        excluded=tuple(
            Excluded(
                package=LockedPackage(
                    name=canonicalize_name(name), version=Version(version), markers={}, files=()
                )
            )
            for name, version in pairs
        ),
    )


def contents_of(*parts: Part, **more: Any) -> Contents:
    """What a bundle says of itself; ``more`` replaces parts of it."""
    contents = Contents(
        generator=("poetry-plugin-wheeltarget", "0.1.0"),
        project=Project(name=canonicalize_name("demo"), version=Version("0.1.0")),
        content_hash="c0ffee",
        groups=("main",),
        extras=(),
        parts=parts,
    )
    return replace(contents, **more)


def wheelhouse(contents: Contents, *wheels: BuiltWheel, main: bytes = MAIN) -> Members:
    """The members of a bundle of wheels, as ``bundle-wheels`` writes them."""
    members = _texts(contents, main)
    for wheel in sorted(wheels, key=lambda wheel: wheel.filename):
        members[f"{WHEELS_FOLDER}/{wheel.filename}"] = wheel.data
    return members


def site_packages(contents: Contents, *wheels: BuiltWheel, main: bytes = MAIN) -> Members:
    """The members of a bundle of an installed tree; RECORDs are those of the wheels."""
    tree: Members = {}
    records = {}
    for wheel in wheels:
        with zipfile.ZipFile(io.BytesIO(wheel.data)) as archive:
            for name in archive.namelist():
                tree[contents.prefix + name] = archive.read(name)
                if name.endswith(".dist-info/RECORD"):
                    sha256 = hashlib.sha256(archive.read(name)).hexdigest()
                    records[wheel.filename] = (contents.prefix + name, sha256)
    (part,) = contents.parts
    recorded = tuple(replace(m, record=records[m.wheel.filename]) for m in part.members)
    contents = replace(contents, layout="site-packages", parts=(replace(part, members=recorded),))
    return {**_texts(contents, main), **dict(sorted(tree.items()))}


def _texts(contents: Contents, main: bytes) -> Members:
    texts = {n: text.encode() for n, text in text_members(contents, main.decode()).items()}
    hashes = {
        name: hashlib.sha256(data).hexdigest()
        for name, data in texts.items()
        if name != MANIFEST_NAME
    }
    pylocks = pylock_names(contents) if contents.layout == "wheelhouse" else ()
    manifest = json_text(manifest_document(contents, hashes, pylocks))
    return {**texts, MANIFEST_NAME: manifest.encode()}


def a_bundle(**more: Any) -> Members:
    """The members of a small bundle in which nothing is wrong."""
    return wheelhouse(contents_of(part_of(ALPHA, BETA), **more), ALPHA, BETA)


def a_combined_bundle() -> Members:
    """The members of a bundle for two targets, which share a wheel."""
    other = build_wheel("beta", "2.0", tag="cp311-cp311-musllinux_1_2_aarch64")
    parts = (
        part_of(ALPHA, BETA, target=a_target(name="old")),
        part_of(ALPHA, other, target=a_target("cp311,musllinux_1_2_aarch64", "alpine")),
    )
    return wheelhouse(contents_of(*parts, combined=True), ALPHA, BETA, other)


def a_tree(prefix: str = "") -> Members:
    """The members of a small bundle of an installed tree in which nothing is wrong."""
    return site_packages(contents_of(part_of(ALPHA, BETA), prefix=prefix), ALPHA, BETA)


# --- with something wrong -------------------------------------------------------------------------


def edited(members: Members, change: Callable[[dict[str, Any]], object]) -> Members:
    """The members with a manifest that was changed, and is written as before."""
    document = json.loads(members[MANIFEST_NAME])
    change(document)
    return {**members, MANIFEST_NAME: json_text(document).encode()}


def zipped(members: Members) -> bytes:
    """The bundle."""
    return zip_bytes(members)


@dataclass(frozen=True, kw_only=True)
class ZipEntry:
    """A member with something to change in how it is zipped: attributes of ZipInfo."""

    name: str
    data: bytes
    info: dict[str, Any] = field(default_factory=dict)


def zipped_entries(*entries: ZipEntry) -> bytes:
    """A zip of such members, which may have equal names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for entry in entries:
            info = zipfile.ZipInfo("x", ZIP_EPOCH)
            info.filename = entry.name
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            for attribute, value in entry.info.items():
                setattr(info, attribute, value)
            archive.writestr(info, entry.data)
    return buffer.getvalue()


def entries_of(members: Members) -> list[ZipEntry]:
    """Members as entries."""
    return [ZipEntry(name=name, data=data) for name, data in members.items()]
