"""Whether an interpreter is the one that a bundle is for, and what is unlike."""

import re
from typing import NamedTuple

from wheeltarget.runtime.contents import SITE_PACKAGES, Part, Target, tags_of
from wheeltarget.runtime.linux import MANYLINUX_ALIASES

#: What is known of the interpreter at hand, as ``describe`` tells it.
Here = NamedTuple(
    "Here",
    [
        ("python", str),
        ("implementation", str),
        ("abis", "list[str]"),
        ("platforms", "list[str]"),
        ("tags", "frozenset[str]"),
    ],
)
#: A platform tag in parts. ``base`` is what its version is one of: a C library or a system.
Place = NamedTuple(
    "Place",
    [("system", str), ("base", str), ("version", "tuple[int, ...]"), ("machine", str)],
)

_IMPLEMENTATIONS = {"cp": "CPython", "pp": "PyPy", "graalpy": "GraalPy"}
#: Platform tags: PEP 600, PEP 656, PEP 425, PEP 730, PEP 738, PEP 783.
_FORMS = (
    (r"manylinux_([0-9]+)_([0-9]+)_(.+)", "Linux", "glibc"),
    (r"musllinux_([0-9]+)_([0-9]+)_(.+)", "Linux", "musl"),
    (r"macosx_([0-9]+)_([0-9]+)_(.+)", "macOS", "macOS"),
    (r"ios_([0-9]+)_([0-9]+)_(.+)", "iOS", "iOS"),
    (r"android_([0-9]+)()_(.+)", "Android", "Android"),
    (r"(?:pyodide|pyemscripten)_([0-9]+)_([0-9]+)_(.+)", "Emscripten", "Pyodide"),
    (r"linux()()_(.+)", "Linux", ""),
    (r"win()()_(.+)", "Windows", ""),
    (r"win()()(32)", "Windows", ""),
)
#: Systems name the same machine in their own ways.
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64", "32": "i686"}
_ALIASES = {name: version for version, name in MANYLINUX_ALIASES.items()}


def place_of(tag):
    # type: (str) -> Place
    """A platform tag in parts; one of an unknown form is a system of its own."""
    alias, _, machine = tag.partition("_")
    if alias in _ALIASES:
        return Place("Linux", "glibc", _ALIASES[alias], machine)
    for form, system, base in _FORMS:
        match = re.fullmatch(form, tag)
        if match is not None:
            numbers = [int(number) for number in match.groups()[:2] if number]
            return Place(system, base, tuple(numbers), match.group(3))
    return Place(tag, "", (), "")


def leading(platforms):
    # type: (list[str]) -> tuple[str, Place]
    """The first platform that tells a C library or the version of a system, else the first."""
    places = [(tag, place_of(tag)) for tag in platforms]
    return next((each for each in places if each[1].version), places[0])


# --- what is unlike ---------------------------------------------------------------------------


def misfits(part, layout, here):
    # type: (Part, str, Here) -> list[str]
    """Everything in which an interpreter is not what a part of a bundle is for, a line for each."""
    target = part.target
    return (
        _python_misfits(target, here)
        + _platform_misfits(target, here)
        + ([] if layout == SITE_PACKAGES else _wheel_misfits(part, here))
    )


def _needs(needed, found):
    # type: (str, str) -> str
    return "needs {}, here is {}".format(needed, found)


def _python_misfits(target, here):
    # type: (Target, Here) -> list[str]
    found = []
    if target.implementation != here.implementation:
        found.append(_needs(_implementation(target), _implementation(here)))
    if _minor(target.python) != _minor(here.python):
        found.append(_needs("Python " + _minor(target.python), "Python " + here.python))
    # The ABI follows from both, mostly, and then says nothing new.
    if not found and target.abis and here.abis and not set(target.abis) & set(here.abis):
        found.append(_needs("the ABI " + " or ".join(target.abis), " or ".join(here.abis)))
    return found


def _implementation(named):
    # type: (Target | Here) -> str
    return _IMPLEMENTATIONS.get(named.implementation, named.implementation)


def _minor(python):
    # type: (str) -> str
    return ".".join(python.split(".")[:2])


def _platform_misfits(target, here):
    # type: (Target, Here) -> list[str]
    tag, needed = leading(target.platforms)
    if tag in here.platforms:
        return []
    _, found = leading(here.platforms)
    told = []
    if needed.system != found.system:
        told.append(_needs(needed.system, found.system))
    machines = [_MACHINES.get(place.machine, place.machine) for place in (needed, found)]
    if machines[0] != machines[1] and "" not in machines:
        told.append(_needs(_machine_of(needed), _machine_of(found)))
    same_system = needed.system == found.system
    if same_system and (needed.base != found.base or needed.version > found.version):
        told.append(_needs(_version_of(needed), _version_of(found)))
    return told or ["needs {}, which this interpreter does not take".format(tag)]


def _machine_of(place):
    # type: (Place) -> str
    return "x86, 32 bit" if place.machine == "32" else place.machine


def _version_of(place):
    # type: (Place) -> str
    if not place.base:
        return "any C library" if place.system == "Linux" else place.system
    return "{} {}".format(place.base, ".".join(str(number) for number in place.version))


def _wheel_misfits(part, here):
    # type: (Part, Here) -> list[str]
    told = "{} {}: no tag of {} is one of this interpreter"
    return [
        told.format(package.name, package.version, package.file)
        for package in part.packages
        if here.tags.isdisjoint(tags_of(package.file))
    ]


def patch_warning(target, here):
    # type: (Target, Here) -> str
    """What to say where only the patch level of Python is another; empty where it is not."""
    exact = target.python.count(".") == 2
    if not exact or target.python == here.python or _minor(target.python) != _minor(here.python):
        return ""
    return "the bundle is for Python {}, here is {}".format(target.python, here.python)
