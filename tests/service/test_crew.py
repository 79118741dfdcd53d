"""Tests of the crew: workers are started, told, replaced with growing pauses, and waited for at the end."""

import signal
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from mailnode.certificates.stock import Place, Stock
from mailnode.service.crew import FIRST_PAUSE, LONGEST_PAUSE, OLD_ENOUGH, TIME_TO_CLOSE, Crew, QueueOfAll
from mailnode.service.ground import Ground
from mailnode.service.orders import READY, Apply, Charter, Reopen, Show, Wake, unpacked
from mailnode.service.settings import ListenerSettings, NodeSettings, ProcessSettings
from mailnode.service.sockets import Inherited


@define
class Process:
    """The transport of a process that only seems to run."""

    protocol: Any
    descriptors: dict[int, Any]
    received: bytearray = field(factory=bytearray)
    is_dismissed: bool = False
    signals: list[str] = field(factory=list)
    pid: int = 4711

    def writeToChild(self, descriptor: int, octets: bytes) -> None:
        """Take an order."""
        assert self.descriptors[descriptor] == "w"
        self.received += octets

    def closeChildFD(self, descriptor: int) -> None:
        """Hear the end of the pipe."""
        assert self.descriptors[descriptor] == "w"
        self.is_dismissed = True

    def signalProcess(self, name: str) -> None:
        """Take a signal."""
        self.signals.append(name)

    def end(self, reason: Exception | None = None) -> None:
        """Be no more."""
        self.protocol.processEnded(Failure(reason or ProcessTerminated(signal=signal.SIGKILL)))


class Reactor(Clock):
    """A reactor that can start processes, unless it is told that it cannot."""

    def __init__(self) -> None:
        super().__init__()
        self.processes: list[Process] = []
        self.fails = False

    def spawnProcess(self, protocol: Any, *_: Any, childFDs: dict[int, Any]) -> None:
        """Start one."""
        if self.fails:
            raise OSError(11, "Resource temporarily unavailable")
        protocol.transport = Process(protocol, childFDs)
        self.processes.append(protocol.transport)


@define
class FakeDoor:
    """A listener that tells who stands in."""

    inherited: Inherited | None
    log: list[tuple[int, bool]] = field(factory=list)

    def share_of(self, number: int) -> Inherited | None:
        """Give what it has."""
        assert number > 0
        return self.inherited

    def stand_in(self, number: int, *, wanted: bool) -> None:
        """Note it."""
        self.log.append((number, wanted))


@define
class Lock:
    """The folder's lock."""

    def fileno(self) -> int:
        """Give its descriptor."""
        return 90


@define
class FakeWorks:
    """What stands behind the doors."""

    ground: Ground
    lock: Lock = field(factory=Lock)


@define
class FakeStation:
    """The main process's part."""

    settings: NodeSettings
    works: FakeWorks
    doors: list[FakeDoor]
    certificates: Stock | None = None


STOCK = Stock((Place("a", ()),))


@pytest.fixture
def reactor() -> Reactor:
    """Give a reactor without processes."""
    return Reactor()


def crew_of(reactor: Reactor, workers: int = 2) -> tuple[Crew, FakeStation]:
    """Make a crew and start it."""
    settings = NodeSettings(
        node=ProcessSettings(workers=workers), listener=(ListenerSettings("a"), ListenerSettings("b"))
    )
    ground = Ground(Path("/data"), reactor, Any, "mx.example.org", frozenset({"192.0.2.1"}))  # type: ignore[arg-type]
    doors = [FakeDoor(None), FakeDoor(Inherited(55, 2, is_shared=False))]
    station = FakeStation(settings, FakeWorks(ground), doors)
    crew = Crew(reactor, station, Path("/var/log/mail"))  # type: ignore[arg-type]
    crew.start()
    return crew, station


def heard(process: Process) -> list[Any]:
    """Give the orders that a process was sent since the last look."""
    return list(unpacked(process.received))


def test_certificates_stand_in_the_charter_and_are_told_when_they_change(reactor: Reactor) -> None:
    """A worker opens no file: what it shows it is given."""
    crew, station = crew_of(reactor)
    (process,) = reactor.processes
    (charter,) = heard(process)
    assert charter.certificates is None
    crew.show(STOCK)
    assert heard(process) == [Show(STOCK)]
    station.certificates = STOCK
    process.end()
    reactor.advance(FIRST_PAUSE)
    (charter,) = heard(reactor.processes[1])
    assert charter.certificates == STOCK


