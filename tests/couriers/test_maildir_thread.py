"""Batches on threads."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from mailnode.couriers.maildir_thread import BatchThreads
from tests.kit.pump import PATIENCE, Pump


class Bench:
    """BatchThreads whose work waits at a gate, on a pump."""

    def __init__(self, *, limit: int = 100) -> None:
        self.pump = Pump()
        self.gate = threading.Semaphore(0)
        self.begun = threading.Semaphore(0)
        self.done: list[list[int]] = []
        self.threads = BatchThreads[int](self._work, self._done, self.pump.callFromThread, limit=limit)

    def _work(self, batch: Sequence[int]) -> None:
        self.begun.release()
        assert self.gate.acquire(timeout=PATIENCE)

    def _done(self, batch: Sequence[int]) -> None:
        self.done.append(list(batch))

    def close(self) -> None:
        """Close and wait for the end."""
        gone: Deferred[None] = Deferred()
        self.threads.close(lambda: gone.callback(None))
        self.pump.result(gone)


def test_what_gathers_during_a_batch_is_the_next_batch() -> None:
    """The first goes alone and at once; all that comes meanwhile goes together, answered by one call."""
    bench = Bench()
    bench.threads.put([1])
    assert bench.begun.acquire(timeout=PATIENCE)
    for number in (2, 3, 4):
        bench.threads.put([number])
    bench.gate.release(2)
    bench.pump.turn()
    bench.pump.turn()
    assert bench.done == [[1], [2, 3, 4]]
    bench.close()


def test_a_batch_has_a_limit() -> None:
    """More than the limit is left for the batch after."""
    bench = Bench(limit=2)
    bench.gate.release(3)
    bench.threads.put([1, 2, 3, 4, 5])
    bench.close()
    assert bench.done == [[1, 2], [3, 4], [5]]


def test_an_idle_thread_wakes_up() -> None:
    """After a pause the same thread takes up the next work."""
    bench = Bench()
    bench.gate.release(2)
    for number in (1, 2):
        bench.threads.put([number])
        bench.pump.turn()
    assert bench.done == [[1], [2]]
    assert len(bench.threads._threads) == 1
    bench.close()


def test_closing_finishes_what_waits() -> None:
    """Work that was taken on is done before the end; then no more is taken."""
    bench = Bench()
    bench.threads.put([1])
    bench.gate.release(2)
    bench.close()
    assert bench.done == [[1]]
    with pytest.raises(RuntimeError, match="closed"):
        bench.threads.put([2])


def test_threads_begin_with_the_first_work() -> None:
    """A courier that was only made has no thread yet, so the process may still fork."""
    bench = Bench()
    assert not bench.threads._threads
    bench.close()
    assert not bench.threads._threads


def test_a_batch_that_raises_is_answered_and_the_next_is_worked_on(lost_failures: list[dict[str, Any]]) -> None:
    """A bug costs its own batch the outcomes, and nobody else anything."""
    pump = Pump()
    done: list[list[int]] = []
    threads = BatchThreads[int](lambda batch: 1 // batch[0], done.append, pump.callFromThread)  # type: ignore[arg-type]
    threads.put([0])
    pump.turn()
    pump.turn()
    threads.put([1])
    pump.turn()
    assert done == [[0], [1]]
    (lost,) = lost_failures
    assert lost["log_failure"].check(ZeroDivisionError)
    lost_failures.clear()
    gone: Deferred[None] = Deferred()
    threads.close(lambda: gone.callback(None))
    pump.result(gone)
