"""The queue itself: what is tried, when, and how much at once."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from mailnode.interfaces import Selection
from mailnode.mail.envelope import Recipient
from mailnode.mail.message import DeliveryRequest, Entry, NewEntry
from mailnode.mail.outcome import Delayed, Delivered, Outcome
from mailnode.mail.quantity import Seconds
from mailnode.mail.route import Lane
from mailnode.queue.settings import QueueSettings
from mailnode.spool.memory import MemorySpool
from tests.kit.queueing import DEAD, GOOD, LATER, NEVER, OK, TODAY, UNREACHABLE, Bench, ScriptedCourier, entry, troubled
from tests.kit.results import now


def test_a_new_message_is_tried_at_once() -> None:
    """What is submitted reaches its courier before submit returns, and is done."""
    bench = Bench().start()
    bench.submit(GOOD)
    assert bench.courier.times("good.example") == [TODAY]
    assert bench.left() == 0


@pytest.mark.rfc("5321", "4.5.4.1")
def test_retries_follow_the_timetable() -> None:
    """Attempts happen after 5m, 15m, 30m, 1h, 2h, then every 4h, each within the jitter, until five days are over."""
    bench = Bench()
    bench.courier.script["dead.example"] = LATER
    bench.start()
    bench.submit(DEAD)
    bench.pass_time(6 * 86400)
    times = bench.courier.times("dead.example")
    waits = [later - sooner for sooner, later in pairwise(times)]
    expected = [300, 900, 1800, 3600, 7200] + [14400] * 40
    for wait, step in zip(waits[:-1], expected, strict=False):
        assert step * 0.9 - 1 <= wait <= step * 1.1 + 31
    assert times[-1] == pytest.approx(TODAY + 5 * 86400, abs=31)
    assert bench.left() == 0


def test_recipients_of_one_lane_travel_together() -> None:
    """250 recipients at one next hop are three requests, and another next hop has its own."""
    bench = Bench(QueueSettings(lane_recipients=20_000)).start()
    bench.submit(*[GOOD] * 250, DEAD)
    sizes = [len(request.message.envelope.recipients) for _, request in bench.courier.requests]
    assert sorted(sizes) == [1, 50, 100, 100]
    assert bench.left() == 0


def test_slow_start() -> None:
    """A lane begins with two attempts at once and gains one with each success, up to twenty."""
    bench = Bench(QueueSettings(lane_recipients=20_000))
    bench.courier.script["good.example"] = None
    bench.start()
    for _ in range(200):
        bench.submit(GOOD)
    assert len(bench.courier.hanging) == 2
    bench.courier.release(OK)
    assert len(bench.courier.hanging) == 3
    while bench.courier.hanging:
        bench.courier.release(OK)
    assert bench.courier.most["good.example"] == 20
    assert bench.left() == 0


def test_concurrency_in_all_is_shared_in_turns() -> None:
    """When no more attempts may run, lanes take turns: a long line does not keep the others waiting."""
    bench = Bench(QueueSettings(concurrency=1, lane_recipients=20_000))
    bench.courier.script.update({"good.example": None, "other.example": None})
    bench.start()
    for _ in range(50):
        bench.submit(GOOD)
    bench.submit(Lane("smtp", "other.example"))
    for _ in range(3):
        bench.courier.release(OK)
    assert "other.example" in {request.lane.next_hop for _, request in bench.courier.requests}


def test_a_busy_lane_leaves_its_mail_in_the_spool() -> None:
    """What does not fit into memory waits in the spool and is claimed when there is room, oldest first, all of it."""
    bench = Bench(QueueSettings(lane_recipients=100, claim_batch=10))
    bench.courier.script["good.example"] = None
    bench.start()
    sent = [bench.submit(GOOD) for _ in range(300)]
    assert bench.queue.activity[1] <= 30
    while bench.courier.hanging:
        bench.courier.release(OK)
        bench.pass_time(0)
        assert bench.queue.activity[1] <= 130
    assert sorted(bench.settle.ended()) == sorted(sent)


def test_content_in_memory_is_bounded() -> None:
    """Content in memory has an end as well; what is beyond it waits in the spool."""
    bench = Bench(QueueSettings(active_content=100))  # type: ignore[arg-type]
    bench.courier.script["good.example"] = None
    bench.start()
    for _ in range(50):
        bench.submit(GOOD)
    assert bench.queue.activity[1] <= 5
    for _ in range(200):
        bench.courier.release(OK, 5)
        bench.clock.advance(1)
    assert bench.left() == 0


def test_a_dead_host_rests() -> None:
    """After two attempts in a row that reach nobody, a lane rests; then one attempt probes, at growing intervals."""
    bench = Bench()
    bench.courier.script["dead.example"] = UNREACHABLE
    bench.start()
    for _ in range(20):
        bench.submit(DEAD)
    assert len(bench.courier.times("dead.example")) == 2
    bench.pass_time(3600)
    probes = bench.courier.times("dead.example")[2:]
    assert 3 <= len(probes) <= 8
    waits = [later - sooner for sooner, later in pairwise(probes)]
    assert waits == sorted(waits)
    bench.courier.script["dead.example"] = OK
    bench.pass_time(3 * 3600)
    assert bench.left() == 0


def test_one_dead_host_delays_nobody_else() -> None:
    """With 3,000 recipients on a dead lane, memory stays flat and other mail is tried in the same moment."""
    bench = Bench(QueueSettings(sweep=1000))
    bench.courier.script["dead.example"] = UNREACHABLE
    bench.start()
    for _ in range(30):
        bench.submit(*[DEAD] * 100)
    for _ in range(20):
        bench.pass_time(60)
        bench.submit(GOOD)
        assert bench.courier.times("good.example")[-1] == bench.clock.seconds()
        assert bench.queue.activity[1] <= 1000
    assert bench.left() == 3_000


def test_each_recipient_of_a_dead_host_comes_by() -> None:
    """All recipients behind a dead host are put off with a time of their own before a few hours are over."""
    bench = Bench(QueueSettings(sweep=100))
    bench.courier.script["dead.example"] = UNREACHABLE
    bench.start()
    for _ in range(5):
        bench.submit(*[DEAD] * 100)
    bench.pass_time(3600, 60)
    assert {one.key for attempt in bench.settle.attempts for one in attempt.recipients} == set(range(1, 501))
    bench.pass_time(5 * 86400 - 3600, 1800)
    bench.pass_time(3 * 3600, 60)
    assert bench.left() == 0


def test_a_hanging_host_holds_little() -> None:
    """A host that hangs holds two attempts and few recipients in memory, however much mail there is for it."""
    bench = Bench()
    bench.courier.script["dead.example"] = None
    bench.start()
    for _ in range(3000):
        bench.submit(DEAD)
    assert len(bench.courier.hanging) == 2
    assert bench.queue.activity[1] <= 250
    bench.submit(GOOD)
    assert bench.courier.times("good.example") == [TODAY]
    bench.settle.attempts.clear()
    now_stopped(bench)


def test_an_attempt_has_a_time_limit() -> None:
    """An attempt that takes too long is cancelled and reads as delayed."""
    bench = Bench(QueueSettings(attempt_limit=Seconds(600), lease=Seconds(1200)))
    bench.courier.script["dead.example"] = None
    bench.start()
    bench.submit(DEAD)
    bench.pass_time(601)
    assert str(bench.settle.attempts[0].outcomes[0].reply) == "451 4.4.2 The attempt took longer than 10m"
    assert bench.left() == 1
    now_stopped(bench)


def test_what_was_answered_in_time_counts() -> None:
    """A courier that is cut short may tell whom it has served: they are done, and only the others are tried again."""

    class Halfway(ScriptedCourier):
        async def carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
            try:
                return await super().carry(request)
            except CancelledError:
                return {request.message.envelope.recipients[0]: OK}

    clock = Clock()
    bench = Bench(
        QueueSettings(attempt_limit=Seconds(600), lease=Seconds(1200)), clock, Halfway({"dead.example": None}, clock)
    )
    bench.start()
    bench.submit(DEAD, DEAD)
    bench.pass_time(601)
    assert [type(one) for one in bench.settle.attempts[0].outcomes] == [Delivered, Delayed]
    assert bench.left() == 1
    now_stopped(bench)


def test_no_attempt_outlives_its_lease() -> None:
    """What waited in its lane until its lease is nearly over is given back, and claimed anew before it is tried."""
    bench = Bench(QueueSettings(attempt_limit=Seconds(600), lease=Seconds(700), lane_initial=1))
    bench.courier.script["dead.example"] = None
    bench.start()
    first, second = bench.submit(DEAD), bench.submit(DEAD)
    bench.pass_time(601)
    held = now(bench.spool.listing(Selection(queue_id=second), limit=1))[0]
    assert held.recipients[0].due == pytest.approx(bench.clock.seconds() + 700, abs=31)
    assert [request.message.queue_id for _, request in bench.courier.requests] == [first, second]
    now_stopped(bench)


def test_a_failing_courier_costs_nothing(lost_failures: list[object]) -> None:
    """A courier's exception, a forgotten recipient and a courier that is not configured all read as delayed."""

    def explode(_: object) -> dict[object, object]:
        raise ZeroDivisionError

    bench = Bench()
    bench.courier.script["good.example"] = explode  # type: ignore[assignment]
    bench.courier.script["dead.example"] = lambda _: {}
    bench.start()
    bench.submit(GOOD)
    bench.submit(DEAD)
    bench.submit(Lane("pigeon", "roof"))
    told = [str(attempt.outcomes[0].reply) for attempt in bench.settle.attempts]
    assert told == [
        "451 4.3.0 Local trouble, will try again",
        "451 4.3.0 The courier gave no answer for this recipient, will try again",
        "451 4.3.5 No courier named 'pigeon' is configured, will try again",
    ]
    assert bench.left() == 3
    assert len(lost_failures) == 1
    lost_failures.clear()


