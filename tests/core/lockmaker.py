"""Locks, packages, targets and plans from a line each, all made by the public way in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from hypothesis import settings
from packaging.utils import canonicalize_name
from packaging.version import Version

from support.projects import parsed_lock
from wheeltarget.core.lock import read_lock
from wheeltarget.core.model import Project
from wheeltarget.core.plan import make_plan
from wheeltarget.core.spec import complete, parse_spec
from wheeltarget.core.target import PythonVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheeltarget.core.model import Lock, LockedPackage
    from wheeltarget.core.plan import Plan
    from wheeltarget.core.target import Target

Raw: TypeAlias = "dict[str, object]"

SHA256 = "sha256:" + "0123456789abcdef" * 4

#: For property tests: the same examples in every run, so that a failure is no matter of luck.
quick = settings(deadline=None, derandomize=True, database=None, max_examples=150)


def raw_file(name: object, digest: object = SHA256) -> Raw:
    """One entry of ``files``."""
    return {"file": name, "hash": digest}


def raw_package(
    name: str,
    version: str,
    *files: str,
    groups: Iterable[str] = ("main",),
    markers: object = None,
    source: Mapping[str, object] | None = None,
) -> Raw:
    """One ``[[package]]`` as Poetry writes it."""
    raw: Raw = {
        "name": name,
        "version": version,
        "description": "",
        "optional": False,
        "python-versions": "*",
        "groups": list(groups),
        "files": [raw_file(file) for file in files],
    }
    if markers is not None:
        raw["markers"] = markers
    if source is not None:
        raw["source"] = dict(source)
    return raw


def raw_lock(*packages: Raw, version: object = "2.1") -> Raw:
    """A whole parsed lock."""
    return {
        "package": list(packages),
        "metadata": {
            "lock-version": version,
            "python-versions": ">=3.8",
            "content-hash": "c0ffee",
        },
    }


def locked(
    name: str,
    version: str,
    *files: str,
    groups: Iterable[str] = ("main",),
    markers: object = None,
    source: Mapping[str, object] | None = None,
) -> LockedPackage:
    """One package, read from a lock."""
    raw = raw_package(name, version, *files, groups=groups, markers=markers, source=source)
    return read_lock(raw_lock(raw)).packages[0]


def real_raw(project: str) -> Raw:
    """A parsed poetry.lock that Poetry wrote."""
    return parsed_lock(project)


def real_lock(project: str) -> Lock:
    """A lock that Poetry wrote, read."""
    return read_lock(real_raw(project))


def target_for(
    spec: str = "manylinux2014_x86_64",
    python: str = "3.11",
    *,
    markers: Mapping[str, str] | None = None,
    name: str | None = None,
) -> Target:
    """The target of a spec; ``python`` holds where the spec says none."""
    draft = replace(parse_spec(spec), markers=markers or {})
    return complete(draft, PythonVersion.parse(python), name)


def plan_for(
    target: Target,
    *packages: LockedPackage,
    groups: Iterable[str] = ("main",),
    extras: Iterable[str] = (),
    exclude: Iterable[str] = (),
    variants: Mapping[str, Target] | None = None,
    build: Iterable[str] = (),
) -> Plan:
    """The plan for packages."""
    return make_plan(
        packages,
        target,
        groups=[canonicalize_name(group) for group in groups],
        extras=extras,
        exclude=[canonicalize_name(name) for name in exclude],
        build=[canonicalize_name(name) for name in build],
        variants={canonicalize_name(name): of for name, of in (variants or {}).items()},
    )


def a_project(name: str = "demo", version: str = "0.1.0", *, packaged: bool = False) -> Project:
    """A project that is bundled."""
    return Project(name=canonicalize_name(name), version=Version(version), packaged=packaged)
