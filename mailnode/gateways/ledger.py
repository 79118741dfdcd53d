"""What gateways must not forget: receipts that are awaited, what was submitted already, and small values of their own.

One SQLite file for all gateways and all processes of the node (see ``tables``). A receipt that arrives before the one who
awaits it is kept too: whichever comes second finds the other, in one transaction.
"""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from mailnode.gateways.tables import Tables
from mailnode.interfaces import Disk

EARLY = 86400.0
"""Seconds for which a receipt is kept that nobody awaits (yet)."""
_TABLES = """
CREATE TABLE IF NOT EXISTS awaited (
    gateway TEXT NOT NULL, receipt TEXT NOT NULL, recipient TEXT NOT NULL, due REAL NOT NULL, about TEXT NOT NULL,
    header BLOB NOT NULL, PRIMARY KEY (gateway, receipt, recipient)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS awaited_due ON awaited (due);
CREATE TABLE IF NOT EXISTS early (
    gateway TEXT NOT NULL, receipt TEXT NOT NULL, until REAL NOT NULL, said TEXT NOT NULL,
    PRIMARY KEY (gateway, receipt)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS memo (
    gateway TEXT NOT NULL, key TEXT NOT NULL, until REAL NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (gateway, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS memo_until ON memo (until);
"""


@frozen
class Awaited:
    """A receipt that is awaited, and what the report will be about."""

    gateway: str
    receipt_id: str
    recipient: str
    """One id may stand for several recipients."""
    due: float
    """When silence counts as failure, seconds since the epoch."""
    about: dict[str, Any]
    header: bytes


@define
class Ledger:
    """The file; opened when it is first needed."""

    path: Path | None
    """None: in memory, for tests."""
    disk: Disk
    _tables: Tables = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Name the tables."""
        self._tables = Tables(self.path, self.disk, _TABLES)

    async def expect(self, awaited: Sequence[Awaited], now: float) -> list[tuple[Awaited, dict[str, Any]]]:
        """Write down what receipts are awaited; give those that are here already, with what they said."""

        def work(db: sqlite3.Connection) -> list[tuple[Awaited, dict[str, Any]]]:
            here = []
            for one in awaited:
                key = (one.gateway, one.receipt_id)
                row = db.execute("SELECT said FROM early WHERE gateway = ? AND receipt = ?", key).fetchone()
                if row:
                    here.append((one, json.loads(row[0])))
                db.execute(
                    "INSERT OR REPLACE INTO awaited VALUES (?, ?, ?, ?, ?, ?)",
                    (*key, one.recipient, one.due, json.dumps(one.about), one.header),
                )
            db.executemany(
                "DELETE FROM early WHERE gateway = ? AND receipt = ?",
                [(one.gateway, one.receipt_id) for one in awaited],
            )
            db.execute("DELETE FROM early WHERE until < ?", (now,))
            return here

        return await self._tables.change(work)

    async def awaited(self, gateway: str, receipt_id: str, said: dict[str, Any], now: float) -> list[Awaited]:
        """Give what is awaited under this id; if it is nothing, keep what was said for a while."""

        def work(db: sqlite3.Connection) -> list[Awaited]:
            rows = db.execute(f"{_READ} WHERE gateway = ? AND receipt = ?", (gateway, receipt_id)).fetchall()
            if not rows:
                db.execute(
                    "INSERT OR REPLACE INTO early VALUES (?, ?, ?, ?)",
                    (gateway, receipt_id, now + EARLY, json.dumps(said)),
                )
            return list(map(_awaited, rows))

        return await self._tables.change(work)

    async def settled(self, one: Awaited) -> None:
        """Forget a receipt that has come."""
        key = (one.gateway, one.receipt_id, one.recipient)
        await self._tables.change(
            lambda db: db.execute("DELETE FROM awaited WHERE gateway = ? AND receipt = ? AND recipient = ?", key)
        )

    async def overdue(self, now: float, limit: int = 100) -> list[Awaited]:
        """Give receipts that should have come by now, the oldest first."""

        def work(db: sqlite3.Connection) -> list[Awaited]:
            return list(map(_awaited, db.execute(f"{_READ} WHERE due <= ? ORDER BY due LIMIT ?", (now, limit))))

        return await self._tables.read(work)

    async def remember(self, gateway: str, key: str, value: str, *, now: float, keep: float) -> None:
        """Keep a value; what is over its time goes with it, a few at a time."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO memo VALUES (?, ?, ?, ?)", (gateway, key, now + keep, value))
            db.execute(
                "DELETE FROM memo WHERE (gateway, key) IN (SELECT gateway, key FROM memo WHERE until < ? LIMIT 100)",
                (now,),
            )

        await self._tables.change(work)

    async def recall(self, gateway: str, key: str, *, now: float) -> str:
        """Give a value; empty when there is none or its time is over."""

        def work(db: sqlite3.Connection) -> str:
            row = db.execute(
                "SELECT value FROM memo WHERE gateway = ? AND key = ? AND until >= ?", (gateway, key, now)
            ).fetchone()
            return str(row[0]) if row else ""

        return await self._tables.read(work)

    async def close(self) -> None:
        """Close the file."""
        await self._tables.close()


_READ = "SELECT gateway, receipt, recipient, due, about, header FROM awaited"


def _awaited(row: Sequence[Any]) -> Awaited:
    gateway, receipt_id, recipient, due, about, header = row
    return Awaited(gateway, receipt_id, recipient, due, json.loads(about), header)
