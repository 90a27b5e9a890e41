"""Tasks side by side: order, failures, cancelling, interruption."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import pytest

from wheeltarget.io import parallel
from wheeltarget.io.parallel import run_all


def boom(task: int) -> int:
    """Fails for odd numbers."""
    if task % 2:
        raise ValueError(task)
    return task * 10


@pytest.mark.parametrize("workers", [1, 2, 50])
def test_results_come_in_the_order_of_the_tasks(workers: int) -> None:
    first_may_end = threading.Event()

    def work(task: int) -> int:
        if task == 0 and workers > 1:
            assert first_may_end.wait(5)
        if task == 4:
            first_may_end.set()
        return task * 10

    cancelled = threading.Event()
    assert run_all(range(5), work, workers=workers, cancelled=cancelled) == [0, 10, 20, 30, 40]
    assert not cancelled.is_set()


def test_no_task_is_no_thread() -> None:
    before = threading.active_count()
    assert run_all([], boom, workers=4, cancelled=threading.Event()) == []
    assert threading.active_count() == before


def test_every_failure_is_a_result_in_its_place() -> None:
    cancelled = threading.Event()
    results = run_all(range(4), boom, workers=2, cancelled=cancelled)
    assert [str(result) for result in results] == ["0", "1", "20", "3"]
    assert [type(result) for result in results] == [int, ValueError, int, ValueError]
    assert not cancelled.is_set()


def test_the_first_failure_cancels_the_others_if_asked() -> None:
    cancelled = threading.Event()

    def work(task: int) -> str:
        if task == 0:
            raise ValueError("first")
        return "cancelled" if cancelled.wait(5) else "too late"

    results = run_all(range(20), work, workers=20, cancelled=cancelled, fail_fast=True)
    assert str(results[0]) == "first"
    assert results[1:] == ["cancelled"] * 19


def test_no_more_tasks_at_once_than_workers() -> None:
    running: list[int] = []
    most: list[int] = []
    lock = threading.Lock()

    def work(task: int) -> None:
        with lock:
            running.append(task)
            most.append(len(running))
        threading.Event().wait(0.002)
        with lock:
            running.remove(task)

    run_all(range(30), work, workers=3, cancelled=threading.Event())
    assert len(most) == 30
    assert max(most) <= 3


def test_an_interruption_cancels_and_leaves_no_thread_that_holds_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(done: queue.SimpleQueue[object]) -> object:
        raise KeyboardInterrupt

    cancelled = threading.Event()
    started: list[threading.Thread] = []

    def work(task: int) -> None:
        started.append(threading.current_thread())
        cancelled.wait(5)

    monkeypatch.setattr(parallel, "_next", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_all(range(2), work, workers=2, cancelled=cancelled)
    assert cancelled.is_set()
    assert all(thread.daemon for thread in started)


def test_waiting_goes_on_until_a_slow_task_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_TICK", 0.001)
    pause: Callable[[int], bool] = lambda task: threading.Event().wait(0.02)  # noqa: E731
    assert run_all([1], pause, workers=1, cancelled=threading.Event()) == [False]
