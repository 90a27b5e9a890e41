"""A bundle, read without trust: never more of it in memory than its manifest and one RECORD."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from wheeltarget.core.bundlefile import Manifest, read_manifest
from wheeltarget.core.errors import FileSystemError, Problem
from wheeltarget.core.limits import DEFAULT_LIMITS, Limits
from wheeltarget.core.manifest import MANIFEST_NAME, WHEELS_FOLDER, Member
from wheeltarget.core.metadata import MetadataError, read_metadata
from wheeltarget.core.record import RecordError, read_record
from wheeltarget.core.sizes import human_size
from wheeltarget.core.verify import Facts
from wheeltarget.core.zipform import Finding
from wheeltarget.io.strictzip import list_zip
from wheeltarget.io.zipdata import ZipDataError, as_file, pieces, read_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import BinaryIO

    from wheeltarget.core.metadata import Metadata
    from wheeltarget.core.record import Recorded
    from wheeltarget.core.zipform import Listing, ZipMember

_METADATA = "METADATA"


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file to be read. Raises FileSystemError, also for an OSError while it is open."""
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileSystemError(
            Problem(
                what=f"{path} cannot be read: {reason}",
                file=str(path),
                hint="give the path of a bundle",
            )
        ) from error


def outline(file: BinaryIO, limits: Limits = DEFAULT_LIMITS) -> Facts:
    """The members of a bundle and its manifest, without a look at the rest. Raises OSError."""
    listing = list_zip(file, limits)
    member = listing.by_name().get(MANIFEST_NAME)
    if member is None:
        return Facts(listing=listing, manifest=Manifest())
    try:
        text = read_whole(file, member, limits.manifest_size)
    except ZipDataError as error:
        damaged = {MANIFEST_NAME: str(error)}
        return Facts(listing=listing, manifest=Manifest(), damaged=damaged)
    return Facts(listing=listing, manifest=read_manifest(text), text=text)


class BundleReader:
    """Reads what :func:`wheeltarget.core.verify.verify` has to know."""

    def __init__(self, file: BinaryIO, limits: Limits = DEFAULT_LIMITS) -> None:
        self._file = file
        self._limits = limits

    def facts(self) -> Facts:
        """All that there is to know. Raises OSError."""
        facts = outline(self._file, self._limits)
        excess = self._excess(facts.listing)
        if excess:
            findings = (*facts.listing.findings, Finding(what=excess))
            return replace(facts, listing=replace(facts.listing, findings=findings))
        damaged = dict(facts.damaged)
        digests: dict[str, str] = {}
        for member in facts.listing.by_name().values():
            try:
                digests[member.name] = self._digest(member, "sha256")
            except ZipDataError as error:
                damaged[member.name] = str(error)
        intact = {m.name: m for m in facts.listing.members if m.name in digests}
        return Facts(
            listing=facts.listing,
            manifest=facts.manifest,
            text=facts.text,
            digests=digests,
            damaged=damaged,
            metadata=self._metadata(facts.manifest, intact),
            records=self._records(facts.manifest, intact),
        )

    def digest(self, facts: Facts, filename: str, algorithm: str) -> str | None:
        """The hash of a wheel in the bundle, in hex; None where it has no such wheel, intact."""
        name = f"{WHEELS_FOLDER}/{filename}"
        member = facts.listing.by_name().get(name)
        if member is None or name not in facts.digests:
            return None
        return self._digest(member, algorithm)

    def _excess(self, listing: Listing) -> str | None:
        """Why reading all members would take longer than a bundle can need; None if it does not."""
        whole, limit = self._file.seek(0, 2), self._limits.unpacked_size
        if sum(member.packed_size for member in listing.members) > whole:
            return "has members that are larger together than itself"
        if sum(member.size for member in listing.members) > limit:
            return f"has more than {human_size(limit)} in it, unpacked"
        return None

    def _digest(self, member: ZipMember, algorithm: str) -> str:
        hasher = hashlib.new(algorithm)
        for piece in pieces(self._file, member):
            hasher.update(piece)
        return hasher.hexdigest()

    # --- packages ---------------------------------------------------------------------------------

    def _metadata(
        self, manifest: Manifest, intact: Mapping[str, ZipMember]
    ) -> Mapping[str, Metadata | str]:
        found: dict[str, Metadata | str] = {}
        for member in _members(manifest):
            text = self._metadata_of(member, intact)
            if text is not None:
                found[member.wheel.filename] = text
        return found

    def _metadata_of(
        self, member: Member, intact: Mapping[str, ZipMember]
    ) -> Metadata | str | None:
        """METADATA, or why it cannot be read; None where the damage is known already."""
        try:
            if member.record is not None:
                folder, _, _ = member.record[0].rpartition("/")
                of_tree = intact.get(f"{folder}/{_METADATA}")
                return None if of_tree is None else self._read_metadata(self._file, of_tree)
            wheel = intact.get(f"{WHEELS_FOLDER}/{member.wheel.filename}")
            if wheel is None:
                return None
            inner = as_file(self._file, wheel)
            return self._read_metadata(inner, _metadata_member(list_zip(inner, self._limits)))
        except (ZipDataError, MetadataError) as error:
            return str(error)

    def _read_metadata(self, file: BinaryIO, member: ZipMember) -> Metadata:
        data = read_whole(file, member, self._limits.metadata_size)
        # Old wheels have other characters in their descriptions.
        return read_metadata(data.decode(errors="replace"), lenient=True)

    def _records(
        self, manifest: Manifest, intact: Mapping[str, ZipMember]
    ) -> Mapping[str, tuple[Recorded, ...] | str]:
        found: dict[str, tuple[Recorded, ...] | str] = {}
        for name in dict.fromkeys(m.record[0] for m in _members(manifest) if m.record):
            if name in intact:
                try:
                    data = read_whole(self._file, intact[name], self._limits.manifest_size)
                    found[name] = read_record(data, self._limits)
                except (ZipDataError, RecordError) as error:
                    found[name] = str(error)
        return found


def _members(manifest: Manifest) -> list[Member]:
    """The packages of all targets, each file once, and each RECORD once."""
    members = (member for part in manifest.parts for member in part.members)
    wheels = {member.wheel.filename: member for member in members}
    places = {m.record[0] if m.record else name: m for name, m in wheels.items()}
    return list(places.values())


def _metadata_member(listing: Listing) -> ZipMember:
    """Raises MetadataError where the archive of a wheel has no single METADATA."""
    # A package may bring others, with a METADATA of their own further down.
    end = f".dist-info/{_METADATA}"
    found = [m for m in listing.members if m.name.endswith(end) and m.name.count("/") == 1]
    if len(found) != 1:
        broken = next((f.what for f in listing.findings if f.member is None), None)
        raise MetadataError(f"the file {broken}" if broken else "it has no single METADATA")
    return found[0]
