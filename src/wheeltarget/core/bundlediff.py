"""In what two bundles differ, from their manifests."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from wheeltarget.core.manifest import MAIN_NAME, source_document, target_document
from wheeltarget.core.report import aligned

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wheeltarget.core.bundlefile import Manifest
    from wheeltarget.core.manifest import Contents, Member, Part

#: Version of the form of the document.
DIFF_SCHEMA = 1

Kind: TypeAlias = Literal["added", "removed", "version", "file", "facts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FactChange:
    """A fact that differs, by its name; each value as in the manifest, None where there is none."""

    name: str
    before: object
    after: object


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageChange:
    """A package that differs: it came, went, has another version, another file, or other facts.

    Each side as in the manifest, None where there is none.
    """

    name: str
    kind: Kind
    before: Mapping[str, object] | None
    after: Mapping[str, object] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartDifference:
    """What differs for one target."""

    name: str
    kind: Literal["added", "removed", "changed"]
    facts: tuple[FactChange, ...] = ()
    packages: tuple[PackageChange, ...] = ()
    excluded: tuple[FactChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """In what one bundle differs from another."""

    facts: tuple[FactChange, ...] = ()
    targets: tuple[PartDifference, ...] = ()

    @property
    def same(self) -> bool:
        """Whether they differ in nothing that the manifests say."""
        return not self.facts and not self.targets


def difference(before: Manifest, after: Manifest) -> Difference:
    """What differs; both manifests are whole.

    The targets of combined bundles are matched by their names; two bundles for one target each are
    compared with each other, whatever the names.
    """
    one, other = before.contents, after.contents
    assert one is not None
    assert other is not None
    facts = _changes(_facts(one, before), _facts(other, after))
    if one.layout != other.layout:  # then that one side has a RECORD says nothing more
        one, other = _without_records(one), _without_records(other)
    return Difference(facts=tuple(facts), targets=tuple(_part_differences(one, other)))


def _facts(contents: Contents, manifest: Manifest) -> Mapping[str, object]:
    return {
        "project": f"{contents.project.name} {contents.project.version}",
        "lock": contents.content_hash,
        "generator": " ".join(contents.generator),
        "groups": sorted(contents.groups),
        "extras": sorted(contents.extras),
        "layout": contents.layout,
        "prefix": contents.prefix,
        "combined": contents.combined,
        MAIN_NAME: manifest.files.get(MAIN_NAME),
    }


def _without_records(contents: Contents) -> Contents:
    parts = (
        replace(part, members=tuple(replace(member, record=None) for member in part.members))
        for part in contents.parts
    )
    return replace(contents, parts=tuple(parts))


def _changes(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[FactChange]:
    for name in sorted(before.keys() | after.keys(), key=[*before, *after].index):
        if before.get(name) != after.get(name):
            yield FactChange(name=name, before=before.get(name), after=after.get(name))


# --- targets ----------------------------------------------------------------------------------


def _part_differences(before: Contents, after: Contents) -> Iterator[PartDifference]:
    if not before.combined and not after.combined:
        pairs: list[tuple[Part | None, Part | None]] = [(before.parts[0], after.parts[0])]
    else:
        ones, others = ({part.target.name: part for part in c.parts} for c in (before, after))
        pairs = [(ones.get(name), others.get(name)) for name in {**ones, **others}]
    for one, other in pairs:
        if one is None or other is None:
            yield from _one_sided(one, other)
        else:
            found = _part_difference(one, other)
            if found.facts or found.packages or found.excluded:
                yield found


def _one_sided(one: Part | None, other: Part | None) -> Iterator[PartDifference]:
    if one is not None:
        yield PartDifference(name=one.target.name, kind="removed")
    if other is not None:
        yield PartDifference(name=other.target.name, kind="added")


def _part_difference(one: Part, other: Part) -> PartDifference:
    return PartDifference(
        name=other.target.name,
        kind="changed",
        facts=tuple(_changes(_target_facts(one), _target_facts(other))),
        packages=tuple(_package_changes(one, other)),
        excluded=tuple(_changes(_excluded(one), _excluded(other))),
    )


def _target_facts(part: Part) -> Mapping[str, object]:
    document = dict(target_document(part.target))
    markers = document.pop("markers")
    assert isinstance(markers, dict)
    return {**document, **markers}


def _excluded(part: Part) -> Mapping[str, object]:
    return {entry.package.name: str(entry.package.version) for entry in part.excluded}


def _package_changes(one: Part, other: Part) -> Iterator[PackageChange]:
    before, after = ({m.name: m for m in part.sorted_members()} for part in (one, other))
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        kind = _kind(old, new)
        if kind is not None:
            yield PackageChange(
                name=name,
                kind=kind,
                before=_package_facts(old) if old else None,
                after=_package_facts(new) if new else None,
            )


def _kind(old: Member | None, new: Member | None) -> Kind | None:
    if old is None or new is None:
        return "added" if old is None else "removed"
    if old.version != new.version:
        return "version"
    if old.wheel != new.wheel:
        return "file"
    return "facts" if _package_facts(old) != _package_facts(new) else None


def _package_facts(member: Member) -> Mapping[str, object]:
    return {
        "version": member.version,
        "file": member.wheel.filename,
        "sha256": member.wheel.sha256,
        "size": member.wheel.size,
        "tag": member.tag,
        "source": source_document(member.source),
        "built": member.built,
        "beyond": member.beyond,
        "undecided": member.undecided and member.undecided[0],
        "record": member.record and member.record[1],
    }


# --- for a person -----------------------------------------------------------------------------


def difference_lines(found: Difference) -> list[str]:
    """The difference for a person."""
    if found.same:
        return ["no difference"]
    lines = _fact_rows(found.facts)
    for part in found.targets:
        said = "" if part.kind == "changed" else f": {part.kind}"
        lines += [*([""] if lines else []), f"{part.name}{said}"]
        rows = [*part.facts, *(_as_fact(change) for change in part.packages)]
        excluded = [
            FactChange(name=f"{change.name} (excluded)", before=change.before, after=change.after)
            for change in part.excluded
        ]
        lines += [f"  {line}" for line in _fact_rows([*rows, *excluded])]
    return lines


def _as_fact(change: PackageChange) -> FactChange:
    """Only what tells the two apart, for a line."""
    before, after = change.before, change.after
    if before is None or after is None or change.kind == "version":
        return FactChange(
            name=change.name,
            before=before and before["version"],
            after=after and after["version"],
        )
    differing = [key for key in before if before[key] != after[key]]
    # The hash tells more than the size; a name that changed tells enough.
    key = next(k for k in ("file", "sha256", *differing) if k in differing)
    return FactChange(
        name=f"{change.name} {before['version']} ({key})", before=before[key], after=after[key]
    )


def _fact_rows(changes: Sequence[FactChange]) -> list[str]:
    rows = []
    for change in changes:
        before, after = change.before, change.after
        if isinstance(before, list) and isinstance(after, list) and before and after:
            # Of two long ladders only the rungs that one of them lacks tell anything.
            only = [
                [each for each in a if each not in b] for a, b in ((before, after), (after, before))
            ]
            if any(only):
                before, after = only
        rows.append((change.name, _shown(before), "->", _shown(after)))
    return aligned(rows) if rows else []


#: So many entries of a list are shown.
_SHOWN = 3


def _shown(value: object) -> str:
    if value is None or value in ([], ""):
        return "none"
    if isinstance(value, list):
        more = len(value) - _SHOWN
        return ", ".join(map(str, value[:_SHOWN])) + (f" and {more} more" if more > 0 else "")
    return value if isinstance(value, str) else json.dumps(value)


# --- for a program ----------------------------------------------------------------------------


def difference_document(found: Difference, paths: Sequence[str]) -> Mapping[str, object]:
    """The document of ``diff --json``, schema 1."""
    return {
        "schema": DIFF_SCHEMA,
        "same": found.same,
        "bundles": list(paths),
        "facts": _facts_json(found.facts),
        "targets": [
            {
                "name": part.name,
                "change": part.kind,
                "facts": _facts_json(part.facts),
                "packages": [
                    {
                        "name": change.name,
                        "change": change.kind,
                        "from": change.before,
                        "to": change.after,
                    }
                    for change in part.packages
                ],
                "excluded": _facts_json(part.excluded),
            }
            for part in found.targets
        ],
    }


def _facts_json(changes: Sequence[FactChange]) -> list[Mapping[str, object]]:
    return [{"name": c.name, "from": c.before, "to": c.after} for c in changes]
