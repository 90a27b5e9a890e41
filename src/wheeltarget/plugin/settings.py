"""What Poetry's configuration says of our work, from wherever Poetry has it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wheeltarget.core.errors import Problem, UsageError
from wheeltarget.core.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from poetry.config.config import Config

    from wheeltarget.core.limits import Limits


def cache_folder(config: Config) -> Path:
    """Where wheels are kept: below Poetry's cache, with ``~`` for the home folder as there."""
    return Path(str(config.get("cache-dir"))).expanduser() / "wheeltarget"


def limits_of(config: Config) -> Limits:
    """Our limits with what Poetry's configuration says of workers and retries.

    Raises UsageError for a number that is none.
    """
    return replace(
        DEFAULT_LIMITS,
        workers=_workers(config) if config.get("installer.parallel", True) else 1,
        attempts=max(DEFAULT_LIMITS.attempts, _retries(config) + 1),
    )


def _workers(config: Config) -> int:
    try:
        return max(1, config.installer_max_workers)
    except ValueError:
        raise _no_number("installer.max-workers") from None


def _retries(config: Config) -> int:
    try:
        return int(config.get("requests.max-retries") or 0)
    except ValueError:
        raise _no_number("requests.max-retries") from None


def _no_number(setting: str) -> UsageError:
    return UsageError(
        Problem(
            what=f"Poetry's setting {setting} is not a whole number",
            hint=f"mend it: poetry config {setting} NUMBER; a variable or poetry.toml goes first",
        )
    )
