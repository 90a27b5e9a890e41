"""Which of several sources of a package an old lock means."""

from __future__ import annotations

import pytest

from core.lockmaker import Raw
from core.oldlockmaker import old_lock, old_package, reached, root
from wheeltarget.core.lock import read_lock
from wheeltarget.core.model import Source

CORP = {"type": "legacy", "url": "https://host/simple", "reference": "corp"}
COMMIT = "f" * 40
GIT = {
    "type": "git",
    "url": "https://host/a.git",
    "reference": "main",
    "resolved_reference": COMMIT,
}
WHEEL = {"type": "url", "url": "https://host/a-1.0-py3-none-any.whl"}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (Source(reference="CORP"), CORP),
        (Source(reference="pypi"), None),
        (Source(kind="git", url="https://host/a.git", reference="main"), GIT),
        (Source(kind="git", url="ssh://host/a.git"), GIT),
        (Source(kind="url", url="https://host/a-1.0-py3-none-any.whl"), WHEEL),
        (Source(kind="directory", url="libs/a"), {"type": "directory", "url": "libs/a"}),
        (Source(kind="directory", url="a.whl"), {"type": "file", "url": "a.whl"}),
    ],
)
def test_a_source_that_is_asked_for(asked: Source, found: Raw | None) -> None:
    sources = [None, CORP, GIT, WHEEL, {"type": "directory", "url": "libs/a"}]
    packages = [old_package("a", source=source) for source in sources]
    packages.append(old_package("a", source={"type": "file", "url": "a.whl"}))
    lock = read_lock(old_lock(*packages), [root("a", source=asked)])
    (expected,) = read_lock(old_lock(old_package("a", source=found))).packages
    assert [each.source for each in lock.packages if each.markers] == [expected.source]


@pytest.mark.parametrize(
    ("asked", "url"),
    [
        ({"path": "../b", "develop": True}, "libs/b"),
        ({"file": "../b/b.whl"}, "libs/b/b.whl"),
        ({"git": "https://host/b.git", "rev": "main"}, "https://host/b.git"),
        ({"url": "https://host/b.whl"}, "https://host/b.whl"),
    ],
)
def test_a_package_asks_for_a_source(asked: Raw, url: str) -> None:
    folder = {"type": "directory", "url": "libs/a"}
    packages = [
        old_package("a", needs={"b": asked}, source=folder),
        old_package("b", "2.0"),
        old_package("b", source={"type": "directory", "url": "libs/b"}),
        old_package("b", source={"type": "file", "url": "libs/b/b.whl"}),
        old_package("b", source={**GIT, "url": "https://host/b.git"}),
        old_package("b", source={"type": "url", "url": "https://host/b.whl"}),
    ]
    lock = read_lock(old_lock(*packages), [root("a")])
    assert [each.source.url for each in lock.packages if each.markers] == ["libs/a", url]


def test_a_path_asked_for_by_a_package_of_the_index_is_read_as_it_is() -> None:
    packages = [
        old_package("a", needs={"b": {"path": "b"}}),
        old_package("b", source={"type": "directory", "url": "b"}),
    ]
    assert set(reached(*packages, roots=[root("a")])) == {"a 1.0", "b 1.0"}
