"""``poetry.lock`` of the formats 1.1 and 2.0, which Poetry 1 wrote.

They say what each package depends on, and not which packages apply; :mod:`wheeltarget.core.reach`
derives that. Format 1.1 holds the files of all versions of a name in one place.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from packaging.utils import canonicalize_name
from poetry.core.constraints.version import (
    Version as PoetryVersion,
)
from poetry.core.constraints.version import (
    VersionConstraint,
    VersionRange,
    parse_constraint,
    parse_marker_version_constraint,
)

from wheeltarget.core.lock import (
    belongs_elsewhere,
    read_files,
    read_identity,
    read_marker,
    read_name,
    read_source,
)
from wheeltarget.core.markers import (
    AnyMarker,
    BaseMarker,
    MarkerUnion,
    MultiMarker,
    SingleMarker,
    parse_marker,
    variables_of,
)
from wheeltarget.core.model import LockedPackage, Requirement, Source
from wheeltarget.core.reach import Node, UnsettledError, reach
from wheeltarget.core.typed import KeyPathError, as_type, get, join, need
from wheeltarget.core.wheelname import (
    MalformedWheelNameError,
    UnsafeFileNameError,
    is_wheel_name,
    parse_wheel_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from wheeltarget.core.errors import Problem
    from wheeltarget.core.model import Gap, LockedFile, RootRequirement

#: ``name[extra,extra]``, with anything after it.
_WITH_EXTRAS = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\[\]]*)\])?")
#: An ``extra`` in the text of a marker that holds several.
_EXTRA = re.compile(r'extra == "([^"]+)"')

Table = dict[str, object]
Extras = dict["NormalizedName", tuple[tuple["NormalizedName", frozenset["NormalizedName"]], ...]]


def read_old_packages(
    raw: Mapping[str, object],
    packages: Sequence[Table],
    roots: Iterable[RootRequirement],
    problems: list[Problem],
) -> tuple[tuple[LockedPackage, ...], tuple[Gap, ...]]:
    """The packages of a lock, each with the markers that follow from the project's requirements.

    Raises KeyPathError. Files with names that are refused are added to ``problems``.
    """
    metadata = need(raw, "metadata", dict, "poetry.lock")
    simplify = _simplifier(metadata)
    identities = [read_identity(entry, index) for index, entry in enumerate(packages)]
    nodes = [_read_node(*of, entry) for of, entry in zip(identities, packages, strict=True)]
    pool = _Pool(metadata, identities)
    files = [
        pool.files_of(node, entry, problems) for node, entry in zip(nodes, packages, strict=True)
    ]
    roots = tuple(roots)  # outside: what is wrong with the project is not wrong with the lock
    try:
        reached = reach(nodes, roots, simplify)
    except UnsettledError as error:
        raise KeyPathError(f"package {error.name}", str(error)) from error
    read = tuple(
        LockedPackage(
            name=node.name,
            version=node.version,
            markers=markers,
            files=own,
            source=node.source,
            requires=get(entry, "dependencies", dict, f"package {node.name}") or {},
        )
        for node, own, entry, markers in zip(nodes, files, packages, reached.markers, strict=True)
    )
    return read, reached.gaps


def _simplifier(metadata: Table) -> Callable[[BaseMarker], BaseMarker]:
    """What leaves out of a marker all that the project's own Python versions make certain."""
    python = _python_constraint(metadata, "python-versions", "metadata")

    def simplify(marker: BaseMarker) -> BaseMarker:
        return marker.reduce_by_python_constraint(python)

    return simplify


# --- packages ---------------------------------------------------------------------------------


def _read_node(name: NormalizedName, version: Version, raw: Table) -> Node:
    path = f"package {name}"
    source = read_source(raw, path)
    extras = _read_extras(raw, path)
    closed = {extra: _closure(name, extra, extras) for extra in extras}
    requirements = _read_requirements(raw, path, source)
    return Node(
        name=name,
        version=version,
        source=source,
        python=_python_marker(_python_constraint(raw, "python-versions", path)),
        requirements=tuple((_wants(each, closed, extras), each) for each in requirements),
    )


