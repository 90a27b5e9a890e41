"""What end-to-end tests have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from e2e.buildrig import ALPHA, SDIST
from plugin.projectmaker import Recipe

if TYPE_CHECKING:
    from plugin.harness import Cli, MakeCli
    from plugin.projectmaker import Locked
    from support.index import IndexServer


@pytest.fixture
def cli_for(make_cli: MakeCli, index: IndexServer) -> Any:
    """Make the CLI of a project with these packages; the index has what tests may need."""
    index.add(SDIST.filename, SDIST.data)
    index.add(ALPHA.filename, ALPHA.data)

    def make(*packages: Locked, **more: Any) -> Cli:
        cli = make_cli(Recipe(packages=packages, **more))
        cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
        return cli

    return make
