"""Git sources at their locked commit, through Poetry's own git support."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wheeltarget.core.errors import NetworkError, Problem
from wheeltarget.core.lock import RELOCK
from wheeltarget.core.manifest import git_address

if TYPE_CHECKING:
    from wheeltarget.core.model import LockedPackage


def checkout(package: LockedPackage, folder: Path) -> Path:
    """The tree of a package's repository at the locked commit, below ``folder``.

    Raises NetworkError where the repository cannot be reached or has no such commit.
    """
    # Imported late: it brings a whole implementation of git.
    from poetry.vcs.git import Git

    source = package.source
    url = source.url or ""
    try:
        repository = Git.clone(
            url=url, name="checkout", revision=source.commit, source_root=folder, clean=True
        )
    except Exception as error:  # Poetry's, dulwich's and git's own errors have no common root
        raise NetworkError(_problem(package, error)) from error
    with repository:
        return Path(repository.path)


def _problem(package: LockedPackage, error: Exception) -> Problem:
    url = package.source.url or ""
    # What git says may quote the whole URL.
    first = (str(error).splitlines() or [type(error).__name__])[0].replace(url, git_address(url))
    return Problem(
        what=f"cannot check out commit {package.source.commit} of {git_address(url)} for "
        f"{package}: {first}",
        package=str(package),
        hint=f"if the commit is gone, {RELOCK}; otherwise check the network and credentials",
    )
