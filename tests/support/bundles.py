"""Bundles, made from wheels in memory: single, combined, and with an installed tree.

They have the form that ``docs/reference/bundle.md`` gives, and ``__main__.py`` as it travels, but
come from a few lines of their own, so that what reads bundles is not tested by what writes them.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from support.wheels import ZIP_EPOCH, BuiltWheel
from wheeltarget.runtime.assembly import main_text

Document = dict[str, Any]


@dataclass(frozen=True)
class BundleTarget:
    """A target, the wheels that a bundle holds for it, and what was left out for it.

    ``about`` has further keys of packages, by file name, such as ``{"beyond": True}``.
    """

    document: Document
    wheels: Sequence[BuiltWheel]
    excluded: Sequence[tuple[str, str]] = ()
    about: Mapping[str, Document] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.document["name"])


def target_document(description: Document, name: str = "here", **changes: object) -> Document:
    """What a manifest says of a target, from a description as the probe gives it."""
    keys = ("python", "implementation", "abis", "platforms", "markers")
    return {"name": name, **{key: description[key] for key in keys}, **changes}


def bundle_members(*targets: BundleTarget) -> dict[str, bytes]:
    """The members of a bundle with wheels, in their order; combined where there are several."""
    (first, *others) = targets
    combined = bool(others)
    texts: dict[str, str] = {}
    for target in targets:
        name = f"requirements/{target.name}.txt" if combined else "requirements.txt"
        texts[name] = _requirements(target)
    for target in targets:
        texts[_pylock_name(target) if combined else "pylock.toml"] = 'lock-version = "1.0"\n'
    parts: Document = (
        {
            "targets": [
                {
                    "target": target.document,
                    "requirements": f"requirements/{target.name}.txt",
                    "pylock": _pylock_name(target),
                    **_packages(target),
                }
                for target in targets
            ]
        }
        if combined
        else {"target": first.document, **_packages(first)}
    )
    wheels = {f"wheels/{w.filename}": w.data for target in targets for w in target.wheels}
    return _members({"layout": "wheelhouse"}, parts, texts, dict(sorted(wheels.items())))


def tree_members(target: BundleTarget, prefix: str = "") -> dict[str, bytes]:
    """The members of a bundle with an installed tree; of wheels without scripts and data only."""
    tree: dict[str, bytes] = {}
    records: dict[str, Document] = {}
    for wheel in target.wheels:
        with zipfile.ZipFile(io.BytesIO(wheel.data)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        (record,) = [name for name in files if name.endswith(".dist-info/RECORD")]
        files[record.replace("RECORD", "INSTALLER")] = b"wheeltarget\n"
        files[record] = record_bytes(files, record)
        tree |= {prefix + name: data for name, data in files.items()}
        digest = hashlib.sha256(files[record]).hexdigest()
        records[wheel.filename] = {"record": {"file": prefix + record, "sha256": digest}}
    parts = {"target": target.document, **_packages(target, records)}
    layout = {"layout": "site-packages", "prefix": prefix}
    texts = {"requirements.txt": _requirements(target)}
    return _members(layout, parts, texts, dict(sorted(tree.items())))


def record_bytes(files: Mapping[str, bytes], record: str) -> bytes:
    """The RECORD of installed files."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for name, data in sorted(files.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        writer.writerow([name, "", ""] if name == record else [name, f"sha256={digest}", len(data)])
    return out.getvalue().encode()


def with_manifest(members: Mapping[str, bytes], **changes: object) -> dict[str, bytes]:
    """The members with other values in the manifest; None takes a key away."""
    document = {**json.loads(members["manifest.json"]), **changes}
    kept = {key: value for key, value in document.items() if value is not None}
    return {**members, "manifest.json": json_bytes(kept)}


def bundle_bytes(members: Mapping[str, bytes], programs: Sequence[str] = ()) -> bytes:
    """A bundle from its members; those named ``programs`` can be run."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, ZIP_EPOCH)
            info.create_system = 3
            info.external_attr = (0o100755 if name in programs else 0o100644) << 16
            archive.writestr(info, data)
    return buffer.getvalue()


def unpacked(members: Mapping[str, bytes], folder: Path) -> Path:
    """The members as files in a folder, which is returned."""
    for name, data in members.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def json_bytes(document: object) -> bytes:
    """JSON as a manifest has it."""
    return (json.dumps(document, indent=2) + "\n").encode()


def _members(
    layout: Document, parts: Document, texts: Mapping[str, str], rest: Mapping[str, bytes]
) -> dict[str, bytes]:
    main = {"__main__.py": _main()}
    files = {name: text.encode() for name, text in texts.items()} | main
    manifest = {
        "schema": 1,
        "generator": {"name": "poetry-plugin-wheeltarget", "version": "0.1.0"},
        "project": {"name": "demo", "version": "1.0"},
        "lock": {"content-hash": "00"},
        **layout,
        "groups": ["main"],
        "extras": [],
        **parts,
        "files": [
            {"name": name, "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in files.items()
        ],
    }
    return {"manifest.json": json_bytes(manifest), **files, **rest}


@cache
def _main() -> bytes:
    return main_text().encode()


def _packages(target: BundleTarget, more: Mapping[str, Document] | None = None) -> Document:
    further = {**target.about, **(more or {})}
    return {
        "packages": [
            {
                "name": _name(wheel),
                "version": wheel.filename.split("-")[1],
                "file": wheel.filename,
                "sha256": wheel.sha256,
                "size": len(wheel.data),
                "tag": "-".join(wheel.filename[:-4].split("-")[-3:]),
                "source": {"type": "index", "name": "PyPI"},
                "built": False,
                **further.get(wheel.filename, {}),
            }
            for wheel in sorted(target.wheels, key=_name)
        ],
        "excluded": [{"name": name, "version": version} for name, version in target.excluded],
    }


def _name(wheel: BuiltWheel) -> str:
    return wheel.filename.split("-")[0].replace("_", "-").replace(".", "-").lower()


def _requirements(target: BundleTarget) -> str:
    return "".join(
        f"{_name(wheel)}=={wheel.filename.split('-')[1]} --hash=sha256:{wheel.sha256}\n"
        for wheel in sorted(target.wheels, key=_name)
    )


def _pylock_name(target: BundleTarget) -> str:
    return f"pylock.{target.name.replace('.', '-')}.toml"
