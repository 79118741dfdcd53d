"""The spool in memory: nothing outlives the process.

For tests and for the kits of gateways; it keeps the same rules as the spool on disk, told in the plainest way: every
question walks over everything.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from attrs import Factory, define, evolve
from twisted.internet.interfaces import IReactorTime

from mailnode.interfaces import Selection, Settlement, SpoolTrouble
from mailnode.mail.content import Content
from mailnode.mail.message import Entry, Message, NewEntry, QueuedRecipient
from mailnode.mail.route import Lane
from mailnode.spool.rows import first_entry, next_state
from mailnode.spool.selection import Marks, selects_message, selects_recipient


@define
class _Kept:
    """One message and the recipients it still has, by key."""

    place: int
    message: Message
    expires: float
    recipients: dict[int, QueuedRecipient]

    def entry(self, recipients: Sequence[QueuedRecipient]) -> Entry:
        """Show these of its recipients."""
        return Entry(self.message, tuple(recipients), self.expires)


@define
class MemorySpool:
    """A Spool that forgets everything with its process; needs a clock only for what becomes due at once."""

    _clock: IReactorTime
    _kept: dict[str, _Kept] = Factory(dict)
    _owners: dict[int, _Kept] = Factory(dict)
    _leased: set[int] = Factory(set)
    _postponed: dict[Lane, float] = Factory(dict)
    _places: Iterator[int] = Factory(lambda: itertools.count(1))
    _keys: Iterator[int] = Factory(lambda: itertools.count(1))
    _marks: Marks = Factory(Marks)

    async def accept(self, entry: NewEntry, *, due: float, lease_until: float = 0.0) -> Entry:
        """Keep the message; SpoolTrouble when its queue id is known already."""
        self._refuse_known([entry])
        kept = first_entry(entry, lease_until or due, self._keys)
        row = _Kept(next(self._places), kept.message, kept.expires, {one.key: one for one in kept.recipients})
        self._kept[kept.message.queue_id] = row
        self._owners.update(dict.fromkeys(row.recipients, row))
        if lease_until:
            self._leased.update(row.recipients)
        return kept

    async def claim(
        self, *, now: float, lease_until: float, limit: int, per_lane: int, full: Collection[Lane]
    ) -> Sequence[Entry]:
        """Lease what is due, the oldest first."""
        taken: dict[str, list[QueuedRecipient]] = {}
        of_lane: Counter[Lane] = Counter()
        for kept, queued in sorted(self._waiting(), key=lambda pair: (pair[1].due, pair[1].key)):
            if limit <= 0:
                break
            if self._opens(queued) > now or queued.lane in full or of_lane[queued.lane] >= per_lane:
                continue
            leased = kept.recipients[queued.key] = evolve(queued, due=lease_until)
            self._leased.add(queued.key)
            of_lane[queued.lane] += 1
            limit -= 1
            taken.setdefault(kept.message.queue_id, []).append(leased)
        return [self._kept[queue_id].entry(recipients) for queue_id, recipients in taken.items()]

    async def claim_lane(
        self, lane: Lane, *, now: float, lease_until: float, limit: int, after: int = 0
    ) -> Sequence[Entry]:
        """Lease what waits in one lane, due or not."""
        taken: dict[str, list[QueuedRecipient]] = {}
        for kept, queued in sorted(self._waiting(), key=lambda pair: pair[1].key):
            if queued.lane != lane or queued.key <= after or self._is_leased(queued, now) or limit <= 0:
                continue
            leased = kept.recipients[queued.key] = evolve(queued, due=lease_until)
            self._leased.add(queued.key)
            limit -= 1
            taken.setdefault(kept.message.queue_id, []).append(leased)
        return [self._kept[queue_id].entry(recipients) for queue_id, recipients in taken.items()]

    async def settle(
        self, settlements: Sequence[Settlement], notices: Sequence[tuple[NewEntry, float]] = ()
    ) -> Sequence[str]:
        """Note what became of recipients; a key that is not known any more is passed over."""
        if not any(settlement.key in self._owners for settlement in settlements):
            for notice, _ in notices:
                _unlink(notice.message.content.path)
            return []
        self._refuse_known([notice for notice, _ in notices])
        for notice, due in notices:
            await self.accept(notice, due=due)
        done: list[str] = []
        for settlement in settlements:
            kept = self._owners.get(settlement.key)
            if kept is None:
                continue
            self._leased.discard(settlement.key)
            if not settlement.done:
                kept.recipients[settlement.key] = next_state(kept.recipients[settlement.key], settlement)
                continue
            self._forget(kept, settlement.key)
            if not kept.recipients:
                done.append(kept.message.queue_id)
        return done

    async def postpone(self, lane: Lane, until: float) -> None:
        """Close the lane until then."""
        self._postponed[lane] = until

    async def next_due(self) -> float | None:
        """Tell when something may be claimed."""
        return min((self._opens(queued) for _, queued in self._waiting()), default=None)

    async def recover(self) -> int:
        """Free all leases; all are of this owner."""
        now = self._clock.seconds()
        for key in self._leased:
            recipients = self._owners[key].recipients
            recipients[key] = evolve(recipients[key], due=min(recipients[key].due, now))
        self._leased.clear()
        return len(self._owners)

    async def retime(self, *, now: float, due_by: float, lease_until: float) -> None:
        """Correct times that lie further ahead than they can."""
        for kept in self._kept.values():
            for key, queued in kept.recipients.items():
                latest, instead = (lease_until, lease_until) if key in self._leased else (due_by, now)
                if queued.due > latest:
                    kept.recipients[key] = evolve(queued, due=instead)
        self._postponed = {lane: until for lane, until in self._postponed.items() if until <= due_by}

    async def hold(self, selection: Selection) -> int:
        """Hold what is not held yet."""
        return self._change(selection, lambda one: not one.held, lambda one: evolve(one, held=True))

    async def release(self, selection: Selection) -> int:
        """Let go what was held; a lease that still runs keeps its time."""
        now = self._clock.seconds()
        return self._change(
            selection,
            lambda one: one.held,
            lambda one: evolve(one, held=False, due=one.due if self._is_leased(one, now) else now),
        )

    async def retry(self, selection: Selection, now: float) -> int:
        """Make it due now and open its lanes."""
        return self._change(
            selection,
            lambda one: not one.held and not self._is_leased(one, now),
            lambda one: self._opened(evolve(one, due=min(one.due, now))),
        )

    async def remove(self, selection: Selection) -> int:
        """Forget what is selected."""
        selected = list(self._selected(selection))
        for kept, queued in selected:
            self._forget(kept, queued.key)
        return len(selected)

    async def listing(self, selection: Selection, *, limit: int, after: str = "") -> Sequence[Entry]:
        """Show entries in the order they came; LookupError when ``after`` was never seen."""
        start = self._place(after) if after else 0
        shown: dict[int, list[QueuedRecipient]] = {}
        messages: dict[int, _Kept] = {}
        for kept, queued in self._selected(selection):
            if kept.place > start and (kept.place in shown or len(shown) < limit):
                shown.setdefault(kept.place, []).append(queued)
                messages[kept.place] = kept
        entries = [_without_content(messages[place].entry(recipients)) for place, recipients in shown.items()]
        if entries:
            last = entries[-1].message.queue_id
            self._marks.note(last, self._kept[last].place)
        return entries

    async def count(self) -> tuple[int, int]:
        """Count messages and recipients."""
        return len(self._kept), len(self._owners)

    async def close(self) -> None:
        """Nothing is left to do."""

    def _refuse_known(self, entries: Sequence[NewEntry]) -> None:
        for entry in entries:
            if entry.message.queue_id in self._kept:
                raise SpoolTrouble(f"queue id {entry.message.queue_id} is taken")

    def _waiting(self) -> Iterator[tuple[_Kept, QueuedRecipient]]:
        return (pair for pair in self._selected(Selection()) if not pair[1].held)

    def _opens(self, queued: QueuedRecipient) -> float:
        return max(queued.due, self._postponed.get(queued.lane, 0.0))

    def _opened(self, queued: QueuedRecipient) -> QueuedRecipient:
        self._postponed.pop(queued.lane, None)
        return queued

    def _is_leased(self, queued: QueuedRecipient, now: float) -> bool:
        return queued.key in self._leased and queued.due > now

    def _selected(self, selection: Selection) -> Iterator[tuple[_Kept, QueuedRecipient]]:
        for kept in self._kept.values():
            if selects_message(selection, kept.message):
                yield from ((kept, one) for one in kept.recipients.values() if selects_recipient(selection, one))

    def _change(
        self,
        selection: Selection,
        which: Callable[[QueuedRecipient], bool],
        how: Callable[[QueuedRecipient], QueuedRecipient],
    ) -> int:
        selected = [(kept, queued) for kept, queued in self._selected(selection) if which(queued)]
        for kept, queued in selected:
            kept.recipients[queued.key] = how(queued)
        return len(selected)

    def _forget(self, kept: _Kept, key: int) -> None:
        del kept.recipients[key], self._owners[key]
        self._leased.discard(key)
        if not kept.recipients:
            del self._kept[kept.message.queue_id]
            _unlink(kept.message.content.path)

    def _place(self, queue_id: str) -> int:
        kept = self._kept.get(queue_id)
        place = kept.place if kept else self._marks.place(queue_id)
        if place is None:
            raise LookupError(f"{queue_id} is not in the spool")
        return place


def _without_content(entry: Entry) -> Entry:
    unread = Content(b"", None, entry.message.content.size)
    return evolve(entry, message=evolve(entry.message, content=unread))


def _unlink(path: Path | None) -> None:
    if path is not None:
        path.unlink(missing_ok=True)
