"""A further process of a node: ``python -m mailnode.service.worker``, started by the main one (``crew``) and by nobody else.

It reads its charter from descriptor 0, adopts the listening sockets it inherited, and does what the main process does
but for the control socket. Orders follow on the same pipe, and its end means: stop in good order. Signals to the whole
group (an interrupt, a hangup) are the main process's to pass on.
"""

import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger, globalLogBeginner
from twisted.python.failure import Failure
from twisted.python.reflect import namedModule

from mailnode.certificates.showcase import Showcase
from mailnode.service.cycles import search_seldom, spare_what_is
from mailnode.service.doors import Door
from mailnode.service.folder import InheritedLock
from mailnode.service.ground import Ground
from mailnode.service.logs import LogLines
from mailnode.service.orders import READY, Apply, Charter, Order, Recall, Reopen, Show, Wake, read_one, unpacked
from mailnode.service.station import Station
from mailnode.service.trouble import StartFailed

ORDERS, REPORTS = 0, 3
"""Descriptors of the pipes."""


class Service(Protocol):
    """The far end of the main process's pipe: obeys its orders."""

    log = Logger("mailnode.service.worker")
    transport: Any

    def __init__(self, charter: Charter, station: Station, reactor: Any) -> None:
        self._charter = charter
        self._station = station
        self._reactor = reactor
        self._received = bytearray()
        self._starting: Deferred[None] | None = None

    def connectionMade(self) -> None:
        """Begin."""
        self._starting = Deferred.fromCoroutine(self._open())
        self._starting.addErrback(self._start_ended)

    async def _open(self) -> None:
        await self._station.recover()
        self._station.open()
        self.log.info("Worker {number} is ready", event="ready", number=self._charter.number)
        self.transport.write(READY)

    def _start_ended(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self.log.failure("The worker cannot start", failure)
            self._reactor.stop()

    def dataReceived(self, data: bytes) -> None:
        """Obey the orders that have come whole."""
        self._received += data
        for order in unpacked(self._received):
            _DUTIES[type(order)](self._station, order)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002
        """Hear that the work is over: the main process says so, or is no more."""
        if self._reactor.running:
            self._reactor.stop()

    async def stop(self) -> None:
        """Stop in good order."""
        if self._starting is not None:
            self._starting.cancel()
        await self._station.stop()
        self.log.info("Worker {number} has stopped", event="stopped", number=self._charter.number)


_DUTIES: Mapping[type[Order], Callable[[Station, Any], object]] = {
    Apply: lambda station, order: station.apply(order.settings),
    Show: lambda station, order: station.show(order.certificates),
    Reopen: lambda station, _: station.reopen_log(),
    Wake: lambda station, _: station.works.queue.wake(),
    Recall: lambda station, order: station.works.queue.recall(order.is_meant),
}


def main() -> None:
    """Work until told to stop."""
    search_seldom()
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    charter = read_one(ORDERS)
    assert isinstance(charter, Charter)  # noqa: S101 - the first order always is
    namedModule(charter.reactor).install()
    from twisted.internet import reactor  # noqa: PLC0415, TID251 - this process has no other

    lines = LogLines(charter.settings.log, charter.log, sys.stdout, reactor)
    globalLogBeginner.beginLoggingTo([lines])
    try:
        service = Service(charter, _station(charter, lines, reactor), reactor)
    except StartFailed as failed:
        service_log = Service.log
        service_log.error("Worker {number}: {reason}", event="trouble", number=charter.number, reason=str(failed))
        lines.flush()
        raise SystemExit(1) from None
    run(service, lines, reactor)


def run(service: Service, lines: LogLines, reactor: Any) -> None:
    """Join the pipes and run the reactor to its end."""
    from twisted.internet import stdio  # noqa: PLC0415 - it names the reactor, which is chosen by now

    pipes: Any = stdio.StandardIO
    pipes(service, stdin=ORDERS, stdout=REPORTS, reactor=reactor)
    reactor.callWhenRunning(spare_what_is)
    reactor.addSystemEventTrigger("before", "shutdown", lambda: Deferred.fromCoroutine(service.stop()))
    reactor.run()
    lines.close()


def _station(charter: Charter, lines: LogLines, reactor: Any) -> Station:
    """Build what stands behind the inherited sockets."""
    from random import SystemRandom  # noqa: PLC0415

    doors = []
    for place, inherited in charter.doors:
        door = Door(charter.settings.listener[place])
        door.adopt(reactor, inherited)
        doors.append(door)
    ground = Ground(charter.folder, reactor, SystemRandom(), charter.hostname, charter.addresses, worker=charter.number)
    showcase = None if charter.certificates is None else Showcase(charter.certificates, reactor)
    return Station(charter.settings, ground, doors, lines=lines, lock=InheritedLock(charter.lock), showcase=showcase)


if __name__ == "__main__":
    main()
