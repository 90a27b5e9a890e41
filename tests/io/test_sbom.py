"""Bills of materials: of real wheels, in CycloneDX as its schema has it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name

from core.lockmaker import a_project, target_for
from core.test_bill import ARCHIVE, PRIVATE, wanted
from core.test_manifest import contents, part
from support.wheels import zip_bytes
from wheeltarget.core.bill import Bill
from wheeltarget.core.errors import UsageError
from wheeltarget.core.limits import DEFAULT_LIMITS
from wheeltarget.core.manifest import Member
from wheeltarget.core.model import Digest, Source, StoredWheel
from wheeltarget.core.target import Target
from wheeltarget.io.cache import Stored
from wheeltarget.io.sbom import bill_of, require_library, sbom_text

SHA256 = "ab" * 32
INDEX = Source()
TARGET = target_for("manylinux2014_x86_64", "3.11.9", name="prod")
TEXT = "Redistribution and use in source and binary forms, with or without modification, " * 3


class Shelf:
    """Wheels on disk, and the bundle that holds them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.members: list[Member] = []
        self.wheels: dict[str, Stored] = {}

    def add(
        self, name: str, *lines: str, data: bytes | None = None, source: Source | None = INDEX
    ) -> Member:
        """A wheel with these lines in its METADATA."""
        stem = f"{name.replace('-', '_')}-1.0"
        text = "\n".join(["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *lines, "\n"])
        if data is None:
            data = zip_bytes({f"{stem}.dist-info/METADATA": text.encode()})
        path = self.folder / f"{stem}-py3-none-any.whl"
        path.write_bytes(data)
        digest = Digest("sha256", "ab" * 32)
        self.wheels[path.name] = Stored(path=path, digest=digest, size=len(data))
        wheel = StoredWheel(filename=path.name, sha256=digest.hex, size=len(data))
        member = Member(
            name=canonicalize_name(name),
            version="1.0",
            tag="py3-none-any",
            wheel=wheel,
            source=source,
        )
        self.members.append(member)
        return member

    def bill(self, *asked: str, target: Target = TARGET) -> Bill:
        base = replace(contents(), project=a_project("app", "1.0"), extras=("net",))
        return bill_of(base, part(*self.members, target=target), self.wheels, map(wanted, asked))

    def document(self, *asked: str, moment: Any = None) -> dict[str, Any]:
        """The bill, which the strict schema of CycloneDX accepts."""
        text = sbom_text(self.bill(*asked), bundle=SHA256, moment=moment)
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
        document: dict[str, Any] = json.loads(text)
        return document

    def licences(self, *lines: str) -> list[dict[str, Any]]:
        """The licences of a wheel with these lines in its METADATA."""
        self.add("x", *lines)
        (component,) = self.document()["components"]
        found: list[dict[str, Any]] = component.get("licenses", [])
        return found


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def properties(of: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in of["properties"]}


# --- what is in it ------------------------------------------------------------------------------


def test_a_wheel_in_full(shelf: Shelf) -> None:
    member = shelf.add("a-b", "License-Expression: MIT OR Apache-2.0")
    document = shelf.document()
    assert document["components"] == [
        {
            "bom-ref": "a-b==1.0",
            "hashes": [{"alg": "SHA-256", "content": member.wheel.sha256}],
            "licenses": [{"acknowledgement": "declared", "expression": "MIT OR Apache-2.0"}],
            "name": "a-b",
            "properties": [
                {"name": "wheeltarget:file", "value": "a_b-1.0-py3-none-any.whl"},
                {"name": "wheeltarget:size", "value": str(member.wheel.size)},
                {"name": "wheeltarget:tag", "value": "py3-none-any"},
            ],
            "purl": "pkg:pypi/a-b@1.0?file_name=a_b-1.0-py3-none-any.whl",
            "type": "library",
            "version": "1.0",
        }
    ]


def test_the_project_the_tool_and_the_target_are_the_metadata(shelf: Shelf) -> None:
    shelf.add("a")
    metadata = shelf.document("a")["metadata"]
    assert metadata["component"] == {
        "bom-ref": "app==1.0",
        "name": "app",
        "type": "application",
        "version": "1.0",
    }
    (tool,) = metadata["tools"]["components"]
    assert (tool["name"], tool["version"]) == ("poetry-plugin-wheeltarget", "0.1.0")
    found = properties(metadata)
    assert found["wheeltarget:target"] == "prod"
    assert found["wheeltarget:target:python"] == "3.11.9"
    assert found["wheeltarget:target:implementation"] == "cp"
    assert found["wheeltarget:target:abis"] == "cp311"
    assert found["wheeltarget:target:platforms"] == " ".join(TARGET.platforms)
    assert found["wheeltarget:target:marker:sys_platform"] == "linux"
    assert found["wheeltarget:lock:content-hash"] == "c0ffee"
    assert found["wheeltarget:excluded"] == "boto3 1.9"
    assert {p["value"] for p in metadata["properties"] if p["name"] == "wheeltarget:group"} == {
        "docs",
        "main",
    }


def test_the_projects_own_wheel_is_the_projects(shelf: Shelf) -> None:
    own = replace(shelf.add("app", "License: MIT", source=None), built=True)
    shelf.members = [own]
    shelf.add("a")
    document = shelf.document("a")
    component = document["metadata"]["component"]
    assert component["hashes"] == [{"alg": "SHA-256", "content": own.wheel.sha256}]
    assert component["licenses"] == [{"license": {"acknowledgement": "declared", "id": "MIT"}}]
    assert properties(component)["wheeltarget:file"] == own.wheel.filename
    assert "purl" not in component
    assert [each["name"] for each in document["components"]] == ["a"]


def test_relations_lead_from_the_project_to_all_wheels(shelf: Shelf) -> None:
    shelf.add("a", "Requires-Dist: b", "Requires-Dist: app", 'Requires-Dist: c ; extra == "c"')
    shelf.add("b")
    shelf.add("c")
    assert shelf.document("a", "c")["dependencies"] == [
        {"dependsOn": ["b==1.0"], "ref": "a==1.0"},
        {"dependsOn": ["a==1.0", "c==1.0"], "ref": "app==1.0"},
        {"ref": "b==1.0"},
        {"ref": "c==1.0"},
    ]


def test_what_is_special_about_a_wheel_is_said(shelf: Shelf) -> None:
    shelf.members = [
        replace(
            shelf.add("a"),
            built=True,
            beyond=True,
            undecided=('platform_release >= "5"', ("platform_release",)),
        )
    ]
    (component,) = shelf.document()["components"]
    found = properties(component)
    assert (found["wheeltarget:built"], found["wheeltarget:beyond"]) == ("true", "true")
    assert found["wheeltarget:undecided"] == 'platform_release >= "5"'
    assert component["purl"] == "pkg:pypi/a@1.0"


def test_addresses_come_without_secrets(shelf: Shelf) -> None:
    shelf.add("a", source=PRIVATE)
    shelf.add("b", source=ARCHIVE)
    shelf.add("c", source=Source(kind="git", url="https://me:secret@host/c.git", commit="c0ffee"))
    document = shelf.document()
    assert "secret" not in json.dumps(document)
    references = [
        reference for c in document["components"] for reference in c["externalReferences"]
    ]
    assert references == [
        {"comment": "package index acme", "type": "distribution", "url": "https://host/simple"},
        {"type": "distribution", "url": "https://host/a-1.0-py3-none-any.whl"},
        {"type": "vcs", "url": "git+https://host/c.git@c0ffee"},
    ]
    files = [member.wheel.filename for member in shelf.members]
    assert [component["purl"].partition("?")[2] for component in document["components"]] == [
        f"file_name={files[0]}&repository_url=https://host/simple",
        f"download_url=https://host/a-1.0-py3-none-any.whl&file_name={files[1]}",
        f"file_name={files[2]}&vcs_url=git%2Bhttps://host/c.git%40c0ffee",
    ]


def test_an_empty_bundle_has_a_bill(shelf: Shelf) -> None:
    assert "components" not in shelf.document()


# --- licences -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),
        (["License-Expression: MIT"], [{"id": "MIT"}]),
        (["License: apache-2.0"], [{"id": "Apache-2.0"}]),
        (["License-Expression: Mine and yours ("], [{"name": "Mine and yours ("}]),
        (["License: \x1b[31m<b>&\x00\u2028é"], [{"name": "\x1b[31m<b>&\x00\u2028é"}]),
        (["License: BSD"], [{"name": "BSD"}]),
        (
            [f"License: {TEXT}"],
            [{"name": "declared licence", "text": {"content": TEXT.strip()}}],
        ),
        (
            [
                "License: LGPL with exceptions",
                "Classifier: License :: OSI Approved :: MIT License",
                "Classifier: License :: OSI Approved :: BSD License",
            ],
            [{"id": "MIT"}, {"name": "BSD License"}, {"name": "LGPL with exceptions"}],
        ),
    ],
)
def test_licences_are_named_as_well_as_they_can_be(
    shelf: Shelf, lines: Sequence[str], expected: list[dict[str, Any]]
) -> None:
    found = [each["license"] for each in shelf.licences(*lines)]
    assert all(each.pop("acknowledgement") == "declared" for each in found)
    texts = [each["text"].pop("contentType", None) for each in found if "text" in each]
    assert set(texts) <= {None, "text/plain"}
    assert found == expected


