"""Of several addresses the first that answers wins, and nobody waits for a dead one."""

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectingCancelledError
from twisted.internet.task import Clock

from mailnode.couriers.smtp_racing import NoneReached, alternate, race


class _Runners:
    """Starts that are answered by hand."""

    def __init__(self, count: int) -> None:
        self.clock = Clock()
        self.started: list[Deferred[str]] = []
        self.cancelled: list[int] = []
        self.ends: list[object] = []
        self.race = Deferred.fromCoroutine(race([self._start] * count, self.clock, 0.25))
        self.race.addBoth(self.ends.append)

    def _start(self) -> Deferred[str]:
        number = len(self.started)
        self.started.append(Deferred(lambda d: self._cancel(d, number)))
        return self.started[-1]

    def _cancel(self, deferred: Deferred[str], number: int) -> None:
        self.cancelled.append(number)
        deferred.errback(ConnectingCancelledError("somewhere"))


@pytest.mark.rfc("8305", "4")
def test_families_take_turns() -> None:
    """IPv6 first, then IPv4 and IPv6 in turns."""
    assert alternate(["::1", "::2", "::3", "192.0.2.1"]) == ["::1", "192.0.2.1", "::2", "::3"]


@pytest.mark.rfc("8305", "5")
def test_each_gets_a_head_start() -> None:
    """The next one starts after the stagger, and the winner stops the rest."""
    runners = _Runners(3)
    runners.clock.advance(0.2)
    assert len(runners.started) == 1
    runners.clock.advance(0.05)
    assert len(runners.started) == 2
    runners.started[1].callback("won")
    assert runners.ends == ["won"]
    assert runners.cancelled == [0]
    assert not runners.clock.getDelayedCalls()


def test_a_failure_starts_the_next_at_once() -> None:
    """Nobody waits when an address refuses."""
    runners = _Runners(2)
    runners.started[0].errback(OSError("refused"))
    assert len(runners.started) == 2
    runners.started[1].callback("won")
    assert runners.ends == ["won"]


def test_all_failures_are_told() -> None:
    """When nobody arrives, every reason is there."""
    runners = _Runners(2)
    for number in range(2):
        runners.started[number].errback(OSError(f"no {number}"))
    (failure,) = runners.ends
    error = failure.value  # type: ignore[attr-defined]
    assert isinstance(error, NoneReached)
    assert str(error) == "no 0, no 1"


@pytest.mark.parametrize("count", [1, 2])
def test_cancelling_stops_all_and_is_no_failure(count: int) -> None:
    """A cancelled race is cancelled, whatever the runners say to it."""
    runners = _Runners(count)
    runners.clock.advance(1)
    runners.race.cancel()
    (failure,) = runners.ends
    assert failure.check(CancelledError)  # type: ignore[attr-defined]
    assert sorted(runners.cancelled) == list(range(count))
    assert not runners.clock.getDelayedCalls()
