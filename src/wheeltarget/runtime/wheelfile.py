"""A wheel, as the binary distribution format specification has it, and what installing it means.

https://packaging.python.org/specifications/binary-distribution-format/
"""

import configparser
import re
import zipfile
from email.parser import Parser
from typing import NamedTuple

from wheeltarget.runtime.contents import Package, canonical, unsafe
from wheeltarget.runtime.speech import DAMAGED, BundleError, shown

#: Where the files of a wheel may go; what each stands for depends on the interpreter.
SCHEMES = ("purelib", "platlib", "headers", "scripts", "data")

#: A file of a wheel: where it goes, its path there, its member, and whether it can be run.
WheelMember = NamedTuple(
    "WheelMember", [("scheme", str), ("path", str), ("member", str), ("is_program", bool)]
)
#: A command: its name, the module and the object in it that it calls, whether it has windows.
EntryPoint = NamedTuple(
    "EntryPoint", [("name", str), ("module", str), ("attribute", str), ("is_gui", bool)]
)

_ENTRY = re.compile(r"([\w.]+)\s*:\s*([\w.]+)\s*(\[.*\])?")


class WheelFile:
    """A wheel that was opened. Raises BundleError where it can't be installed."""

    def __init__(self, path, package):
        # type: (str, Package) -> None
        self.package = package
        try:
            self.archive = zipfile.ZipFile(path)
            self.dist_info = self._find_dist_info()
            header = Parser().parsestr(self.text("WHEEL"))
        except (zipfile.BadZipFile, KeyError, UnicodeDecodeError) as error:
            raise self.error("it can't be read: {}".format(shown(error)))
        version = str(header.get("Wheel-Version", "")).strip()
        if version.partition(".")[0] != "1":
            raise self.error("it has Wheel-Version {}, this knows 1".format(shown(version)))
        self.root = "purelib" if _is_true(header.get("Root-Is-Purelib")) else "platlib"

    def error(self, why):
        # type: (str) -> BundleError
        """An error that names the wheel."""
        return BundleError(DAMAGED, ["{}: {}".format(self.package.file, why)])

    def text(self, name):
        # type: (str) -> str
        """A file of its metadata. Raises KeyError where there is none."""
        return self.archive.read(self.dist_info + "/" + name).decode("utf-8")

    def _find_dist_info(self):
        # type: () -> str
        tops = {name.partition("/")[0] for name in self.archive.namelist() if "/" in name}
        found = [top for top in tops if top.endswith(".dist-info")]
        if len(found) != 1 or canonical(found[0].partition("-")[0]) != self.package.name:
            raise self.error("it has not exactly one .dist-info folder of its name")
        return found[0]

    def members(self):
        # type: () -> list[WheelMember]
        """Its files and where they go, but for RECORD and INSTALLER, which are written anew."""
        return [
            self._member(info)
            for info in self.archive.infolist()
            if not info.filename.endswith("/") and info.filename not in self._anew()
        ]

    def _anew(self):
        # type: () -> list[str]
        # Signatures of a RECORD do not hold for the one that is written.
        names = ("RECORD", "INSTALLER", "RECORD.jws", "RECORD.p7s")
        return [self.dist_info + "/" + name for name in names]

    def _member(self, info):
        # type: (zipfile.ZipInfo) -> WheelMember
        name = info.filename
        why = unsafe(name)
        if why:
            raise self.error("its member '{}' is refused: {}".format(shown(name), why))
        is_program = bool(info.external_attr >> 16 & 0o111)
        data_folder = self.dist_info[: -len(".dist-info")] + ".data"
        parts = name.split("/", 2)
        if parts[0] != data_folder:
            return WheelMember(self.root, name, name, is_program)
        if len(parts) < 3 or parts[1] not in SCHEMES:
            raise self.error("its member '{}' goes to no known place".format(shown(name)))
        return WheelMember(parts[1], parts[2], name, is_program or parts[1] == "scripts")

    def entry_points(self):
        # type: () -> list[EntryPoint]
        """The commands that it brings."""
        # Names are case-sensitive, and may hold colons.
        parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        try:
            parser.read_string(self.text("entry_points.txt"))
        except KeyError:
            return []
        except (configparser.Error, UnicodeDecodeError) as error:
            raise self.error("its entry_points.txt can't be read: {}".format(shown(error)))
        return [
            self._entry_point(name, value, group == "gui_scripts")
            for group in ("console_scripts", "gui_scripts")
            if parser.has_section(group)
            for name, value in parser.items(group)
        ]

    def _entry_point(self, name, value, is_gui):
        # type: (str, str, bool) -> EntryPoint
        match = _ENTRY.fullmatch(value.strip())
        # They become code.
        words = [] if match is None else (match.group(1) + "." + match.group(2)).split(".")
        if match is None or "/" in name or unsafe(name) or not all(w.isidentifier() for w in words):
            told = "its entry point '{}' is refused".format(shown(name + " = " + value))
            raise self.error(told)
        return EntryPoint(name, match.group(1), match.group(2), is_gui)


def _is_true(text):
    # type: (object) -> bool
    return str(text).strip().lower() == "true"
