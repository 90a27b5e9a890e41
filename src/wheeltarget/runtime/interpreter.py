"""The interpreter that runs this: its tags, ABIs and marker values."""

import os
import platform
import re
import sys
import sysconfig

from wheeltarget.runtime.basics import ProbeError, normalized
from wheeltarget.runtime.platforms import own_platforms

SCHEMA = 1
OLDEST_PYTHON = (3, 6)

#: Implementations with a short name in python tags (PEP 425); others go by their own name.
SHORT_NAMES = {"python": "py", "cpython": "cp", "pypy": "pp", "ironpython": "ip", "jython": "jy"}


# --- tags -------------------------------------------------------------------------------------


def tags(implementation, python, abis, platforms):
    # type: (str, tuple[int, int], list[str], list[str]) -> list[str]
    """Every tag of an interpreter, best first (PEP 425).

    ``abis`` are without stable ones; CPython has those on its own.
    """
    own = implementation + nodot(python)
    found = _join(own, abis, platforms)
    if implementation == "cp":
        stable = stable_abi(abis)
        found += _join(own, [stable, "none"], platforms)
        # Stable ABIs hold for later versions (PEP 384, PEP 803). The first came with 3.2; abi3t is
        # newer, but installers go back as far.
        for minor in range(python[1] - 1, 1, -1):
            found += _join("cp" + nodot((python[0], minor)), [stable], platforms)
    else:
        found += _join(own, ["none"], platforms)
    pythons = pure_pythons(python)
    for name in pythons:
        found += _join(name, ["none"], platforms)
    # PyPy's own pure-Python tag names no minor version; further implementations have none.
    pythons = {"cp": [own], "pp": ["pp3"]}.get(implementation, []) + pythons
    found += [name + "-none-any" for name in pythons]
    return [tag.lower() for tag in found]


def _join(python, abis, platforms):
    # type: (str, list[str], list[str]) -> list[str]
    return ["{}-{}-{}".format(python, abi, name) for abi in abis for name in platforms]


def nodot(python):
    # type: (tuple[int, int]) -> str
    """``311`` for Python 3.11, as in tags."""
    return "{}{}".format(*python)


def pure_pythons(python):
    # type: (tuple[int, int]) -> list[str]
    """Python tags of wheels without compiled code, best first: ``py311``, ``py3``, ``py310``..."""
    names = ["py" + nodot((python[0], minor)) for minor in range(python[1], -1, -1)]
    names.insert(1, "py{}".format(python[0]))
    return names


def stable_abi(abis):
    # type: (list[str]) -> str
    """``abi3t`` for a free-threaded CPython (PEP 703, PEP 803), else ``abi3`` (PEP 384)."""
    return "abi3t" if abis and re.match(r"cp[0-9]+[a-z]*t", abis[0]) else "abi3"


# --- ABIs -------------------------------------------------------------------------------------


def cpython_abis(python, debug, free_threaded, pymalloc):
    # type: (tuple[int, int], bool, bool, bool) -> list[str]
    """The ABIs of a CPython, with the flags of PEP 3149 and PEP 703.

    The one for pymalloc went with 3.8, which made debug builds take extensions of other builds.
    """
    name = "cp" + nodot(python) + ("t" if free_threaded and python >= (3, 13) else "")
    flag = "d" if debug else ""
    if python < (3, 8):
        return [name + flag + ("m" if pymalloc else "")]
    return [name + flag, name] if debug else [name]


