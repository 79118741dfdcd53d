"""The queue holds what its sender holds, returns what is late, and takes first what is urgent."""

from typing import Any

import pytest
from attrs import evolve

from mailnode.interfaces import Selection
from mailnode.mail.message import NewEntry
from mailnode.mail.outcome import Failed
from mailnode.mail.wishes import moment_text
from mailnode.queue.attempt import TOO_LATE
from mailnode.queue.settings import QueueSettings
from tests.kit.queueing import DEAD, GOOD, LATER, OK, TODAY, Bench, entry
from tests.kit.results import now


def wishing(made: NewEntry, **wishes: Any) -> NewEntry:
    """Give the entry wishes."""
    extra = tuple((keyword.replace("_", "-"), str(value)) for keyword, value in wishes.items())
    return evolve(made, message=evolve(made.message, envelope=evolve(made.message.envelope, extra=extra)))


@pytest.mark.rfc("4865", "4")
def test_what_is_held_is_tried_at_its_time() -> None:
    """Nothing is tried before the release, then at once; beyond the longest wait of the timetable too."""
    bench = Bench().start()
    for days in (1, 20):
        held = wishing(entry(GOOD, give_up=40 * 86400), HOLDUNTIL=moment_text(TODAY + days * 86400))
        now(bench.queue.submit(held))
    bench.pass_time(21 * 86400)
    first, second = bench.courier.times("good.example")
    assert first == pytest.approx(TODAY + 86400, abs=61)
    assert second == pytest.approx(TODAY + 20 * 86400, abs=61)
    assert min(first - TODAY - 86400, second - TODAY - 20 * 86400) >= 0
    assert bench.left() == 0


def test_a_restart_or_an_operator_does_not_let_it_out() -> None:
    """Whatever makes it due before its time, it goes back and is due at its time again."""
    bench = Bench().start()
    release = TODAY + 10 * 86400
    now(bench.queue.submit(wishing(entry(GOOD), HOLDUNTIL=moment_text(release))))
    now(bench.spool.retry(Selection(), TODAY))
    bench.queue.wake()
    bench.pass_time(600)
    assert bench.courier.times("good.example") == []
    (kept,) = now(bench.spool.listing(Selection(), limit=5))
    assert kept.recipients[0].due == release


@pytest.mark.rfc("2852", "4.1.2")
def test_what_is_late_is_returned_without_a_try() -> None:
    """At the deadline of mode R nothing is tried any more: it has failed with 5.4.7."""
    bench = Bench()
    bench.courier.script["dead.example"] = LATER
    bench.start()
    now(bench.queue.submit(wishing(entry(DEAD, give_up=60), BY="60;R")))
    bench.pass_time(120)
    assert len(bench.courier.times("dead.example")) == 1
    assert bench.settle.attempts[-1].outcomes == (Failed(TOO_LATE),)
    assert bench.left() == 0


@pytest.mark.rfc("6710", "4")
def test_what_waits_in_the_spool_comes_by_priority() -> None:
    """When memory is full what is urgent is claimed first."""
    bench = Bench(QueueSettings(active_recipients=1, claim_batch=1, lane_initial=1, lane_maximum=1))
    bench.courier.script["good.example"] = None
    bench.start()
    for level in (0, 0, -9, 5, 9):
        now(bench.queue.submit(wishing(entry(GOOD), MT_PRIORITY=level)))
    while bench.courier.hanging:
        bench.courier.release(OK)
        bench.pass_time(5)
    levels = [dict(request.message.envelope.extra)["MT-PRIORITY"] for _, request in bench.courier.requests]
    assert levels == ["0", "9", "5", "0", "-9"]
