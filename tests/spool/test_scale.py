"""A million recipients: memory stays flat and claims stay quick; the figures are printed (``-s``), not judged."""

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, gatherResults

from mailnode.interfaces import Selection, Settlement
from mailnode.mail.message import NewEntry
from mailnode.mail.route import Lane
from mailnode.spool.sqlite import SqliteSpool
from tests.contracts.spool import ANN, START, keys, new_entry
from tests.kit.threads import ThreadClock

DEAD = Lane("smtp", "dead.example")
SINGLE = 100_000
"""Messages for one recipient each at the dead host."""
MANY, EACH = 9_000, 100
"""Messages for many recipients, and how many each has, over as many lanes as messages."""


def resident() -> float:
    """Give the memory this process holds, MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def entries(name: str, count: int, recipients: int = 1, lane: Lane = DEAD, octets: int = 4096) -> Iterator[NewEntry]:
    """Make entries one by one."""
    for number in range(count):
        lanes = [
            lane if recipients == 1 else Lane("smtp", f"h{(number * 7 + n) % MANY}.example") for n in range(recipients)
        ]
        yield new_entry(f"{name}{number}", *[(ANN, one) for one in lanes], octets=b"x" * octets)


def accept_all(clock: ThreadClock, spool: SqliteSpool, made: Iterator[NewEntry], at_once: int = 100) -> float:
    """Accept all of them, so many at once; give the seconds it took."""

    async def work() -> None:
        for entry in made:
            await spool.accept(entry, due=START)

    began = time.perf_counter()
    clock.wait(gatherResults([Deferred.fromCoroutine(work()) for _ in range(at_once)]))
    return time.perf_counter() - began


def claim(clock: ThreadClock, spool: SqliteSpool, full: Sequence[Lane] = ()) -> tuple[float, Any]:
    """Claim as a queue does; give the seconds and the entries."""
    began = time.perf_counter()
    found = clock.now(spool.claim(now=START, lease_until=START + 3600, limit=200, per_lane=20, full=full))
    return time.perf_counter() - began, found


@pytest.mark.slow
def test_a_million_recipients(tmp_path: Path) -> None:
    """With a million recipients queued, a hundred thousand of them for a dead host, the rest flows as before."""
    clock = ThreadClock(START)
    spool = SqliteSpool(tmp_path, owner="one", reactor=clock)
    clock.now(spool.recover())
    figures = {"accepts a second, empty": 5000 / accept_all(clock, spool, entries("e", 5000, lane=Lane("smtp", "a")))}
    clock.now(spool.remove(Selection()))
    before = resident()
    figures["recipients a second while filling"] = SINGLE / accept_all(clock, spool, entries("d", SINGLE))
    accept_all(clock, spool, entries("m", MANY, EACH, octets=1000))
    assert clock.now(spool.count()) == (SINGLE + MANY, SINGLE + MANY * EACH)
    figures["accepts a second, full"] = 5000 / accept_all(clock, spool, entries("f", 5000, lane=Lane("smtp", "a")))
    times, claimed = [], []
    for _ in range(50):
        seconds, found = claim(clock, spool)
        times.append(seconds)
        claimed += keys(found)
    assert len(set(claimed)) == 50 * 200
    figures["ms a claim of 200"] = 1000 * sum(times) / len(times)
    began = time.perf_counter()
    clock.now(spool.postpone(DEAD, START + 600))
    figures["ms to postpone the dead lane"] = 1000 * (time.perf_counter() - began)
    assert all(one.lane != DEAD for entry in claim(clock, spool)[1] for one in entry.recipients)
    began = time.perf_counter()
    clock.now(spool.next_due())
    figures["ms for next_due"] = 1000 * (time.perf_counter() - began)
    began = time.perf_counter()
    clock.now(spool.settle([Settlement(key, done=True) for key in claimed]))
    figures["settled a second"] = len(claimed) / (time.perf_counter() - began)
    began = time.perf_counter()
    assert len(clock.now(spool.listing(Selection(domain="example.org"), limit=100))) == 100
    figures["ms to list a page"] = 1000 * (time.perf_counter() - began)
    began = time.perf_counter()
    clock.now(spool.hold(Selection()))
    figures["seconds to hold all"] = time.perf_counter() - began
    clock.now(spool.close())
    began = time.perf_counter()
    spool = SqliteSpool(tmp_path, owner="one", reactor=clock)
    clock.now(spool.recover())
    figures["seconds to recover"] = time.perf_counter() - began
    figures["MiB more memory"] = resident() - before
    clock.now(spool.close())
    for name, figure in figures.items():
        print(f"{name:36} {figure:10.2f}")
    assert figures["MiB more memory"] < 150
