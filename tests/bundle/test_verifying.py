"""Bundles that are verified: everything that is wrong is found, and nothing hides anything else."""

from __future__ import annotations

import hashlib
import io
import json
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from packaging.version import Version

from core.lockmaker import locked, quick
from support.bundleforge import (
    ALPHA,
    BETA,
    Members,
    a_bundle,
    a_combined_bundle,
    a_target,
    a_tree,
    contents_of,
    edited,
    part_of,
    site_packages,
    wheelhouse,
    zipped,
)
from support.wheels import build_wheel, metadata, zip_bytes
from wheeltarget.bundle.verifying import Against, read_outlines, verify_bundle
from wheeltarget.core.bundlecheck import Verified
from wheeltarget.core.errors import FileSystemError, IntegrityError
from wheeltarget.core.limits import DEFAULT_LIMITS, Limits
from wheeltarget.core.model import Lock, Project, Source
from wheeltarget.core.zipform import Finding
from wheeltarget.io.bundlefile import BundleReader

if TYPE_CHECKING:
    from pathlib import Path

    from support.wheels import BuiltWheel

Verify = Callable[[Members], Verified]

ALPHA_MEMBER, BETA_MEMBER = f"wheels/{ALPHA.filename}", f"wheels/{BETA.filename}"
RECORD = "alpha-1.0.dist-info/RECORD"


@pytest.fixture
def verified(tmp_path: Path) -> Verify:
    """Write a bundle of these members, and verify it."""

    def verify(members: Members) -> Verified:
        path = tmp_path / "bundle.zip"
        path.write_bytes(zipped(members))
        return verify_bundle(str(path))

    return verify


def reasons(result: Verified) -> list[str]:
    return [problem.what for problem in result.findings.problems]


def bundle_of(*wheels: BuiltWheel, **more: Any) -> Members:
    return wheelhouse(contents_of(part_of(*wheels, **more)), *wheels)


# --- nothing wrong --------------------------------------------------------------------------------

GIT = Source(kind="git", url="https://host/x.git", commit="c0ffee")
SOURCES = (
    None,
    GIT,
    Source(kind="git", url="file:///home/me/alpha", commit="c0ffee"),
    Source(url="https://user:secret@index.example.com/simple", reference="acme"),
    Source(kind="url", url="https://host/alpha.whl?token=secret"),
    Source(kind="directory", url="../alpha"),
    Source(kind="file", url="alpha.whl", reference="acme"),
)


@pytest.mark.parametrize(
    "members",
    [
        a_bundle(),
        a_bundle(groups=("docs", "main"), extras=("a", "b")),
        a_combined_bundle(),
        a_tree(),
        a_tree("python/lib/"),
        wheelhouse(contents_of(part_of(ALPHA, excluded=["beta==2.0"])), ALPHA),
        bundle_of(BETA, undecided=('platform_release > "5"', ("platform_release",))),
        bundle_of(BETA, target=a_target("pp311,manylinux_2_17_x86_64"), beyond=True),
        *(bundle_of(BETA, source=source, built=source is None) for source in SOURCES),
    ],
)
def test_nothing_is_wrong_with_a_bundle_as_it_is_written(
    verified: Verify, members: Members
) -> None:
    result = verified(members)
    assert (reasons(result), result.findings.warnings) == ([], ())
    assert result.sha256 == hashlib.sha256(zipped(members)).hexdigest()
    assert result.size == len(zipped(members))


# --- any byte -------------------------------------------------------------------------------------

SMALL = {name: zipped(members) for name, members in (("a", a_bundle()), ("b", a_combined_bundle()))}


@pytest.mark.parametrize("data", SMALL.values(), ids=SMALL)
@quick
@given(place=st.integers(0), mask=st.integers(1, 255))
def test_any_byte_that_flipped_is_found(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, place: int, mask: int
) -> None:
    flipped = bytearray(data)
    flipped[place % len(data)] ^= mask
    path = tmp_path_factory.getbasetemp() / "flipped.zip"
    path.write_bytes(flipped)
    assert not verify_bundle(str(path)).ok


@pytest.mark.slow
def test_every_byte_that_flipped_is_found(tmp_path: Path) -> None:
    for members in (a_bundle(), a_tree()):
        data = bytearray(zipped(members))
        path = tmp_path / "flipped.zip"
        for place in range(len(data)):
            data[place] ^= 0xFF
            path.write_bytes(data)
            assert not verify_bundle(str(path)).ok, place
            data[place] ^= 0xFF


