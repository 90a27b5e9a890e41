"""Lines and progress on Poetry's console. Untrusted text is printed as it is, never as markup."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from cleo.formatters.formatter import Formatter
from cleo.io.outputs.output import Type, Verbosity
from cleo.ui.progress_bar import ProgressBar

from wheeltarget.core.report import printable, problem_lines
from wheeltarget.core.sizes import human_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cleo.io.io import IO

    from wheeltarget.core.errors import Problem


def escaped(text: str) -> str:
    """Text for where markup is expected, so that nothing in it is taken for markup."""
    return str(Formatter.escape(text))


class Console:
    """Where output goes: results to stdout, everything else to stderr.

    With ``quiet_stdout`` stdout is kept for one JSON document, and results go to stderr, too.
    """

    def __init__(self, io: IO, *, quiet_stdout: bool = False) -> None:
        self._io = io
        self._quiet_stdout = quiet_stdout

    @property
    def verbose(self) -> bool:
        """Whether more than the usual is asked for."""
        return self._io.error_output.is_verbose()

    @contextmanager
    def reserved_stdout(self) -> Iterator[None]:
        """With ``quiet_stdout``, let nobody else print to it: Poetry's own debug log does."""
        loudness = self._io.output.verbosity
        if self._quiet_stdout:
            self._io.output.set_verbosity(Verbosity.QUIET)
        try:
            yield
        finally:
            self._io.output.set_verbosity(loudness)

    @contextmanager
    def discreet(self) -> Iterator[None]:
        """Keep Poetry from telling too much: its debug output names sources with credentials."""
        outputs = (self._io.output, self._io.error_output)
        before = [output.verbosity for output in outputs]
        for output in outputs:
            if output.verbosity is Verbosity.DEBUG:
                output.set_verbosity(Verbosity.VERY_VERBOSE)
        try:
            yield
        finally:
            for output, verbosity in zip(outputs, before, strict=True):
                output.set_verbosity(verbosity)

    def results(self, lines: Iterable[str]) -> None:
        """Lines that the user asked for."""
        for line in lines:
            if self._quiet_stdout:
                self._io.write_error_line(printable(line), type=Type.RAW)
            else:
                self._io.write_line(printable(line), type=Type.RAW)

    def document(self, text: str) -> None:
        """The one JSON document, also with ``--quiet``."""
        self._io.write(text, verbosity=Verbosity.QUIET, type=Type.RAW)

    def notes(self, lines: Iterable[str]) -> None:
        """Lines that tell what goes on."""
        for line in lines:
            self._io.write_error_line(printable(line), type=Type.RAW)

    def warn(self, problem: Problem) -> None:
        """Something odd that does not stop the run."""
        self._problems("<warning>Warning:</warning> ", [problem], Verbosity.NORMAL)

    def errors(self, problems: Sequence[Problem]) -> None:
        """What stopped the run, also with ``--quiet``."""
        self._problems("<error>Error:</error> ", problems, Verbosity.QUIET)

    def _problems(self, label: str, problems: Sequence[Problem], verbosity: Verbosity) -> None:
        for problem, following in zip_longest(problems, problems[1:]):
            # What helps against several in a row is said once, after the last of them.
            said_later = following is not None and following.hint == problem.hint
            shown = replace(problem, hint=None) if said_later else problem
            self._io.write_error(label, verbosity=verbosity)
            for line in problem_lines([shown]):
                self._io.write_error_line(printable(line), verbosity=verbosity, type=Type.RAW)

    def progress(self) -> FetchProgress:
        """Progress of fetching: a bar on a terminal, plain lines otherwise."""
        return FetchProgress(self._io)


class FetchProgress:
    """Tells how fetching goes on; its methods may be called from several threads."""

    def __init__(self, io: IO) -> None:
        self._io = io
        self._lock = threading.Lock()
        self._bar: ProgressBar | None = None
        self._files = self._done = self._bytes = 0

    def begin(self, files: int) -> None:
        """That many files have to be fetched."""
        self._files, self._done, self._bytes = files, 0, 0
        if self._io.error_output.is_decorated():
            self._bar = ProgressBar(self._io, files)
            self._bar.set_format(" Fetching wheels %current%/%max% [%bar%] %message%")
            self._bar.set_message("")
            self._bar.start()
        else:
            self._line(f"Fetching {files} wheel{'' if files == 1 else 's'}")

    def advance(self, size: int) -> None:
        """So many further bytes have come."""
        with self._lock:
            self._bytes += size
            if self._bar:
                self._bar.set_message(human_size(self._bytes))
                self._bar.advance(0)

    def finish_file(self, name: str) -> None:
        """One file is there, verified."""
        with self._lock:
            self._done += 1
            if self._bar:
                self._bar.advance()
            else:
                self._line(f"  {name}", Verbosity.VERBOSE)

    def end(self) -> None:
        """All is there, or the run has failed."""
        with self._lock:
            if self._bar:
                self._bar.display()
                self._io.write_error_line("")
            else:
                self._line(f"Fetched {self._done} of {self._files}, {human_size(self._bytes)}")

    def _line(self, text: str, verbosity: Verbosity = Verbosity.NORMAL) -> None:
        self._io.write_error_line(text, verbosity=verbosity, type=Type.RAW)
