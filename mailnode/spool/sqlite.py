"""The spool on disk: ``spool.db`` and files of content beside it. The package's docstring tells how and why."""

import sqlite3
from collections.abc import Collection, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailnode.interfaces import Selection, Settlement
from mailnode.mail.content import Content
from mailnode.mail.message import Entry, NewEntry
from mailnode.mail.route import Lane
from mailnode.spool import claims, reading, settling, steering
from mailnode.spool.contents import Contents, Files, Sharing
from mailnode.spool.hand import Hand, OneByOne, Reactor
from mailnode.spool.intake import keep
from mailnode.spool.ledger import Ledger
from mailnode.spool.recovery import sweep
from mailnode.spool.room import Room
from mailnode.spool.schema import Connect, connect, open_tables
from mailnode.spool.selection import Marks
from mailnode.spool.settings import SpoolSettings
from mailnode.spool.writer import ReadRounds, WriteRounds

T = TypeVar("T")
Given_co = TypeVar("Given_co", covariant=True)

_Moved = Sequence[tuple[NewEntry, str | None]]
"""Entries, each with the name of its content's file in the spool, if it has one."""


class _Write(Protocol[Given_co]):
    """Writes entries whose files lie in the spool."""

    def __call__(self, ledger: Ledger, moved: _Moved) -> Given_co:
        """Write them down."""
        ...


_FILE_HANDS = 4
"""Threads for files of content: their fsyncs overlap."""

_AT_ONCE = 2000
"""Recipients that an operator's command changes in one transaction."""


