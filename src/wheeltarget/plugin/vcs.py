"""Git sources at their locked commit, through Poetry's own git support."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING

from wheeltarget.core.errors import IntegrityError, NetworkError, Problem
from wheeltarget.core.lock import RELOCK
from wheeltarget.core.manifest import git_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dulwich.repo import Repo

    from wheeltarget.core.model import LockedPackage


def checkout(package: LockedPackage, folder: Path) -> Path:
    """The tree of a package's repository at the locked commit, below ``folder``.

    Raises NetworkError where the repository cannot be reached or has no such commit, and
    IntegrityError where it gives another commit.
    """
    # Imported late: it brings a whole implementation of git.
    from poetry.vcs.git import Git

    source = package.source
    url = source.url or ""
    try:
        with _quiet():
            repository = Git.clone(
                url=url, name="checkout", revision=source.commit, source_root=folder, clean=True
            )
    except Exception as error:  # Poetry's, dulwich's and git's own errors have no common root
        raise NetworkError(_gone(package, error)) from error
    with repository:
        found = repository.head().decode()
        # A tag or branch may have the locked commit for its name.
        if found != source.commit:
            raise IntegrityError(_other(package, found))
        tree = Path(repository.path)
        _write_as_committed(repository, tree)
    return tree


@contextmanager
def _quiet() -> Iterator[None]:
    """Poetry and git log whole addresses, with passwords in them."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _write_as_committed(repository: Repo, tree: Path) -> None:
    """Each file as it was committed: a user's git settings may change line ends, for example."""
    from dulwich.object_store import iter_tree_contents
    from dulwich.objects import Commit

    objects = repository.object_store
    commit = repository[repository.head()]
    assert isinstance(commit, Commit)
    for entry in iter_tree_contents(objects, commit.tree):
        path = tree / entry.path.decode("utf-8", "surrogateescape")
        if S_ISREG(entry.mode) and path.is_file() and not path.is_symlink():
            data = objects[entry.sha].as_raw_string()
            if path.read_bytes() != data:
                path.write_bytes(data)


def _gone(package: LockedPackage, error: Exception) -> Problem:
    url = package.source.url or ""
    first = (str(error).splitlines() or [type(error).__name__])[0]
    first = first.replace(url, git_address(url))  # it may quote all of it
    return Problem(
        what=f"cannot check out commit {package.source.commit} of {git_address(url)} for "
        f"{package}: {first}",
        package=str(package),
        hint=f"if the commit is gone, {RELOCK}; otherwise check the network and credentials",
    )


def _other(package: LockedPackage, found: str) -> Problem:
    return Problem(
        what=f"the repository {git_address(package.source.url or '')} gives commit {found} for "
        f"{package}, and {package.source.commit} is locked",
        package=str(package),
        hint="a tag or branch that is named like the locked commit is an attack or a fault",
    )
