"""A thread that works off whatever waits, all at once: how single requests become batches (DESIGN 5.1).

While the thread is busy with one batch the next gathers by itself; when it is idle a request waits for nobody. Each
batch costs one wake-up and one ``callFromThread``, however many requests are in it. Threads begin with the first request
and not with the courier, so that a process may still fork and drop its privileges before.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from twisted.logger import Logger
from twisted.python.failure import Failure

T = TypeVar("T")


class BatchThreads(Generic[T]):
    """Runs ``work(batch)`` on up to ``count`` threads, then ``done(batch)`` through ``call_from_thread``.

    ``work`` should not raise; when it does all the same that is logged, ``done`` is called as always, and the thread lives
    on, since nobody would ever be answered without it. ``limit`` bounds a batch, so that the first of many does not wait for all.
    """

    _log = Logger()

    def __init__(
        self,
        work: Callable[[Sequence[T]], None],
        done: Callable[[Sequence[T]], None],
        call_from_thread: Callable[..., object],
        *,
        count: int = 1,
        limit: int = 100,
        name: str = "batches",
        last: Callable[[], None] = lambda: None,
    ) -> None:
        self._work = work
        self._done = done
        self._call_from_thread = call_from_thread
        self._count = count
        self._limit = limit
        self._name = name
        self._last = last
        self._waiting: list[T] = []
        self._wake = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._closed = False

    def put(self, items: Sequence[T]) -> None:
        """Let ``items`` be worked on soon; RuntimeError after ``close``."""
        with self._wake:
            if self._closed:
                raise RuntimeError("closed")
            self._waiting.extend(items)
            if self._idle:
                self._wake.notify()
                return
        if len(self._threads) < self._count:
            self._begin()

    def close(self, gone: Callable[[], object]) -> None:
        """Work off what waits, end the threads, do what is to be done ``last``, on a thread; then call ``gone`` as ``done``."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        threading.Thread(target=self._farewell, args=(gone,), name=f"{self._name}-close", daemon=True).start()

    def _begin(self) -> None:
        thread = threading.Thread(target=self._run, name=f"{self._name}-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _farewell(self, gone: Callable[[], object]) -> None:
        for thread in self._threads:
            thread.join()
        try:
            self._last()
        except Exception:  # noqa: BLE001 - whoever closes must hear of the end
            self._call_from_thread(self._log.failure, "the end failed", Failure())
        self._call_from_thread(gone)

    def _run(self) -> None:
        while batch := self._take():
            try:
                self._work(batch)
            except Exception:  # noqa: BLE001 - see above
                self._call_from_thread(self._log.failure, "a batch failed", Failure())
            self._call_from_thread(self._done, batch)

    def _take(self) -> list[T]:
        """Wait for something to do; nothing when it is over."""
        with self._wake:
            while not self._waiting and not self._closed:
                self._idle += 1
                self._wake.wait()
                self._idle -= 1
            batch = self._waiting[: self._limit]
            del self._waiting[: self._limit]
            return batch
