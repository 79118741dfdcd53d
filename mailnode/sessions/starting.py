"""Starting a coroutine that most often need not wait: then there is no Deferred at all.

A command answered from memory is the rule, and ``Deferred.fromCoroutine`` costs more than such an answer does. So the
coroutine is run to its first wait by hand; only if it waits does a Deferred take over what is left of it.
"""

from collections.abc import Coroutine, Generator
from functools import partial
from typing import Any, TypeVar, cast

from twisted.internet.defer import Deferred

T = TypeVar("T")


def start(coroutine: Coroutine[Deferred[Any], Any, T]) -> T | Deferred[T]:
    """Run the coroutine; give what it returns if it never waited (or raise what it raised), else a Deferred of it.

    Cancelling the Deferred cancels what the coroutine waits for, as with ``Deferred.fromCoroutine``.
    """
    try:
        waits_for = coroutine.send(None)
    except StopIteration as done:
        return cast("T", done.value)
    return Deferred.fromCoroutine(cast("Coroutine[Deferred[Any], Any, T]", _rest(coroutine, waits_for)))


def _rest(coroutine: Coroutine[Deferred[Any], Any, T], waits_for: Deferred[Any]) -> Generator[Deferred[Any], Any, T]:
    """Go on with a coroutine that waits for a Deferred."""
    while True:
        try:
            result = yield waits_for
        except BaseException as trouble:  # noqa: BLE001 - it belongs to the coroutine, whatever it is
            step = partial(coroutine.throw, trouble)
        else:
            step = partial(coroutine.send, result)
        try:
            waits_for = step()
        except StopIteration as done:
            return cast("T", done.value)
