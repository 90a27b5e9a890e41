"""Whether a bundle is what it was when it was written: its members, and their hashes."""

import base64
import csv
import hashlib
import posixpath
from typing import NamedTuple

from wheeltarget.runtime.archive import Archive, DamagedError
from wheeltarget.runtime.container import Folder, content
from wheeltarget.runtime.contents import (
    LARGEST_MANIFEST,
    MANIFEST,
    SITE_PACKAGES,
    WHEELHOUSE,
    Contents,
    Package,
    Part,
    parse_manifest,
    unsafe,
)
from wheeltarget.runtime.speech import DAMAGED, BundleError, shown

WHEELS = "wheels/"

#: What a member must be: its hash, in hex, and its size in bytes, None where that is not told.
Expected = NamedTuple("Expected", [("sha256", str), ("size", "int | None")])


def read_contents(container):
    # type: (Archive | Folder) -> Contents
    """The manifest of a bundle. Raises BundleError where it can't be read."""
    try:
        if MANIFEST not in container.names():
            raise DamagedError("it is missing")
        if container.size(MANIFEST) > LARGEST_MANIFEST:
            raise DamagedError("it is too large")
        return parse_manifest(content(container, MANIFEST))
    except DamagedError as error:
        told = "{}: {}".format(MANIFEST, error)
        raise BundleError(DAMAGED, container.problems + [told], "Get the bundle anew.")
    except BundleError as error:
        error.problems[:0] = container.problems
        raise


def damages(container, contents):
    # type: (Archive | Folder, Contents) -> list[str]
    """Everything in which a bundle is not what it says, a line for each; empty if it is."""
    expected = _expected_members(contents)
    named = {name for name, _ in expected}
    found = container.problems + contents.problems + _odd_members(container, contents.layout)
    digests = {}  # type: dict[str, str]
    for name in container.names():
        if name not in named and not _in_tree(contents, name):
            continue
        try:
            digests[name] = _digest(container, name)
        except (DamagedError, OSError) as error:
            found.append("{}: {}".format(name, shown(error)))
            digests[name] = ""
    known = named | {MANIFEST}
    if contents.layout == SITE_PACKAGES:
        told, in_tree = _tree_damages(container, contents, digests)
        found += told
        known |= in_tree
    found += _member_damages(container, expected, digests)
    extra = [name for name in container.names() if name not in known]
    found += ["{}: it does not belong to the bundle".format(shown(name)) for name in extra]
    return found + _text_damages(container, contents)


def _digest(container, name):
    # type: (Archive | Folder, str) -> str
    hasher = hashlib.sha256()
    for piece in container.pieces(name):
        hasher.update(piece)
    return hasher.hexdigest()


def _expected_members(contents):
    # type: (Contents) -> list[tuple[str, Expected]]
    """What the manifest says of every member but itself and the installed tree.

    Targets of one bundle share wheels, so that what one says of a wheel must hold for all.
    """
    found = [(name, Expected(sha256, None)) for name, sha256 in contents.files.items()]
    for part in contents.parts if contents.layout == WHEELHOUSE else []:
        found += [
            (WHEELS + package.file, Expected(package.sha256, package.size))
            for package in part.packages
        ]
    return list(dict.fromkeys(found))


def _odd_members(container, layout):
    # type: (Archive | Folder, str) -> list[str]
    """Members that no bundle has, whatever its manifest says."""
    found = []
    folded = {}  # type: dict[str, str]
    for name in container.names():
        why = unsafe(name)
        if why:
            found.append("{}: {}".format(shown(name), why))
        other = folded.setdefault(name.casefold(), name)
        if other != name:
            told = "{}: only capitals tell it from {}"
            found.append(told.format(shown(name), shown(other)))
        if layout == WHEELHOUSE and not container.is_plain(name):
            found.append("{}: it is compressed, or no plain file".format(shown(name)))
    return found


