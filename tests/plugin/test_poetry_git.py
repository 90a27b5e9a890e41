"""What the plugin takes for granted of Poetry's git support and of its default authenticator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from poetry.utils.authenticator import Authenticator, get_default_authenticator
from poetry.vcs.git import Git

from e2e.buildrig import repository, tree

if TYPE_CHECKING:
    from plugin.harness import Sandbox


def test_git_clone_gives_the_tree_of_a_commit(tmp_path: Path, sandbox: Sandbox) -> None:
    folder = tree(tmp_path / "repo", "greet")
    commit = repository(folder)
    (folder / "later.py").touch()
    repository(folder)
    with sandbox.entered():
        cloned = Git.clone(
            url=folder.as_uri(),
            name="checkout",
            revision=commit,
            source_root=tmp_path / "here",
            clean=True,
        )
    with cloned:
        assert cloned.head().decode() == commit
        assert Path(cloned.path) == tmp_path / "here" / "checkout"
    assert (tmp_path / "here/checkout/greet/__init__.py").is_file()
    assert not (tmp_path / "here/checkout/later.py").exists()


def test_git_clone_raises_where_there_is_no_such_commit(tmp_path: Path, sandbox: Sandbox) -> None:
    folder = tree(tmp_path / "repo", "greet")
    repository(folder)
    with sandbox.entered(), pytest.raises(Exception, match="1" * 40):
        Git.clone(url=folder.as_uri(), revision="1" * 40, source_root=tmp_path / "here")


def test_the_default_authenticator_is_one(sandbox: Sandbox) -> None:
    with sandbox.entered():
        assert isinstance(get_default_authenticator(), Authenticator)
