"""The further processes of a node (``[node] workers``): started, told what changes, replaced when they die.

Each worker is this program once more (``worker``), with its share of the listening sockets, one end of a pipe for
orders, and the data folder's lock, so that no other node gets in while any of them lives. The end of the pipe tells it
to stop: so it also does when the main process is killed.

A worker that ends unasked is started again: at once when it has lived for a while, after a pause that doubles when it
dies young. Its leases are freed by its successor of the same number, and until that is ready the main process accepts
its connections (``Door.stand_in``).
"""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailnode.certificates.stock import Stock
from mailnode.interfaces import Queue
from mailnode.mail.message import Message, NewEntry, QueuedRecipient
from mailnode.service.orders import READY, Apply, Charter, Order, Recall, Reopen, Show, Wake, packed
from mailnode.service.settings import NodeSettings
from mailnode.service.station import Station

OLD_ENOUGH = 10.0
"""Seconds of life after which a worker's end is taken for a single misfortune."""
FIRST_PAUSE = 0.1
"""Seconds until a worker is replaced."""
LONGEST_PAUSE = 60.0
"""Seconds until one is replaced whose predecessors all died young."""
TIME_TO_CLOSE = 10.0
"""Seconds beyond the node's own time limit after which a worker that does not stop is killed."""

_ORDERS, _REPORTS, _FIRST_FREE = 0, 3, 4
"""Descriptors in the worker: its pipes stand around standard output and error, all else comes behind."""

_COMMAND = (sys.executable, "-P", "-m", "mailnode.service.worker")


class Worker(ProcessProtocol):
    """One further process, from its start to its end."""

    transport: Any

    def __init__(self, number: int, ready: Callable[[int], None], ended: "Callable[[Worker, Failure], None]") -> None:
        self.number = number
        self.began = 0.0
        self.is_ready = False
        self._ready = ready
        self._ended = ended

    def start(self, reactor: Any, charter: Charter, shared: Sequence[int]) -> None:
        """Start the process with the descriptors ``shared``, which the charter calls 4, 5, ...; raises OSError."""
        descriptors: dict[int, Any] = {_ORDERS: "w", 1: 1, 2: 2, _REPORTS: "r"}
        descriptors.update(enumerate(shared, _FIRST_FREE))
        # What this process could import the other must too, from wherever twistd was started.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self.began = reactor.seconds()
        reactor.spawnProcess(self, sys.executable, _COMMAND, environment, childFDs=descriptors)
        self.tell(charter)

    def tell(self, order: Order) -> None:
        """Send an order."""
        self.transport.writeToChild(_ORDERS, packed(order))

    def dismiss(self) -> None:
        """Let it stop in good order."""
        self.transport.closeChildFD(_ORDERS)

    def kill(self) -> None:
        """End it now."""
        if self.transport.pid:
            self.transport.signalProcess("KILL")

    def childDataReceived(self, childFD: int, data: bytes) -> None:  # noqa: ARG002 - there is one pipe to hear from
        """Hear that it receives mail from now on."""
        if READY in data:
            self.is_ready = True
            self._ready(self.number)

    def processEnded(self, reason: Failure) -> None:
        """Hear that it is no more."""
        self._ended(self, reason)


