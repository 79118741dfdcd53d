"""Segments between the threads."""

import errno
import os
import threading
from pathlib import Path
from random import Random

import pytest

from mailnode.couriers import maildir_segment
from mailnode.couriers.maildir_pool import SegmentPool
from mailnode.couriers.maildir_record import BLOCK, Record
from mailnode.couriers.maildir_segment import Segment
from tests.kit.pump import PATIENCE

ONE = [Record("example.org/ann", "1", b"one")]
HUGE = [Record("example.org/ann", "2", b"x" * 100000)]


def segment(folder: Path, number: int, blocks: int = 3) -> Segment:
    """Make a segment with room for two small batches."""
    return Segment.create(str(folder / f"{number}.segment"), blocks * BLOCK, Random(number))


def fill(pool: SegmentPool, batches: int) -> list[Segment | None]:
    """Append small batches and give their segments, released."""
    used = [pool.append(ONE) for _ in range(batches)]
    for one in used:
        if one is not None:
            pool.release(one)
    return used


def test_batches_fill_one_segment_after_the_other(tmp_path: Path) -> None:
    """A full one gives way to the next; when all are full there is no room."""
    first, second = segment(tmp_path, 1), segment(tmp_path, 2)
    pool = SegmentPool([second, first], limit=2)
    assert fill(pool, 6) == [first, first, second, second, None, None]
    assert pool.due(0) == [first]


def test_a_freed_segment_is_used_again(tmp_path: Path) -> None:
    """What a checkpoint gives back takes batches again."""
    first = segment(tmp_path, 1)
    pool = SegmentPool([first], limit=1)
    fill(pool, 2)
    assert pool.due(0) == [first]
    assert fill(pool, 1) == [None]
    first.clear(Random(3))
    pool.freed(first)
    assert fill(pool, 1) == [first]


def test_a_batch_larger_than_a_segment_costs_none(tmp_path: Path) -> None:
    """It goes another way, and the segment in use stays in use."""
    first, second = segment(tmp_path, 1), segment(tmp_path, 2)
    pool = SegmentPool([second, first], limit=2)
    assert fill(pool, 1) == [first]
    assert pool.append(HUGE) is None
    assert fill(pool, 1) == [first]


def test_a_segment_is_due_only_when_its_files_have_their_names(tmp_path: Path) -> None:
    """While a batch holds it no checkpoint begins."""
    first = segment(tmp_path, 1)
    pool = SegmentPool([first], limit=1)
    held = pool.append(ONE)
    assert held is first
    pool.close()
    due: list[list[Segment]] = []
    thread = threading.Thread(target=lambda: due.append(pool.due(1000)), daemon=True)
    thread.start()
    thread.join(0.05)
    assert not due
    pool.release(held)
    thread.join(PATIENCE)
    assert due == [[first]]


def test_a_failed_write_ends_its_segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands before it is checkpointed, and the next batch goes elsewhere."""
    first, second = segment(tmp_path, 1), segment(tmp_path, 2)
    pool = SegmentPool([second, first], limit=2)
    fill(pool, 1)
    with monkeypatch.context() as patch:

        def failing(_: int) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        patch.setattr(maildir_segment, "_sync_data", failing)
        with pytest.raises(OSError, match="error"):
            pool.append(ONE)
    assert fill(pool, 1) == [second]
    assert pool.due(0) == [first]


def test_another_segment_is_made_before_it_is_needed(tmp_path: Path) -> None:
    """An empty pool wants one; a pool whose last one is in use wants the next, up to its limit."""
    pool = SegmentPool([], limit=2)
    made: list[Segment] = []

    def make() -> Segment:
        made.append(segment(tmp_path, len(made) + 1))
        return made[-1]

    assert fill(pool, 1) == [None]
    assert pool.due(1000) == []
    pool.provide(make)
    assert fill(pool, 1) == made
    assert pool.due(1000) == []
    pool.provide(make)
    assert fill(pool, 3) == [made[0], made[1], made[1]]
    pool.provide(make)
    assert len(made) == 2


def test_what_cannot_be_made_is_wanted_by_the_next_batch(tmp_path: Path) -> None:
    """A failure is raised once, and forgotten until there is no room again."""
    pool = SegmentPool([], limit=1)

    def full() -> Segment:
        raise OSError(errno.ENOSPC, "no space")

    with pytest.raises(OSError, match="no space"):
        pool.provide(full)
    made = segment(tmp_path, 1)
    pool.provide(lambda: made)
    assert fill(pool, 1) == [None]
    pool.provide(lambda: made)
    assert fill(pool, 1) == [made]
    pool.dismiss()


def test_suspicion_spreads_to_all_in_use_and_the_next(tmp_path: Path) -> None:
    """After the disk lost something all that may be concerned is marked, until it is cleared."""
    segments = [segment(tmp_path, number) for number in (3, 2, 1)]
    pool = SegmentPool(segments, limit=3)
    fill(pool, 3)
    pool.suspect([])
    assert [one.is_suspect for one in segments] == [False, True, True]
    fill(pool, 2)
    assert segments[0].is_suspect
    segments[0].clear(Random(9))
    assert not segments[0].is_suspect
