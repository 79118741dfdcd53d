"""An arrival: a connection whose client is not known yet, and which becomes a session once it is.

``Arrivals`` decides by the address what must be found out first: a PROXY header from a listed front, the user at the
other end of a unix socket. Then the session's protocol takes the transport over with what was already received; its
own TLS, if it begins at once, stands between the two by then, which is why octets are given to whatever the transport
now calls its protocol.
"""

import socket
import struct
from collections.abc import Callable
from typing import Any
from typing import Protocol as PythonProtocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IProtocol, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailnode.fronts.proxy import Header, Incomplete, Malformed, read_header
from mailnode.fronts.users import UserNames

PATIENCE = 5.0
"""Seconds that a front has for its header: it is sent with the first packet."""

log = Logger()


class Sessions(PythonProtocol):
    """Makes the protocol of a session with a client that is known; None when nobody is received any more."""

    def __call__(self, address: str, port: int, *, local_address: str = "", user: str = "") -> IProtocol | None:
        """Make it."""
        ...


class Arrivals:
    """What a listener must find out of its clients. ``is_front`` tells by an address whose header is required."""

    def __init__(
        self,
        *,
        name: str,
        clock: IReactorTime,
        is_front: Callable[[str], bool],
        users: UserNames | None,
        begin: Sessions,
    ) -> None:
        self.name = name
        self.clock = clock
        self.users = users
        self.begin = begin
        self._is_front = is_front
        self._waiting: set[Arrival] = set()

    def buildProtocol(self, addr: IAddress | None) -> IProtocol | None:
        """Make the protocol for a new connection: a session at once where there is nothing to find out."""
        address = str(getattr(addr, "host", "")).removeprefix("::ffff:").partition("%")[0]
        if address and self._is_front(address):
            return FromFront(self, address, int(getattr(addr, "port", 0)))
        if not address and self.users is not None:
            return FromSocket(self, "", 0)
        return self.begin(address, int(getattr(addr, "port", 0)))

    def enter(self, arrival: "Arrival") -> None:
        """Note that it waits."""
        self._waiting.add(arrival)

    def leave(self, arrival: "Arrival") -> None:
        """Note that it waits no more."""
        self._waiting.discard(arrival)

    def stop(self) -> None:
        """Close whatever still waits; the listener is closed."""
        for arrival in list(self._waiting):
            arrival.drop()


class Arrival(Protocol):
    """One connection whose client is not known yet."""

    transport: Any

    def __init__(self, arrivals: Arrivals, address: str, port: int) -> None:
        self._arrivals = arrivals
        self._address = address
        self._port = port
        self._received = b""
        self._timer: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """Begin to wait."""
        self._arrivals.enter(self)
        self._timer = self._arrivals.clock.callLater(PATIENCE, self._expired)

    def dataReceived(self, data: bytes) -> None:
        """Keep what comes."""
        self._received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002
        """Hear that it is gone."""
        self._end()

    def drop(self) -> None:
        """Close without a word."""
        self._end()
        self.transport.abortConnection()

    def _expired(self) -> None:
        self._timer = None
        self._refuse("it took too long")

    def _refuse(self, why: str) -> None:
        log.warn(  # noqa: G010 - Twisted's name
            "{peer}: connection to {listener} closed: {why}", event="front", peer=self._address,
            listener=self._arrivals.name, why=why,
        )  # fmt: skip
        self.drop()

    def _end(self) -> None:
        self._arrivals.leave(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _become(self, session: IProtocol | None, rest: bytes) -> None:
        """Let the session take over, with the octets that are its own."""
        if session is None:
            self.drop()
            return
        self._end()
        transport = self.transport
        transport.protocol = session
        session.makeConnection(transport)
        if rest:
            transport.protocol.dataReceived(rest)


class FromFront(Arrival):
    """A connection from a front: the client is who the PROXY header names."""

    def dataReceived(self, data: bytes) -> None:
        """Read the header, however it is cut."""
        self._received += data
        header = read_header(self._received)
        match header:
            case Malformed():
                self._refuse(f"its PROXY header is faulty: {header.why}")
            case Header():
                self._introduce(header)
            case Incomplete():
                pass

    def _introduce(self, header: Header) -> None:
        begin, rest = self._arrivals.begin, self._received[header.length :]
        if header.client is None:
            self._become(begin(self._address, self._port), rest)
            return
        reached = header.server.address if header.server is not None else ""
        self._become(begin(header.client.address, header.client.port, local_address=reached), rest)


class FromSocket(Arrival):
    """A connection over a unix socket: the client is a user of this machine, as the kernel tells."""

    _asking: Deferred[str] | None = None

    def connectionMade(self) -> None:
        """Ask who it is; what is known by now costs no waiting."""
        users = self._arrivals.users
        assert users is not None  # noqa: S101 - else nobody arrives here
        uid = user_id(self.transport)
        known = users.known(uid)
        if known is not None:
            self._become(self._arrivals.begin("", 0, user=known), b"")
            return
        super().connectionMade()
        self.transport.pauseProducing()
        self._asking = Deferred.fromCoroutine(users.find(uid))
        self._asking.addCallbacks(self._found, self._not_found)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Ask no more."""
        super().connectionLost(reason)
        if self._asking is not None:
            self._asking.cancel()

    def _found(self, user: str) -> None:
        self._asking = None
        if self._timer is not None:
            # Before the session can want it otherwise.
            self.transport.resumeProducing()
            self._become(self._arrivals.begin("", 0, user=user), self._received)

    def _not_found(self, failure: Failure) -> None:
        self._asking = None
        if not failure.check(CancelledError):
            log.failure("a user's name could not be looked up", failure)
            self.drop()


def user_id(transport: Any) -> int:
    """Ask the kernel for the uid at the other end of a unix socket (unix(7), SO_PEERCRED)."""
    handle: socket.socket = transport.getHandle()
    credentials = struct.Struct("3i")  # pid, uid, gid
    octets = handle.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size)
    uid: int = credentials.unpack(octets)[1]
    return uid
