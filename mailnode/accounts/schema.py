"""The tables of ``accounts.db``, and the way from older versions of them to this one.

``user_version`` of the file is the version of its schema:

1. a row an account, with the moment of its creation;
2. the full name, whether it is disabled, what is kept of its password (an argon2id hash, and a verifier for SCRAM), the
   domains whose mail it fetches, and a secret of the file's own.

A file of an older version is brought up in one transaction when it is opened; whoever opens it at the same moment waits
for that, and finds it done.
"""

import os
import sqlite3
from pathlib import Path

VERSION = 2
"""The schema this program reads and writes."""

_STEPS = {
    0: (
        """CREATE TABLE account (
            domain TEXT NOT NULL,
            local_part TEXT NOT NULL,
            created INTEGER NOT NULL DEFAULT (strftime('%s', 'now')),
            PRIMARY KEY (domain, local_part)
        ) WITHOUT ROWID""",
    ),
    1: (
        "ALTER TABLE account ADD COLUMN name TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE account ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE account ADD COLUMN password TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE account ADD COLUMN scram_salt BLOB",
        "ALTER TABLE account ADD COLUMN scram_iterations INTEGER",
        "ALTER TABLE account ADD COLUMN scram_stored_key BLOB",
        "ALTER TABLE account ADD COLUMN scram_server_key BLOB",
        """CREATE TABLE relayed_domain (
            domain TEXT NOT NULL,
            local_part TEXT NOT NULL,
            relayed TEXT NOT NULL,
            PRIMARY KEY (domain, local_part, relayed)
        ) WITHOUT ROWID""",
        "CREATE TABLE secret (value BLOB NOT NULL)",
    ),
}
"""What brings a file from one version to the next."""

SECRET = 32
"""Octets of the file's secret."""


class WrongSchema(Exception):  # noqa: N818 - says what is wrong
    """The file is of a version of mailnode that this one does not understand, or no accounts file at all."""


def prepare(database: sqlite3.Connection, path: Path) -> None:
    """Bring the file to this version, if it is older; raises WrongSchema when it is not ours or newer."""
    try:
        version = _version_of(database)
    except sqlite3.DatabaseError as error:
        raise WrongSchema(f"{path} is no accounts file: {error}") from error
    if version > VERSION or version < 0:
        raise WrongSchema(f"{path} has version {version}; this program understands version {VERSION}")
    if version < VERSION:
        _bring_up(database)
    database.execute("PRAGMA synchronous = FULL")


def _bring_up(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA synchronous = FULL")
    database.execute("BEGIN IMMEDIATE")
    try:
        for version in range(_version_of(database), VERSION):
            for statement in _STEPS[version]:
                database.execute(statement)
            if version == 1:
                database.execute("INSERT INTO secret (value) VALUES (?)", (os.urandom(SECRET),))
        database.execute(f"PRAGMA user_version = {VERSION}")
        database.execute("COMMIT")
    except BaseException:
        database.execute("ROLLBACK")
        raise


def _version_of(database: sqlite3.Connection) -> int:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    return int(version)
