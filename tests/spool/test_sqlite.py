"""SqliteSpool keeps the contract."""

from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from attrs import frozen

from mailnode.interfaces import Spool
from mailnode.spool.sqlite import SqliteSpool
from tests.contracts.spool import START, SpoolContract
from tests.kit.threads import ThreadClock

T = TypeVar("T")


@frozen
class SqliteBench:
    """A spool on disk."""

    spool: Spool
    clock: ThreadClock
    folder: Path

    def now(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run to the end, threads included."""
        return self.clock.now(coroutine)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[SqliteBench]:
    """Give an empty spool, closed at the end."""
    clock = ThreadClock(START)
    spool = SqliteSpool(tmp_path, owner="one", reactor=clock)
    yield SqliteBench(spool, clock, tmp_path)
    clock.now(spool.close())


class TestSqliteSpool(SpoolContract):
    """The spool on disk against the contract."""
