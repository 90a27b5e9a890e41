"""``poetry wheeltarget verify``: whether bundles are what they were when they were written."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cleo.helpers import argument, option
from packaging.utils import canonicalize_name

from wheeltarget.bundle.verifying import Against, verify_bundle
from wheeltarget.core.bundlecheck import verify_document
from wheeltarget.core.errors import FileSystemError, IntegrityError
from wheeltarget.core.manifest import json_text
from wheeltarget.plugin import project as of_poetry
from wheeltarget.plugin.commands.base import WheeltargetCommand

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cleo.io.inputs.argument import Argument
    from cleo.io.inputs.option import Option

    from wheeltarget.core.bundlecheck import Verified
    from wheeltarget.core.errors import Problem
    from wheeltarget.plugin.console import Console


class VerifyCommand(WheeltargetCommand):
    """The command; without ``--lock`` it needs no project."""

    name = "wheeltarget verify"
    description = "Verifies bundles: structure, hashes, manifest, and what the packages require."

    arguments: ClassVar[list[Argument]] = [
        argument("bundles", "The bundles.", multiple=True),
    ]
    options: ClassVar[list[Option]] = [
        option("lock", None, "Compare them with the lock of the project here, too."),
        option("strict", None, "Make every warning an error."),
        option("json", None, "Write one JSON document to stdout."),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._results: list[Verified] = []

    def work(self, console: Console) -> None:
        """Verify each. Raises IntegrityError with all that is wrong, or FileSystemError."""
        against = self._against(console) if self.option("lock") else None
        results = [verify_bundle(path, against) for path in self.argument("bundles")]
        self._results = [r.strict() for r in results] if self.option("strict") else results
        for result in self._results:
            for problem in result.warnings():
                console.warn(problem)
        broken = [result for result in self._results if not result.ok]
        console.results(result.line() for result in self._results if result.ok)
        if broken:
            error = FileSystemError if all(r.unreadable for r in broken) else IntegrityError
            raise error(*(problem for result in broken for problem in result.problems()))
        if self.wants_json:
            console.document(json_text(verify_document(self._results)))

    def _against(self, console: Console) -> Against:
        poetry = self.load_poetry(console)
        with console.discreet():
            lock = of_poetry.load_lock(poetry, [canonicalize_name("main")])
        return Against(project=of_poetry.load_project(poetry, root=False).name, lock=lock)

    def failure_document(self, problems: Sequence[Problem]) -> Mapping[str, object]:
        """The document, with the bundles that were looked at, or with what kept them from it."""
        return verify_document(self._results, () if self._results else problems)
