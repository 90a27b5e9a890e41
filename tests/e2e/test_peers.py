"""Every real project for every target: our choice against pip's, packaging's and uv's.

The tags and marker values that the peers are given are written here from the specifications, so
that an error in our own target is found as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import canonicalize_name

from plugin.harness import Cli
from support.peers import pip_choice, pylock_choice
from support.projects import MODERN, PROJECTS, parsed_lock
from support.uv_peer import UV_TARGETS, uv_choice
from wheeltarget.core.lock import read_lock
from wheeltarget.core.model import LockedPackage
from wheeltarget.core.plan import Chosen, Plan, make_plan
from wheeltarget.core.spec import complete, parse_spec
from wheeltarget.core.target import PythonVersion, Target

if TYPE_CHECKING:
    from plugin.harness import Sandbox

#: (project, platform asked for, peer, package): why the peer takes another file than we do.
KNOWN_DIFFERENCES: Mapping[tuple[str, str, str, str], str] = {}

PEERS = ("pip", "packaging", "uv")
ABSENT = "does not apply"
Choice: TypeAlias = Mapping[str, str | None]


def glibc(minor: int, arch: str, oldest: int) -> list[str]:
    """PEP 600: each version down, a legacy alias after the version that it stands for."""
    aliases = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
    ladder = []
    for each in range(minor, oldest - 1, -1):
        ladder += [f"manylinux_2_{each}_{arch}"]
        ladder += [f"{aliases[each]}_{arch}"] if each in aliases else []
    return ladder


def markers(os_name: str, sys_platform: str, system: str, machine: str) -> dict[str, str]:
    return {
        "os_name": os_name,
        "sys_platform": sys_platform,
        "platform_system": system,
        "platform_machine": machine,
    }


LINUX_X86 = markers("posix", "linux", "Linux", "x86_64")
LINUX_ARM = markers("posix", "linux", "Linux", "aarch64")
MACOS_ARM = markers("posix", "darwin", "Darwin", "arm64")
WINDOWS = markers("nt", "win32", "Windows", "AMD64")


@dataclass(frozen=True)
class Machine:
    """A target as its specifications describe it."""

    spec: str
    python: str
    ladder: Sequence[str]
    markers: Mapping[str, str]

    @property
    def version(self) -> tuple[int, int]:
        major, minor, _ = self.python.split(".")
        return int(major), int(minor)

    @property
    def minor_version(self) -> str:
        return ".".join(map(str, self.version))

    @property
    def environment(self) -> dict[str, str]:
        return {
            "implementation_name": "cpython",
            "implementation_version": self.python,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_version": "",
            "python_full_version": self.python,
            "python_version": self.minor_version,
            **self.markers,
        }

    @property
    def tags(self) -> list[Tag]:
        interpreter = "cp{}{}".format(*self.version)
        return [
            *cpython_tags(self.version, [interpreter], self.ladder),
            *compatible_tags(self.version, interpreter, self.ladder),
        ]

    @property
    def ours(self) -> Target:
        """What the plugin makes of it, with the few values that only a machine could tell."""
        target = complete(parse_spec(self.spec), PythonVersion.parse(self.python))
        given = ("implementation_version", "platform_release", "platform_version")
        told = {name: self.environment[name] for name in given}
        return replace(target, environment={**target.environment, **told})


MACHINES = [
    Machine("manylinux_2_17_x86_64", "3.9.18", glibc(17, "x86_64", 5), LINUX_X86),
    Machine("manylinux2014_x86_64", "3.11.7", glibc(17, "x86_64", 5), LINUX_X86),
    Machine("manylinux2010_x86_64", "3.8.18", glibc(12, "x86_64", 5), LINUX_X86),
    Machine("manylinux_2_28_aarch64", "3.12.1", glibc(28, "aarch64", 17), LINUX_ARM),
    Machine(
        "musllinux_1_2_x86_64",
        "3.12.1",
        [f"musllinux_1_{minor}_x86_64" for minor in (2, 1, 0)],
        LINUX_X86,
    ),
    Machine("macosx_11_0_arm64", "3.11.7", list(mac_platforms((11, 0), "arm64")), MACOS_ARM),
    Machine("win_amd64", "3.12.1", ["win_amd64"], WINDOWS),
    Machine("manylinux_2_28_x86_64", "3.13.0", glibc(28, "x86_64", 5), LINUX_X86),
]
COMBINATIONS = [
    pytest.param(project, machine, id=f"{project}-{machine.spec}")
    for project in MODERN
    for machine in MACHINES
]
#: uv has no option for some of the targets: older glibc than 2.17.
UV_COMBINATIONS = [
    pytest.param(project, machine, id=f"{project}-{machine.spec}")
    for project in MODERN
    for machine in MACHINES
    if machine.ours.primary.tag in UV_TARGETS
]


@dataclass(frozen=True)
class Scope:
    """Which part of a lock is asked for."""

    groups: frozenset[str]
    extras: frozenset[str]


def everything(lock: Mapping[str, Any]) -> Scope:
    """All groups and all extras, so that every marker is asked for its answer."""
    groups = {group for package in lock["package"] for group in package["groups"]}
    return Scope(frozenset(groups), frozenset(map(canonicalize_name, lock.get("extras", {}))))


DEPLOYED = Scope(frozenset({"main"}), frozenset())


def allows(lock: Mapping[str, Any], machine: Machine) -> bool:
    return SpecifierSet(lock["metadata"]["python-versions"]).contains(machine.python)


@cache
def lock_of(project: str) -> dict[str, Any]:
    return parsed_lock(project)


@cache
def packages_of(project: str) -> tuple[LockedPackage, ...]:
    return read_lock(lock_of(project)).packages


def lock_for(project: str, machine: Machine) -> dict[str, Any]:
    """The lock; where its bounds on Python exclude the machine, without them: peers would stop."""
    lock = lock_of(project)
    if allows(lock, machine):
        return lock
    unbounded = {"python-versions": "*"}
    return {
        **lock,
        "metadata": {**lock["metadata"], **unbounded},
        "package": [{**package, **unbounded} for package in lock["package"]],
    }


def plan_of(project: str, target: Target, scope: Scope) -> Plan:
    """Our plan, below the command: it asks for no ``requires-python``."""
    groups = [canonicalize_name(group) for group in scope.groups]
    plan = make_plan(packages_of(project), target, groups=groups, extras=scope.extras)
    assert (plan.conflicts, plan.undecided) == ((), ())
    return plan


def choice_of(plan: Plan) -> Choice:
    return {
        entry.package.name: entry.file.name if isinstance(entry, Chosen) else None
        for entry in plan.entries
    }


def differences(ours: Choice, theirs: Choice) -> dict[str, tuple[str | None, str | None]]:
    """What we and the peer take for each package about which we do not agree."""
    pairs = {name: (ours.get(name, ABSENT), theirs.get(name, ABSENT)) for name in {*ours, *theirs}}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def known(project: str, machine: Machine, peer: str) -> set[str]:
    """The packages whose difference has a written reason; one that is stale fails the test."""
    wanted = (project, machine.spec, peer)
    return {package for *where, package in KNOWN_DIFFERENCES if tuple(where) == wanted}


@cache
def scopes(project: str) -> tuple[Scope, Scope]:
    return everything(lock_of(project)), DEPLOYED


def plans(project: str, machine: Machine) -> Iterator[tuple[Scope, Plan]]:
    for scope in scopes(project):
        yield scope, plan_of(project, machine.ours, scope)


def test_the_table_of_differences_names_what_exists() -> None:
    for (project, spec, peer, package), reason in KNOWN_DIFFERENCES.items():
        assert project in MODERN
        assert spec in {machine.spec for machine in MACHINES}
        assert peer in PEERS
        assert package in {each["name"] for each in parsed_lock(project)["package"]}
        assert reason


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.spec)
def test_our_target_is_the_specified_one(machine: Machine) -> None:
    assert list(machine.ours.platforms) == list(machine.ladder)
    assert list(machine.ours.tags) == list(dict.fromkeys(map(str, machine.tags)))
    assert machine.ours.environment == machine.environment


@pytest.mark.parametrize(("project", "machine"), COMBINATIONS)
def test_pip_takes_the_same_file_of_each_package(project: str, machine: Machine) -> None:
    for _, plan in plans(project, machine):
        theirs: Choice = {
            entry.package.name: pip_choice(
                [file.name for file in entry.package.files],
                python=machine.version,
                implementation="cp",
                abis=["cp{}{}".format(*machine.version)],
                platforms=machine.ladder,
            )
            for entry in plan.entries
        }
        assert differences(choice_of(plan), theirs).keys() == known(project, machine, "pip")


@pytest.mark.parametrize(("project", "machine"), COMBINATIONS)
def test_packaging_selects_the_same_packages_and_files(project: str, machine: Machine) -> None:
    for scope, plan in plans(project, machine):
        theirs = pylock_choice(
            lock_for(project, machine),
            environment=machine.environment,
            tags=machine.tags,
            groups=scope.groups,
            extras=scope.extras,
        )
        assert differences(choice_of(plan), theirs).keys() == known(project, machine, "packaging")


@pytest.mark.parametrize(("project", "machine"), UV_COMBINATIONS)
def test_uv_installs_the_same_packages_and_files(project: str, machine: Machine) -> None:
    scope, plan = next(plans(project, machine))
    theirs = uv_choice(
        lock_for(project, machine),
        target=UV_TARGETS[machine.ours.primary.tag],
        python=machine.python,
        groups=scope.groups,
        extras=scope.extras,
    )
    assert differences(choice_of(plan), theirs).keys() == known(project, machine, "uv")


@pytest.mark.parametrize(("project", "machine"), COMBINATIONS)
def test_the_command_takes_the_same_files(project: str, machine: Machine, sandbox: Sandbox) -> None:
    args = ("-t", machine.spec, "--python", machine.python, "--check", "--json")
    ended = Cli(PROJECTS / project, sandbox)("--all-groups", "--all-extras", *args)
    if not allows(lock_of(project), machine):
        assert (ended.code, ended.document["targets"]) == (2, [])
        return
    plan = plan_of(
        project,
        complete(parse_spec(machine.spec), machine.ours.python),
        everything(lock_of(project)),
    )
    (target,) = ended.document["targets"]
    assert ended.code == (0 if plan.ok else 4)
    assert {each["name"]: each.get("file") for each in target["packages"]} == choice_of(plan)


def test_some_of_it_is_worth_comparing() -> None:
    """Whole plans, holes, and packages that only some targets want: all occur."""
    counts = [
        (len(plan.chosen), len(plan.unavailable))
        for project in MODERN
        for machine in MACHINES
        for _, plan in plans(project, machine)
    ]
    assert len(counts) == 64
    assert sum(chosen for chosen, _ in counts) > 2000
    assert sum(missing for _, missing in counts) > 100
    assert any(missing == 0 for _, missing in counts)
