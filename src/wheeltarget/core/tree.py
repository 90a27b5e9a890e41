"""The installed tree: where the files of wheels go, and what is written for them there.

Binary distribution format specification (PEP 427) and recording installed projects (PEP 376, 627),
for a folder that is put on ``sys.path`` as a whole: what pip does with ``--target``.
"""

from __future__ import annotations

import base64
import csv
import io
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from wheeltarget.core.errors import Problem
from wheeltarget.core.platforms import Kind
from wheeltarget.core.wheelname import MAX_NAME_BYTES, UnsafeFileNameError, check_file_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from wheeltarget.core.target import Target

#: What INSTALLER says.
INSTALLER = b"wheeltarget\n"
#: Files of ``.dist-info`` that speak of one installation, so that those of a wheel do not count.
#: The signatures are of the wheel's own RECORD.
OF_AN_INSTALLATION = frozenset(
    {"RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json"}
)

SCRIPTS_FOLDER = "bin"
HEADERS_FOLDER = "include"

#: Longer paths cannot be opened on any common system (bytes).
MAX_PATH_BYTES = 4096

_DRIVE = re.compile(r"[A-Za-z]:")
#: Endings of wrappers that old tools put into wheels for their entry points.
_WRAPPER = re.compile(r"(\.exe|-script\.pyw?|\.pya)?$", re.IGNORECASE)

LauncherKind = Literal["win-amd64", "win-arm64", "win-ia32"]
#: What :mod:`installer.scripts` calls the launchers of each Windows architecture.
_LAUNCHERS: Mapping[str, LauncherKind] = {
    "amd64": "win-amd64",
    "arm64": "win-arm64",
    "x86": "win-ia32",
}


# --- paths ------------------------------------------------------------------------------------


