"""What happened to each message: the log's events that bear a queue id, kept for ``mailnode trace``.

The history is an observer of the log, so no room knows of it. Events wait in memory and go to SQLite once a second,
or when many wait, on a disk thread. It is a convenience and no promise: a crash may cost the last second.
"""

import json
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import ILogObserver, LogEvent, Logger
from zope.interface import implementer

from mailnode.interfaces import Disk
from mailnode.service.logs import fields, message_of
from mailnode.service.settings import HistorySettings

INTERVAL = 1.0
"""Seconds between two writes."""
BATCH = 500
"""Events that are written before the second is over."""
MOST_WAITING = 50_000
"""Events kept in memory while the disk does not answer; further ones are forgotten."""
PRUNED_AT_ONCE = 5000
"""Old steps dropped with one write at most, so that a write stays short."""
ROOM_FOR_MAIL = 32 << 20
"""Octets of free disk below which nothing is written."""

_TABLES = """
CREATE TABLE IF NOT EXISTS step (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, queue_id TEXT NOT NULL, event TEXT NOT NULL, message TEXT NOT NULL,
    fields TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS step_of ON step (queue_id, id);
"""

_ENDS = "SELECT (SELECT min(id) FROM step), (SELECT max(id) FROM step)"
_FIRST_YOUNG = "SELECT id FROM step WHERE id <= ? AND at >= ? ORDER BY id LIMIT 1"
_DROP = "DELETE FROM step WHERE id <= ?"

_encode = json.JSONEncoder(default=str).encode
"""Made once: json.dumps makes an encoder for every call that has options."""

Row = tuple[float, str, str, str, str]


@frozen
class Step:
    """One thing that happened to a message."""

    at: float
    """Seconds since the epoch."""
    event: str
    """What: ``accepted``, ``attempt``, ``done`` and so on."""
    message: str
    """The line of the log."""
    fields: dict[str, Any]


@implementer(ILogObserver)
class History:
    """Keeps the steps of messages in a file."""

    log = Logger()

    def __init__(self, path: Path, *, disk: Disk, clock: IReactorTime, settings: HistorySettings) -> None:
        self.settings = settings
        self._path = path
        self._disk = disk
        self._clock = clock
        self._waiting: list[Row] = []
        self._timer: IDelayedCall | None = None
        self._turn = DeferredLock()
        self._database: sqlite3.Connection | None = None

    def __call__(self, event: LogEvent) -> None:
        """Take an event of the log if it belongs to a message."""
        queue_id = event.get("queue_id")
        if not queue_id or len(self._waiting) >= MOST_WAITING or not self.settings.keep:
            return
        own = fields(event)
        del own["queue_id"]
        kind = str(own.pop("event", "") or "note")
        at = float(event.get("log_time", 0.0))
        self._waiting.append((at, str(queue_id), kind, message_of(event), _encode(own)))
        if not self._turn.locked:
            self._flush_in(0 if len(self._waiting) >= BATCH else INTERVAL)

    def _flush_in(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self._clock.callLater(seconds, self._flush_now)
        elif not seconds:
            self._timer.reset(0)

    def _flush_now(self) -> None:
        self._timer = None
        Deferred.fromCoroutine(self.flush()).addErrback(
            lambda failure: self.log.failure("The history cannot be written", failure)
        )

    async def flush(self) -> None:
        """Write what waits now."""
        await self._turn.acquire()
        try:
            while self._waiting:
                rows, self._waiting = self._waiting, []
                await self._write(rows)
        finally:
            self._turn.release()

    async def _write(self, rows: list[Row]) -> None:
        oldest = self._clock.seconds() - self.settings.keep
        try:
            await self._disk.run(lambda: self._store(rows, oldest))
        except (sqlite3.Error, OSError) as error:
            self.log.warn("{count} steps of messages are not kept: {error}", count=len(rows), error=str(error))  # noqa: G010 - Twisted's name

    def _store(self, rows: Sequence[Row], oldest: float) -> None:
        """Write the rows and drop a few old ones; on a disk thread, one call at a time."""
        room = os.statvfs(self._path.parent)
        if room.f_bavail * room.f_frsize < ROOM_FOR_MAIL:
            return  # the last of the disk is for mail
        if self._database is None:
            self._database = _opened(self._path)
        with self._database as database:
            database.executemany("INSERT INTO step (at, queue_id, event, message, fields) VALUES (?, ?, ?, ?, ?)", rows)
            self._prune(database, oldest)

    def _prune(self, database: sqlite3.Connection, oldest: float) -> None:
        """Drop a few steps that are too old or too many, from the first on; reads no more of them than it drops."""
        first, newest = database.execute(_ENDS).fetchone()
        most = first + PRUNED_AT_ONCE - 1
        young = database.execute(_FIRST_YOUNG, (most, oldest)).fetchone()
        too_old = most if young is None else young[0] - 1
        last = min(most, max(too_old, newest - self.settings.max_events))
        if last >= first:
            database.execute(_DROP, (last,))

    async def close(self) -> None:
        """Write what waits and close the file."""
        await self.flush()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        database, self._database = self._database, None
        if database is not None:
            await self._disk.run(database.close)


def _opened(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.executescript(_TABLES)
    return database


def steps(path: Path, queue_id: str, limit: int = 1000) -> list[Step]:
    """Read a message's steps, oldest first; reads the disk. A history that was never written is empty."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'step'").fetchone():
            return []
        rows = database.execute(
            "SELECT at, event, message, fields FROM step WHERE queue_id = ? ORDER BY id LIMIT ?", (queue_id, limit)
        ).fetchall()
    return [Step(at, event, message, json.loads(own)) for at, event, message, own in rows]
