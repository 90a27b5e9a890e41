"""``manifest.json`` of a bundle, read without trust into the values that it was written from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, ParamSpec, TypeVar, cast

from packaging.utils import canonicalize_name
from packaging.version import Version

from wheeltarget.core.bundletarget import read_target
from wheeltarget.core.errors import Problem
from wheeltarget.core.limits import DEFAULT_LIMITS
from wheeltarget.core.manifest import MANIFEST_NAME, MANIFEST_SCHEMA, Contents, Member, Part
from wheeltarget.core.model import Digest, LockedPackage, Project, Source, StoredWheel
from wheeltarget.core.plan import Excluded
from wheeltarget.core.tree import read_prefix
from wheeltarget.core.typed import (
    KeyPathError,
    as_type,
    check_keys,
    convert,
    get,
    get_array,
    join,
    json_object,
    need,
)
from wheeltarget.core.wheelname import parse_wheel_name
from wheeltarget.core.zipform import unsafe_reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from packaging.utils import NormalizedName

    from wheeltarget.core.manifest import Layout
    from wheeltarget.core.target import Target

P = ParamSpec("P")
T = TypeVar("T")
D = TypeVar("D")
Raw = dict[str, object]

_ALWAYS = ("schema", "generator", "project", "lock", "layout")
_OF_RUN = ("groups", "extras")
_OF_PART = ("target", "packages", "excluded")
_PACKAGE = ("name", "version", "file", "sha256", "size", "tag", "source", "built")
_SOMETIMES = ("beyond", "undecided", "record")
_SOURCES = ("index", "directory", "file", "git", "url")
#: A repository on the machine that bundled: where it was, the manifest does not say.
_FOLDER = "file:///"
_WHEELHOUSE: Layout = "wheelhouse"
_LAYOUTS = (_WHEELHOUSE, "site-packages")

_HINT = "the bundle was not written by this plugin, or changed since: get it anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPart:
    """What a bundle says of one target, as far as it can be read. ``path`` is its key."""

    path: str
    target: Target | None
    members: tuple[Member, ...]
    excluded: tuple[Excluded, ...]

    @property
    def name(self) -> str | None:
        """The name of the target."""
        return self.target.name if self.target else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest, as far as it can be read.

    ``contents`` is None unless all of it can be; ``document`` is the JSON. ``files`` are the sha256
    of the other text members, in hex.
    """

    document: Mapping[str, object] = field(default_factory=dict)
    project: Project | None = None
    layout: Layout = "wheelhouse"
    prefix: str = ""
    parts: tuple[ReadPart, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    contents: Contents | None = None
    problems: tuple[Problem, ...] = ()


def read_manifest(data: bytes) -> Manifest:
    """Read a manifest; what is wrong with it is among its ``problems``."""
    try:
        raw = json_object(data.decode())
        schema = need(raw, "schema", int, "")
    except ValueError as error:  # UnicodeDecodeError, too
        return Manifest(problems=(_problem(f"{MANIFEST_NAME} cannot be read: {error}"),))
    if schema != MANIFEST_SCHEMA:
        return Manifest(document=raw, problems=(_schema_problem(schema),))
    return _Reader(raw).manifest()


def manifest_problem(reason: str, target: str | None = None) -> Problem:
    """A problem with what the manifest says."""
    return _problem(f"{MANIFEST_NAME}: {reason}", target)


def _problem(what: str, target: str | None = None) -> Problem:
    return Problem(what=what, target=target, file=MANIFEST_NAME, hint=_HINT)


def _schema_problem(schema: int) -> Problem:
    newer = schema > MANIFEST_SCHEMA
    return Problem(
        what=f"{MANIFEST_NAME}: schema is {schema}; this version reads {MANIFEST_SCHEMA}",
        file=MANIFEST_NAME,
        hint="a newer version of poetry-plugin-wheeltarget is needed" if newer else _HINT,
    )


class _Reader:
    """Reads a manifest on and on, and collects what is wrong."""

    def __init__(self, raw: Raw) -> None:
        self._raw = raw
        self._problems: list[Problem] = []
        self._platforms = DEFAULT_LIMITS.platforms

    def _attempt(
        self, instead: D, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T | D:
        try:
            return read(*args, **kwargs)
        except KeyPathError as error:
            self._problems.append(manifest_problem(str(error)))
            return instead

    def _known(self, table: Mapping[str, object], known: Iterable[str], path: str) -> None:
        keys = list(known)
        for key in table:
            self._attempt(None, check_keys, {key: None}, keys, path)

    def manifest(self) -> Manifest:
        raw = self._raw
        combined = "targets" in raw
        layout: Layout = self._attempt(_WHEELHOUSE, _layout, raw)
        self._known(
            raw,
            (
                *_ALWAYS,
                *(["prefix"] if layout == "site-packages" else []),
                *(["targets"] if combined else _OF_PART),
                *_OF_RUN,
                "files",
            ),
            "",
        )
        prefix = self._attempt("", _prefix, raw) if layout == "site-packages" else ""
        generator = self._attempt(("", ""), _pair, raw, "generator")
        project = self._attempt(None, _project, raw)
        content_hash = self._attempt("", _content_hash, raw)
        groups, extras = (self._attempt((), _names, raw, key) for key in _OF_RUN)
        parts = self._parts() if combined else (self._part(raw, ""),)
        files = self._files()
        contents = None
        if not self._problems and project is not None:
            contents = Contents(
                generator=generator,
                project=project,
                content_hash=content_hash,
                groups=groups,
                extras=extras,
                parts=tuple(
                    Part(target=part.target, members=part.members, excluded=part.excluded)
                    for part in parts
                    if part.target
                ),
                combined=combined,
                layout=layout,
                prefix=prefix,
            )
        return Manifest(
            document=raw,
            project=project,
            layout=layout,
            prefix=prefix,
            parts=parts,
            files=files,
            contents=contents,
            problems=tuple(self._problems),
        )

    def _tables(self, table: Mapping[str, object], key: str, path: str) -> list[tuple[Raw, str]]:
        """The tables in an array, each with its path."""
        found: list[tuple[Raw, str]] = []
        for index, value in enumerate(self._attempt([], need, table, key, list, path)):
            place = f"{join(path, key)}[{index}]"
            each = self._attempt(None, as_type, value, dict, place)
            if each is not None:
                found.append((each, place))
        return found

    def _parts(self) -> tuple[ReadPart, ...]:
        tables = self._tables(self._raw, "targets", "")
        if not tables:
            self._problems.append(manifest_problem("targets: there is none"))
        for table, path in tables:
            self._known(table, (*_OF_PART, "requirements", "pylock"), path)
        return tuple(self._part(table, path) for table, path in tables)

    def _part(self, table: Raw, path: str) -> ReadPart:
        target = self._attempt(None, read_target, table, path, self._platforms)
        if target:
            self._platforms -= len(target.platforms) * max(1, len(target.abis))
        members, excluded = [], []
        for each, place in self._tables(table, "packages", path):
            self._known(each, (*_PACKAGE, *_SOMETIMES), place)
            member = self._attempt(None, _member, each, place)
            if member:
                members.append(member)
        for each, place in self._tables(table, "excluded", path):
            entry = self._attempt(None, _excluded, each, place)
            if entry:
                excluded.append(entry)
        return ReadPart(path=path, target=target, members=tuple(members), excluded=tuple(excluded))

    def _files(self) -> Mapping[str, str]:
        files: dict[str, str] = {}
        for table, path in self._tables(self._raw, "files", ""):
            file = self._attempt(None, _file, table, path, "name")
            if file and file[0] in files:
                self._problems.append(manifest_problem(f"{path}: {file[0]!r} stands twice"))
            elif file:
                files[file[0]] = file[1]
        return files


# --- values -----------------------------------------------------------------------------------


def _layout(raw: Raw) -> Layout:
    layout = need(raw, "layout", str, "")
    if layout not in _LAYOUTS:
        raise KeyPathError("layout", f"{layout!r} is not one of {', '.join(_LAYOUTS)}")
    return cast("Layout", layout)


def _prefix(raw: Raw) -> str:
    prefix = need(raw, "prefix", str, "")
    if convert(prefix, read_prefix, "prefix") != prefix:
        raise KeyPathError("prefix", f"{prefix!r} does not end in a slash")
    return prefix


def _pair(raw: Raw, key: str) -> tuple[str, str]:
    table = need(raw, key, dict, "")
    return need(table, "name", str, key), need(table, "version", str, key)


def _project(raw: Raw) -> Project:
    table = need(raw, "project", dict, "")
    return Project(name=_name(table, "project"), version=_version(table, "project"))


def _content_hash(raw: Raw) -> str:
    return need(need(raw, "lock", dict, ""), "content-hash", str, "lock")


def _names(raw: Raw, key: str) -> tuple[str, ...]:
    need(raw, key, list, "")
    return get_array(raw, key, str, "") or ()


def _name(table: Raw, path: str) -> NormalizedName:
    name = need(table, "name", str, path)
    if canonicalize_name(name) != name or not re.fullmatch(r"[a-z0-9-]+", name):
        raise KeyPathError(join(path, "name"), f"{name!r} is not a normalised name")
    return canonicalize_name(name)


def _version(table: Raw, path: str) -> Version:
    text = need(table, "version", str, path)
    try:
        version = Version(text)
    except ValueError:  # InvalidVersion, or a number with thousands of digits
        raise KeyPathError(join(path, "version"), f"{text[:40]!r} is not a version") from None
    if str(version) != text:
        raise KeyPathError(join(path, "version"), f"{text!r} is not written as {version}")
    return version


def _sha256(table: Raw, path: str) -> str:
    text = need(table, "sha256", str, path)
    digest = convert(f"sha256:{text}", Digest.parse, join(path, "sha256"))
    if digest.hex != text:
        raise KeyPathError(join(path, "sha256"), "is not in lower case")
    return text


def _file(table: Raw, path: str, key: str) -> tuple[str, str]:
    """The name of a member, at a key, and its sha256."""
    name = need(table, key, str, path)
    reason = unsafe_reason(name)
    if reason:
        raise KeyPathError(join(path, key), f"{name!r} is unsafe: {reason}")
    return name, _sha256(table, path)


def _excluded(table: Raw, path: str) -> Excluded:
    name, version = _name(table, path), _version(table, path)
    return Excluded(package=LockedPackage(name=name, version=version, markers={}, files=()))


def _member(table: Raw, path: str) -> Member:
    filename = need(table, "file", str, path)
    try:
        parse_wheel_name(filename)
    except ValueError as error:
        reason = f"{filename!r} is not the name of a wheel: {error}"
        raise KeyPathError(join(path, "file"), reason) from error
    size = need(table, "size", int, path)
    if size < 0:
        raise KeyPathError(join(path, "size"), f"{size} is not a size")
    record = get(table, "record", dict, path)
    return Member(
        name=_name(table, path),
        version=str(_version(table, path)),
        tag=need(table, "tag", str, path),
        wheel=StoredWheel(filename=filename, sha256=_sha256(table, path), size=size),
        source=_source(table, path),
        built=need(table, "built", bool, path),
        beyond=get(table, "beyond", bool, path) or False,
        undecided=_undecided(table, path),
        record=None if record is None else _file(record, join(path, "record"), "file"),
    )


def _undecided(table: Raw, path: str) -> tuple[str, tuple[str, ...]] | None:
    undecided = get(table, "undecided", dict, path)
    if undecided is None:
        return None
    place = join(path, "undecided")
    need(undecided, "variables", list, place)
    variables = get_array(undecided, "variables", str, place) or ()
    return need(undecided, "marker", str, place), variables


def _source(table: Raw, path: str) -> Source | None:
    if "source" in table and table["source"] is None:
        return None
    source, place = need(table, "source", dict, path), join(path, "source")
    kind = need(source, "type", str, place)
    if kind not in _SOURCES:
        raise KeyPathError(join(place, "type"), f"{kind!r} is not one of {', '.join(_SOURCES)}")
    name = need(source, "name", str, place) if kind == "index" else None
    url = get(source, "url", str, place)
    if kind == "git" and url is None:
        url = _FOLDER
    return Source(
        kind=cast("Literal['index', 'directory', 'file', 'git', 'url']", kind),
        url=url,
        # Of what is not from PyPI, the manifest has the URL; of what is from there, it has none.
        reference=None if url is None else name or kind,
        commit=get(source, "commit", str, place),
    )
