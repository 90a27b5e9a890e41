"""The platform tags of an interpreter on Linux: its C library, and that library's version."""

import importlib
import os
import re
import struct
import subprocess
import sys

from wheeltarget.runtime.basics import ProbeError, normalized
from wheeltarget.runtime.elf import (
    EF_ARM_ABI_FLOAT_HARD,
    EF_ARM_EABI_MASK,
    EF_ARM_EABI_VER5,
    EM_386,
    EM_ARM,
    Elf,
    read_elf,
)

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
    archs = linux_architectures(platform_name, own_bits())
    elf = read_elf(sys.executable)
    found = ["linux_" + arch for arch in archs]
    glibc = glibc_version()
    if glibc is not None and glibc_fits(elf, archs):
        found += glibc_platforms(glibc, archs, manylinux_override())
    musl = musl_version(elf)
    if musl is not None:
        found += musl_platforms(musl, archs)
    return found


def own_bits():
    # type: () -> int
    """How many bits an address has in this interpreter."""
    return 8 * struct.calcsize("P")
