"""Real installers as subprocesses, cut off from the settings of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

# Indexes, certificates, proxies and deployment targets would all change what an installer does.
_SETTINGS = ("PIP_", "UV_", "MACOSX_", "IPHONEOS_", "ANDROID_", "PYTHONUNBUFFERED")


def clean_environment(**settings: str) -> dict[str, str]:
    """Return this process's environment without what configures installers, plus ``settings``."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(_SETTINGS) and not name.lower().endswith("_proxy")
    }
    return {**kept, "PIP_CONFIG_FILE": os.devnull, **settings}


def run_pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pip; the caller looks at the return code."""
    quiet = ("--disable-pip-version-check", "--no-cache-dir", "--no-input")
    return run([sys.executable, "-m", "pip", *arguments, *quiet])


def run(
    command: Sequence[str], settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command in the clean environment and keep what it says."""
    return subprocess.run(
        command,
        env=clean_environment(**(settings or {})),
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
