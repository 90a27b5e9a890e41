"""What a bundle says of itself: ``manifest.json``, read without trust.

Schema 1, as docs/reference/bundle.md has it. Keys that are not known here are passed over.
"""

import json
import os
import re
from collections import Counter
from typing import Callable, NamedTuple, Pattern, TypeVar

from wheeltarget.runtime.basics import normalized
from wheeltarget.runtime.speech import DAMAGED, BundleError, shown

T = TypeVar("T")

MANIFEST = "manifest.json"
MANIFEST_SCHEMA = 1
WHEELHOUSE = "wheelhouse"
SITE_PACKAGES = "site-packages"
#: No manifest is larger, in bytes; one of 5000 packages has a hundredth of that.
LARGEST_MANIFEST = 256 * 1024 * 1024

_DEVICES = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\xb9\xb2\xb3])\s*(\.|$)", re.IGNORECASE
)
_DRIVE = re.compile("[A-Za-z]:")
_HEX = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_VERSION = re.compile(r"[A-Za-z0-9.!+_]+")
_PYTHON = re.compile(r"[0-9]+\.[0-9]+(\.[0-9]+)?")
#: The binary distribution format specification.
_WHEEL = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9._]*)-[A-Za-z0-9._!+]+(?:-[0-9][A-Za-z0-9_.]*)?"
    r"-([A-Za-z0-9_.]+)-([A-Za-z0-9_.]+)-([A-Za-z0-9_.]+)\.whl"
)

Target = NamedTuple(
    "Target",
    [
        ("name", str),
        ("python", str),
        ("implementation", str),
        ("abis", "list[str]"),
        ("platforms", "list[str]"),
    ],
)
Package = NamedTuple(
    "Package",
    [
        ("name", str),
        ("version", str),
        ("file", str),
        ("sha256", str),
        ("size", int),
        ("built", bool),
        ("beyond", bool),
        # The RECORD of an installed tree, and its hash; empty for a wheel.
        ("record", str),
        ("record_sha256", str),
    ],
)
#: What a bundle holds for one target.
Part = NamedTuple(
    "Part",
    [
        ("target", Target),
        ("requirements", str),
        ("packages", "list[Package]"),
        ("excluded", "list[tuple[str, str]]"),
    ],
)
Contents = NamedTuple(
    "Contents",
    [
        ("project", "tuple[str, str]"),
        ("layout", str),
        ("prefix", str),
        ("parts", "list[Part]"),
        ("files", "dict[str, str]"),
        # What is wrong, but does not keep the rest from being read.
        ("problems", "list[str]"),
    ],
)


class MisfitError(Exception):
    """A value that a manifest can't have; the text names its key."""


# --- typed access -----------------------------------------------------------------------------


def _get(table, key, kind):
    # type: (object, str, type) -> object
    value = table.get(key) if isinstance(table, dict) else None
    if type(value) is not kind:
        raise MisfitError("{} is missing or no {}".format(key, _KINDS[kind]))
    return value


_KINDS = {str: "text", int: "number", bool: "boolean", list: "list", dict: "object"}


def _text(table, key, pattern=None):
    # type: (object, str, Pattern[str] | None) -> str
    value = str(_get(table, key, str))
    if pattern is not None and not pattern.fullmatch(value):
        raise MisfitError("{} can't be '{}'".format(key, shown(value)))
    return value


def _list(table, key):
    # type: (object, str) -> list[object]
    value = _get(table, key, list)
    assert isinstance(value, list)
    return value


def _texts(table, key):
    # type: (object, str) -> list[str]
    found = _list(table, key)
    if not all(isinstance(each, str) for each in found):
        raise MisfitError("{} is no list of texts".format(key))
    return [str(each) for each in found]


def _number(table, key):
    # type: (object, str) -> int
    value = _get(table, key, int)
    assert isinstance(value, int)
    return value


def _object(table, key):
    # type: (object, str) -> dict[str, object]
    value = _get(table, key, dict)
    assert isinstance(value, dict)
    return value


# --- names ------------------------------------------------------------------------------------


def unsafe(name, windows=os.name == "nt"):
    # type: (str, bool) -> str
    """Why a name may not be that of a file below a folder; empty if it may.

    Wheels for other systems have names that mean something else on Windows, such as ``aux.py``.
    """
    parts = name.split("/")
    forbidden = '\\:*?"<>|' if windows else "\\"
    if not name.isprintable() or any(char in name for char in forbidden):
        return "it holds a character that paths may not have"
    if name.startswith("/") or _DRIVE.match(name):
        return "it is a path from the root"
    if any(part in ("", ".", "..") for part in parts):
        return "it is a path that leaves its folder, or one with empty parts"
    if windows and any(part[-1] in " ." or _DEVICES.match(part) for part in parts):
        return "it means something else on Windows"
    if any(len(os_bytes(part)) > 255 for part in parts):
        return "it is longer than file systems allow"
    return ""


def os_bytes(name):
    # type: (str) -> bytes
    """A name as most file systems write it."""
    return name.encode("utf-8", "surrogatepass")


def _member(table, key):
    # type: (object, str) -> str
    name = _text(table, key)
    why = unsafe(name)
    if why:
        raise MisfitError("{} can't be '{}': {}".format(key, shown(name), why))
    return name


