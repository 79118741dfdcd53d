"""A file of an older version is brought up whole or not at all."""

import sqlite3
from pathlib import Path

import pytest

from mailnode.accounts.schema import VERSION, WrongSchema, prepare
from mailnode.accounts.sqlite import SqliteDirectory
from mailnode.mail.address import Mailbox
from tests.kit.results import InlineDisk, now


def first_version(path: Path) -> None:
    """Write a file as the first version did."""
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript(
        "CREATE TABLE account (domain TEXT NOT NULL, local_part TEXT NOT NULL,"
        " created INTEGER NOT NULL DEFAULT (strftime('%s', 'now')), PRIMARY KEY (domain, local_part)) WITHOUT ROWID;"
        "INSERT INTO account (domain, local_part) VALUES ('example.org', 'ann');"
        "PRAGMA user_version = 1;"
    )
    database.close()


def test_accounts_of_the_first_version_are_kept(tmp_path: Path) -> None:
    """They are found, have no password, and the file is of this version from now on."""
    path = tmp_path / "accounts.db"
    first_version(path)
    directory = SqliteDirectory(path, InlineDisk())
    (ann,) = now(directory.accounts())
    assert (str(ann.mailbox), ann.has_password, ann.is_disabled) == ("ann@example.org", False, False)
    assert now(directory.find(Mailbox("ann", "example.org")))
    directory.close()
    database = sqlite3.connect(path)
    assert database.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert len(database.execute("SELECT value FROM secret").fetchone()[0]) == 32
    database.close()


def test_a_change_that_is_cut_off_leaves_the_old_file(tmp_path: Path) -> None:
    """What fails in the middle is rolled back: the file is as it was, and the next try succeeds."""
    path = tmp_path / "accounts.db"
    first_version(path)
    database = sqlite3.connect(path, isolation_level=None)

    def authorize(action: int, first: str | None, *_: object) -> int:
        return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_INSERT and first == "secret" else sqlite3.SQLITE_OK

    database.set_authorizer(authorize)
    with pytest.raises(sqlite3.DatabaseError):
        prepare(database, path)
    database.set_authorizer(None)
    assert database.execute("PRAGMA user_version").fetchone() == (1,)
    assert len(database.execute("PRAGMA table_info(account)").fetchall()) == 3
    prepare(database, path)
    assert database.execute("PRAGMA user_version").fetchone() == (VERSION,)
    database.close()


def test_two_may_open_an_old_file(tmp_path: Path) -> None:
    """Whoever comes second finds it done."""
    path = tmp_path / "accounts.db"
    first_version(path)
    one = SqliteDirectory(path, InlineDisk())
    other = SqliteDirectory(path, InlineDisk())
    assert len(now(one.accounts())) == len(now(other.accounts())) == 1
    one.close()
    other.close()


def test_a_negative_version_is_refused(tmp_path: Path) -> None:
    """It is of nobody we know."""
    database = sqlite3.connect(tmp_path / "odd.db", isolation_level=None)
    database.execute("PRAGMA user_version = -3")
    with pytest.raises(WrongSchema, match="version -3"):
        prepare(database, tmp_path / "odd.db")
    database.close()
