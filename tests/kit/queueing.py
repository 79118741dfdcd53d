"""A queue to play with: a spool in memory, a clock in the hand, couriers that follow a script."""

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from attrs import Factory, define
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from mailnode.interfaces import Courier, Settlement, Spool, SpoolTrouble
from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.content import Content
from mailnode.mail.envelope import Envelope, Recipient
from mailnode.mail.message import DeliveryRequest, Message, NewEntry
from mailnode.mail.outcome import Delayed, Delivered, Failed, Outcome, Relayed
from mailnode.mail.reply import Reply
from mailnode.mail.route import Lane, Route
from mailnode.queue.attempt import Attempt
from mailnode.queue.runner import DeliveryQueue
from mailnode.queue.schedule import next_attempt
from mailnode.queue.settings import QueueSettings
from mailnode.queue.settling import Settled
from mailnode.spool.memory import MemorySpool
from tests.kit.results import now

TODAY = 1_800_000_000.0
OK = Delivered(Reply.of(250, "2.0.0", "Ok"))
LATER = Delayed(Reply.of(451, "4.2.1", "Mailbox busy"), "mx.dead.example")
NEVER = Failed(Reply.of(550, "5.1.1", "No such user"), "mx.good.example")
UNREACHABLE = Delayed(Reply.of(451, "4.4.1", "Connection refused"), host_unreachable=True)
CONTENT = Content(b"Subject: hello\r\n\r\nHello.\r\n")
ANN = Mailbox("ann", "sender.example")
GOOD = Lane("smtp", "good.example")
DEAD = Lane("smtp", "dead.example")

_numbers = itertools.count(1)


def entry(*lanes: Lane, at: float = TODAY, give_up: float = 5 * 86400, sender: Mailbox = ANN) -> NewEntry:
    """Make a message with one recipient for each lane given."""
    paths = [Mailbox(f"bob{number}", lane.next_hop or "here.example") for number, lane in enumerate(lanes)]
    envelope = Envelope(sender, tuple(map(Recipient, paths)))
    message = Message(f"Q{next(_numbers):08}", envelope, CONTENT, at)
    return NewEntry(message, tuple(map(Route, lanes, paths)), at + give_up)


@define
class ScriptedCourier:
    """A courier whose outcomes are told by next hop: an outcome, a function, or None to hang until ``release``."""

    script: dict[str, Outcome | Callable[[DeliveryRequest], Mapping[Recipient, Outcome]] | None]
    clock: Clock
    requests: list[tuple[float, DeliveryRequest]] = Factory(list)
    hanging: list[tuple[Deferred[Any], DeliveryRequest]] = Factory(list)
    most: dict[str, int] = Factory(dict)
    """The most requests that hung at the same time, by next hop."""

    async def carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        """Do as the script says; a next hop it does not name takes all."""
        hop = request.lane.next_hop
        self.requests.append((self.clock.seconds(), request))
        told = self.script.get(hop, OK)
        if told is None:
            wait: Deferred[Outcome] = Deferred()
            item = (wait, request)
            self.hanging.append(item)
            self.most[hop] = max(self.most.get(hop, 0), sum(one.lane.next_hop == hop for _, one in self.hanging))
            try:
                told = await wait
            finally:
                self.hanging.remove(item)
        if callable(told):
            return told(request)
        return dict.fromkeys(request.message.envelope.recipients, told)

    def release(self, outcome: Outcome, count: int = 1) -> None:
        """Answer the oldest that hang."""
        for wait, _ in self.hanging[:count]:
            wait.callback(outcome)

    def times(self, hop: str) -> list[float]:
        """Give when the next hop was tried."""
        return [at for at, request in self.requests if request.lane.next_hop == hop]

    async def close(self) -> None:
        """Nothing is open."""


@define
class PlainSettle:
    """Settles by the timetable alone: no DSNs."""

    settings: QueueSettings
    random: Random
    attempts: list[Attempt] = Factory(list)

    async def __call__(self, attempt: Attempt) -> Settled:
        """Delayed waits, all else is done."""
        self.attempts.append(attempt)
        settlements = []
        for queued, outcome in zip(attempt.recipients, attempt.outcomes, strict=True):
            wait = None
            if isinstance(outcome, Delayed):
                wait = next_attempt(queued.attempts + 1, attempt.expires - attempt.ended, self.settings, self.random)
            settlements.append(
                Settlement(queued.key, done=wait is None, due=attempt.ended + (wait or 0), last=outcome.reply)
            )
        return Settled(tuple(settlements))

    def ended(self, *kinds: type[Outcome]) -> list[str]:
        """Give the queue ids of recipients that ended like that."""
        return [
            attempt.message.queue_id
            for attempt in self.attempts
            for outcome in attempt.outcomes
            if isinstance(outcome, kinds or (Delivered, Relayed))
        ]


class TroubledSpool:
    """A spool that cannot do anything while ``trouble`` is set; ``asked`` counts what it was asked for."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self.trouble = False
        self.asked: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        """Stand before the spool's method of that name."""

        async def ask(*values: Any, **named: Any) -> Any:
            self.asked[name] += 1
            if self.trouble:
                raise SpoolTrouble("disk full", is_full=True)
            return await getattr(self._spool, name)(*values, **named)

        return ask


def troubled(spool: Spool) -> Any:
    """Wrap a spool; typed as anything, since it answers to all that a spool does."""
    return TroubledSpool(spool)


@define
class Bench:
    """A queue and all around it."""

    settings: QueueSettings = Factory(QueueSettings)
    clock: Clock = Factory(Clock)
    courier: ScriptedCourier = Factory(lambda self: ScriptedCourier({}, self.clock), takes_self=True)
    settle: PlainSettle = Factory(lambda self: PlainSettle(self.settings, Random(7)), takes_self=True)
    spool: Spool = Factory(lambda self: MemorySpool(self.clock), takes_self=True)
    queue: DeliveryQueue = Factory(lambda self: self.new_queue(), takes_self=True)

    def __attrs_post_init__(self) -> None:
        """Begin today."""
        if not self.clock.seconds():
            self.clock.advance(TODAY)

    def new_queue(self, couriers: Mapping[str, Courier] | None = None) -> DeliveryQueue:
        """Make another queue over the same spool, as after a restart."""
        return DeliveryQueue(
            spool=self.spool,
            couriers={"smtp": self.courier, "maildir": self.courier} if couriers is None else couriers,
            settle=self.settle,
            clock=self.clock,
            random=Random(5),
            settings=self.settings,
        )

    def start(self) -> "Bench":
        """Start the queue."""
        now(self.queue.start())
        return self

    def submit(self, *lanes: Lane, **how: Any) -> str:
        """Submit a message with a recipient on each lane; gives its queue id."""
        made = entry(*lanes, at=self.clock.seconds(), **how)
        now(self.queue.submit(made))
        return made.message.queue_id

    def pass_time(self, seconds: float, step: float = 30) -> None:
        """Let time pass, in steps."""
        while seconds > 0:
            self.clock.advance(min(step, seconds))
            seconds -= step

    def left(self) -> int:
        """Count the recipients in the spool."""
        return now(self.spool.count())[1]


__all__ = ["ANN", "CONTENT", "DEAD", "GOOD", "LATER", "NEVER", "NULL", "OK", "TODAY", "UNREACHABLE", "Bench", "entry"]