# --- wheels that cannot be read -----------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"no zip at all",
        zip_bytes({}),
        zip_bytes({"a.dist-info/METADATA": b"", "b.dist-info/METADATA": b""}),
        zip_bytes({"a.dist-info/METADATA": b"Name: a\nVersion: 1.0\n"}).replace(
            b"Name", b"name", 1
        ),
        zip_bytes({"a.dist-info/METADATA": bytes(DEFAULT_LIMITS.metadata_size + 1)}),
    ],
    ids=["no zip", "empty", "two", "damaged", "large"],
)
def test_a_wheel_that_cannot_be_read_is_in_the_bill_and_told_of(shelf: Shelf, data: bytes) -> None:
    member = shelf.add("a", data=data)
    bill = shelf.bill()
    (problem,) = bill.problems
    assert "METADATA cannot be read" in problem.what
    assert problem.file == member.wheel.filename
    (component,) = shelf.document()["components"]
    assert component["hashes"] == [{"alg": "SHA-256", "content": member.wheel.sha256}]


def test_a_description_in_another_encoding_is_no_obstacle(shelf: Shelf) -> None:
    text = b"Name: a\nVersion: 1.0\nLicense: MIT\n\ncaf\xe9"
    shelf.add("a", data=zip_bytes({"a.dist-info/METADATA": text}))
    assert shelf.bill().problems == ()
    assert shelf.document()["components"][0]["licenses"][0]["license"]["id"] == "MIT"


