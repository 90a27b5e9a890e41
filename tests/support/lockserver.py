"""An index with every file of a poetry.lock, so that other installers can be asked to choose.

The files are stubs: the locked name, version and tags, and nothing else. Since their bytes are not
the locked ones, the index lists no hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from support.index import IndexServer
from support.wheels import build_sdist, build_wheel, file_part

# The lowest tag of all for every CPython 3: a wheel with it is taken only if nothing else fits.
LAST_RESORT_TAG = "py30-none-any"
SDIST_SUFFIXES = (".tar.gz", ".zip")


def lock_server(lock: Mapping[str, Any], *, last_resort: bool = False) -> IndexServer:
    """Make an index (not yet listening) with a stub for each file of the lock.

    With ``last_resort`` each version also has a wheel that ranks below any other, so that an
    installer that gives up at the first missing wheel can still be asked about all the rest.
    """
    index = IndexServer()
    for package, filename in locked_filenames(lock):
        python = requires_python(package["python-versions"])
        _add(index, package["name"], filename, stub(filename), python)
    for package in lock["package"] if last_resort else ():
        filename = last_resort_filename(package)
        _add(index, package["name"], filename, stub(filename), None)
    return index


def locked_filenames(lock: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """List the files of a lock with their packages; lock 1.1 has them in its metadata."""
    elsewhere = lock["metadata"].get("files", {})
    for package in lock["package"]:
        for file in package.get("files") or elsewhere.get(package["name"], ()):
            yield package, file["file"]


def last_resort_filename(package: Mapping[str, Any]) -> str:
    """Name the wheel that stands for "nothing in the lock fits"."""
    return f"{file_part(package['name'])}-{file_part(package['version'])}-{LAST_RESORT_TAG}.whl"


def stub(filename: str) -> Callable[[], bytes]:
    """Return a recipe for a stub with this file name: locks have thousands of files."""
    for suffix in SDIST_SUFFIXES:
        if filename.endswith(suffix):
            name, _, version = filename.removesuffix(suffix).rpartition("-")
            return lambda: build_sdist(name, version, suffix=suffix).data
    return partial(_stub_wheel, filename)


def requires_python(text: str) -> str | None:
    """Take over a lock's ``python-versions`` where it is a PEP 440 specifier, not Poetry's own."""
    try:
        return str(SpecifierSet(text)) or None
    except InvalidSpecifier:
        return None


def _stub_wheel(filename: str) -> bytes:
    name, version, *build, python, abi, platform = filename.removesuffix(".whl").split("-")
    wheel = build_wheel(name, version, tag=f"{python}-{abi}-{platform}", build="".join(build))
    assert wheel.filename == filename, f"a stub of {filename} would be {wheel.filename}"
    return wheel.data


def _add(
    index: IndexServer, name: str, filename: str, data: Callable[[], bytes], python: str | None
) -> None:
    index.add(filename, data, project=name, listed_hash=None, requires_python=python)
