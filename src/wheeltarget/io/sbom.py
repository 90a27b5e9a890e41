"""Bills of materials in CycloneDX JSON, written with the library ``cyclonedx-python-lib``.

The library comes with the extra ``sbom``, so it is imported only where a bill is asked for.
"""

from __future__ import annotations

import json
import warnings
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from wheeltarget.core.bill import make_bill, origin, purl_qualifiers
from wheeltarget.core.errors import Problem, UsageError
from wheeltarget.core.manifest import json_text
from wheeltarget.io.wheelcheck import metadata_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cyclonedx.model import ExternalReference, Property
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.license import License

    from wheeltarget.core.bill import Bill, Item
    from wheeltarget.core.licences import Licence
    from wheeltarget.core.manifest import Contents, Member, Part
    from wheeltarget.core.model import Requirement
    from wheeltarget.io.archive import ZipTime
    from wheeltarget.io.cache import Stored

#: What serial numbers are made in: a random UUID (RFC 9562, version 5).
_NAMESPACE = UUID("4c6f9b0e-5d0b-4f35-9f0e-0c3e1b7a9d52")
_NO_TIME = datetime(1980, 1, 1, tzinfo=timezone.utc)
#: Properties have this prefix (CycloneDX property taxonomy).
_PREFIX = "wheeltarget"


def require_library() -> None:
    """Raises UsageError where the library that writes bills is not installed."""
    try:
        import cyclonedx.spdx  # noqa: F401
    except ImportError as error:
        raise UsageError(
            Problem(
                what=f"--sbom needs the library cyclonedx-python-lib: {error}",
                hint='install it beside Poetry: poetry self add "poetry-plugin-wheeltarget[sbom]"',
            )
        ) from error


def bill_of(
    contents: Contents, part: Part, wheels: Mapping[str, Stored], wanted: Iterable[Requirement]
) -> Bill:
    """The bill of what a bundle holds for one target; its wheels are at hand by file name.

    ``wanted`` is what the project asks for. Needs the library.
    """
    names = [member.wheel.filename for member in part.members]
    texts = {name: metadata_text(wheels[name]) for name in names}
    metadata = {name: text for name, text in texts.items() if text is not None}
    return make_bill(contents, part, metadata, wanted, _is_spdx)


def sbom_text(bill: Bill, *, bundle: str, moment: ZipTime | None = None) -> str:
    """A bill as CycloneDX 1.6 JSON; the same values give the same text.

    ``bundle`` is the sha256 of the bundle in hex. ``moment`` is when the bill was written, in
    UTC; None says nothing of that. Needs the library.
    """
    from cyclonedx.output import make_outputter
    from cyclonedx.schema import OutputFormat, SchemaVersion

    time = _NO_TIME if moment is None else datetime(*moment, tzinfo=timezone.utc)
    bom = _bom(bill, uuid5(_NAMESPACE, f"{bundle} {bill.part.target.name}"), time)
    outputter = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6)
    with warnings.catch_warnings():
        # Of a project that asks for nothing that is in the bundle: it may be so.
        warnings.filterwarnings("ignore", "The Component this BOM is describing", UserWarning)
        document = json.loads(outputter.output_as_string())
    if moment is None:  # the schema needs none, but the library writes one always
        del document["metadata"]["timestamp"]
    return json_text(document)


def _is_spdx(text: str) -> bool:
    from cyclonedx.spdx import fixup_id, is_expression

    return fixup_id(text) is not None or is_expression(text)


def _bom(bill: Bill, serial_number: UUID, time: datetime) -> Bom:
    from cyclonedx.model.bom import Bom

    components = {item.member.name: _component(item) for item in bill.items}
    project = _project(bill)
    bom = Bom(
        serial_number=serial_number,
        metadata=_metadata(bill, project, time),
        components=components.values(),
    )
    bom.register_dependency(project, [components[name] for name in bill.needs])
    for item in bill.items:
        needed = [components[name] for name in item.needs if name in components]
        bom.register_dependency(components[item.member.name], needed)
    return bom


