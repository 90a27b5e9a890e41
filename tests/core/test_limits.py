from __future__ import annotations

from dataclasses import asdict

from wheeltarget.core.limits import DEFAULT_LIMITS, Limits


def test_every_limit_is_a_limit() -> None:
    assert all(0 < value < float("inf") for value in asdict(DEFAULT_LIMITS).values())


def test_limits_fit_each_other() -> None:
    limits = DEFAULT_LIMITS
    assert limits.chunk_size < limits.page_size < limits.file_size
    # A directory has at least 46 bytes for each member, and a name.
    assert limits.archive_members * 64 < limits.directory_size
    # The waits before all attempts together must not outlast what one answer may take.
    waits = sum(limits.backoff * 2**attempt for attempt in range(limits.attempts - 1))
    assert waits < limits.response_time
    assert limits.retry_after <= limits.response_time


def test_a_single_limit_can_be_changed() -> None:
    limits = Limits(attempts=1)
    assert limits.attempts == 1
    assert limits.redirects == DEFAULT_LIMITS.redirects
