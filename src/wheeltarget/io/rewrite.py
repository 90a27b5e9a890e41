"""A wheel that a backend made, written again: the same wherever it was made."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from typing import TYPE_CHECKING

from wheeltarget.core.errors import IntegrityError, Problem
from wheeltarget.core.metadata import localise, read_metadata
from wheeltarget.io.archive import ArchiveMember, write_archive
from wheeltarget.io.cache import writing
from wheeltarget.io.wheelcheck import UNREADABLE, metadata_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from wheeltarget.io.archive import ZipTime

_CHUNK = 1024 * 1024

BROKEN_HINT = "it is for the authors of the backend, or of its configuration in the source, to mend"


def broken_wheel(path: Path, error: Exception) -> Problem:
    """That a backend made what is no wheel."""
    return Problem(
        what=f"the build backend gave {path.name}, which is broken: {error}",
        file=path.name,
        hint=BROKEN_HINT,
    )


def write_again(
    made: Path,
    path: Path,
    moment: ZipTime,
    versions: Mapping[NormalizedName, Version] | None,
) -> None:
    """The wheel reproducibly; with ``versions`` its METADATA localised and its RECORD made anew.

    What a backend writes depends on its zlib, on file permissions and on the file system's order.
    """
    try:
        with zipfile.ZipFile(made) as wheel, writing(path), path.open("xb") as out:
            infos = sorted((info for info in wheel.infolist() if not info.is_dir()), key=_order)
            replaced: Mapping[str, bytes] = {}
            if versions is not None:
                # A signature of RECORD is void once RECORD is another.
                infos = [info for info in infos if not info.filename.endswith(_SIGNATURES)]
                replaced = _localised(wheel, infos, versions)
            write_archive(out, (_member(wheel, info, replaced) for info in infos), moment)
    except UNREADABLE as error:
        raise IntegrityError(broken_wheel(made, error)) from error


def _localised(
    wheel: zipfile.ZipFile,
    infos: list[zipfile.ZipInfo],
    versions: Mapping[NormalizedName, Version],
) -> Mapping[str, bytes]:
    metadata = metadata_name(wheel)
    folder = metadata.removesuffix("METADATA")
    record = folder + "RECORD"
    text = localise(wheel.read(metadata).decode(), versions).encode()
    left = [str(each) for each in read_metadata(text.decode()).requires if each.url]
    assert not left, left
    lines = []
    for info in infos:
        data = text if info.filename == metadata else wheel.read(info)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append((info.filename, f"sha256={digest}", str(len(data))))
    rows = [row if row[0] != record else (record, "", "") for row in lines]
    return {metadata: text, record: "".join(f"{_csv(*row)}\n" for row in rows).encode()}


_SIGNATURES = (".dist-info/RECORD.jws", ".dist-info/RECORD.p7s")


def _csv(name: str, digest: str, size: str) -> str:
    quoted = '"' + name.replace('"', '""') + '"' if set(name) & set(',"\r\n') else name
    return f"{quoted},{digest},{size}"


def _order(info: zipfile.ZipInfo) -> tuple[bool, bool, str]:
    # The specification recommends .dist-info at the end; RECORD, which speaks of all, last.
    metadata = info.filename.split("/")[0].endswith(".dist-info")
    return metadata, info.filename.endswith("/RECORD"), info.filename


def _member(
    wheel: zipfile.ZipFile, info: zipfile.ZipInfo, replaced: Mapping[str, bytes]
) -> ArchiveMember:
    def content() -> Iterator[bytes]:
        if info.filename in replaced:
            yield replaced[info.filename]
            return
        with wheel.open(info) as member:
            yield from iter(lambda: member.read(_CHUNK), b"")

    size = len(replaced[info.filename]) if info.filename in replaced else info.file_size
    executable = bool(info.external_attr >> 16 & 0o111)
    return ArchiveMember(name=info.filename, size=size, content=content, executable=executable)
