"""The function: summarize samples, seal the summary, hand it to its reader.

Three of its imports are compiled (cffi, cryptography, numpy). They are what
dies on an old machine that was given wheels built for a newer glibc.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import requests
from cffi import FFI
from cryptography.fernet import Fernet

_ffi = FFI()
_ffi.cdef("const char *gnu_get_libc_version(void);")
_libc = _ffi.dlopen(None)


def glibc_version() -> str:
    """The version of the glibc this process runs on, such as ``2.12``."""
    return bytes(_ffi.string(_libc.gnu_get_libc_version())).decode("ascii")


def summarize(samples: Any) -> dict[str, float]:
    """Mean, standard deviation and maximum of some numbers."""
    values = np.asarray(samples, dtype=np.float64)
    if values.ndim != 1 or values.size == 0:
        raise ValueError("'samples' must be a list of at least one number")
    return {
        "mean": float(values.mean()),
        "std": float(values.std()),
        "max": float(values.max()),
    }


def handler(event: Mapping[str, Any], context: object | None = None) -> dict[str, str]:
    """Handle one event.

    ``samples`` are the numbers and ``key`` is the reader's Fernet key. If the
    event has a ``callback``, the sealed summary is also posted to that URL.
    """
    summary = json.dumps(summarize(event["samples"])).encode("utf-8")
    sealed = Fernet(event["key"]).encrypt(summary).decode("ascii")
    result = {"glibc": glibc_version(), "sealed": sealed}
    if event.get("callback"):
        requests.post(event["callback"], json=result, timeout=10).raise_for_status()
    return result
