"""The way to the peer: straight to the kernel while that takes all, by Twisted's buffer once it does not.

Twisted keeps what is written until the socket reports that it is ready, which costs two more system calls and a turn of
the loop for each write; nearly always the kernel would have taken it at once. After the first time that it did not,
everything goes by the buffer, so that octets never overtake one another. Errors are left to the buffer's way too, which
turns them into ``connectionLost``.
"""

import socket
from typing import Any, Protocol

from attrs import field, frozen
from twisted.internet.interfaces import IProtocol, ISystemHandle, ITCPTransport
from twisted.internet.main import CONNECTION_DONE
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure


class Transport(Protocol):
    """What we need of a Twisted transport."""

    def write(self, data: bytes) -> None:
        """Send, or keep until it can be sent."""
        ...

    def loseConnection(self) -> None:
        """Close when all is sent."""
        ...

    def abortConnection(self) -> None:
        """Close now."""
        ...

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """Tell ``producer`` when to pause."""
        ...

    def unregisterProducer(self) -> None:
        """Tell it no more."""
        ...


class Wire:
    """One connection's way out; made when the connection is."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._socket: socket.socket | None = None
        # A transport with TLS on it gives the handle beneath: it must never be written to.
        if ISystemHandle.providedBy(transport) and not hasattr(transport, "getPeerCertificate"):
            handle = transport.getHandle()
            self._socket = handle if isinstance(handle, socket.socket) else None
        if ITCPTransport.providedBy(transport):
            # Else the last piece of a message waits for the peer's acknowledgment, which it delays (RFC 1122 4.2.3.2).
            transport.setTcpNoDelay(True)

    def write(self, octets: bytes) -> None:
        """Send all of it, sooner or later."""
        if self._socket is not None:
            try:
                sent = self._socket.send(octets)
            except OSError:
                sent = 0
            if sent == len(octets):
                return
            self._socket = None
            octets = octets[sent:]
        self.transport.write(octets)

    def close(self) -> None:
        """Close when all is sent."""
        self._socket = None
        self.transport.loseConnection()

    def finish(self) -> None:
        """Close when all is sent, and that is mostly now: then the protocol hears ``connectionLost`` before this returns.

        Twisted's own way waits for one more turn of the reactor to see that nothing is left to send.
        """
        whole, self._socket = self._socket, None
        if whole is None or not isinstance(self.transport, Connection):
            self.transport.loseConnection()
        else:
            self.transport.connectionLost(Failure(CONNECTION_DONE))

    def abort(self) -> None:
        """Close now."""
        self._socket = None
        self.transport.abortConnection()


def take_over(transport: Any, successor: IProtocol) -> None:
    """Give a connection to another protocol, which is connected by that.

    With TLS, what a protocol has for a transport is itself the protocol of the one beneath.
    """
    above = "wrappedProtocol" if hasattr(transport, "wrappedProtocol") else "protocol"
    setattr(transport, above, successor)
    successor.makeConnection(transport)


@frozen
class Channel:
    """What a TLS handshake came to."""

    description: str
    """Version and cipher."""
    certificate_names: tuple[str, ...] = ()
    """See mail.message.Peer."""
    bindings: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    """See mail.message.Peer.channel_bindings."""


class Encryption(Protocol):
    """TLS for the connections of one listener. It is a seam, and stands here because it is made of wires."""

    def is_ready(self) -> bool:
        """Tell whether a handshake could begin now; the first time this may load and read what it needs."""
        ...

    def cover(self, protocol: IProtocol, wire: Wire) -> Transport:
        """Begin the handshake; what is returned is the protocol's transport from now on. Only when ready.

        The protocol hears ``handshakeCompleted``, or ``connectionLost`` with the reason.
        """
        ...

    def channel(self, covered: Transport) -> Channel:
        """Tell what the handshake came to, once it is completed."""
        ...

    def why(self, error: BaseException) -> str:
        """Say in a few words why a handshake failed that ended with ``error``."""
        ...
