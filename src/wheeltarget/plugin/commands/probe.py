"""``poetry wheeltarget probe``: a description of the interpreter that runs it."""

from __future__ import annotations

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
            from wheeltarget.runtime.assembly import probe_text

            console.document(probe_text())
            return
        from wheeltarget.runtime.basics import ProbeError
        from wheeltarget.runtime.interpreter import describe

        try:
            console.document(json_text(describe()))
        except ProbeError as error:
            raise UsageError(
                Problem(what=str(error), hint="run the script of --script with another Python")
            ) from error
