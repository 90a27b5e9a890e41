"""METADATA of built wheels: read, localised, compared with the lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from email.parser import HeaderParser
from email.policy import compat32

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from packaging.version import Version

from core.lockmaker import Raw, locked, quick, target_for
from wheeltarget.core.metadata import (
    MetadataError,
    differences,
    localise,
    read_metadata,
)

TARGET = target_for("manylinux2014_x86_64", "3.11.4")
HEAD = "Metadata-Version: 2.4\nName: Lib.A\nVersion: 1.0\n"


def metadata(*requires: str) -> str:
    return HEAD + "".join(f"Requires-Dist: {each}\n" for each in requires)


# --- reading ----------------------------------------------------------------------------------


def test_name_version_and_requirements_are_read() -> None:
    text = metadata("idna>=2.8", 'colorama ; sys_platform == "win32"') + "\nRequires-Dist: no\n"
    found = read_metadata(text)
    assert (found.name, found.version) == ("lib-a", Version("1.0"))
    assert [str(each) for each in found.requires] == [
        "idna>=2.8",
        'colorama; sys_platform == "win32"',
    ]


def test_a_folded_header_is_one_and_case_does_not_count() -> None:
    text = "name: a\nVERSION: 1\nrequires-dist: b\n  ; os_name == 'nt'\nnonsense\nSummary: x\n  y\n"
    (found,) = read_metadata(text).requires
    assert str(found) == 'b; os_name == "nt"'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "METADATA has no single name"),
        ("Name: a\n", "METADATA has no single version"),
        ("Name: a\nName: b\nVersion: 1\n", "METADATA has no single name"),
        ("\nName: a\nVersion: 1\n", "METADATA has no single name"),
        (f"Name: a\nVersion: {'9' * 5000}\n", "METADATA cannot be read: Exceeds the limit"),
        ("Name: a\nVersion: x y\n", "METADATA cannot be read: Invalid version"),
        (metadata("a b"), "METADATA cannot be read: "),
    ],
)
def test_what_is_no_metadata_is_refused(text: str, reason: str) -> None:
    with pytest.raises(MetadataError) as caught:
        read_metadata(text)
    assert str(caught.value).startswith(reason)


def test_requirements_of_old_wheels_may_be_left_unread() -> None:
    found = read_metadata(metadata("b", "pytz (>dev)"), lenient=True)
    assert ([str(each) for each in found.requires], found.unread) == (["b"], ("pytz (>dev)",))


# --- direct references ------------------------------------------------------------------------

VERSIONS = {canonicalize_name("other"): Version("2.0")}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("other @ file:///home/me/other", "other==2.0"),
        ("Other[b,a] @ git+https://host/x@main", "Other[a,b]==2.0"),
        ('other @ file:///x ; python_version < "4"', 'other==2.0 ; python_version < "4"'),
        ("unknown @ file:///x", "unknown"),
        ("idna (>=2.8,<3.0)", "idna (>=2.8,<3.0)"),
    ],
)
def test_a_direct_reference_becomes_a_version_and_all_else_stays(before: str, after: str) -> None:
    rest = "\nLicense: MIT\n\nThe description\nRequires-Dist: other @ file:///y\n"
    assert localise(metadata(before) + rest[1:], VERSIONS) == metadata(after) + rest[1:]


def test_metadata_without_a_description_ends_as_it_did() -> None:
    assert localise(metadata("other @ file:///x"), VERSIONS) == metadata("other==2.0")


def test_a_folded_reference_is_replaced_as_a_whole() -> None:
    text = HEAD + "Requires-Dist: other @ file:///x\n  ; os_name == 'nt'\nLicense: MIT\n"
    assert localise(text, VERSIONS) == (
        HEAD + 'Requires-Dist: other==2.0 ; os_name == "nt"\nLicense: MIT\n'
    )


def test_a_requirement_that_cannot_be_read_is_not_passed_on() -> None:
    with pytest.raises(MetadataError, match="METADATA cannot be read"):
        localise(metadata("a b"), {})


@quick
@given(st.text("ab:\n \t\r-", max_size=60))
def test_without_direct_references_nothing_changes_but_line_ends(text: str) -> None:
    whole = HEAD + text.replace("\r", "")
    again = localise(whole, {})
    assert again.rstrip() == whole.rstrip()


# --- compared with the lock -------------------------------------------------------------------


def compared(
    *requires: str, lock: Mapping[str, object], name: str = "lib-a", version: str = "1.0"
) -> list[str]:
    package = replace(locked(name, version), requires=lock)
    return differences(read_metadata(metadata(*requires)), package, TARGET)


@pytest.mark.parametrize(
    ("requires", "lock"),
    [
        ([], {}),
        (["idna"], {"idna": "*"}),
        (["idna (>=2.8,<3.0)"], {"idna": "^2.8"}),
        (["idna>=2.8", "idna<3"], {"idna": ">=2.8,<3"}),
        (["Ruamel.Yaml"], {"ruamel-yaml": "*"}),
        (["idna"], {"Idna": {"version": "*", "markers": ""}}),
        (
            ['idna>=3; os_name == "posix"'],
            {"idna": {"version": ">=3", "markers": 'os_name == "posix"'}},
        ),
        # Only what holds on the target counts.
        (['colorama; sys_platform == "win32"'], {}),
        ([], {"colorama": {"version": "*", "markers": 'sys_platform == "win32"'}}),
        ([], {"tomli": {"version": "*", "python": "<3.11"}}),
        (["x"], {"x": {"version": "*", "python": ">=3.11,<3.12"}}),
        # Requirements of extras are wanted or not by others.
        (['idna; extra == "all"'], {}),
        ([], {"idna": {"version": "*", "optional": True, "markers": 'extra == "all"'}}),
        # Markers tell several requirements on one package apart.
        (
            ['idna<3; python_version < "3.9"', 'idna>=3; python_version >= "3.9"'],
            {
                "idna": [
                    {"version": "<3", "markers": 'python_version < "3.9"'},
                    {"version": ">=3", "markers": 'python_version >= "3.9"'},
                ]
            },
        ),
        # A direct reference asks for no version.
        (["other @ file:///x"], {"other": {"path": "../other", "develop": True}}),
        (["other"], {"other": {"git": "https://host/x", "rev": "main"}}),
        (["other @ file:///x", "other>=1"], {"other": ">=1"}),
        (["idna===3.4"], {"idna": "==3.4"}),
    ],
)
def test_what_asks_for_the_same_is_no_difference(requires: list[str], lock: Raw) -> None:
    assert compared(*requires, lock=lock) == []


@pytest.mark.parametrize(
    ("requires", "lock", "said"),
    [
        (["idna>=3"], {}, "it requires idna >=3, the lock does not"),
        (["idna"], {}, "it requires idna, the lock does not"),
        ([], {"idna": "^2.8"}, "it does not require idna >=2.8,<3.0, the lock does"),
        (["idna>=3"], {"idna": ">=2"}, "it requires idna >=3, the lock idna >=2"),
        (["other @ file:///x"], {}, "it requires other, the lock does not"),
    ],
)
def test_a_difference_shows_both(requires: list[str], lock: Raw, said: str) -> None:
    assert compared(*requires, lock=lock) == [said]


def test_all_differences_are_told_by_name() -> None:
    assert compared("b", "c>=2", lock={"a": "*", "c": ">=1"}) == [
        "it does not require a, the lock does",
        "it requires b, the lock does not",
        "it requires c >=2, the lock c >=1",
    ]


@pytest.mark.parametrize(("name", "version"), [("lib-a", "1.1"), ("lib-b", "1.0")])
def test_another_name_or_version_is_a_difference(name: str, version: str) -> None:
    assert compared(lock={}, name=name, version=version) == [
        f"it is lib-a 1.0, the lock says {name} {version}"
    ]


@pytest.mark.parametrize(
    "value",
    [
        5,
        {"version": 5},
        {"version": "*", "markers": []},
        {"version": "*", "markers": "x =="},
        {"version": "no version"},
        {"version": "*", "python": "=>>3"},
        [["*"]],
    ],
)
def test_a_dependency_in_the_lock_that_cannot_be_read_is_told(value: object) -> None:
    with pytest.raises(MetadataError):
        compared(lock={"idna": value})


# --- as real backends write it ----------------------------------------------------------------

#: Of setuptools and hatchling: a licence with paragraphs is one folded header.
LICENCE = "License: One\n        \n        Two\x0c\u2028three\n\t\n        Four\n"


def test_a_licence_with_paragraphs_does_not_end_the_headers() -> None:
    text = HEAD + LICENCE + "Requires-Dist: other @ file:///home/me/other\n\nThe end\n"
    (found,) = read_metadata(text).requires
    assert found.url == "file:///home/me/other"
    assert localise(text, VERSIONS) == (HEAD + LICENCE + "Requires-Dist: other==2.0\n\nThe end\n")


@quick
@given(
    st.lists(st.text("ab\x0c\u2028\x85 ", max_size=6), max_size=5),
    st.sampled_from(["\n", "\r\n"]),
)
def test_headers_are_those_that_the_email_package_reads(lines: list[str], end: str) -> None:
    folded = "License: x" + "".join(f"{end}  {line}" for line in lines)
    text = (
        f"Name: a{end}Version: 1{end}{folded}{end}Requires-Dist: b{end}{end}Requires-Dist: c{end}"
    )
    expected = HeaderParser(policy=compat32).parsestr(text).get_all("Requires-Dist")
    assert [str(each) for each in read_metadata(text).requires] == expected == ["b"]


@pytest.mark.parametrize(
    ("requires_python", "expected"),
    [
        ("", []),
        (">=3.8", []),
        (">=3.11.2,<4", []),
        (">=3.13", ["it requires Python >=3.13, the target has 3.11.4"]),
        ("<3.11", ["it requires Python <3.11, the target has 3.11.4"]),
    ],
)
def test_the_python_that_is_required_must_be_the_targets(
    requires_python: str, expected: list[str]
) -> None:
    text = HEAD + f"Requires-Python: {requires_python}\n"
    assert differences(read_metadata(text), locked("lib-a", "1.0"), TARGET) == expected
