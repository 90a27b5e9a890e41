"""``poetry wheeltarget show``: what a target is, for a person or as a description file."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cleo.helpers import argument, option

from wheeltarget.core.config import Table, read_table
from wheeltarget.core.description import description_document
from wheeltarget.core.errors import Problem, UsageError
from wheeltarget.core.manifest import json_text
from wheeltarget.core.resolve import Resolver
from wheeltarget.core.spec import SpecError
from wheeltarget.core.targetinfo import show_lines
from wheeltarget.plugin import project as of_poetry
from wheeltarget.plugin.commands.base import WheeltargetCommand
from wheeltarget.plugin.surroundings import surroundings

if TYPE_CHECKING:
    from cleo.io.inputs.argument import Argument
    from cleo.io.inputs.option import Option

    from wheeltarget.plugin.console import Console


class ShowCommand(WheeltargetCommand):
    """The command; it works outside of a project, too."""

    name = "wheeltarget show"
    description = "Shows the tags and marker values of a target."

    arguments: ClassVar[list[Argument]] = [
        argument("target", "Whatever --target of bundle-wheels takes."),
    ]
    options: ClassVar[list[Option]] = [
        option("python", None, "The target's Python, where it does not say one.", flag=False),
        option("json", None, "Write a description file to stdout."),
    ]

    def work(self, console: Console) -> None:
        """Print the target. Raises UsageError where it cannot be."""
        poetry = self.load_poetry_if_any(console)
        table = read_table(of_poetry.table(poetry)) if poetry else Table()
        text = self.argument("target")
        around = surroundings(poetry, console.warn, console)
        try:
            settings = Resolver(table, self.option("python"), around).resolve(text)
        except SpecError as error:
            raise UsageError(Problem(what=str(error), target=text)) from error
        if self.wants_json:
            console.document(json_text(description_document(settings.target)))
        else:
            console.results(show_lines(settings))
