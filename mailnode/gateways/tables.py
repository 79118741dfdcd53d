"""Tables of a gateway's own: one SQLite file for what a restart must not lose, shared by all processes of the node.

Everything runs on disk threads, one transaction a call, durable when it returns. A transaction takes the right to write
when it begins: what it has read then still holds when it writes, whatever another process is about.
"""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from attrs import define, field

from mailnode.interfaces import Disk

T = TypeVar("T")

WAIT = 30.0
"""Seconds that a transaction waits for those of others."""


@define(eq=False)
class Tables:
    """The file; made and opened when it is first needed, and nobody else's to read."""

    path: Path | None
    """None: in memory, for tests."""
    disk: Disk
    schema: str
    """Statements that make what is not there yet: ``CREATE TABLE IF NOT EXISTS ...``."""
    _database: sqlite3.Connection | None = field(default=None, init=False)
    _lock: Any = field(factory=Lock, init=False)

    async def change(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do ``work`` in one transaction and give what it gives; when it raises, nothing has happened."""

        def transaction(database: sqlite3.Connection) -> T:
            with database:
                database.execute("BEGIN IMMEDIATE")
                return work(database)

        return await self.read(transaction)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do ``work``, which is one statement that changes nothing; it waits for no other process."""

        def alone() -> T:
            with self._lock:
                return work(self._opened())

        return await self.disk.run(alone)

    async def close(self) -> None:
        """Close the file; whoever asks again opens it again."""
        database, self._database = self._database, None
        if database is not None:
            await self.disk.run(database.close)

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            if self.path is not None:
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            database = sqlite3.connect(
                self.path or ":memory:", check_same_thread=False, timeout=WAIT, isolation_level=None
            )
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            database.executescript(self.schema)
            self._database = database
        return self._database
