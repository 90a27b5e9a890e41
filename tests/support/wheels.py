"""Real wheels and source archives, built in memory.

The bytes depend on the arguments only (fixed times, nothing compressed), so that a test may
name a hash, and so that two builds of one wheel can stand for one file of an index.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import re
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

GENERATOR = "wheeltarget-tests"
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
TAR_EPOCH = 315532800  # the same moment for tar

# A backend without requirements: what it "builds" travels in the archive, so that building
# works offline and gives the same wheel wherever it runs.
_BACKEND = '''\
"""Hands out the wheel that lies next to it."""
import os
import shutil


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    shutil.copy("built.bin", os.path.join(wheel_directory, {filename!r}))
    return {filename!r}
'''
_PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


@dataclass(frozen=True)
class BuiltWheel:
    """A wheel as an index would have it."""

    filename: str
    data: bytes
    sha256: str


class BuiltSdist(NamedTuple):
    """A source archive; a tuple, so that a test can unpack it."""

    filename: str
    data: bytes
    sha256: str


def build_wheel(
    name: str,
    version: str,
    *,
    tag: str = "py3-none-any",
    build: str = "",
    modules: Mapping[str, str] | None = None,
    requires: Sequence[str] = (),
    requires_python: str | None = None,
    extra_members: Mapping[str, bytes] | None = None,
) -> BuiltWheel:
    """Build an installable wheel; ``tag`` may be a compressed set.

    The file name keeps the spelling of ``name`` (only hyphens become underscores), since indexes
    are full of ``SQLAlchemy-…`` and ``ruamel.yaml-…``. Without ``modules`` there is one module,
    the normalised name, with the version as ``__version__``.
    """
    stem = f"{file_part(name)}-{file_part(version)}"
    sources = {module_file(name): f"__version__ = {version!r}\n"} if modules is None else modules
    members = {path: source.encode() for path, source in sources.items()}
    members |= extra_members or {}
    members[f"{stem}.dist-info/METADATA"] = metadata(name, version, requires, requires_python)
    members[f"{stem}.dist-info/WHEEL"] = wheel_file(tag, build)
    record_name = f"{stem}.dist-info/RECORD"
    members[record_name] = record(members, record_name)
    data = zip_bytes(members)
    filename = "-".join([stem, *([build] if build else []), tag]) + ".whl"
    return BuiltWheel(filename, data, hashlib.sha256(data).hexdigest())


def build_sdist(name: str, version: str, *, suffix: str = ".tar.gz") -> BuiltSdist:
    """Build a source archive (``.tar.gz`` or ``.zip``) that any PEP 517 frontend can build."""
    stem = f"{file_part(name)}-{file_part(version)}"
    wheel = build_wheel(name, version)
    members = {
        f"{stem}/PKG-INFO": metadata(name, version, (), None),
        f"{stem}/backend.py": _BACKEND.format(filename=wheel.filename).encode(),
        f"{stem}/built.bin": wheel.data,
        f"{stem}/pyproject.toml": _PYPROJECT.encode(),
    }
    data = zip_bytes(members) if suffix == ".zip" else tar_gz_bytes(members)
    return BuiltSdist(f"{stem}{suffix}", data, hashlib.sha256(data).hexdigest())


def file_part(text: str) -> str:
    """Write a name or version as a component of a file name, which a hyphen would end."""
    return re.sub("-+", "_", text)


def module_file(name: str) -> str:
    """Name the file of the one module that a wheel has by default."""
    return re.sub(r"[-_.]+", "_", name).lower() + ".py"


def metadata(
    name: str, version: str, requires: Sequence[str], requires_python: str | None
) -> bytes:
    """Write METADATA (and PKG-INFO, which has the same form)."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    if requires_python is not None:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    return ("\n".join(lines) + "\n").encode()


def wheel_file(tag: str, build: str) -> bytes:
    """Write WHEEL with one line for each tag of the set, as the specification asks."""
    pythons, abis, platforms = (part.split(".") for part in tag.split("-"))
    lines = [
        "Wheel-Version: 1.0",
        f"Generator: {GENERATOR}",
        f"Root-Is-Purelib: {'true' if platforms == ['any'] else 'false'}",
        *(f"Tag: {'-'.join(triple)}" for triple in product(pythons, abis, platforms)),
    ]
    if build:
        lines.append(f"Build: {build}")
    return ("\n".join(lines) + "\n").encode()


def record(members: Mapping[str, bytes], record_name: str) -> bytes:
    """Write RECORD; its own line has neither hash nor size."""
    lines = [f"{_csv(path)},{_digest(data)},{len(data)}" for path, data in members.items()]
    return ("\n".join([*lines, f"{record_name},,"]) + "\n").encode()


def zip_bytes(members: Mapping[str, bytes]) -> bytes:
    """Zip in the given order, stored: compressed bytes would depend on the zlib at hand."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, data in members.items():
            info = zipfile.ZipInfo(path, ZIP_EPOCH)
            info.create_system = 3  # Unix on every host
            info.external_attr = 0o100644 << 16
            archive.writestr(info, data)
    return buffer.getvalue()


def tar_gz_bytes(members: Mapping[str, bytes]) -> bytes:
    """Write a gzipped tar without a trace of time, user or host."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, data in members.items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            info.mtime = TAR_EPOCH
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), compresslevel=0, mtime=0)


def _digest(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
    return f"sha256={digest.decode()}"


def _csv(path: str) -> str:
    return f'"{path}"' if "," in path else path
