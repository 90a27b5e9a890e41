"""A bill of materials: each wheel of a bundle, its licence, where it is from, and what it needs.

Values only; :mod:`wheeltarget.io.sbom` writes them as CycloneDX.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from wheeltarget.core.closure import RequirementError, closure, requirements_on
from wheeltarget.core.errors import Problem
from wheeltarget.core.licences import Licence, licences_of
from wheeltarget.core.manifest import git_address, is_folder, without_secrets
from wheeltarget.core.markers import evaluate
from wheeltarget.core.metadata import MetadataError, read_metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping

    from packaging.requirements import Requirement as RequiresDist
    from packaging.utils import NormalizedName

    from wheeltarget.core.manifest import Contents, Member, Part
    from wheeltarget.core.model import Requirement, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One wheel. ``needs`` are the names of the other wheels that it requires on the target."""

    member: Member
    licences: tuple[Licence, ...] = ()
    needs: tuple[NormalizedName, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """All of a bundle's ``part`` for one target.

    ``own`` is the project's own wheel, None where that is not in the bundle; ``items`` are the
    other wheels by name; ``needs`` is what the project itself asks for;
    ``problems`` tells of wheels whose relations are not known.
    """

    contents: Contents
    part: Part
    own: Item | None
    items: tuple[Item, ...]
    needs: tuple[NormalizedName, ...]
    problems: tuple[Problem, ...] = ()


def make_bill(
    contents: Contents,
    part: Part,
    metadata: Mapping[str, str],
    wanted: Iterable[Requirement],
    is_spdx: Callable[[str], bool],
) -> Bill:
    """The bill of what a bundle holds for one target.

    ``metadata`` are the METADATA of its wheels, by file name; one that is not there is unreadable.
    ``wanted`` is what the project asks for. Requirements that are undecided on the target count.
    """
    asked = dict(_asked(contents, part, wanted))
    problems: list[Problem] = []
    requires: dict[NormalizedName, tuple[RequiresDist, ...]] = {}
    for member in part.sorted_members():
        try:
            requires[member.name] = _requires(part, metadata.get(member.wheel.filename))
        except (MetadataError, RequirementError) as error:
            requires[member.name] = ()
            problems.append(_problem(member, error))
    needs = closure(part.target.environment, requires, asked)
    items = {
        member.name: Item(
            member=member,
            licences=licences_of(metadata.get(member.wheel.filename, ""), is_spdx),
            needs=_present(requires, (need.name for need in needs[member.name]), member.name),
        )
        for member in part.sorted_members()
    }
    own = contents.project.name
    return Bill(
        contents=contents,
        part=part,
        own=items.get(own),
        items=tuple(item for name, item in items.items() if name != own),
        needs=_present(requires, asked, own),
        problems=tuple(problems),
    )


def _present(
    there: Container[NormalizedName], names: Iterable[NormalizedName], own: NormalizedName
) -> tuple[NormalizedName, ...]:
    """The names that are in the bundle, sorted; a package with extras may require itself."""
    return tuple(sorted({name for name in names if name in there and name != own}))


def _asked(
    contents: Contents, part: Part, wanted: Iterable[Requirement]
) -> Iterator[tuple[NormalizedName, frozenset[NormalizedName]]]:
    """What the project asks for on the target, each name once, with the extras of it."""
    extras: dict[NormalizedName, frozenset[NormalizedName]] = {}
    active = frozenset(map(canonicalize_name, contents.extras))
    for each in wanted:
        verdict = evaluate(each.marker, part.target.environment, active)
        if verdict.holds is not False and (not each.optional or each.in_extras & active):
            extras[each.name] = extras.get(each.name, frozenset()) | each.extras
    yield from extras.items()


def _requires(part: Part, text: str | None) -> tuple[RequiresDist, ...]:
    """``Requires-Dist`` of a wheel, each of which can be evaluated on the target."""
    if text is None:
        raise MetadataError("its METADATA cannot be read")
    requires = read_metadata(text).requires
    requirements_on(part.target.environment, requires)
    return requires


def _problem(member: Member, error: Exception) -> Problem:
    return Problem(
        what=f"the bill of materials lacks what {member.wheel.filename} requires: {error}",
        package=f"{member.name} {member.version}",
        file=member.wheel.filename,
        hint="the wheel stands in it all the same, with its hash",
    )


# --- where a wheel is from ----------------------------------------------------------------------


def purl_qualifiers(member: Member) -> Mapping[str, str] | None:
    """The qualifiers of a wheel's package URL (purl-spec, type ``pypi``); None for no such URL.

    What was made from a folder or a file of this machine is not on an index: its name there may be
    another package. A wheel that was built is not the file of that name on an index either.
    """
    source = member.source
    if source is None or source.kind in {"directory", "file"}:
        return None
    qualifiers = {} if member.built else {"file_name": member.wheel.filename}
    address = origin(source)
    if address is not None:
        kind = {"index": "repository_url", "url": "download_url", "git": "vcs_url"}[source.kind]
        qualifiers[kind] = address
    return qualifiers


def origin(source: Source | None) -> str | None:
    """The address of an index, archive or repository, without credentials.

    None for PyPI's, and for what lies on this machine. A repository's has the commit (SPDX download
    location).
    """
    if source is None or source.kind in {"directory", "file"}:
        return None
    url = source.url or ""
    if source.kind == "git":
        if is_folder(url):
            return None
        address = git_address(url)
        if "://" not in address:  # git's short form, host:path
            host, _, path = address.partition(":")
            address = f"ssh://{host}/{path.lstrip('/')}"
        return f"git+{address}@{source.commit or ''}".rstrip("@")
    if source.kind == "index" and source.reference is None:
        return None
    return without_secrets(url)
