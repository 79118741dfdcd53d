"""The one promise, under everything that can happen: what was accepted may arrive twice, and is never lost."""

from random import Random
from typing import Any

from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mailnode.interfaces import Selection, SpoolTrouble
from mailnode.mail.quantity import Seconds
from mailnode.mail.route import Lane
from mailnode.queue.settings import QueueSettings
from tests.kit.queueing import LATER, NEVER, OK, UNREACHABLE, Bench, PlainSettle, ScriptedCourier, entry, troubled
from tests.kit.results import now

LANES = [Lane("smtp", f"host{number}.example") for number in range(3)]
OUTCOMES = [OK, LATER, NEVER, UNREACHABLE]
SETTINGS = QueueSettings(
    lane_recipients=20,
    claim_batch=4,
    active_recipients=12,
    recipients_per_request=3,
    concurrency=4,
    sweep=4,
    attempt_limit=Seconds(600),
    lease=Seconds(1200),
)


class Promise(RuleBasedStateMachine):
    """A queue whose hosts, disk, process and clock do as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(SETTINGS)
        self.real = self.bench.spool
        self.accepted: set[tuple[str, str]] = set()
        self.ended: set[tuple[str, str]] = set()
        self.begin()

    def begin(self) -> None:
        """Start a process over the spool that is there."""
        bench = self.bench
        bench.courier = ScriptedCourier(dict.fromkeys([lane.next_hop for lane in LANES], OK), bench.clock)
        bench.settle = PlainSettle(SETTINGS, Random(3))
        self.spool: Any = troubled(self.real)
        bench.spool = self.spool
        bench.queue = bench.new_queue()
        bench.start()

    def note_ends(self) -> None:
        """Remember who got an answer that ends it, or ran out of time."""
        for attempt in self.bench.settle.attempts:
            for queued, outcome in zip(attempt.recipients, attempt.outcomes, strict=True):
                if outcome in (OK, NEVER) or attempt.ended >= attempt.expires:
                    self.ended.add((attempt.message.queue_id, str(queued.recipient.forward_path)))
        self.bench.settle.attempts.clear()

    @rule(lanes=st.lists(st.sampled_from(LANES), min_size=1, max_size=8))
    def accept(self, lanes: list[Lane]) -> None:
        """Accept a message; when the disk is full it is refused, and nothing was promised."""
        made = entry(*lanes, at=self.bench.clock.seconds())
        try:
            now(self.bench.queue.submit(made))
        except SpoolTrouble:
            return
        self.accepted.update((made.message.queue_id, str(one.forward_path)) for one in made.message.envelope.recipients)

    @rule(lane=st.sampled_from(LANES), does=st.sampled_from([*OUTCOMES, None]))
    def host(self, lane: Lane, does: Any) -> None:
        """Let a host change its mind, or begin to hang."""
        self.bench.courier.script[lane.next_hop] = does

    @rule(outcome=st.sampled_from(OUTCOMES), count=st.integers(1, 4))
    def answer(self, outcome: Any, count: int) -> None:
        """Let hosts that hang answer."""
        self.bench.courier.release(outcome, count)

    @rule(full=st.booleans())
    def disk(self, full: bool) -> None:
        """Fill the disk, or clear it."""
        self.spool.trouble = full

    @rule(seconds=st.sampled_from([1, 60, 600, 3600, 86400]), steps=st.integers(1, 4))
    def clock(self, seconds: int, steps: int) -> None:
        """Let time pass, or jump."""
        for _ in range(steps):
            self.bench.clock.advance(seconds)

    @rule()
    def crash(self) -> None:
        """Kill the process at this instant and start another one."""
        self.note_ends()
        self.spool.trouble = True
        self.bench.queue._is_open = False
        for call in list(self.bench.clock.getDelayedCalls()):
            call.cancel()
        self.begin()

    @precondition(lambda self: not self.spool.trouble)
    @rule(grace=st.integers(0, 30))
    def stop(self, grace: int) -> None:
        """Stop the process in good order and start again."""
        from twisted.internet.defer import Deferred

        ended: list[None] = []
        Deferred.fromCoroutine(self.bench.queue.stop(grace)).addCallback(ended.append)
        self.bench.clock.advance(grace)
        assert ended
        assert not self.bench.clock.getDelayedCalls()
        self.note_ends()
        self.begin()

    @invariant()
    def never_lost(self) -> None:
        """Find whoever was promised in the spool, or with an end."""
        self.note_ends()
        kept = {
            (one.message.queue_id, str(queued.recipient.forward_path))
            for one in now(self.real.listing(Selection(), limit=10_000))
            for queued in one.recipients
        }
        assert self.accepted <= kept | self.ended

    @invariant()
    def memory_is_bounded(self) -> None:
        """Keep what is in memory near its limit: one message or one claim beyond."""
        assert self.bench.queue.activity[1] <= SETTINGS.active_recipients + 8

    def teardown(self) -> None:
        """End all trouble: all mail ends."""
        self.spool.trouble = False
        for lane in LANES:
            self.bench.courier.script[lane.next_hop] = OK
        self.bench.courier.release(OK, 100)
        for _ in range(200):
            self.bench.clock.advance(1200)
        self.note_ends()
        assert self.bench.left() == 0
        assert self.accepted <= self.ended


TestPromise = Promise.TestCase
TestPromise.settings = profile(max_examples=40, stateful_step_count=30, deadline=None)
