"""What other tools choose from the same files: the yardsticks for our own choice.

None of this shares code with the plugin. pip is asked through its own evaluator, ``packaging``
through a lock of PEP 751, and uv (in :mod:`support.uv_peer`) by letting it install.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, cast

from packaging.markers import Environment, Marker
from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
)
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag
from packaging.utils import canonicalize_name
from packaging.version import Version
from pip._internal.index.package_finder import CandidateEvaluator, LinkEvaluator, LinkType
from pip._internal.models.candidate import InstallationCandidate
from pip._internal.models.link import Link
from pip._internal.models.target_python import TargetPython
from pip._vendor.packaging.utils import canonicalize_name as pip_canonicalize_name

from support.lockserver import SDIST_SUFFIXES, requires_python
from support.pages import project_of

_EXTRA = re.compile(r"""\bextra (==|!=) (["'])([^"']+)\2""")


def pip_choice(
    filenames: Sequence[str],
    *,
    python: tuple[int, int],
    implementation: str,
    abis: Sequence[str],
    platforms: Sequence[str],
) -> str | None:
    """Return the wheel that pip takes among these of one package version.

    ``platforms`` is the whole ladder: pip knows no PEP 600 tags below the one it was given. Mind
    that pip inserts ``manylinux2010`` and ``manylinux1`` straight after ``manylinux2014``.
    """
    target = TargetPython(
        platforms=list(platforms),
        py_version_info=python,
        abis=list(abis),
        implementation=implementation,
    )
    candidates = list(_pip_candidates(filenames, target))
    if not candidates:
        return None
    evaluator = CandidateEvaluator.create(candidates[0].name, target_python=target)
    best = evaluator.compute_best_candidate(candidates).best_candidate
    return best.link.filename if best else None


def _pip_candidates(
    filenames: Sequence[str], target: TargetPython
) -> Iterator[InstallationCandidate]:
    """Keep the wheels that pip's own check of links lets through."""
    for filename in filenames:
        project = project_of(filename)
        evaluator = LinkEvaluator(
            project_name=project,
            canonical_name=pip_canonicalize_name(project),
            formats=frozenset({"binary"}),
            target_python=target,
            allow_yanked=False,
        )
        link = Link(f"https://index.invalid/{filename}")
        verdict, version = evaluator.evaluate_link(link)
        if verdict is LinkType.candidate:
            yield InstallationCandidate(project, version, link)


def pylock_choice(
    lock: Mapping[str, Any],
    *,
    environment: Mapping[str, str],
    tags: Sequence[Tag],
    groups: AbstractSet[str],
    extras: AbstractSet[str],
) -> dict[str, str | None]:
    """Return the wheel that ``packaging`` selects for each package of a poetry.lock 2.1.

    Groups and extras become the sets of PEP 751, so that ``packaging`` decides on them as well.
    None stands for a package that applies but has no compatible wheel; one that is no file of an
    index stands with the kind of its source, such as ``<vcs>``. Two versions that apply at once
    are an error.
    """
    if missing := Environment.__required_keys__ - environment.keys():
        raise ValueError(f"packaging would take from this host: {', '.join(sorted(missing))}")
    pylock = as_pylock(lock)
    selected = pylock.select(
        environment=cast(Environment, dict(environment)),
        tags=tags,
        extras=extras,
        # A lock knows of no group without packages, and packaging refuses what is not declared.
        dependency_groups=groups & set(map(canonicalize_name, pylock.dependency_groups or ())),
    )
    return {package.name: _chosen(source) for package, source in selected}


def as_pylock(lock: Mapping[str, Any]) -> Pylock:
    """Rewrite a poetry.lock 2.1 as a lock of PEP 751, valid by that specification."""
    pylock = Pylock(
        lock_version=Version("1.0"),
        created_by="wheeltarget-tests",
        requires_python=_specifiers(lock["metadata"]["python-versions"]),
        extras=sorted(map(canonicalize_name, lock.get("extras", {}))),
        dependency_groups=sorted({group for each in lock["package"] for group in each["groups"]}),
        packages=[_as_package(each) for each in lock["package"]],
    )
    pylock.validate()
    return pylock


def marker_of_group(package: Mapping[str, Any], group: str) -> str | None:
    """Return the marker under which a group wants a package; None if it always does."""
    markers = package.get("markers")
    return markers.get(group) if isinstance(markers, Mapping) else markers


def replace_extras(marker: str, write: Callable[[str, str], str]) -> str:
    """Rewrite each ``extra == "x"`` with a function of the operator and the normalised name.

    The strings are Poetry's own output, so their form is known; what is not of it is refused.
    """
    rewritten = _EXTRA.sub(lambda found: write(found[1], canonicalize_name(found[3])), marker)
    if re.search(r"\bextra\b", rewritten):
        raise ValueError(f"unknown form of an extra in {marker!r}")
    return rewritten


def _as_package(package: Mapping[str, Any]) -> Package:
    return Package(
        name=canonicalize_name(package["name"]),
        version=Version(package["version"]),
        marker=_pylock_marker(package),
        requires_python=_specifiers(package["python-versions"]),
        **(_direct_source(package) or _index_files(package)),
    )


def _pylock_marker(package: Mapping[str, Any]) -> Marker:
    terms = []
    for group in package["groups"]:
        marker = marker_of_group(package, group)
        condition = f" and ({replace_extras(marker, _in_extras)})" if marker else ""
        terms.append(f'("{group}" in dependency_groups{condition})')
    return Marker(" or ".join(terms))


def _in_extras(operator: str, name: str) -> str:
    return f'"{name}" {"in" if operator == "==" else "not in"} extras'


def _index_files(package: Mapping[str, Any]) -> dict[str, Any]:
    """Take over the wheels, and one source archive in any case.

    Where the lock has none, a stand-in keeps ``packaging`` from giving up the whole selection.
    """
    sdist = PackageSdist(path=f"{package['name']}-{package['version']}.tar.gz", hashes={"none": ""})
    wheels = []
    for file in package["files"]:
        name, hashes = file["file"], _hashes(file)
        if name.endswith(".whl"):
            wheels.append(PackageWheel(path=name, hashes=hashes))
        elif name.endswith(SDIST_SUFFIXES):
            sdist = PackageSdist(path=name, hashes=hashes)
    return {"wheels": wheels, "sdist": sdist}


def _direct_source(package: Mapping[str, Any]) -> dict[str, Any]:
    """Take over a source that names one thing to install, whatever the target is."""
    source = package.get("source", {})
    kind, url = source.get("type"), source.get("url")
    if kind == "git":
        return {"vcs": PackageVcs(type="git", url=url, commit_id=source["resolved_reference"])}
    if kind == "directory":
        return {"directory": PackageDirectory(path=url)}
    if kind in ("url", "file"):
        place = {"url" if kind == "url" else "path": url}
        return {"archive": PackageArchive(**place, hashes=_hashes(package["files"][0]))}
    return {}


def _hashes(file: Mapping[str, str]) -> dict[str, str]:
    algorithm, _, value = file["hash"].partition(":")
    return {algorithm: value}


def _specifiers(text: str) -> SpecifierSet | None:
    specifiers = requires_python(text)
    return None if specifiers is None else SpecifierSet(specifiers)


def _chosen(source: object) -> str | None:
    if isinstance(source, PackageWheel):
        return source.filename
    if isinstance(source, PackageSdist):
        return None
    return f"<{type(source).__name__.removeprefix('Package').lower()}>"
