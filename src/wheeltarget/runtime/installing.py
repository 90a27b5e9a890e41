"""``install``: from a bundle that was checked into an environment or a folder."""

import contextlib
import hashlib
import os
import re
import shutil
import sys
import sysconfig
import tempfile
from typing import Iterator

from wheeltarget.runtime.archive import Archive, DamagedError
from wheeltarget.runtime.container import Folder
from wheeltarget.runtime.contents import Contents, Package, Part
from wheeltarget.runtime.integrity import WHEELS, tree_members
from wheeltarget.runtime.journal import Journal, all_or_nothing
from wheeltarget.runtime.pip import needed_pip, pip_install, pip_version
from wheeltarget.runtime.placing import (
    Places,
    folder_places,
    in_environment,
    installed_version,
    is_version_of,
    own_places,
    place,
)
from wheeltarget.runtime.speech import (
    DAMAGED,
    FILE_SYSTEM,
    USAGE,
    BundleError,
    counted,
    say,
    shown,
    warn,
)
from wheeltarget.runtime.wheelfile import WheelFile


def install_wheels(container, part, tags, target):
    # type: (Archive | Folder, Part, frozenset[str], str) -> None
    """Install the wheels of a part into a folder; empty for the environment of this interpreter.

    Raises BundleError or OSError, with nothing changed.
    """
    places = folder_places(target) if target else own_places()
    if not target:
        check_environment(places)
    has_pip = _has_fitting_pip(part.packages, tags)
    # pip replaces other versions in its own environment, and nowhere else.
    missing = _missing(part.packages, places, replaces=has_pip and not target)
    if missing:
        with _extracted(container, missing) as folder:
            if has_pip and not target:
                pip_install(missing, folder, [])
            elif has_pip:
                _pip_into_folder(missing, folder, target)
            else:
                _own_install(missing, folder, places)
    _tell(part.packages, missing, target or sys.prefix)


def _tell(packages, missing, place_name):
    # type: (list[Package], list[Package], str) -> None
    there = len(packages) - len(missing)
    more = "; {} there already".format(counted(there, "package")) if there else ""
    say("installed {} into {}{}".format(counted(len(missing), "package"), shown(place_name), more))


def check_environment(places):
    # type: (Places) -> None
    """Raises BundleError where this interpreter's environment is not ours to change."""
    hint = "Use --venv DIR or --target DIR."
    standard_library = sysconfig.get_path("stdlib") or ""
    if not in_environment() and os.path.exists(
        os.path.join(standard_library, "EXTERNALLY-MANAGED")
    ):
        raise BundleError(USAGE, ["this Python is managed by its system (PEP 668)"], hint)
    looked_into = [os.path.realpath(entry) for entry in sys.path if entry]
    if os.path.realpath(places.purelib) not in looked_into:
        told = "this Python does not look into {}, where packages would go"
        raise BundleError(USAGE, [told.format(shown(places.purelib))], hint)


def _has_fitting_pip(packages, tags):
    # type: (list[Package], frozenset[str]) -> bool
    found = pip_version()
    needed = needed_pip(packages, tags)
    if found is not None and found < needed:
        told = "pip {}.{} is not used: it takes {}.{} to know all of these wheels"
        warn(told.format(found[0], found[1], needed[0], needed[1]))
    return found is not None and found >= needed


def wants_pip(packages, tags, version):
    # type: (list[Package], frozenset[str], str) -> bool
    """Whether a pip of that version would do for these wheels."""
    match = re.match(r"([0-9]+)\.([0-9]+)", version)
    found = (int(match.group(1)), int(match.group(2))) if match else (0, 0)
    return found >= needed_pip(packages, tags)


def _missing(packages, places, replaces):
    # type: (list[Package], Places, bool) -> list[Package]
    """Packages that are not installed yet. Raises BundleError for other versions of them."""
    found = {package: installed_version(places, package.name) for package in packages}
    other = [
        each for each, version in found.items() if version and not is_version_of(version, each)
    ]
    if other and not replaces:
        told = "{0.name} {0.version}: version {1} is installed already"
        raise BundleError(
            FILE_SYSTEM,
            [told.format(package, shown(found[package])) for package in other],
            "Remove it, or choose another place; nothing was installed.",
        )
    return [package for package in packages if package in other or not found[package]]


@contextlib.contextmanager
def _extracted(container, packages):
    # type: (Archive | Folder, list[Package]) -> Iterator[str]
    """A temporary folder with the wheels in ``wheels``, verified while they are copied."""
    folder = tempfile.mkdtemp(prefix="wheeltarget-")
    try:
        os.mkdir(os.path.join(folder, "wheels"))
        for package in packages:
            hasher = hashlib.sha256()
            path = os.path.join(folder, "wheels", package.file)
            with open(path, "wb") as file:
                for piece in container.pieces(WHEELS + package.file):
                    hasher.update(piece)
                    file.write(piece)
            if hasher.hexdigest() != package.sha256:
                raise BundleError(DAMAGED, [package.file + ": it has changed since it was checked"])
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _own_install(packages, folder, places):
    # type: (list[Package], str, Places) -> None
    with contextlib.ExitStack() as stack:
        wheels = []
        for package in packages:
            wheel = WheelFile(os.path.join(folder, "wheels", package.file), package)
            stack.callback(wheel.archive.close)
            wheels.append(wheel)
        with all_or_nothing() as journal:
            place(wheels, places, journal)


def _pip_into_folder(packages, folder, target):
    # type: (list[Package], str, str) -> None
    """Let pip fill a folder of its own beside, then move what is in there.

    pip itself would leave out what is in its way, say so, and call that a success.
    """
    with all_or_nothing() as journal:
        journal.folder(target)
        staging = tempfile.mkdtemp(prefix=".wheeltarget-", dir=target)
        try:
            pip_install(packages, folder, ["--target", staging])
            _move_all(staging, target, journal)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _move_all(source, target, journal):
    # type: (str, str, Journal) -> None
    moves = []
    for folder, _, names in os.walk(source):
        below = os.path.relpath(folder, source)
        moves += [
            (os.path.join(folder, name), os.path.normpath(os.path.join(target, below, name)))
            for name in names
        ]
    check_free([path for _, path in moves])
    for path, place_of_it in moves:
        journal.move(path, place_of_it)


def check_free(paths):
    # type: (list[str]) -> None
    """Raises BundleError where there is something already."""
    there = [path for path in paths if os.path.lexists(path)]
    if there:
        raise BundleError(
            FILE_SYSTEM,
            ["{} is there already".format(shown(path)) for path in there],
            "Remove what is there, or choose another place; nothing was installed.",
        )


# --- an installed tree ------------------------------------------------------------------------


def install_tree(container, contents, target):
    # type: (Archive | Folder, Contents, str) -> None
    """Copy the tree of a bundle into a folder. Raises BundleError or OSError, as above."""
    paths = {
        name: os.path.join(target, *name[len(contents.prefix) :].split("/"))
        for name in tree_members(container, contents)
    }
    check_free(list(paths.values()))
    with all_or_nothing() as journal:
        for name, path in paths.items():
            try:
                journal.write(path, container.pieces(name), container.is_program(name))
            except DamagedError as error:
                raise BundleError(DAMAGED, ["{}: {}".format(shown(name), error)])
    number = len(contents.parts[0].packages)
    say("installed {} into {}".format(counted(number, "package"), shown(target)))
