"""What the plugin takes for granted of Poetry: one test for each interface it uses.

Poetry promises none of them to plugins. Where a new Poetry changes one, the test that names it
fails, rather than some bundle far away.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from cleo.exceptions import CleoError
from cleo.formatters.formatter import Formatter
from cleo.io.buffered_io import BufferedIO
from cleo.io.inputs.argv_input import ArgvInput
from cleo.io.outputs.output import Type, Verbosity
from packaging.utils import canonicalize_name
from poetry.console.application import Application
from poetry.console.commands.group_command import GroupCommand
from poetry.console.exceptions import GroupNotFoundError
from poetry.core.constraints.version import parse_constraint
from poetry.core.packages.utils.utils import create_nested_marker
from poetry.factory import Factory
from poetry.plugins.application_plugin import ApplicationPlugin
from poetry.repositories.http_repository import HTTPRepository
from poetry.repositories.legacy_repository import LegacyRepository
from poetry.repositories.pypi_repository import PyPiRepository
from poetry.repositories.single_page_repository import SinglePageRepository
from poetry.utils.env import EnvManager

from plugin.projectmaker import LOCK, PYPROJECT, Recipe, stub
from wheeltarget.plugin.commands.bundle_wheels import BundleWheelsCommand
from wheeltarget.plugin.project import is_absent

if TYPE_CHECKING:
    from poetry.poetry import Poetry

    from plugin.harness import Sandbox

INDEX = "http://127.0.0.1:1/simple"
FLAT = "http://127.0.0.1:3/all.html"


@pytest.fixture
def recipe() -> Recipe:
    return Recipe(
        name="Demo_Project",
        version="1.2",
        packages=[stub("alpha", "py3-none-any")],
        requires_python=">=3.9,<3.13",
        groups={"dev": ["alpha"], "docs": ["alpha"]},
        optional_groups=["docs"],
        extras={"CLI": ["alpha"], "Pg_Sql": ["alpha"]},
        sources=[
            {"name": "Private", "url": INDEX, "priority": "supplemental"},
            {"name": "flat", "url": FLAT, "priority": "explicit"},
            {"name": "PyPI", "priority": "primary"},
        ],
        table={"exclude": ["alpha"]},
    )


@pytest.fixture
def poetry(recipe: Recipe, tmp_path: Path, sandbox: Sandbox) -> Iterator[Poetry]:
    with sandbox.entered():
        yield Factory().create_poetry(recipe.write(tmp_path / "project"))


@pytest.fixture
def command(poetry: Poetry) -> BundleWheelsCommand:
    """The command with an application around it, as if it had been called without options."""
    command = BundleWheelsCommand()
    command.set_application(Application())
    command.set_poetry(poetry)
    return command


def activated(command: BundleWheelsCommand, *args: str) -> set[str]:
    """The groups that Poetry activates for options of our command."""
    io = BufferedIO(ArgvInput(["poetry", "bundle-wheels", *args]))
    command.merge_application_definition()
    io.input.bind(command.definition)
    command._io = io
    return set(command.activated_groups)


# --- application and commands ---------------------------------------------------------------


def test_application_plugin_activate() -> None:
    assert ApplicationPlugin.group == "poetry.application.plugin"
    assert callable(ApplicationPlugin.activate)


def test_command_loader_register_factory() -> None:
    factory = Mock(return_value=BundleWheelsCommand())
    application = Application()
    application.command_loader.register_factory("our-own-name", factory)
    assert application.command_loader.has("our-own-name")
    factory.assert_not_called()
    assert application.command_loader.get("our-own-name") is factory.return_value


def test_command_poetry_raises_what_is_wrong_with_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = BundleWheelsCommand()
    command.set_application(Application())
    with pytest.raises(RuntimeError, match=re.escape("pyproject.toml")):
        command.poetry  # noqa: B018


def test_command_poetry_says_that_there_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError) as caught:
        Factory().create_poetry(tmp_path)
    assert is_absent(caught.value)
    assert not is_absent(RuntimeError("the project is broken"))


def test_group_command_default_groups(command: BundleWheelsCommand) -> None:
    assert isinstance(command, GroupCommand)
    assert isinstance(vars(GroupCommand)["default_groups"], property)
    assert activated(command) == {"main"}


@pytest.mark.parametrize(
    ("args", "groups"),
    [
        (["--with", "dev,docs"], {"main", "dev", "docs"}),
        (["--with=dev", "--without=main"], {"dev"}),
        (["--only", "docs"], {"docs"}),
        (["--all-groups"], {"main", "dev", "docs"}),
    ],
)
def test_group_command_activated_groups(
    command: BundleWheelsCommand, args: list[str], groups: set[str]
) -> None:
    assert activated(command, *args) == groups


def test_group_command_raises_group_not_found(command: BundleWheelsCommand) -> None:
    with pytest.raises(GroupNotFoundError) as caught:
        activated(command, "--with", "nosuch")
    assert "nosuch (via --with)" in Formatter().remove_format(str(caught.value))


def test_application_has_the_global_options() -> None:
    definition = Application().definition
    for name in ("no-cache", "quiet", "verbose", "project", "directory"):
        assert definition.has_option(name)


# --- the lock -------------------------------------------------------------------------------


def test_locker_is_locked(poetry: Poetry) -> None:
    assert poetry.locker.is_locked()
    poetry.pyproject_path.with_name(LOCK).unlink()
    assert not poetry.locker.is_locked()


def test_locker_is_fresh(poetry: Poetry) -> None:
    assert poetry.locker.is_fresh()
    path = poetry.pyproject_path
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('["alpha"]', '["alpha>1"]', 1), encoding="utf-8")
    assert not Factory().create_poetry(path.parent).locker.is_fresh()


def test_locker_lock_data_is_the_parsed_file(poetry: Poetry, recipe: Recipe) -> None:
    data = poetry.locker.lock_data
    assert data["package"] == [package.raw for package in recipe.packages]
    assert data["metadata"]["lock-version"] == "2.1"
    assert type(data["package"]) is list
    assert type(data["package"][0]) is dict
    assert type(data["package"][0]["name"]) is str


def test_locker_lock_data_raises_where_there_is_no_toml(poetry: Poetry) -> None:
    poetry.pyproject_path.with_name(LOCK).write_text("<<<<<<<\n", encoding="utf-8")
    with pytest.raises(Exception, match="lock file"):
        poetry.locker.lock_data  # noqa: B018


# --- the project ----------------------------------------------------------------------------


def test_package_name_and_version(poetry: Poetry) -> None:
    assert canonicalize_name(poetry.package.name) == "demo-project"
    assert str(poetry.package.version) == "1.2"


def test_package_extras(poetry: Poetry) -> None:
    assert {canonicalize_name(extra) for extra in poetry.package.extras} == {"cli", "pg-sql"}


WANTING = """\
[tool.poetry]
name = "demo"
version = "1"
package-mode = false
[tool.poetry.dependencies]
python = ">=3.9"
Al_Pha = { version = "^1.2", extras = ["X_y"], python = "<3.11", optional = true }
beta = { version = "*", markers = "os_name == 'nt'", source = "Private" }
gamma = { git = "https://host/gamma.git", tag = "v1" }
delta = { url = "https://host/delta-1-py3-none-any.whl" }
epsilon = { path = "libs/epsilon", develop = true }
zeta = { path = "zeta-1-py3-none-any.whl" }
[tool.poetry.extras]
Main_Extra = ["Al_Pha"]
[tool.poetry.group.docs]
optional = true
[tool.poetry.group.docs.dependencies]
beta = ">=2"
[tool.poetry.dev-dependencies]
eta = "~3.1"
"""


@pytest.fixture
def wanting(tmp_path: Path, sandbox: Sandbox) -> Iterator[Poetry]:
    """A project that wants something in each way that there is."""
    (tmp_path / "libs" / "epsilon").mkdir(parents=True)
    (tmp_path / "libs" / "epsilon" / "setup.py").touch()
    (tmp_path / "zeta-1-py3-none-any.whl").touch()
    (tmp_path / PYPROJECT).write_text(WANTING, encoding="utf-8")
    with sandbox.entered():
        yield Factory().create_poetry(tmp_path)


def test_package_with_dependency_groups(wanting: Poetry) -> None:
    def names(*groups: str) -> set[str]:
        root = wanting.package.with_dependency_groups(list(groups), only=True)
        return {f"{each.name} {' '.join(each.groups)}" for each in root.all_requires}

    assert names() == set()
    assert names("docs") == {"beta docs"}
    assert names("dev", "docs") == {"beta docs", "eta dev"}
    assert len(names("main", "dev", "docs")) == 8


def test_dependency_fields(wanting: Poetry) -> None:
    root = wanting.package.with_dependency_groups(["main"], only=True)
    found = {dependency.name: dependency for dependency in root.all_requires}
    alpha, beta = found[canonicalize_name("al-pha")], found[canonicalize_name("beta")]
    assert alpha.constraint == parse_constraint(">=1.2,<2.0")
    assert str(alpha.marker) == 'python_version < "3.11"'
    assert (set(alpha.extras), set(alpha.in_extras)) == ({"x-y"}, {"main-extra"})
    assert (alpha.is_optional(), beta.is_optional()) == (True, False)
    assert (alpha.source_name, beta.source_name) == (None, "Private")
    assert (alpha.source_type, beta.source_type) == (None, None)


def test_dependency_sources(wanting: Poetry) -> None:
    root = wanting.package.with_dependency_groups(["main"], only=True)
    found = {
        each.name: (each.source_type, each.source_url, each.source_reference)
        for each in root.all_requires
        if each.source_type
    }
    here = wanting.pyproject_path.parent
    assert found == {
        "gamma": ("git", "https://host/gamma.git", "v1"),
        "delta": ("url", "https://host/delta-1-py3-none-any.whl", None),
        "epsilon": ("directory", (here / "libs/epsilon").as_posix(), None),
        "zeta": ("file", (here / "zeta-1-py3-none-any.whl").as_posix(), None),
    }


def test_package_python_constraint_as_a_marker(poetry: Poetry) -> None:
    marker = create_nested_marker("python_version", poetry.package.python_constraint)
    assert marker == 'python_version >= "3.9" and python_version < "3.13"'


def test_poetry_is_package_mode(poetry: Poetry) -> None:
    assert poetry.is_package_mode is False


def test_poetry_pyproject_data_and_path(poetry: Poetry) -> None:
    assert poetry.pyproject.data["tool"]["wheeltarget"] == {"exclude": ["alpha"]}
    assert (poetry.pyproject_path.name, poetry.pyproject_path.is_absolute()) == (PYPROJECT, True)


def test_env_manager_get_version_info(poetry: Poetry, sandbox: Sandbox) -> None:
    assert tuple(EnvManager(poetry).get().version_info[:3]) == sys.version_info[:3]
    assert not (sandbox.root / "virtualenvs").exists()


def test_config_cache_dir(poetry: Poetry, sandbox: Sandbox) -> None:
    assert Path(str(poetry.config.get("cache-dir"))) == sandbox.cache


def test_config_workers_and_retries(poetry: Poetry, monkeypatch: pytest.MonkeyPatch) -> None:
    assert poetry.config.installer_max_workers >= 1
    assert int(poetry.config.get("requests.max-retries") or 0) == 0
    monkeypatch.setenv("POETRY_REQUESTS_MAX_RETRIES", "7")
    assert int(poetry.config.get("requests.max-retries")) == 7


# --- sources --------------------------------------------------------------------------------


def test_pool_repository_and_has_repository(poetry: Poetry) -> None:
    for name in ("Private", "private", "flat", "PyPI", "pypi"):
        assert poetry.pool.has_repository(name)
        assert poetry.pool.repository(name).name.lower() == name.lower()
    assert not poetry.pool.has_repository("nosuch")


def test_pool_repositories_are_in_order_and_without_explicit_ones(poetry: Poetry) -> None:
    assert [each.name for each in poetry.pool.repositories] == ["PyPI", "Private"]


@pytest.mark.parametrize(
    ("name", "kind", "url"),
    [
        ("private", LegacyRepository, INDEX),
        ("flat", SinglePageRepository, FLAT),
        ("pypi", PyPiRepository, None),
    ],
)
def test_http_repository_url_and_session(
    poetry: Poetry, name: str, kind: type[HTTPRepository], url: str | None
) -> None:
    repository = poetry.pool.repository(name)
    assert type(repository) is kind
    assert isinstance(repository, HTTPRepository)
    assert repository.url.rstrip("/").endswith("/simple") if url is None else repository.url == url
    assert repository.session.get_credentials_for_url("http://127.0.0.1:2/x").username is None


def test_authenticator_get_credentials_for_url(
    poetry: Poetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POETRY_HTTP_BASIC_PRIVATE_USERNAME", "someone")
    monkeypatch.setenv("POETRY_HTTP_BASIC_PRIVATE_PASSWORD", "secret")
    repository = poetry.pool.repository("private")
    assert isinstance(repository, HTTPRepository)
    ours = repository.session.get_credentials_for_url(f"{INDEX}/alpha/")
    other = repository.session.get_credentials_for_url("http://127.0.0.1:2/simple/alpha/")
    assert (ours.username, ours.password) == ("someone", "secret")
    assert (other.username, other.password) == (None, None)


def test_authenticator_get_certs_for_url(
    poetry: Poetry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = poetry.pool.repository("private")
    assert isinstance(repository, HTTPRepository)
    certificates = repository.session.get_certs_for_url(f"{INDEX}/alpha/")
    assert (certificates.cert, certificates.client_cert) == (None, None)
    assert certificates.verify is True
    monkeypatch.setenv("POETRY_CERTIFICATES_PRIVATE_CERT", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("POETRY_CERTIFICATES_PRIVATE_CLIENT_CERT", str(tmp_path / "me.pem"))
    again = Factory().create_poetry(poetry.pyproject_path.parent).pool.repository("private")
    assert isinstance(again, HTTPRepository)
    certificates = again.session.get_certs_for_url(f"{INDEX}/alpha/")
    assert (certificates.cert, certificates.client_cert) == (
        tmp_path / "ca.pem",
        tmp_path / "me.pem",
    )


# --- cleo -----------------------------------------------------------------------------------


def test_raw_output_is_not_interpreted() -> None:
    io = BufferedIO(decorated=True)
    io.write_error_line("<error>x</error>", type=Type.RAW, verbosity=Verbosity.QUIET)
    assert io.fetch_error() == "<error>x</error>\n"


def test_quiet_output_prints_what_is_marked_quiet() -> None:
    io = BufferedIO()
    io.output.set_verbosity(Verbosity.QUIET)
    io.write("a normal line")
    io.write(json.dumps({}), verbosity=Verbosity.QUIET, type=Type.RAW)
    assert (io.fetch_output(), io.output.verbosity) == ("{}", Verbosity.QUIET)


def test_an_unknown_option_is_a_cleo_error(command: BundleWheelsCommand) -> None:
    io = BufferedIO(ArgvInput(["poetry", "bundle-wheels", "--nonsense", "--json"]))
    command.merge_application_definition()
    with pytest.raises(CleoError, match="--nonsense"):
        io.input.bind(command.definition)
    assert io.input.has_parameter_option("--json")
