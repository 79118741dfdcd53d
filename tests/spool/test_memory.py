"""MemorySpool keeps the contract."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from attrs import frozen
from twisted.internet.task import Clock

from mailnode.interfaces import Spool
from mailnode.spool.memory import MemorySpool
from tests.contracts.spool import START, SpoolContract
from tests.kit.results import now

T = TypeVar("T")


@frozen
class MemoryBench:
    """A spool in memory."""

    spool: Spool
    clock: Clock
    folder: Path

    def now(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run to the end; nothing ever waits here."""
        return now(coroutine)


@pytest.fixture
def bench(tmp_path: Path) -> MemoryBench:
    """Give an empty spool."""
    clock = Clock()
    clock.advance(START)
    return MemoryBench(MemorySpool(clock), clock, tmp_path)


class TestMemorySpool(SpoolContract):
    """The spool in memory against the contract."""
