"""All that is in memory: the lanes, whose turn it is, and how much more may come.

Lanes take turns, one attempt each, so that a lane with much to do leaves the others their part when all attempts that
may run at once are running. Lanes with nothing to do are remembered for a while, for their window and their rests; the
longest unused is forgotten first.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping

from attrs import Factory, define

from mailnode.mail.message import Message, QueuedRecipient
from mailnode.mail.route import Lane
from mailnode.queue.lanes import LaneState, Work
from mailnode.queue.settings import QueueSettings

REMEMBERED = 10_000
"""Idle lanes that are remembered."""


@define(eq=False)
class Load:
    """What the queue has in hand. Nothing here does anything by itself."""

    settings: QueueSettings
    running: int = 0
    """Attempts that run."""
    octets: int = 0
    """Content in memory."""
    keys: set[int] = Factory(set)
    """The recipients in hand, by their names in the spool: waiting, tried, or not settled yet."""
    _busy: dict[Lane, LaneState] = Factory(dict)
    _idle: OrderedDict[Lane, LaneState] = Factory(OrderedDict)
    _turns: deque[LaneState] = Factory(deque)
    _in_turn: set[Lane] = Factory(set)
    _full: set[Lane] = Factory(set)

    def room(self) -> int:
        """Count the recipients that may still come."""
        if self.octets >= self.settings.active_content:
            return 0
        return max(0, self.settings.active_recipients - len(self.keys))

    def full(self) -> frozenset[Lane]:
        """Give the lanes that can take no more now."""
        return frozenset(self._full)

    def takes(self, of_lane: Mapping[Lane, int], octets: int, now: float) -> bool:
        """Tell whether a new message with so many recipients of each lane may come into memory."""
        if Counter(of_lane).total() > self.room() or self.octets + octets > self.settings.active_content:
            return False
        return all(self._can_take(lane, count, now) for lane, count in of_lane.items())

    def lane(self, lane: Lane) -> LaneState:
        """Give what is known of a lane; a new one is open."""
        found = self._busy.get(lane) or self._idle.get(lane)
        if found is None:
            found = LaneState(lane, self.settings)
            self._remember(found)
        return found

    def hold(self, work: Work) -> None:
        """Count work as being in hand."""
        self.keys.update(one.key for one in work.recipients)
        self.octets += work.octets

    def let_go(self, work: Work) -> None:
        """Undo ``hold``: it is settled."""
        self.keys.difference_update(one.key for one in work.recipients)
        self.octets -= work.octets

    def add(self, work: Work) -> None:
        """Put work that is in hand into its lane's line."""
        state = self.lane(work.lane)
        state.add(work)
        self._see(state)

    def next_turn(self) -> tuple[LaneState, Work] | None:
        """Begin with one work of the lane whose turn it is; None when none may begin."""
        while self._turns and self.running < self.settings.concurrency:
            state = self._turns.popleft()
            self._in_turn.discard(state.lane)
            if state.is_startable:
                work = state.take()
                self.running += 1
                self._see(state)
                return state, work
        return None

    def finish(self, state: LaneState) -> None:
        """Count one attempt of the lane as over."""
        state.running -= 1
        self.running -= 1
        self._see(state)

    def drain(self, state: LaneState) -> list[Work]:
        """Take all that waits in one lane; it stays in hand."""
        works = state.drain()
        self._see(state)
        return works

    def drain_all(self) -> list[Work]:
        """Take all that waits anywhere; it stays in hand."""
        return [work for state in list(self._busy.values()) for work in self.drain(state)]

    def wake_beyond(self, latest: float) -> None:
        """End the rests that would last longer than until then."""
        for state in (*self._busy.values(), *self._idle.values()):
            if state.is_resting(latest):
                state.wake()

    def recall(self, is_meant: Callable[[Message, QueuedRecipient], bool]) -> list[Work]:
        """Take what waits and is meant, and leave the rest in line; what is taken stays in hand."""
        taken: list[Work] = []
        for state in list(self._busy.values()):
            if any(is_meant(work.message, one) for work in state.waiting for one in work.recipients):
                for work in self.drain(state):
                    mine, rest = work.split(is_meant)
                    if mine is not None:
                        taken.append(mine)
                    if mine is not None and rest is not None:
                        # Each part counts by itself from here on.
                        self.hold(rest)
                    if rest is not None:
                        self.add(rest)
        return taken

    def _can_take(self, lane: Lane, count: int, now: float) -> bool:
        state = self._busy.get(lane) or self._idle.get(lane)
        if state is None:
            state = LaneState(lane, self.settings)
        return not state.is_full and not state.is_resting(now) and count <= state.capacity

    def _see(self, state: LaneState) -> None:
        """Put the lane where it belongs after a change."""
        (self._full.add if state.is_full else self._full.discard)(state.lane)
        if state.is_startable and state.lane not in self._in_turn:
            self._turns.append(state)
            self._in_turn.add(state.lane)
        if not state.is_idle:
            self._idle.pop(state.lane, None)
            self._busy[state.lane] = state
        elif self._busy.pop(state.lane, None):
            self._remember(state)

    def _remember(self, state: LaneState) -> None:
        self._idle[state.lane] = state
        if len(self._idle) > REMEMBERED:
            self._idle.popitem(last=False)
