"""Describe the Python that runs this file, for wheeltarget, a plugin of Poetry.

wheeltarget bundles the wheels of a Python project for a machine that is not the one it runs on.
This file tells it what such a machine is: run it there with the Python that the project will run
on (``python3 probe.py > target.json``, or ``python3 - < probe.py`` where no file can be put), take
the JSON home, and bundle with ``poetry bundle-wheels --target @target.json``. It needs nothing but
Python 3.6 or newer, changes nothing, asks no network, and says nothing about the machine but what
decides which wheels fit it.
"""

# Types stand in comments, and newer syntax is avoided, so that Python 2.7 can read this file far
# enough to say that it is too old.

import importlib
import json
import os
import platform
import re
import struct
import subprocess
import sys
import sysconfig

SCHEMA = 1
OLDEST_PYTHON = (3, 6)

#: Implementations with a short name in python tags (PEP 425); others go by their own name.
SHORT_NAMES = {"python": "py", "cpython": "cp", "pypy": "pp", "ironpython": "ip", "jython": "jy"}

#: glibc versions with an alias: PEP 599, PEP 571 and PEP 513.
MANYLINUX_ALIASES = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
#: Architectures whose ABI is the same wherever glibc runs. ARM (soft or hard float) and i686 (x32)
#: need a look at the interpreter itself.
UNAMBIGUOUS_ARCHITECTURES = frozenset(
    ("x86_64", "aarch64", "ppc64", "ppc64le", "s390x", "loongarch64", "riscv64")
)
#: The last minor version that an outdated major version of glibc is taken to have had, should
#: there ever be a glibc 3 (which would run what was linked with glibc 2).
LAST_GLIBC_MINOR = 50

EM_386 = 3
EM_ARM = 40
PT_INTERP = 3
#: ``e_flags`` of an ARM program: version 5 of the EABI, with floats in registers (PEP 599).
EF_ARM_EABI_MASK = 0xFF000000
EF_ARM_EABI_VER5 = 0x05000000
EF_ARM_ABI_FLOAT_HARD = 0x00000400

NO_END = (9999, 0)
#: Binary formats of macOS, best first, by architecture: the first and the last macOS that has
#: them, then the formats.
MAC_FORMATS = {
    "arm64": ((0, 0), NO_END, ("arm64", "universal2")),
    "x86_64": (
        (10, 4),
        NO_END,
        ("x86_64", "intel", "fat64", "fat3", "universal2", "universal"),
    ),
    "i386": ((10, 4), NO_END, ("i386", "intel", "fat3", "fat", "universal")),
    "intel": ((0, 0), NO_END, ("intel", "universal")),
    "ppc64": ((10, 4), (10, 5), ("ppc64", "fat64", "universal")),
    "ppc": ((0, 0), (10, 6), ("ppc", "fat3", "fat", "universal")),
}

#: The oldest iOS (PEP 730) and the oldest API level of Android (PEP 738) that tags name, and the
#: minor versions that a past major version of iOS is taken to have had.
OLDEST_IOS = 12
LAST_IOS_MINOR = 9
OLDEST_ANDROID = 16


class ProbeError(Exception):
    """The interpreter can't be described; the text says why, in one line."""


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


def normalized(name):
    # type: (str) -> str
    """A name as tags spell it."""
    return re.sub(r"[. -]", "_", name)


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


# --- ELF --------------------------------------------------------------------------------------


class Elf:
    """What a program's ELF header says; ``loader`` is its PT_INTERP, empty where it has none."""

    def __init__(self, bits, little, machine, flags, loader):
        # type: (int, bool, int, int, str) -> None
        self.bits = bits
        self.little = little
        self.machine = machine
        self.flags = flags
        self.loader = loader


def parse_elf(content):
    # type: (bytes) -> Elf | None
    """Read a program's ELF header and the path of its loader; None for anything else.

    System V ABI, chapters 4 and 5: 16 bytes that say how to read the rest, then the header, which
    says where the program headers are.
    """
    order = {b"\x01": "<", b"\x02": ">"}.get(content[5:6])
    words = {b"\x01": "III", b"\x02": "QQQ"}.get(content[4:5])
    if content[:4] != b"\x7fELF" or order is None or words is None:
        return None
    header = _unpack(order + "HHI" + words + "IHHH", content, 16)
    if header is None:
        return None
    _, machine, _, _, start, _, flags, _, size, count = header
    bits = 32 if words == "III" else 64
    starts = [start + size * index for index in range(count)]
    return Elf(bits, order == "<", machine, flags, _loader(content, order, bits, starts))


