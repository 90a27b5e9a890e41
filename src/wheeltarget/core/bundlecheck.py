"""What ``poetry wheeltarget verify`` found, as lines and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wheeltarget.core.document import problem_json
from wheeltarget.core.report import WrittenBundle, bundle_line
from wheeltarget.core.verify import Findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheeltarget.core.bundlefile import Manifest
    from wheeltarget.core.errors import Problem

#: Version of the form of the document.
VERIFY_SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A bundle that was looked at: its path, its size in bytes and sha256, and what is wrong.

    ``unreadable`` says that the file itself cannot be read.
    """

    path: str
    manifest: Manifest
    findings: Findings
    size: int = 0
    sha256: str = ""
    unreadable: bool = False

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.findings.problems

    @property
    def wheels(self) -> int:
        """How many wheels it holds, or was made from."""
        parts = self.manifest.parts
        return len({member.wheel.filename for part in parts for member in part.members})

    def line(self) -> str:
        """What a person is told where all is well."""
        return bundle_line(
            WrittenBundle(path=self.path, size=self.size, sha256=self.sha256, wheels=self.wheels)
        )

    def problems(self) -> Iterator[Problem]:
        """Its problems, each naming the bundle."""
        return self._named(self.findings.problems)

    def warnings(self) -> Iterator[Problem]:
        """Its warnings, each naming the bundle."""
        return self._named(self.findings.warnings)

    def _named(self, problems: Iterable[Problem]) -> Iterator[Problem]:
        for problem in problems:
            # Of a file that cannot be read, the problem is the file.
            named = problem.what if self.unreadable else f"{self.path}: {problem.what}"
            yield replace(problem, what=named)

    def strict(self) -> Verified:
        """The same with every warning as a problem."""
        found = self.findings
        return replace(self, findings=Findings(problems=(*found.problems, *found.warnings)))


def verify_document(
    bundles: Iterable[Verified], problems: Iterable[Problem] = ()
) -> Mapping[str, object]:
    """The document of ``verify --json``, schema 1.

    ``problems`` are what kept the run from looking at the bundles.
    """
    results = list(bundles)
    errors = [problem_json(problem) for problem in problems]
    document: dict[str, object] = {
        "schema": VERIFY_SCHEMA,
        "ok": not errors and all(result.ok for result in results),
        "bundles": [_bundle_json(result) for result in results],
    }
    if errors:
        document["errors"] = errors
    return document


def _bundle_json(result: Verified) -> Mapping[str, object]:
    project = result.manifest.project
    return {
        "path": result.path,
        "ok": result.ok,
        "size": result.size,
        "sha256": result.sha256,
        "project": project and {"name": project.name, "version": str(project.version)},
        "targets": [part.name for part in result.manifest.parts if part.name is not None],
        "wheels": result.wheels,
        "problems": [problem_json(problem) for problem in result.findings.problems],
        "warnings": [problem_json(problem) for problem in result.findings.warnings],
    }
