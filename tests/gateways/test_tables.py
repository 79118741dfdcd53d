"""Tests of a gateway's tables: whose they are, and what one transaction is."""

import sqlite3
from pathlib import Path

import pytest

from mailnode.gateways.tables import Tables
from tests.kit.results import InlineDisk, now

SCHEMA = "CREATE TABLE IF NOT EXISTS word (text TEXT PRIMARY KEY);"


def tables(path: Path | None) -> Tables:
    """Make tables whose work is done at once."""
    return Tables(path, InlineDisk(), SCHEMA)


def words(of: Tables) -> list[str]:
    """Read all words."""
    return now(of.read(lambda db: [row[0] for row in db.execute("SELECT text FROM word ORDER BY text")]))


def test_the_file_is_made_when_it_is_needed_and_is_ours_alone(tmp_path: Path) -> None:
    """Nobody else reads it; what was written is there when it is opened again, also by the same object."""
    path = tmp_path / "own.db"
    own = tables(path)
    now(own.close())
    assert not path.exists()
    now(own.change(lambda db: db.execute("INSERT INTO word VALUES ('a')")))
    now(own.close())
    assert words(own) == words(tables(path)) == ["a"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_raises_has_changed_nothing() -> None:
    """Half a transaction is none."""
    own = tables(None)

    def work(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO word VALUES ('a')")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        now(own.change(work))
    assert words(own) == []


def test_what_was_read_still_holds_when_it_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process may read meanwhile, but gets no word in between."""
    monkeypatch.setattr("mailnode.gateways.tables.WAIT", 0.0)
    one, other = (tables(tmp_path / "own.db") for _ in range(2))
    assert words(one) == words(other) == []

    def work(db: sqlite3.Connection) -> None:
        assert db.execute("SELECT count(*) FROM word").fetchone() == (0,)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            now(other.change(lambda db: db.execute("INSERT INTO word VALUES ('b')")))
        assert words(other) == []
        db.execute("INSERT INTO word VALUES ('a')")

    now(one.change(work))
    assert words(other) == ["a"]