@pytest.mark.parametrize("said", [None, {}, "none", "words"])
def test_an_answer_that_is_no_answer_is_tried_again(lost_failures: list[object], said: object) -> None:
    """A courier that answers nonsense costs no recipient its next try and the queue no place."""
    bench = Bench()

    def answer(request: DeliveryRequest) -> Any:
        nonsense = {"none": None, "words": "250 Ok"}.get(str(said), said)
        return dict.fromkeys(request.message.envelope.recipients, nonsense) if isinstance(said, str) else said

    bench.courier.script["good.example"] = answer
    bench.start()
    bench.submit(GOOD)
    assert bench.queue.activity == (0, 0)
    bench.courier.script["good.example"] = OK
    bench.pass_time(600)
    assert bench.left() == 0
    lost_failures.clear()


def test_failed_is_not_tried_again() -> None:
    """A permanent failure ends it."""
    bench = Bench()
    bench.courier.script["good.example"] = NEVER
    bench.start()
    bench.submit(GOOD)
    bench.pass_time(86400)
    assert len(bench.courier.requests) == 1
    assert bench.left() == 0


def test_stop_and_start_again() -> None:
    """A stop lets attempts end within the grace, cancels the rest and gives back what waits; the next start tries all at once."""
    bench = Bench(QueueSettings(lane_recipients=20_000))
    bench.courier.script["good.example"] = None
    bench.start()
    for _ in range(10):
        bench.submit(GOOD)
    ended = now_stopping(bench, grace=10)
    bench.courier.release(OK)
    assert not ended
    bench.pass_time(10)
    assert ended
    assert bench.left() == 9
    assert not bench.clock.getDelayedCalls()
    bench.courier.script["good.example"] = OK
    bench.queue = bench.new_queue()
    bench.start()
    assert bench.left() == 0