@pytest.mark.parametrize("length", [0, 10, 21, 22, 500, -23, -22, -1])
def test_a_bundle_that_was_cut_off_is_found(tmp_path: Path, length: int) -> None:
    path = tmp_path / "short.zip"
    path.write_bytes(zipped(a_bundle())[:length])
    assert not verify_bundle(str(path)).ok


# --- members --------------------------------------------------------------------------------------


def flipped(members: Members, name: str) -> Members:
    """A member with another byte, and all else as it was."""
    data = members[name]
    return {**members, name: data[:-30] + bytes([data[-30] ^ 1]) + data[-29:]}


def test_a_wheel_with_another_hash(verified: Verify) -> None:
    result = verified(flipped(a_bundle(), BETA_MEMBER))
    assert f"{BETA_MEMBER} has another sha256 than the manifest says" in reasons(result)
    problem = result.findings.problems[0]
    assert (problem.package, problem.target) == ("beta 2.0", "cp311-manylinux2014_x86_64")
    assert (problem.file, bool(problem.hint)) == (BETA_MEMBER, True)


def test_a_wheel_with_another_size(verified: Verify) -> None:
    members = a_bundle()
    size = len(BETA.data)
    found = reasons(verified({**members, BETA_MEMBER: BETA.data + b"x"}))
    assert f"{BETA_MEMBER} has {size + 1} bytes, the manifest says {size}" in found


@pytest.mark.parametrize("name", ["requirements.txt", "pylock.toml", "__main__.py"])
def test_a_text_with_another_hash(verified: Verify, name: str) -> None:
    members = a_bundle()
    found = reasons(verified({**members, name: members[name] + b"\n"}))
    assert found == [f"{name} has another sha256 than the manifest says"]


@pytest.mark.parametrize("name", ["requirements.txt", "pylock.toml"])
def test_a_text_that_contradicts_the_manifest(verified: Verify, name: str) -> None:
    members = a_bundle()
    text = members[name].replace(b"1.0", b"1.1")

    def rehash(document: Any) -> None:
        for file in document["files"]:
            if file["name"] == name:
                file["sha256"] = hashlib.sha256(text).hexdigest()

    found = reasons(verified(edited({**members, name: text}, rehash)))
    assert found == [f"{name} says something else than the manifest"]


@pytest.mark.parametrize("name", ["requirements.txt", "pylock.toml", BETA_MEMBER])
def test_a_member_that_is_missing(verified: Verify, name: str) -> None:
    members = a_bundle()
    del members[name]
    assert f"{name} is missing" in reasons(verified(members))


def test_a_bundle_without_a_manifest(verified: Verify) -> None:
    members = a_bundle()
    del members["manifest.json"]
    assert reasons(verified(members)) == ["manifest.json is missing"]


def test_an_empty_archive_is_no_bundle(verified: Verify) -> None:
    assert reasons(verified({})) == ["manifest.json is missing"]


@pytest.mark.parametrize("make", [a_bundle, a_tree])
def test_a_bundle_has_its_program_even_if_the_manifest_has_none(
    verified: Verify, make: Callable[[], Members]
) -> None:
    members = edited(make(), lambda d: d["files"].pop())
    assert any("files: has" in reason for reason in reasons(verified(members)))
    del members["__main__.py"]
    assert "__main__.py is missing" in reasons(verified(members))


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (replace(DEFAULT_LIMITS, unpacked_size=1000), "has more than 1.0 kB in it, unpacked"),
        (DEFAULT_LIMITS, "has members that are larger together than itself"),
    ],
)
def test_what_takes_too_long_to_read_is_not_read(limits: Limits, reason: str) -> None:
    data = bytearray(zipped(a_bundle()))
    if limits is DEFAULT_LIMITS:  # the last wheel begins where the one before it does
        entries = [at for at in range(len(data)) if data[at : at + 4] == b"PK\1\2"]
        data[entries[-1] + 42 : entries[-1] + 46] = data[entries[-2] + 42 : entries[-2] + 46]
        for at in entries[-2:]:
            data[at + 20 : at + 28] = struct.pack("<II", len(data), len(data))
    facts = BundleReader(io.BytesIO(data), limits).facts()
    assert facts.listing.findings[-1] == Finding(what=reason)
    assert not facts.digests


