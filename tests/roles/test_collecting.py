"""Content is collected whole, in memory or in a file, and leaves nothing behind when it is not wanted."""

import errno
import os
from collections.abc import Awaitable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
