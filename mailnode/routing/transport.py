"""How a question travels: one UDP datagram from a fresh socket, or one TCP connection (RFC 1035 4.2, RFC 7766).

Each question has a socket of its own: the kernel gives it a random port, takes datagrams from the asked server
only, and reports a closed port at once (RFC 5452 section 9.2). Whatever arrives is shown to ``read``; what is not an answer to the
question is passed over, and too much of it ends the try.
"""

from collections.abc import Callable
from socket import AF_INET, AF_INET6, SOCK_DGRAM, socket
from typing import Any, Protocol, cast

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IReactorFDSet, IReactorTCP, IReactorTime, IReadDescriptor, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import Int16StringReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from mailnode.routing.system import NameServer
from mailnode.routing.wire import Reading

_SILENCE = (OSError, ConnectError, DeferredTimeout)

_LARGEST = 65535

MAX_STRAY = 100
"""Datagrams that are no answer, before the try is given up: someone is guessing ids."""

Read = Callable[[bytes], Reading | None]
"""Reads an answer; None for what is none. What it raises ends the try."""


class Unanswered(Exception):  # noqa: N818 - it is what happened
    """The server could not be reached, or said nothing in time."""


class Wire(Protocol):
    """Carries a question to a server and gives what was read of its answer; raises Unanswered."""

    async def datagram(self, server: NameServer, octets: bytes, read: Read, seconds: float) -> Reading:
        """Ask by UDP."""
        ...

    async def stream(self, server: NameServer, octets: bytes, read: Read, seconds: float) -> Reading:
        """Ask by TCP."""
        ...


class SocketWire:
    """A Wire of real sockets."""

    def __init__(self, reactor: Any, clock: IReactorTime) -> None:
        """Take a reactor with TCP that watches sockets, and the clock of the timeouts."""
        self._readers: IReactorFDSet = reactor
        self._streams: IReactorTCP = reactor
        self._clock = clock

    async def datagram(self, server: NameServer, octets: bytes, read: Read, seconds: float) -> Reading:
        """Ask by UDP; the socket is closed when this ends, in whatever way."""
        try:
            with socket(AF_INET6 if ":" in server.address else AF_INET, SOCK_DGRAM) as datagrams:
                return await self._ask(_Datagram(datagrams, read), server, octets, seconds)
        except _SILENCE as error:
            raise Unanswered(f"{server}: {error}") from None

    async def _ask(self, asked: "_Datagram", server: NameServer, octets: bytes, seconds: float) -> Reading:
        asked.ask(server, octets)
        self._readers.addReader(asked)
        try:
            return await asked.answered.addTimeout(seconds, self._clock)
        finally:
            self._readers.removeReader(asked)

    async def stream(self, server: NameServer, octets: bytes, read: Read, seconds: float) -> Reading:
        """Ask by TCP; the connection is closed when this ends."""
        endpoint = (TCP6ClientEndpoint if ":" in server.address else TCP4ClientEndpoint)(
            self._streams, server.address, server.port, timeout=max(1, int(seconds))
        )
        protocol = _Stream(octets, read)
        try:
            await connectProtocol(endpoint, protocol)
            return await protocol.answered.addTimeout(seconds, self._clock)
        except _SILENCE as error:
            raise Unanswered(f"{server}: {error}") from None
        finally:
            protocol.close()


class _Awaiting:
    """Shows what arrives to ``read`` and keeps the first answer."""

    def __init__(self, read: Read) -> None:
        self.answered: Deferred[Reading] = Deferred()
        self._read = read
        self._stray = 0

    def show(self, octets: bytes) -> None:
        if self.answered.called:
            return
        try:
            reading = self._read(octets)
        except Exception:  # noqa: BLE001 - whoever awaits it gets it
            self.answered.errback(Failure())
            return
        if reading is not None:
            self.answered.callback(reading)
            return
        self._stray += 1
        if self._stray > MAX_STRAY:
            self.fail("a flood of strange answers")

    def fail(self, reason: str) -> None:
        if not self.answered.called:
            self.answered.errback(Failure(ConnectError(string=reason)))


@implementer(IReadDescriptor)
class _Datagram:
    """One socket for one question. Not a Twisted UDP port: that one logs a line for each that is closed."""

    def __init__(self, datagrams: socket, read: Read) -> None:
        self._socket = datagrams
        self._awaiting = _Awaiting(read)
        self.answered = self._awaiting.answered

    def ask(self, server: NameServer, octets: bytes) -> None:
        self._socket.setblocking(False)
        # Connected: from now on the kernel drops what comes from anywhere else.
        self._socket.connect((server.address, server.port))
        self._socket.send(octets)

    def doRead(self) -> None:
        try:
            octets = self._socket.recv(_LARGEST)
        except BlockingIOError:
            return
        except OSError as error:
            self._awaiting.fail(str(error))
        else:
            self._awaiting.show(octets)

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002 - the reactor calls any error "done"
        # epoll shows a closed port as an error without input, which the reactor takes for the end of the socket.
        self._awaiting.fail("the port is closed")

    def fileno(self) -> int:
        return self._socket.fileno()

    def logPrefix(self) -> str:
        return "DNS"


class _Stream(Int16StringReceiver):
    def __init__(self, octets: bytes, read: Read) -> None:
        self._octets = octets
        self._awaiting = _Awaiting(read)
        self.answered = self._awaiting.answered

    def connectionMade(self) -> None:
        self.sendString(self._octets)

    def stringReceived(self, string: bytes) -> None:
        self._awaiting.show(string)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002 - any end is early
        self._awaiting.fail("the connection was closed")

    def close(self) -> None:
        _drop(self.answered)
        if self.transport is not None:
            cast("ITCPTransport", self.transport).abortConnection()


def _drop(answered: Deferred[Reading]) -> None:
    """Let a failure pass that comes when nobody waits any more."""
    answered.addErrback(lambda _: None)
