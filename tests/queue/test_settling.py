"""Settling under trouble."""

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred

from mailnode.interfaces import Settlement, SpoolTrouble
from mailnode.mail.quantity import Seconds
from mailnode.queue.attempt import Attempt
from mailnode.queue.settings import QueueSettings
from mailnode.queue.settling import Settled
from mailnode.spool.memory import MemorySpool
from tests.kit.queueing import (
    DEAD,
    GOOD,
    LATER,
    NEVER,
    OK,
    UNREACHABLE,
    Bench,
    PlainSettle,
    TroubledSpool,
    troubled,
)
from tests.kit.results import now


def test_a_full_disk_costs_neither_mail_nor_duplicates() -> None:
    """Outcomes that cannot be written are kept and written when the disk has room; meanwhile nothing new is tried."""
    bench = Bench()
    spool = troubled(bench.spool)
    bench.spool = spool
    bench.queue = bench.new_queue()
    bench.courier.script["good.example"] = None
    bench.start()
    for _ in range(8):
        bench.submit(GOOD)
    spool.trouble = True
    bench.courier.release(OK, 2)
    begun = len(bench.courier.requests)
    assert begun == 4, "two began before the trouble was known"
    bench.pass_time(1800)
    assert len(bench.courier.requests) == begun
    assert 50 < spool.asked["settle"] < 100
    spool.trouble = False
    bench.pass_time(120)
    while bench.courier.hanging:
        bench.courier.release(OK)
    assert len(bench.courier.requests) == 8
    assert bench.left() == 0


def test_a_spool_that_cannot_be_read_is_looked_into_again() -> None:
    """When claims fail, the queue looks again by itself."""
    bench = Bench()
    spool = troubled(bench.spool)
    bench.spool = spool
    bench.queue = bench.new_queue()
    bench.courier.script["dead.example"] = LATER
    bench.start()
    bench.submit(DEAD)
    spool.trouble = True
    bench.courier.script["dead.example"] = OK
    bench.pass_time(3600)
    spool.trouble = False
    bench.pass_time(2, 1)
    assert bench.left() == 0


def test_a_rest_that_cannot_be_told_is_told_later() -> None:
    """A dead host with a full disk: the queue goes on when the disk does."""
    bench = Bench()
    spool = troubled(bench.spool)
    bench.spool = spool
    bench.queue = bench.new_queue()
    bench.courier.script["dead.example"] = None
    bench.start()
    for _ in range(3):
        bench.submit(DEAD)
    spool.trouble = True
    bench.courier.release(UNREACHABLE, 2)
    bench.pass_time(600)
    spool.trouble = False
    bench.courier.script["dead.example"] = OK
    bench.pass_time(2 * 3600)
    assert bench.left() == 0


def test_a_role_that_fails_bounces_nothing(lost_failures: list[object]) -> None:
    """When the decision fails, what was delivered is done, and what failed or was delayed is tried again."""

    class Failing(PlainSettle):
        async def __call__(self, attempt: Attempt) -> Settled:
            raise ZeroDivisionError

    settings = QueueSettings()
    bench = Bench(settings, settle=Failing(settings, Random(1)))
    bench.courier.script.update({"dead.example": NEVER})
    bench.start()
    bench.submit(GOOD)
    bench.submit(DEAD)
    assert bench.left() == 1
    bench.pass_time(400)
    assert len(bench.courier.times("dead.example")) == 2
    assert len(lost_failures) == 3
    lost_failures.clear()


def test_a_spool_that_fails_oddly_is_asked_again(lost_failures: list[object]) -> None:
    """An exception that no spool should raise is trouble like any other."""

    class Odd(MemorySpool):
        failures = 2

        async def settle(self, *values: object, **named: object) -> list[str]:
            if Odd.failures:
                Odd.failures -= 1
                raise ZeroDivisionError
            return list(await super().settle(*values, **named) or ())  # type: ignore[arg-type]

    bench = Bench()
    bench.spool = Odd(bench.clock)
    bench.queue = bench.new_queue()
    bench.start()
    bench.submit(GOOD)
    bench.pass_time(10, 1)
    assert bench.left() == 0
    assert len(lost_failures) == 2
    lost_failures.clear()


def test_stop_does_not_wait_for_a_full_disk() -> None:
    """A stop tries once more what could not be written, and ends; the next start may try it twice, but loses nothing."""
    bench = Bench()
    spool = troubled(bench.spool)
    bench.spool = spool
    bench.queue = bench.new_queue()
    bench.courier.script["good.example"] = None
    bench.start()
    bench.submit(GOOD)
    spool.trouble = True
    bench.courier.release(OK)
    ended: list[None] = []
    Deferred.fromCoroutine(bench.queue.stop(5)).addCallback(ended.append)
    assert not ended
    bench.pass_time(6)
    assert ended
    assert not bench.clock.getDelayedCalls()
    spool.trouble = False
    assert bench.left() == 1


def test_a_message_that_is_done_is_told() -> None:
    """Settling the last recipient logs the message's end."""
    from twisted.logger import globalLogPublisher

    events: list[dict[str, object]] = []
    globalLogPublisher.addObserver(events.append)  # type: ignore[arg-type]
    try:
        bench = Bench().start()
        queue_id = bench.submit(GOOD, DEAD)
    finally:
        globalLogPublisher.removeObserver(events.append)  # type: ignore[arg-type]
    assert [event["queue_id"] for event in events if event.get("event") == "attempt"] == [queue_id] * 2
    assert [event["queue_id"] for event in events if event.get("event") == "done"] == [queue_id]


def test_a_cancelled_decision_is_not_trouble() -> None:
    """Cancelling reaches whoever asked, from the role and from the spool alike."""

    async def cancelled(*_: object, **__: object) -> Settled:
        raise CancelledError

    bench = Bench()
    settling = bench.queue._settling
    settling.settle = cancelled
    with pytest.raises(CancelledError):
        now(settling._decide(None))  # type: ignore[arg-type]
    settling.spool = type("Spool", (), {"settle": staticmethod(cancelled)})()
    with pytest.raises(CancelledError):
        now(settling._write((), (), ""))


def test_give_back_of_nothing_asks_nothing() -> None:
    """Nothing to give back is nothing to write."""
    bench = Bench()
    spool = troubled(bench.spool)
    bench.spool = spool
    queue = bench.new_queue()
    now(queue._settling.give_back([]))
    assert not spool.asked


def test_giving_back_that_fails_stops_nothing() -> None:
    """Work that could not be given back waits for its lease; the queue goes on with all other mail."""
    bench = Bench(QueueSettings(attempt_limit=Seconds(600), lease=Seconds(700), lane_initial=1))
    spool: Any = _TroubledAtGivingBack(bench.spool)
    bench.spool = spool
    bench.queue = bench.new_queue()
    bench.courier.script["dead.example"] = None
    bench.start()
    for _ in range(3):
        bench.submit(DEAD)
    bench.pass_time(300)
    bench.courier.release(OK)
    bench.submit(GOOD)
    assert len(bench.courier.times("good.example")) == 1
    bench.courier.script["dead.example"] = OK
    bench.pass_time(900)
    assert bench.left() == 0


class _TroubledAtGivingBack(TroubledSpool):
    async def settle(self, settlements: Sequence[Settlement], notices: Sequence[Any] = ()) -> Sequence[str]:
        if not any(one.counts for one in settlements):
            raise SpoolTrouble("disk full", is_full=True)
        settled: Sequence[str] = await self._spool.settle(settlements, notices)
        return settled
