"""The installed tree of a bundle: from wheels to archive members, by way of :mod:`installer`.

Nothing is unpacked to disk: each wheel is read once to hash what is in it, and once more when the
archive is written, to copy its members still compressed. Only what is made here is stored.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from installer import install
from installer.destinations import WheelDestination
from installer.exceptions import InstallerError
from installer.records import Hash, RecordEntry
from installer.scripts import Script

from wheeltarget.core.errors import IntegrityError, Problem
from wheeltarget.core.tree import (
    INSTALLER,
    Placed,
    clashes,
    is_importable,
    is_wrapper_of,
    launcher_kind,
    launcher_shebang,
    place,
    record_hash,
    record_text,
    reserved_clashes,
    script_code,
    shebang,
    unread_pth,
)
from wheeltarget.io.archive import ArchiveMember, write_archive
from wheeltarget.io.cache import open_verified
from wheeltarget.io.wheelsource import OpenWheel
from wheeltarget.io.wheelzip import Hashed, MemberReader, copied, unpacked
from wheeltarget.io.zipwriter import Unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from os import PathLike

    from installer.scripts import LauncherKind, ScriptSection
    from installer.utils import Scheme

    from wheeltarget.core.target import Target
    from wheeltarget.core.wheelname import WheelName
    from wheeltarget.io.bytecode import Bytecode, Compiler
    from wheeltarget.io.cache import Stored
    from wheeltarget.io.wheelzip import WheelMember

#: The moment of the script in a launcher, the same in every bundle.
_MOMENT = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeWheel:
    """A wheel that goes into the tree: its name, and where it is stored."""

    name: WheelName
    stored: Stored

    @property
    def package(self) -> str:
        """``name version``, as problems name it."""
        return f"{self.name.name} {self.name.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """An installed tree: its members below the prefix, sorted by name.

    ``records`` has the RECORD of each wheel by the wheel's file name: the name of the member, and
    its sha256 in hex. ``warnings`` is what does not work as it does in site-packages.
    """

    members: tuple[ArchiveMember, ...]
    records: Mapping[str, tuple[str, str]]
    warnings: tuple[Problem, ...]

    @property
    def unpacked_size(self) -> int:
        """The size in bytes of all its files."""
        return sum(member.unpacked_size for member in self.members)


def installed_tree(
    wheels: Iterable[TreeWheel],
    target: Target,
    *,
    prefix: str = "",
    reserved: Sequence[str] = (),
    compiler: Compiler | None = None,
) -> Tree:
    """What installing the wheels into an empty folder gives, much as with pip's ``--target``.

    ``prefix`` is ``""`` or ends in a slash; ``reserved`` are the names that the bundle itself has
    at its root. With a ``compiler``, whatever it compiles has its bytecode beside it.

    The members read the wheels again, when the archive is written, and raise HashMismatchError
    then if they have changed.

    Raises IntegrityError with all that is amiss: a wheel that cannot be installed, files that
    cannot be beside each other; HashMismatchError where a wheel is not what its hash says.
    """
    installed, problems = [], []
    for wheel in sorted(wheels, key=lambda wheel: wheel.name.filename):
        try:
            installed.append(_install(wheel, target))
        except (ValueError, InstallerError) as error:
            problems.append(_broken(wheel, target, error))
    files = [file for each in installed for file in each.files]
    placed = [*(file.placed for file in files), *(each.unwritten_record for each in installed)]
    problems += clashes(placed, target.name)
    problems += reserved_clashes(placed, prefix, reserved, target.name)
    if problems:
        raise IntegrityError(*problems)
    if compiler is not None:
        files += _compile(installed, compiler)
    records = {each.wheel.name.filename: _record(each) for each in installed}
    warnings = (unread_pth(file.placed, target.name) for file in files)
    return Tree(
        members=_members([*files, *records.values()], prefix),
        records={
            wheel: (f"{prefix}{record.placed.path}", record.placed.sha256)
            for wheel, record in records.items()
        },
        warnings=tuple(warning for warning in warnings if warning),
    )


def _broken(wheel: TreeWheel, target: Target, error: Exception) -> Problem:
    # What installer raises has the wheel before the reason.
    reason = error.args[-1] if error.args else type(error).__name__
    return Problem(
        what=f"{wheel.name.filename} cannot be installed: {reason}",
        package=wheel.package,
        target=target.name,
        file=wheel.name.filename,
        hint="the locked file itself is broken; lock another version",
    )


# --- files ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A file in the tree: its archive member by the member's name, and a way to its content."""

    placed: Placed
    pack: Callable[[str], ArchiveMember]
    read: Callable[[], bytes]
    executable: bool = False


def _copied(path: str, wheel: TreeWheel, member: WheelMember, hashed: Hashed) -> _File:
    """A file that is in the wheel."""
    placed = Placed(path=path, owner=wheel.package, sha256=hashed.content, size=member.size)
    content = partial(copied, wheel.stored, member, hashed.data)
    deflated = Unpacked(size=member.size, crc=member.crc) if member.deflated else None
    return _File(
        placed=placed,
        pack=lambda name: ArchiveMember(
            name=name, size=member.packed_size, content=content, deflated=deflated
        ),
        read=partial(unpacked, wheel.stored, member, hashed.content),
        executable=member.executable,
    )


def _made(path: str, owner: str, data: bytes, *, executable: bool = False) -> _File:
    """A file that is written here."""
    sha256 = hashlib.sha256(data).hexdigest()
    return _File(
        placed=Placed(path=path, owner=owner, sha256=sha256, size=len(data)),
        pack=lambda name: ArchiveMember.of_bytes(name, data),
        read=lambda: data,
        executable=executable,
    )


