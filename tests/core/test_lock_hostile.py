"""FAULTS 1, 2, 4, 5 and 7, and values that no lock has."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.lockmaker import SHA256, Raw, locked, quick, raw_file, raw_lock, raw_package
from wheeltarget.core.errors import LockError, Problem
from wheeltarget.core.lock import read_lock
from wheeltarget.core.wheelname import check_file_name

WHEEL = "foo-1.0-py3-none-any.whl"
OTHER = "sha256:" + "f" * 64


def problems(*packages: Raw) -> tuple[Problem, ...]:
    with pytest.raises(LockError) as caught:
        read_lock(raw_lock(*packages))
    return caught.value.problems


def refused(*files: Raw) -> Problem:
    (problem,) = problems({**raw_package("foo", "1.0"), "files": list(files)})
    return problem


@pytest.mark.parametrize(
    "filename",
    [
        "foo-1.0-1/../../../tmp/evil-py3-none-any.whl",
        "../foo-1.0-py3-none-any.whl",
        "/foo-1.0-py3-none-any.whl",
        "foo-1.0-1\\..\\evil-py3-none-any.whl",
        "C:foo-1.0-py3-none-any.whl",
        "foo-1.0-1\0-py3-none-any.whl",
        "foo-1.0-1\n-py3-none-any.whl",
        "foo-1.0-1\x1b[2J-py3-none-any.whl",
        "foo-1.0-1%2F..%2Fevil-py3-none-any.whl",
        ".foo-1.0.tar.gz",
        "-foo-1.0.tar.gz",
        "foo-1.0-1..-py3-none-any.whl",
        "..",
        "",
        "nul.tar.gz",
        "CON.whl",
        "foo-1.0.tar.gz" + "x" * 242,
        "foo-1.0-1\u202e-py3-none-any.whl",
    ],
)
def test_a_hostile_file_name_is_refused_and_shown_escaped(filename: str) -> None:
    problem = refused(raw_file(filename))
    assert problem.package == "foo 1.0"
    assert problem.what.startswith(f"poetry.lock: the file name {filename!r} is refused: ")
    assert problem.what.isprintable()
    assert problem.file is not None
    assert problem.file.isprintable()
    assert problem.hint is not None
    assert problem.hint.startswith("the lock may have been tampered with; run `poetry lock`")


@pytest.mark.parametrize(
    "filename",
    [
        "bar-1.0-py3-none-any.whl",
        "foo-1.1-py3-none-any.whl",
        "foo_bar-1.0-py3-none-any.whl",
        "foo-1.0+local-py3-none-any.whl",
        "bar-1.0.tar.gz",
        "foo-1.1.zip",
    ],
)
def test_a_file_of_another_project_or_version_is_refused(filename: str) -> None:
    problem = refused(raw_file(filename))
    assert problem.what.endswith(" is refused: it is the name of another project or version")


@pytest.mark.parametrize("digest", [OTHER, "sha512:" + "a" * 128, "md5:" + "a" * 32, "sha256:x"])
def test_one_file_name_with_two_hashes_is_refused(digest: str) -> None:
    for order in ([SHA256, digest], [digest, SHA256]):
        problem = refused(*(raw_file(WHEEL, each) for each in order))
        assert problem.what.endswith(" is refused: it stands in the lock with two hashes")
        assert problem.file == WHEEL


def test_a_hash_and_no_hash_for_one_file_name_are_two_hashes() -> None:
    assert refused(raw_file(WHEEL), {"file": WHEEL}).what.endswith("with two hashes")


def test_all_bad_files_of_all_packages_are_listed_in_the_order_of_the_lock() -> None:
    found = problems(
        raw_package("b", "1", "a/b", "b-1.tar.gz", "c-1-py3-none-any.whl"),
        raw_package("good", "1", "good-1-py3-none-any.whl"),
        raw_package("a", "2", "a-1.zip", "a\n"),
    )
    assert [(problem.package, problem.file) for problem in found] == [
        ("b 1", "a/b"),
        ("b 1", "c-1-py3-none-any.whl"),
        ("a 2", "a-1.zip"),
        ("a 2", "a\\n"),
    ]


@pytest.mark.parametrize(
    ("name", "version", "filename"),
    [
        ("foo-bar-baz", "1.0", "Foo.Bar_baz-1.0-py3-none-any.whl"),
        ("SQLAlchemy", "1.4", "sqlalchemy-1.4.0-py3-none-any.whl"),
        ("foo", "1!2.0", "foo-1!2.0-py3-none-any.whl"),
        ("torch", "2.0+cu118", "torch-2.0+cu118-cp311-cp311-win_amd64.whl"),
        ("foo", "1.0", "foo-1.0-12abc-py3-none-any.whl"),
        ("foo", "1.0", "foo-1.0-py2.py3-none-any.whl"),
        ("foo", "1.0", "Foo-1.0.tar.gz"),
        ("foo", "1.0", "release_1.0.zip"),
        ("foo", "1.0", "foo-1.0.win32-py2.7.exe"),
    ],
)
def test_legal_oddities_are_accepted_and_keep_their_spelling(
    name: str, version: str, filename: str
) -> None:
    (file,) = locked(name, version, filename).files
    assert file.name == filename
    assert file.malformed is None


# --- values that no lock has ------------------------------------------------------------------

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.dates(),
    st.sampled_from(["2.1", "1" * 5000, "main", "==", "\ud800", "wheel", "(((", "1.0", "nul"]),
    st.sampled_from([10**50, "python_version in", 'os_name == "', "*", "<empty>", "legacy"]),
)
keys = st.sampled_from(["name", "file", "hash", "url", "type", "main", ""]) | st.text(max_size=4)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
PLACES: list[tuple[str | int, ...]] = [
    ("metadata",),
    ("metadata", "lock-version"),
    ("metadata", "content-hash"),
    ("package",),
    ("package", 0),
    *(("package", 0, key) for key in ("name", "version", "groups", "markers", "files", "source")),
    ("package", 0, "groups", 0),
    ("package", 0, "markers", "main"),
    ("package", 0, "files", 0),
    ("package", 0, "files", 0, "file"),
    ("package", 0, "files", 0, "hash"),
    *(("package", 0, "source", key) for key in ("type", "url", "reference")),
]
LEGACY = {"type": "legacy", "url": "https://host/simple", "reference": "corp"}
SOUND = raw_lock(raw_package("foo", "1.0", WHEEL, markers={"main": ""}, source=LEGACY))


def damaged(place: tuple[str | int, ...], value: object) -> Raw:
    """A sound lock with another value, or none (``...``), at one place."""
    raw = copy.deepcopy(SOUND)
    table: object = raw
    for key in place[:-1]:
        assert isinstance(table, (dict, list))
        table = table[key]  # type: ignore[index]
    assert isinstance(table, (dict, list))
    if value is ...:
        del table[place[-1]]  # type: ignore[arg-type]
    else:
        table[place[-1]] = value  # type: ignore[index]
    return raw


def test_the_lock_that_is_damaged_below_is_sound() -> None:
    assert read_lock(SOUND).packages[0].files[0].name == WHEEL


@settings(quick, max_examples=800)
@given(st.sampled_from(PLACES), values | st.just(...))
def test_whatever_stands_there_the_only_error_is_a_lock_error(
    place: tuple[str | int, ...], value: object
) -> None:
    try:
        lock = read_lock(damaged(place, value))
    except LockError as error:
        assert error.problems  # noqa: PT017 - which values are refused is tested above
        return
    assert type(lock.content_hash) is str
    for package in lock.packages:
        assert set(package.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        for file in package.files:
            check_file_name(file.name)
            assert (file.digest is None) is (file.distrust is not None)
