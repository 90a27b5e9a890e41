"""Run tasks side by side, end them all when one fails or the user interrupts."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
R = TypeVar("R")

#: How often the waiting thread wakes up so that Ctrl-C is noticed on every system (seconds).
_TICK = 0.1
#: How long an interrupted run waits for its threads (seconds); users are promised two in all.
_GRACE = 1.0


def run_all(
    tasks: Sequence[T],
    work: Callable[[T], R],
    *,
    workers: int,
    cancelled: threading.Event,
    fail_fast: bool = False,
) -> list[R | Exception]:
    """``work`` on every task; the results, or the exceptions raised, in the order of the tasks.

    With ``fail_fast`` the first failure sets ``cancelled``; tasks that then end early, or never
    begin, give the exception that ``work`` raises when it is cancelled.

    The threads are daemons: one that is stuck in a system call does not keep the process from
    ending when the caller is interrupted. In that case ``cancelled`` is set, too.
    """
    pending: queue.SimpleQueue[tuple[int, T]] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, R | Exception]] = queue.SimpleQueue()
    for numbered in enumerate(tasks):
        pending.put(numbered)

    def serve() -> None:
        while True:
            try:
                index, task = pending.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((index, work(task)))
            except Exception as error:  # noqa: BLE001 - handed to the caller as a value
                if fail_fast:
                    cancelled.set()
                done.put((index, error))

    threads = [threading.Thread(target=serve, daemon=True) for _ in range(min(workers, len(tasks)))]
    for thread in threads:
        thread.start()
    try:
        results = dict(_next(done) for _ in tasks)
    except BaseException:
        cancelled.set()
        _await(threads)
        raise
    return [results[index] for index in range(len(tasks))]


def _await(threads: Sequence[threading.Thread]) -> None:
    """Let cancelled threads clean up after themselves, for a moment."""
    deadline = time.monotonic() + _GRACE
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def _next(done: queue.SimpleQueue[R]) -> R:
    while True:
        try:
            return done.get(timeout=_TICK)
        except queue.Empty:
            continue