class SqliteSpool:
    """A Spool in one SQLite file; several processes may have the same folder open."""

    _log = Logger()

    def __init__(
        self,
        folder: Path,
        *,
        owner: str,
        reactor: Reactor,
        settings: SpoolSettings | None = None,
        connect: Connect = connect,
        files: Files | None = None,
    ) -> None:
        """Prepare; nothing is opened before the first request.

        ``folder`` holds ``spool.db``, ``content/`` and ``incoming/`` (where reception writes large content; all of one
        file system). ``owner`` names this process in its leases: one life after the other the same, no two at a time.
        """
        self._folder = folder
        self._reactor = reactor
        self._started = reactor.seconds()
        self._contents = Contents(folder, files or Files())
        self._room = Room(folder, settings or SpoolSettings())
        self._marks = Marks()
        self._running: set[Deferred[Any]] = set()
        self._idle: list[Deferred[None]] = []
        self._connect = connect
        self._sharing: Sharing | None = None
        self._writer: Hand[Ledger] = Hand(reactor, "spool writer", [WriteRounds(self._open, owner=owner)])
        self._reader: Hand[sqlite3.Connection] = Hand(reactor, "spool reader", [ReadRounds(self._open_only)])
        self._files: Hand[Contents] = Hand(
            reactor, "spool files", [OneByOne(self._contents) for _ in range(_FILE_HANDS)]
        )

    async def accept(self, entry: NewEntry, *, due: float, lease_until: float = 0.0) -> Entry:
        """Make the message durable; SpoolTrouble when it cannot be, and then a file of content is the caller's still."""
        how = partial(keep, due=lease_until or due, leased=bool(lease_until))

        def write(ledger: Ledger, moved: _Moved) -> Entry:
            ((one, file),) = moved
            self._room.check(len(one.message.content.head), ledger.db)
            return how(ledger, one, file=file)

        if entry.message.content.path is None:
            return await self._writer.ask(lambda ledger: write(ledger, [(entry, None)]))
        return await self._finish(self._with_files([entry], write))

    async def claim(
        self, *, now: float, lease_until: float, limit: int, per_lane: int, full: Collection[Lane]
    ) -> Sequence[Entry]:
        """Lease what is due, the lane with the oldest first; the entries are read when the leases are committed."""
        claim = claims.Claim(now, lease_until, limit, per_lane, frozenset(full))
        return await self._finish(self._claim(claim))

    async def claim_lane(
        self, lane: Lane, *, now: float, lease_until: float, limit: int, after: int = 0
    ) -> Sequence[Entry]:
        """Lease what waits in one lane, due or not."""
        return await self._finish(self._claim_lane(claims.LaneClaim(lane, now, lease_until, limit, after)))

    async def settle(
        self, settlements: Sequence[Settlement], notices: Sequence[tuple[NewEntry, float]] = ()
    ) -> Sequence[str]:
        """Write outcomes and notices down in one commit; give the queue ids of the messages that are no more."""

        def write(ledger: Ledger, moved: _Moved) -> settling.Forgotten:
            if not settling.is_known(ledger, settlements):
                return settling.Forgotten([], [file for _, file in moved if file is not None])
            for (notice, file), (_, due) in zip(moved, notices, strict=True):
                keep(ledger, notice, due=due, leased=False, file=file)
            return settling.settle(ledger, settlements)

        if any(notice.message.content.path for notice, _ in notices):
            forgotten = await self._finish(self._with_files([notice for notice, _ in notices], write))
        else:
            plain = [(notice, None) for notice, _ in notices]
            forgotten = await self._writer.ask(partial(write, moved=plain))
        self._drop(forgotten)
        return forgotten.queue_ids

    async def postpone(self, lane: Lane, until: float) -> None:
        """Put a lane off: one row."""
        await self._writer.ask(lambda ledger: claims.postpone(ledger, lane, until))

    async def next_due(self) -> float | None:
        """Tell when something may be claimed; never later than the truth."""
        return await self._reader.ask(reading.next_due)

    async def recover(self) -> int:
        """Free this owner's leases, remove files that no message owns, count the recipients."""
        return await self._finish(self._recover())

    async def retime(self, *, now: float, due_by: float, lease_until: float) -> None:
        """Correct times that lie further ahead than they can."""
        await self._writer.ask(lambda ledger: claims.retime(ledger, now, due_by, lease_until))

    async def hold(self, selection: Selection) -> int:
        """Hold what is not held yet."""
        return await self._finish(self._steer(selection, steering.hold, self._reactor.seconds()))

    async def release(self, selection: Selection) -> int:
        """Let go what was held; a lease that still runs keeps its time."""
        return await self._finish(self._steer(selection, steering.release, self._reactor.seconds()))

    async def retry(self, selection: Selection, now: float) -> int:
        """Make it due now and open its lanes."""
        return await self._finish(self._steer(selection, steering.retry, now))

    async def remove(self, selection: Selection) -> int:
        """Forget what is selected."""
        return await self._finish(self._remove(selection))

    async def listing(self, selection: Selection, *, limit: int, after: str = "") -> Sequence[Entry]:
        """Show entries in the order they came; LookupError when ``after`` was never seen. Contents have only a size."""
        start = self._marks.place(after) if after else 0
        if start is None:
            start = await self._reader.ask(lambda db: reading.place_of(db, after))
        if start is None:
            raise LookupError(f"{after} is not in the spool")
        place = start
        entries, last = await self._reader.ask(lambda db: reading.listing(db, selection, place, limit))
        if entries:
            self._marks.note(entries[-1].message.queue_id, last)
        return entries

    async def count(self) -> tuple[int, int]:
        """Count messages and recipients."""
        return await self._reader.ask(reading.count)

    async def close(self) -> None:
        """Finish what was asked for, then close files and threads."""
        while self._running:
            idle: Deferred[None] = Deferred()
            self._idle.append(idle)
            await idle
        await self._writer.close()
        await self._files.close()
        await self._reader.close()
        if self._sharing is not None:
            self._sharing.close()

    async def _claim(self, claim: claims.Claim) -> list[Entry]:
        leased = await self._writer.ask(lambda ledger: claims.lease(ledger, claim))
        while leased.looks_further and not leased.keys:
            leased = await self._writer.ask(lambda ledger: claims.lease(ledger, claim))
        return await self._load(leased, claim.now)

    async def _claim_lane(self, claim: claims.LaneClaim) -> list[Entry]:
        return await self._load(await self._writer.ask(lambda ledger: claims.lease_lane(ledger, claim)), claim.now)

    async def _load(self, leased: claims.Leased, now: float) -> list[Entry]:
        if not leased.keys:
            return []
        try:
            return await self._reader.ask(lambda db: reading.load(db, leased.keys, self._folder))
        except BaseException:
            # Whoever asked will never hear of these leases: left alone, they would keep everyone off until they run out.
            back = [Settlement(key, due=now, counts=False) for key in leased.keys]
            await self._writer.ask(lambda ledger: settling.settle(ledger, back))
            raise

    async def _recover(self) -> int:
        now = self._reactor.seconds()
        count = await self._writer.ask(lambda ledger: claims.free(ledger, now))
        assert self._sharing is not None  # noqa: S101 - the writer has opened the spool
        await sweep(self._files, self._reader, self._sharing, self._started)
        return count

    async def _with_files(self, entries: Sequence[NewEntry], write: _Write[T]) -> T:
        """Take the entries' files over, write, and let go of the names that are not needed: the old or the new ones."""
        moved: list[tuple[NewEntry, str | None]] = []
        try:
            for entry in entries:
                # One by one: what was taken before a failure must be known to be given back.
                moved.append(await self._take(entry))  # noqa: PERF401 - see above
            result = await self._writer.ask(lambda ledger: write(ledger, moved))
        except BaseException:
            names = [file for _, file in moved if file]
            await self._files.ask(lambda contents: contents.drop(names))
            raise
        for entry in entries:
            self._let_go(entry.message.content)
        return result

    async def _take(self, entry: NewEntry) -> tuple[NewEntry, str | None]:
        message = entry.message
        if message.content.path is None:
            return entry, None
        content, file = await self._files.ask(lambda contents: contents.take(message.content, message.queue_id))
        return evolve(entry, message=evolve(message, content=content)), file

    def _let_go(self, content: Content) -> None:
        path = content.path
        # Content that another message owns got one more name and keeps its own.
        if path is not None and not path.is_relative_to(self._contents.root):
            self._later(self._files.ask(lambda contents: contents.release(path)))

    def _drop(self, forgotten: settling.Forgotten) -> None:
        if forgotten.files:
            self._later(self._files.ask(lambda contents: contents.drop(forgotten.files)))

    async def _steer(self, selection: Selection, steer: steering.Steer, now: float) -> int:
        total = after = 0
        while keys := await self._selected(selection, after):
            after = keys[-1]
            total += await self._writer.ask(partial(_steered, steer, keys, now))
        return total

    async def _remove(self, selection: Selection) -> int:
        total = after = 0
        while keys := await self._selected(selection, after):
            after = keys[-1]
            count, forgotten = await self._writer.ask(partial(steering.remove, keys=keys))
            self._drop(forgotten)
            total += count
        return total

    def _selected(self, selection: Selection, after: int) -> "Deferred[list[int]]":
        return self._reader.ask(lambda db: reading.select_keys(db, selection, after, _AT_ONCE))

    def _finish(self, work: Coroutine[Deferred[Any], Any, T]) -> "Deferred[T]":
        """Run to the end what takes several steps, even if whoever asked does not wait any more."""
        asked: Deferred[T] = Deferred()
        self._later(Deferred.fromCoroutine(work), asked)
        return asked

    def _later(self, running: "Deferred[Any]", asked: "Deferred[Any] | None" = None) -> None:
        """Own what runs until it ends; the end is told to ``asked``, or logged when it is a failure nobody waits for."""
        self._running.add(running)

        def ended(result: Any) -> None:
            self._running.discard(running)
            if asked is not None and not asked.called:
                asked.callback(result)
            elif isinstance(result, Failure):
                self._log.failure("Work on the spool failed after its asker had gone", failure=result)
            if not self._running:
                waiting, self._idle = self._idle, []
                for idle in waiting:
                    idle.callback(None)

        running.addBoth(ended)

    def _open(self) -> sqlite3.Connection:
        """Open for writing; on the writer's thread."""
        if self._sharing is None:
            self._sharing = Sharing(self._folder)
        return self._open_only()

    def _open_only(self) -> sqlite3.Connection:
        self._folder.mkdir(parents=True, exist_ok=True)
        return open_tables(self._folder / "spool.db", self._connect)


def _steered(steer: steering.Steer, keys: Sequence[int], now: float, ledger: Ledger) -> int:
    return steer(ledger, keys, now)
