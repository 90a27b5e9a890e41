import json

import pytest
from cryptography.fernet import Fernet

from legacy_faas.handler import glibc_version, handler, summarize


def test_the_summary_can_be_read_with_the_key() -> None:
    key = Fernet.generate_key().decode("ascii")
    result = handler({"samples": [1, 2, 3, 4], "key": key})
    summary = json.loads(Fernet(key).decrypt(result["sealed"].encode("ascii")))
    assert summary["mean"] == 2.5
    assert result["glibc"] == glibc_version()


def test_no_samples() -> None:
    with pytest.raises(ValueError, match="at least one number"):
        summarize([])
