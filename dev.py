"""Runs this repository's commands: python3 dev.py COMMAND [ARGUMENT]...

It needs Python 3.10 or newer and nothing else, on Linux, macOS and Windows. What a command needs
is installed in .venv, next to this file, at its first run and whenever pyproject.toml has changed.
"""

import sys

if sys.version_info < (3, 10):
    version = ".".join(map(str, sys.version_info[:3]))
    sys.exit(
        f"dev.py needs Python 3.10 or newer, but {sys.executable} is {version}.\n"
        f"Run it with a newer one, for example: python3.12 dev.py {' '.join(sys.argv[1:])}"
    )

import errno
import hashlib
import importlib.util
import json
import os
import platform
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, NoReturn, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
SUFFIX = ".exe" if os.name == "nt" else ""
STAMP = VENV / "dev-stamp.json"
LOCK = ROOT / ".venv.lock"

#: The scripts that each dependency group brings; "" stands for the plugin itself.
SCRIPTS = {
    "": ("python", "poetry"),
    "test": ("pytest", "coverage"),
    "lint": ("ruff", "mypy"),
    "docs": ("mkdocs",),
    "nox": ("nox",),
}

#: One process of tests for each processor; the tests of a file stay together, and so their caches.
SIDE_BY_SIDE = ("--numprocesses=auto", "--dist=loadfile")

#: What coverage must be, in per cent, with branches.
COVERAGE = 90
COVERAGE_OF_CORE = 100

#: Variables of the user's shell that would lead Python, pip or Poetry out of .venv.
MISLEADING = {
    "__PYVENV_LAUNCHER__",
    "CONDA_DEFAULT_ENV",
    "CONDA_PREFIX",
    "PIP_PREFIX",
    "PIP_PYTHON",
    "PIP_ROOT",
    "PIP_TARGET",
    "PYTHONEXECUTABLE",
    "PYTHONHOME",
    "PYTHONINSPECT",
    "PYTHONOPTIMIZE",
    "PYTHONPATH",
    "PYTHONPLATLIBDIR",
    "PYTHONUSERBASE",
    "PYTHONWARNINGS",
    "VIRTUAL_ENV",
    "VIRTUAL_ENV_PROMPT",
}

#: Of Poetry's settings, only how to reach an index and where to cache are the user's here.
POETRY_ACCESS = (
    "POETRY_CACHE_DIR",
    "POETRY_CERTIFICATES_",
    "POETRY_HTTP_BASIC_",
    "POETRY_KEYRING_",
    "POETRY_PYPI_TOKEN_",
    "POETRY_REPOSITORIES_",
    "POETRY_REQUESTS_",
)


# ------------------------------------------------------------------------------ running commands


def say(line: str) -> None:
    """Tell what happens, on stderr: stdout belongs to the command."""
    print(f"dev.py: {line}", file=sys.stderr, flush=True)


def fail(*lines: str) -> NoReturn:
    """Tell what is wrong, and stop."""
    for line in lines:
        say(line)
    raise SystemExit(1)


def environment() -> dict[str, str]:
    """The user's environment without what misleads: proxies, certificates, pip's settings stay."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in MISLEADING
        and (not name.startswith("POETRY_") or name.startswith(POETRY_ACCESS))
    }
    kept["PATH"] = os.pathsep.join(filter(None, (str(BIN), kept.get("PATH"))))
    kept["PIP_USER"] = "0"
    kept["POETRY_VIRTUALENVS_CREATE"] = "false"
    return kept


def script(name: str, *args: str) -> list[str]:
    """The command line of a script in .venv."""
    return [str(BIN / (name + SUFFIX)), *args]


def run(*command: str, cwd: Path = ROOT) -> int:
    """Run a command on the user's terminal, and return its exit code."""
    with subprocess.Popen(command, cwd=cwd, env=environment()) as process:
        while True:
            try:
                code = process.wait()
            except KeyboardInterrupt:  # the command got it too: it decides how to end
                continue
            return code if code >= 0 else 128 - code


