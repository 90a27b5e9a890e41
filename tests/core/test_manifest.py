"""The text members of a bundle."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from core.lockmaker import a_project, locked, plan_for, quick, target_for
from wheeltarget.core.manifest import (
    MANIFEST_NAME,
    REQUIREMENTS_NAME,
    WHEELS_FOLDER,
    Contents,
    Member,
    Part,
    git_address,
    json_text,
    manifest_text,
    requirements_text,
    source_document,
    target_document,
    without_secrets,
)
from wheeltarget.core.members import text_members
from wheeltarget.core.model import Source, StoredWheel
from wheeltarget.core.target import Target

TARGET = target_for("3.11.9,manylinux1_x86_64", markers={"platform_release": "5.10"})


def member(name: str, version: str = "1.0", source: Source | None = None) -> Member:
    """A pure wheel in a bundle."""
    filename = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    return Member(
        name=canonicalize_name(name),
        version=version,
        tag="py3-none-any",
        wheel=StoredWheel(filename=filename, sha256="ab" * 32, size=1234),
        source=source,
    )


def part(*members: Member, target: Target = TARGET) -> Part:
    boto = locked("boto3", "1.9", "boto3-1.9-py3-none-any.whl")
    excluded = plan_for(target, boto, exclude=["boto3"]).excluded
    return Part(target=target, members=members, excluded=excluded)


def contents(*members: Member) -> Contents:
    return Contents(
        generator=("poetry-plugin-wheeltarget", "0.1.0"),
        project=a_project("my-app", "2.0"),
        content_hash="c0ffee",
        groups=("main", "docs"),
        extras=("z", "cpu"),
        parts=(part(*members),),
    )


def test_the_members_of_a_bundle_have_the_names_of_the_contract() -> None:
    assert (MANIFEST_NAME, REQUIREMENTS_NAME, WHEELS_FOLDER) == (
        "manifest.json",
        "requirements.txt",
        "wheels",
    )


# --- the manifest -----------------------------------------------------------------------------


def test_the_manifest_in_full() -> None:
    undecided = replace(
        member("numpy", "2.0", Source()),
        undecided=('python_full_version < "3.11.3"', ("python_full_version",)),
        beyond=True,
    )
    own = replace(member("my-app", "2.0"), built=True)
    document = json.loads(manifest_text(contents(undecided, own), {"pylock.toml": "x"}))
    assert document == {
        "schema": 1,
        "generator": {"name": "poetry-plugin-wheeltarget", "version": "0.1.0"},
        "project": {"name": "my-app", "version": "2.0"},
        "lock": {"content-hash": "c0ffee"},
        "layout": "wheelhouse",
        "target": {
            "name": "cp311-manylinux1_x86_64",
            "python": "3.11.9",
            "implementation": "cp",
            "abis": ["cp311"],
            "platforms": ["manylinux_2_5_x86_64", "manylinux1_x86_64"],
            "markers": {
                "implementation_name": "cpython",
                "os_name": "posix",
                "platform_machine": "x86_64",
                "platform_python_implementation": "CPython",
                "platform_release": "5.10",
                "platform_system": "Linux",
                "python_full_version": "3.11.9",
                "python_version": "3.11",
                "sys_platform": "linux",
            },
        },
        "groups": ["docs", "main"],
        "extras": ["cpu", "z"],
        "packages": [
            {
                "name": "my-app",
                "version": "2.0",
                "file": "my_app-2.0-py3-none-any.whl",
                "sha256": "ab" * 32,
                "size": 1234,
                "tag": "py3-none-any",
                "source": None,
                "built": True,
            },
            {
                "name": "numpy",
                "version": "2.0",
                "file": "numpy-2.0-py3-none-any.whl",
                "sha256": "ab" * 32,
                "size": 1234,
                "tag": "py3-none-any",
                "source": {"type": "index", "name": "PyPI"},
                "built": False,
                "beyond": True,
                "undecided": {
                    "marker": 'python_full_version < "3.11.3"',
                    "variables": ["python_full_version"],
                },
            },
        ],
        "excluded": [{"name": "boto3", "version": "1.9"}],
        "files": [{"name": "pylock.toml", "sha256": hashlib.sha256(b"x").hexdigest()}],
    }


def test_keys_have_one_order_and_markers_are_sorted() -> None:
    document = json.loads(manifest_text(contents(member("a")), {}))
    assert list(document) == [
        "schema",
        "generator",
        "project",
        "lock",
        "layout",
        "target",
        "groups",
        "extras",
        "packages",
        "excluded",
        "files",
    ]
    markers = list(target_document(TARGET)["markers"])  # type: ignore[call-overload]
    assert markers == sorted(TARGET.environment)


MEMBERS = [member("b"), member("a", "1.0"), member("a", "2.0"), member("c-d"), member("c")]


@quick
@given(
    st.permutations(MEMBERS),
    st.permutations(["main", "docs", "dev"]),
    st.permutations(["cpu", "z"]),
    st.permutations(sorted(TARGET.environment)),
)
def test_the_same_values_give_the_same_text_in_whatever_order_they_come(
    members: list[Member], groups: list[str], extras: list[str], variables: list[str]
) -> None:
    environment = {name: TARGET.environment[name] for name in variables}
    changed = replace(
        contents(),
        groups=tuple(groups),
        extras=tuple(extras),
        parts=(part(*members, target=replace(TARGET, environment=environment)),),
    )
    usual = replace(contents(*MEMBERS), groups=("dev", "docs", "main"))
    assert text_members(changed, "") == text_members(usual, "")


def test_members_are_sorted_by_name_and_then_by_version() -> None:
    listed = [(each.name, each.version) for each in part(*MEMBERS).sorted_members()]
    assert listed == [("a", "1.0"), ("a", "2.0"), ("b", "1.0"), ("c", "1.0"), ("c-d", "1.0")]


def test_json_for_a_file_is_indented_ascii_that_ends_in_one_newline() -> None:
    assert json_text({"b": "é\u2028", "a": [1]}) == (
        '{\n  "b": "\\u00e9\\u2028",\n  "a": [\n    1\n  ]\n}\n'
    )


# --- sources without credentials (FAULTS 25) --------------------------------------------------

SECRETS = "https://user:s3cret@host:8443/simple/?token=s3cret#s3cret"


@pytest.mark.parametrize(
    ("source", "document"),
    [
        (None, None),
        (Source(), {"type": "index", "name": "PyPI"}),
        (
            Source(url=SECRETS, reference="corp"),
            {"type": "index", "name": "corp", "url": "https://host:8443/simple/"},
        ),
        (Source(reference="corp"), {"type": "index", "name": "corp", "url": ""}),
        # Where a folder or a file was on this machine is nobody's business.
        (Source(kind="directory", url="../secret/lib"), {"type": "directory"}),
        (Source(kind="file", url="../secret/x.whl"), {"type": "file"}),
        (Source(kind="url", url=SECRETS), {"type": "url", "url": "https://host:8443/simple/"}),
        (
            Source(kind="git", url="https://u:p@host/x.git", reference="main", commit="c0ffee"),
            {"type": "git", "url": "https://host/x.git", "commit": "c0ffee"},
        ),
        (
            Source(kind="git", url="git@host:me/x.git", commit="c0ffee"),
            {"type": "git", "url": "host:me/x.git", "commit": "c0ffee"},
        ),
        (
            Source(kind="git", url="git@host:/srv/x.git", commit="c0ffee"),
            {"type": "git", "url": "host:/srv/x.git", "commit": "c0ffee"},
        ),
        (
            Source(kind="git", url="C:\\Users\\me\\x", commit="c0ffee"),
            {"type": "git", "url": "(not a URL)", "commit": "c0ffee"},
        ),
        *(
            (
                Source(kind="git", url=f"file://{host}/home/me/x", commit="c0ffee"),
                {"type": "git", "commit": "c0ffee"},
            )
            for host in ("", "None", "localhost")
        ),
        (
            Source(kind="git", url="file://u:p@host/x", commit="c0ffee"),
            {"type": "git", "url": "file://host/x", "commit": "c0ffee"},
        ),
    ],
)
def test_where_a_file_comes_from(source: Source | None, document: object) -> None:
    assert source_document(source) == document


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://host/simple", "https://host/simple"),
        ("https://user@host/simple", "https://host/simple"),
        ("https://user:s3cret@host/simple", "https://host/simple"),
        ("https://us@er:s3@cret@host/simple", "https://host/simple"),
        ("https://:s3cret@[::1]:80/x", "https://[::1]:80/x"),
        ("https://host/simple?token=s3cret", "https://host/simple"),
        ("https://host/simple#s3cret", "https://host/simple"),
        ("ssh://git:s3cret@host/x.git", "ssh://host/x.git"),
        ("//user:s3cret@host/x", "//host/x"),
        ("", ""),
    ],
)
def test_a_url_is_cleaned_of_whatever_may_be_secret(url: str, clean: str) -> None:
    assert without_secrets(url) == clean


@pytest.mark.parametrize(
    "url",
    [
        "https://user:s3cret@[::1/x",
        "https://s3cret@ho\u2100st/",
        "user:s3cret@host/simple",
        "https:user:s3cret@host/simple",
        "https:/user:s3cret@host/simple",
        "file:///home/s3cret/simple",
        "s3cret",
    ],
)
def test_what_is_no_url_is_not_repeated(url: str) -> None:
    assert without_secrets(url) == "(not a URL)"


@pytest.mark.parametrize("url", ["file:///x/y", "file://None/x/y"])
def test_a_repository_that_is_a_folder_is_named_by_its_path(url: str) -> None:
    assert git_address(url) == "file:///x/y"


def test_no_credentials_stand_in_any_text() -> None:
    everything = contents(member("a", source=Source(url=SECRETS, reference="corp")))
    text = "".join(text_members(everything, "").values())
    assert "s3cret" not in text
    assert "user" not in text


# --- the requirements -------------------------------------------------------------------------


def test_requirements_have_one_pinned_line_with_its_hash_for_each_wheel() -> None:
    text = requirements_text(part(member("torch", "2.0+cu118"), member("foo-bar", "1!2.0")))
    assert text == (
        f"foo-bar==1!2.0 --hash=sha256:{'ab' * 32}\ntorch==2.0+cu118 --hash=sha256:{'ab' * 32}\n"
    )


def test_an_empty_bundle_has_empty_requirements() -> None:
    assert requirements_text(part()) == ""
