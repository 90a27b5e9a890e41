"""FAULTS 12: nothing of the host, and nothing of the process, changes a plan."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from core import said_by_plans
from core.lockmaker import real_lock
from core.said_by_plans import PROJECTS, said

SCRIPT = Path(said_by_plans.__file__)


def run(host: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Say it all in another process."""
    return subprocess.run(
        [sys.executable, str(SCRIPT), host],
        env={
            # Coverage could not write its data on such a host.
            **{name: value for name, value in os.environ.items() if "COVERAGE" not in name},
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PYTHONIOENCODING": "utf-8",
            **environment,
        },
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture(scope="module")
def expected() -> str:
    return "".join(said(real_lock(project).packages) + "\n" for project in PROJECTS)


@pytest.mark.parametrize(
    ("host", "environment"),
    [
        ("plain", {"PYTHONHASHSEED": "1"}),
        ("plain", {"PYTHONHASHSEED": "2", "TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8"}),
        ("garbage", {"PYTHONHASHSEED": "3", "SOURCE_DATE_EPOCH": "garbage"}),
        ("raise", {"PYTHONHASHSEED": "4", "LC_ALL": "C", "PYTHONUTF8": "0"}),
    ],
)
def test_what_is_said_is_the_same_on_every_host(
    host: str, environment: dict[str, str], expected: str
) -> None:
    done = run(host, **environment)
    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout == expected


@pytest.mark.parametrize("project", PROJECTS)
def test_the_order_of_the_lock_changes_nothing_that_is_said(project: str) -> None:
    packages = real_lock(project).packages
    turned = [replace(each, files=tuple(reversed(each.files))) for each in reversed(packages)]
    assert said(turned) == said(packages)


def test_there_is_something_to_say(expected: str) -> None:
    missing = "packages have a wheel. Missing:"
    for words in (missing, "although the target does not decide", "rank 0", '"sha256"'):
        assert words in expected
