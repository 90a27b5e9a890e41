"""Prints all that the core says of some plans: run by test_host_independence, on odd hosts.

``python said_by_plans.py HOST``: ``plain`` leaves the host as it is, ``garbage`` makes it lie, and
``raise`` makes every question about it an error.
"""

from __future__ import annotations

import builtins
import json
import locale
import os
import platform
import random
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from core.lockmaker import a_project, plan_for, real_lock, target_for
from wheeltarget.core.document import json_document
from wheeltarget.core.manifest import Contents, Member, Part
from wheeltarget.core.members import text_members
from wheeltarget.core.model import StoredWheel
from wheeltarget.core.plan import explain
from wheeltarget.core.report import (
    Explanation,
    Report,
    TargetReport,
    explain_lines,
    plan_lines,
)

if TYPE_CHECKING:
    from wheeltarget.core.model import LockedPackage
    from wheeltarget.core.plan import Plan
    from wheeltarget.core.target import Target

SPECS = (
    "cp38-cp38-manylinux2010_x86_64",
    "cp311,manylinux_2_28_aarch64,linux_aarch64",
    "cp312,macosx_11_0_arm64",
    "cp313-cp313t-musllinux_1_2_x86_64",
    "pp310,win_amd64",
)
PROJECTS = ("legacy-glibc", "data-service", "markers")


def said(packages: Iterable[LockedPackage]) -> str:
    """Report, JSON, explanations, manifest, requirements and tags for every target."""
    locked = list(packages)
    some = sorted(locked, key=lambda package: (package.name, package.version))[::10]
    texts = []
    for target in map(target_for, SPECS):
        plan = plan_for(
            target, *locked, groups=("main", "dev"), extras=("cpu",), exclude=("numpy",)
        )
        report = TargetReport(plan=plan)
        explained = [
            Explanation(target=target, package=package, rows=tuple(explain(package, target)))
            for package in some
        ]
        document = json_document(
            Report(project=a_project(), targets=(report,)), explained=explained
        )
        texts += [
            *plan_lines(report, a_project(), verbose=True),
            *(line for explanation in explained for line in explain_lines(explanation)),
            json.dumps(document),
            *bundle_texts(plan, target),
            *target.tags,
        ]
    return "\n".join(texts)


def bundle_texts(plan: Plan, target: Target) -> Iterable[str]:
    """The text members of the bundle."""
    members = tuple(
        Member(
            name=canonicalize_name(entry.package.name),
            version=str(entry.package.version),
            tag=entry.tag,
            wheel=StoredWheel(filename=entry.file.name, sha256="ab" * 32, size=1),
            source=entry.package.source,
        )
        for entry in plan.chosen
    )
    contents = Contents(
        generator=("poetry-plugin-wheeltarget", "0.1.0"),
        project=a_project(),
        content_hash="c0ffee",
        groups=("main", "dev"),
        extras=("cpu",),
        parts=(Part(target=target, members=members, excluded=plan.excluded),),
    )
    return text_members(contents, "").values()


# --- odd hosts --------------------------------------------------------------------------------

#: Modules that know the host, the clock or chance; none of their functions may be called.
ASKED: tuple[ModuleType, ...] = (platform, sysconfig, locale, socket, subprocess, time, random)


class HostAskedError(BaseException):
    """The core has asked the host for something; no ``except Exception`` can hide it."""


def raising(name: str) -> Callable[..., Any]:
    def ask(*args: object, **kwargs: object) -> Any:
        raise HostAskedError(name)

    return ask


def lying(name: str) -> Callable[..., Any]:
    return lambda *args, **kwargs: f"garbage from {name}"


def replace_host(answer: Callable[[str], Callable[..., Any]]) -> None:
    """Let every function that asks the host give that answer, for the rest of the process."""
    for module in ASKED:
        for name, function in list(vars(module).items()):
            if callable(function) and not isinstance(function, type) and not name.startswith("_"):
                setattr(module, name, answer(f"{module.__name__}.{name}"))
    for name in ("getenv", "getcwd", "listdir", "uname", "cpu_count", "stat", "urandom"):
        setattr(os, name, answer(f"os.{name}"))
    builtins.open = answer("open")
    os.environ.clear()
    os.environ.update({"LANG": "garbage", "TZ": "garbage", "HOME": "/garbage"})
    sys.platform = "garbage"
    sys.byteorder = "big" if sys.byteorder == "little" else "little"
    sys.implementation.name = "garbage"
    os.name = "garbage"


def main(host: str) -> None:
    locks = [real_lock(project) for project in PROJECTS]
    if host != "plain":
        replace_host(raising if host == "raise" else lying)
    for lock in locks:
        sys.stdout.write(said(lock.packages) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