def _member_damages(container, expected, digests):
    # type: (Archive | Folder, list[tuple[str, Expected]], dict[str, str]) -> list[str]
    found = []
    for name, known in expected:
        if name not in digests:
            found.append("{}: it is missing".format(name))
        elif known.size is not None and container.size(name) != known.size:
            told = "{}: it has {} bytes, the manifest says {}"
            found.append(told.format(name, container.size(name), known.size))
        elif digests[name] and digests[name] != known.sha256:
            found.append("{}: its sha256 is not the one in the manifest".format(name))
    return found


def _text_damages(container, contents):
    # type: (Archive | Folder, Contents) -> list[str]
    """Requirements that say something else than the manifest does."""
    found = []
    for part in contents.parts:
        try:
            text = content(container, part.requirements)
        except KeyError:
            if part.requirements not in contents.files:
                found.append("{}: {} is not among its files".format(MANIFEST, part.requirements))
            continue
        except (DamagedError, OSError):
            continue
        if text != requirements(part.packages).encode("utf-8"):
            found.append("{}: it does not agree with the manifest".format(part.requirements))
    return found


def requirements(packages):
    # type: (list[Package]) -> str
    """Packages as pip's requirements, pinned and with their hashes."""
    line = "{0.name}=={0.version} --hash=sha256:{0.sha256}\n"
    return "".join(line.format(package) for package in packages)


# --- an installed tree ------------------------------------------------------------------------


def tree_members(container, contents):
    # type: (Archive | Folder, Contents) -> list[str]
    """The members that are the installed tree."""
    return [name for name in container.names() if _in_tree(contents, name)]


def _in_tree(contents, name):
    # type: (Contents, str) -> bool
    in_tree = contents.layout == SITE_PACKAGES and name.startswith(contents.prefix)
    return in_tree and name != MANIFEST and name not in contents.files


def _tree_damages(container, contents, digests):
    # type: (Archive | Folder, Contents, dict[str, str]) -> tuple[list[str], set[str]]
    """What is wrong with the files of each RECORD, and the members that belong to one."""
    found = []  # type: list[str]
    known = set()  # type: set[str]
    for package in contents.parts[0].packages:
        name = package.record
        known.add(name)
        if name not in digests:
            found.append("{}: it is missing".format(name))
        elif digests[name] == package.record_sha256:
            told, members = _record_damages(container, name, digests)
            found += told
            known |= members
        elif digests[name]:
            found.append("{}: its sha256 is not the one in the manifest".format(name))
    return found, known


def _record_damages(container, record, digests):
    # type: (Archive | Folder, str, dict[str, str]) -> tuple[list[str], set[str]]
    """What is wrong with the files that an intact RECORD names, and the members that they are."""
    try:
        rows = _record_rows(content(container, record), record)
    except (ValueError, csv.Error) as error:
        return ["{}: it can't be read: {}".format(record, shown(error))], set()
    found = []
    for member, sha256 in rows:
        if member not in digests:
            found.append("{}: it is missing, or outside of the tree".format(shown(member)))
        elif member != record and digests[member] not in ("", sha256):
            told = "{}: its sha256 is not the one in {}"
            found.append(told.format(shown(member), record))
    return found, {member for member, _ in rows}


def _record_rows(text, record):
    # type: (bytes, str) -> list[tuple[str, str]]
    """The members that a RECORD names, and the hash of each in hex, empty where it has none."""
    base = posixpath.dirname(posixpath.dirname(record))
    rows = [row for row in csv.reader(text.decode("utf-8").splitlines()) if len(row) >= 2]
    return [(posixpath.normpath(posixpath.join(base, row[0])), _hex(row[1])) for row in rows]


def _hex(written):
    # type: (str) -> str
    """``sha256=`` and base64 without padding, as hex; nothing else is a hash here."""
    algorithm, _, text = written.partition("=")
    if algorithm != "sha256":
        return "no sha256"
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).hex()


def part_named(contents, name):
    # type: (Contents, str) -> Part | None
    """The part for the target of that name."""
    return next((part for part in contents.parts if part.target.name == name), None)
