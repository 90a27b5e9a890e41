"""``poetry wheeltarget probe``: a description of the interpreter that runs it."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, ClassVar

from cleo.helpers import option

from wheeltarget.core.errors import Problem, UsageError
from wheeltarget.core.manifest import json_text
from wheeltarget.plugin.commands.base import WheeltargetCommand

if TYPE_CHECKING:
    from cleo.io.inputs.option import Option

    from wheeltarget.plugin.console import Console


class ProbeCommand(WheeltargetCommand):
    """The command; it asks nothing of a project."""

    name = "wheeltarget probe"
    description = "Describes the interpreter that runs Poetry, as a description file."

    options: ClassVar[list[Option]] = [
        option("script", None, "Print a script that does this on a machine without Poetry."),
    ]

    def work(self, console: Console) -> None:
        """Print the description, or the script that makes one."""
        if self.option("script"):
            script = files("wheeltarget.runtime").joinpath("probe.py")
            console.document(script.read_text(encoding="utf-8"))
            return
        from wheeltarget.runtime.probe import ProbeError, describe

        try:
            console.document(json_text(describe()))
        except ProbeError as error:
            raise UsageError(
                Problem(what=str(error), hint="run the script of --script with another Python")
            ) from error
