"""A clock that also takes calls from threads: real threads without a reactor, and without sleeping."""

from collections.abc import Callable, Coroutine
from queue import SimpleQueue
from typing import Any, TypeVar, cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

T = TypeVar("T")

_PATIENCE = 60.0
"""Seconds to wait for a thread before the test has failed."""


class ThreadClock(Clock):
    """Time stands still unless advanced; what threads hand over runs while somebody waits in ``now``."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__()
        self._calls: SimpleQueue[tuple[Callable[..., Any], tuple[object, ...], dict[str, object]]] = SimpleQueue()
        self.advance(seconds)

    def callFromThread(self, callable: Callable[..., Any], *args: object, **kwargs: object) -> None:  # noqa: A002 - Twisted's name
        """Keep the call for whoever waits."""
        self._calls.put((callable, args, kwargs))

    def now(self, coroutine: Coroutine[Deferred[Any], Any, T]) -> T:
        """Run the coroutine to its end, doing what threads hand over; give its result or raise what it raises."""
        return self.wait(Deferred.fromCoroutine(coroutine))

    def wait(self, deferred: "Deferred[T]") -> T:
        """Wait for the result, doing what threads hand over."""
        results: list[Any] = []
        deferred.addBoth(results.append)
        while not results:
            call, args, kwargs = self._calls.get(timeout=_PATIENCE)
            call(*args, **kwargs)
        (result,) = results
        if isinstance(result, Failure):
            result.raiseException()
        return cast("T", result)
