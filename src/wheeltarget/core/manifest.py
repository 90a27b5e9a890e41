"""The text members of a bundle, from values: the same values give the same bytes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.utils import NormalizedName

    from wheeltarget.core.model import Project, Source, StoredWheel
    from wheeltarget.core.plan import Excluded
    from wheeltarget.core.target import Target

#: Version of the manifest's form (CONTRACT section 4).
MANIFEST_SCHEMA = 1

MANIFEST_NAME = "manifest.json"
REQUIREMENTS_NAME = "requirements.txt"
WHEELS_FOLDER = "wheels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One wheel of a bundle, and what the manifest says of it.

    ``undecided`` has the marker that could not be decided and its unknown variables; ``beyond``
    says that the wheel takes more than the target promises.
    """

    name: NormalizedName
    version: str
    tag: str
    wheel: StoredWheel
    source: Source | None = None
    built: bool = False
    beyond: bool = False
    undecided: tuple[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Everything that a bundle says of itself."""

    generator: tuple[str, str]
    project: Project
    content_hash: str
    target: Target
    groups: tuple[str, ...]
    extras: tuple[str, ...]
    members: tuple[Member, ...]
    excluded: tuple[Excluded, ...]

    def sorted_members(self) -> Sequence[Member]:
        """The members by name, then version: the order of every list of them."""
        return sorted(self.members, key=lambda m: (m.name, m.version))


def manifest_text(contents: Contents) -> str:
    """``manifest.json``: what the bundle is and holds, and nothing of the machine that wrote it."""
    name, version = contents.generator
    document = {
        "schema": MANIFEST_SCHEMA,
        "generator": {"name": name, "version": version},
        "project": {
            "name": contents.project.name,
            "version": str(contents.project.version),
        },
        "lock": {"content-hash": contents.content_hash},
        "target": target_document(contents.target),
        "groups": sorted(contents.groups),
        "extras": sorted(contents.extras),
        "packages": [_member_document(member) for member in contents.sorted_members()],
        "excluded": [
            {"name": entry.package.name, "version": str(entry.package.version)}
            for entry in contents.excluded
        ],
    }
    return json_text(document)


def target_document(target: Target) -> Mapping[str, object]:
    """A target as JSON: the platform ladder stands for its tags."""
    return {
        "name": target.name,
        "python": str(target.python),
        "implementation": target.implementation,
        "abis": list(target.abis),
        "platforms": list(target.platforms),
        "markers": dict(sorted(target.environment.items())),
    }


def _member_document(member: Member) -> Mapping[str, object]:
    document: dict[str, object] = {
        "name": member.name,
        "version": member.version,
        "file": member.wheel.filename,
        "sha256": member.wheel.sha256,
        "size": member.wheel.size,
        "tag": member.tag,
        "source": source_document(member.source),
        "built": member.built,
    }
    if member.beyond:
        document["beyond"] = True
    if member.undecided is not None:
        marker, variables = member.undecided
        document["undecided"] = {"marker": marker, "variables": list(variables)}
    return document


def source_document(source: Source | None) -> Mapping[str, object] | None:
    """Where a file comes from, without credentials; None for the project itself.

    A directory or file is on the machine that bundled: where it was there is nobody's business.
    """
    if source is None:
        return None
    document: dict[str, object] = {"type": source.kind}
    if source.kind == "index":
        document["name"] = source.reference or "PyPI"
    if source.kind == "git":
        document["url"] = git_address(source.url or "")
    elif source.kind == "url" or source.reference is not None:
        document["url"] = without_secrets(source.url or "")
    if source.commit is not None:
        document["commit"] = source.commit
    return document


def git_address(url: str) -> str:
    """The address of a git repository without user and password, in git's short form, too."""
    match = re.fullmatch(r"(?:[\w.-]+@)?([\w.-]{2,}:(?!//)[^@\\]+)", url)
    return match[1] if match else without_secrets(url)


def without_secrets(url: str) -> str:
    """A URL without user, password, query and fragment: each may hold a secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not a URL)"
    if url and not parts.netloc:  # then a secret may stand anywhere in it
        return "(not a URL)"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def requirements_text(contents: Contents) -> str:
    """``requirements.txt``: one pinned line with its hash for each wheel.

    For ``pip install --no-index --find-links wheels --require-hashes -r requirements.txt``.
    """
    return "".join(
        f"{member.name}=={member.version} --hash=sha256:{member.wheel.sha256}\n"
        for member in contents.sorted_members()
    )


def json_text(document: object) -> str:
    """JSON for a file: indented, ASCII, keys in the order given, one newline at the end."""
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"
