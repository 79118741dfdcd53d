"""Shared work."""

import pytest
from twisted.internet.defer import CancelledError, Deferred

from mailnode.routing.sharing import Sharing
from tests.kit.results import now


class Work:
    """Work that ends when the test says so."""

    def __init__(self) -> None:
        self.begun = 0
        self.gate: Deferred[int] = Deferred()
        self.sharing: Sharing[str, int] = Sharing()

    async def run(self) -> int:
        """Wait for the gate."""
        self.begun += 1
        return await self.gate

    def share(self) -> Deferred[int]:
        """Ask for the work."""
        return Deferred.fromCoroutine(self.sharing.share("key", self.run))


def results(*waiting: Deferred[int]) -> list[object]:
    """Collect what each gives: a number or the kind of its failure."""
    found: list[object] = []
    for each in waiting:
        each.addCallbacks(found.append, lambda failure: found.append(failure.type))
    return found


def test_all_who_wait_get_the_one_result() -> None:
    """One run for three who ask; afterwards a new one begins."""
    work = Work()
    waiting = [work.share() for _ in range(3)]
    work.gate.callback(7)
    assert results(*waiting) == [7, 7, 7]
    assert work.begun == 1
    work.gate = Deferred()
    work.share().addErrback(lambda _: None).cancel()
    assert work.begun == 2


def test_a_failure_is_shared_too() -> None:
    """All hear of it."""
    work = Work()
    waiting = [work.share() for _ in range(2)]
    work.gate.errback(OSError("no"))
    assert results(*waiting) == [OSError, OSError]


def test_who_leaves_disturbs_nobody() -> None:
    """One leaves, the other still gets the result."""
    work = Work()
    first, second = work.share(), work.share()
    first.cancel()
    work.gate.callback(7)
    assert results(first, second) == [CancelledError, 7]


def test_the_last_to_leave_ends_the_work() -> None:
    """Work nobody waits for is cancelled."""
    work = Work()
    cancelled: list[bool] = []
    work.gate = Deferred(lambda _: cancelled.append(True))
    first, second = work.share(), work.share()
    first.cancel()
    assert not cancelled
    second.cancel()
    assert cancelled
    assert results(first, second) == [CancelledError, CancelledError]


def test_closing_cancels_all() -> None:
    """Those who wait get CancelledError."""
    work = Work()
    waiting = work.share()
    work.sharing.cancel()
    assert results(waiting) == [CancelledError]


def test_work_that_does_not_wait() -> None:
    """A result that is there at once is given at once."""

    async def seven() -> int:
        return 7

    async def no() -> int:
        raise OSError("no")

    sharing: Sharing[str, int] = Sharing()
    assert now(sharing.share("a", seven)) == 7
    with pytest.raises(OSError, match="no"):
        now(sharing.share("a", no))
