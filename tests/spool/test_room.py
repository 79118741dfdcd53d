"""New mail leaves room on the disk for what must still be written about the old."""

import os
import sqlite3
from pathlib import Path

import pytest

from mailnode.interfaces import SpoolTrouble
from mailnode.mail.quantity import Octets
from mailnode.spool.room import Room
from mailnode.spool.settings import SpoolSettings


def _database(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "spool.db")


def test_a_disk_with_room_takes_more(tmp_path: Path) -> None:
    """Nothing is raised while the limit is kept."""
    Room(tmp_path, SpoolSettings(min_free=Octets(0))).check(1000, _database(tmp_path))


def test_what_would_not_leave_enough_is_refused(tmp_path: Path) -> None:
    """A message that would leave less than ``min_free`` meets a full disk."""
    with pytest.raises(SpoolTrouble, match="must stay so") as raised:
        Room(tmp_path, SpoolSettings(min_free=Octets(1 << 60))).check(1000, _database(tmp_path))
    assert raised.value.is_full


def test_room_within_the_database_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that settled mail has left empty take new mail, though the disk itself has none to spare."""
    db = _database(tmp_path)
    db.execute("CREATE TABLE message (head BLOB)")
    db.execute("INSERT INTO message VALUES (zeroblob(8000000))")
    db.commit()
    room = Room(tmp_path, SpoolSettings(min_free=Octets(4_000_000)))
    none = os.statvfs_result((4096, 4096, 100, 0, 0, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: none)
    with pytest.raises(SpoolTrouble):
        room.check(1000, db)
    db.execute("DELETE FROM message")
    db.commit()
    room.check(1000, db)