def _loader(content, order, bits, starts):
    # type: (bytes, str, int, list[int]) -> str
    for start in starts:
        if bits == 32:
            entry = _unpack(order + "IIIIIIII", content, start)
            place, length = (1, 4)
        else:
            entry = _unpack(order + "IIQQQQQQ", content, start)
            place, length = (2, 5)
        if entry is not None and entry[0] == PT_INTERP:
            path = content[entry[place] : entry[place] + entry[length]]
            return os.fsdecode(path).strip("\0")
    return ""


def _unpack(form, content, start):
    # type: (str, bytes, int) -> tuple[int, ...] | None
    """Numbers from bytes; None where these end too early."""
    size = struct.calcsize(form)
    piece = content[start : start + size]
    return struct.unpack(form, piece) if len(piece) == size else None


def read_elf(path):
    # type: (str | None) -> Elf | None
    """:func:`parse_elf` of a file; None where it can't be read, or there is no path."""
    if not path:
        return None
    try:
        with open(path, "rb") as file:
            return parse_elf(file.read())
    except (OSError, ValueError):
        return None


# --- Linux ------------------------------------------------------------------------------------


def linux_architectures(platform_name, bits):
    # type: (str, int) -> list[str]
    """The architectures of a ``linux-*`` platform of sysconfig, best first.

    That names the kernel's, which may be a 64-bit one below a 32-bit Python.
    """
    name = normalized(platform_name)[len("linux_") :]
    if bits == 32:
        name = {"x86_64": "i686", "aarch64": "armv8l"}.get(name, name)
    return ["armv8l", "armv7l"] if name == "armv8l" else [name]


def glibc_fits(elf, archs):
    # type: (Elf | None, list[str]) -> bool
    """Whether manylinux tags can hold for an interpreter (PEP 513, PEP 599).

    Those for ``armv7l`` mean hard floats, those for ``i686`` not x32.
    """
    if "armv7l" not in archs and "i686" not in archs:
        return not UNAMBIGUOUS_ARCHITECTURES.isdisjoint(archs)
    if elf is None or elf.bits != 32 or not elf.little:
        return False
    if "i686" in archs:
        return elf.machine == EM_386
    return (
        elf.machine == EM_ARM
        and elf.flags & EF_ARM_EABI_MASK == EF_ARM_EABI_VER5
        and bool(elf.flags & EF_ARM_ABI_FLOAT_HARD)
    )


def glibc_platforms(version, archs, override=None):
    # type: (tuple[int, int], list[str], object) -> list[str]
    """The manylinux tags that a glibc takes, best first (PEP 600), each before its alias.

    ``override`` is the module ``_manylinux``, if there is one.
    """
    # PEP 513 began with 2.5 on x86; on the others nothing is older than PEP 599.
    oldest = 17 if {"x86_64", "i686"}.isdisjoint(archs) else 5
    versions = []
    for major in range(version[0], 1, -1):
        newest = version[1] if major == version[0] else LAST_GLIBC_MINOR
        last = oldest if major == 2 else 0
        versions += [(major, minor) for minor in range(newest, last - 1, -1)]
    found = []
    for arch in archs:
        for known in versions:
            if override_allows(override, known, arch):
                found.append("manylinux_{}_{}_{}".format(known[0], known[1], arch))
                if known in MANYLINUX_ALIASES:
                    found.append(MANYLINUX_ALIASES[known] + "_" + arch)
    return found


def override_allows(override, version, arch):
    # type: (object, tuple[int, int], str) -> bool
    """Whether whoever built this Python allows wheels of a glibc (PEP 600, before it PEP 513)."""
    asked = getattr(override, "manylinux_compatible", None)
    if asked is not None:
        try:
            answer = asked(version[0], version[1], arch)
        except Exception as error:  # noqa: BLE001 - it may do anything
            raise override_failed("does not answer", error)
        return answer is None or bool(answer)
    alias = MANYLINUX_ALIASES.get(version)
    return alias is None or bool(getattr(override, alias + "_compatible", True))


def musl_platforms(version, archs):
    # type: (tuple[int, int], list[str]) -> list[str]
    """The musllinux tags that a musl takes, best first (PEP 656)."""
    minors = range(version[1], -1, -1)
    return ["musllinux_{}_{}_{}".format(version[0], n, arch) for arch in archs for n in minors]


