"""Tests of the mark that tells whose code runs."""

import pytest
from twisted.internet.defer import CancelledError, Deferred

from mailnode.gateways.slices import Slices, timed
from tests.kit.results import now


def test_the_mark_is_set_while_the_code_runs_and_not_while_it_waits() -> None:
    """Between two steps nobody is blamed."""
    slices, seen, wait = Slices(), list[str](), Deferred[str]()

    async def deliver() -> str:
        seen.append(slices.current)
        answer = await wait
        seen.append(slices.current)
        return answer

    async def story() -> str:
        return str(await timed(deliver(), slices, "chat"))

    results: list[str] = []
    Deferred.fromCoroutine(story()).addCallback(results.append)
    assert (seen, slices.current) == (["chat"], "")
    wait.callback("done")
    assert (seen, slices.current, results) == (["chat", "chat"], "", ["done"])


def test_failures_and_cancellation_go_through() -> None:
    """What it waits for may fail, and it may be cancelled."""
    slices, wait = Slices(), Deferred[None]()

    async def deliver() -> str:
        try:
            await wait
        except ZeroDivisionError:
            return "caught"
        return ""

    async def story() -> str:
        return str(await timed(deliver(), slices, "chat"))

    results: list[str] = []
    Deferred.fromCoroutine(story()).addCallback(results.append)
    wait.errback(ZeroDivisionError())
    assert results == ["caught"]

    async def hang() -> str:
        return str(await timed(_forever(), slices, "chat"))

    running = Deferred.fromCoroutine(hang())
    running.cancel()
    with pytest.raises(CancelledError):
        now(_of(running))


async def _forever() -> None:
    await Deferred()


async def _of(waiting: Deferred[str]) -> str:
    return await waiting