def test_a_member_too_much(verified: Verify) -> None:
    found = reasons(verified({**a_bundle(), "wheels/evil.txt": b"", "x": b""}))
    assert found == [f"{name} does not belong to the bundle" for name in ("wheels/evil.txt", "x")]


def test_a_member_that_was_renamed(verified: Verify) -> None:
    members = a_bundle()
    members["wheels/other.whl"] = members.pop(BETA_MEMBER)
    found = reasons(verified(members))
    assert f"{BETA_MEMBER} is missing" in found
    assert "wheels/other.whl does not belong to the bundle" in found


@pytest.mark.parametrize("make", [a_bundle, a_tree])
def test_members_in_another_order(verified: Verify, make: Callable[[], Members]) -> None:
    members = dict(reversed(make().items()))
    assert reasons(verified(members)) == ["the members are in another order than in a bundle"]


@pytest.mark.parametrize("name", ["../evil", "/evil", "C:\\evil", "C:evil", "a\x1b[31m", "wheels"])
def test_a_member_with_an_unsafe_name(verified: Verify, name: str) -> None:
    found = verified({**a_bundle(), name: b""}).findings.problems
    assert any("unsafe name" in p.what or "is a file" in p.what for p in found), found


def test_one_problem_hides_no_other(verified: Verify) -> None:
    members = flipped(flipped(a_bundle(), ALPHA_MEMBER), "requirements.txt")
    members["extra.txt"] = b""
    members = edited(members, lambda d: d["packages"][1].update(size=1, tag="py3-none-any"))
    members = edited(members, lambda d: d["project"].pop("version"))
    found = "\n".join(reasons(verified(members)))
    for expected in (
        "manifest.json: project.version: is missing",
        f"{ALPHA_MEMBER} has another sha256",
        "requirements.txt has another sha256",
        f"{BETA_MEMBER} has {len(BETA.data)} bytes",
        f"packages: {BETA.filename} has no tag 'py3-none-any'",
    ):
        assert expected in found


def test_a_damaged_manifest_does_not_hide_a_damaged_wheel(tmp_path: Path) -> None:
    data = bytearray(zipped(a_bundle()))
    for text in (b"packages", b"__version__ = '2.0'"):
        data[data.index(text)] ^= 1
    path = tmp_path / "bundle.zip"
    path.write_bytes(data)
    damaged = [p.file for p in verify_bundle(str(path)).findings.problems]
    assert damaged == ["manifest.json", BETA_MEMBER]


# --- manifest -------------------------------------------------------------------------------------

Change = Callable[[Any], object]


def at(key: str, value: object) -> Change:
    """A change of one key of the first package."""
    return lambda document: document["packages"][0].update({key: value})


