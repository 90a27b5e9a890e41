"""What is wrong with a bundle, from what was read of it: nothing is read here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wheeltarget.core.bundletext import expected_texts, form_problems
from wheeltarget.core.errors import Problem
from wheeltarget.core.manifest import MAIN_NAME, MANIFEST_NAME, WHEELS_FOLDER
from wheeltarget.core.verifypart import part_findings
from wheeltarget.core.verifytree import tree_problems
from wheeltarget.core.zipform import Finding, Listing, form_findings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wheeltarget.core.bundlefile import Manifest
    from wheeltarget.core.metadata import Metadata
    from wheeltarget.core.record import Recorded

DAMAGED = "the bundle is damaged, or was changed: get it anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was read of a bundle.

    ``text`` is the manifest, None where it cannot be read. ``digests`` are the sha256, in hex, of
    members that are not ``damaged``, which has the reason for the others. ``metadata`` is that of
    each wheel or, in an installed tree, of each package, by the wheel's file name, and ``records``
    each RECORD by its member's name; a text is why it cannot be read.
    """

    listing: Listing
    manifest: Manifest
    text: bytes | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    damaged: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, Metadata | str] = field(default_factory=dict)
    records: Mapping[str, Sequence[Recorded] | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What is wrong with a bundle, and what is only odd."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def verify(facts: Facts) -> Findings:
    """All that is wrong with a bundle."""
    problems = [*structure_problems(facts)]
    problems += [_damage(name, reason) for name, reason in facts.damaged.items()]
    problems += _member_problems(facts)
    if facts.manifest.layout == "site-packages":
        problems += tree_problems(facts.manifest, facts.digests, facts.listing, facts.records)
    warnings: list[Problem] = []
    for part in facts.manifest.parts:
        of_part, odd = part_findings(part, facts.manifest, facts.metadata)
        problems += of_part
        warnings += odd
    return Findings(
        problems=tuple(dict.fromkeys(problems)), warnings=tuple(dict.fromkeys(warnings))
    )


def structure_problems(facts: Facts) -> Iterator[Problem]:
    """What is wrong with the archive as such, and with the manifest as such."""
    manifest, listing = facts.manifest, facts.listing
    tree = manifest.layout == "site-packages"
    plain = {MANIFEST_NAME, *manifest.files} if tree else None
    for finding in (*listing.findings, *form_findings(listing.members, plain)):
        yield _archive_problem(finding)
    if facts.text is None and (listing.members or not listing.findings):
        yield _damage(MANIFEST_NAME, facts.damaged.get(MANIFEST_NAME, "is missing"))
    yield from manifest.problems
    if manifest.contents and facts.text is not None:
        yield from form_problems(manifest.contents, manifest.files, facts.text)


def _damage(name: str, reason: str) -> Problem:
    return Problem(what=f"{name} {reason}", file=name, hint=DAMAGED)


def _archive_problem(finding: Finding) -> Problem:
    what = f"{finding.member or 'the file'} {finding.what}"
    return Problem(what=what, file=finding.member, hint=DAMAGED)


# --- members ----------------------------------------------------------------------------------


def _member_problems(facts: Facts) -> Iterator[Problem]:
    manifest, names = facts.manifest, [member.name for member in facts.listing.members]
    expected = _expected(manifest)
    there = facts.listing.by_name()
    for name in expected[1:]:
        if name not in there:
            yield _damage(name, "is missing")
    # What is in a tree is for its RECORDs to say; what a broken manifest does not say, for nobody.
    known = set(expected)
    if manifest.contents and manifest.layout == "wheelhouse":
        for name in dict.fromkeys(names):
            if name not in known:
                yield _damage(name, "does not belong to the bundle")
    if manifest.contents and _disordered(names, expected, tree=manifest.layout != "wheelhouse"):
        yield Problem(what="the members are in another order than in a bundle", hint=DAMAGED)
    yield from _text_problems(facts)
    if manifest.layout == "wheelhouse":
        yield from _wheel_problems(facts)


def _expected(manifest: Manifest) -> Sequence[str]:
    """The members that the manifest names, in order; of an installed tree those before it."""
    texts = list(manifest.files)
    if manifest.contents:
        texts = [*expected_texts(manifest.contents), MAIN_NAME]
    wheels: set[str] = set()
    if manifest.layout == "wheelhouse":
        wheels = {
            f"{WHEELS_FOLDER}/{member.wheel.filename}"
            for part in manifest.parts
            for member in part.members
        }
    return list(dict.fromkeys([MANIFEST_NAME, *texts, *sorted(wheels)]))


def _disordered(names: Sequence[str], expected: Sequence[str], *, tree: bool) -> bool:
    known = set(names)
    order = [name for name in expected if name in known]
    if tree:
        order += sorted(known - set(expected))
    wanted = set(order)
    return [name for name in dict.fromkeys(names) if name in wanted] != order


def _text_problems(facts: Facts) -> Iterator[Problem]:
    manifest = facts.manifest
    right = expected_texts(manifest.contents) if manifest.contents else {}
    for name, sha256 in manifest.files.items():
        actual = facts.digests.get(name)
        if actual is None:
            continue
        if actual != sha256:
            yield _damage(name, "has another sha256 than the manifest says")
        elif right.get(name, actual) != actual:
            yield _damage(name, "says something else than the manifest")


def _wheel_problems(facts: Facts) -> Iterator[Problem]:
    sizes = {member.name: member.size for member in facts.listing.members}
    for part in facts.manifest.parts:
        for member in part.members:
            name = f"{WHEELS_FOLDER}/{member.wheel.filename}"
            actual = facts.digests.get(name)
            if actual is None:
                continue
            if sizes[name] != member.wheel.size:
                what = f"{name} has {sizes[name]} bytes, the manifest says {member.wheel.size}"
            elif actual != member.wheel.sha256:
                what = f"{name} has another sha256 than the manifest says"
            else:
                continue
            package = f"{member.name} {member.version}"
            yield Problem(what=what, package=package, target=part.name, file=name, hint=DAMAGED)