def parse_musl(said):
    # type: (str) -> tuple[int, int] | None
    """The version that musl's loader says when it is run with nothing to load."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    if len(lines) < 2 or not lines[0].startswith("musl"):
        return None
    match = re.match(r"Version ([0-9]+)\.([0-9]+)", lines[1])
    return (int(match.group(1)), int(match.group(2))) if match else None


def musl_version(elf):
    # type: (Elf | None) -> tuple[int, int] | None
    """The version of the musl that a program is linked with; None without musl (PEP 656).

    Raises ProbeError where its loader can't be run.
    """
    if elf is None or "musl" not in elf.loader:
        return None
    try:
        said = _stderr_of(elf.loader)
    except (OSError, ValueError) as error:
        problem = str(error)
    else:
        return parse_musl(said)
    raise ProbeError("its musl does not tell its version: {}".format(problem))


def _stderr_of(program):
    # type: (str) -> str
    # Not our own stdin, which may be this file on its way to the interpreter, nor our stdout.
    nothing = subprocess.DEVNULL
    ended = subprocess.run(
        [program], stdin=nothing, stdout=nothing, stderr=subprocess.PIPE, check=False
    )
    return ended.stderr.decode("ascii", "replace")


def parse_glibc(said):
    # type: (str) -> tuple[int, int] | None
    """``(2, 20)`` for ``2.20`` as well as for a distributor's ``2.20-2014.11``."""
    match = re.match(r"([0-9]+)\.([0-9]+)", said)
    return (int(match.group(1)), int(match.group(2))) if match else None


def glibc_version():
    # type: () -> tuple[int, int] | None
    """The version of the glibc that runs this process; None without glibc."""
    said = _confstr_glibc() or _ctypes_glibc()
    return parse_glibc(said) if said else None


def _confstr_glibc():
    # type: () -> str
    try:
        words = (os.confstr("CS_GNU_LIBC_VERSION") or "").split()
    except (AttributeError, OSError, ValueError):
        return ""
    return words[1] if len(words) == 2 else ""


def _ctypes_glibc():
    # type: () -> str
    try:
        import ctypes

        ask = ctypes.CDLL(None).gnu_get_libc_version
    except (ImportError, OSError, AttributeError):
        # A Python without ctypes, one that is linked statically, or no glibc.
        return ""
    ask.restype = ctypes.c_char_p
    said = ask()
    return said.decode("ascii", "replace") if isinstance(said, bytes) else ""


def manylinux_override():
    # type: () -> object
    """The module by which who built this Python has a say in manylinux tags (PEP 600), or None."""
    try:
        return importlib.import_module("_manylinux")
    except ImportError:
        return None
    except Exception as error:  # noqa: BLE001 - it may do anything
        raise override_failed("cannot be imported", error)


def override_failed(what, error):
    # type: (str, Exception) -> ProbeError
    """What to raise when the module by which who built this Python has a say fails."""
    return ProbeError("the module _manylinux {}: {!r}".format(what, error))


def own_linux_platforms(platform_name):
    # type: (str) -> list[str]
    """The platform tags of this interpreter on Linux: the bare ones, glibc's, and musl's."""
    archs = linux_architectures(platform_name, _bits())
    elf = read_elf(sys.executable)
    found = ["linux_" + arch for arch in archs]
    glibc = glibc_version()
    if glibc is not None and glibc_fits(elf, archs):
        found += glibc_platforms(glibc, archs, manylinux_override())
    musl = musl_version(elf)
    if musl is not None:
        found += musl_platforms(musl, archs)
    return found


def _bits():
    # type: () -> int
    return 8 * struct.calcsize("P")


# --- Apple, Android, Emscripten ---------------------------------------------------------------


def mac_platforms(version, arch):
    # type: (tuple[int, int], str) -> list[str]
    """The platform tags that a macOS takes, best first (PEP 425).

    Until 10.15 a release raised the minor version, since 11 the major one; 10.16 is what 11 calls
    itself to programs that are older than it.
    """
    found = []
    for major in range(version[0], 10, -1):
        found += _mac_tags((major, 0), mac_formats((major, 0), arch))
    if version[0] > 10:
        # Intel's programs of before 11 still run. ARM had none, but the Intel half of a universal
        # one may be as old.
        older = [(10, minor) for minor in range(16, 3, -1)]
    else:
        older = [(10, minor) for minor in range(version[1], -1, -1) if version[0] == 10]
    for known in older:
        both = version[0] > 10 and arch != "x86_64"
        found += _mac_tags(known, ("universal2",) if both else mac_formats(known, arch))
    return found


def mac_formats(version, arch):
    # type: (tuple[int, int], str) -> tuple[str, ...]
    """The binary formats that hold code for an architecture on a macOS, best first."""
    first, last, formats = MAC_FORMATS.get(arch, ((0, 0), NO_END, (arch,)))
    return formats if first <= version <= last else ()


def _mac_tags(version, formats):
    # type: (tuple[int, int], tuple[str, ...]) -> list[str]
    return ["macosx_{}_{}_{}".format(version[0], version[1], name) for name in formats]