#: More than half of what one manifest may have.
MANY = [f"p{number}" for number in range(DEFAULT_LIMITS.platforms // 2 + 1)]

WRONG: list[tuple[Change, str]] = [
    (lambda d: d.update(schema=2), "schema is 2; this version reads 1"),
    (lambda d: d.update(schema=0), "schema is 0; this version reads 1"),
    (lambda d: d.update(schema="1"), "schema: must be a whole number"),
    (lambda d: d.pop("schema"), "schema: is missing"),
    (lambda d: d.update(time="now"), "time: unknown key"),
    (lambda d: d["project"].update(path="/home"), "project.path: unknown key"),
    (lambda d: d.pop("generator"), "generator: is missing"),
    (lambda d: d.pop("lock"), "lock: is missing"),
    (lambda d: d.update(layout="zip"), "layout: 'zip' is not one of wheelhouse, site-packages"),
    (lambda d: d.update(prefix=""), "prefix: unknown key"),
    (lambda d: d.update(groups="main"), "groups: must be an array"),
    (lambda d: d.update(groups=["x", "x"]), "groups[1]: 'x' stands twice"),
    (lambda d: d.update(groups=["x", "a"]), 'groups[0]: must be "a"'),
    (lambda d: d["project"].update(name="De_mo"), "project.name: 'De_mo' is not a normalised"),
    (lambda d: d["project"].update(version="x"), "project.version: 'x' is not a version"),
    (lambda d: d["project"].update(version="9" * 5000), "project.version: '999999"),
    (lambda d: d["project"].update(version="1.0-1"), "'1.0-1' is not written as 1.0.post1"),
    (lambda d: d["target"].update(host="me"), "target.host: unknown key"),
    (lambda d: d["target"].update(python="2.7"), "target.python: there is no Python 2.7"),
    (lambda d: d["target"].update(platforms=[]), "target.platforms: names no platform"),
    (lambda d: d["target"].update(name="../x"), "target.name: it holds /"),
    (lambda d: d["target"].update(name="\ud800"), "target.name: it holds a control or"),
    (lambda d: d["target"].update(name=""), "target.name: it begins or ends with a character"),
    (
        lambda d: d["target"].update(platforms=[*MANY, *(f"q{p}" for p in MANY)]),
        "target.platforms: makes more than 10000, times the ABIs",
    ),
    (lambda d: d["target"].update(abis=["../x"]), "'../x' is not a part of a wheel tag"),
    (lambda d: d["target"]["markers"].update(x="y"), "target.markers.x: unknown key"),
    (lambda d: d["target"]["markers"].pop("python_version"), "python_version: is missing"),
    (lambda d: d["target"]["markers"].update(python_version="3.9"), "is not that of Python 3.11"),
    (lambda d: d.update(packages=["x"]), "packages[0]: must be a table"),
    (lambda d: d.update(excluded=[{"name": "x"}]), "excluded[0].version: is missing"),
    (lambda d: d.update(targets=[]), "targets: there is none"),
    (at("file", "../x.whl"), "packages[0].file: '../x.whl' is not the name of a wheel"),
    (at("file", "x.whl"), "'x.whl' is not the name of a wheel"),
    (at("sha256", "0"), "packages[0].sha256: '0' is not a sha256 digest"),
    (at("sha256", "A" * 64), "packages[0].sha256: is not in lower case"),
    (at("size", -1), "packages[0].size: -1 is not a size"),
    (at("size", 1.0), "packages[0].size: must be a whole number"),
    (at("built", 1), "packages[0].built: must be true or false"),
    (at("color", "red"), "packages[0].color: unknown key"),
    (at("beyond", False), "packages[0].beyond: unknown key"),
    (at("undecided", {"marker": ""}), "packages[0].undecided.variables: is missing"),
    (at("source", {"type": "ftp"}), "packages[0].source.type: 'ftp' is not one of"),
    (at("source", {"type": "index", "name": "acme"}), 'source.name: must be "PyPI"'),
    (
        at("source", {"type": "url", "url": "https://u:p@host/x"}),
        'packages[0].source.url: must be "https://host/x"',
    ),
    (at("name", "gamma"), f"packages: {ALPHA.filename} is not a file of gamma 1.0"),
    (at("version", "1.1"), f"packages: {ALPHA.filename} is not a file of alpha 1.1"),
    (at("tag", "cp311-none-any"), f"{ALPHA.filename} has no tag 'cp311-none-any'"),
    (at("record", {"file": "x", "sha256": "0" * 64}), "has a record, or has none, unlike"),
    (lambda d: d["packages"].append(d["packages"][0]), "alpha stands there 2 times"),
    (lambda d: d["packages"].reverse(), 'packages[0].name: must be "alpha"'),
    (lambda d: d["excluded"].append({"name": "beta", "version": "1"}), "beta stands there 2 times"),
    (lambda d: d["files"].append(d["files"][0]), "files[3]: 'requirements.txt' stands twice"),
    (lambda d: d["files"].pop(0), 'files[0].name: must be "requirements.txt"'),
    (lambda d: d["files"].pop(), "files: has 2 entries instead of 3"),
    (lambda d: d["files"][0].update(name="../x"), "files[0].name: '../x' is unsafe"),
    (lambda d: d.update(extras=d.pop("extras")), "(the whole): the keys are in another order"),
]


@pytest.mark.parametrize(("change", "reason"), WRONG)
def test_a_manifest_that_is_not_what_it_must_be(
    verified: Verify, change: Change, reason: str
) -> None:
    result = verified(edited(a_bundle(), change))
    assert reason in "\n".join(reasons(result))
    assert all(problem.hint for problem in result.findings.problems)


def test_a_newer_schema_asks_for_a_newer_plugin(verified: Verify) -> None:
    (problem,) = verified(edited(a_bundle(), lambda d: d.update(schema=2))).findings.problems
    assert problem.hint == "a newer version of poetry-plugin-wheeltarget is needed"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "is not JSON"),
        (b"[]", "must be an object, not an array"),
        (b'{"schema": 1, "schema": 1}', "schema: stands twice"),
        (b"\xff", "codec can't decode"),
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"schema": ' + b"1" * 5000 + b"}", "cannot be read"),
    ],
)
def test_a_manifest_that_cannot_be_read(verified: Verify, text: bytes, reason: str) -> None:
    (problem,) = verified({**a_bundle(), "manifest.json": text}).findings.problems
    assert problem.what.startswith("manifest.json cannot be read: ")
    assert reason in problem.what


