"""The pool that Poetry's solver is given, without an index."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from packaging.utils import canonicalize_name
from poetry.config.config import Config
from poetry.core.packages.dependency import Dependency
from poetry.core.packages.package import Package
from poetry.repositories.repository import Repository
from poetry.repositories.repository_pool import Priority, RepositoryPool

from core.lockmaker import target_for
from plugin.harness import Sandbox
from wheeltarget.core.resolve import TargetSettings
from wheeltarget.plugin.targetpool import TargetPool

NAME = canonicalize_name("fast")
OLD, NEW = 0, 1
NEWEST = Package("fast", "2.0")


@pytest.fixture
def pool(sandbox: Sandbox) -> Iterator[TargetPool]:
    with sandbox.entered():
        config = Config.create()
        plain = RepositoryPool(config=config)
        packages = [Package("fast", "1.0"), NEWEST]
        plain.add_repository(Repository("shelf", packages), priority=Priority.SUPPLEMENTAL)
        plain.add_repository(Repository("hidden"), priority=Priority.EXPLICIT)
        targets = [
            TargetSettings(target=target_for("manylinux2010_x86_64", "3.8")),
            TargetSettings(target=target_for("manylinux2014_x86_64", "3.11")),
        ]
        yield TargetPool(plain, config, targets)


def versions(pool: TargetPool) -> list[str]:
    return [str(package.version) for package in pool.find_packages(Dependency("fast", "*"))]


def test_it_has_the_repositories_of_the_other_one_with_their_priorities(pool: TargetPool) -> None:
    assert [repository.name for repository in pool.all_repositories] == ["shelf", "hidden"]
    assert [repository.name for repository in pool.repositories] == ["shelf"]
    assert pool.get_priority("shelf") is Priority.SUPPLEMENTAL


def test_where_files_are_not_known_beforehand_all_versions_are_offered(pool: TargetPool) -> None:
    pool.demand.insist(NAME, OLD)
    assert versions(pool) == ["1.0", "2.0"]


def test_a_refused_version_is_offered_to_other_targets(pool: TargetPool) -> None:
    pool.refuse(NEWEST, OLD)
    assert versions(pool) == ["1.0"]
    pool.live = frozenset([NEW])
    assert versions(pool) == ["1.0", "2.0"]


def test_a_version_that_comes_back_is_offered_to_none(pool: TargetPool) -> None:
    pool.live = frozenset([NEW])
    pool.refuse(NEWEST, OLD)
    pool.refuse(NEWEST, OLD)
    assert versions(pool) == ["1.0"]
