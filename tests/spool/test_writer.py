"""The writer's rounds: one commit for all that waits, failures isolated, connections opened anew."""

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, gatherResults
from twisted.python.failure import Failure

from mailnode.interfaces import SpoolTrouble
from mailnode.spool.intake import keep
from mailnode.spool.ledger import Ledger
from mailnode.spool.schema import open_tables
from mailnode.spool.sqlite import SqliteSpool
from mailnode.spool.writer import ReadRounds, WriteRounds
from tests.contracts.spool import START, new_entry
from tests.kit.faults import Fuse, fused_connect
from tests.kit.threads import ThreadClock


def write(queue_id: str, octets: bytes = b"x") -> Callable[[Ledger], Any]:
    """Give the work that accepts a message."""
    return partial(keep, entry=new_entry(queue_id, octets=octets), due=START, leased=False)


def trouble(result: Any) -> SpoolTrouble:
    """Give the trouble that a result is."""
    assert isinstance(result, Failure)
    assert isinstance(result.value, SpoolTrouble)
    return result.value


def queue_ids(path: Path) -> list[str]:
    """Read what is committed, past everything of ours."""
    with sqlite3.connect(path) as db:
        found = [queue_id for (queue_id,) in db.execute("SELECT queue_id FROM message ORDER BY id")]
    db.close()
    return found


def test_a_round_is_one_commit(tmp_path: Path) -> None:
    """Many pieces of work reach the disk by one COMMIT."""
    statements: list[str] = []

    def open_traced() -> sqlite3.Connection:
        db = open_tables(tmp_path / "db")
        db.set_trace_callback(statements.append)
        return db

    rounds = WriteRounds(open_traced, owner="one")
    results = rounds.run([write(f"q{number}") for number in range(50)])
    rounds.finish()
    assert not any(isinstance(result, Failure) for result in results)
    assert statements.count("COMMIT") == 1
    assert len(queue_ids(tmp_path / "db")) == 50


def test_a_small_message_takes_few_statements(tmp_path: Path) -> None:
    """To accept for one recipient of a known lane takes two INSERTs and a look at the lane."""
    statements: list[str] = []
    rounds = WriteRounds(lambda: open_tables(tmp_path / "db"), owner="one")
    rounds.run([write("q1")])
    rounds.connection().set_trace_callback(statements.append)
    rounds.run([write("q2")])
    assert [statement.split()[0] for statement in statements] == ["BEGIN", "INSERT", "SELECT", "INSERT", "COMMIT"]
    rounds.finish()


def test_a_failing_piece_fails_alone(tmp_path: Path) -> None:
    """One piece that fails has its own failure; the others of its round are committed."""
    rounds = WriteRounds(lambda: open_tables(tmp_path / "db"), owner="one")
    results = rounds.run([write("q1"), write("q1"), write("q2")])
    rounds.finish()
    assert isinstance(results[1], Failure)
    assert results[1].check(SpoolTrouble)
    assert queue_ids(tmp_path / "db") == ["q1", "q2"]


def test_a_full_file_is_told_and_small_ones_still_fit(tmp_path: Path) -> None:
    """SQLite's own "full" is SpoolTrouble that says so; what fits is written, and all goes well when there is room."""
    rounds = WriteRounds(lambda: open_tables(tmp_path / "db"), owner="one")
    rounds.run([write("q0")])
    db = rounds.connection()
    ((pages,),) = db.execute("PRAGMA page_count").fetchall()
    db.execute(f"PRAGMA max_page_count = {pages + 3}").fetchall()
    results = rounds.run([write("q1", b"x" * 60_000), write("q2")])
    assert trouble(results[0]).is_full
    assert not isinstance(results[1], Failure)
    db.execute("PRAGMA max_page_count = 100000").fetchall()
    assert not isinstance(rounds.run([write("q3", b"x" * 60_000)])[0], Failure)
    rounds.finish()
    assert queue_ids(tmp_path / "db") == ["q0", "q2", "q3"]


def test_when_commit_fails_all_have_failed(tmp_path: Path) -> None:
    """An error of COMMIT is everybody's, and the next round works on a new connection."""
    fuse = Fuse(10**6, once=True)
    opened: list[int] = []

    def open_fused() -> Any:
        opened.append(1)
        return open_tables(tmp_path / "db", fused_connect(fuse))

    rounds = WriteRounds(open_fused, owner="one")
    rounds.run([write("q0")])
    # BEGIN, then an INSERT, a SELECT of the lane and an INSERT, twice (the lane once): COMMIT is the seventh.
    fuse.left = 6
    results = rounds.run([write("q1"), write("q2")])
    assert fuse.blown
    assert not any(trouble(result).is_full for result in results)
    assert not isinstance(rounds.run([write("q3")])[0], Failure)
    rounds.finish()
    assert len(opened) == 2
    assert queue_ids(tmp_path / "db") == ["q0", "q3"]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """While nothing can be opened all is trouble; when it can again, work goes on."""
    (tmp_path / "data").write_text("in the way")
    clock = ThreadClock(START)
    spool = SqliteSpool(tmp_path / "data", owner="one", reactor=clock)
    for _ in range(2):
        with pytest.raises(SpoolTrouble):
            clock.now(spool.accept(new_entry("q1"), due=START))
        with pytest.raises(SpoolTrouble):
            clock.now(spool.count())
    (tmp_path / "data").unlink()
    clock.now(spool.accept(new_entry("q1"), due=START))
    assert clock.now(spool.count()) == (1, 1)
    clock.now(spool.close())


def test_a_file_made_read_only(tmp_path: Path) -> None:
    """SQLite's "read-only" is trouble but not a full disk, and is over when the file can be written again."""
    rounds = WriteRounds(lambda: open_tables(tmp_path / "db"), owner="one")
    rounds.run([write("q0")])
    rounds.connection().execute("PRAGMA query_only = 1")
    (result,) = rounds.run([write("q1")])
    assert not trouble(result).is_full
    assert not isinstance(rounds.run([write("q2")])[0], Failure)
    rounds.finish()


def test_reading_comes_back_after_an_error(tmp_path: Path) -> None:
    """A question that meets an error is trouble; the next is asked on a new connection."""
    fuse = Fuse(10**6, once=True)
    rounds = ReadRounds(lambda: open_tables(tmp_path / "db", fused_connect(fuse)))

    def ask(db: sqlite3.Connection) -> Any:
        return db.execute("SELECT count(*) FROM message").fetchall()

    assert rounds.run([ask]) == [[(0,)]]
    fuse.left = 0
    (failed, answer) = rounds.run([ask, ask])
    assert isinstance(failed, Failure)
    assert failed.check(SpoolTrouble)
    assert answer == [(0,)]
    rounds.finish()


def test_close_finishes_what_was_asked(tmp_path: Path) -> None:
    """What was asked before close is done and answered; what is asked after it is trouble."""
    clock = ThreadClock(START)
    spool = SqliteSpool(tmp_path, owner="one", reactor=clock)
    asked = [Deferred.fromCoroutine(spool.accept(new_entry(f"q{number}"), due=START)) for number in range(100)]
    clock.now(spool.close())
    assert len(clock.wait(gatherResults(asked))) == 100
    with pytest.raises(SpoolTrouble):
        clock.now(spool.accept(new_entry("late"), due=START))
    assert len(queue_ids(tmp_path / "spool.db")) == 100
