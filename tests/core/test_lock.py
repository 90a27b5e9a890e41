from __future__ import annotations

import pytest
from packaging.version import Version

from core.lockmaker import (
    SHA256,
    Raw,
    locked,
    raw_file,
    raw_lock,
    raw_package,
    real_lock,
    real_raw,
)
from support.projects import PROJECTS
from wheeltarget.core.errors import LockError
from wheeltarget.core.lock import read_lock
from wheeltarget.core.model import Digest, LockedFile, Source

WHEEL = "foo-1.0-py3-none-any.whl"


def refused(raw: Raw) -> str:
    """Why a lock is refused, in one problem that says what to run."""
    with pytest.raises(LockError) as caught:
        read_lock(raw)
    (problem,) = caught.value.problems
    assert problem.hint is not None
    assert problem.hint.startswith("run `poetry lock`")
    assert problem.what.startswith("poetry.lock: ")
    return problem.what.removeprefix("poetry.lock: ")


def foo(**changes: object) -> Raw:
    """A lock with one package, of which some keys are changed; None removes the key."""
    package = {**raw_package("foo", "1.0", WHEEL), **changes}
    return raw_lock({key: value for key, value in package.items() if value is not None})


def only_file(**entry: object) -> LockedFile:
    (file,) = read_lock(foo(files=[{"file": WHEEL, **entry}])).packages[0].files
    return file


# --- locks that Poetry wrote ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("project", "packages"),
    [("small-api", 29), ("legacy-glibc", 26), ("data-service", 94), ("markers", 154)],
)
def test_a_real_lock_is_read_in_full(project: str, packages: int) -> None:
    raw, lock = real_raw(project), real_lock(project)
    assert len(lock.packages) == packages
    entries = raw["package"]
    assert isinstance(entries, list)
    for entry, package in zip(entries, lock.packages, strict=True):
        assert package.version == Version(entry["version"])
        assert [file.name for file in package.files] == [file["file"] for file in entry["files"]]
        assert {str(file.digest) for file in package.files} == {
            file["hash"] for file in entry["files"]
        }
        assert set(package.markers) == set(entry["groups"])
        for file in package.files:
            assert file.distrust is None
            assert file.malformed is None
            assert (file.wheel is not None) is file.name.endswith(".whl")


def test_a_real_lock_keeps_its_content_hash() -> None:
    expected = "fc3371579ba5a6ae3b2bd469cf5a80f0e4ff4ff95324a912c48b8b1bd2668bb3"
    assert real_lock("data-service").content_hash == expected


def test_there_is_a_real_lock_of_every_format() -> None:
    metadata = [real_raw(path.name)["metadata"] for path in PROJECTS.iterdir()]
    versions = {table["lock-version"] for table in metadata if isinstance(table, dict)}
    assert versions == {"1.1", "2.0", "2.1"}


# --- the format -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "age"),
    [
        ("0.9", "older"),
        ("1.0", "older"),
        ("1.2", "newer"),
        ("2.2", "newer"),
        ("3.0", "newer"),
        ("10.0", "newer"),
    ],
)
def test_another_format_is_refused(version: str, age: str) -> None:
    assert refused(raw_lock(version=version)) == (
        f"metadata.lock-version: format {version} is {age} than this version of wheeltarget "
        "reads (1.1, 2.0, 2.1)"
    )


@pytest.mark.parametrize(("version", "upgrade"), [("1.0", False), ("2.2", True)])
def test_only_a_newer_format_may_need_a_newer_wheeltarget(version: str, upgrade: bool) -> None:
    with pytest.raises(LockError) as caught:
        read_lock(raw_lock(version=version))
    assert ("newer poetry-plugin-wheeltarget" in str(caught.value.problems[0].hint)) is upgrade


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ({}, "poetry.lock.metadata: is missing"),
        ({"metadata": []}, "poetry.lock.metadata: must be a table, not an array"),
        ({"metadata": {}}, "metadata.lock-version: is missing"),
        (
            {"metadata": {"lock-version": 2.1}},
            "metadata.lock-version: must be a string, not a number",
        ),
        ({"metadata": {"lock-version": "2.1"}}, "metadata.content-hash: is missing"),
        (
            {"metadata": {"lock-version": "2.1", "content-hash": 1}},
            "metadata.content-hash: must be a string, not a whole number",
        ),
        ({**raw_lock(), "package": {}}, "poetry.lock.package: must be an array, not a table"),
        ({**raw_lock(), "package": [1]}, "package[0]: must be a table, not a whole number"),
    ],
)
def test_a_lock_without_its_frame_is_refused(raw: Raw, reason: str) -> None:
    assert refused(raw) == reason


def test_a_lock_without_packages_is_empty() -> None:
    assert read_lock({"metadata": raw_lock()["metadata"]}).packages == ()
    assert read_lock(raw_lock()).packages == ()


