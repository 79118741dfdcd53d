"""Lanes and leases on disk: bounds, dead lanes, lanes without work, several owners."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, gatherResults

from mailnode.interfaces import Settlement, SpoolTrouble
from mailnode.mail.message import Entry
from mailnode.mail.route import Lane
from mailnode.spool.claims import Claim, lease, postpone
from mailnode.spool.intake import keep
from mailnode.spool.ledger import Ledger
from mailnode.spool.schema import connect, open_tables
from mailnode.spool.settling import settle
from mailnode.spool.sqlite import SqliteSpool
from tests.contracts.spool import ANN, NORTH, SOUTH, START, keys, new_entry
from tests.kit.threads import ThreadClock


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Give an open transaction on empty tables."""
    db = open_tables(tmp_path / "spool.db")
    db.execute("BEGIN IMMEDIATE")
    yield Ledger(db, "one")
    db.close()


def lanes(ledger: Ledger) -> list[Any]:
    """Read the next hops and bounds of all lanes."""
    return ledger.db.execute("SELECT next_hop, next_due, postponed_until FROM lane ORDER BY id").fetchall()


def claim(now: float = START, limit: int = 100, per_lane: int = 100) -> Claim:
    """Ask for an hour's lease."""
    return Claim(now, now + 3600, limit, per_lane, frozenset())


def steps(ledger: Ledger, work: Any) -> int:
    """Count the steps of SQLite's machine, in hundreds, that the work takes: a measure no clock disturbs."""
    count = [0]

    def tick() -> int:
        count[0] += 1
        return 0

    ledger.db.set_progress_handler(tick, 100)
    work()
    ledger.db.set_progress_handler(None, 0)
    return count[0]


def fill(ledger: Ledger, lane: Lane, messages: int, recipients: int) -> None:
    """Put due recipients into a lane."""
    for number in range(messages):
        entry = new_entry(f"{lane.next_hop}{number}", *[(ANN, lane)] * recipients)
        keep(ledger, entry, due=START - 1000, leased=False)


def test_a_bound_goes_down_at_once_and_up_when_looked_into(ledger: Ledger) -> None:
    """The lane's bound is never later than the truth, and a claim makes it true."""
    keep(ledger, new_entry("q1"), due=START + 50, leased=False)
    assert lanes(ledger) == [("north.example", START + 50, 0.0)]
    kept = keep(ledger, new_entry("q2"), due=START, leased=False)
    assert lanes(ledger) == [("north.example", START, 0.0)]
    settle(ledger, [Settlement(kept.recipients[0].key, done=True)])
    assert lanes(ledger) == [("north.example", START, 0.0)]
    assert lease(ledger, claim()).keys == []
    assert lanes(ledger) == [("north.example", START + 50, 0.0)]


def test_a_lane_without_work_is_dropped(ledger: Ledger) -> None:
    """A claim that finds a lane empty drops its row; a postponed one stays until that is over."""
    for queue_id, lane in (("q1", NORTH), ("q2", SOUTH)):
        kept = keep(ledger, new_entry(queue_id, (ANN, lane)), due=START, leased=False)
        settle(ledger, [Settlement(kept.recipients[0].key, done=True)])
    postpone(ledger, SOUTH, START + 60)
    lease(ledger, claim())
    assert lanes(ledger) == [("south.example", START + 60, START + 60)]
    lease(ledger, claim(START + 60))
    assert lanes(ledger) == []


def test_a_lane_with_held_recipients_stays(ledger: Ledger) -> None:
    """A lane where all are held has no bound but keeps its row."""
    keep(ledger, new_entry("q1"), due=START, leased=False)
    ledger.db.execute("UPDATE recipient SET held = 1")
    lease(ledger, claim())
    assert lanes(ledger) == [("north.example", float("inf"), 0.0)]


