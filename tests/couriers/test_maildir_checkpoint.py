"""Checkpoints: a segment is freed only when a sync has said yes."""

import errno
import os
from pathlib import Path

import pytest

from mailnode.couriers import maildir_checkpoint
from mailnode.couriers.maildir_record import Record
from mailnode.couriers.maildir_segment import Segment
from tests.kit.journals import JournalBench


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JournalBench:
    """Make a journal's bench whose second tries come at once."""
    monkeypatch.setattr(maildir_checkpoint, "RETRY", 0.001)
    return JournalBench(tmp_path)


def put(bench: JournalBench, name: str) -> tuple[Record, Path]:
    """Write a file that has its name, as a batch has before it is released."""
    record = Record("example.org/ann", name, name.encode())
    path = bench.root / record.folder / "new" / name
    for place in ("new", "cur", "tmp"):
        (bench.root / record.folder / place).mkdir(parents=True, exist_ok=True)
    path.write_bytes(record.octets)
    return record, path


def held(bench: JournalBench) -> list[Record]:
    """Read what the segments on disk hold."""
    found = []
    for path in sorted(bench.root.glob(".journal/node/*.segment")):
        segment = Segment.open(str(path), bench.size)
        found += list(segment.records())
        segment.close()
    return found


def test_one_sync_serves_all_that_is_due(bench: JournalBench) -> None:
    """At the end all segments are freed after one sync."""
    journal = bench.opened()
    for name in ("1", "2", "3"):
        record, _ = put(bench, name)
        segment = journal.keep([record])
        assert segment is not None
        journal.release(segment)
    assert len(held(bench)) == 3
    journal.close()
    assert bench.disk.syncs == 2  # the start's and this one
    assert held(bench) == []


def test_a_failed_sync_writes_everything_again(bench: JournalBench) -> None:
    """What the disk may have lost is written to a new file and synced; what the owner deleted stays away."""
    journal = bench.opened()
    (first, path), (second, deleted) = put(bench, "1"), put(bench, "2")
    segment = journal.keep([first, second])
    assert segment is not None
    journal.release(segment)
    inode = path.stat().st_ino
    os.link(path, bench.root / "old")  # so that no other file gets its inode
    deleted.unlink()
    bench.disk.errors.append(OSError(errno.EIO, "lost"))
    journal.close()
    assert path.stat().st_ino != inode
    assert not deleted.exists()
    assert bench.disk.octets[path.stat().st_ino] == b"1"
    assert held(bench) == []
    assert len(bench.said) == 1


def test_a_disk_that_stays_broken_frees_nothing(bench: JournalBench) -> None:
    """As long as no sync succeeds the journal keeps the messages, for the next start."""
    journal = bench.opened()
    record, _ = put(bench, "1")
    segment = journal.keep([record])
    assert segment is not None
    journal.release(segment)
    bench.disk.errors += [OSError(errno.EIO, "lost")] * 2
    journal.close()
    assert held(bench) == [record]
    bench.opened().close()
    assert held(bench) == []


def test_a_disk_that_recovers_is_tried_again(bench: JournalBench) -> None:
    """While the process lives the checkpoint is repeated until it succeeds, and the segment is used again."""
    bench.age = 0.001
    bench.limit = 1
    journal = bench.opened()
    record, path = put(bench, "1")
    bench.disk.errors += [OSError(errno.EIO, "lost")] * 5
    segment = journal.keep([record])
    assert segment is not None
    journal.release(segment)
    opened = journal._open
    assert opened is not None
    with opened.pool._changed:
        assert opened.pool._changed.wait_for(lambda: bool(opened.pool._free), 20)
    assert not bench.disk.errors
    assert path.read_bytes() == b"1"
    journal.close()
    assert held(bench) == []


def test_a_segment_that_cannot_be_freed_is_kept(bench: JournalBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A header that cannot be written loses nothing; the next start frees it."""
    journal = bench.opened()
    record, _ = put(bench, "1")
    segment = journal.keep([record])
    assert segment is not None
    journal.release(segment)
    with monkeypatch.context() as patch:

        def failing(*_: object) -> None:
            raise OSError(errno.EIO, "broken")

        patch.setattr(os, "pwrite", failing)
        journal.close()
    assert held(bench) == [record]
    assert any("could not be freed" in line for line in bench.said)


def test_a_journal_that_cannot_grow_says_so(bench: JournalBench) -> None:
    """Without room for a segment there is one line in the log, and no more tries for a while."""
    bench.size = 1 << 50
    journal = bench.journal()
    (bench.root / ".journal").mkdir()
    journal.recover()
    opened = journal._open
    assert opened is not None
    for _ in range(3):
        assert journal.keep([Record("example.org/ann", "1", b"")]) is None
    journal.close()
    assert len(bench.said) == 1
    assert "cannot grow" in bench.said[0]
