"""The workshop of a run: Poetry's sources, its cache and its git, put to work."""

from __future__ import annotations

import os
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from wheeltarget.bundle.workshop import Workshop
from wheeltarget.io.build import Builder
from wheeltarget.io.cache import Cache
from wheeltarget.io.wheels import Supply
from wheeltarget.plugin import project as of_poetry
from wheeltarget.plugin.settings import cache_folder, limits_of
from wheeltarget.plugin.sources import Indexes
from wheeltarget.plugin.vcs import checkout
from wheeltarget.runtime.assembly import main_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from poetry.poetry import Poetry

    from wheeltarget.core.model import Project
    from wheeltarget.io.archive import ZipTime
    from wheeltarget.plugin.console import Console

DISTRIBUTION = "poetry-plugin-wheeltarget"

#: 1980-01-01, the first moment that a zip can say, in seconds since 1970.
_EARLIEST_EPOCH = "315532800"


@dataclass(frozen=True, kw_only=True)
class WorkshopOptions:
    """What a run says of how its wheels are had. ``moment`` is the time of what is written."""

    moment: ZipTime
    offline: bool
    cached: bool


@contextmanager
def open_workshop(
    poetry: Poetry, project: Project, console: Console, options: WorkshopOptions
) -> Iterator[Workshop]:
    """A workshop with a scratch folder that is gone afterwards. Raises UsageError."""
    with tempfile.TemporaryDirectory(prefix="wheeltarget-") as name:
        scratch = Path(name)
        supply = _supply(poetry, console, options, scratch)
        yield Workshop(
            supply=supply,
            builder=Builder(
                project=project,
                root=poetry.pyproject_path.parent,
                folder=scratch,
                supply=supply,
                checkout=checkout,
                moment=options.moment,
                epoch=os.environ.get("SOURCE_DATE_EPOCH") or _EARLIEST_EPOCH,
                offline=options.offline,
                in_place=of_poetry.builds_in_place(poetry),
                tell=lambda line: console.notes([line]),
            ),
            generator=(DISTRIBUTION, version(DISTRIBUTION)),
            main=main_text(),
            moment=options.moment,
            warn=console.warn,
            root=Path.cwd(),
        )


def _supply(poetry: Poetry, console: Console, options: WorkshopOptions, scratch: Path) -> Supply:
    limits = limits_of(poetry.config)
    folder = cache_folder(poetry.config) if options.cached else scratch / "cache"
    cancelled = threading.Event()
    return Supply(
        cache=Cache(folder),
        root=poetry.pyproject_path.parent,
        index_for=Indexes(
            pool=poetry.pool,
            limits=limits,
            cancelled=cancelled,
            user_agent=f"{DISTRIBUTION}/{version(DISTRIBUTION)}",
        ),
        progress=console.progress(),
        warn=console.warn,
        cancelled=cancelled,
        workers=limits.workers,
        offline=options.offline,
    )
