"""The METADATA of a wheel that was built: what it requires, compared with the lock.

Core metadata specification; direct references: PEP 508.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from poetry.core.constraints.version import VersionConstraint, parse_constraint

from wheeltarget.core.markers import evaluate, parse_marker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.utils import NormalizedName

    from wheeltarget.core.model import LockedPackage
    from wheeltarget.core.target import Target

_HEADER = re.compile(r"([A-Za-z-]+):[ \t]*(.*)")
_LINE_END = re.compile(r"\r?\n")
_REQUIRES = "requires-dist"
#: In the lock, what makes a dependency a direct reference.
_DIRECT = ("path", "url", "git", "file")


class MetadataError(ValueError):
    """METADATA that is not what the specification says; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What matters here of METADATA.

    ``requires`` are its ``Requires-Dist`` in order, ``unread`` those that do not follow PEP 508;
    ``requires_python`` is empty where any will do.
    """

    name: NormalizedName
    version: Version
    requires: tuple[Requirement, ...]
    requires_python: str = ""
    unread: tuple[str, ...] = ()


def read_metadata(text: str, *, lenient: bool = False) -> Metadata:
    """Read METADATA. Raises MetadataError.

    ``lenient`` lets requirements pass that cannot be read: old wheels have ``pytz (>dev)``, and old
    versions of pip install them.
    """
    fields: dict[str, list[str]] = {}
    for name, value in headers(text):
        fields.setdefault(name.lower(), []).append(value)
    for name in ("name", "version"):
        if len(fields.get(name, [])) != 1:
            raise MetadataError(f"METADATA has no single {name}")
    requires: list[Requirement] = []
    unread: list[str] = []
    try:
        version = Version(fields["version"][0])
        for value in fields.get(_REQUIRES, []):
            try:
                requires.append(Requirement(value))
            except InvalidRequirement:
                if not lenient:
                    raise
                unread.append(value)
    except ValueError as error:  # InvalidVersion and InvalidRequirement are
        raise MetadataError(f"METADATA cannot be read: {error}") from error
    return Metadata(
        name=canonicalize_name(fields["name"][0]),
        version=version,
        requires=tuple(requires),
        requires_python="".join(fields.get("requires-python", [])),
        unread=tuple(unread),
    )


def headers(text: str) -> Iterator[tuple[str, str]]:
    """Names and unfolded values, down to the empty line before the description.

    A line of white space alone continues a header, as in a licence with paragraphs.
    """
    name, value = "", ""
    # Not splitlines(), which knows many more line ends than the format does.
    for line in _LINE_END.split(text):
        if not line:
            break
        if line[0] in " \t":
            value += f" {line.strip()}"
            continue
        if name:
            yield name, value
        match = _HEADER.match(line)
        name, value = (match[1], match[2].strip()) if match else ("", "")
    if name:
        yield name, value


def localise(text: str, versions: Mapping[NormalizedName, Version]) -> str:
    """METADATA with each direct reference turned into a version, or into the name alone.

    A path or repository means something only on the machine that built the wheel; in a bundle,
    that package is a wheel as all others. ``versions`` are those of the bundle.

    Raises MetadataError.
    """
    head, separator, description = _split(text)
    lines = [
        f"Requires-Dist: {_localised(value, versions)}" if name.lower() == _REQUIRES else line
        for name, value, line in _header_lines(head)
    ]
    return "\n".join(lines) + separator + description


def _split(text: str) -> tuple[str, str, str]:
    match = re.search(r"\r?\n\r?\n", text)
    if match is None:
        return text.rstrip("\r\n"), "\n", ""
    return text[: match.start()], match[0], text[match.end() :]


def _header_lines(head: str) -> Iterator[tuple[str, str, str]]:
    """Name, unfolded value and the line or lines of each header."""
    for line in re.split(r"\r?\n(?![ \t])", head):
        name, value = next(headers(line), ("", ""))
        yield name, value, line


def _localised(value: str, versions: Mapping[NormalizedName, Version]) -> str:
    try:
        requirement = Requirement(value)
    except InvalidRequirement as error:
        raise MetadataError(f"METADATA cannot be read: {error}") from error
    if requirement.url is None:
        return value
    version = versions.get(canonicalize_name(requirement.name))
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    marker = f" ; {requirement.marker}" if requirement.marker else ""
    return f"{requirement.name}{extras}{f'=={version}' if version else ''}{marker}"


# --- compared with the lock -------------------------------------------------------------------


def differences(metadata: Metadata, package: LockedPackage, target: Target) -> list[str]:
    """Where a built wheel is, or requires on the target, something else than the lock says.

    Each shows both. Requirements of extras are left aside: the lock does not say which are wanted.

    Raises MetadataError where a requirement, or a dependency in the lock, cannot be read.
    """
    found = []
    if (metadata.name, metadata.version) != (package.name, package.version):
        found.append(f"it is {metadata.name} {metadata.version}, the lock says {package}")
    if not _may_python(metadata.requires_python, target):
        wanted = metadata.requires_python
        found.append(f"it requires Python {wanted}, the target has {target.python}")
    built = _merged(_of_metadata(metadata, target))
    locked = _merged(_of_lock(package, target))
    for name in sorted(built.keys() | locked.keys()):
        if name not in locked:
            found.append(f"it requires {_said(name, built)}, the lock does not")
        elif name not in built:
            found.append(f"it does not require {_said(name, locked)}, the lock does")
        elif None not in (built[name], locked[name]) and built[name] != locked[name]:
            found.append(f"it requires {_said(name, built)}, the lock {_said(name, locked)}")
    return found


#: By name, the versions that are asked for; None where a direct reference asks for none.
_Wants = dict[str, "VersionConstraint | None"]


def _said(name: str, wants: _Wants) -> str:
    constraint = wants[name]
    any_version = constraint is None or constraint.is_any()
    return name if any_version else f"{name} {constraint}"


def _merged(pairs: Iterator[tuple[str, VersionConstraint | None]]) -> _Wants:
    """What holds together where several requirements on one package hold."""
    wants: _Wants = {}
    for name, constraint in pairs:
        before = wants.get(name, constraint)
        if before is None or constraint is None:
            wants[name] = None
        else:
            wants[name] = before.intersect(constraint)
    return wants


def _of_metadata(
    metadata: Metadata, target: Target
) -> Iterator[tuple[str, VersionConstraint | None]]:
    for requirement in metadata.requires:
        if _may_hold(str(requirement.marker or ""), target):
            versions = None if requirement.url else _constraint(str(requirement.specifier))
            yield canonicalize_name(requirement.name), versions


def _of_lock(
    package: LockedPackage, target: Target
) -> Iterator[tuple[str, VersionConstraint | None]]:
    for name, value in package.requires.items():
        # A string, a table, or an array of tables whose markers tell them apart.
        for each in value if isinstance(value, list) else [value]:
            table = each if isinstance(each, dict) else {"version": each}
            version, marker, python = (
                _text(table.get(key, ""), name, package) for key in ("version", "markers", "python")
            )
            if _may_hold(marker, target) and _may_python(python, target):
                direct = any(key in table for key in _DIRECT)
                yield canonicalize_name(name), None if direct else _constraint(version)


def _text(value: object, name: str, package: LockedPackage) -> str:
    if not isinstance(value, str):
        raise MetadataError(f"the lock's dependency {name} of {package} cannot be read")
    return value


def _may_hold(marker: str, target: Target) -> bool:
    try:
        return evaluate(parse_marker(marker), target.environment).holds is not False
    except Exception as error:  # the parser's own errors have no common root
        raise MetadataError(f"the marker {marker!r} cannot be evaluated: {error}") from error


def _may_python(constraint: str, target: Target) -> bool:
    return _constraint(constraint).allows_any(_constraint(f"~{target.python.minor_version}.0"))


def _constraint(text: str) -> VersionConstraint:
    try:
        # PEP 440's arbitrary equality, of which poetry-core knows nothing.
        return parse_constraint(text.replace("===", "==") or "*")
    except ValueError as error:
        raise MetadataError(f"{text!r} is no version constraint: {error}") from error
