"""A reactor's half that threads see: calls from threads wait until a test pumps them."""

import queue
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure
from zope.interface import implementer

T = TypeVar("T")

PATIENCE = 20.0
"""Seconds after which a thread that does not answer fails the test."""


@implementer(IReactorFromThreads)
class Pump:
    """Takes calls from threads; ``run`` makes them until a coroutine has its result."""

    def __init__(self) -> None:
        self.calls: queue.Queue[Callable[[], object]] = queue.Queue()
        self.count = 0
        """How many calls were made."""

    def callFromThread(self, callable: Callable[..., Any], *args: object, **kwargs: object) -> None:  # noqa: A002 - Twisted's name
        """Take a call."""
        self.calls.put(lambda: callable(*args, **kwargs))

    def turn(self) -> None:
        """Make one call, when it comes."""
        self.calls.get(timeout=PATIENCE)()
        self.count += 1

    def run(self, coroutine: Coroutine[Deferred[Any], Any, T]) -> T:
        """Give the coroutine's result or raise what it raises."""
        return self.result(Deferred.fromCoroutine(coroutine))

    def result(self, deferred: Deferred[T]) -> T:
        """Turn until ``deferred`` has fired; give its result or raise its failure."""
        results: list[T | Failure] = []
        deferred.addBoth(results.append)
        while not results:
            self.turn()
        (outcome,) = results
        if isinstance(outcome, Failure):
            outcome.raiseException()
        return outcome
