"""``--sbom`` and ``--export-urls``: what they ask for, checked before anything is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheeltarget.bundle.beside import Beside
from wheeltarget.core.errors import Problem, UsageError
from wheeltarget.io.paths import check_distinct, side_paths
from wheeltarget.io.sbom import require_library
from wheeltarget.plugin.project import root_requirements

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from poetry.poetry import Poetry

    from wheeltarget.core.request import Request


def check_options(sbom: str | None, urls: str | None, *, check: bool, offline: bool) -> None:
    """Raises UsageError where the options exclude each other, or a library is missing."""
    given = [name for name, value in (("--sbom", sbom), ("--export-urls", urls)) if value]
    problems = []
    if check:
        problems += [
            Problem(what=f"{name} writes a file, and --check writes nothing") for name in given
        ]
    if offline and urls:
        problems.append(Problem(what="--export-urls asks the index, which --offline forbids"))
    if problems:
        raise UsageError(*problems)
    if sbom:
        require_library()


def read_beside(
    poetry: Poetry,
    request: Request,
    bundles: Sequence[Path],
    *,
    sbom: str | None,
    urls: str | None,
    here: Path,
    dated: bool,
) -> Beside:
    """What is to be written beside the bundles, each at a place of its own. Raises UsageError."""
    sboms = side_paths(request, "--sbom", sbom, here=here)
    lists = side_paths(request, "--export-urls", urls, here=here)
    check_distinct(
        [*bundles, *sboms, *lists],
        "the bundle, --sbom and --export-urls cannot be one file",
        hint="give each another name",
    )
    roots = root_requirements(poetry, request.groups) if sboms else ()
    return Beside(
        sboms=sboms,
        urls=lists,
        wanted=tuple(root.requirement for root in roots),
        dated=dated,
    )
