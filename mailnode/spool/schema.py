"""The tables of ``spool.db`` and how a connection to them is opened."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from mailnode.interfaces import SpoolTrouble

VERSION = 1
"""The layout of the tables, kept in ``PRAGMA user_version``."""

RECIPIENT_BITS = 20
"""A recipient's key is its message's id, shifted by so much, plus its place: the message's recipients lie together."""

MOST_RECIPIENTS = 1 << RECIPIENT_BITS

NEVER = float("inf")
"""A lane's ``next_due`` when nothing waits in it."""

_BUSY_SECONDS = 30.0

# The content stands last in its row: what is too long for the row's page goes to pages of its own, which no walk over
# the messages touches. AUTOINCREMENT, so that a late settlement never meets another message under an old id.
_TABLES = """
CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue_id TEXT NOT NULL UNIQUE,
    arrived REAL NOT NULL,
    expires REAL NOT NULL,
    local TEXT NOT NULL,
    domain TEXT NOT NULL,
    options TEXT,
    size INTEGER NOT NULL,
    file TEXT,
    file_size INTEGER NOT NULL,
    head BLOB NOT NULL
);
CREATE TABLE recipient (
    key INTEGER PRIMARY KEY,
    local TEXT NOT NULL,
    domain TEXT NOT NULL,
    notify INTEGER NOT NULL,
    original TEXT NOT NULL,
    lane INTEGER NOT NULL,
    held INTEGER NOT NULL,
    due REAL NOT NULL,
    owner TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    warned INTEGER NOT NULL DEFAULT 0,
    last TEXT
);
CREATE INDEX recipient_due ON recipient (lane, held, due);
CREATE TABLE lane (
    id INTEGER PRIMARY KEY,
    courier TEXT NOT NULL,
    next_hop TEXT NOT NULL,
    next_due REAL NOT NULL,
    postponed_until REAL NOT NULL DEFAULT 0,
    UNIQUE (courier, next_hop)
);
CREATE INDEX lane_due ON lane (next_due);
"""

_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA cache_size = -16384",
    # Debian's SQLite overwrites what is deleted; on a journal and a disk of today that hides nothing and costs writes.
    "PRAGMA secure_delete = OFF",
)

Connect = Callable[[Path], sqlite3.Connection]
"""Opens a plain connection; tests put one here that fails when told."""


def connect(path: Path) -> sqlite3.Connection:
    """Open a plain connection that leaves transactions to the caller."""
    return sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
    )


def open_tables(path: Path, connect: Connect = connect) -> sqlite3.Connection:
    """Open the spool's tables, making them when there are none; SpoolTrouble when a newer mailnode wrote them."""
    db = connect(path)
    try:
        for setting in _SETTINGS:
            db.execute(setting).fetchall()
        if _version(db) != VERSION:
            _create(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _version(db: sqlite3.Connection) -> int:
    ((version,),) = db.execute("PRAGMA user_version").fetchall()
    return int(version)


def _create(db: sqlite3.Connection, path: Path) -> None:
    db.execute("BEGIN IMMEDIATE")
    # Another process may have been quicker.
    version = _version(db)
    if version > VERSION:
        db.execute("ROLLBACK")
        raise SpoolTrouble(
            f"{path} was written by a newer mailnode: its tables are version {version}, this one knows {VERSION}"
        )
    if version == 0:
        for statement in _TABLES.split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {VERSION}")
    db.execute("COMMIT")