# --- packages ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": None}, "package[0].name: is missing"),
        ({"name": 1}, "package[0].name: must be a string, not a whole number"),
        ({"name": ""}, "package[0].name: '' is not the name of a package"),
        ({"name": "../foo"}, "package[0].name: '../foo' is not the name of a package"),
        ({"name": "foo\n"}, "package[0].name: 'foo\\n' is not the name of a package"),
        ({"name": "-foo"}, "package[0].name: '-foo' is not the name of a package"),
        ({"name": "fo\u212a"}, "package[0].name: 'fo\u212a' is not the name of a package"),
        ({"version": None}, "package foo.version: is missing"),
        ({"version": 1.0}, "package foo.version: must be a string, not a number"),
        ({"version": "x"}, "package foo.version: 'x' is not a version"),
        ({"groups": None}, "package foo.groups: is missing"),
        ({"groups": "main"}, "package foo.groups: must be an array, not a string"),
        ({"groups": [1]}, "package foo.groups[0]: must be a string, not a whole number"),
        ({"groups": ["main", "main"]}, "package foo.groups[1]: 'main' stands twice"),
        ({"markers": 1}, "package foo.markers: must be a string, not a whole number"),
        (
            {"markers": {"main": 1}},
            "package foo.markers.main: must be a string, not a whole number",
        ),
        ({"files": None}, "package foo.files: is missing"),
        ({"files": {}}, "package foo.files: must be an array, not a table"),
        ({"files": ["x"]}, "package foo.files[0]: must be a table, not a string"),
        ({"files": [{}]}, "package foo.files[0].file: is missing"),
        (
            {"files": [raw_file(WHEEL), raw_file(1)]},
            "package foo.files[1].file: must be a string, not a whole number",
        ),
        (
            {"files": [raw_file(WHEEL, 1)]},
            "package foo.files[0].hash: must be a string, not a whole number",
        ),
        ({"source": "pypi"}, "package foo.source: must be a table, not a string"),
        ({"source": {}}, "package foo.source.type: is missing"),
        (
            {"source": {"type": "hg", "url": "u"}},
            "package foo.source.type: unknown kind of source 'hg'",
        ),
        ({"source": {"type": "git"}}, "package foo.source.url: is missing"),
        (
            {"source": {"type": "git", "url": "u", "reference": 1}},
            "package foo.source.reference: must be a string, not a whole number",
        ),
    ],
)
def test_a_value_that_the_format_does_not_have_is_refused_with_the_path_of_its_key(
    changes: Raw, reason: str
) -> None:
    raw = foo(**changes)
    if changes == {"name": None}:
        raw = raw_lock({"version": "1.0"})
    assert refused(raw) == reason


def test_a_version_with_more_digits_than_can_be_read_is_refused() -> None:
    assert refused(foo(version="1" * 5000)).endswith("is not a version")


def test_the_path_names_the_package_by_its_place_until_its_name_is_known() -> None:
    good = raw_package("foo", "1.0", WHEEL)
    assert refused(raw_lock(good, {"version": "1.0"})) == "package[1].name: is missing"
    assert refused(raw_lock(good, {"name": "Bar_Baz"})) == "package bar-baz.version: is missing"


def test_names_are_normalised_and_versions_read() -> None:
    package = locked("Foo.Bar_baz", "1!2.0rc1+local.7")
    assert package.name == "foo-bar-baz"
    assert package.version == Version("1!2.0rc1+local.7")
    assert package.files == ()


# --- groups and markers -----------------------------------------------------------------------


def markers_of(groups: list[str], markers: object) -> dict[str, str]:
    package = locked("foo", "1.0", groups=groups, markers=markers)
    return {group: str(marker) for group, marker in package.markers.items()}


@pytest.mark.parametrize(
    ("groups", "markers", "expected"),
    [
        (["main"], None, {"main": ""}),
        (["main"], "", {"main": ""}),
        ([], 'os_name == "nt"', {}),
        (
            ["main", "dev"],
            'os_name == "nt"',
            {"main": 'os_name == "nt"', "dev": 'os_name == "nt"'},
        ),
        (
            ["main", "dev"],
            {"dev": 'os_name == "nt"', "other": 'os_name == "x"'},
            {"main": "", "dev": 'os_name == "nt"'},
        ),
        (["My.Group"], {"My.Group": 'os_name == "nt"'}, {"my-group": 'os_name == "nt"'}),
        (["main"], {}, {"main": ""}),
    ],
)
def test_each_group_has_its_marker(
    groups: list[str], markers: object, expected: dict[str, str]
) -> None:
    assert markers_of(groups, markers) == expected


def test_two_spellings_of_one_group_are_one_group_that_applies_where_either_does() -> None:
    markers = {"Dev": 'os_name == "nt"', "dev": 'sys_platform == "linux"'}
    for groups in (["Dev", "dev"], ["dev", "Dev"]):
        (text,) = markers_of(groups, markers).values()
        assert set(text.split(" or ")) == {'os_name == "nt"', 'sys_platform == "linux"'}
    assert markers_of(["Dev", "dev"], {"Dev": 'os_name == "nt"'}) == {"dev": ""}