class Crew:
    """All workers but the main process, which stands at ``station``; ``log`` is the file of the log."""

    log = Logger()

    def __init__(self, reactor: Any, station: Station, log: Path | None) -> None:
        self._reactor = reactor
        self._station = station
        self._file = log
        self._workers: dict[int, Worker] = {}
        self._pauses: dict[int, float] = {}
        self._timers: dict[int, IDelayedCall] = {}
        self._is_stopping = False
        self._idle: Deferred[None] | None = None

    def start(self) -> None:
        """Start all."""
        for number in range(1, self._station.settings.node.workers):
            self._start(number)

    def apply(self, settings: NodeSettings) -> None:
        """Let all take over new settings."""
        self._tell(Apply(settings))

    def show(self, certificates: Stock) -> None:
        """Let all show these in TLS."""
        self._tell(Show(certificates))

    def reopen_log(self) -> None:
        """Let all open the log file anew."""
        self._tell(Reopen())

    def wake(self) -> None:
        """Let all look into the spool."""
        self._tell(Wake())

    def recall(self, is_meant: Callable[[Message, QueuedRecipient], bool]) -> None:
        """Let all give back to the spool what is meant and not yet tried."""
        self._tell(Recall(is_meant))

    def _tell(self, order: Order) -> None:
        for worker in self._workers.values():
            worker.tell(order)

    async def stop(self, seconds: float) -> None:
        """Let all stop, and return when none is left; who lives ``seconds`` (and some) later is killed."""
        self._is_stopping = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for worker in self._workers.values():
            worker.dismiss()
        if not self._workers:
            return
        self._idle = Deferred()
        limit = self._reactor.callLater(seconds + TIME_TO_CLOSE, self._kill)
        await self._idle
        if limit.active():
            limit.cancel()

    def _kill(self) -> None:
        for worker in self._workers.values():
            self.log.error("Worker {number} does not stop and is killed", event="worker", number=worker.number)
            worker.kill()

    def _start(self, number: int) -> None:
        self._timers.pop(number, None)
        worker = Worker(number, self._is_ready, self._has_ended)
        charter, shared = self._charter(number)
        try:
            worker.start(self._reactor, charter, shared)
        except OSError as error:
            self.log.error(
                "Worker {number} cannot be started: {reason}", event="worker", number=number, reason=str(error)
            )
            self._start_later(number, lived=0.0)
            return
        self._workers[number] = worker

    def _charter(self, number: int) -> tuple[Charter, Sequence[int]]:
        """Write what a worker is to be; give with it the descriptors it inherits."""
        works, doors = self._station.works, []
        shared = [works.lock.fileno()]
        for place, door in enumerate(self._station.doors):
            share = door.share_of(number)
            if share is not None:
                doors.append((place, evolve(share, descriptor=_FIRST_FREE + len(shared))))
                shared.append(share.descriptor)
        charter = Charter(
            number=number,
            settings=self._station.settings,
            folder=works.ground.folder,
            hostname=works.ground.hostname,
            addresses=frozenset(works.ground.addresses),
            reactor=type(self._reactor).__module__,
            log=self._file,
            lock=_FIRST_FREE,
            doors=tuple(doors),
            certificates=self._station.certificates,
        )
        return charter, shared

    def _stand_in(self, number: int, *, wanted: bool) -> None:
        for door in self._station.doors:
            door.stand_in(number, wanted=wanted)

    def _is_ready(self, number: int) -> None:
        self._stand_in(number, wanted=False)

    def _has_ended(self, worker: Worker, reason: Failure) -> None:
        del self._workers[worker.number]
        if self._is_stopping:
            if self._idle is not None and not self._workers:
                self._idle.callback(None)
            return
        self._stand_in(worker.number, wanted=True)
        lived = self._reactor.seconds() - worker.began
        self.log.error(
            "Worker {number} has ended after {seconds:.1f}s ({reason}) and is started again", event="worker",
            number=worker.number, seconds=lived, reason=_ending(reason.value),
        )  # fmt: skip
        self._start_later(worker.number, lived=lived)

    def _start_later(self, number: int, *, lived: float) -> None:
        before = self._pauses.get(number, FIRST_PAUSE / 2)
        pause = FIRST_PAUSE if lived >= OLD_ENOUGH else min(before * 2, LONGEST_PAUSE)
        self._pauses[number] = pause
        self._timers[number] = self._reactor.callLater(pause, self._start, number)


class QueueOfAll:
    """The queue as a command sees it: what wakes it wakes all processes. Implements interfaces.Queue."""

    def __init__(self, queue: Queue, crew: Crew) -> None:
        self._queue = queue
        self._crew = crew

    async def submit(self, entry: NewEntry) -> None:
        """Take a message here."""
        await self._queue.submit(entry)

    def wake(self) -> None:
        """Let all look into the spool: where one has no room another may."""
        self._queue.wake()
        self._crew.wake()

    def recall(self, is_meant: Callable[[Message, QueuedRecipient], bool]) -> None:
        """Let all give back what was held or removed."""
        self._queue.recall(is_meant)
        self._crew.recall(is_meant)


def _ending(error: Any) -> str:
    """Say in a word how a process ended."""
    number = getattr(error, "signal", None)
    if number:
        return signal.Signals(number).name
    return f"exit status {getattr(error, 'exitCode', None)}"