# --- the project --------------------------------------------------------------------------------


def _project(bill: Bill) -> Component:
    from cyclonedx.model.component import Component, ComponentType

    if bill.own is not None:
        return _component(bill.own, ComponentType.APPLICATION)
    project = bill.contents.project
    return Component(
        type=ComponentType.APPLICATION,
        bom_ref=f"{project.name}=={project.version}",
        name=project.name,
        version=str(project.version),
    )


def _metadata(bill: Bill, project: Component, time: datetime) -> BomMetaData:
    from cyclonedx.model.bom import BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.tool import ToolRepository

    name, version = bill.contents.generator
    tool = Component(
        type=ComponentType.APPLICATION, bom_ref=f"tool:{name}", name=name, version=version
    )
    return BomMetaData(
        timestamp=time,
        tools=ToolRepository(components=[tool]),
        component=project,
        properties=_properties(_of_bundle(bill.contents, bill.part)),
    )


def _of_bundle(contents: Contents, part: Part) -> Iterator[tuple[str, str]]:
    target = part.target
    yield "target", target.name
    yield "target:python", str(target.python)
    yield "target:implementation", target.implementation
    yield "target:abis", " ".join(target.abis)
    yield "target:platforms", " ".join(target.platforms)
    for name, value in target.environment.items():
        yield f"target:marker:{name}", value
    yield "lock:content-hash", contents.content_hash
    yield from (("group", group) for group in contents.groups)
    yield from (("extra", extra) for extra in contents.extras)
    yield from (("excluded", str(each.package)) for each in part.excluded)


# --- wheels -------------------------------------------------------------------------------------


def _component(item: Item, kind: ComponentType | None = None) -> Component:
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    member = item.member
    qualifiers = purl_qualifiers(member)
    return Component(
        type=kind or ComponentType.LIBRARY,
        bom_ref=f"{member.name}=={member.version}",
        name=member.name,
        version=member.version,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=member.wheel.sha256)],
        licenses=[_license(licence) for licence in item.licences],
        purl=None
        if qualifiers is None
        else PackageURL("pypi", None, member.name, member.version, dict(qualifiers)),
        external_references=_references(member),
        properties=_properties(_of_wheel(member)),
    )


def _of_wheel(member: Member) -> Iterator[tuple[str, str]]:
    yield "file", member.wheel.filename
    yield "size", str(member.wheel.size)
    yield "tag", member.tag
    if member.built:
        yield "built", "true"
    if member.beyond:
        yield "beyond", "true"
    if member.undecided is not None:
        yield "undecided", member.undecided[0]


def _properties(pairs: Iterable[tuple[str, str]]) -> list[Property]:
    from cyclonedx.model import Property

    return [Property(name=f"{_PREFIX}:{name}", value=value) for name, value in pairs]


def _references(member: Member) -> list[ExternalReference]:
    from cyclonedx.model import ExternalReference, ExternalReferenceType, XsUri

    source = member.source
    address = origin(source)
    if source is None or address is None:
        return []
    kinds = ExternalReferenceType
    kind = kinds.VCS if source.kind == "git" else kinds.DISTRIBUTION
    comment = f"package index {source.reference}" if source.kind == "index" else None
    return [ExternalReference(type=kind, url=XsUri(address), comment=comment)]


def _license(licence: Licence) -> License:
    from cyclonedx.model import AttachedText
    from cyclonedx.model.license import (
        DisjunctiveLicense,
        LicenseAcknowledgement,
        LicenseExpression,
    )
    from cyclonedx.spdx import fixup_id

    declared = LicenseAcknowledgement.DECLARED
    if not licence.spdx:
        text = AttachedText(content=licence.text) if licence.text else None
        return DisjunctiveLicense(name=licence.name, text=text, acknowledgement=declared)
    if (known := fixup_id(licence.name)) is not None:
        return DisjunctiveLicense(id=known, acknowledgement=declared)
    return LicenseExpression(licence.name, acknowledgement=declared)
