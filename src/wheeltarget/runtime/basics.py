"""What all modules that look at the interpreter share."""

# This travels to machines with any Python: it is joined with its neighbours to one script. Types
# stand in comments, and newer syntax is avoided, so that Python 2.7 can read it far enough to say
# that it is too old.

import re


class ProbeError(Exception):
    """The interpreter can't be described; the text says why, in one line."""


def normalized(name):
    # type: (str) -> str
    """A name as tags spell it."""
    return re.sub(r"[. -]", "_", name)