def become(*command: str, cwd: Path = ROOT) -> int:
    """Run a command as the last thing; where the system can do that, in place of this process."""
    if os.name != "nt":
        os.chdir(cwd)
        os.execve(command[0], command, environment())
    return run(*command, cwd=cwd)


def run_all(*commands: list[str]) -> int:
    """Run all commands, even after one has failed, and return the first exit code that isn't 0."""
    codes = [run(*command) for command in commands]
    return next(filter(None, codes), 0)


def run_quietly(*command: str, hint: str) -> None:
    """Run a command that the user need not see, unless it fails."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        print(done.stdout.rstrip(), file=sys.stderr)
        fail(f"failed with exit code {done.returncode}: {' '.join(command)}", hint)


# ---------------------------------------------------------------------------- what is in .venv


class Stamp(TypedDict, total=False):
    """What dev.py knows about .venv."""

    ready: bool
    identity: list[str]
    pyproject: str
    groups: list[str]


def ensure(*groups: str) -> None:
    """Make .venv hold the plugin, Poetry, and these dependency groups."""
    pyproject = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    with locked():
        stamp = read_stamp()
        if not is_usable(stamp):
            create()
            stamp = None
        have = set(stamp["groups"]) if stamp and stamp["pyproject"] == pyproject else None
        if have is not None and have.issuperset(groups):
            return
        want = sorted({*groups, *(have or ())})
        write_stamp({"ready": False, "identity": identity()})
        install(want)
        write_stamp({"ready": True, "identity": identity(), "pyproject": pyproject, "groups": want})


def identity() -> list[str]:
    """The place and the Python that .venv was made for: it is of no use for another one."""
    return [str(ROOT), sys.base_prefix, platform.python_version(), platform.machine()]


def read_stamp() -> Stamp | None:
    """The stamp, None if dev.py hasn't made this .venv."""
    try:
        stamp: Stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {"ready": False}
    return stamp


def write_stamp(stamp: Stamp) -> None:
    """Remember what .venv holds."""
    STAMP.write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")