def _members(files: Iterable[_File], prefix: str) -> tuple[ArchiveMember, ...]:
    """Each path once: who shares it has the same content there."""
    executable: dict[str, bool] = {}
    first: dict[str, _File] = {}
    for file in files:
        path = file.placed.path
        first.setdefault(path, file)
        executable[path] = executable.get(path, False) or file.executable
    return tuple(
        replace(first[path].pack(f"{prefix}{path}"), executable=executable[path])
        for path in sorted(first)
    )


# --- installing -------------------------------------------------------------------------------


@dataclass(kw_only=True)
class _Installed:
    """A wheel, its files in the tree, and where its RECORD belongs."""

    wheel: TreeWheel
    record_path: str
    files: list[_File]

    @property
    def unwritten_record(self) -> Placed:
        return Placed(path=self.record_path, owner=self.wheel.package, sha256="", size=0)


def _install(wheel: TreeWheel, target: Target) -> _Installed:
    """Raises ValueError or InstallerError with the reason; HashMismatchError."""
    destination = _Destination(wheel=wheel, target=target)
    with open_verified(wheel.stored) as file:
        source = OpenWheel(file, wheel.name)
        install(source, destination, additional_metadata={"INSTALLER": INSTALLER})
    return _Installed(wheel=wheel, record_path=destination.record_path, files=destination.files)


def _record(installed: _Installed) -> _File:
    text = record_text((file.placed for file in installed.files), installed.record_path)
    return _made(installed.record_path, installed.wheel.package, text.encode())


@dataclass(kw_only=True)
class _Destination(WheelDestination):
    """Collects what :func:`installer.install` wants written."""

    wheel: TreeWheel
    target: Target
    files: list[_File] = field(default_factory=list)
    record_path: str = ""
    _entry_points: set[str] = field(default_factory=set)

    def write_script(
        self, name: str, module: str, attr: str, section: ScriptSection
    ) -> RecordEntry:
        """A script for an entry point. Comes before all files."""
        self._entry_points.add(name)
        filename, data = _script(Script(name, module, attr, section), self.target)
        return self._make("scripts", filename, data, executable=True)

    def write_file(
        self,
        scheme: Scheme,
        path: str | PathLike[str],
        stream: BinaryIO | MemberReader,
        is_executable: bool,
    ) -> RecordEntry:
        """A file of the wheel, or INSTALLER."""
        path = str(path)
        if not isinstance(stream, MemberReader):
            return self._make(scheme, path, stream.read(), executable=is_executable)
        if scheme == "scripts" and is_wrapper_of(path, self._entry_points):
            return RecordEntry(path, None, None)
        member = stream.member
        chunks = stream.chunks()
        first = next(chunks, b"")
        if scheme == "scripts" and first.startswith(b"#!python"):
            _, _, rest = (first + b"".join(chunks)).partition(b"\n")
            data = shebang(self.target).encode() + rest
            return self._make(scheme, path, data, executable=True)
        for _ in chunks:
            pass
        file = _copied(self._place(scheme, path), self.wheel, member, stream.hashed())
        return self._keep(replace(file, executable=is_executable or scheme == "scripts"))

    def finalize_installation(
        self,
        scheme: Scheme,
        record_file_path: str,
        records: Iterable[tuple[Scheme, RecordEntry]],  # noqa: ARG002 - ours are in files
    ) -> None:
        """RECORD is written when there is bytecode, too."""
        self.record_path = self._place(scheme, record_file_path)

    def _place(self, scheme: str, path: str) -> str:
        return place(scheme, path, self.wheel.name.name)

    def _make(self, scheme: str, path: str, data: bytes, *, executable: bool) -> RecordEntry:
        place = self._place(scheme, path)
        return self._keep(_made(place, self.wheel.package, data, executable=executable))

    def _keep(self, file: _File) -> RecordEntry:
        self.files.append(file)
        placed = file.placed
        return RecordEntry(placed.path, Hash.parse(record_hash(placed.sha256)), placed.size)


def _script(script: Script, target: Target) -> tuple[str, bytes]:
    """File name and content of the script for an entry point."""
    kind = launcher_kind(target)
    code = script_code(script.module, script.attr, zipped=kind is not None)
    if kind is None:
        return script.name, (shebang(target) + code).encode()
    archive = io.BytesIO()
    write_archive(archive, [ArchiveMember.of_text("__main__.py", code)], _MOMENT)
    line = launcher_shebang(script.section).encode()
    return f"{script.name}.exe", _launcher(script, kind) + line + archive.getvalue()


def _launcher(script: Script, kind: LauncherKind) -> bytes:
    """The program that runs what stands behind it.

    Of what installer makes: its own script has the time in it, and does not find the tree.
    """
    _, data = script.generate("python", kind)
    return data[: data.rindex(b"#!python")]


# --- bytecode ---------------------------------------------------------------------------------


def _compile(installed: Sequence[_Installed], compiler: Compiler) -> list[_File]:
    """The bytecode of all modules; whoever has the module has its bytecode, too."""
    modules = {
        file.placed.path: file.read
        for each in installed
        for file in each.files
        if is_importable(file.placed.path)
    }
    compiled = compiler.compile(modules)
    added = []
    for each in installed:
        owner = each.wheel.package
        paths = dict.fromkeys(file.placed.path for file in each.files)
        own = [_bytecode(compiled[path], owner) for path in paths if path in compiled]
        each.files += own
        added += own
    return added


def _bytecode(code: Bytecode, owner: str) -> _File:
    placed = Placed(path=code.path, owner=owner, sha256=code.sha256, size=code.size)
    return _File(placed=placed, pack=code.member, read=code.read)