def test_after_a_stop_mail_is_kept() -> None:
    """What is submitted to a queue that does not run is durable, and tried when it runs."""
    bench = Bench()
    bench.submit(GOOD)
    assert not bench.courier.requests
    bench.start()
    assert bench.left() == 0


def test_wake_finds_what_others_put_there() -> None:
    """An operator's retry is tried at once, though the host counts as dead."""
    bench = Bench()
    bench.courier.script["dead.example"] = UNREACHABLE
    bench.start()
    for _ in range(3):
        bench.submit(DEAD)
    bench.pass_time(90)
    bench.courier.script["dead.example"] = OK
    now(bench.spool.retry(Selection(), bench.clock.seconds()))
    bench.queue.wake()
    assert bench.left() == 0


def hanging_lane() -> Bench:
    """Make a bench with three attempts that hang at a host, two of which then cannot reach it: the lane rests."""
    bench = Bench(QueueSettings(lane_initial=3))
    bench.spool = troubled(bench.spool)
    bench.queue = bench.new_queue()
    bench.courier.script["dead.example"] = None
    bench.start()
    for _ in range(3):
        bench.submit(DEAD)
    bench.courier.release(UNREACHABLE, 2)
    bench.courier.script["dead.example"] = OK
    bench.submit(DEAD)
    assert len(bench.courier.requests) == 3
    assert bench.left() == 4
    return bench


