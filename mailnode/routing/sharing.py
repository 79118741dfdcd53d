"""Equal questions under way share one answer: a thousand messages to one domain are one lookup."""

from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Sharing(Generic[K, V]):
    """Runs one coroutine a key at a time, for all who want it.

    Who stops waiting leaves the others undisturbed; when the last one leaves, the work is cancelled.
    """

    def __init__(self) -> None:
        self._running: dict[K, _Work[V]] = {}

    async def share(self, key: K, begin: Callable[[], Coroutine[Deferred[Any], Any, V]]) -> V:
        """Give what the work for ``key`` gives or raises; ``begin`` starts it, if nobody has."""
        work = self._running.get(key)
        if work is None:
            work = self._running[key] = _Work(lambda: self._running.pop(key, None))
            work.start(begin())
        return await work.join()

    def cancel(self) -> None:
        """Cancel all work; those who wait get CancelledError."""
        for work in list(self._running.values()):
            work.cancel()


class _Work(Generic[V]):
    """One coroutine and those who wait for it."""

    def __init__(self, forget: Callable[[], object]) -> None:
        self._forget = forget
        self._waiting: list[Deferred[V]] = []
        self._result: V | Failure | None = None
        self._is_done = False
        self._running: Deferred[V] | None = None

    def start(self, coroutine: Coroutine[Deferred[Any], Any, V]) -> None:
        self._running = Deferred.fromCoroutine(coroutine)
        self._running.addBoth(self._finish)

    def join(self) -> Deferred[V]:
        waiter: Deferred[V] = Deferred(self._leave)
        self._waiting.append(waiter)
        if self._is_done:
            self._tell()
        return waiter

    def cancel(self) -> None:
        if self._running is not None:
            self._running.cancel()

    def _leave(self, waiter: Deferred[V]) -> None:
        self._waiting.remove(waiter)
        if not self._waiting:
            self.cancel()

    def _finish(self, result: V | Failure) -> None:
        self._forget()
        self._result, self._is_done = result, True
        self._tell()

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.callback(self._result)  # type: ignore[arg-type]  # a Failure makes it an errback
