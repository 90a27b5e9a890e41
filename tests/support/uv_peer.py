"""What uv chooses, found out by letting it install from an index of stubs.

With pins and without dependencies, neither ``--dry-run`` nor ``uv pip compile`` ever asks for a
wheel or names one. An install with ``--target`` asks the index for exactly the file that uv has
chosen, once; a lock of 150 packages takes one or two seconds. All values were measured on uv 0.13.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import canonicalize_name
from uv import find_uv_bin

from support.lockserver import LAST_RESORT_TAG, lock_server
from support.pages import project_of
from support.peers import marker_of_group, replace_extras
from support.tools import run

# uv knows extras of a project only; a requirements file gets the decision itself.
TRUE, FALSE = 'python_version >= "0"', 'python_version < "0"'
_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_MAC_FORMATS = {
    "arm64": ("arm64", "universal2"),
    "x86_64": ("x86_64", "intel", "fat64", "fat32", "universal2", "universal"),
}


@dataclass(frozen=True)
class UvTarget:
    """A target that uv can be told: the option, and what uv takes it to mean.

    ``platforms`` and ``markers`` are uv's own values, which are not all those of a real machine:
    uv takes a bare ``linux_`` tag on every Linux, and leaves ``platform_release`` empty.
    """

    option: str
    platforms: tuple[str, ...]
    markers: Mapping[str, str]
    settings: Mapping[str, str] = field(default_factory=dict)

    def environment(self, python: str) -> dict[str, str]:
        """All marker variables as uv has them for this target and CPython ``3.11.9``."""
        return {
            "implementation_name": "cpython",
            "implementation_version": python,
            "platform_python_implementation": "CPython",
            "python_full_version": python,
            "python_version": ".".join(python.split(".")[:2]),
            "platform_release": "",
            "platform_version": "",
            **self.markers,
        }

    def tags(self, python: str) -> list[Tag]:
        """All tags of this target for CPython ``3.11.9``, best first."""
        version = tuple(map(int, python.split(".")[:2]))
        name = f"cp{version[0]}{version[1]}"
        abi = f"{name}m" if version < (3, 8) else name
        return [
            *cpython_tags(version, [abi], self.platforms),
            *compatible_tags(version, name, self.platforms),
        ]


def uv_choice(
    lock: Mapping[str, Any],
    *,
    target: UvTarget,
    python: str,
    groups: AbstractSet[str],
    extras: AbstractSet[str],
) -> dict[str, str | None]:
    """Return the wheel that uv takes for each package of a poetry.lock 2.1.

    None stands for a package that applies but has no compatible wheel. ``python`` is a full
    version (uv would take ``3.11`` for ``3.11.0``), the implementation that of this interpreter:
    ask it for CPython only. Two versions that apply at once are an error.
    """
    with lock_server(lock, last_resort=True) as index:
        _install(index.index_url, list(_requirements(lock, groups, extras)), target, python)
        downloads = index.downloads()
    choice = {project_of(filename): _unless_last_resort(filename) for filename in downloads}
    assert len(choice) == len(downloads), f"uv took two files of one package: {downloads}"
    return choice


def _requirements(
    lock: Mapping[str, Any], groups: AbstractSet[str], extras: AbstractSet[str]
) -> Iterator[str]:
    """Pin every package that a requested group may want, and leave the markers to uv."""
    for package in lock["package"]:
        wanted = [group for group in package["groups"] if canonicalize_name(group) in groups]
        markers = [marker_of_group(package, group) for group in wanted]
        if not markers:
            continue
        line = f"{package['name']}=={package['version']}"
        if all(markers):
            decided = (_decide_extras(str(marker), extras) for marker in markers)
            line += " ; " + " or ".join(f"({marker})" for marker in decided)
        yield line


def _decide_extras(marker: str, extras: AbstractSet[str]) -> str:
    """Replace each comparison of ``extra`` by its truth for the requested set."""
    return replace_extras(
        marker, lambda operator, name: TRUE if (name in extras) is (operator == "==") else FALSE
    )


def _install(index_url: str, requirements: Sequence[str], target: UvTarget, python: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder, "requirements.txt")
        listed.write_text("\n".join(requirements), encoding="utf-8")
        command = [
            *(find_uv_bin(), "pip", "install", "--no-config", "--no-cache", "--quiet"),
            *("--no-deps", "--no-build", "--no-python-downloads", "--default-index", index_url),
            *("--python", sys.executable, "--python-version", python),
            *("--python-platform", target.option, "--target", str(Path(folder, "installed"))),
            *("--requirements", str(listed)),
        ]
        ended = run(command, target.settings)
    if ended.returncode:
        raise RuntimeError(f"uv ended with {ended.returncode}: {ended.stderr}")


def _unless_last_resort(filename: str) -> str | None:
    return None if filename.endswith(f"-{LAST_RESORT_TAG}.whl") else filename


def _glibc(minor: int, arch: str, oldest: int) -> tuple[str, ...]:
    tags = []
    for each in range(minor, oldest - 1, -1):
        tags.append(f"manylinux_2_{each}_{arch}")
        if each in _LEGACY:
            tags.append(f"{_LEGACY[each]}_{arch}")
    return (*tags, f"linux_{arch}")


def _macos(major: int, minor: int, arch: str) -> tuple[str, ...]:
    formats = _MAC_FORMATS[arch]
    if major == 10:
        return tuple(f"macosx_10_{each}_{kind}" for each in range(minor, 3, -1) for kind in formats)
    old = ("universal2",) if arch == "arm64" else formats
    return (
        *(f"macosx_{each}_0_{kind}" for each in range(major, 10, -1) for kind in formats),
        *(f"macosx_10_{each}_{kind}" for each in range(16, 3, -1) for kind in old),
    )


def _markers(os_name: str, sys_platform: str, system: str, machine: str) -> dict[str, str]:
    return {
        "os_name": os_name,
        "sys_platform": sys_platform,
        "platform_system": system,
        "platform_machine": machine,
    }


def _linux_targets() -> Iterator[tuple[str, UvTarget]]:
    for arch, oldest in (("x86_64", 5), ("aarch64", 17)):
        markers = _markers("posix", "linux", "Linux", arch)
        for minor in (17, 28, *range(31, 41)):
            name = f"manylinux_2_{minor}"
            ladder = _glibc(minor, arch, oldest)
            yield f"{name}_{arch}", UvTarget(f"{arch}-{name}", ladder, markers)
        ladder = (f"musllinux_1_2_{arch}", f"musllinux_1_1_{arch}", f"musllinux_1_0_{arch}")
        musl = (*ladder, f"linux_{arch}")
        yield ladder[0], UvTarget(f"{arch}-unknown-linux-musl", musl, markers)
    riscv = UvTarget(
        "riscv64-unknown-linux",
        _glibc(39, "riscv64", 31),
        _markers("posix", "linux", "Linux", "riscv64"),
    )
    yield "manylinux_2_39_riscv64", riscv


def _macos_targets() -> Iterator[tuple[str, UvTarget]]:
    """Make targets by the oldest macOS, which uv reads from the environment (or takes 13.0)."""
    for arch, option, versions in (
        ("arm64", "aarch64-apple-darwin", ((11, 0), (13, 0), (14, 0))),
        ("x86_64", "x86_64-apple-darwin", ((10, 9), (10, 15), (12, 0), (13, 0))),
    ):
        markers = _markers("posix", "darwin", "Darwin", arch)
        for major, minor in versions:
            settings = {"MACOSX_DEPLOYMENT_TARGET": f"{major}.{minor}"}
            target = UvTarget(option, _macos(major, minor, arch), markers, settings)
            yield f"macosx_{major}_{minor}_{arch}", target


def _windows_targets() -> Iterator[tuple[str, UvTarget]]:
    for tag, arch, machine in (
        ("win_amd64", "x86_64", "AMD64"),
        ("win_arm64", "aarch64", "ARM64"),
        ("win32", "i686", "x86"),
    ):
        markers = _markers("nt", "win32", "Windows", machine)
        yield tag, UvTarget(f"{arch}-pc-windows-msvc", (tag,), markers)


def _mobile_targets() -> Iterator[tuple[str, UvTarget]]:
    """Fix the API level and the oldest iOS, which uv reads from the environment too."""
    for abi, arch in (("arm64_v8a", "aarch64"), ("x86_64", "x86_64")):
        ladder = tuple(f"android_{level}_{abi}" for level in range(24, 15, -1))
        markers = _markers("posix", "android", "Android", arch)
        yield (
            ladder[0],
            UvTarget(f"{arch}-linux-android", ladder, markers, {"ANDROID_API_LEVEL": "24"}),
        )
    for kind, option, arch in (
        ("arm64_iphoneos", "arm64-apple-ios", "arm64"),
        ("arm64_iphonesimulator", "arm64-apple-ios-simulator", "arm64"),
        ("x86_64_iphonesimulator", "x86_64-apple-ios-simulator", "x86_64"),
    ):
        ladder = ("13_0", *(f"12_{minor}" for minor in range(9, -1, -1)))
        tags = tuple(f"ios_{version}_{kind}" for version in ladder)
        markers = _markers("posix", "ios", "iOS", arch)
        yield tags[0], UvTarget(option, tags, markers, {"IPHONEOS_DEPLOYMENT_TARGET": "13.0"})


def _pyodide_targets() -> Iterator[tuple[str, UvTarget]]:
    """Pair each release of Pyodide with that of Emscripten, which uv knows by heart."""
    for year, emscripten in (("2024", "3.1.58"), ("2025", "4.0.9")):
        tags = (f"pyemscripten_{year}_0_wasm32", f"pyodide_{year}_0_wasm32")
        markers = _markers("posix", "emscripten", "Emscripten", "wasm32")
        markers |= {"platform_release": emscripten, "platform_version": "#1"}
        yield tags[1], UvTarget(f"wasm32-pyodide{year}", tags, markers)


#: Every target that uv and the plugin can both express, by the plugin's platform tag.
UV_TARGETS: Mapping[str, UvTarget] = {
    tag: target
    for family in (
        _linux_targets,
        _macos_targets,
        _windows_targets,
        _mobile_targets,
        _pyodide_targets,
    )
    for tag, target in family()
}