def test_a_worker_gets_its_charter_and_the_descriptors_it_names(reactor: Reactor) -> None:
    """Lock and sockets are inherited under the numbers that the charter calls them by; a listener that is not shared is left out."""
    crew_of(reactor)
    (process,) = reactor.processes
    (charter,) = heard(process)
    assert isinstance(charter, Charter)
    assert (charter.number, charter.hostname, charter.folder) == (1, "mx.example.org", Path("/data"))
    assert process.descriptors[charter.lock] == 90
    ((place, inherited),) = charter.doors
    assert place == 1
    assert process.descriptors[inherited.descriptor] == 55


def test_there_is_one_less_than_workers(reactor: Reactor) -> None:
    """The main process is itself one of them."""
    crew_of(reactor, workers=4)
    assert [heard(process)[0].number for process in reactor.processes] == [1, 2, 3]


def test_what_changes_is_told_to_all(reactor: Reactor) -> None:
    """Settings, the log and the spool: each worker hears of it."""
    crew, station = crew_of(reactor, workers=3)
    for process in reactor.processes:
        heard(process)
    crew.apply(station.settings)
    crew.reopen_log()
    crew.wake()
    assert [heard(process) for process in reactor.processes] == [[Apply(station.settings), Reopen(), Wake()]] * 2


def test_the_main_process_stands_in_until_a_worker_is_ready(reactor: Reactor) -> None:
    """And again when it has ended."""
    _, station = crew_of(reactor)
    (process,) = reactor.processes
    process.protocol.childDataReceived(3, READY)
    assert station.doors[1].log == [(1, False)]
    process.end()
    assert station.doors[1].log == [(1, False), (1, True)]


def test_a_worker_that_dies_is_replaced_at_once_when_it_was_old(reactor: Reactor) -> None:
    """Its successor bears the same number."""
    crew_of(reactor)
    reactor.advance(OLD_ENOUGH)
    reactor.processes[0].end()
    reactor.advance(FIRST_PAUSE)
    assert heard(reactor.processes[1])[0].number == 1


def test_workers_that_die_young_are_replaced_ever_later(reactor: Reactor) -> None:
    """The pause doubles up to a limit, and is short again after a long life."""
    crew_of(reactor)
    pauses = []
    for count in range(1, 15):
        reactor.processes[-1].end(ProcessDone(0))
        began = reactor.seconds()
        while len(reactor.processes) == count:
            reactor.advance(FIRST_PAUSE / 10)
        pauses.append(reactor.seconds() - began)
    assert pauses[:4] == pytest.approx([FIRST_PAUSE * factor for factor in (1, 2, 4, 8)], rel=0.15)
    assert pauses[-1] == pytest.approx(LONGEST_PAUSE, rel=0.15)
    reactor.advance(OLD_ENOUGH)
    count = len(reactor.processes)
    reactor.processes[-1].end()
    reactor.advance(FIRST_PAUSE)
    assert len(reactor.processes) == count + 1


def test_a_worker_that_cannot_be_started_is_tried_again(reactor: Reactor) -> None:
    """A system without room for a process does not end the node."""
    reactor.fails = True
    crew_of(reactor)
    reactor.fails = False
    reactor.advance(FIRST_PAUSE)
    assert len(reactor.processes) == 1


def test_a_stop_waits_for_all(reactor: Reactor) -> None:
    """Each is dismissed, none is replaced, and the stop is over with the last of them."""
    crew, _ = crew_of(reactor, workers=3)
    stopped = Deferred.fromCoroutine(crew.stop(10))
    assert all(process.is_dismissed for process in reactor.processes)
    reactor.processes[0].end(ProcessDone(0))
    assert [stopped.called] == [False]
    reactor.processes[1].end(ProcessDone(0))
    assert stopped.called
    assert reactor.getDelayedCalls() == []


def test_who_does_not_stop_is_killed(reactor: Reactor) -> None:
    """After the node's own time limit, and a little."""
    crew, _ = crew_of(reactor)
    stopped = Deferred.fromCoroutine(crew.stop(10))
    reactor.advance(10 + TIME_TO_CLOSE)
    (process,) = reactor.processes
    assert process.signals == ["KILL"]
    process.end()
    assert stopped.called


def test_nobody_is_replaced_after_a_stop(reactor: Reactor) -> None:
    """A start that was put off is called off."""
    crew, _ = crew_of(reactor)
    reactor.processes[0].end()
    assert Deferred.fromCoroutine(crew.stop(10)).called
    assert reactor.getDelayedCalls() == []


def test_what_wakes_the_queue_wakes_all(reactor: Reactor) -> None:
    """A command sees one queue."""
    woken: list[str] = []

    class Queue:
        def wake(self) -> None:
            woken.append("own")

    crew, _ = crew_of(reactor)
    heard(reactor.processes[0])
    QueueOfAll(Queue(), crew).wake()  # type: ignore[arg-type]
    assert woken == ["own"]
    assert heard(reactor.processes[0]) == [Wake()]
