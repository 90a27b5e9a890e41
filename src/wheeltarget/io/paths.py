"""Where bundles are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheeltarget.core.errors import Problem, UsageError
from wheeltarget.core.wheelname import bundle_file_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheeltarget.core.request import Request

DEFAULT_NAME = "{name}-{version}-{target}.zip"
#: What stands for ``{target}`` in the name of a bundle for several.
COMBINED = "combined"


def bundle_paths(
    request: Request, output: str | None, template: str, *, base: Path, here: Path
) -> tuple[Path, ...]:
    """The path of each target's bundle; only one path where the request is ``combined``.

    ``output`` is what the user typed, relative to ``here``: a ``.zip`` path, a directory, or a
    template with ``{name}``, ``{version}``, ``{target}``. Else ``template`` holds, relative to
    ``base``, the project's folder.

    Raises UsageError where two bundles would be one file, or the template cannot be filled.
    """
    if output is None:
        root, pattern = base, template
    elif "{" in output or output.endswith(".zip"):
        root, pattern = here, output
    else:
        root, pattern = here / output, DEFAULT_NAME
    names = [COMBINED] if request.combined else [s.target.name for s in request.targets]
    paths = tuple(root / _filled(pattern, request, name) for name in names)
    check_distinct(
        paths,
        f"{len(paths)} targets cannot share the output {output or template}",
        hint="give a directory, or a template with {target}",
    )
    return paths


def side_paths(request: Request, option: str, pattern: str | None, *, here: Path) -> Sequence[Path]:
    """The path of a file for each target that an option asks for; none where it is not given.

    ``pattern`` is a path, relative to ``here``, or a template for one.

    Raises UsageError where two files would be one, or the template cannot be filled.
    """
    if pattern is None:
        return ()
    names = [settings.target.name for settings in request.targets]
    paths = tuple(here / _filled(pattern, request, name) for name in names)
    check_distinct(paths, f"{len(paths)} targets cannot share {option} {pattern}")
    return paths


def check_distinct(
    paths: Sequence[Path], what: str, *, hint: str = "give a template with {target}"
) -> None:
    """Raises UsageError, saying ``what``, where two paths are one file, whatever the system."""
    if len({str(path).casefold() for path in paths}) < len(paths):
        raise UsageError(Problem(what=what, hint=hint))


def _filled(pattern: str, request: Request, target: str) -> str:
    project = request.project
    try:
        return bundle_file_name(
            pattern, name=project.name, version=str(project.version), target=target
        )
    except ValueError as error:
        raise UsageError(
            Problem(
                what=f"the output {pattern!r} cannot be filled in: {error}",
                hint="there are {name}, {version} and {target}",
            )
        ) from error


def shown_path(path: Path, root: Path) -> str:
    """A path as a user would type it in the folder ``root``."""
    return str(path.relative_to(root) if path.is_relative_to(root) else path)
