"""The tests that touch Poetry, with each Poetry that the plugin promises to work with.

`nox` runs all of them, `nox -s "poetry(version='2.0')"` one.
"""

from __future__ import annotations

import nox

FOLDERS = ("tests/core", "tests/bundle", "tests/plugin", "tests/e2e")
MINORS = ("2.0", "2.1", "2.2", "2.3", "2.4")


@nox.session
@nox.parametrize("version", [*MINORS, "newest"])
def poetry(session: nox.Session, version: str) -> None:
    """Run the tests with the last release of a minor version, or with the newest Poetry."""
    wanted = f"poetry=={version}.*" if version in MINORS else "poetry"
    session.install("--upgrade", "pip>=25.1")
    session.install(wanted, "-e", ".", "--group", "test")
    session.run("poetry", "--version")
    side_by_side = ("--numprocesses=auto", "--dist=loadfile")
    session.run("pytest", *side_by_side, *(session.posargs or FOLDERS))