def check_member_path(path: str) -> None:
    """Refuse the path of an archive's member that could leave the folder it is unpacked into.

    Raises UnsafeFileNameError with the reason. A folder's path may end in ``/``.
    """
    if not path.isprintable():
        raise UnsafeFileNameError("it holds a control or invisible character")
    if "\\" in path:
        raise UnsafeFileNameError("it holds a backslash")
    if path.startswith("/") or _DRIVE.match(path):
        raise UnsafeFileNameError("it is absolute")
    for part in path.removesuffix("/").split("/"):
        if part in {"", ".", ".."}:
            raise UnsafeFileNameError(f"it has the part {part!r}")
        if len(part.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES:
            raise UnsafeFileNameError(f"it has a part longer than {MAX_NAME_BYTES} bytes")
    if len(path.encode("utf-8", "surrogatepass")) > MAX_PATH_BYTES:
        raise UnsafeFileNameError(f"it is longer than {MAX_PATH_BYTES} bytes")


def read_prefix(text: str) -> str:
    """A prefix for member names from a relative POSIX folder: ``""``, or with a slash at its end.

    Raises ValueError for a folder that is absolute, or that some file system refuses.
    """
    if not text:
        return ""
    folder = text.removesuffix("/")
    for part in folder.split("/"):
        try:
            check_file_name(part)
        except UnsafeFileNameError as error:
            what = "is not a relative folder such as python/lib"
            raise ValueError(f"{text!r} {what}: {part!r}: {error}") from error
    return f"{folder}/"


def place(scheme: str, path: str, distribution: NormalizedName) -> str:
    """Where a file of an installation scheme goes, below the tree's root."""
    if scheme == "scripts":
        return f"{SCRIPTS_FOLDER}/{path}"
    if scheme == "headers":
        return f"{HEADERS_FOLDER}/{distribution}/{path}"
    return path  # purelib, platlib and data


def is_wrapper_of(filename: str, entry_points: Collection[str]) -> bool:
    """Whether a script that a wheel brings is a wrapper of an entry point, which we write anew."""
    return filename in entry_points or _WRAPPER.sub("", filename) in entry_points


def is_importable(path: str) -> bool:
    """Whether a file is the source of a module that can be imported from the tree."""
    return path.endswith(".py") and not path.startswith(
        (f"{SCRIPTS_FOLDER}/", f"{HEADERS_FOLDER}/")
    )


def bytecode_path(path: str, tag: str) -> str:
    """Where a module's bytecode is looked for (PEP 3147): ``pkg/__pycache__/x.cpython-311.pyc``."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}__pycache__/{name.removesuffix('.py')}.{tag}.pyc"


# --- what clashes -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A file in the tree. ``path`` is below its root, ``owner`` the package; ``size`` in bytes."""

    path: str
    owner: str
    sha256: str
    size: int


def folded(path: str) -> str:
    """A path as a file system sees it for which case and composition do not count."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def clashes(files: Sequence[Placed], target: str) -> Iterator[Problem]:
    """Files that cannot be beside each other; the same content at the same path can."""
    seen: dict[str, Placed] = {}
    for file in files:
        other = seen.setdefault(folded(file.path), file)
        if other.path != file.path:
            what = f"{_both(other, file)}: one file where case does not count"
        elif (other.sha256, other.size) != (file.sha256, file.size):
            what = f"{_both(other, file)}, with different content"
        else:
            continue
        yield _clash(what, file, target)
    reported = set()
    for name, file in seen.items():
        for folder in _folders(name):
            if folder in seen and folder not in reported:
                reported.add(folder)
                what = f"{_both(seen[folder], file)}: a file and a folder of one name"
                yield _clash(what, file, target)


def _both(one: Placed, other: Placed) -> str:
    owners = one.owner if one.owner == other.owner else f"{one.owner} and {other.owner}"
    paths = one.path if one.path == other.path else f"{one.path} and {other.path}"
    verb = "has" if one.owner == other.owner else "both have" if one.path == other.path else "have"
    return f"{owners} {verb} {paths}"


def _clash(what: str, file: Placed, target: str) -> Problem:
    return Problem(
        what=what,
        package=file.owner,
        target=target,
        file=file.path,
        hint="leave one of them out with --exclude, or use the layout wheelhouse",
    )


def _folders(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:end]) for end in range(1, len(parts)))


def reserved_clashes(
    files: Iterable[Placed], prefix: str, reserved: Iterable[str], target: str
) -> Iterator[Problem]:
    """Files whose names the bundle itself has at its root, or folders of such a name."""
    own = {folded(name) for name in reserved}
    for file in files:
        first = f"{prefix}{file.path}".partition("/")[0]
        if folded(first) in own:
            yield Problem(
                what=f"{file.owner} has {file.path}, but {first} at the root of the bundle is its "
                "own",
                package=file.owner,
                target=target,
                file=file.path,
                hint='set another prefix, such as prefix = "python"',
            )


def unread_pth(file: Placed, target: str) -> Problem | None:
    """What is to be said of a ``.pth`` file that nobody will read, None for any other file.

    Those of namespace packages are of an age before PEP 420: nothing is missing without them.
    """
    name = file.path
    if "/" in name or not name.endswith(".pth") or name.endswith("-nspkg.pth"):
        return None
    return Problem(
        what=f"{file.owner} has {name}, which Python reads in its own site-packages only, and not "
        "in a folder on PYTHONPATH",
        package=file.owner,
        target=target,
        file=name,
        hint="see whether the package works without it, or call site.addsitedir on the folder",
    )


# --- what is written --------------------------------------------------------------------------


def record_text(files: Iterable[Placed], record_path: str) -> str:
    """RECORD: path, hash and size of each file, sorted; its own line has neither (PEP 376)."""
    rows = {file.path: (record_hash(file.sha256), str(file.size)) for file in files}
    rows[record_path] = ("", "")
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows((path, *rows[path]) for path in sorted(rows))
    return stream.getvalue()


def record_hash(sha256: str) -> str:
    """A sha256 as RECORD writes it, from hex."""
    digest = base64.urlsafe_b64encode(bytes.fromhex(sha256)).rstrip(b"=")
    return f"sha256={digest.decode()}"


def interpreter_name(target: Target) -> str:
    """What the target's interpreter is called: ``python3.11``, ``pypy3.10``, ``python3.13t``."""
    name = "pypy" if target.implementation == "pp" else "python"
    return f"{name}{target.python.minor_version}{'t' if target.free_threaded else ''}"


def shebang(target: Target) -> str:
    """The first line of a script that finds the target's interpreter wherever it is."""
    return f"#!/usr/bin/env {interpreter_name(target)}\n"


def launcher_shebang(section: str) -> str:
    """The line in a Windows launcher, which looks for the command on PATH."""
    return f"#!/usr/bin/env python{'w' if section == 'gui' else ''}\n"


def launcher_kind(target: Target) -> LauncherKind | None:
    """What :mod:`installer` calls the launchers of a Windows target; None for any other target."""
    platform = target.primary
    return _LAUNCHERS.get(platform.arch) if platform.kind is Kind.WINDOWS else None


_SCRIPT = """\
import os
import sys

tree = os.path.realpath(__file__)
for _ in range({levels}):
    tree = os.path.dirname(tree)
sys.path.insert(0, tree)

from {module} import {name}

if __name__ == "__main__":
    if sys.argv[0].endswith(".exe"):
        sys.argv[0] = sys.argv[0][:-4]
    sys.exit({attribute}())
"""


def script_code(module: str, attribute: str, *, zipped: bool) -> str:
    """A script for an entry point that finds the tree from its own place in ``bin``.

    ``zipped`` says that it is ``__main__.py`` in the archive at the end of a Windows launcher.
    """
    name = attribute.partition(".")[0]
    levels = 3 if zipped else 2
    return _SCRIPT.format(levels=levels, module=module, name=name, attribute=attribute)