def test_a_dead_host_does_not_slow_others(ledger: Ledger) -> None:
    """With many due recipients in one lane, claiming and postponing cost what they cost with few."""
    fill(ledger, SOUTH, 20, 1)
    few = steps(ledger, lambda: lease(ledger, claim(per_lane=10)))
    fill(ledger, NORTH, 20, 1000)
    many = steps(ledger, lambda: lease(ledger, claim(per_lane=10)))
    assert many <= 2 * few + 10
    assert steps(ledger, lambda: postpone(ledger, NORTH, START + 600)) <= 3
    fill(ledger, Lane("smtp", "west.example"), 5, 1)
    assert len(lease(ledger, claim(per_lane=10)).keys) == 5


def test_a_claim_looks_into_a_bounded_number_of_lanes(ledger: Ledger) -> None:
    """Very many lanes with nothing to give are gone through in several claims, each saying that there is more."""
    for number in range(1500):
        ledger.lane(Lane("smtp", f"h{number}.example"), START - 1)
    fill(ledger, NORTH, 1, 1)
    ledger.db.execute("UPDATE lane SET next_due = ? WHERE next_hop = ?", (START, NORTH.next_hop))
    first = lease(ledger, claim())
    assert (first.keys, first.looks_further) == ([], True)
    second = lease(ledger, claim())
    assert (len(second.keys), second.looks_further) == (1, False)


def test_owners_take_different_work(tmp_path: Path) -> None:
    """Two processes that claim at the same time never hold the same recipient; a start frees only one's own."""
    clock = ThreadClock(START)
    spools = [SqliteSpool(tmp_path, owner=owner, reactor=clock) for owner in ("one", "two")]
    for number in range(60):
        clock.now(spools[0].accept(new_entry(f"q{number}", *[(ANN, NORTH)] * 3), due=START))
    taken: list[list[int]] = [[], []]

    async def work(side: int) -> None:
        while found := await spools[side].claim(now=START, lease_until=START + 60, limit=7, per_lane=7, full=()):
            taken[side] += keys(found)

    clock.wait(gatherResults([Deferred.fromCoroutine(work(side)) for side in (0, 1)]))
    assert len(taken[0]) + len(taken[1]) == len({*taken[0], *taken[1]}) == 180
    clock.now(spools[0].recover())
    again: list[Entry] = list(
        clock.now(spools[1].claim(now=START, lease_until=START + 60, limit=999, per_lane=999, full=()))
    )
    assert sorted(keys(again)) == sorted(taken[0])
    for spool in spools:
        clock.now(spool.close())


def test_another_process_writes_at_the_same_time(tmp_path: Path) -> None:
    """A transaction of another process makes ours wait, not fail."""
    clock = ThreadClock(START)
    spool = SqliteSpool(tmp_path, owner="one", reactor=clock)
    clock.now(spool.accept(new_entry("q1"), due=START))
    other = sqlite3.connect(tmp_path / "spool.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.05, lambda: other.execute("ROLLBACK"))
    timer.start()
    clock.now(spool.accept(new_entry("q2"), due=START))
    timer.join()
    other.close()
    assert clock.now(spool.count()) == (2, 2)
    clock.now(spool.close())


def test_what_was_leased_but_could_not_be_read_is_free_again(tmp_path: Path) -> None:
    """A claim that fails after its leases were written takes them back: the next claim finds the same work."""
    opened: list[Path] = []

    def reader_fails_once(path: Path) -> sqlite3.Connection:
        opened.append(path)
        if len(opened) == 2:
            raise sqlite3.OperationalError("unable to open database file")
        return connect(path)

    clock = ThreadClock(START)
    spool = SqliteSpool(tmp_path, owner="one", reactor=clock, connect=reader_fails_once)
    clock.now(spool.accept(new_entry("q1"), due=START))
    asking = {"now": START, "lease_until": START + 7200, "limit": 10, "per_lane": 10}
    with pytest.raises(SpoolTrouble):
        clock.now(spool.claim(**asking, full=()))  # type: ignore[arg-type]
    (entry,) = clock.now(spool.claim(**asking, full=()))  # type: ignore[arg-type]
    assert entry.message.queue_id == "q1"
    assert entry.recipients[0].attempts == 0
    clock.now(spool.close())
