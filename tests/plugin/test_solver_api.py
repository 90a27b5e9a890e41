"""What locking for targets takes for granted of Poetry's solver, pool and events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import poetry.puzzle.solver as solving
import pytest
from cleo.events.console_command_event import ConsoleCommandEvent
from cleo.events.console_events import COMMAND, TERMINATE
from cleo.io.buffered_io import BufferedIO
from cleo.io.inputs.argv_input import ArgvInput
from cleo.io.null_io import NullIO
from packaging.utils import canonicalize_name
from poetry.console.application import Application
from poetry.core.packages.dependency import Dependency
from poetry.factory import Factory
from poetry.poetry import Poetry
from poetry.puzzle.exceptions import SolverProblemError
from poetry.puzzle.solver import Solver
from poetry.repositories.http_repository import HTTPRepository
from poetry.repositories.repository_pool import Priority

from plugin.locking import FITS_OLD, PURE, Shop, Work

MAIN, DEV = canonicalize_name("main"), canonicalize_name("dev")


@pytest.fixture
def project(shop: Shop, work: Work) -> Iterator[Poetry]:
    shop.offer("alpha", "1.0", PURE, FITS_OLD, requires_python=">=3.7")
    shop.offer("alpha", "2.0", PURE, requires=["beta"])
    shop.offer("beta", "1.0", PURE)
    work.write(
        "alpha; sys_platform == 'linux'",
        "beta <2; sys_platform == 'win32'",
        "beta >=1; sys_platform != 'win32'",
        constrain=False,
        groups={"dev": {"beta": "*"}},
    )
    with work.sandbox.entered():
        yield Factory().create_poetry(work.folder)


def solver_for(project: Poetry, locked: list[Any] | None = None) -> Solver:
    return Solver(project.package, project.pool, [], locked or [], NullIO())


def test_a_pool_tells_all_its_repositories_and_their_priorities(project: Poetry) -> None:
    pool = project.pool
    for repository in pool.all_repositories:
        assert pool.repository(repository.name) is repository
        assert pool.get_priority(repository.name) is Priority.PRIMARY
    assert [repository.name for repository in pool.all_repositories] == ["shop"]


def test_the_page_that_versions_are_found_on_has_their_files(shop: Shop, project: Poetry) -> None:
    repository = project.pool.repository("shop")
    assert isinstance(repository, HTTPRepository)
    found = project.pool.find_packages(Dependency("alpha", "<2"))
    shop.index.requests.clear()
    (package,) = found
    assert package.source_reference == "shop"
    page = repository.get_page(package.name)
    links = {
        link.filename: link.requires_python
        for link in page.links_for_version(package.name, package.version)
    }
    assert links == {
        f"alpha-1.0-{PURE}.whl": ">=3.7",
        f"alpha-1.0-{FITS_OLD}.whl": ">=3.7",
    }
    assert shop.index.requests == []


def test_what_is_solved_says_where_it_applies_and_which_files_it_has(project: Poetry) -> None:
    solved = solver_for(project).solve().get_solved_packages()
    alpha = next(package for package in solved if package.name == "alpha")
    assert {canonicalize_name(group) for group in solved[alpha].markers} == {MAIN}
    assert [str(marker) for marker in solved[alpha].markers.values()] == ['sys_platform == "linux"']
    assert [file["file"] for file in alpha.files] == [f"alpha-2.0-{PURE}.whl"]
    beta = next(package for package in solved if package.name == "beta")
    assert {canonicalize_name(group) for group in solved[beta].markers} == {MAIN, DEV}
    assert not beta.is_direct_origin()


def test_a_side_of_a_split_is_told_by_its_markers(project: Poetry) -> None:
    solver = solver_for(project)
    told: list[set[str]] = []
    plain = solver.provider.set_overrides

    def watch(overrides: Any) -> None:
        told.append({str(dep.marker) for of in overrides.values() for dep in of.values()})
        plain(overrides)

    setattr(solver.provider, "set_overrides", watch)  # noqa: B010
    solver.solve()
    assert {'sys_platform == "win32"'} in told
    assert {'sys_platform != "win32"'} in told


def test_a_solver_solves_again_and_keeps_what_is_locked_unless_told(
    shop: Shop, project: Poetry
) -> None:
    first = solver_for(project).solve().get_solved_packages()
    shop.offer("beta", "1.5", PURE)
    with_lock = solver_for(Factory().create_poetry(project.pyproject_path.parent), list(first))

    def beta(**options: Any) -> set[str]:
        with_lock.provider.set_overrides({})
        solved = with_lock.solve(**options).get_solved_packages()
        return {str(package.version) for package in solved if package.name == "beta"}

    assert beta() == {"1.0"}
    assert beta(use_latest=["beta"]) == {"1.5"}
    assert beta() == {"1.0"}


def test_a_failure_has_its_reason_and_names(project: Poetry) -> None:
    project.package.add_dependency(Dependency("gamma", ">=3"))
    with pytest.raises(SolverProblemError) as caught:
        solver_for(project).solve()
    assert SolverProblemError(caught.value.error).args == caught.value.args
    assert "gamma (>=3)" in str(caught.value)


def test_the_installer_looks_its_solver_up_for_the_projects_pool(
    work: Work, project: Poetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools = []

    def recording(package: Any, pool: Any, *more: Any, **options: Any) -> Solver:
        pools.append(pool)
        return Solver(package, pool, *more, **options)

    monkeypatch.setattr(solving, "Solver", recording)
    for args in (["lock"], ["lock", "--regenerate"], ["update", "--lock"]):
        assert work.cli.poetry(*args).code == 0
    assert [[each.name for each in pool.repositories] for pool in pools] == [["shop"]] * 3


def test_a_command_is_announced_with_its_options_and_its_end_is_told(project: Poetry) -> None:
    events: list[tuple[str, str, Any]] = []
    application = Application()
    application.auto_exits(False)
    dispatcher = application.event_dispatcher
    assert dispatcher is not None

    def note(event: Any, name: str, _dispatcher: object) -> None:
        group = None
        if isinstance(event, ConsoleCommandEvent):
            group = event.io.input.option("group")
        events.append((name, event.command.name, group))

    for name in (COMMAND, TERMINATE):
        dispatcher.add_listener(name, note)
    io = BufferedIO()
    argv = ["poetry", "-P", str(project.pyproject_path.parent), "add", "--group", "dev", "none"]
    assert application.run(ArgvInput(argv), io.output, io.error_output) == 1
    assert events == [(COMMAND, "add", "dev"), (TERMINATE, "add", None)]
