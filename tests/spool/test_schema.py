"""Opening the tables."""

import sqlite3
from pathlib import Path

import pytest

from mailnode.interfaces import SpoolTrouble
from mailnode.spool.schema import VERSION, open_tables
from mailnode.spool.sqlite import SqliteSpool
from tests.contracts.spool import START, new_entry
from tests.kit.threads import ThreadClock


def test_tables_of_a_newer_mailnode_are_refused(tmp_path: Path) -> None:
    """An unknown newer layout is left alone, with a sentence that says why."""
    db = open_tables(tmp_path / "spool.db")
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()
    clock = ThreadClock(START)
    spool = SqliteSpool(tmp_path, owner="one", reactor=clock)
    with pytest.raises(SpoolTrouble, match=f"newer mailnode: its tables are version {VERSION + 1}, this one knows"):
        clock.now(spool.accept(new_entry("q1"), due=START))
    clock.now(spool.close())


def test_commits_are_synchronous(tmp_path: Path) -> None:
    """The connection writes a journal ahead and waits for the disk at each commit."""
    db = open_tables(tmp_path / "spool.db")
    assert db.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
    assert db.execute("PRAGMA synchronous").fetchall() == [(2,)]
    db.close()


@pytest.mark.parametrize(
    ("question", "index"),
    [
        ("SELECT id FROM lane WHERE next_due <= 1 ORDER BY next_due LIMIT 5", "lane_due"),
        (
            "SELECT key FROM recipient WHERE lane = 1 AND held = 0 AND due <= 1 ORDER BY due, key LIMIT 5",
            "recipient_due",
        ),
        ("SELECT due FROM recipient WHERE lane = 1 AND held = 0 ORDER BY due LIMIT 1", "recipient_due"),
    ],
)
def test_due_work_is_found_by_index(tmp_path: Path, question: str, index: str) -> None:
    """The questions of a claim walk an index and sort nothing."""
    db = open_tables(tmp_path / "spool.db")
    plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {question}")]
    assert len(plan) == 1
    assert index in plan[0]
    db.close()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """A file of something else is trouble and stays as it is."""
    (tmp_path / "spool.db").write_bytes(b"something else entirely " * 100)
    with pytest.raises(sqlite3.DatabaseError):
        open_tables(tmp_path / "spool.db")
    assert (tmp_path / "spool.db").read_bytes().startswith(b"something else")
