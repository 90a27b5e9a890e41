"""The text members of a bundle, from values: the same values give the same bytes."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias
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
PYLOCK_NAME = "pylock.toml"
MAIN_NAME = "__main__.py"
WHEELS_FOLDER = "wheels"

#: What a bundle holds: wheels, or the tree that installing them gives.
Layout: TypeAlias = Literal["wheelhouse", "site-packages"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One wheel of a bundle, and what the manifest says of it.

    ``undecided`` has the marker that could not be decided and its unknown variables; ``beyond``
    says that the wheel takes more than the target promises. ``record`` is, where the bundle holds
    the installed tree, the name and the sha256 of the package's RECORD in it.
    """

    name: NormalizedName
    version: str
    tag: str
    wheel: StoredWheel
    source: Source | None = None
    built: bool = False
    beyond: bool = False
    undecided: tuple[str, tuple[str, ...]] | None = None
    record: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a bundle holds for one target."""

    target: Target
    members: tuple[Member, ...]
    excluded: tuple[Excluded, ...] = ()

    def sorted_members(self) -> Sequence[Member]:
        """The members by name, then version: the order of every list of them."""
        return sorted(self.members, key=lambda m: (m.name, m.version))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Everything that a bundle says of itself.

    It has one part, unless it is ``combined``. ``prefix`` is the folder that the installed tree is
    in, ``""`` or one that ends in a slash.
    """

    generator: tuple[str, str]
    project: Project
    content_hash: str
    groups: tuple[str, ...]
    extras: tuple[str, ...]
    parts: tuple[Part, ...]
    combined: bool = False
    layout: Layout = "wheelhouse"
    prefix: str = ""


# --- the text members -------------------------------------------------------------------------


def requirements_name(contents: Contents, part: Part) -> str:
    """Where the requirements of a part are in the bundle."""
    return f"requirements/{part.target.name}.txt" if contents.combined else REQUIREMENTS_NAME


def requirements_text(part: Part) -> str:
    """``requirements.txt``: one pinned line with its hash for each wheel.

    For ``pip install --no-index --find-links wheels --require-hashes -r requirements.txt``.
    """
    return "".join(
        f"{member.name}=={member.version} --hash=sha256:{member.wheel.sha256}\n"
        for member in part.sorted_members()
    )


def manifest_text(contents: Contents, files: Mapping[str, str], pylocks: Sequence[str] = ()) -> str:
    """``manifest.json``: what the bundle is and holds, and nothing of the machine that wrote it.

    ``files`` are the other text members by name. ``pylocks`` are, of a combined bundle, the names
    of the locks of PEP 751 for its parts.
    """
    hashes = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}
    return json_text(manifest_document(contents, hashes, pylocks))


def manifest_document(
    contents: Contents, hashes: Mapping[str, str], pylocks: Sequence[str] = ()
) -> Mapping[str, object]:
    """The manifest as JSON; ``hashes`` are the sha256 of the other text members, in hex."""
    name, version = contents.generator
    document: dict[str, object] = {
        "schema": MANIFEST_SCHEMA,
        "generator": {"name": name, "version": version},
        "project": {
            "name": contents.project.name,
            "version": str(contents.project.version),
        },
        "lock": {"content-hash": contents.content_hash},
        "layout": contents.layout,
    }
    if contents.layout == "site-packages":
        document["prefix"] = contents.prefix
    of_run = {"groups": sorted(contents.groups), "extras": sorted(contents.extras)}
    if contents.combined:
        document |= of_run
        document["targets"] = [
            {
                "target": target_document(part.target),
                "requirements": requirements_name(contents, part),
                "pylock": pylock,
                **_packages_document(part),
            }
            for part, pylock in zip(contents.parts, pylocks, strict=True)
        ]
    else:
        (part,) = contents.parts
        document["target"] = target_document(part.target)
        document |= of_run
        document |= _packages_document(part)
    document["files"] = [{"name": name, "sha256": sha256} for name, sha256 in hashes.items()]
    return document


def _packages_document(part: Part) -> Mapping[str, object]:
    return {
        "packages": [_member_document(member) for member in part.sorted_members()],
        "excluded": [
            {"name": entry.package.name, "version": str(entry.package.version)}
            for entry in part.excluded
        ],
    }


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
    if member.record is not None:
        file, sha256 = member.record
        document["record"] = {"file": file, "sha256": sha256}
    return document


def source_document(source: Source | None) -> Mapping[str, object] | None:
    """Where a file comes from, without credentials; None for the project itself.

    A directory or file, or a repository that is a folder, is on the machine that bundled: where it
    was there is nobody's business.
    """
    if source is None:
        return None
    document: dict[str, object] = {"type": source.kind}
    if source.kind == "index":
        document["name"] = source.reference or "PyPI"
    if source.kind == "git":
        if not is_folder(source.url or ""):
            document["url"] = git_address(source.url or "")
    elif source.kind == "url" or source.reference is not None:
        document["url"] = without_secrets(source.url or "")
    if source.commit is not None:
        document["commit"] = source.commit
    return document


#: Poetry writes the host that is missing as "None".
_FOLDER = re.compile(r"file://(?:None|localhost)?/", re.IGNORECASE)


def is_folder(url: str) -> bool:
    """Whether the address of a git repository is a path of this machine."""
    return _FOLDER.match(url) is not None


def git_address(url: str) -> str:
    """The address of a git repository without user and password, in git's short form, too."""
    if is_folder(url):
        return _FOLDER.sub("file:///", url)
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


def json_text(document: object) -> str:
    """JSON for a file: indented, ASCII, keys in the order given, one newline at the end."""
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"