def test_a_manifest_that_is_laid_out_otherwise(verified: Verify) -> None:
    members = a_bundle()
    text = json.dumps(json.loads(members["manifest.json"])).encode()
    found = reasons(verified({**members, "manifest.json": text}))
    assert found == ["manifest.json: it is laid out otherwise than this version does"]


def test_secrets_in_a_manifest_are_not_repeated(verified: Verify) -> None:
    source = {"type": "url", "url": "https://user:secret@host/x?token=secret"}
    found = reasons(verified(edited(a_bundle(), at("source", source))))
    assert found
    assert "secret" not in "".join(found)


def test_a_manifest_that_is_too_large(verified: Verify) -> None:
    text = b" " * (DEFAULT_LIMITS.manifest_size + 1)
    found = reasons(verified({**a_bundle(), "manifest.json": text}))
    assert found == ["manifest.json is larger than 33.6 MB"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d["targets"][1].pop("target"), "targets[1].target: is missing"),
        (lambda d: d["targets"][1].update(x=1), "targets[1].x: unknown key"),
        (lambda d: d["targets"][1].update(requirements="r"), "targets[1].requirements: must be"),
        (lambda d: d["targets"][1].update(pylock="p"), "targets[1].pylock: must be"),
        (
            lambda d: [t["target"].update(platforms=MANY) for t in d["targets"]],
            "targets[1].target.platforms: makes more than 10000, times the ABIs",
        ),
        (lambda d: d["targets"].pop(), "pylock.alpine.toml does not belong to the bundle"),
        (lambda d: d.update(target={}), "target: unknown key"),
        (lambda d: d["targets"][0]["packages"].pop(), "requires beta>=2, which is not in the"),
    ],
)
def test_each_target_of_a_combined_bundle_is_looked_at(
    verified: Verify, change: Change, reason: str
) -> None:
    assert reason in "\n".join(reasons(verified(edited(a_combined_bundle(), change))))


# --- packages -------------------------------------------------------------------------------------


def test_a_wheel_that_does_not_fit_the_target(verified: Verify) -> None:
    (problem,) = verified(bundle_of(BETA, target=a_target("cp312,win_amd64"))).findings.problems
    tag = "cp311-cp311-manylinux_2_17_x86_64"
    assert problem.what.endswith(f"does not fit the target, which has no tag {tag!r}")
    assert problem.target == "cp312-win_amd64"


def renamed(wheel: BuiltWheel, text: bytes | None) -> BuiltWheel:
    """A wheel with another METADATA, None for none."""
    name = f"{wheel.filename.split('-py3')[0]}.dist-info/METADATA"
    data = zip_bytes({} if text is None else {name: text})
    return replace(wheel, data=data, sha256=hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (metadata("alpha", "2.0", (), None), "METADATA says that it is alpha 2.0"),
        (metadata("gamma", "1.0", (), None), "METADATA says that it is gamma 1.0"),
        (b"Name: alpha\n", "METADATA has no single version"),
        (None, "it has no single METADATA"),
    ],
)
def test_a_wheel_that_is_not_what_its_name_says(
    verified: Verify, text: bytes | None, reason: str
) -> None:
    (problem,) = verified(bundle_of(renamed(ALPHA, text))).findings.problems
    assert problem.what == f"{ALPHA.filename}: {reason}"
    assert problem.package == "alpha 1.0"


def test_a_wheel_that_is_no_archive(verified: Verify) -> None:
    broken = replace(ALPHA, data=b"x", sha256=hashlib.sha256(b"x").hexdigest())
    (found,) = reasons(verified(bundle_of(broken)))
    assert found == f"{ALPHA.filename}: the file is not a zip archive, or its end is missing"


