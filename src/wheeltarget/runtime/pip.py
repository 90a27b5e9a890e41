"""pip, where there is one that can do it."""

import os
import re
import subprocess
import sys

from wheeltarget.runtime.contents import Package, tags_of
from wheeltarget.runtime.integrity import requirements
from wheeltarget.runtime.speech import FILE_SYSTEM, BundleError, complain, shown

#: A pip that knows a kind of tag: the first one, or where that can't be told, the first that is
#: sure to. The one of 9.0 has all options that are used here.
_KNOWN_SINCE = (
    (re.compile(r".+-abi3t-.+|.+-(pyodide|pyemscripten)_.+"), (26, 3)),
    (re.compile(r".+-(android|ios)_.+"), (25, 1)),
    (re.compile(r".+-musllinux_.+"), (21, 2)),
    (re.compile(r".+-(manylinux_[0-9]|macosx_1[1-9]|macosx_.+_universal2).*"), (20, 3)),
    (re.compile(r".+-manylinux2014_.+"), (19, 3)),
    (re.compile(r".+-manylinux2010_.+"), (19, 0)),
)
_OLDEST = (9, 0)
#: Offline, untouched by settings, exactly these files.
HOW = ["--isolated", "--disable-pip-version-check", "--no-cache-dir", "--no-index"]
HOW += ["--no-deps", "--no-compile", "--require-hashes"]


def pip_version():
    # type: () -> tuple[int, int] | None
    """The version of the pip of this interpreter; None where there is none."""
    ended = _run([sys.executable, "-I", "-m", "pip", "--version"])
    match = re.match(r"pip ([0-9]+)\.([0-9]+)", ended[1])
    return (int(match.group(1)), int(match.group(2))) if ended[0] == 0 and match else None


def needed_pip(packages, tags):
    # type: (list[Package], frozenset[str]) -> tuple[int, int]
    """The first pip that takes all these wheels for an interpreter with these tags."""
    return max([_OLDEST] + [_needed_for(package, tags) for package in packages])


def _needed_for(package, tags):
    # type: (Package, frozenset[str]) -> tuple[int, int]
    fitting = [tag for tag in tags_of(package.file) if tag in tags]
    return min([_known_since(tag) for tag in fitting] or [_OLDEST])


def _known_since(tag):
    # type: (str) -> tuple[int, int]
    found = (version for form, version in _KNOWN_SINCE if form.fullmatch(tag))
    return next(found, _OLDEST)


def pip_install(packages, folder, options):
    # type: (list[Package], str, list[str]) -> None
    """Let pip install packages from the folder ``wheels`` in a folder. Raises BundleError."""
    listed = os.path.join(folder, "requirements.txt")
    with open(listed, "w", encoding="utf-8") as file:
        file.write(requirements(packages))
    found = ["--find-links", os.path.join(folder, "wheels"), "-r", listed]
    code, said = _run([sys.executable, "-I", "-m", "pip", "install"] + HOW + found + options)
    if code != 0:
        for line in said.splitlines():
            complain("pip: " + shown(line))
        raise BundleError(FILE_SYSTEM, ["pip could not install it, see above"])


def _run(command):
    # type: (list[str]) -> tuple[int, str]
    """Run a program that shall not know the user's settings; its exit code, and what it said."""
    unwanted = ("PIP_", "PYTHON", "__PYVENV")
    settings = {name: v for name, v in os.environ.items() if not name.upper().startswith(unwanted)}
    settings["PIP_CONFIG_FILE"] = os.devnull
    ended = subprocess.run(
        command,
        env=settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return ended.returncode, ended.stdout.decode("utf-8", "replace")
