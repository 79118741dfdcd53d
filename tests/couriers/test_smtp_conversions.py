"""Conversions take turns, and large results wait on the disk."""

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred

from mailnode.couriers import smtp_conversions
from mailnode.couriers.smtp_conversions import AT_ONCE, Conversions, Converted
from mailnode.mail.content import Content
from tests.kit.results import InlineDisk, now


class SlowDisk:
    """A Disk that works when it is told to."""

    def __init__(self) -> None:
        self.waiting: list[Deferred[None]] = []

    async def run(self, work: Callable[[], Any]) -> Any:
        """Wait, then work."""
        turn: Deferred[None] = Deferred()
        self.waiting.append(turn)
        await turn
        return work()


def test_only_some_run_at_once() -> None:
    """The others wait for their turn; one that is cancelled while it waits or works gives its place free."""
    disk = SlowDisk()
    conversions = Conversions(disk, 1000)
    asked = [Deferred.fromCoroutine(conversions.run(Content(b"x"), bytes.upper)) for _ in range(AT_ONCE + 3)]
    assert len(disk.waiting) == AT_ONCE
    for one in (asked[AT_ONCE], asked[0]):
        one.addErrback(lambda failure: failure.trap(CancelledError))
        one.cancel()
    assert len(disk.waiting) == AT_ONCE + 1
    for turn in disk.waiting[1:]:
        turn.callback(None)
    disk.waiting[-1].callback(None)
    assert all(one.called for one in asked)
    assert asked[-1].result == Converted(Content(b"X"))


def test_a_large_result_is_a_file_until_it_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too large for memory is read from a file that nobody else may read, and the file goes with the last use."""
    monkeypatch.setattr(smtp_conversions, "IN_MEMORY", 10)
    conversions = Conversions(InlineDisk(), 1000, tmp_path)
    converted = now(conversions.run(Content(b"x" * 11), bytes.upper))
    (path,) = tmp_path.iterdir()
    assert (converted.content.path, converted.content.head) == (path, b"")
    assert converted.content.read() == b"X" * 11
    assert path.stat().st_mode & 0o077 == 0
    conversions.let_go(converted.file)
    assert not list(tmp_path.iterdir())
    gc.collect()