@pytest.mark.parametrize(
    "marker",
    [
        "nonsense",
        'os_name = "nt"',
        'os_name == "nt" and',
        'python_version >= "x"',
        "(" * 5000 + 'os_name == "nt"' + ")" * 5000,
    ],
)
def test_what_is_no_marker_is_refused(marker: str) -> None:
    message = refused(foo(markers=marker))
    assert message.startswith(f"package foo.markers: {marker!r}"[:300])
    assert " is not a marker: " in message
    assert refused(foo(markers={"main": marker})).startswith("package foo.markers: ")


COMMIT = "0123456789abcdef0123456789abcdef01234567"

# --- sources ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "source"),
    [
        (None, Source(kind="index")),
        (
            {"type": "legacy", "url": "https://u:p@host/simple", "reference": "corp"},
            Source(kind="index", url="https://u:p@host/simple", reference="corp"),
        ),
        ({"type": "directory", "url": "../lib"}, Source(kind="directory", url="../lib")),
        ({"type": "file", "url": "a.whl"}, Source(kind="file", url="a.whl")),
        ({"type": "url", "url": "https://x/a.whl"}, Source(kind="url", url="https://x/a.whl")),
        (
            {"type": "git", "url": "git@x:y", "reference": "main", "resolved_reference": COMMIT},
            Source(kind="git", url="git@x:y", reference="main", commit=COMMIT),
        ),
        (
            {"type": "git", "url": "x", "resolved_reference": COMMIT, "subdirectory": "sub"},
            Source(kind="git", url="x", commit=COMMIT, subdirectory="sub"),
        ),
    ],
)
def test_where_a_package_comes_from(raw: Raw | None, source: Source) -> None:
    assert locked("foo", "1.0", source=raw).source == source


# --- files and hashes -------------------------------------------------------------------------


def test_a_wheel_and_a_source_archive_are_told_apart() -> None:
    wheel, sdist = locked("foo", "1.0", WHEEL, "foo-1.0.tar.gz").files
    assert wheel.wheel is not None
    assert list(wheel.wheel.tags()) == ["py3-none-any"]
    assert sdist.wheel is None
    assert wheel.malformed is None
    assert sdist.malformed is None


@pytest.mark.parametrize("filename", ["foo-1.0-py3-none.whl", "FOO-1.0-PY3-NONE-ANY.WHL"])
def test_a_malformed_wheel_name_is_kept_with_what_is_wrong(filename: str) -> None:
    (file,) = locked("foo", "1.0", filename).files
    assert file.name == filename
    assert file.wheel is None
    assert file.malformed


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_strong_hash_is_kept(algorithm: str) -> None:
    length = {"sha256": 64, "sha384": 96, "sha512": 128}[algorithm]
    file = only_file(hash=f"{algorithm}:{'A1' * (length // 2)}")
    assert file.digest == Digest(algorithm, "a1" * (length // 2))
    assert file.distrust is None


@pytest.mark.parametrize(
    ("entry", "distrust"),
    [
        ({}, "the lock holds no hash for it"),
        (
            {"hash": "md5:" + "a" * 32},
            "the lock's hash cannot be trusted: 'md5' is not one of sha256, sha384, sha512",
        ),
        (
            {"hash": "sha256:abc"},
            "the lock's hash cannot be trusted: 'abc' is not a sha256 digest",
        ),
        (
            {"hash": ""},
            "the lock's hash cannot be trusted: '' is not of the form algorithm:digest",
        ),
    ],
)
def test_a_file_without_a_strong_hash_is_kept_as_distrusted(entry: Raw, distrust: str) -> None:
    file = only_file(**entry)
    assert file.digest is None
    assert file.distrust == distrust


def test_a_file_that_stands_twice_with_one_hash_is_one_file() -> None:
    twice = [raw_file(WHEEL), raw_file(WHEEL, SHA256.upper().replace("SHA", "sha"))]
    (file,) = read_lock(foo(files=twice)).packages[0].files
    assert file.name == WHEEL


@pytest.mark.parametrize(
    "commit", [None, "", "main", "HEAD", COMMIT[:12], COMMIT.upper(), f"{COMMIT} "]
)
def test_a_repository_is_locked_at_a_full_commit_or_not_at_all(commit: str | None) -> None:
    source = {"type": "git", "url": "https://host/x.git", "reference": "main"}
    if commit is not None:
        source["resolved_reference"] = commit
    assert refused(foo(source=source)) == (
        "package foo.source.resolved_reference: must be the full hash of a commit, which is built"
    )


@pytest.mark.parametrize("kind", ["url", "file"])
def test_an_archive_that_is_no_indexs_is_named_as_its_owner_likes(kind: str) -> None:
    free = {"type": kind, "url": "https://host/x"}
    archive = "repository-9.9.tar.gz"
    (file,) = locked("foo", "1.0", archive, source=free).files
    assert file.name == archive
    for name, source in (("other-1.0-py3-none-any.whl", free), (archive, None)):
        with pytest.raises(LockError, match="it is the name of another project or version"):
            locked("foo", "1.0", name, source=source)
