"""The control socket: how the ``mailnode`` command speaks to a running node.

One connection carries one command. The request is a JSON object on one line, ``{"command": "queue.list", ...}``; a
request with ``"size"`` is followed by that many octets of content. The answer is lines of JSON: any number of
``{"item": ...}``, then one ``{"done": {...}}`` or ``{"error": "...", "code": 75}`` (a code of sysexits.h).

The socket lies in the data folder with mode 0600: whoever may open it may read the mail anyway. It is bounded all the
same: a long line, a slow reader or a silent peer costs little and ends.
"""

import json
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IListeningPort,
    IPushProducer,
    IReactorTime,
    IReactorUNIX,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from mailnode.service.asking import CommandFailed, failure_of
from mailnode.service.commands import Commands
from mailnode.service.folder import CONTROL

LONGEST_PATH = 107
"""Octets of a unix socket's path that the system takes."""
LONGEST_LINE = 1 << 20
"""Octets of a request's line; a thousand recipients fit."""
READ_AHEAD = 1 << 18
"""Octets of content that wait in memory before the peer must wait."""
PATIENCE = 300.0
"""Seconds after which a connection without any progress is closed."""


@implementer(IPushProducer)
class ControlSession(Protocol):
    """One connection: one command and its answer. It is the Exchange that the command sees."""

    log = Logger()
    transport: Any

    def __init__(self, commands: Commands, clock: IReactorTime) -> None:
        self._commands = commands
        self._clock = clock
        self._received = bytearray()
        self._left = 0
        self._running: Deferred[None] | None = None
        self._reader: Deferred[bytes] | None = None
        self._writable: Deferred[None] | None = None
        self._timer: IDelayedCall | None = None
        self._lost = False
        self._answered = False

    def connectionMade(self) -> None:
        """Wait for the request."""
        self.transport.registerProducer(self, True)
        self._timer = self._clock.callLater(PATIENCE, self.transport.abortConnection)

    def dataReceived(self, data: bytes) -> None:
        """Collect the request's line, then content for whoever reads it."""
        self._progress()
        if self._answered:
            return
        self._received += data
        if self._running is None:
            self._look_for_request()
        else:
            self._feed()

    def _progress(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.reset(PATIENCE)

    def _look_for_request(self) -> None:
        end = self._received.find(b"\n")
        if end < 0:
            if len(self._received) > LONGEST_LINE:
                self.transport.abortConnection()
            return
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        self._running = Deferred()
        running = Deferred.fromCoroutine(self._answer(line))
        if not running.called:
            self._running = running

    async def _answer(self, line: bytes) -> None:
        try:
            request = _request(line)
            self._left = request.get("size", 0)
            done = await self._commands.run(request, self)
        except CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the person at the other end is told
            failed = failure_of(error)
            if failed is None:
                self.log.failure("A command failed")
                failed = CommandFailed("trouble inside the node; its log says more", code=70)
            self._write({"error": str(failed), "code": failed.code})
        else:
            self._write({"done": done})
        self._close()

    def _close(self) -> None:
        self._answered = True
        self._received.clear()
        if not self._lost:
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    # --- the Exchange -----------------------------------------------------------------------------------------

    async def emit(self, item: dict[str, Any]) -> None:
        """Send one item; waits while the peer does not read."""
        self._write({"item": item})
        if self._writable is not None:
            await self._writable

    async def read(self) -> bytes:
        """Give the next octets of the content, empty at its end."""
        if not self._left:
            return b""
        if not self._received:
            if self._lost:
                raise CommandFailed("the content ended early", code=65)
            self._reader = Deferred()
            self.transport.resumeProducing()
            await self._reader
        octets = bytes(self._received[: self._left])
        del self._received[: len(octets)]
        self._left -= len(octets)
        return octets

    def _feed(self) -> None:
        if self._reader is not None:
            reader, self._reader = self._reader, None
            reader.callback(b"")
        if len(self._received) > READ_AHEAD:
            self.transport.pauseProducing()

    def _write(self, line: dict[str, Any]) -> None:
        if not self._lost:
            self.transport.write(json.dumps(line, default=str).encode() + b"\n")

    def pauseProducing(self) -> None:
        """Hear from the transport that the peer does not read as fast as we write."""
        if self._writable is None:
            self._writable = Deferred()

    def resumeProducing(self) -> None:
        """Hear that there is room again."""
        self._progress()
        writable, self._writable = self._writable, None
        if writable is not None:
            writable.callback(None)

    def stopProducing(self) -> None:
        """Hear that nobody reads any more; ``connectionLost`` follows."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002
        """Cancel the command: what it did is done, what it had not begun is not wanted any more."""
        self._lost = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self._running is not None:
            self._running.addErrback(lambda failure: failure.trap(CancelledError))
            self._running.cancel()


def _request(line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
    except ValueError as error:
        raise CommandFailed(f"not a request: {error}", code=65) from None
    if not isinstance(request, dict) or not isinstance(request.get("size", 0), int) or request.get("size", 0) < 0:
        raise CommandFailed("not a request: expected an object", code=65)
    return request


class ControlDoor(Factory):
    """The socket of a running node."""

    noisy = False
    log = Logger()

    def __init__(self, commands: Commands, clock: IReactorTime) -> None:
        self._commands = commands
        self._clock = clock
        self._port: IListeningPort | None = None

    def buildProtocol(self, addr: IAddress | None) -> ControlSession:  # noqa: ARG002
        """Make the session of a new connection."""
        return ControlSession(self._commands, self._clock)

    def open(self, reactor: IReactorUNIX, folder: Path) -> None:
        """Listen in the data folder; the caller holds the folder's lock, so a socket that lies there is a dead one."""
        path = folder / CONTROL
        if len(bytes(path)) > LONGEST_PATH:
            self.log.warn("No control socket: {path} is longer than the system takes", path=str(path))  # noqa: G010 - Twisted's name
            return
        path.unlink(missing_ok=True)
        self._port = reactor.listenUNIX(str(path), self, mode=0o600)

    async def close(self) -> None:
        """Stop listening; commands that run are the reactor's to cut off."""
        port, self._port = self._port, None
        if port is not None:
            stopped = port.stopListening()
            if stopped is not None:
                await stopped