def alpha(*requires: str, **more: Any) -> BuiltWheel:
    return build_wheel("alpha", "1.0", requires=requires, **more)


@pytest.mark.parametrize(
    ("requires", "found"),
    [
        (["beta"], []),
        (["Beta[x]>=1; python_version < '3.12'"], []),
        (["gamma; sys_platform == 'win32'"], []),
        (["gamma; extra == 'x'"], []),
        (["beta @ https://host/beta.zip"], []),
        (["beta>2"], ["alpha 1.0 requires beta>2, the bundle has 2.0"]),
        (["gamma"], ["alpha 1.0 requires gamma, which is not in the bundle"]),
        (["alpha[x]", "gamma; extra == 'x'"], ["alpha 1.0 requires gamma, which is not in"]),
        (["gamma; platform_release in '5'"], []),
        (["beta>" + "9" * 5000], [f"alpha 1.0 requires beta>{'9' * 99}, which is no version"]),
    ],
)
def test_what_a_package_requires_is_there(
    verified: Verify, requires: list[str], found: list[str]
) -> None:
    result = verified(bundle_of(alpha(*requires), BETA))
    actual = reasons(result)
    assert len(actual) == len(found)
    assert all(one.startswith(other) for one, other in zip(actual, found, strict=True))


def test_what_a_target_does_not_decide_is_a_warning(verified: Verify) -> None:
    wheel = alpha('gamma>=1; python_full_version < "3.11.4"')
    result = verified(bundle_of(wheel))
    assert result.ok
    (warning,) = result.findings.warnings
    assert warning.what == (
        "alpha 1.0 may require gamma>=1, which is not in the bundle; "
        "the target does not say python_full_version"
    )
    assert [p.what for p in result.strict().findings.problems] == [warning.what]


#: Written out as alternatives, it has a million of them.
COMPLICATED = " and ".join(f'(os_name == "{n}" or sys_platform == "{n}")' for n in range(20))


@pytest.mark.parametrize(
    ("requirement", "why"),
    [
        ("pytz (>dev)", "it does not follow PEP 508"),
        (f"delta; {COMPLICATED}", "its marker has more than 20 comparisons"),
        (
            'delta; platform_release == "generic"',
            "the marker 'platform_release == \"generic\"' cann",
        ),
    ],
)
def test_a_requirement_that_cannot_be_read_is_a_warning_and_hides_no_other(
    verified: Verify, requirement: str, why: str
) -> None:
    result = verified(bundle_of(alpha(requirement, "gamma")))
    assert reasons(result) == ["alpha 1.0 requires gamma, which is not in the bundle"]
    (warning,) = result.findings.warnings
    said = f"alpha 1.0 requires {requirement!r}, which was not looked for: {why}"
    assert warning.what.startswith(said)


def test_the_projects_own_wheel_requires_what_its_extras_ask_for(verified: Verify) -> None:
    wheel = alpha('gamma; extra == "cli"')
    own = Project(name=canonicalize_name("alpha"), version=Version("1.0"), packaged=True)

    def members(**more: Any) -> Members:
        part = part_of(wheel, source=None, built=True)
        return wheelhouse(contents_of(part, project=own, **more), wheel)

    assert reasons(verified(members())) == []
    assert "requires gamma" in reasons(verified(members(extras=("cli",))))[0]
    assert reasons(verified(members(extras=("cli",), groups=("docs",)))) == []


# --- an installed tree ----------------------------------------------------------------------------


def test_a_file_of_the_tree_with_another_content(verified: Verify) -> None:
    members = a_tree("python/")
    text = members["python/alpha.py"]
    found = reasons(verified({**members, "python/alpha.py": text.replace(b"1", b"2")}))
    assert found == [f"python/alpha.py has another sha256 than python/{RECORD} says"]
    found = reasons(verified({**members, "python/alpha.py": b""}))
    assert found == [f"python/alpha.py has 0 bytes, python/{RECORD} says {len(text)}"]


def test_a_file_of_the_tree_that_is_missing(verified: Verify) -> None:
    members = a_tree()
    del members["alpha.py"]
    (problem,) = verified(members).findings.problems
    assert (problem.what, problem.package) == ("alpha.py is missing", "alpha 1.0")


def in_order(members: Members) -> Members:
    """The members with a tree in its order."""
    names = list(members)
    return {name: members[name] for name in [*names[:3], *sorted(names[3:])]}


