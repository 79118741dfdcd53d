"""The queue: takes new messages, claims what is due, and keeps the attempts running.

One timer waits for what is due next. What waits for room (a full lane, too much in memory) waits in the spool and is
claimed when room comes. Every coroutine begun here is kept in ``_tasks`` and ends before ``stop`` does.
"""

import math
import random as chance
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from mailnode.interfaces import Courier, Selection, Spool, SpoolTrouble
from mailnode.mail.message import Entry, Message, NewEntry, QueuedRecipient
from mailnode.mail.outcome import Failed, Outcome
from mailnode.mail.wishes import priority_of, released_at, returned_at
from mailnode.queue.attempt import TOO_LATE, Attempt, Attempts, suspended, write_down
from mailnode.queue.deadlines import Deadlines
from mailnode.queue.lanes import LaneState, Work, works_of
from mailnode.queue.load import Load
from mailnode.queue.rests import Rests
from mailnode.queue.settings import QueueSettings
from mailnode.queue.settling import Settle, Settling
from mailnode.queue.tasks import Tasks

log = Logger()

HEAD_START = 600.0
"""Seconds of waiting that each level of priority above 0 is worth to what waits in the spool."""

SOON = 1.0
"""Seconds until the next look when something is due that cannot be taken now, or the spool is in trouble."""