def test_a_host_that_answers_ends_its_rest() -> None:
    """An older attempt that succeeds while the lane rests ends the rest, in the spool too."""
    bench = hanging_lane()
    bench.courier.release(OK)
    bench.pass_time(2, 1)
    assert len(bench.courier.requests) == 4
    assert bench.left() == 2


def test_a_rest_ends_by_itself_when_the_spool_cannot_be_told() -> None:
    """When the spool cannot be told of the end of a rest, it ends at its time."""
    bench = hanging_lane()
    bench.spool.trouble = True  # type: ignore[attr-defined]
    bench.courier.release(OK)
    bench.spool.trouble = False  # type: ignore[attr-defined]
    bench.pass_time(400)
    assert bench.left() == 0


def test_a_message_that_becomes_durable_during_the_stop() -> None:
    """What was on its way into the spool when the queue stopped is given back and not begun."""
    gate: Deferred[None] = Deferred()

    class Slow(MemorySpool):
        async def accept(self, entry: NewEntry, *, due: float, lease_until: float = 0.0) -> Entry:
            await gate
            return await super().accept(entry, due=due, lease_until=lease_until)

    bench = Bench()
    bench.spool = Slow(bench.clock)
    bench.queue = bench.new_queue()
    bench.start()
    submitted = Deferred.fromCoroutine(bench.queue.submit(entry(GOOD)))
    now_stopped(bench)
    gate.callback(None)
    assert submitted.called
    assert not bench.courier.requests
    bench.queue = bench.new_queue()
    bench.start()
    assert bench.left() == 0


def now_stopping(bench: Bench, grace: float) -> list[None]:
    """Begin to stop; the list is filled when it has ended."""
    ended: list[None] = []
    Deferred.fromCoroutine(bench.queue.stop(grace)).addCallback(ended.append)
    return ended


def now_stopped(bench: Bench) -> None:
    """Stop without grace."""
    ended = now_stopping(bench, 0)
    bench.clock.advance(0)
    assert ended


def test_a_retry_is_no_later_than_due() -> None:
    """What an attempt leaves for later is tried when it is due, not when the next regular look comes along."""
    bench = Bench(QueueSettings(retry=(Seconds(2),), jitter=0.0, look_every=Seconds(60)))
    bench.courier.script["dead.example"] = LATER
    bench.start()
    bench.submit(DEAD)
    bench.pass_time(6, step=1)
    assert bench.courier.times("dead.example") == [TODAY, TODAY + 2, TODAY + 4, TODAY + 6]


def line_of_three() -> tuple[Bench, list[str]]:
    """Make a bench where one attempt hangs, and behind it two messages wait in memory."""
    bench = Bench(QueueSettings(lane_initial=1))
    bench.courier.script["dead.example"] = None
    bench.start()
    return bench, [bench.submit(DEAD, DEAD), bench.submit(DEAD, GOOD), bench.submit(DEAD)]