def test_a_file_that_stands_in_no_record(verified: Verify) -> None:
    members = in_order({**a_tree("python/"), "python/evil.py": b"", "evil.py": b""})
    assert sorted(reasons(verified(members))) == [
        "evil.py does not belong to the bundle",
        "python/evil.py stands in no RECORD of the bundle",
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text.replace(b"alpha.py", b"other.py"), "other.py is missing"),
        (lambda text: text.replace(b"sha256=", b"md5="), f"{RECORD} cannot be read, line 1: 'md5="),
        (lambda text: b"\xff" + text, f"{RECORD} cannot be read: "),
        (lambda _: b"../x,,\n", f"{RECORD} cannot be read, line 1: '../x' has an unsafe name"),
        (
            lambda text: text + b"alpha.py,,\n",
            f"{RECORD} cannot be read, line 5: 'alpha.py' stands",
        ),
        (lambda _: b"alpha.py,,\n", f"{RECORD} has no line for alpha-1.0.dist-info/METADATA"),
        (lambda _: b"alpha.py,,\n", f"alpha.py has no sha256 or no size in {RECORD}"),
    ],
)
def test_a_record_that_is_not_what_it_must_be(
    verified: Verify, change: Callable[[bytes], bytes], reason: str
) -> None:
    members = a_tree()
    members[RECORD] = change(members[RECORD])
    sha256 = hashlib.sha256(members[RECORD]).hexdigest()
    members = edited(members, lambda d: d["packages"][0]["record"].update(sha256=sha256))
    assert any(found.startswith(reason) for found in reasons(verified(members)))


def test_a_record_with_another_hash(verified: Verify) -> None:
    members = a_tree()
    members[RECORD] += b"\n"
    assert f"{RECORD} has another sha256 than the manifest says" in reasons(verified(members))


def test_a_record_that_is_missing(verified: Verify) -> None:
    members = a_tree()
    del members[RECORD]
    assert reasons(verified(members)) == [f"{RECORD} is missing, or damaged"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d["packages"][0].pop("record"), "has a record, or has none"),
        (
            lambda d: d["packages"][0]["record"].update(file="x"),
            "has a record that is no python/*.dist-info/RECORD",
        ),
        (
            lambda d: d["packages"][0].update(record=d["packages"][1]["record"]),
            "beta-2.0.dist-info/RECORD is the RECORD of another package, too",
        ),
        (lambda d: d.update(prefix="../"), "prefix: '../' is not a relative folder"),
        (lambda d: d.update(prefix="python"), "prefix: 'python' does not end in a slash"),
        (lambda d: d.pop("prefix"), "prefix: is missing"),
    ],
)
def test_a_manifest_that_is_not_that_of_a_tree(
    verified: Verify, change: Change, reason: str
) -> None:
    assert reason in "\n".join(reasons(verified(edited(a_tree("python/"), change))))


def test_what_the_packages_of_a_tree_require_is_there(verified: Verify) -> None:
    members = site_packages(contents_of(part_of(ALPHA)), ALPHA)
    assert reasons(verified(members)) == ["alpha 1.0 requires beta>=2, which is not in the bundle"]


# --- against a lock -------------------------------------------------------------------------------

DEMO = canonicalize_name("demo")


def lock_of(*wheels: BuiltWheel, content_hash: str = "c0ffee", algorithm: str = "sha256") -> Lock:
    packages = []
    for wheel in wheels:
        package = locked(*wheel.filename.split("-")[:2], wheel.filename)
        digest = package.files[0].digest
        assert digest is not None
        right = replace(
            digest, algorithm=algorithm, hex=hashlib.new(algorithm, wheel.data).hexdigest()
        )
        packages.append(replace(package, files=(replace(package.files[0], digest=right),)))
    return Lock(packages=tuple(packages), content_hash=content_hash)


def against(tmp_path: Path, members: Members, lock: Lock, project: str = "demo") -> Verified:
    path = tmp_path / "bundle.zip"
    path.write_bytes(zipped(members))
    return verify_bundle(str(path), Against(project=canonicalize_name(project), lock=lock))


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_bundle_of_the_lock(tmp_path: Path, algorithm: str) -> None:
    result = against(tmp_path, a_bundle(), lock_of(ALPHA, BETA, algorithm=algorithm))
    assert (reasons(result), result.findings.warnings) == ([], ())


