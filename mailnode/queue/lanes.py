"""One lane: what waits for a next hop, how many attempts it may have at once, and whether its host is dead.

    open      attempts run, as many as the window lets; each success widens the window by one, up to a maximum
    resting   its host could not be reached ``dead_after`` times in a row; nothing is tried until ``resting_until``
    probing   the rest is over; the window is one, and the next attempt that ends decides: open, or resting again, longer

The window is Postfix's destination concurrency in its plainest form. Time and chance are arguments.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable

from attrs import Factory, define, evolve, frozen

from mailnode.mail.message import Entry, Message, QueuedRecipient
from mailnode.mail.outcome import Delayed, Outcome
from mailnode.mail.route import Lane
from mailnode.mail.wishes import priority_of
from mailnode.queue import schedule
from mailnode.queue.settings import QueueSettings

PLACES = 100
"""Places in the line that each level of priority is worth."""

SHARE = 8
"""One lane may hold this part of the content in memory."""


@frozen
class Work:
    """Recipients of one message on one lane, in memory under a lease: what one attempt takes."""

    message: Message
    recipients: tuple[QueuedRecipient, ...]
    lane: Lane
    expires: float
    leased_until: float

    @property
    def octets(self) -> int:
        """Count the octets of content it keeps in memory."""
        return len(self.message.content.head)

    def split(self, is_meant: Callable[[Message, QueuedRecipient], bool]) -> "tuple[Work | None, Work | None]":
        """Part the recipients that are meant from the others; None stands for a part without any."""
        mine = tuple(one for one in self.recipients if is_meant(self.message, one))
        rest = tuple(one for one in self.recipients if one not in mine)
        return (evolve(self, recipients=mine) if mine else None, evolve(self, recipients=rest) if rest else None)


def works_of(entry: Entry, leased_until: float, at_most: int) -> list[Work]:
    """Cut an entry into works: one lane each, at most that many recipients each."""
    of_lane: dict[Lane, list[QueuedRecipient]] = {}
    for recipient in entry.recipients:
        of_lane.setdefault(recipient.lane, []).append(recipient)
    return [
        Work(entry.message, tuple(recipients[start : start + at_most]), lane, entry.expires, leased_until)
        for lane, recipients in of_lane.items()
        for start in range(0, len(recipients), at_most)
    ]


@define(eq=False)
class LaneState:
    """What is known of one lane."""

    lane: Lane
    settings: QueueSettings
    window: int = Factory(lambda self: self.settings.lane_initial, takes_self=True)
    """Attempts that may run at once."""
    running: int = 0
    waiting: deque[Work] = Factory(deque)
    places: deque[int] = Factory(deque)
    """The place of each that waits; they go up."""
    added: int = 0
    """How many have come into the line."""
    recipients: int = 0
    """How many wait, in all its works."""
    octets: int = 0
    is_full: bool = False
    unreachable: int = 0
    """Attempts in a row that could not reach the host."""
    rests: int = 0
    """Rests in a row."""
    resting_until: float = 0.0
    last: Delayed | None = None
    """What the last attempt heard that could not reach the host."""

    @property
    def capacity(self) -> int:
        """Count the recipients it may keep in memory: more, the faster its host has shown itself."""
        return max(1, self.settings.lane_recipients * self.window // self.settings.lane_maximum)

    @property
    def is_startable(self) -> bool:
        """Tell whether one more attempt may begin."""
        return bool(self.waiting) and self.running < self.window

    @property
    def is_idle(self) -> bool:
        """Tell whether it has nothing in hand."""
        return not self.waiting and not self.running

    def is_resting(self, now: float) -> bool:
        """Tell whether its host counts as dead now."""
        return now < self.resting_until

    def add(self, work: Work) -> None:
        """Put work into the line: at its end, or as many places further ahead as its priority is worth (RFC 6710).

        Places count up, so whoever is overtaken is overtaken only by what comes within so many places: nobody starves.
        """
        self.added += 1
        place = self.added - PLACES * priority_of(work.message.envelope)
        if not self.places or self.places[-1] <= place:
            self.waiting.append(work)
            self.places.append(place)
        else:
            at = bisect_right(self.places, place)
            self.waiting.insert(at, work)
            self.places.insert(at, place)
        self._count(work, 1)

    def take(self) -> Work:
        """Begin with the first in the line."""
        work = self.waiting.popleft()
        self.places.popleft()
        self._count(work, -1)
        self.running += 1
        return work

    def drain(self) -> list[Work]:
        """Take all that waits, without beginning with it."""
        works = list(self.waiting)
        self.waiting.clear()
        self.places.clear()
        self.recipients = self.octets = 0
        self.is_full = False
        return works

    def learn(self, outcomes: tuple[Outcome, ...], now: float, random: schedule.Randomness) -> bool:
        """Draw the lesson of an attempt; True when the host is dead from now on."""
        delays = [one for one in outcomes if isinstance(one, Delayed)]
        if len(delays) < len(outcomes):
            self._succeed()
        elif delays and all(one.host_unreachable for one in delays):
            return self._miss(delays[0], now, random)
        elif delays:
            self.unreachable = 0
        return False

    def rest(self, now: float, random: schedule.Randomness, *, briefly: bool = False) -> None:
        """Rest from now on; briefly, when so many wait that they must come by more often."""
        if briefly:
            self.rests = 1
        self.resting_until = now + schedule.rest(self.rests, self.settings, random)

    def wake(self) -> None:
        """End the rest: the next attempt probes."""
        self.resting_until = 0.0

    def _succeed(self) -> None:
        self.window = min(self.window + 1, self.settings.lane_maximum)
        self.unreachable = self.rests = 0

    def _miss(self, heard: Delayed, now: float, random: schedule.Randomness) -> bool:
        self.last = heard
        self.unreachable += 1
        self.window = max(1, self.window - 1)
        # What began before the rest says nothing new.
        if self.unreachable < self.settings.dead_after or self.is_resting(now):
            return False
        self.window = 1
        self.rests += 1
        self.rest(now, random)
        return True

    def _count(self, work: Work, sign: int) -> None:
        self.recipients += sign * len(work.recipients)
        self.octets += sign * work.octets
        most_octets = self.settings.active_content // SHARE
        if self.recipients >= self.capacity or self.octets >= most_octets:
            self.is_full = True
        elif self.recipients <= self.capacity // 2 and self.octets <= most_octets // 2:
            # Only half empty is room again, so that the spool is asked for many at a time.
            self.is_full = False