# --- always the same ----------------------------------------------------------------------------


def test_the_same_bundle_has_the_same_bill(shelf: Shelf) -> None:
    for name in ("b", "a", "c"):
        shelf.add(name, "Requires-Dist: a", "License: X", "Classifier: License :: Freeware")
    first = sbom_text(shelf.bill("a", "c"), bundle=SHA256)
    shelf.members.reverse()
    assert sbom_text(shelf.bill("c", "a"), bundle=SHA256) == first
    assert sbom_text(shelf.bill("c", "a"), bundle="cd" * 32) != first
    assert first.isascii()
    assert first.endswith("}\n")


def test_the_serial_number_is_that_of_bundle_and_target(shelf: Shelf) -> None:
    serial = shelf.document()["serialNumber"]
    assert serial == "urn:uuid:dbd7d9aa-9406-5999-bef3-96b26e70a83e"
    other = shelf.bill(target=target_for("win_amd64"))
    assert json.loads(sbom_text(other, bundle=SHA256))["serialNumber"] != serial


def test_a_time_is_said_only_where_one_is_given(shelf: Shelf) -> None:
    assert "timestamp" not in shelf.document()["metadata"]
    document = shelf.document(moment=(2024, 2, 29, 12, 0, 30))
    assert document["metadata"]["timestamp"] == "2024-02-29T12:00:30+00:00"


# --- the library --------------------------------------------------------------------------------


def test_the_library_is_there() -> None:
    require_library()


def test_where_the_library_is_missing_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] == "cyclonedx"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "cyclonedx", None)
    with pytest.raises(UsageError) as caught:
        require_library()
    (problem,) = caught.value.problems
    assert "cyclonedx-python-lib" in problem.what
    assert 'poetry self add "poetry-plugin-wheeltarget[sbom]"' in str(problem.hint)