def mac_architecture(machine, bits):
    # type: (str, int) -> str
    """The architecture of a Python on a Mac, which may be a 32-bit one on a 64-bit machine."""
    if bits == 64:
        return machine
    return "ppc" if machine.startswith("ppc") else "i386"


def own_mac_platforms():
    # type: () -> list[str]
    """The platform tags of this interpreter on macOS."""
    release, _, machine = platform.mac_ver()
    version = parse_release("macOS", release)
    if version == (10, 16):
        version = parse_release("macOS", _true_mac_release())
    return mac_platforms(version, mac_architecture(machine, _bits()))


def _true_mac_release():
    # type: () -> str
    """What macOS 11 and newer say if asked not to pass for 10.16, as to a Python built before."""
    code = "import platform; print(platform.mac_ver()[0])"
    try:
        said = subprocess.check_output(
            [sys.executable, "-sS", "-c", code],
            stdin=subprocess.DEVNULL,
            env={"SYSTEM_VERSION_COMPAT": "0"},
        )
    except (OSError, ValueError, subprocess.CalledProcessError):
        return ""
    return said.decode("ascii", "replace")


def ios_platforms(version, multiarch):
    # type: (tuple[int, int], str) -> list[str]
    """The platform tags that an iOS takes, best first (PEP 730)."""
    found = []
    for major in range(version[0], OLDEST_IOS - 1, -1):
        newest = version[1] if major == version[0] else LAST_IOS_MINOR
        found += [(major, minor) for minor in range(newest, -1, -1)]
    suffix = "_" + normalized(multiarch)
    return ["ios_{}_{}".format(*known) + suffix for known in found]


def own_ios_platforms():
    # type: () -> list[str]
    """The platform tags of this interpreter on iOS."""
    told = getattr(platform, "ios_ver", None)
    multiarch = getattr(sys.implementation, "_multiarch", None)
    if told is None or not multiarch:
        raise ProbeError("it does not say which iOS it runs on")
    return ios_platforms(parse_release("iOS", told().release), multiarch)


def parse_release(system, said):
    # type: (str, str) -> tuple[int, int]
    """``(14, 3)`` for ``14.3.1``. Raises ProbeError where there is no version."""
    match = re.match(r"([0-9]+)(?:\.([0-9]+))?", said)
    if match is None:
        raise ProbeError("the version of {} is not known".format(system))
    return (int(match.group(1)), int(match.group(2) or 0))


def android_platforms(api_level, abi):
    # type: (int, str) -> list[str]
    """The platform tags that an Android takes, best first (PEP 738)."""
    levels = range(api_level, OLDEST_ANDROID - 1, -1)
    return ["android_{}_{}".format(level, normalized(abi)) for level in levels]


def own_android_platforms(platform_name):
    # type: (str) -> list[str]
    """The platform tags of this interpreter on Android."""
    told = getattr(platform, "android_ver", None)
    if told is None:
        raise ProbeError("it does not say which Android it runs on")
    return android_platforms(told().api_level, platform_name.split("-")[-1])


def emscripten_platforms(version, platform_name):
    # type: (object, str) -> list[str]
    """The platform tags of a Python in WebAssembly, best first.

    PEP 783: ``version`` is that of the ABI of Pyodide and the like, if it is one.
    """
    own = ["pyemscripten_{}_wasm32".format(version)] if version else []
    own.append(normalized(platform_name))
    return own


def own_platforms():
    # type: () -> list[str]
    """Every platform tag of this interpreter, best first."""
    system = platform.system()
    name = sysconfig.get_platform()
    if system == "Darwin":
        return own_mac_platforms()
    if system == "iOS":
        return own_ios_platforms()
    if system == "Android":
        return own_android_platforms(name)
    if system == "Linux" and normalized(name).startswith("linux_"):
        return own_linux_platforms(name)
    if system == "Emscripten":
        return emscripten_platforms(sysconfig.get_config_var("PYEMSCRIPTEN_PLATFORM_VERSION"), name)
    return [normalized(name)]


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


def main():
    # type: () -> int
    """Print the description as JSON; the exit code."""
    try:
        text = json.dumps(describe(), indent=2)
    except ProbeError as error:
        sys.stderr.write("wheeltarget: can't describe this Python: {}\n".format(error))
        return 1
    return write(text + "\n")


def write(text):
    # type: (str) -> int
    """Write to stdout, which may be a full disk or a pipe that nobody reads; the exit code."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        sys.stderr.write("wheeltarget: can't write the description: {}\n".format(error))
        # What is left in the buffer would be written at the end, and fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
