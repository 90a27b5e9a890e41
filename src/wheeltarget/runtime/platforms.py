"""The platform tags of the interpreter that runs this, best first."""

import platform
import re
import subprocess
import sys
import sysconfig

from wheeltarget.runtime.basics import ProbeError, normalized
from wheeltarget.runtime.linux import own_bits, own_linux_platforms

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
    return mac_platforms(version, mac_architecture(machine, own_bits()))


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
