"""Check, list or install the bundle that this file is in.

Written by wheeltarget, a plugin of Poetry. It needs nothing but Python 3.6 or newer, and no
network: ``python BUNDLE.zip check``, or ``python FOLDER check`` where it was unpacked.
"""

import argparse
import os
import signal
import sys

from wheeltarget.runtime.archive import Archive
from wheeltarget.runtime.basics import ProbeError
from wheeltarget.runtime.container import Folder, opened
from wheeltarget.runtime.contents import SITE_PACKAGES, Contents, Part
from wheeltarget.runtime.environment import (
    environment_python,
    is_environment,
    new_environment,
    run_inside,
)
from wheeltarget.runtime.fitting import Here, leading, misfits, patch_warning
from wheeltarget.runtime.installing import install_tree, install_wheels, wants_pip
from wheeltarget.runtime.integrity import damages, part_named, read_contents
from wheeltarget.runtime.interpreter import describe
from wheeltarget.runtime.opening import UNFIT
from wheeltarget.runtime.speech import (
    DAMAGED,
    FILE_SYSTEM,
    INTERRUPTED,
    USAGE,
    BundleError,
    complain_of,
    counted,
    finish,
    say,
    shown,
    warn,
)


def main(path, arguments):
    # type: (str, list[str]) -> int
    """Run a command on the bundle at a path; the exit code."""
    try:
        asked = _parser(path).parse_args(arguments)
        if asked.command is None:
            _parser(path).error("a command is missing")
        return int(asked.run(path, asked))
    except BundleError as error:
        complain_of(error)
        return error.code
    except OSError as error:
        complain_of(BundleError(FILE_SYSTEM, [_told(error)]))
        return FILE_SYSTEM
    except KeyboardInterrupt:
        complain_of(BundleError(INTERRUPTED, ["interrupted"]))
        return INTERRUPTED
    finally:
        finish()


def _told(error):
    # type: (OSError) -> str
    named = "{}: ".format(shown(error.filename)) if error.filename else ""
    return named + shown(error.strerror or error)


# --- the command line -------------------------------------------------------------------------


def _parser(path):
    # type: (str) -> argparse.ArgumentParser
    parser = _plain(
        argparse.ArgumentParser(
            prog="python " + os.path.basename(path),
            description="Check, list or install this bundle; no network is used.",
            allow_abbrev=False,
        )
    )
    commands = parser.add_subparsers(metavar="COMMAND", dest="command")
    for name, help_text, run in (
        ("check", "check all hashes, and that the bundle is for this Python", check),
        ("install", "check, then install into the environment of this Python", install),
        ("list", "tell what is inside", list_contents),
    ):
        # Which abbreviations there are may change with the version.
        command = _plain(commands.add_parser(name, help=help_text, description=help_text))
        command.set_defaults(run=run)
        command.add_argument(
            "--select", metavar="NAME", help="of several targets in the bundle, take this one"
        )
        if name == "install":
            where = command.add_mutually_exclusive_group()
            where.add_argument("--target", metavar="DIR", help="into a folder instead")
            where.add_argument(
                "--venv", metavar="DIR", help="into a virtual environment, made if need be"
            )
    return parser


def _plain(parser):
    # type: (argparse.ArgumentParser) -> argparse.ArgumentParser
    """A parser that prints no colours, as Python 3.14 would."""
    setattr(parser, "color", False)  # noqa: B010 - no attribute before that
    return parser


# --- commands ---------------------------------------------------------------------------------


def check(path, asked):
    # type: (str, argparse.Namespace) -> int
    """Check everything, and say that it is well."""
    with opened(path) as container:
        contents = read_contents(container)
        part, here = _checked(container, contents, asked.select)
    _warn_of_patch(part, here)
    number = counted(len(part.packages), "package" if contents.layout == SITE_PACKAGES else "wheel")
    say("all is well: {}, target {}".format(number, shown(part.target.name)))
    return 0


def install(path, asked):
    # type: (str, argparse.Namespace) -> int
    """Check everything, then install."""
    if asked.venv and is_environment(asked.venv):
        # Its interpreter may be another one, and is the one that counts.
        return _install_inside(environment_python(os.path.abspath(asked.venv)), path, asked)
    with opened(path) as container:
        contents = read_contents(container)
        part, here = _checked(container, contents, asked.select)
        if contents.layout == SITE_PACKAGES and not asked.target:
            problem = "this bundle is an installed tree, which goes into a folder only"
            raise BundleError(USAGE, [problem], "Say which: install --target DIR.")
        if asked.venv:
            return _install_anew(path, asked, part, here)
        _warn_of_patch(part, here)
        target = os.path.abspath(asked.target) if asked.target else ""
        if contents.layout == SITE_PACKAGES:
            install_tree(container, contents, target)
        else:
            install_wheels(container, part, here.tags, target)
    return 0


