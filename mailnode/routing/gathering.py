"""Several coroutines at once, with plain exceptions."""

from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, FirstError, gatherResults

T = TypeVar("T")


async def gather(coroutines: Iterable[Coroutine[Deferred[Any], Any, T]]) -> list[T]:
    """Run all at once and give what they return, in order; the first exception is raised as it is.

    Cancelling cancels all of them. When one raises, the others run on and what comes of them is dropped.
    """
    running = [Deferred.fromCoroutine(coroutine) for coroutine in coroutines]
    try:
        return await gatherResults(running, consumeErrors=True)
    except FirstError as error:
        # Twisted wraps even CancelledError, which those above must be able to see.
        error.subFailure.raiseException()
