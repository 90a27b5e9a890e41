"""Virtual environments: made for a bundle, or found."""

import contextlib
import os
import shutil
import subprocess
import sys
from typing import Callable, Iterator

from wheeltarget.runtime.speech import FILE_SYSTEM, USAGE, BundleError, shown


def environment_python(path):
    # type: (str) -> str
    """The interpreter of an environment."""
    name = (
        os.path.join("Scripts", "python.exe") if os.name == "nt" else os.path.join("bin", "python")
    )
    return os.path.join(path, name)


def is_environment(path):
    # type: (str) -> bool
    """Whether a folder is a virtual environment. Raises BundleError where it is something else."""
    if os.path.isfile(os.path.join(path, "pyvenv.cfg")):
        return True
    if os.path.lexists(path) and (not os.path.isdir(path) or os.listdir(path)):
        told = "{} is neither empty nor a virtual environment".format(shown(path))
        raise BundleError(FILE_SYSTEM, [told], "Choose another --venv.")
    return False


@contextlib.contextmanager
def new_environment(path, wants_pip):
    # type: (str, Callable[[str], bool]) -> Iterator[str]
    """An environment for the block, removed again where that fails; its interpreter.

    It gets a pip if this Python can give one, and ``wants_pip`` wants one of that version.
    """
    was_there = os.path.isdir(path)
    try:
        if not (_has_pip(wants_pip) and _make(path, with_pip=True)):
            _make(path, with_pip=False)
        yield environment_python(path)
    except BaseException:
        _clear(path)
        if not was_there:
            with contextlib.suppress(OSError):
                os.rmdir(path)
        raise


def _has_pip(wants_pip):
    # type: (Callable[[str], bool]) -> bool
    try:
        import ensurepip

        return wants_pip(ensurepip.version())
    except Exception:  # noqa: BLE001 - distributions take it apart in many ways
        return False


def _make(path, with_pip):
    # type: (str, bool) -> bool
    """Make an environment; False where it can't have a pip."""
    try:
        import venv
    except ImportError:
        raise BundleError(USAGE, ["this Python can't make environments: it has no module venv"])
    try:
        venv.EnvBuilder(symlinks=os.name != "nt", with_pip=with_pip).create(path)
    except subprocess.CalledProcessError:
        if not with_pip:
            raise
        _clear(path)
        return False
    return True


def _clear(path):
    # type: (str) -> None
    """Remove what is in a folder."""
    for name in os.listdir(path) if os.path.isdir(path) else []:
        inner = os.path.join(path, name)
        if os.path.isdir(inner) and not os.path.islink(inner):
            shutil.rmtree(inner, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                os.unlink(inner)


def run_inside(python, arguments):
    # type: (str, list[str]) -> int
    """Run an interpreter that shall know no other place than its own; its exit code."""
    sys.stdout.flush()
    # On a Mac it would take another one's place for its own.
    settings = {name: v for name, v in os.environ.items() if name != "__PYVENV_LAUNCHER__"}
    process = subprocess.Popen([python, "-I"] + arguments, env=settings)
    try:
        return process.wait()
    except BaseException:
        # Ctrl-C went to both. It shall end first, and take back what it did.
        process.terminate()
        process.wait()
        raise
