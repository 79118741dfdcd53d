"""Segments: written in place, read after a crash, used again."""

import errno
import os
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mailnode.couriers import maildir_segment
from mailnode.couriers.maildir_record import BLOCK, Record
from mailnode.couriers.maildir_segment import Segment

SIZE = 8 * BLOCK
ANN = [Record("example.org/ann", "1", b"for ann")]
BOB = [Record("example.org/bob", "2", b"for bob" * 1000)]


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Say where the segment lies."""
    return str(tmp_path / "1.segment")


def reread(path: str) -> list[Record]:
    """Read a segment as the next start does."""
    segment = Segment.open(path, SIZE)
    try:
        return list(segment.records())
    finally:
        segment.close()


def test_what_was_appended_is_read_at_the_next_start(path: str) -> None:
    """Records come back in order, from a file that kept its size."""
    segment = Segment.create(path, SIZE, Random(1))
    assert not segment.is_begun
    segment.append(ANN)
    segment.append(BOB)
    segment.close()
    assert reread(path) == ANN + BOB
    assert Path(path).stat().st_size == SIZE
    assert Path(path).stat().st_mode & 0o777 == 0o600


def test_a_cleared_segment_is_empty_and_is_filled_anew(path: str) -> None:
    """After clearing nothing is read; what is written then is, and nothing of what lies behind it."""
    segment = Segment.create(path, SIZE, Random(1))
    for _ in range(3):
        segment.append(ANN)
    segment.clear(Random(2))
    assert reread(path) == []
    segment.append(BOB)
    segment.close()
    assert reread(path) == BOB


def test_a_segment_has_an_end(path: str) -> None:
    """There is room for what fits, and for no more."""
    segment = Segment.create(path, SIZE, Random(1))
    for _ in range(7):
        assert segment.has_room(ANN)
        segment.append(ANN)
    assert not segment.has_room(ANN)
    segment.close()


@pytest.mark.parametrize("damage", [b"", b"\xff", b"MJS1"])
def test_without_its_header_the_frames_are_believed(path: str, damage: bytes) -> None:
    """A damaged header loses no message; the segment is not used again."""
    segment = Segment.create(path, SIZE, Random(1))
    segment.append(ANN)
    segment.append(BOB)
    segment.close()
    with open(path, "r+b") as file:
        file.write(damage + bytes(24 - len(damage)))
    segment = Segment.open(path, SIZE)
    assert not segment.is_whole
    assert list(segment.records()) == ANN + BOB
    segment.close()


@pytest.mark.parametrize("octets", [b"", b"x", bytes(SIZE), bytes(BLOCK) + b"MJF1" + b"k" * 16 + b"\xff" * 8])
def test_what_is_no_segment_is_empty(path: str, octets: bytes) -> None:
    """A file that was never finished, or is something else, holds nothing and is not used."""
    Path(path).write_bytes(octets)
    segment = Segment.open(path, SIZE)
    assert not segment.is_whole
    assert list(segment.records()) == []
    segment.close()


def test_a_segment_of_another_size_is_read_but_not_used(path: str) -> None:
    """After a change of sizes nothing is lost."""
    segment = Segment.create(path, 2 * SIZE, Random(1))
    segment.append(ANN)
    segment.close()
    segment = Segment.open(path, SIZE)
    assert not segment.is_whole
    assert list(segment.records()) == ANN
    segment.close()


@pytest.mark.parametrize("name", ["pwrite", "fsync"])
def test_a_segment_that_cannot_be_made_leaves_nothing(path: str, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """On a full disk not half a segment stays behind."""

    def failing(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, name, failing)
    with pytest.raises(OSError, match="no space"):
        Segment.create(path, SIZE, Random(1))
    assert not Path(path).exists()


@pytest.mark.parametrize("name", ["pwrite", "fdatasync"])
def test_nothing_follows_a_failed_write(path: str, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """After a failure there is no room until the segment is cleared, as reading would end at the damage."""
    segment = Segment.create(path, SIZE, Random(1))
    segment.append(ANN)
    with monkeypatch.context() as patch:

        def failing(*_: Any) -> None:
            raise OSError(errno.EIO, "broken")

        patch.setattr(*((maildir_segment, "_sync_data", failing) if name == "fdatasync" else (os, name, failing)))
        with pytest.raises(OSError, match="broken"):
            segment.append(BOB)
    assert not segment.has_room(ANN)
    assert reread(path)[:1] == ANN
    segment.clear(Random(2))
    assert segment.has_room(ANN)
    segment.close()


def test_a_short_write_is_continued(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the kernel takes a part only, the rest follows in its place."""
    segment = Segment.create(path, SIZE, Random(1))
    write = os.pwrite
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", lambda fd, octets, offset: write(fd, bytes(octets[:999]), offset))
        segment.append(BOB)
    segment.close()
    assert reread(path) == BOB