def abi_of_suffix(suffix):
    # type: (object) -> str | None
    """The ABI that the file names of extension modules tell; None where they tell none.

    ``.pypy310-pp73-x86_64-linux-gnu.so`` has ``pypy310_pp73``. Raises ProbeError for a suffix that
    is none.
    """
    if not isinstance(suffix, str) or not suffix.startswith("."):
        raise ProbeError("its EXT_SUFFIX is not known, and with that its ABI")
    parts = suffix.split(".")
    if len(parts) < 3:
        return None
    pieces = parts[1].split("-")
    if pieces[0].startswith("cpython"):
        if len(pieces) < 2 or not pieces[1]:
            raise ProbeError("its EXT_SUFFIX {!r} has no ABI".format(suffix))
        return normalized("cp" + pieces[1])
    # How many pieces are the ABI; what follows them is the platform.
    for prefix, count in (("cp", 1), ("pypy", 2), ("graalpy", 3)):
        if pieces[0].startswith(prefix):
            return normalized("-".join(pieces[:count]))
    return normalized(parts[1])


def own_abis(implementation, python):
    # type: (str, tuple[int, int]) -> list[str]
    """The ABIs of this interpreter, best first."""
    if implementation != "cp":
        abi = abi_of_suffix(sysconfig.get_config_var("EXT_SUFFIX"))
        if abi is not None:
            return [abi] if abi else []
    pymalloc = sysconfig.get_config_var("WITH_PYMALLOC")
    return cpython_abis(
        python,
        debug=_is_debug_build(),
        free_threaded=bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        pymalloc=pymalloc is None or bool(pymalloc),
    )


def _is_debug_build():
    # type: () -> bool
    told = sysconfig.get_config_var("Py_DEBUG")
    if told is not None:
        return bool(told)
    # Windows does not tell. Python 2 has no importlib.machinery, therefore imported here.
    from importlib.machinery import EXTENSION_SUFFIXES

    return hasattr(sys, "gettotalrefcount") or "_d.pyd" in EXTENSION_SUFFIXES


# --- markers ----------------------------------------------------------------------------------


def format_full_version(info):
    # type: (tuple[int, int, int, str, int]) -> str
    """``3.14.0b2`` from ``sys.version_info``, as PEP 508 defines it."""
    version = "{}.{}.{}".format(*info[:3])
    return version if info[3] == "final" else version + info[3][0] + str(info[4])


def own_markers():
    # type: () -> dict[str, str]
    """The variables of PEP 508, by name.

    ``platform_release`` and ``platform_version`` are not among them on Linux: in a container they
    tell the kernel of whoever happens to host it, which is no fact about the image.
    """
    found = {
        "implementation_name": sys.implementation.name,
        "implementation_version": format_full_version(sys.implementation.version),
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_system": platform.system(),
        "python_full_version": format_full_version(sys.version_info),
        "python_version": "{}.{}".format(*sys.version_info),
        "sys_platform": sys.platform,
    }
    if platform.system() != "Linux":
        found["platform_release"] = platform.release()
        found["platform_version"] = platform.version()
    return {name: found[name] for name in sorted(found)}


# --- the description --------------------------------------------------------------------------


def check_python(version):
    # type: (tuple[int, ...]) -> None
    """Raises ProbeError for a Python that is too old."""
    if version[:2] < OLDEST_PYTHON:
        told = "{}.{}".format(*version)
        needed = "{}.{}".format(*OLDEST_PYTHON)
        raise ProbeError("Python {} is too old, this needs {} or newer".format(told, needed))


def describe():
    # type: () -> dict[str, object]
    """The interpreter that runs this, as a target. Raises ProbeError where it can't be told."""
    check_python(tuple(sys.version_info[:2]))
    implementation = SHORT_NAMES.get(sys.implementation.name, sys.implementation.name)
    python = sys.version_info[:2]
    abis = [abi.lower() for abi in own_abis(implementation, python)]
    platforms = [name.lower() for name in own_platforms()]
    # Before its release a version has no third number that a later one could be compared with.
    final = sys.version_info.releaselevel == "final"
    return {
        "schema": SCHEMA,
        "python": ".".join(str(number) for number in sys.version_info[: 3 if final else 2]),
        "implementation": implementation,
        "abis": abis,
        "platforms": platforms,
        "markers": own_markers(),
        "tags": tags(implementation, python, abis, platforms),
    }
