"""Describe the Python that runs this file, for wheeltarget, a plugin of Poetry.

wheeltarget bundles the wheels of a Python project for a machine that is not the one it runs on.
This file tells it what such a machine is: run it there with the Python that the project will run
on (``python3 probe.py > target.json``, or ``python3 - < probe.py`` where no file can be put), take
the JSON home, and bundle with ``poetry bundle-wheels --target @target.json``. It needs nothing but
Python 3.6 or newer, changes nothing, asks no network, and says nothing about the machine but what
decides which wheels fit it.
"""

import json
import os
import sys

from wheeltarget.runtime.basics import ProbeError
from wheeltarget.runtime.interpreter import describe


def main():
    # type: () -> int
    """Print the description as JSON; the exit code."""
    try:
        text = json.dumps(describe(), indent=2)
    except ProbeError as error:
        sys.stderr.write("wheeltarget: can't describe this Python: {}\n".format(error))
        return 1
    return write(text + "\n")


def write(text):
    # type: (str) -> int
    """Write to stdout, which may be a full disk, closed or a pipe nobody reads; the exit code."""
    if sys.stdout is None:
        sys.stderr.write("wheeltarget: can't write the description: there is no output\n")
        return 1
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        sys.stderr.write("wheeltarget: can't write the description: {}\n".format(error))
        # What is left in the buffer would be written at the end, and fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
