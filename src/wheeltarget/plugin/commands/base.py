"""What all commands share: failures become lines, a JSON document, and an exit code."""

from __future__ import annotations

import signal
import threading
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cleo.exceptions import CleoError
from cleo.helpers import option
from poetry.console.commands.command import Command

from wheeltarget.core.errors import (
    INTERRUPTED,
    FileSystemError,
    Problem,
    UsageError,
    WheeltargetError,
)
from wheeltarget.core.manifest import json_text
from wheeltarget.plugin import project as of_poetry
from wheeltarget.plugin.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cleo.io.inputs.option import Option
    from cleo.io.io import IO
    from poetry.poetry import Poetry


def values(name: str, shortcut: str | None, description: str) -> Option:
    """An option that takes a value, and may be given several times."""
    return option(name, shortcut, description, flag=False, multiple=True)


class WheeltargetCommand(Command, ABC):
    """A command with the exit codes of CONTRACT section 7.

    A subclass may have a document for ``--json`` where the run fails, too.
    """

    @abstractmethod
    def work(self, console: Console) -> None:
        """Do what the command is for. Raises WheeltargetError."""

    def failure_document(
        self,
        problems: Sequence[Problem],  # noqa: ARG002
    ) -> Mapping[str, object] | None:
        """The document of ``--json`` for a run that failed; None where there is none then."""
        return None

    @property
    def wants_json(self) -> bool:
        """Whether stdout is to hold one JSON document and nothing else."""
        return self.definition.has_option("json") and bool(self.option("json"))

    def run(self, io: IO) -> int:
        """As cleo's, but an option that does not exist is a usage error, too."""
        try:
            return super().run(io)
        except CleoError as error:
            problem = Problem(what=str(error), hint=f"see poetry {self.name} --help")
            console = Console(io)
            console.errors([problem])
            if io.input.has_parameter_option("--json"):
                self._fail(console, [problem])
            return UsageError.exit_code

    def handle(self) -> int:
        """Run the command and return its exit code."""
        console = Console(self.io, quiet_stdout=self.wants_json)
        problems: tuple[Problem, ...] = ()
        try:
            with _terminable(), console.reserved_stdout():
                self.work(console)
        except WheeltargetError as error:
            problems, code = error.problems, error.exit_code
        except KeyboardInterrupt:
            problems = (Problem(what="interrupted; nothing half-written is left"),)
            code = INTERRUPTED
        except BrokenPipeError:
            raise  # cleo ends quietly when nobody reads any more
        except OSError as error:
            problems = (Problem(what=f"the system refuses: {error}", hint="see what it says"),)
            code = FileSystemError.exit_code
        except Exception as error:
            # Poetry shows it and ends with 1; whoever reads the document must learn of it, too.
            if self.wants_json:
                self._fail(console, [Problem(what=f"{type(error).__name__}: {error}")])
            raise
        else:
            return 0
        console.errors(problems)
        if self.wants_json:
            self._fail(console, problems)
        return code

    def _fail(self, console: Console, problems: Sequence[Problem]) -> None:
        document = self.failure_document(problems)
        if document is not None:
            console.document(json_text(document))

    def load_poetry(self, console: Console) -> Poetry:
        """The project. Raises UsageError where Poetry cannot load it."""
        try:
            with console.discreet():
                return self.poetry
        except Exception as error:  # Poetry has no common root for what can be wrong in a project
            raise UsageError(Problem(what=str(error).rstrip("."))) from error

    def load_poetry_if_any(self, console: Console) -> Poetry | None:
        """The project; None where there is none, or, with a warning, one that is not Poetry's."""
        try:
            return self.load_poetry(console)
        except UsageError as error:
            if not (
                isinstance(error.__cause__, Exception) and of_poetry.is_absent(error.__cause__)
            ):
                for problem in error.problems:
                    console.warn(problem)
            return None


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends the run as Ctrl-C does, so that nothing half-written stays behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _interrupt(_signum: int, _frame: object) -> None:
    raise KeyboardInterrupt