def canonical(name):
    # type: (str) -> str
    """The name of a project as it is compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def tags_of(filename):
    # type: (str) -> list[str]
    """All tags that the name of a wheel stands for."""
    match = _WHEEL.fullmatch(filename)
    assert match is not None
    pythons, abis, platforms = [group.lower().split(".") for group in match.groups()[1:]]
    return ["{}-{}-{}".format(p, a, q) for p in pythons for a in abis for q in platforms]


# --- the manifest -----------------------------------------------------------------------------


def parse_manifest(text):
    # type: (bytes) -> Contents
    """Read a manifest. Raises BundleError where nothing can be said about the rest."""
    try:
        document = json.loads(text.decode("utf-8"), object_pairs_hook=_object_once)
        schema = _number(document, "schema")
        if schema != MANIFEST_SCHEMA:
            raise _unknown_schema(schema)
        return _contents(document)
    except (ValueError, RecursionError) as error:
        raise _unreadable("it is not JSON: {}".format(shown(error)))
    except MisfitError as error:
        raise _unreadable(str(error))


def _object_once(pairs):
    # type: (list[tuple[str, object]]) -> dict[str, object]
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MisfitError("a key stands twice")
    return found


def _unknown_schema(schema):
    # type: (int) -> BundleError
    problem = "{} has schema {}, this knows schema {}".format(MANIFEST, schema, MANIFEST_SCHEMA)
    return BundleError(DAMAGED, [problem], "The bundle needs a newer version of wheeltarget.")


def _unreadable(why):
    # type: (str) -> BundleError
    return BundleError(DAMAGED, ["{}: {}".format(MANIFEST, why)], "Get the bundle anew.")


def _contents(document):
    # type: (object) -> Contents
    layout = _text(document, "layout", re.compile("wheelhouse|site-packages"))
    prefix = _prefix(document) if layout == SITE_PACKAGES else ""
    problems = []  # type: list[str]
    if isinstance(document, dict) and "targets" in document:
        entries = _list(document, "targets")
        parts = [_part(each, _member(each, "requirements"), layout, problems) for each in entries]
    else:
        parts = [_part(document, "requirements.txt", layout, problems)]
    if not parts:
        raise MisfitError("targets is empty")
    listed = _collected(_list(document, "files"), _file, "files", problems)
    project = _object(document, "project")
    return Contents(
        (_text(project, "name"), _text(project, "version")),
        layout,
        prefix,
        parts,
        dict(listed),
        problems + _repeated("files", [name for name, _ in listed]),
    )


def _prefix(document):
    # type: (object) -> str
    prefix = _text(document, "prefix")
    if prefix and (not prefix.endswith("/") or unsafe(prefix[:-1])):
        raise MisfitError("prefix can't be '{}'".format(shown(prefix)))
    return prefix


def _collected(entries, read, place, problems):
    # type: (list[object], Callable[[object], T], str, list[str]) -> list[T]
    """What can be read of a list; the problems of the rest are added to those known."""
    found = []
    for index, entry in enumerate(entries):
        try:
            found.append(read(entry))
        except MisfitError as error:
            where = "{}[{}]".format(place, index)
            problems.append("{}: {}: {}".format(MANIFEST, where, error))
    return found


def _repeated(place, names):
    # type: (str, list[str]) -> list[str]
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    return ["{}: {} names {} twice".format(MANIFEST, place, name) for name in twice]


def _part(table, requirements, layout, problems):
    # type: (object, str, str, list[str]) -> Part
    installed = layout == SITE_PACKAGES
    packages = _collected(
        _list(table, "packages"), lambda each: _package(each, installed), "packages", problems
    )
    problems += _repeated("packages", [package.name for package in packages])
    excluded = [(_text(each, "name"), _text(each, "version")) for each in _list(table, "excluded")]
    return Part(_target(_object(table, "target")), requirements, packages, excluded)


def _target(table):
    # type: (dict[str, object]) -> Target
    platforms = _texts(table, "platforms")
    if not platforms:
        raise MisfitError("platforms is empty")
    return Target(
        _text(table, "name"),
        _text(table, "python", _PYTHON),
        _text(table, "implementation"),
        [abi.lower() for abi in _texts(table, "abis")],
        [normalized(name).lower() for name in platforms],
    )


def _package(table, installed):
    # type: (object, bool) -> Package
    name = _text(table, "name", _NAME)
    file = _member(table, "file")
    match = _WHEEL.fullmatch(file)
    if match is None or canonical(match.group(1)) != name:
        raise MisfitError(
            "file can't be '{}': it is not the name of a wheel of {}".format(file, name)
        )
    record = _object(table, "record") if installed else {}
    return Package(
        name,
        _text(table, "version", _VERSION),
        file,
        _text(table, "sha256", _HEX),
        _number(table, "size"),
        bool(_get(table, "built", bool)),
        isinstance(table, dict) and table.get("beyond") is True,
        _member(record, "file") if installed else "",
        _text(record, "sha256", _HEX) if installed else "",
    )


def _file(table):
    # type: (object) -> tuple[str, str]
    return _member(table, "name"), _text(table, "sha256", _HEX)
