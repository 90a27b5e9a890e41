"""``poetry wheeltarget list``: the declared targets and the presets."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cleo.helpers import argument

from wheeltarget.core.config import Table, read_table
from wheeltarget.core.presets import presets
from wheeltarget.core.targetinfo import list_lines
from wheeltarget.plugin import project as of_poetry
from wheeltarget.plugin.commands.base import WheeltargetCommand

if TYPE_CHECKING:
    from cleo.io.inputs.argument import Argument

    from wheeltarget.plugin.console import Console


class ListCommand(WheeltargetCommand):
    """The command; it works outside of a project, too."""

    name = "wheeltarget list"
    description = "Lists the declared targets and the presets."

    arguments: ClassVar[list[Argument]] = [
        argument("words", "Only names that hold all of these.", optional=True, multiple=True),
    ]

    def work(self, console: Console) -> None:
        """Print the table."""
        poetry = self.load_poetry_if_any(console)
        table = read_table(of_poetry.table(poetry)) if poetry else Table()
        lines = list_lines(table, presets(), self.argument("words"))
        console.results(lines)
        if not lines:
            console.notes(["No target has such a name."])
