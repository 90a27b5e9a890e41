"""What is said to people: plain lines, in which nothing untrusted can do harm."""

import os
import sys
from typing import TextIO

#: Exit codes: CONTRACT.md, section 7.
USAGE = 2
DAMAGED = 6
FILE_SYSTEM = 7
INTERRUPTED = 130


class BundleError(Exception):
    """What ends a run: an exit code, and every problem that led to it, one line each.

    ``hint`` says what to do.
    """

    def __init__(self, code, problems, hint=""):
        # type: (int, list[str], str) -> None
        Exception.__init__(self, "; ".join(problems))
        self.code = code
        self.problems = problems
        self.hint = hint


def shown(text):
    # type: (object) -> str
    """A text of unknown origin as part of a line: what is not printable is escaped."""
    characters = [
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in str(text)
    ]
    return "".join(characters)


def counted(number, name):
    # type: (int, str) -> str
    """``1 wheel``, ``2 wheels``."""
    return "{} {}{}".format(number, name, "" if number == 1 else "s")


def say(text):
    # type: (str) -> None
    """Write a line to stdout; quietly nothing where nobody reads it any more."""
    _write(sys.stdout, text + "\n")


def finish():
    # type: () -> None
    """Write what is left in the buffer of stdout, or drop it where nobody reads it."""
    _write(sys.stdout, "")


def complain(text):
    # type: (str) -> None
    """Write a line to stderr."""
    _write(sys.stderr, text + "\n")


def warn(text):
    # type: (str) -> None
    """Write a warning to stderr."""
    complain("Warning: " + text)


def _write(stream, text):
    # type: (TextIO, str) -> None
    """Write a text and all that others have left in the buffer."""
    # Locales of old know ASCII only.
    encoding = getattr(stream, "encoding", None) or "ascii"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except BrokenPipeError:
        # What is left in the buffer would be written at the end, and fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def complain_of(error):
    # type: (BundleError) -> None
    """Write every problem of an error to stderr."""
    for problem in error.problems:
        complain("Error: " + problem)
    if error.hint:
        complain("  " + error.hint)