def is_usable(stamp: Stamp | None) -> bool:
    """Whether .venv is whole and fits this Python; one that isn't from dev.py may do."""
    modules = ["pip"]
    scripts = ["python"]
    if stamp is not None:
        if not stamp.get("ready") or stamp.get("identity") != identity():
            return False
        modules += ["poetry", "wheeltarget"]
        scripts += [name for group in ("", *stamp["groups"]) for name in SCRIPTS.get(group, ())]
    if not all(Path(script(name)[0]).exists() for name in scripts):
        return False
    probe = (
        "import importlib.util, platform, sys\n"
        "assert sys.prefix != sys.base_prefix\n"
        f"assert platform.python_version() == {platform.python_version()!r}\n"
        f"assert all(importlib.util.find_spec(name) for name in {modules!r})\n"
    )
    python = script("python", "-I", "-c", probe)
    try:
        done = subprocess.run(python, env=environment(), capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def create() -> None:
    """Make .venv anew."""
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        fail(
            f"{sys.executable} lacks the modules venv or ensurepip, which belong to Python.",
            "Debian and Ubuntu have them in a package of its own: sudo apt install python3-venv",
        )
    say(f"{'renewing' if VENV.exists() else 'creating'} .venv with {base_python()}")
    run_quietly(
        *(base_python(), "-I", "-m", "venv", "--clear", str(VENV)),
        hint="If .venv is in use or not writable: close what uses it, delete it, and try again.",
    )


def base_python() -> str:
    """The Python that .venv is made with: never the one of an activated virtual environment."""
    if sys.prefix == sys.base_prefix:
        return sys.executable
    prefix = Path(sys.base_prefix)
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    candidates = (prefix / "bin" / f"python{version}", prefix / "python.exe")
    return next((str(path) for path in candidates if path.exists()), sys.executable)


def install(groups: list[str]) -> None:
    """Install the plugin, as an editable, and the dependency groups into .venv."""
    what = ", ".join(("the plugin and Poetry", *(f"group {group}" for group in groups)))
    say(f"installing in .venv: {what} (this may take a few minutes)")
    pip = script("python", "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    hint = "If the index was out of reach: pip's own variables and configuration files apply."
    run_quietly(*pip, "--upgrade", "pip>=25.1", hint=hint)  # the first that knows --group
    run_quietly(*pip, "-e", ".", *(f"--group={group}" for group in groups), hint=hint)


@contextmanager
def locked() -> "Iterator[None]":
    """Keep other runs of this script waiting while this one looks at .venv and changes it."""
    with LOCK.open("w") as handle:
        if not try_lock(handle):
            say("waiting for another dev.py that is working on .venv")
            while not try_lock(handle):
                time.sleep(0.2)
        yield


def try_lock(handle: IO[str]) -> bool:
    """Lock the file until it is closed; False if another process has locked it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:  # a file system without locks has to do without them
        return error.errno not in {errno.EACCES, errno.EAGAIN, errno.EDEADLK}
    return True


# ------------------------------------------------------------------------------- the commands


def example(args: list[str]) -> int:
    """Bundle examples/legacy-faas for manylinux2010_x86_64."""
    poetry = script("poetry", "bundle-wheels", "--target", "manylinux2010_x86_64", *args)
    return become(*poetry, cwd=ROOT / "examples" / "legacy-faas")


def test(args: list[str]) -> int:
    """Run pytest: all tests but those that need minutes or the network."""
    return become(*script("pytest", *SIDE_BY_SIDE, *args))


def coverage(args: list[str]) -> int:
    """Run all tests, and measure what they cover."""
    core = f"--include={ROOT / 'src' / 'wheeltarget' / 'core' / '*'}"
    return run_all(
        script("pytest", *SIDE_BY_SIDE, "-m", "", "--cov", "--cov-report=", *args),
        script("coverage", "report", f"--fail-under={COVERAGE}"),
        script("coverage", "report", f"--fail-under={COVERAGE_OF_CORE}", core),
    )


def lint(args: list[str]) -> int:
    """Run ruff, as linter and as formatter that changes nothing."""
    return run_all(
        script("ruff", "check", *args),
        script("ruff", "format", "--check", *args),
    )


def reformat(args: list[str]) -> int:
    """Let ruff mend and format the code."""
    return run_all(script("ruff", "check", "--fix", *args), script("ruff", "format", *args))


def types(args: list[str]) -> int:
    """Run mypy."""
    return become(*script("mypy", *args))


def docs(args: list[str]) -> int:
    """Build the documentation in site."""
    return become(*script("mkdocs", "build", "--strict", *args))


def presets(args: list[str]) -> int:
    """Write the tables of presets into the reference."""
    return become(*script("python", str(ROOT / "docs" / "preset_table.py"), *args))


def nox(args: list[str]) -> int:
    """Run nox: the tests with the oldest, the newest, and each other Poetry."""
    return become(*script("nox", *args))


class Command(NamedTuple):
    """What to install, and what to do then."""

    groups: tuple[str, ...]
    action: "Callable[[list[str]], int]"


COMMANDS = {
    "example": Command((), example),
    "test": Command(("test",), test),
    "coverage": Command(("test",), coverage),
    "lint": Command(("lint",), lint),
    "format": Command(("lint",), reformat),
    "types": Command(("lint", "nox", "test"), types),
    "docs": Command(("docs",), docs),
    "presets": Command((), presets),
    "nox": Command(("nox",), nox),
}


def usage() -> str:
    """What can be done with this script."""
    title = "Commands; the arguments go to the tool that the command runs:"
    lines = [f"  {name:9} {command.action.__doc__}" for name, command in COMMANDS.items()]
    return "\n".join((str(__doc__), title, *lines))


def main(args: list[str]) -> int:
    """Run one command."""
    if args and args[0] in {"-h", "--help", "help"}:
        print(usage())
        return 0
    if not args or args[0] not in COMMANDS:
        if args:
            say(f"there is no command {args[0]!r}")
        print(usage(), file=sys.stderr)
        return 2
    command = COMMANDS[args[0]]
    try:
        ensure(*command.groups)
        return command.action(args[1:])
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
