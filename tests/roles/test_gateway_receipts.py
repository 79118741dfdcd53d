"""Tests of receipts that come while one of the same id is being reported; all else is seen through tests of the kit."""

from collections.abc import Callable
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from mailnode.gateways.ledger import Awaited, Ledger
from mailnode.gateways.outcomes import Delivered
from mailnode.interfaces import Queue
from mailnode.mail.envelope import Notify
from mailnode.mail.report import Kind
from mailnode.roles.gateway_receipts import Receipts
from mailnode.roles.relay import RelayRole

ABOUT = {
    "queue_id": "Q1", "arrived": 0.0, "from": ["ann", "home.example"], "envelope_id": "", "smtputf8": False,
    "to": ["bob", "chat.example"], "notify": Notify.SUCCESS.value, "original": "", "silence": 0.0,
}  # fmt: skip


class SlowDisk:
    """A disk that takes its time, in the order in which it was asked."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    async def run(self, work: Callable[[], Any]) -> Any:
        """Work a second later."""
        wait: Deferred[None] = Deferred()
        self.clock.callLater(1, wait.callback, None)
        await wait
        return work()


class Reports:
    """A relay role that only counts reports."""

    def __init__(self) -> None:
        self.made: list[Kind] = []

    async def report_receipt(self, kind: Kind, *_: object) -> tuple[()]:
        """Write down what is reported."""
        self.made.append(kind)
        return ()


def test_what_the_other_side_says_twice_at_once_is_told_once() -> None:
    """A report is under way when the repetition comes; the sender hears one."""
    clock, reports = Clock(), Reports()
    ledger = Ledger(None, SlowDisk(clock))
    receipts = Receipts(ledger, cast("RelayRole", reports), cast("Queue", None), clock)
    Deferred.fromCoroutine(ledger.expect([Awaited("chat", "r1", "bob@chat.example", 1e9, ABOUT, b"\r\n")], 0.0))
    clock.advance(1)
    heard: list[bool] = []
    for _ in range(3):
        Deferred.fromCoroutine(receipts.receipt("chat", "r1", Delivered("seen"))).addCallback(heard.append)
    clock.pump([1] * 10)
    assert reports.made == [Kind.SUCCESS]
    assert heard == [True, False, False]
