"""Starting a coroutine by hand behaves as Deferred.fromCoroutine does, without a Deferred where none is needed."""

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred, succeed

from mailnode.sessions.starting import start


async def _sum(*waits: Deferred[int]) -> int:
    total = 0
    for one in waits:
        total += await one
    return total


def test_what_never_waits_is_a_plain_value() -> None:
    """No Deferred is made for an answer from memory, even through Deferreds that have fired."""
    assert start(_sum()) == 0
    assert start(_sum(succeed(1), succeed(2))) == 3


def test_what_waits_is_a_deferred_of_the_result() -> None:
    """The results of all waits reach the coroutine in order."""
    first: Deferred[int] = Deferred()
    second: Deferred[int] = Deferred()
    running = start(_sum(first, second))
    assert isinstance(running, Deferred)
    results: list[int] = []
    running.addCallback(results.append)
    second.callback(4)
    assert results == []
    first.callback(3)
    assert results == [7]


def test_trouble_is_raised_or_fails_the_deferred() -> None:
    """What is raised before the first wait is raised; after it, it is the Deferred's failure."""

    async def breaks(wait: Deferred[int] | None) -> int:
        if wait is not None:
            await wait
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        start(breaks(None))
    gate: Deferred[int] = Deferred()
    running: Any = start(breaks(gate))
    gate.callback(1)
    assert running.result.check(ZeroDivisionError)
    running.addErrback(lambda _: None)


def test_a_failure_waited_for_can_be_caught() -> None:
    """The coroutine sees the exception where it waits, and may go on to wait again."""
    first: Deferred[int] = Deferred()
    second: Deferred[int] = Deferred()

    async def catches() -> int:
        try:
            return await first
        except ZeroDivisionError:
            return await second

    running: Any = start(catches())
    first.errback(ZeroDivisionError())
    second.callback(5)
    assert running.result == 5


def test_cancelling_reaches_what_it_waits_for() -> None:
    """A cancelled start cancels the inner Deferred, and the coroutine is told."""
    gate: Deferred[int] = Deferred()
    told: list[str] = []

    async def waits() -> int:
        try:
            return await gate
        except CancelledError:
            told.append("cancelled")
            raise

    running: Any = start(waits())
    running.cancel()
    assert told == ["cancelled"]
    assert running.result.check(CancelledError)
    running.addErrback(lambda _: None)
