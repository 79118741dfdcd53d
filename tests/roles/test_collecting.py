"""Content is collected whole, in memory or in a file, and leaves nothing behind when it is not wanted."""

import errno
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred

from mailnode.roles.allowance import Allowance, Loan
from mailnode.roles.collecting import Collecting
from tests.kit.results import InlineDisk, now


async def _awaited(pending: Awaitable[None] | None) -> None:
    if pending is not None:
        await pending


@given(st.lists(st.integers(min_value=1, max_value=200_000), max_size=8))
def test_what_is_written_is_what_is_read(tmp_path_factory: pytest.TempPathFactory, sizes: list[int]) -> None:
    """However the blocks are cut, the content is their concatenation."""
    path = tmp_path_factory.mktemp("incoming") / "one"
    collecting = Collecting(path, InlineDisk(), 0)
    whole = b""
    for size in sizes:
        block = os.urandom(1) * size
        whole += block
        pending = collecting.write(block)
        if pending is not None:
            now(_awaited(pending))
    content = now(collecting.finish())
    assert content.read() == whole
    assert content.size == len(whole) == collecting.size
    assert (content.path is None) == (len(whole) <= 65536)
    collecting.discard()
    assert not path.exists()


def test_too_much_is_remembered_and_removed(tmp_path: Path) -> None:
    """Beyond the limit everything is let go and the fault says 552."""
    collecting = Collecting(tmp_path / "one", InlineDisk(), 100_000)
    for _ in range(10):
        pending = collecting.write(b"x" * 40_000)
        if pending is not None:
            now(_awaited(pending))
    assert collecting.fault is not None
    assert collecting.fault.code == 552
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_a_temporary_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENOSPC while collecting is 452 and leaves no file."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "write", full)
    collecting = Collecting(tmp_path / "one", InlineDisk(), 0)
    pending = collecting.write(b"x" * 200_000)
    assert pending is not None
    now(_awaited(pending))
    assert collecting.fault is not None
    assert collecting.fault.code == 452
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_while_the_file_grows_is_a_temporary_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ENOSPC in a later block is 452 too, leaves no file, and closes the file's descriptor once."""
    collecting = Collecting(tmp_path / "one", InlineDisk(), 0)
    now(_awaited(collecting.write(b"x" * 200_000)))
    closed: list[int] = []
    close = os.close

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space")

    def noted(descriptor: int) -> None:
        closed.append(descriptor)
        close(descriptor)

    monkeypatch.setattr(os, "write", full)
    monkeypatch.setattr(os, "close", noted)
    now(_awaited(collecting.write(b"x" * 200_000)))
    assert collecting.fault is not None
    assert collecting.fault.code == 452
    assert len(closed) == 1
    assert list(tmp_path.iterdir()) == []


class _SlowDisk:
    """A Disk whose threads are somewhere in their work: ``end`` lets them come to its end."""

    def __init__(self) -> None:
        self._begun: list[tuple[Deferred[Any], Callable[[], Any]]] = []

    async def run(self, work: Callable[[], Any]) -> Any:
        """Begin with ``work``; as in a pool of threads, cancelling only ends the waiting."""
        asked: Deferred[Any] = Deferred()
        self._begun.append((asked, work))
        return await asked

    def end(self) -> None:
        """Do all that was begun, and what comes of it."""
        while self._begun:
            asked, work = self._begun.pop(0)
            asked.callback(work())


@pytest.mark.parametrize("blocks_before", [0, 1, 2])
def test_a_client_that_goes_while_a_block_is_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocks_before: int
) -> None:
    """The file of a transaction given up in the middle of a write is closed, once and after the write, and removed."""
    disk = _SlowDisk()
    open_ones: set[int] = set()
    opening, closing = os.open, os.close

    def opened(*how: Any) -> int:
        open_ones.add(opening(*how))
        return max(open_ones)

    def closed(descriptor: int) -> None:
        open_ones.remove(descriptor)
        closing(descriptor)

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "close", closed)
    collecting = Collecting(tmp_path / "one", disk, 0)
    for _ in range(blocks_before):
        begun = Deferred.fromCoroutine(_awaited(collecting.write(b"x" * 200_000)))
        disk.end()
        assert begun.called
    waiting = Deferred.fromCoroutine(_awaited(collecting.write(b"x" * 200_000)))
    waiting.addErrback(lambda failure: failure.trap(CancelledError))
    waiting.cancel()
    collecting.discard()
    assert len(open_ones) == (blocks_before > 0)
    disk.end()
    assert not open_ones
    assert list(tmp_path.iterdir()) == []


def test_tiny_blocks_do_not_heap_up(tmp_path: Path) -> None:
    """A peer that sends two octets at a time costs the memory of its octets, not of as many objects."""
    collecting = Collecting(tmp_path / "one", InlineDisk(), 0)
    for _ in range(10_000):
        assert collecting.write(b"ab") is None
    assert len(collecting._parts) < 256
    assert now(collecting.finish()).read() == b"ab" * 10_000


def test_a_middling_content_stays_in_memory_while_there_is_room(tmp_path: Path) -> None:
    """With an allowance no file is made for it; what was borrowed is given back when it is done, spilled or discarded."""
    allowance = Allowance(200_000)
    collecting = Collecting(tmp_path / "one", InlineDisk(), 0, Loan(allowance))
    assert collecting.write(b"x" * 100_000) is None
    content = now(collecting.finish())
    assert content.path is None
    assert content.size == 100_000
    assert allowance.left < 200_000
    collecting.done()
    assert allowance.left == 200_000
    large = Collecting(tmp_path / "two", InlineDisk(), 0, Loan(allowance))
    assert large.write(b"x" * 150_000) is None
    pending = large.write(b"y" * 900_000)
    assert pending is not None
    now(_awaited(pending))
    assert allowance.left == 200_000
    assert now(large.finish()).read() == b"x" * 150_000 + b"y" * 900_000
    gone = Collecting(tmp_path / "three", InlineDisk(), 0, Loan(allowance))
    gone.write(b"x" * 150_000)
    gone.discard()
    assert allowance.left == 200_000
