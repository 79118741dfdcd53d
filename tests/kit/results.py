"""Results of coroutines that need no reactor: run to the end at once, or say that they wait."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

T = TypeVar("T")


def now(coroutine: Coroutine[Deferred[Any], Any, T]) -> T:
    """Give what the coroutine returns or raise what it raises; AssertionError if it still waits for something."""
    results: list[T] = []
    failures: list[Failure] = []
    Deferred.fromCoroutine(coroutine).addCallbacks(results.append, failures.append)
    if failures:
        failures[0].raiseException()
    assert results, "the coroutine still waits"
    return results[0]


class InlineDisk:
    """A Disk that works at once on the calling thread."""

    async def run(self, work: Any) -> Any:
        """Run ``work`` now."""
        return work()
