"""Wheels into folders, without pip: every collision is found before the first file is written."""

import base64
import contextlib
import csv
import io
import os
import sys
import sysconfig
from typing import Iterator, NamedTuple

from wheeltarget.runtime.archive import CHUNK
from wheeltarget.runtime.contents import Package, canonical
from wheeltarget.runtime.journal import Journal
from wheeltarget.runtime.launchers import entry_scripts, own_script
from wheeltarget.runtime.speech import FILE_SYSTEM, BundleError, shown, warn
from wheeltarget.runtime.wheelfile import WheelFile, WheelMember

INSTALLER = b"wheeltarget\n"

#: The folders of an interpreter, or of a plain folder; ``headers`` is that of all packages.
Places = NamedTuple(
    "Places",
    [("purelib", str), ("platlib", str), ("headers", str), ("scripts", str), ("data", str)],
)
#: A file to write: its path, its wheel, the member of that, or what else it holds.
Planned = NamedTuple(
    "Planned",
    [
        ("path", str),
        ("wheel", WheelFile),
        ("member", str),
        ("text", bytes),
        ("is_program", bool),
    ],
)


# --- places -----------------------------------------------------------------------------------


def in_environment():
    # type: () -> bool
    """Whether this interpreter is that of a virtual environment."""
    return sys.prefix != sys.base_prefix


def own_places():
    # type: () -> Places
    """The folders of this interpreter."""
    paths = sysconfig.get_paths()
    headers = paths["include"]
    if in_environment():  # those of its base are not its own
        version = "python{}.{}".format(*sys.version_info)
        headers = os.path.join(sys.prefix, "include", "site", version)
    return Places(paths["purelib"], paths["platlib"], headers, paths["scripts"], paths["data"])


def folder_places(path):
    # type: (str) -> Places
    """Where files go below a folder, as pip does it."""
    headers = os.path.join(path, "include", "python")
    return Places(path, path, headers, os.path.join(path, "bin"), path)


def installed_version(places, name):
    # type: (Places, str) -> str
    """The version of a package that is installed; empty where it is not."""
    for folder in dict.fromkeys([places.purelib, places.platlib]):
        for entry in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            stem, suffix = os.path.splitext(entry)
            found, _, rest = stem.partition("-")
            if suffix in (".dist-info", ".egg-info") and canonical(found) == name:
                return rest.partition("-py")[0] or "unknown"
    return ""


def is_version_of(found, package):
    # type: (str, Package) -> bool
    """Whether an installed version is that of a package; file names spell some in another way."""
    return found in (package.version, package.file.split("-")[1])


# --- planning ---------------------------------------------------------------------------------


def planned_files(wheels, places):
    # type: (list[WheelFile], Places) -> list[Planned]
    """All files to write, but for the RECORDs. Raises BundleError where one is there already."""
    found = {}  # type: dict[str, Planned]
    for wheel in wheels:
        for planned in _files_of(wheel, places):
            key = os.path.normcase(planned.path)
            if key in found and not _is_same(found[key], planned):
                told = "both {} and {} have {}; that of the latter is taken"
                names = (found[key].wheel.package.name, wheel.package.name)
                warn(told.format(names[0], names[1], shown(planned.path)))
            found[key] = planned
    there = [each for each in found.values() if os.path.lexists(each.path)]
    if there:
        told = "{}: {} is there already"
        raise BundleError(
            FILE_SYSTEM,
            [told.format(each.wheel.package.name, shown(each.path)) for each in there],
            "Remove what is there, or choose another place; nothing was installed.",
        )
    return list(found.values())


def _is_same(one, other):
    # type: (Planned, Planned) -> bool
    return b"".join(_pieces(one)) == b"".join(_pieces(other))


def _files_of(wheel, places):
    # type: (WheelFile, Places) -> Iterator[Planned]
    for member in wheel.members():
        path = _path(wheel, places, member)
        if member.scheme == "scripts":
            text = own_script(wheel.archive.read(member.member), sys.executable)
            yield Planned(path, wheel, "", text, True)
        else:
            yield Planned(path, wheel, member.member, b"", member.is_program)
    for entry in wheel.entry_points():
        for name, text in entry_scripts(entry, sys.executable, os.name == "nt"):
            yield Planned(os.path.join(places.scripts, name), wheel, "", text, True)
    yield Planned(_metadata(wheel, places, "INSTALLER"), wheel, "", INSTALLER, False)


def _path(wheel, places, member):
    # type: (WheelFile, Places, WheelMember) -> str
    base = getattr(places, member.scheme)
    if member.scheme == "headers":
        base = os.path.join(base, wheel.dist_info.partition("-")[0])
    return os.path.join(base, *member.path.split("/"))


def _metadata(wheel, places, name):
    # type: (WheelFile, Places, str) -> str
    return os.path.join(getattr(places, wheel.root), wheel.dist_info, name)


# --- writing ----------------------------------------------------------------------------------


def place(wheels, places, journal):
    # type: (list[WheelFile], Places, Journal) -> None
    """Install wheels. Raises BundleError before anything is written, or OSError."""
    rows = {wheel: [] for wheel in wheels}  # type: dict[WheelFile, list[tuple[str, str, str]]]
    for planned in planned_files(wheels, places):
        sha256, size = journal.write(planned.path, _pieces(planned), planned.is_program)
        rows[planned.wheel].append((planned.path, _record_hash(sha256), str(size)))
    for wheel in wheels:
        path = _metadata(wheel, places, "RECORD")
        own = (path, "", "")
        journal.write(path, [_record(rows[wheel] + [own], getattr(places, wheel.root))])


def _pieces(planned):
    # type: (Planned) -> Iterator[bytes]
    if not planned.member:
        yield planned.text
        return
    with planned.wheel.archive.open(planned.member) as file:
        for piece in iter(lambda: file.read(CHUNK), b""):
            yield piece


def _record(rows, folder):
    # type: (list[tuple[str, str, str]], str) -> bytes
    """A RECORD: paths from the folder that the package is in, with slashes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows(sorted((_relative(path, folder), sha, size) for path, sha, size in rows))
    return out.getvalue().encode("utf-8", "surrogateescape")


def _relative(path, folder):
    # type: (str, str) -> str
    with contextlib.suppress(ValueError):  # on another drive
        path = os.path.relpath(path, folder)
    return path.replace(os.sep, "/")


def _record_hash(sha256):
    # type: (str) -> str
    raw = base64.urlsafe_b64encode(bytes.fromhex(sha256)).rstrip(b"=")
    return "sha256=" + raw.decode("ascii")
