"""Reading the lock formats 1.1 and 2.0, which Poetry 1 wrote."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings

from core.lockmaker import SHA256, Raw, quick, raw_file, real_raw
from core.oldlockmaker import old_lock, old_package, pooled_lock, root
from core.test_lock_hostile import values
from wheeltarget.core.errors import LockError, Problem
from wheeltarget.core.lock import read_lock
from wheeltarget.core.wheelname import check_file_name


def problems(raw: Raw) -> tuple[Problem, ...]:
    with pytest.raises(LockError) as caught:
        read_lock(raw, [root("a")])
    return caught.value.problems


def refused(raw: Raw) -> str:
    """Why a lock is refused, in one problem that says what to run."""
    (problem,) = problems(raw)
    assert (problem.hint or "").startswith("run `poetry lock`")
    assert problem.what.startswith("poetry.lock: ")
    return problem.what.removeprefix("poetry.lock: ")


def files_in(raw: Raw) -> dict[str, list[str]]:
    """The files of each package."""
    lock = read_lock(raw, [root("a")])
    return {str(each): [file.name for file in each.files] for each in lock.packages}


# --- locks that Poetry wrote ------------------------------------------------------------------


@pytest.mark.parametrize(
    "project", ["lock11-small-api", "lock20-small-api", "lock11-old-markers", "lock20-old-markers"]
)
def test_a_real_lock_is_read_in_full(project: str) -> None:
    raw = real_raw(project)
    lock = read_lock(raw)
    entries, metadata = raw["package"], raw["metadata"]
    assert isinstance(entries, list)
    assert isinstance(metadata, dict)
    assert lock.content_hash == metadata["content-hash"]
    pool = metadata.get("files", {})
    for entry, package in zip(entries, lock.packages, strict=True):
        assert str(package) == f"{entry['name']} {entry['version']}"
        assert package.files
        assert all(file.digest is not None for file in package.files)
        assert all(
            file.wheel is None or file.wheel.version == package.version for file in package.files
        )
        listed = {file["file"] for file in entry.get("files") or pool[entry["name"]]}
        assert {file.name for file in package.files} <= listed
    for name in pool:
        of_name = [package for package in lock.packages if package.name == name]
        names = [file.name for package in of_name for file in package.files]
        assert sorted(names) == sorted(file["file"] for file in pool[name])


# --- values that the format does not have -----------------------------------------------------


def needing(value: object) -> Raw:
    return old_lock(old_package("a", needs={"b": value}))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (old_lock(python=3), "metadata.python-versions: must be a string, not a whole number"),
        (old_lock(python="ab"), "metadata.python-versions: 'ab' is not a version constraint: "),
        (old_lock(old_package("a", python="ab")), "package a.python-versions: 'ab' is not a "),
        (old_lock(old_package("a", python=[])), "package a.python-versions: must be a string"),
        (needing(1), "package a.dependencies.b: must be a table, not a whole number"),
        (needing("ab"), "package a.dependencies.b: 'ab' is not a version constraint: "),
        (needing(["1.0", 2]), "package a.dependencies.b[1]: must be a table, not a whole number"),
        (needing({"version": 1}), "package a.dependencies.b.version: must be a string"),
        (needing({"version": ">"}), "package a.dependencies.b.version: '>' is not a version"),
        (needing({"markers": "x"}), "package a.dependencies.b.markers: 'x' is not a marker: "),
        (needing({"markers": 1}), "package a.dependencies.b.markers: must be a string"),
        (needing({"python": "ab"}), "package a.dependencies.b.python: 'ab' is not a version"),
        (needing({"extras": "x"}), "package a.dependencies.b.extras: must be an array"),
        (needing({"extras": [1]}), "package a.dependencies.b.extras[0]: must be a string"),
        (needing({"optional": 1}), "package a.dependencies.b.optional: must be true or false"),
        (needing({"git": 1}), "package a.dependencies.b.git: must be a string"),
        (needing({"git": "u", "rev": 1}), "package a.dependencies.b.rev: must be a string"),
        (needing({"path": 1}), "package a.dependencies.b.path: must be a string"),
        (
            old_lock(old_package("a", needs={"b\n": "*"})),
            "package a.dependencies.\"b\\n\": 'b\\n' is not the name of a package",
        ),
        (
            old_lock({**old_package("a"), "dependencies": []}),
            "package a.dependencies: must be a table, not an array",
        ),
        (old_lock({**old_package("a"), "extras": []}), "package a.extras: must be a table"),
        (
            old_lock(old_package("a", extras={"x": "b"})),
            "package a.extras.x: must be an array, not a string",
        ),
        (
            old_lock(old_package("a", extras={"x": [1]})),
            "package a.extras.x[0]: must be a string, not a whole number",
        ),
        (
            old_lock(old_package("a", extras={"x": ["b", "(>=1)"]})),
            "package a.extras.x[1]: '(>=1)' is not a requirement",
        ),
        (pooled_lock(old_package("a"), pool={}), "metadata.files.a: is missing"),
        (
            old_lock({"name": "a", "version": "1"}, version="1.1"),
            "metadata.files: is missing",
        ),
        (pooled_lock(old_package("a"), pool={"a": {}}), "metadata.files.a: must be an array"),
        (
            pooled_lock(old_package("a"), pool={"a": ["x"]}),
            "metadata.files.a[0]: must be a table, not a string",
        ),
        (
            pooled_lock(old_package("a"), pool={"a": [{"file": 1}]}),
            "metadata.files.a[0].file: must be a string",
        ),
        (
            old_lock({"name": "a", "version": "1"}, version="1.1", hashes={"a": ["abc"]}),
            "metadata.hashes: the lock has hashes without file names, so no file can be chosen",
        ),
    ],
)
def test_a_value_that_the_format_does_not_have_is_refused_with_its_path(
    raw: Raw, reason: str
) -> None:
    assert refused(raw).startswith(reason)


SOUND = old_lock(
    old_package(
        "a",
        needs={"b": {"version": "*", "extras": ["x"], "markers": 'os_name == "nt"'}, "c": ["*"]},
        extras={"x": ["b (>=1)"]},
        python=">=3.8",
    ),
    old_package("b", "1.0"),
    old_package("b", "2.0", python=">=3.10"),
)
INSIDE = ("package", 0, "dependencies")
PLACES: list[tuple[str | int, ...]] = [
    *(("metadata", key) for key in ("python-versions", "files", "hashes")),
    *(("package", 0, key) for key in ("dependencies", "extras", "python-versions", "files")),
    *((*INSIDE, key) for key in ("b", "c", "A", "b.c")),
    *((*INSIDE, "b", key) for key in ("version", "extras", "markers", "optional", "python")),
    *((*INSIDE, "b", key) for key in ("path", "git", "url", "rev")),
    (*INSIDE, "c", 0),
    ("package", 0, "extras", "x"),
    ("package", 0, "extras", "x", 0),
]


@settings(quick, max_examples=600)
@given(value=values, place=...)
def test_whatever_stands_there_the_only_error_is_a_lock_error(value: object, place: int) -> None:
    path = PLACES[place % len(PLACES)]
    for version in ("1.1", "2.0"):
        raw = copy.deepcopy(SOUND)
        raw["metadata"]["lock-version"] = version  # type: ignore[index]
        table: object = raw
        for key in path[:-1]:
            table = table[key]  # type: ignore[index]
        table[path[-1]] = value  # type: ignore[index]
        try:
            lock = read_lock(raw, [root("a"), root("b", "<2", 'python_version < "3.9"')])
        except LockError as error:
            assert error.problems  # noqa: PT017 - which values are refused is tested above
            continue
        for package in lock.packages:
            for file in package.files:
                check_file_name(file.name)


# --- files of format 1.1 ----------------------------------------------------------------------


def pool(name: str, *files: str) -> dict[str, object]:
    return {name: [raw_file(file) for file in files]}


def test_each_version_has_its_own_of_the_files_of_a_name() -> None:
    odd = "a.tar.gz", "a-py2.7.egg", "a-1.0-py3-none.whl"
    files = "a-1.0-py3-none-any.whl", "A-1.0.0.tar.gz", "a-2.0.0-py3-none-any.whl", "a-2.zip", *odd
    raw = pooled_lock(old_package("a", "1.0"), old_package("a", "2.0"), pool=pool("a", *files))
    assert files_in(raw) == {"a 1.0": [*files[:2], *odd], "a 2.0": [*files[2:4], *odd]}


def test_local_versions_are_told_apart() -> None:
    files = "a-1.0-py3-none-any.whl", "a-1.0+cpu-py3-none-any.whl"
    raw = pooled_lock(old_package("a", "1.0"), old_package("a", "1.0+cpu"), pool=pool("a", *files))
    assert files_in(raw) == {"a 1.0": [files[0]], "a 1.0+cpu": [files[1]]}


def test_the_name_is_looked_up_as_it_is_written() -> None:
    raw = pooled_lock(old_package("A.b"), pool=pool("A.b", "a_b-1.0-py3-none-any.whl"))
    assert files_in(raw) == {"a-b 1.0": ["a_b-1.0-py3-none-any.whl"]}


@pytest.mark.parametrize("kind", ["git", "directory", "url", "file"])
def test_what_is_not_from_an_index_needs_no_files(kind: str) -> None:
    source = {"type": kind, "url": "x", "resolved_reference": "f" * 40}
    raw = pooled_lock(old_package("a", source=source), pool={})
    assert files_in(raw) == {"a 1.0": []}


def test_files_that_stand_in_the_package_count() -> None:
    raw = old_lock(old_package("a"), version="1.1")
    assert files_in(raw) == {"a 1.0": ["a-1.0-py3-none-any.whl"]}


@pytest.mark.parametrize(
    "filename", ["a-3.0-py3-none-any.whl", "b-1.0.tar.gz", "../a-1.0-py3-none-any.whl"]
)
def test_a_file_of_no_locked_version_is_refused(filename: str) -> None:
    packages = old_package("a", "1.0"), old_package("a", "2.0")
    found = problems(pooled_lock(*packages, pool=pool("a", filename)))
    assert {problem.file for problem in found} == {filename}
    assert all("is refused" in problem.what for problem in found)


def test_two_hashes_of_one_file_are_refused() -> None:
    name = "a-1.0-py3-none-any.whl"
    both = {"a": [raw_file(name), raw_file(name, SHA256.replace("0", "f"))]}
    (problem,) = problems(pooled_lock(old_package("a"), pool=both))
    assert "two hashes" in problem.what
