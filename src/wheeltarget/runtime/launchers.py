"""Commands that run Python code: scripts of wheels, and those that call an entry point."""

import os
import shlex

from wheeltarget.runtime.wheelfile import EntryPoint

#: The longest first line that every kernel takes, in bytes; Linux cut lines of 128 until 5.1.
_LONGEST = 127

_ENTRY_SCRIPT = """\
import sys

from {module} import {first}

if __name__ == "__main__":
    sys.exit({attribute}())
"""
_COMMAND = '@"{python}" "%~dp0{script}" %*\r\n'


def shebang(python):
    # type: (str) -> bytes
    """The first line of a script, for an interpreter.

    Where no kernel would take it, since the path is long or has a space, the script is one of the
    shell, to which the interpreter's own file looks like a text in Python.
    """
    raw = os.fsencode(python)
    line = b"#!" + raw + b"\n"
    if len(line) <= _LONGEST and not any(char in raw for char in b" \t\n"):
        return line
    return b"#!/bin/sh\n'''exec' " + os.fsencode(shlex.quote(python)) + b" \"$0\" \"$@\"\n' '''\n"


def own_script(content, python):
    # type: (bytes, str) -> bytes
    """A script of a wheel for an interpreter, where its first line says ``#!python``."""
    if not content.startswith(b"#!python"):
        return content
    line, _, rest = content.partition(b"\n")
    name, _, options = line[2:].strip().partition(b" ")
    if options:  # only the kernel's own form has options
        return b"#!" + os.fsencode(python) + b" " + options + b"\n" + rest
    return shebang(_windowed(python) if name == b"pythonw" else python) + rest


def entry_scripts(entry, python, windows):
    # type: (EntryPoint, str, bool) -> list[tuple[str, bytes]]
    """The files for an entry point: their names, and what is in them.

    Windows runs no text by its first line, and a program can't be made here: a ``.cmd`` beside
    the script stands in for it.
    """
    code = _ENTRY_SCRIPT.format(
        module=entry.module, first=entry.attribute.partition(".")[0], attribute=entry.attribute
    ).encode("utf-8")
    if not windows:
        return [(entry.name, shebang(python) + code)]
    if entry.is_gui:
        python = _windowed(python)
    script = entry.name + ("-script.pyw" if entry.is_gui else "-script.py")
    command = _COMMAND.format(python=python.replace("%", "%%"), script=script)
    return [(script, code), (entry.name + ".cmd", command.encode("utf-8"))]


def _windowed(python):
    # type: (str) -> str
    """The Python without a console, where there is one beside."""
    folder, name = os.path.split(python)
    windowed = os.path.join(folder, name.replace("python", "pythonw", 1))
    return windowed if os.path.exists(windowed) else python
