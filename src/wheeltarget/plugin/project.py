"""What is asked of Poetry about the project, each fact behind one function."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name
from packaging.version import Version
from poetry.core.constraints.version import VersionRange
from poetry.core.packages.utils.utils import create_nested_marker

from wheeltarget.core.demand import can_hold
from wheeltarget.core.errors import LockError, Problem, UsageError
from wheeltarget.core.lock import RELOCK, read_lock
from wheeltarget.core.markers import parse_marker
from wheeltarget.core.model import Project, Requirement, RootRequirement, Source
from wheeltarget.core.suggest import did_you_mean
from wheeltarget.core.target import PythonVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.utils import NormalizedName
    from poetry.core.constraints.version import VersionConstraint
    from poetry.core.packages.dependency import Dependency
    from poetry.poetry import Poetry

    from wheeltarget.core.markers import BaseMarker
    from wheeltarget.core.model import Lock
    from wheeltarget.core.target import Target


def load_lock(poetry: Poetry, groups: Iterable[NormalizedName]) -> Lock:
    """The project's lock, for some of its groups.

    Raises LockError where it is missing, unreadable, hostile or stale.
    """
    locker = poetry.locker
    if not locker.is_locked():
        raise LockError(
            Problem(what="there is no poetry.lock", hint="run `poetry lock` to write one")
        )
    try:
        data: dict[str, Any] = locker.lock_data
        fresh = locker.is_fresh()
    except Exception as error:  # Poetry has no common root for what can be wrong in a lock
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        raise LockError(
            Problem(what=f"poetry.lock cannot be read: {first_line}", hint=RELOCK)
        ) from error
    # From the active groups alone, as `poetry install` solves a lock that has no markers.
    lock = read_lock(data, root_requirements(poetry, groups))
    if not fresh:
        raise LockError(
            Problem(
                what="poetry.lock is older than pyproject.toml",
                hint="run `poetry lock` so that it says again what the project asks for",
            )
        )
    return lock


def root_requirements(
    poetry: Poetry, groups: Iterable[NormalizedName]
) -> Iterator[RootRequirement]:
    """What some groups of the project want, as Poetry's solver is told; few locks ask for it."""
    wanted = frozenset(groups)
    root = poetry.package.with_dependency_groups(sorted(wanted), only=True)
    folder = poetry.pyproject_path.parent
    for each in root.all_requires:
        requirement = _requirement(each, folder)
        for group in sorted(each.groups):
            yield RootRequirement(group=canonicalize_name(group), requirement=requirement)


def constraint_on(
    poetry: Poetry, groups: Iterable[NormalizedName], name: NormalizedName, target: Target
) -> VersionConstraint:
    """The versions of a package that the project itself allows on a target."""
    constraint: VersionConstraint = VersionRange()
    for each in root_requirements(poetry, groups):
        wanted = each.requirement
        if wanted.name == name and can_hold([wanted.marker], target):
            constraint = constraint.intersect(wanted.constraint)
    return constraint


def _requirement(dependency: Dependency, folder: Path) -> Requirement:
    return Requirement(
        name=dependency.name,
        constraint=dependency.constraint,
        marker=dependency.marker,
        extras=frozenset(dependency.extras),
        in_extras=frozenset(map(canonicalize_name, dependency.in_extras)),
        optional=dependency.is_optional(),
        source=_wanted_source(dependency, folder),
    )


def _wanted_source(dependency: Dependency, folder: Path) -> Source | None:
    """Where a dependency asks its package to come from, written as the lock writes it."""
    url = dependency.source_url
    if dependency.source_type == "git":
        return Source(kind="git", url=url, reference=dependency.source_reference)
    if dependency.source_type == "url":
        return Source(kind="url", url=url)
    if dependency.source_type in ("directory", "file"):  # the lock knows which
        return Source(kind="directory", url=_from(folder, url or ""))
    name = dependency.source_name
    return None if name is None else Source(reference=name)


def _from(folder: Path, path: str) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive
        return path


def load_project(poetry: Poetry, *, root: bool) -> Project:
    """Name and version; ``packaged`` where the project has a wheel of its own and it is wanted."""
    return Project(
        name=canonicalize_name(poetry.package.name),
        version=Version(str(poetry.package.version)),
        packaged=root and poetry.is_package_mode,
    )


def is_absent(error: BaseException | None) -> bool:
    """Whether Poetry failed because there is no project; it has no class of error for that."""
    return isinstance(error, RuntimeError) and "could not find a pyproject.toml" in str(error)


def requires_python(poetry: Poetry) -> BaseMarker:
    """The Python versions that the project allows, as a marker."""
    # As the deprecated `Package.python_marker` makes it.
    return parse_marker(create_nested_marker("python_version", poetry.package.python_constraint))


def builds_in_place(poetry: Poetry) -> bool:
    """Whether building the project leaves nothing in its folder: poetry-core's without a script."""
    build_system = poetry.pyproject.data.get("build-system", {})
    own = build_system.get("build-backend") == "poetry.core.masonry.api"
    return own and not poetry.package.build_script


def table(poetry: Poetry) -> object:
    """The value of ``tool.wheeltarget`` in pyproject.toml, an empty table where there is none."""
    return poetry.pyproject.data.get("tool", {}).get("wheeltarget", {})


def active_python(poetry: Poetry) -> PythonVersion:
    """The version of the interpreter of Poetry's active environment; creates no environment."""
    from poetry.utils.env import EnvManager

    major, minor, patch = EnvManager(poetry).get().version_info[:3]
    return PythonVersion(int(major), int(minor), int(patch))


def select_extras(
    poetry: Poetry, asked: Iterable[str], *, every: bool
) -> frozenset[NormalizedName]:
    """The active extras. Raises UsageError for one that the project does not have."""
    known = {canonicalize_name(extra) for extra in poetry.package.extras}
    names = {canonicalize_name(name) for text in asked for name in text.replace(",", " ").split()}
    if every and names:
        raise UsageError(Problem(what="--extras and --all-extras exclude each other"))
    unknown = sorted(names - known)
    if unknown:
        raise UsageError(
            *(
                Problem(what=f"the project has no extra {name!r}{did_you_mean(name, known)}")
                for name in unknown
            )
        )
    return frozenset(known if every else names)