def test_every_difference_from_the_lock_is_named(tmp_path: Path) -> None:
    newer, rebuilt = build_wheel("alpha", "1.1"), build_wheel("beta", "2.0", tag="py3-none-any")
    lock = lock_of(newer, rebuilt, content_hash="decade")
    assert reasons(against(tmp_path, a_bundle(), lock, "other")) == [
        "the bundle is of demo, the lock of other",
        "the bundle was made from a lock with content-hash c0ffee, this one has decade",
        f"{ALPHA.filename} is of another version than the lock has, 1.1",
        f"{BETA.filename} is not among the files in the lock, or has no strong hash there",
    ]
    assert reasons(against(tmp_path, a_bundle(), lock_of(ALPHA))) == [
        f"{BETA.filename} is of a package that is not in the lock"
    ]


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_another_hash_than_the_locked_one_is_found(tmp_path: Path, algorithm: str) -> None:
    other = replace(BETA, data=b"other")
    lock = lock_of(ALPHA, other, algorithm=algorithm)
    (found,) = reasons(against(tmp_path, a_bundle(), lock))
    assert found.startswith(f"{BETA.filename} has {algorithm} ")
    assert found.endswith(f"the lock says {hashlib.new(algorithm, b'other').hexdigest()}")


def test_what_was_built_is_not_in_the_lock(tmp_path: Path) -> None:
    result = against(tmp_path, bundle_of(BETA, source=None, built=True), lock_of())
    assert reasons(result) == []


def test_of_a_tree_only_sha256_can_be_compared(tmp_path: Path) -> None:
    assert against(tmp_path, a_tree(), lock_of(ALPHA, BETA)).ok
    result = against(tmp_path, a_tree(), lock_of(ALPHA, BETA, algorithm="sha384"))
    assert result.ok
    assert [warning.what for warning in result.findings.warnings] == [
        f"{wheel.filename} cannot be compared: the lock has its sha384 only"
        for wheel in (ALPHA, BETA)
    ]


def test_a_damaged_wheel_is_compared_by_what_the_manifest_says(tmp_path: Path) -> None:
    data = bytearray(zipped(a_bundle()))
    data[data.index(b"__version__ = '2.0'")] ^= 1
    path = tmp_path / "bundle.zip"
    path.write_bytes(data)
    result = verify_bundle(str(path), Against(project=DEMO, lock=lock_of(ALPHA, BETA)))
    assert [problem.file for problem in result.findings.problems] == [BETA_MEMBER]


# --- files ----------------------------------------------------------------------------------------


def test_a_bundle_that_cannot_be_read(tmp_path: Path) -> None:
    result = verify_bundle(str(tmp_path))
    assert result.unreadable
    (problem,) = result.findings.problems
    assert problem.what.startswith(f"{tmp_path} cannot be read: ")


def test_outlines_need_whole_manifests_only(tmp_path: Path) -> None:
    good, broken = tmp_path / "good.zip", tmp_path / "broken.zip"
    good.write_bytes(zipped(flipped(a_bundle(), BETA_MEMBER)))
    broken.write_bytes(b"x")
    assert [each.parts[0].name for each in read_outlines([str(good)] * 2)] == [
        "cp311-manylinux2014_x86_64"
    ] * 2
    missing = str(tmp_path / "missing.zip")
    with pytest.raises(IntegrityError) as both:
        read_outlines([str(broken), missing])
    assert len(both.value.problems) == 2
    with pytest.raises(FileSystemError):
        read_outlines([str(good), missing])


def test_members_that_overlap_are_not_read_again_and_again(tmp_path: Path) -> None:
    """A million entries for the same bytes would take for ever."""
    data = zipped(a_bundle())
    end = data.rindex(b"PK\5\6")
    start = int.from_bytes(data[end + 16 : end + 20], "little")
    directory = data[start:end]
    count = int.from_bytes(data[end + 10 : end + 12], "little")
    times = 20
    total = (count * times).to_bytes(2, "little")
    size = (len(directory) * times).to_bytes(4, "little")
    tail = data[end : end + 8] + total * 2 + size + data[end + 16 :]
    path = tmp_path / "bundle.zip"
    path.write_bytes(data[:start] + directory * times + tail)
    found = reasons(verify_bundle(str(path)))
    assert "manifest.json is in the archive more than once" in found
    assert any("overlaps" in reason for reason in found)
