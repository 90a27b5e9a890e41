"""``poetry wheeltarget diff``: in what two bundles differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cleo.helpers import argument, option

from wheeltarget.bundle.verifying import read_outlines
from wheeltarget.core.bundlediff import difference, difference_document, difference_lines
from wheeltarget.core.manifest import json_text
from wheeltarget.plugin.commands.base import WheeltargetCommand

if TYPE_CHECKING:
    from cleo.io.inputs.argument import Argument
    from cleo.io.inputs.option import Option

    from wheeltarget.plugin.console import Console


class DiffCommand(WheeltargetCommand):
    """The command; it works outside of a project, too."""

    name = "wheeltarget diff"
    description = "Shows in what two bundles differ."

    arguments: ClassVar[list[Argument]] = [
        argument("before", "A bundle."),
        argument("after", "Another bundle."),
    ]
    options: ClassVar[list[Option]] = [
        option("json", None, "Write one JSON document to stdout."),
    ]

    def work(self, console: Console) -> None:
        """Print the difference. Raises IntegrityError and FileSystemError."""
        paths = [self.argument("before"), self.argument("after")]
        before, after = read_outlines(paths)
        found = difference(before, after)
        console.results(difference_lines(found))
        if self.wants_json:
            console.document(json_text(difference_document(found, paths)))
