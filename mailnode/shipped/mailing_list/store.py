"""What lists must not forget: members, how far a post has got, posts that wait for the owners. One SQLite file.

One transaction a call, durable when it returns; several processes may use the file. A member's number is never given
twice, so that no late bounce finds the wrong one.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from mailnode.gateways.api import Disk, Tables
from mailnode.shipped.mailing_list.bounces import decayed
from mailnode.shipped.mailing_list.settings import ListSettings

ACTIVE, DISABLED, LEFT = "active", "disabled", "left"
BY_MAIL, BY_SETTING, BY_OWNER = "mail", "setting", "owner"
KEPT_POSTS = 14 * 86400.0
"""Seconds for which it is known how far a post has got."""
MOST_HELD = 500
"""Posts of one list that wait for its owners."""
_TABLES = """
CREATE TABLE IF NOT EXISTS member (
    number INTEGER PRIMARY KEY AUTOINCREMENT, list TEXT NOT NULL, folded TEXT NOT NULL, address TEXT NOT NULL,
    state TEXT NOT NULL, origin TEXT NOT NULL, score REAL NOT NULL DEFAULT 0, bounced_at REAL NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS member_address ON member (list, folded);
CREATE TABLE IF NOT EXISTS post (
    key TEXT PRIMARY KEY, begun REAL NOT NULL, whole INTEGER NOT NULL, month INTEGER NOT NULL,
    archived INTEGER NOT NULL DEFAULT 0, reached INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS post_begun ON post (begun);
CREATE TABLE IF NOT EXISTS late (key TEXT NOT NULL, member INTEGER NOT NULL, PRIMARY KEY (key, member)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS held (
    number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, list TEXT NOT NULL, until REAL NOT NULL,
    sender TEXT NOT NULL, mark TEXT NOT NULL, octets BLOB NOT NULL
);
"""
_MEMBER = "SELECT number, address, state, origin, score FROM member"


@frozen
class Member:
    """A member, or who was one."""

    number: int
    address: str
    state: str
    origin: str
    score: float


@frozen
class Progress:
    """How far a post has got."""

    whole: int
    """Where the archive ended before."""
    month: int
    """Where that of the month ended."""
    is_archived: bool
    reached: int
    """Every member up to this number has a copy, but for those who are late."""


@frozen
class Held:
    """A post that waits for the owners."""

    number: int
    sender: str
    mark: str
    octets: bytes = field(repr=False)


@define
class Store:
    """The file; opened when it is first needed."""

    path: Path
    disk: Disk
    _tables: Tables = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Name the tables."""
        self._tables = Tables(self.path, self.disk, _TABLES)

    # --- members

    async def settle(self, name: str, addresses: Iterable[str]) -> None:
        """Let those be members by setting whom the settings name; who has left by himself stays away."""
        wanted = {one.lower(): one for one in addresses}

        def work(db: sqlite3.Connection) -> None:
            known = {row[0]: row[1] for row in db.execute("SELECT folded, origin FROM member WHERE list = ?", (name,))}
            gone = [(name, one) for one, origin in known.items() if origin == BY_SETTING and one not in wanted]
            db.executemany("DELETE FROM member WHERE list = ? AND folded = ?", gone)
            new = [(name, one, address, ACTIVE, BY_SETTING) for one, address in wanted.items() if one not in known]
            db.executemany("INSERT INTO member (list, folded, address, state, origin) VALUES (?, ?, ?, ?, ?)", new)

        await self._tables.change(work)

    async def join(self, name: str, address: str, origin: str) -> bool:
        """Make somebody a member, with a clean score; False when he was one already."""

        def work(db: sqlite3.Connection) -> bool:
            was = db.execute("SELECT state FROM member WHERE list = ? AND folded = ?", (name, address.lower()))
            found = was.fetchone()
            if found is not None:
                db.execute(
                    "UPDATE member SET state = ?, score = 0, bounced_at = 0 WHERE list = ? AND folded = ?",
                    (ACTIVE, name, address.lower()),
                )
                return bool(found[0] != ACTIVE)
            db.execute(
                "INSERT INTO member (list, folded, address, state, origin) VALUES (?, ?, ?, ?, ?)",
                (name, address.lower(), address, ACTIVE, origin),
            )
            return True

        return await self._tables.change(work)

    async def leave(self, name: str, who: str | int) -> str:
        """Let an address, or the member of a number, go; gives the address, empty when there was none."""
        column = "number" if isinstance(who, int) else "folded"
        value = who if isinstance(who, int) else who.lower()

        def work(db: sqlite3.Connection) -> str:
            which = f"FROM member WHERE list = ? AND {column} = ? AND state != ?"
            found = db.execute(f"SELECT address {which}", (name, value, LEFT)).fetchone()
            # Who is a member by setting is remembered, lest the next start bring him back.
            db.execute(
                f"UPDATE member SET state = ? WHERE list = ? AND {column} = ? AND origin = ?",  # noqa: S608 - one of two
                (LEFT, name, value, BY_SETTING),
            )
            db.execute(f"DELETE {which}", (name, value, LEFT))
            return str(found[0]) if found else ""

        return await self._tables.change(work)

    async def find(self, name: str, address: str) -> Member | None:
        """Give a member, or who was one, by his address."""
        found = await self._members("list = ? AND folded = ?", (name, address.lower()))
        return found[0] if found else None

    async def active(self, name: str, after: int, most: int) -> list[Member]:
        """Give members who get copies, by number, beginning after one."""
        where = "list = ? AND state = ? AND number > ? ORDER BY number LIMIT ?"
        return await self._members(where, (name, ACTIVE, after, most))

    async def who(self, name: str, most: int) -> list[Member]:
        """Give all members by their addresses."""
        return await self._members("list = ? AND state != ? ORDER BY folded LIMIT ?", (name, LEFT, most))

    async def _members(self, where: str, values: Sequence[Any]) -> list[Member]:
        return await self._tables.read(
            lambda db: [Member(*row) for row in db.execute(f"{_MEMBER} WHERE {where}", values)]
        )

    async def bounced(self, name: str, number: int, weight: float, now: float, rules: ListSettings) -> Member | None:
        """Raise a member's score; gives him when that was the end of his copies."""

        def work(db: sqlite3.Connection) -> Member | None:
            found = db.execute(
                "SELECT score, bounced_at FROM member WHERE list = ? AND number = ? AND state = ?",
                (name, number, ACTIVE),
            ).fetchone()
            if found is None or now - found[1] < rules.bounce_every:
                return None
            score = decayed(found[0], now - found[1], rules.bounce_half_life) + weight
            state = DISABLED if score >= rules.bounce_threshold else ACTIVE
            db.execute(
                "UPDATE member SET score = ?, bounced_at = ?, state = ? WHERE number = ?", (score, now, state, number)
            )
            row = db.execute(f"{_MEMBER} WHERE number = ?", (number,)).fetchone()
            return Member(*row) if state == DISABLED else None

        return await self._tables.change(work)

    # --- posts

    async def begin(self, key: str, now: float, sizes: Callable[[], tuple[int, int]]) -> Progress:
        """Tell how far a post has got; of a new one, write down where the archives end (``sizes``)."""

        def work(db: sqlite3.Connection) -> Progress:
            db.execute("DELETE FROM post WHERE begun < ?", (now - KEPT_POSTS,))
            if db.execute("SELECT 1 FROM post WHERE key = ?", (key,)).fetchone() is None:
                db.execute("INSERT INTO post (key, begun, whole, month) VALUES (?, ?, ?, ?)", (key, now, *sizes()))
            row = db.execute("SELECT whole, month, archived, reached FROM post WHERE key = ?", (key,)).fetchone()
            return Progress(row[0], row[1], bool(row[2]), row[3])

        return await self._tables.change(work)

    async def archived(self, key: str) -> None:
        """Note that a post stands in the archive."""
        await self._tables.change(lambda db: db.execute("UPDATE post SET archived = 1 WHERE key = ?", (key,)))

    async def reached(self, key: str, number: int, late: Iterable[int] = ()) -> None:
        """Note that members up to this number have their copies, but for the late."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("UPDATE post SET reached = max(reached, ?) WHERE key = ?", (number, key))
            db.executemany("INSERT OR IGNORE INTO late VALUES (?, ?)", [(key, one) for one in late])

        await self._tables.change(work)

    async def late(self, key: str, after: int, most: int) -> list[Member]:
        """Give members who could not be given their copy yet."""
        where = "number IN (SELECT member FROM late WHERE key = ?) AND number > ? ORDER BY number LIMIT ?"
        return await self._members(where, (key, after, most))

    async def caught_up(self, key: str, numbers: Iterable[int]) -> None:
        """Note that these are not late any more."""
        rows = [(key, one) for one in numbers]
        await self._tables.change(lambda db: db.executemany("DELETE FROM late WHERE key = ? AND member = ?", rows))

    # --- posts that wait

    async def hold(self, name: str, key: str, post: tuple[str, str, bytes], now: float, until: float) -> int:
        """Keep a post (sender, mark, octets) for the owners; gives its number, 0 when too many wait already."""

        def work(db: sqlite3.Connection) -> int:
            db.execute("DELETE FROM held WHERE until < ?", (now,))
            known = db.execute("SELECT number FROM held WHERE key = ?", (key,)).fetchone()
            if known:
                return int(known[0])
            if db.execute("SELECT count(*) FROM held WHERE list = ?", (name,)).fetchone()[0] >= MOST_HELD:
                return 0
            put = "INSERT INTO held (list, key, until, sender, mark, octets) VALUES (?, ?, ?, ?, ?, ?)"
            return int(db.execute(put, (name, key, until, *post)).lastrowid or 0)

        return await self._tables.change(work)

    async def held(self, name: str, number: int) -> Held | None:
        """Give a post that waits; None when it has been decided on."""
        select = "SELECT number, sender, mark, octets FROM held WHERE list = ? AND number = ?"
        rows = await self._tables.read(lambda db: db.execute(select, (name, number)).fetchall())
        return Held(*rows[0]) if rows else None

    async def decided(self, number: int) -> None:
        """Forget a post that waited."""
        await self._tables.change(lambda db: db.execute("DELETE FROM held WHERE number = ?", (number,)))

    # --- the file

    async def close(self) -> None:
        """Close the file."""
        await self._tables.close()
