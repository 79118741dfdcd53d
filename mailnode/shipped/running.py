"""Coroutines of a source that run from its start to its stop."""

from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.logger import Logger
from twisted.python.failure import Failure


class Runs(Service):
    """Starts the tasks, cancels them when it stops, and then waits for ``work`` that is half done."""

    def __init__(
        self, tasks: Sequence[Callable[[], Coroutine[Any, Any, None]]], work: Collection["Deferred[None]"], log: Logger
    ) -> None:
        self._tasks = tasks
        self._work = work
        self._log = log
        self._running: list[Deferred[None]] = []

    def startService(self) -> None:
        """Start them."""
        super().startService()
        for task in self._tasks:
            running: Deferred[None] = Deferred.fromCoroutine(task())
            running.addErrback(self._ended)
            self._running.append(running)

    def stopService(self) -> "Deferred[Any]":
        """Stop them."""
        super().stopService()
        for one in self._running:
            one.cancel()
        self._running.clear()
        return DeferredList([follow(one) for one in self._work])

    def _ended(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._log.failure("a source has ended", failure)


def follow(work: "Deferred[None]") -> "Deferred[None]":
    """Give a Deferred that fires when ``work`` does and leaves its result alone."""
    done: Deferred[None] = Deferred()

    def tell(result: Any) -> Any:
        done.callback(None)
        return result

    work.addBoth(tell)
    return done
