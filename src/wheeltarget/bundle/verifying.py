"""Verifying and comparing bundles that somebody wrote, somewhere."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from wheeltarget.core.bundlecheck import Verified
from wheeltarget.core.bundlefile import Manifest
from wheeltarget.core.errors import FileSystemError, IntegrityError
from wheeltarget.core.limits import DEFAULT_LIMITS
from wheeltarget.core.verify import Findings, structure_problems, verify
from wheeltarget.core.verifylock import compare_with_lock
from wheeltarget.io.bundlefile import BundleReader, opened, outline

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from packaging.utils import NormalizedName

    from wheeltarget.core.model import Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """A project and its lock, to compare bundles with."""

    project: NormalizedName
    lock: Lock


def verify_bundle(path: str, against: Against | None = None) -> Verified:
    """All that is wrong with a bundle, and that it cannot be read; raises nothing for either."""
    try:
        with opened(Path(path)) as file:
            return _verified(path, file, against)
    except FileSystemError as error:
        return _unreadable(path, error)


def _verified(path: str, file: BinaryIO, against: Against | None) -> Verified:
    size, sha256 = _hashed(file)
    reader = BundleReader(file)
    facts = reader.facts()
    findings = verify(facts)
    contents = facts.manifest.contents
    if against is not None and contents is not None:
        digest_of = partial(reader.digest, facts)
        found = compare_with_lock(contents, against.lock, against.project, digest_of)
        findings = Findings(
            problems=(*findings.problems, *found.problems),
            warnings=(*findings.warnings, *found.warnings),
        )
    return Verified(path=path, manifest=facts.manifest, findings=findings, size=size, sha256=sha256)


def _hashed(file: BinaryIO) -> tuple[int, str]:
    hasher = hashlib.sha256()
    while piece := file.read(DEFAULT_LIMITS.chunk_size):
        hasher.update(piece)
    return file.tell(), hasher.hexdigest()


def read_outlines(paths: Sequence[str]) -> list[Manifest]:
    """What bundles say of themselves; whether their wheels are what they say is not looked at.

    Raises IntegrityError with all that is broken in their structure or manifests, FileSystemError
    where nothing is wrong but that files cannot be read.
    """
    outlines = [_outlined(path) for path in paths]
    broken = [each for each in outlines if not each.ok]
    if broken:
        error = FileSystemError if all(each.unreadable for each in broken) else IntegrityError
        raise error(*(problem for each in broken for problem in each.problems()))
    return [each.manifest for each in outlines]


def _outlined(path: str) -> Verified:
    try:
        with opened(Path(path)) as file:
            facts = outline(file)
    except FileSystemError as error:
        return _unreadable(path, error)
    findings = Findings(problems=tuple(structure_problems(facts)))
    return Verified(path=path, manifest=facts.manifest, findings=findings)


def _unreadable(path: str, error: FileSystemError) -> Verified:
    findings = Findings(problems=error.problems)
    return Verified(path=path, manifest=Manifest(), findings=findings, unreadable=True)
