"""Locks of the formats 1.1 and 2.0, and what a project wants, from a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from poetry.core.constraints.version import parse_constraint

from core.lockmaker import Raw, plan_for, raw_file
from wheeltarget.core.lock import read_lock
from wheeltarget.core.markers import parse_marker
from wheeltarget.core.model import Requirement, RootRequirement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheeltarget.core.model import Lock, Source
    from wheeltarget.core.target import Target


def old_package(
    name: str,
    version: str = "1.0",
    *,
    needs: Mapping[str, object] | None = None,
    extras: Mapping[str, object] | None = None,
    python: object = "*",
    source: Mapping[str, object] | None = None,
    files: Iterable[str] | None = None,
) -> Raw:
    """One ``[[package]]`` as Poetry 1.8 writes it."""
    stem = f"{name.replace('-', '_')}-{version}"
    names = [f"{stem}-py3-none-any.whl"] if files is None else files
    raw: Raw = {
        "name": name,
        "version": version,
        "description": "",
        "optional": False,
        "python-versions": python,
        "files": [raw_file(file) for file in names],
    }
    more = {"dependencies": needs, "extras": extras, "source": source}
    return {**raw, **{key: dict(value) for key, value in more.items() if value is not None}}


def old_lock(*packages: Raw, version: str = "2.0", python: object = ">=3.8", **more: object) -> Raw:
    """A whole parsed lock; ``more`` goes into its metadata."""
    metadata = {"lock-version": version, "python-versions": python, "content-hash": "c0ffee"}
    return {"package": list(packages), "metadata": {**metadata, **more}}


def pooled_lock(*packages: Raw, pool: Mapping[str, object], **more: object) -> Raw:
    """A lock of format 1.1, which has all files of a name in one place."""
    bare = [{key: value for key, value in each.items() if key != "files"} for each in packages]
    return old_lock(*bare, version="1.1", files=dict(pool), **more)


def root(
    name: str,
    constraint: str = "*",
    marker: str = "",
    *,
    group: str = "main",
    extras: Iterable[str] = (),
    in_extras: Iterable[str] | None = None,
    source: Source | None = None,
) -> RootRequirement:
    """Something that the project wants; optional where it belongs to extras."""
    return RootRequirement(
        group=canonicalize_name(group),
        requirement=Requirement(
            name=canonicalize_name(name),
            constraint=parse_constraint(constraint),
            marker=parse_marker(marker),
            extras=frozenset(map(canonicalize_name, extras)),
            in_extras=frozenset(map(canonicalize_name, in_extras or ())),
            optional=in_extras is not None,
            source=source,
        ),
    )


def markers_in(lock: Lock) -> dict[str, dict[str, str]]:
    """The markers of each package that is reached, in each of its groups."""
    return {
        str(package): {group: str(marker) for group, marker in package.markers.items()}
        for package in lock.packages
        if package.markers
    }


def reached(*packages: Raw, roots: Iterable[RootRequirement], **more: object) -> dict[str, str]:
    """The marker in the group main of each package that is reached."""
    lock = read_lock(old_lock(*packages, **more), list(roots))  # type: ignore[arg-type]
    assert lock.gaps == ()
    return {name: markers["main"] for name, markers in markers_in(lock).items()}


def applying(
    lock: Lock, target: Target, *, groups: Iterable[str] = ("main",), extras: Iterable[str] = ()
) -> set[str]:
    """The packages that apply to a target, as ``name version``."""
    plan = plan_for(target, *lock.packages, groups=groups, extras=extras)
    return {str(entry.package) for entry in plan.entries}
