"""Tests of a further process's end of the pipe: it opens, obeys, and stops; the process itself is a scenario's."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from mailnode.service.orders import READY, Apply, Charter, Recall, Reopen, Wake, packed
from mailnode.service.settings import NodeSettings
from mailnode.service.worker import Service
from tests.kit.results import now

CHARTER = Charter(1, NodeSettings(), Path("/data"), "mx.example.org", frozenset(), "reactor", None, 4, ())


@define
class FakeStation:
    """Notes what it is told."""

    told: list[Any] = field(factory=list)
    trouble: Exception | None = None

    @property
    def works(self) -> Any:
        """What stands behind the doors: here itself, and the queue too."""
        return self

    queue = works

    async def recover(self) -> int:
        """Recover the spool."""
        if self.trouble is not None:
            raise self.trouble
        return 0

    async def stop(self) -> None:
        """Stop."""
        self.told.append("stop")

    def __getattr__(self, name: str) -> Any:
        """Note any other call."""
        return lambda *arguments: self.told.append((name, *arguments))


class Reactor(Clock):
    """A reactor that runs until it is stopped."""

    running = True

    def stop(self) -> None:
        """Stop."""
        self.running = False


@pytest.fixture
def reactor() -> Reactor:
    """Give a running reactor."""
    return Reactor()


def joined(reactor: Reactor, station: FakeStation) -> tuple[Service, StringTransport]:
    """Join a worker to its pipes."""
    service, transport = Service(CHARTER, station, reactor), StringTransport()  # type: ignore[arg-type]
    service.makeConnection(transport)
    return service, transport


def test_it_says_when_its_doors_are_open(reactor: Reactor) -> None:
    """Then the main process leaves connections to it."""
    station = FakeStation()
    _, transport = joined(reactor, station)
    assert station.told == [("open",)]
    assert transport.value() == READY


def test_it_obeys_orders(reactor: Reactor) -> None:
    """Each order is one call."""
    station = FakeStation()
    service, _ = joined(reactor, station)
    station.told.clear()
    for order in (Apply(CHARTER.settings), Reopen(), Wake(), Recall(partial(isinstance, ()))):
        service.dataReceived(packed(order))
    assert station.told[:3] == [("apply", CHARTER.settings), ("reopen_log",), ("wake",)]
    assert station.told[3][0] == "recall"


def test_the_end_of_the_pipe_is_the_end_of_the_work(reactor: Reactor) -> None:
    """Whether the main process says so or is no more."""
    service, _ = joined(reactor, FakeStation())
    service.connectionLost()
    assert not reactor.running
    service.connectionLost()


def test_it_stops_in_order(reactor: Reactor) -> None:
    """What its station has begun is ended."""
    station = FakeStation()
    service, _ = joined(reactor, station)
    now(service.stop())
    assert station.told[-1] == "stop"


def test_a_worker_that_cannot_start_ends(reactor: Reactor, lost_failures: list[dict[str, Any]]) -> None:
    """The reason is logged; the main process will start another."""
    joined(reactor, FakeStation(trouble=ValueError("a bug")))
    assert [event["log_format"] for event in lost_failures] == ["The worker cannot start"]
    lost_failures.clear()
    assert not reactor.running
