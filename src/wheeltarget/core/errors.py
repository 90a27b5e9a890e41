"""What can go wrong: one class for each exit code, one :class:`Problem` for each finding.

Nothing is formatted here; :mod:`wheeltarget.core.report` turns problems into lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding: what happened, to what, and what to do.

    ``what`` and ``hint`` are plain text that may quote untrusted input; whoever prints them must
    escape them. The other fields are None where they do not apply.
    """

    what: str
    package: str | None = None
    target: str | None = None
    file: str | None = None
    hint: str | None = None


class WheeltargetError(Exception):
    """Root of all expected failures. ``problems`` lists every finding of the run, in order."""

    exit_code: ClassVar[int] = 1

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.what for problem in problems))
        self.problems = problems


class UsageError(WheeltargetError):
    """The command line or ``[tool.wheeltarget]`` asks for something that cannot be."""

    exit_code = 2


class LockError(WheeltargetError):
    """The lock is missing, stale, unreadable or hostile."""

    exit_code = 3


class PlanError(WheeltargetError):
    """No plan: a package has no usable file, or markers are ambiguous."""

    exit_code = 4


class NetworkError(WheeltargetError):
    """An index or a file is not reachable, or a locked file is no longer offered."""

    exit_code = 5


class IntegrityError(WheeltargetError):
    """A hash, an archive or a bundle is not what it must be."""

    exit_code = 6


class FileSystemError(WheeltargetError):
    """A file cannot be read or written."""

    exit_code = 7


#: Exit code of a run that was interrupted by Ctrl-C or SIGTERM.
INTERRUPTED = 130