def test_what_is_removed_is_not_sent_from_memory() -> None:
    """A message that waits in memory when it is removed and recalled is never tried; what stands beside it is."""
    bench, (_, second, third) = line_of_three()
    now(bench.spool.remove(Selection(queue_id=second)))
    bench.queue.recall(lambda message, _: message.queue_id == second)
    bench.courier.script["dead.example"] = OK
    bench.courier.release(OK)
    bench.pass_time(60)
    tried = [request.message.queue_id for _, request in bench.courier.requests if request.lane == DEAD]
    assert second not in tried
    assert third in tried
    assert bench.queue.activity == (0, 0)
    assert bench.left() == 0


def test_what_is_held_waits_until_it_is_released() -> None:
    """A recipient that waits in memory when it is held is tried after its release, at once, and not before."""
    bench, (_, second, _) = line_of_three()
    wanted = Selection(queue_id=second)
    now(bench.spool.hold(wanted))
    bench.queue.recall(lambda message, _: message.queue_id == second)
    bench.courier.script["dead.example"] = OK
    bench.courier.release(OK)
    bench.pass_time(600)
    assert bench.left() == 1
    assert bench.queue.activity == (0, 0)
    now(bench.spool.release(wanted))
    bench.queue.wake()
    assert bench.left() == 0


def test_a_recall_may_mean_some_recipients_of_a_message() -> None:
    """Of one work in memory those that are meant go, the others stay, and nothing is counted wrong."""
    bench = Bench(QueueSettings(lane_initial=1))
    bench.courier.script["dead.example"] = None
    bench.start()
    for _ in range(2):
        bench.submit(DEAD, DEAD)
    waiting = {3}
    bench.queue.recall(lambda _, queued: queued.key in waiting)
    assert bench.queue.activity == (1, 3)
    bench.courier.script["dead.example"] = OK
    bench.courier.release(OK)
    bench.pass_time(60)
    assert bench.left() == 0
    assert bench.queue.activity == (0, 0)


def test_what_was_held_on_its_way_into_memory_goes_back() -> None:
    """A hold that comes between the claim and its answer counts: the recipient is not tried."""

    class Holding(MemorySpool):
        async def claim(self, **how: Any) -> Any:
            claimed = await super().claim(**how)
            await self.hold(Selection())
            return await self.listing(Selection(), limit=9) if claimed else []

    bench = Bench()
    bench.spool = Holding(bench.clock)
    bench.queue = bench.new_queue()
    bench.submit(GOOD)
    bench.start()
    assert not bench.courier.requests
    assert bench.queue.activity == (0, 0)
    now(bench.spool.release(Selection()))
    (kept,) = now(bench.spool.listing(Selection(), limit=1))
    assert kept.recipients[0].due == bench.clock.seconds()


def set_back(bench: Bench, seconds: float) -> None:
    """Set the clock back; timers that were set before wait for the time they were set for, as on a real reactor."""
    bench.clock.rightNow -= seconds


def test_a_clock_that_is_set_back_keeps_nobody_waiting() -> None:
    """After a step back of days what waits is tried within the longest wait, as soon as anything stirs the queue."""
    bench = Bench()
    bench.courier.script["dead.example"] = UNREACHABLE
    bench.start()
    for _ in range(3):
        bench.submit(DEAD)
    bench.pass_time(300)
    set_back(bench, 3 * 86400)
    bench.courier.script["dead.example"] = OK
    bench.submit(GOOD)
    bench.pass_time(120)
    assert bench.left() == 0


def test_a_clock_that_was_ahead_before_the_start_keeps_nobody_waiting() -> None:
    """What was written down under a clock that was days ahead is due at the next start."""
    bench = Bench()
    bench.courier.script["dead.example"] = LATER
    bench.start()
    bench.submit(DEAD)
    now_stopped(bench)
    bench.clock = bench.courier.clock = bench.spool._clock = Clock()  # type: ignore[attr-defined]
    bench.clock.advance(TODAY - 3 * 86400)
    bench.courier.script["dead.example"] = OK
    bench.queue = bench.new_queue()
    bench.start()
    assert bench.left() == 0