def _install_anew(path, asked, part, here):
    # type: (str, argparse.Namespace, Part, Here) -> int
    """Install into an environment that is made for it, and kept only if all goes well."""
    folder = os.path.abspath(asked.venv)
    try:
        with new_environment(
            folder, lambda pip: wants_pip(part.packages, here.tags, pip)
        ) as python:
            code = _install_inside(python, path, asked)
            if code != 0:
                raise BundleError(code, [])
    except BundleError as error:
        if error.problems:
            raise
        return error.code
    return 0


def _install_inside(python, path, asked):
    # type: (str, str, argparse.Namespace) -> int
    selected = ["--select", asked.select] if asked.select is not None else []
    return run_inside(python, [path, "install"] + selected)


def list_contents(path, asked):
    # type: (str, argparse.Namespace) -> int
    """Say what is inside, as the manifest has it."""
    with opened(path) as container:
        contents = read_contents(container)
    if contents.problems:
        raise BundleError(DAMAGED, contents.problems)
    say("{} {}".format(*[shown(text) for text in contents.project]))
    for part in _selected(contents, asked.select):
        say("")
        for line in _part_lines(part):
            say(line)
    return 0


def _part_lines(part):
    # type: (Part) -> list[str]
    target = part.target
    told = "target {}: Python {}, {}"
    facts = (target.name, target.python, leading(target.platforms)[0])
    lines = [told.format(*[shown(fact) for fact in facts])]
    rows = []
    for package in part.packages:
        marks = [name for name in ("built", "beyond") if getattr(package, name)]
        rows.append((package.name, package.version, str(package.size), ", ".join(marks)))
    rows += [(name, version, "", "left out") for name, version in part.excluded]
    widths = [max([len(row[column]) for row in rows] or [0]) for column in range(3)]
    for name, version, size, mark in rows:
        row = [shown(name).ljust(widths[0]), shown(version).ljust(widths[1])]
        lines.append("  " + "  ".join(row + [size.rjust(widths[2]), mark]).rstrip())
    return lines


# --- checking ---------------------------------------------------------------------------------


def _selected(contents, name):
    # type: (Contents, str | None) -> list[Part]
    """The part for the named target, or all. Raises BundleError where there is none."""
    if name is None:
        return contents.parts
    part = part_named(contents, name)
    if part is None:
        names = ", ".join(shown(each.target.name) for each in contents.parts)
        problem = "the bundle has no target {}".format(shown(name))
        raise BundleError(USAGE, [problem], "It has: {}.".format(names))
    return [part]


def _checked(container, contents, name):
    # type: (Archive | Folder, Contents, str | None) -> tuple[Part, Here]
    """The part that is for this interpreter, of an intact bundle; what this interpreter is.

    Raises BundleError that has every problem of both kinds.
    """
    parts = _selected(contents, name)
    here = _here()
    unlike = [misfits(part, contents.layout, here) for part in parts]
    damaged = damages(container, contents)
    fitting = [part for part, found in zip(parts, unlike) if not found]
    if damaged:
        hint = "The bundle was damaged or changed since it was written: get it anew."
        raise BundleError(DAMAGED, damaged + ([] if fitting else _named(parts, unlike)), hint)
    if not fitting:
        hint = "Nothing was changed. Take a bundle for this Python, or another Python."
        raise BundleError(UNFIT, _named(parts, unlike), hint)
    return fitting[0], here


def _named(parts, unlike):
    # type: (list[Part], list[list[str]]) -> list[str]
    return [
        "target {}: {}".format(shown(part.target.name), shown(line))
        for part, lines in zip(parts, unlike)
        for line in lines
    ]


def _here():
    # type: () -> Here
    try:
        found = describe()
    except ProbeError as error:
        raise BundleError(UNFIT, ["this Python can't be told: {}".format(error)])
    lists = {
        key: [str(each) for each in value]
        for key, value in found.items()
        if isinstance(value, list)
    }
    return Here(
        str(found["python"]),
        str(found["implementation"]),
        lists["abis"],
        lists["platforms"],
        frozenset(lists["tags"]),
    )


def _warn_of_patch(part, here):
    # type: (Part, Here) -> None
    text = patch_warning(part.target, here)
    if text:
        warn(text)


if __name__ == "__main__":
    # SIGTERM, too, shall leave nothing half-done.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(os.path.dirname(os.path.abspath(__file__)), sys.argv[1:]))
