"""Times by which messages are to be delivered are looked at when they are over."""

import pytest
from twisted.internet.task import Clock

from mailnode.mail.address import NULL
from mailnode.mail.content import Content
from mailnode.mail.envelope import Envelope
from mailnode.mail.message import Message
from mailnode.queue import deadlines
from mailnode.queue.deadlines import Deadlines
from tests.kit.queueing import DEAD, UNREACHABLE, Bench, entry
from tests.kit.results import now
from tests.queue.test_wishes import wishing


def message(name: str, by: str = "") -> Message:
    """Make a message that arrived at 0."""
    return Message(name, Envelope(NULL, extra=(("BY", by),) if by else ()), Content(b""), 0)


def test_each_is_told_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """At its time, not before; twice noted is once told; what has none, or is beyond the bound, is not noted."""
    monkeypatch.setattr(deadlines, "MOST", 2)
    over: list[str] = []
    clock = Clock()
    noted = Deadlines(clock, over.append)
    for one in (message("a", "60;N"), message("a", "60;N"), message("x"), message("b", "90;R"), message("c", "9;R")):
        noted.note(one)
    clock.advance(59)
    assert over == []
    clock.advance(2)
    assert over == ["a"]
    noted.stop()
    assert clock.getDelayedCalls() == []


@pytest.mark.rfc("2852", "4.1.2")
def test_a_dead_host_does_not_hide_the_time() -> None:
    """Also when its lane rests a message is looked at when its time is over; what it is told then ends it."""
    bench = Bench()
    bench.courier.script["dead.example"] = UNREACHABLE
    bench.start()
    for _ in range(5):
        bench.submit(DEAD)
    bench.pass_time(3600)
    late = wishing(entry(DEAD, at=bench.clock.seconds(), give_up=100), BY="100;R")
    now(bench.queue.submit(late))
    bench.pass_time(130, step=5)
    assert bench.left() == 5
    (attempt,) = [one for one in bench.settle.attempts if one.message.queue_id == late.message.queue_id][-1:]
    assert 100 <= attempt.ended - late.message.arrived < 110
