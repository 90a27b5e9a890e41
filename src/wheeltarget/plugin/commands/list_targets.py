"""``poetry wheeltarget list``: the declared targets and the presets."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from cleo.helpers import argument

from wheeltarget.core.config import Table, read_table
from wheeltarget.core.description import Description, read_description
from wheeltarget.core.presets import presets
from wheeltarget.core.targetinfo import list_lines
from wheeltarget.plugin import project as of_poetry
from wheeltarget.plugin.commands.base import WheeltargetCommand
from wheeltarget.plugin.surroundings import surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
        around = surroundings(poetry, console.warn, console)
        described = _descriptions(table, around.read_file)
        lines = list_lines(table, presets(), self.argument("words"), described)
        console.results(lines)
        if not lines:
            console.notes(["No target has such a name."])


def _descriptions(
    table: Table, read_file: Callable[[str, bool], bytes]
) -> Mapping[str, Description]:
    """The descriptions of declared targets by the path of their file, without unreadable ones.

    What is wrong with those is told where such a target is asked for.
    """
    found = {}
    for path in filter(None, (declared.description_file for declared in table.targets.values())):
        with suppress(OSError, ValueError):
            found[path] = read_description(read_file(path, True))
    return found
