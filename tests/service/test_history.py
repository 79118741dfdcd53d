"""Tests of the history: steps of messages are kept, for a time, and never in the way."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from mailnode.mail.quantity import Seconds
from mailnode.service.history import BATCH, MOST_WAITING, History, steps
from mailnode.service.settings import HistorySettings
from tests.kit.results import InlineDisk, now


def event(queue_id: str = "A1", kind: str = "attempt", at: float = 1000.0, **own: Any) -> dict[str, Any]:
    """Make an event of the log."""
    return {"log_format": "{queue_id}: {event}", "log_time": at, "queue_id": queue_id, "event": kind, **own}


def history(path: Path, clock: Clock, **settings: Any) -> History:
    """Make a history whose disk works at once."""
    return History(path, disk=InlineDisk(), clock=clock, settings=HistorySettings(**settings))


def test_steps_are_written_after_a_second_and_read_in_order(tmp_path: Path) -> None:
    """A message's steps come back, oldest first, with their fields; other messages' do not."""
    clock, path = Clock(), tmp_path / "history.db"
    kept = history(path, clock)
    kept(event(kind="accepted", size=7))
    kept(event(queue_id="B2"))
    kept(event(kind="done", at=1001.0))
    assert steps(path, "A1") == []
    clock.advance(1)
    first, second = steps(path, "A1")
    assert (first.event, first.message, first.at, first.fields) == ("accepted", "A1: accepted", 1000.0, {"size": 7})
    assert second.event == "done"
    now(kept.close())


def test_events_without_a_queue_id_are_passed_over(tmp_path: Path) -> None:
    """Only what belongs to a message is kept."""
    clock = Clock()
    kept = history(tmp_path / "history.db", clock)
    kept({"log_format": "session", "log_time": 1.0, "event": "session"})
    assert not clock.getDelayedCalls()


def test_a_full_batch_does_not_wait_for_the_second(tmp_path: Path) -> None:
    """Many events are written in the next turn."""
    clock, path = Clock(), tmp_path / "history.db"
    kept = history(path, clock)
    for _ in range(BATCH):
        kept(event())
    clock.advance(0)
    assert len(steps(path, "A1")) == BATCH
    now(kept.close())


def test_flush_writes_now(tmp_path: Path) -> None:
    """Whoever asks for a trace sees what just happened."""
    path = tmp_path / "history.db"
    kept = history(path, Clock())
    kept(event())
    now(kept.flush())
    assert len(steps(path, "A1")) == 1
    now(kept.close())


def test_old_steps_are_forgotten(tmp_path: Path) -> None:
    """What is older than ``keep``, and what exceeds ``max_events``, is dropped with later writes."""
    clock, path = Clock(), tmp_path / "history.db"
    kept = history(path, clock, keep=Seconds(100), max_events=3)
    clock.advance(1000)
    kept(event("old", at=800.0))
    now(kept.flush())
    for at in (990.0, 991.0, 992.0, 993.0):
        kept(event("new", at=at))
    now(kept.flush())
    assert not steps(path, "old")
    assert [step.at for step in steps(path, "new")] == [991.0, 992.0, 993.0]
    now(kept.close())


def test_a_write_drops_only_a_few_old_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much has become too old meanwhile, each write drops so many of it, the oldest first."""
    monkeypatch.setattr("mailnode.service.history.PRUNED_AT_ONCE", 3)
    clock, path = Clock(), tmp_path / "history.db"
    kept = history(path, clock, keep=Seconds(100))
    clock.advance(1000)
    for at in (990.0, 991.0, 992.0, 993.0, 994.0):
        kept(event("old", at=at))
    now(kept.flush())
    clock.advance(1000)
    left = []
    for _ in range(3):
        kept(event("new", at=2000.0))
        now(kept.flush())
        left.append([step.at for step in steps(path, "old")])
    assert left == [[993.0, 994.0], [], []]
    assert len(steps(path, "new")) == 3
    now(kept.close())


def test_nothing_is_kept_when_nothing_is_wanted(tmp_path: Path) -> None:
    """``keep = "0s"`` makes no file."""
    kept = history(tmp_path / "history.db", Clock(), keep=Seconds(0))
    kept(event())
    now(kept.flush())
    assert not (tmp_path / "history.db").exists()


def test_the_last_of_the_disk_is_left_to_mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a disk that is nearly full nothing is written."""
    room = os.statvfs(tmp_path)
    nearly_full = os.statvfs_result((room.f_bsize, room.f_frsize, room.f_blocks, 10, 10, *room[5:]))
    monkeypatch.setattr(os, "statvfs", lambda _: nearly_full)
    kept = history(tmp_path / "history.db", Clock())
    kept(event())
    now(kept.flush())
    assert not (tmp_path / "history.db").exists()


class StuckDisk:
    """A disk that does not answer."""

    def __init__(self) -> None:
        self.asked = 0
        self._never: Deferred[Any] = Deferred()

    async def run(self, work: Callable[[], Any]) -> Any:
        """Never come back."""
        self.asked += 1
        return await self._never


def test_a_disk_that_hangs_costs_bounded_memory(tmp_path: Path) -> None:
    """While one write waits no second one is begun, and events beyond the bound are let go."""
    clock, disk = Clock(), StuckDisk()
    kept = History(tmp_path / "history.db", disk=disk, clock=clock, settings=HistorySettings())
    kept(event())
    clock.advance(1)
    for _ in range(MOST_WAITING + 10):
        kept(event())
    clock.advance(10)
    assert disk.asked == 1
    assert len(kept._waiting) == MOST_WAITING


class FullDisk:
    """A disk with no room."""

    async def run(self, work: Callable[[], Any]) -> Any:
        """Fail as SQLite does."""
        raise sqlite3.OperationalError("database or disk is full")


@pytest.mark.parametrize("count", [1, 3])
def test_a_full_disk_is_logged_and_forgotten(tmp_path: Path, count: int) -> None:
    """The history is a convenience; its loss stops nothing."""
    kept = History(tmp_path / "history.db", disk=FullDisk(), clock=Clock(), settings=HistorySettings())
    for _ in range(count):
        kept(event())
        now(kept.flush())
    assert not kept._waiting
