"""What completing targets asks of the project, the disk and Poetry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wheeltarget.core.limits import DEFAULT_LIMITS
from wheeltarget.core.markers import AnyMarker
from wheeltarget.core.resolve import Surroundings
from wheeltarget.io.files import read_capped
from wheeltarget.plugin import project as of_poetry

if TYPE_CHECKING:
    from collections.abc import Callable

    from poetry.poetry import Poetry

    from wheeltarget.core.errors import Problem
    from wheeltarget.core.target import PythonVersion
    from wheeltarget.plugin.console import Console


def surroundings(
    poetry: Poetry | None, notice: Callable[[Problem], None], console: Console
) -> Surroundings:
    """The surroundings of a project, or of none: then any Python is allowed, and none active."""

    def active() -> PythonVersion:
        if poetry is None:
            raise ValueError("the target does not say its Python; add --python")
        return of_poetry.active_python(poetry)

    def read_file(path: str, declared: bool) -> bytes:
        base = poetry.pyproject_path.parent if poetry and declared else Path.cwd()
        return read_capped(base / path, DEFAULT_LIMITS.description_size)

    return Surroundings(
        project=of_poetry.requires_python(poetry) if poetry else AnyMarker(),
        declared=poetry.package.python_versions if poetry else "*",
        active=active,
        notice=notice,
        remark=console.warn,
        read_file=read_file,
    )