def _read_extras(raw: Table, path: str) -> Extras:
    """For each extra the names that it lists, each with the extras wanted of it."""
    path, table = join(path, "extras"), get(raw, "extras", dict, path) or {}
    extras: Extras = {}
    for key, values in table.items():
        extra, listed = canonicalize_name(key), []
        for index, value in enumerate(as_type(values, list, join(path, key))):
            item_path = f"{join(path, key)}[{index}]"
            text = as_type(value, str, item_path)
            match = _WITH_EXTRAS.match(text)
            if match is None:
                raise KeyPathError(item_path, f"{text!r} is not a requirement")
            wanted = frozenset(_names((match[2] or "").split(",")))
            listed.append((canonicalize_name(match[1]), wanted))
        extras[extra] = (*extras.get(extra, ()), *listed)
    return extras


def _names(texts: Iterable[str]) -> Iterable[NormalizedName]:
    return (canonicalize_name(text.strip()) for text in texts if text.strip())


def _closure(
    name: NormalizedName, extra: NormalizedName, extras: Extras
) -> frozenset[NormalizedName]:
    """An extra with all that it brings by listing its own package, as in ``all = ["x[a,b]"]``."""
    found: set[NormalizedName] = set()
    waiting = [extra]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            for listed, wanted in extras.get(current, ()):
                waiting += sorted(wanted) if listed == name else ()
    return frozenset(found)


def _wants(
    requirement: Requirement,
    closed: Mapping[NormalizedName, frozenset[NormalizedName]],
    extras: Extras,
) -> frozenset[NormalizedName | None]:
    """The wants of a package that bring a requirement, as Poetry's solver decides it."""
    if not requirement.optional and not requirement.in_extras:
        return frozenset([None])
    listing = {
        extra
        for extra, brought in closed.items()
        if any(requirement.name == name for each in brought for name, _ in extras.get(each, ()))
    }
    if not requirement.in_extras:
        return frozenset(listing)
    # An extra that the package does not list can be wanted of it all the same.
    naming = {extra for extra, brought in closed.items() if requirement.in_extras & brought}
    naming |= requirement.in_extras
    return frozenset(naming & listing if requirement.optional else naming)


# --- requirements -----------------------------------------------------------------------------


def _read_requirements(raw: Table, path: str, source: Source) -> list[Requirement]:
    path, table = join(path, "dependencies"), get(raw, "dependencies", dict, path) or {}
    found = []
    for key, value in table.items():
        name = read_name(str(key), join(path, key))
        if isinstance(value, list):
            for index, item in enumerate(value):
                found.append(_read_requirement(name, item, f"{join(path, key)}[{index}]", source))
        else:
            found.append(_read_requirement(name, value, join(path, key), source))
    return found


def _read_requirement(
    name: NormalizedName, value: object, path: str, parent: Source
) -> Requirement:
    if isinstance(value, str):
        return Requirement(name=name, constraint=_constraint(value, path), marker=AnyMarker())
    table = as_type(value, dict, path)
    marker = read_marker(get(table, "markers", str, path) or "", join(path, "markers"))
    python = _python_marker(_python_constraint(table, "python", path))
    extras = get(table, "extras", list, path) or []
    return Requirement(
        name=name,
        constraint=_constraint(get(table, "version", str, path) or "*", join(path, "version")),
        marker=MultiMarker.of(marker, python),
        extras=frozenset(
            _names(
                as_type(extra, str, f"{join(path, 'extras')}[{index}]")
                for index, extra in enumerate(extras)
            )
        ),
        in_extras=frozenset(extras_in(marker)),
        optional=get(table, "optional", bool, path) or False,
        source=_wanted_source(table, path, parent),
    )


def extras_in(marker: BaseMarker) -> Iterable[NormalizedName]:
    """The extras that a marker asks for."""
    if isinstance(marker, (MultiMarker, MarkerUnion)):
        for part in marker.markers:
            yield from extras_in(part)
    elif isinstance(marker, SingleMarker):
        if marker.name == "extra" and marker.operator == "==":
            yield canonicalize_name(marker.value)
    elif "extra" in variables_of(marker):
        yield from map(canonicalize_name, _EXTRA.findall(str(marker)))


