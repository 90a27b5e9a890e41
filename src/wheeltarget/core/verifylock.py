"""Where a bundle differs from the lock of its project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheeltarget.core.errors import Problem
from wheeltarget.core.verify import Findings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from packaging.utils import NormalizedName

    from wheeltarget.core.manifest import Contents, Member, Part
    from wheeltarget.core.model import Digest, Lock, LockedPackage

_HINT = "bundle it anew from this lock, or look whether the lock is the right one"


def compare_with_lock(
    contents: Contents,
    lock: Lock,
    project: NormalizedName,
    digest_of: Callable[[str, str], str | None],
) -> Findings:
    """Each difference as a problem; what cannot be compared as a warning.

    ``digest_of`` gives the hash of a wheel in the bundle by its file name and an algorithm, None
    where the bundle has not the wheel itself.
    """
    problems, warnings = [], []
    if contents.project.name != project:
        what = f"the bundle is of {contents.project.name}, the lock of {project}"
        problems.append(Problem(what=what, hint=_HINT))
    if contents.content_hash != lock.content_hash:
        what = f"the bundle was made from a lock with content-hash {contents.content_hash}, "
        what += f"this one has {lock.content_hash}"
        problems.append(Problem(what=what, hint=_HINT))
    for part in contents.parts:
        for member in (m for m in part.sorted_members() if not m.built):
            reason = _package_difference(member, lock) or _file_difference(member, lock)
            if reason is None:
                digest = next(_locked_digests(member, lock))
                actual = _actual(member, digest, digest_of)
                if actual is None:
                    reason = f"cannot be compared: the lock has its {digest.algorithm} only"
                    warnings.append(_problem(member, part, reason))
                    continue
                if actual != digest.hex:
                    reason = f"has {digest.algorithm} {actual}, the lock says {digest.hex}"
            if reason is not None:
                problems.append(_problem(member, part, reason))
    return Findings(problems=tuple(problems), warnings=tuple(warnings))


def _problem(member: Member, part: Part, reason: str) -> Problem:
    return Problem(
        what=f"{member.wheel.filename} {reason}",
        package=f"{member.name} {member.version}",
        target=part.target.name,
        file=member.wheel.filename,
        hint=_HINT,
    )


def _candidates(member: Member, lock: Lock) -> list[LockedPackage]:
    return [package for package in lock.packages if package.name == member.name]


def _package_difference(member: Member, lock: Lock) -> str | None:
    versions = [str(package.version) for package in _candidates(member, lock)]
    if not versions:
        return "is of a package that is not in the lock"
    if member.version not in versions:
        return f"is of another version than the lock has, {', '.join(versions)}"
    return None


def _file_difference(member: Member, lock: Lock) -> str | None:
    if not any(True for _ in _locked_digests(member, lock)):
        return "is not among the files in the lock, or has no strong hash there"
    return None


def _locked_digests(member: Member, lock: Lock) -> Iterator[Digest]:
    for package in _candidates(member, lock):
        for file in package.files:
            if file.name == member.wheel.filename and file.digest is not None:
                yield file.digest


def _actual(
    member: Member, digest: Digest, digest_of: Callable[[str, str], str | None]
) -> str | None:
    actual = digest_of(member.wheel.filename, digest.algorithm)
    if actual is None and digest.algorithm == "sha256":
        return member.wheel.sha256
    return actual