class DeliveryQueue:
    """A Queue over one spool."""

    def __init__(
        self,
        *,
        spool: Spool,
        couriers: Mapping[str, Courier],
        settle: Settle,
        clock: IReactorTime,
        random: chance.Random,
        settings: QueueSettings,
    ) -> None:
        self._spool = spool
        self._clock = clock
        self._random = random
        self._settings = settings
        self._load = Load(settings)
        self._rests = Rests(spool, random, settings)
        self._attempts = Attempts(couriers, clock, settings, set())
        self._settling = Settling(spool, settle, clock, settings, self.wake)
        self._deadlines = Deadlines(clock, lambda queue_id: self._tasks.run(self._look_at(queue_id)))
        self._tasks = Tasks()
        self._timer: IDelayedCall | None = None
        self._is_open = False
        self._is_looking = False
        self._look_again = False
        self._is_pumping = False
        self._left_behind = False
        """Something due was left in the spool for want of room."""
        self._looked = 0.0
        """When the spool was last looked into, as the clock stood then."""
        self._expected = math.inf
        """The earliest time that was written into the spool since it last told what is due next."""

    @property
    def activity(self) -> tuple[int, int]:
        """Count the attempts that run and the recipients in memory."""
        return self._load.running, len(self._load.keys)

    async def start(self) -> int:
        """Recover the spool and begin; gives how many recipients wait. Raises SpoolTrouble."""
        waiting = await self._spool.recover()
        await self._retime()
        self._is_open = True
        self.wake()
        return waiting

    async def stop(self, grace: float) -> None:
        """Begin nothing more, let attempts end for ``grace`` seconds, cancel the rest, and give back what was not tried."""
        self._is_open = False
        self._deadlines.stop()
        self._disarm()
        await self._give_back(self._load.drain_all())
        limit = self._clock.callLater(grace, self._interrupt)
        await self._tasks.all_ended()
        if limit.active():
            limit.cancel()

    async def submit(self, entry: NewEntry) -> None:
        """Make the message durable and start on it; raises SpoolTrouble."""
        now = self._clock.seconds()
        if now < self._looked:
            self.wake()
        release = released_at(entry.message.envelope)
        if release > now:
            await self._spool.accept(entry, due=release)
            self._expect(release)
            return
        self._deadlines.note(entry.message)
        of_lane = Counter(route.lane for route in entry.routes)
        if not self._is_open or not self._load.takes(of_lane, len(entry.message.content.head), now):
            # What is urgent looks as if it had waited for longer: it is claimed first, and nothing waits for ever.
            await self._spool.accept(entry, due=now - HEAD_START * max(0, priority_of(entry.message.envelope)))
            self._made_due()
            return
        leased_until = now + self._settings.lease
        kept = await self._spool.accept(entry, due=now, lease_until=leased_until)
        self._take(works_of(kept, leased_until, self._settings.recipients_per_request))

    def wake(self) -> None:
        """Look into the spool now: something there has changed."""
        self._look_again = True
        if self._is_open and not self._is_looking:
            self._tasks.run(self._look())

    def recall(self, is_meant: Callable[[Message, QueuedRecipient], bool]) -> None:
        """Give back what waits in memory and is meant; what is being tried is tried to its end."""
        works = self._load.recall(is_meant)
        if works:
            self._tasks.run(self._give_back(works))

    # --- from the spool into the lanes

    async def _look(self) -> None:
        self._is_looking = True
        self._disarm()
        soon = False
        due: float | None = None
        try:
            while self._look_again and self._is_open:
                self._look_again = False
                if self._clock.seconds() < self._looked:
                    log.warn("the clock was set back; what waits beyond its time is due now", event="clock")  # noqa: G010 - Twisted's name
                    await self._retime()
                self._looked = self._clock.seconds()
                await self._claim()
                self._expected = math.inf
                due = await self._spool.next_due()
        except SpoolTrouble as trouble:
            log.error("the queue cannot read the spool: {reason}", event="trouble", reason=str(trouble))
            soon = True
        finally:
            self._is_looking = False
            if self._is_open:
                # Whatever happened, there is a next look.
                self._arm(SOON)
        if self._is_open and not soon:
            self._arm(self._wait_for(due))

    async def _retime(self) -> None:
        """Let nothing wait for longer than the timetable allows: the clock may have been ahead when it was written down."""
        now = self._clock.seconds()
        latest = now + self._settings.longest_wait
        await self._spool.retime(now=now, due_by=latest, lease_until=now + self._settings.lease)
        self._load.wake_beyond(latest)

    async def _claim(self) -> None:
        """Take all that is due and has room."""
        self._left_behind = False
        is_dry = False
        while not is_dry and self._is_open:
            now = self._clock.seconds()
            await self._rests.tell(now, is_dry=False)
            room = min(self._load.room(), self._settings.claim_batch)
            if not room or self._settling.is_troubled:
                self._left_behind = True
                return
            entries = await self._spool.claim(
                now=now,
                lease_until=now + self._settings.lease,
                limit=room,
                per_lane=max(1, room // 2),
                full=self._load.full(),
            )
            self._take_claimed(entries, now + self._settings.lease)
            is_dry = not entries
        await self._rests.tell(self._clock.seconds(), is_dry=True)

    def _take_claimed(self, entries: Sequence[Entry], leased_until: float) -> None:
        """Put claimed work into its lanes, or put it off; what is in hand already is not taken twice.

        What was held while it was on its way from the spool goes back. (No ``recall`` can miss it: the spool tells of a
        hold only after it has told of all that was claimed before.)
        """
        self._return_held(entries)
        entries = [entry for entry in entries if not self._is_early(entry)]
        works = [
            work
            for entry in entries
            for work in works_of(self._news(entry), leased_until, self._settings.recipients_per_request)
        ]
        dead = [work for work in works if self._rests.sweeps(self._load.lane(work.lane), work)]
        for work in dead:
            self._load.hold(work)
            self._tasks.run(self._suspend(self._load.lane(work.lane), work))
        put_off = set(map(id, dead))
        self._take([work for work in works if id(work) not in put_off])

    def _is_early(self, entry: Entry) -> bool:
        """Send back what its sender holds: an operator, or a clock that was set, has made it due before its time."""
        release = released_at(entry.message.envelope)
        if release <= self._clock.seconds():
            return False
        self._tasks.run(self._settling.give_back(self._news(entry).recipients, due=release))
        self._expect(release)
        return True

    def _return_held(self, entries: Sequence[Entry]) -> None:
        held = [one for entry in entries for one in entry.recipients if one.held and one.key not in self._load.keys]
        if held:
            self._tasks.run(self._settling.give_back(held))

    def _news(self, entry: Entry) -> Entry:
        """Leave out who is held, and whose outcome is in memory but could not be settled before the lease ran out."""
        recipients = tuple(one for one in entry.recipients if not (one.held or one.key in self._load.keys))
        return entry if len(recipients) == len(entry.recipients) else Entry(entry.message, recipients, entry.expires)

    def _take(self, works: Sequence[Work]) -> None:
        for work in works:
            self._load.hold(work)
            self._deadlines.note(work.message)
        if not self._is_open:
            self._tasks.run(self._give_back(works))
            return
        for work in works:
            # What the spool gives is tried: an operator asked for it, or the rest is over.
            self._load.lane(work.lane).wake()
            self._load.add(work)
        self._pump()

    async def _look_at(self, queue_id: str) -> None:
        """Make a message due whose time is over, though its lane may rest."""
        try:
            await self._spool.retry(Selection(queue_id=queue_id), self._clock.seconds())
            self.wake()
        except SpoolTrouble as trouble:
            log.error("the queue cannot write the spool: {reason}", event="trouble", reason=str(trouble))

    def _made_due(self) -> None:
        """Look soon, unless it would not help: then whoever makes room looks."""
        if self._load.room() and not self._load.full():
            self.wake()
        else:
            self._left_behind = True

    def _wait_for(self, due: float | None) -> float:
        wait = min(math.inf if due is None else due, self._expected) - self._clock.seconds()
        if wait <= 0:
            self._left_behind = True
            return SOON
        return min(wait, self._settings.look_every)

    def _expect(self, due: float) -> None:
        """Look into the spool no later than ``due``, when something just written there is."""
        self._expected = min(self._expected, due)
        if self._timer is not None and self._expected < self._timer.getTime():
            self._arm(max(0.0, self._expected - self._clock.seconds()))

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._timer = self._clock.callLater(seconds, self._wake_by_timer)

    def _wake_by_timer(self) -> None:
        self._timer = None
        self.wake()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # --- from the lanes to the couriers

    def _pump(self) -> None:
        """Begin all attempts that may begin; not from within itself, so that quick couriers cannot pile up the stack."""
        if self._is_pumping:
            return
        self._is_pumping = True
        try:
            while self._is_open and not self._settling.is_troubled and (turn := self._load.next_turn()):
                self._tasks.run(self._attempt(*turn))
        finally:
            self._is_pumping = False

    async def _attempt(self, state: LaneState, work: Work) -> None:
        now = self._clock.seconds()
        if now + self._settings.attempt_limit > work.leased_until:
            self._load.finish(state)
            await self._give_back([work])
            return
        if now >= returned_at(work.message):
            # Not an attempt: it says nothing of the host.
            self._load.finish(state)
            await self._settle(work, (Failed(TOO_LATE),) * len(work.recipients))
            return
        try:
            outcomes = await self._attempts.make(work)
        except CancelledError:
            self._load.finish(state)
            await self._give_back([work])
            return
        self._load.finish(state)
        await self._feel(state, outcomes)
        self._pump()
        await self._settle(work, outcomes)

    async def _feel(self, state: LaneState, outcomes: tuple[Outcome, ...]) -> None:
        """Learn from an attempt how its host is, and act on it."""
        now = self._clock.seconds()
        if state.learn(outcomes, now, self._random):
            self._rests.begin(state)
            log.info(
                "lane {courier}:{next_hop} rests: {diagnostic}",
                event="rest",
                courier=state.lane.courier,
                next_hop=state.lane.next_hop,
                diagnostic=str(state.last.reply) if state.last else "",
            )
            for work in self._load.drain(state):
                self._tasks.run(self._suspend(state, work))
            self.wake()
        elif not state.unreachable:
            try:
                if await self._rests.end(state, now):
                    self.wake()
            except SpoolTrouble as trouble:
                log.error("the queue cannot write the spool: {reason}", event="trouble", reason=str(trouble))

    async def _suspend(self, state: LaneState, work: Work) -> None:
        await self._settle(work, (suspended(state),) * len(work.recipients))

    async def _settle(self, work: Work, outcomes: tuple[Outcome, ...]) -> None:
        attempt = Attempt(work.message, work.lane, work.recipients, outcomes, work.expires, ended=self._clock.seconds())
        write_down(attempt)
        due = await self._settling.finish(attempt)
        self._let_go(work)
        self._expect(due)

    async def _give_back(self, works: Sequence[Work]) -> None:
        await self._settling.give_back([one for work in works for one in work.recipients])
        for work in works:
            self._let_go(work)

    def _let_go(self, work: Work) -> None:
        self._load.let_go(work)
        if self._left_behind and self._load.room() and work.lane not in self._load.full():
            self.wake()
        self._pump()

    def _interrupt(self) -> None:
        """End the patience: cancel couriers, and try only once more to settle."""
        self._attempts.cancel()
        self._settling.hurry()