def _wanted_source(table: Table, path: str, parent: Source) -> Source | None:
    """Where a requirement asks its package to come from, None where it does not matter."""
    for key in ("git", "url"):
        url = get(table, key, str, path)
        if url is not None:
            references = (get(table, each, str, path) for each in ("rev", "tag", "branch"))
            return Source(
                kind="git" if key == "git" else "url",
                url=url,
                reference=next(filter(None, references), None),
            )
    for key in ("path", "file"):
        place = get(table, key, str, path)
        if place is not None:
            # A path is written from the package that asks, in the lock from the lock.
            base = (parent.url or "") if parent.kind == "directory" else ""
            return Source(kind="directory", url=posixpath.normpath(posixpath.join(base, place)))
    return None


def _constraint(text: str, path: str) -> VersionConstraint:
    try:
        return parse_constraint(str(text))
    except Exception as error:  # the parser's own errors have no common root
        raise KeyPathError(path, f"{text!r} is not a version constraint: {error}") from error


def _python_constraint(raw: Table, key: str, path: str) -> VersionConstraint:
    text = get(raw, key, str, path) or "*"
    try:
        return parse_marker_version_constraint(str(text))
    except Exception as error:  # as above
        raise KeyPathError(
            join(path, key), f"{text!r} is not a version constraint: {error}"
        ) from error


def _python_marker(constraint: VersionConstraint) -> BaseMarker:
    """A constraint on Python as a marker."""
    return MarkerUnion.of(*(_range_marker(each) for each in constraint.flatten()))


def _range_marker(versions: object) -> BaseMarker:
    if isinstance(versions, PoetryVersion):
        return parse_marker(f'{_python_variable(versions)} == "{versions.text}"')
    assert isinstance(versions, VersionRange)
    bounds = []
    if versions.min is not None:
        bounds.append(_bound(versions.min, ">=" if versions.include_min else ">"))
    if versions.max is not None:
        bounds.append(_bound(versions.max, "<=" if versions.include_max else "<"))
    return MultiMarker.of(*bounds)


def _bound(version: PoetryVersion, operator: str) -> BaseMarker:
    # python_version has two parts, so it cannot say that 3.8.1 is more than 3.8.
    exact = operator in {">", "<="}
    name = "python_full_version" if exact else _python_variable(version)
    return parse_marker(f'{name} {operator} "{version.stable}"')


def _python_variable(version: PoetryVersion) -> str:
    return "python_full_version" if version.precision > 2 else "python_version"


# --- files ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pool:
    """Where format 1.1 has the files: by name, those of all its versions together."""

    metadata: Table
    identities: Sequence[tuple[NormalizedName, Version]]

    def files_of(self, node: Node, raw: Table, problems: list[Problem]) -> tuple[LockedFile, ...]:
        """The files of one package."""
        path = f"package {node.name}"
        own = get(raw, "files", list, path)
        path = join(path, "files")
        if own is None:
            path = join("metadata.files", str(raw["name"]))
            own = self._pooled(node, raw, path)
        return read_files(own, path, node.name, node.version, node.source, problems)

    def _pooled(self, node: Node, raw: Table, path: str) -> list[object]:
        if "hashes" in self.metadata and "files" not in self.metadata:
            raise KeyPathError(
                "metadata.hashes",
                "the lock has hashes without file names, so no file can be chosen",
            )
        tables = need(self.metadata, "files", dict, "metadata")
        if raw["name"] not in tables:
            if node.source.kind == "index":
                raise KeyPathError(path, "is missing")
            return []
        others = [version for name, version in self.identities if name == node.name]
        entries = need(tables, cast("str", raw["name"]), list, "metadata.files")
        return [entry for entry in entries if not _is_of_another(entry, node, others)]


def _is_of_another(entry: object, node: Node, locked: Sequence[Version]) -> bool:
    """Whether a file is clearly of another version of its name that is locked as well."""
    filename = entry.get("file") if isinstance(entry, dict) else None
    if not isinstance(filename, str):
        return False  # complained of where it is read
    try:
        wheel = parse_wheel_name(filename) if is_wheel_name(filename) else None
    except (UnsafeFileNameError, MalformedWheelNameError):
        return False
    return belongs_elsewhere(filename, wheel, node.name, node.version) and not all(
        belongs_elsewhere(filename, wheel, node.name, version) for version in locked
    )
