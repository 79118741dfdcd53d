"""What is written leaves in order, at once while the kernel takes it, by the buffer once it does not."""

import socket
from collections.abc import Iterator

import pytest
from twisted.internet.interfaces import ISystemHandle
from zope.interface import implementer

from mailnode.wire import Wire


@implementer(ISystemHandle)
class _Transport:
    """A transport that only buffers."""

    def __init__(self, handle: socket.socket) -> None:
        self.buffered = b""
        self.ends: list[str] = []
        self._handle = handle

    def getHandle(self) -> socket.socket:
        return self._handle

    def write(self, data: bytes) -> None:
        self.buffered += data

    def loseConnection(self) -> None:
        self.ends.append("close")

    def abortConnection(self) -> None:
        self.ends.append("abort")

    def registerProducer(self, producer: object, streaming: bool) -> None:
        raise NotImplementedError

    def unregisterProducer(self) -> None:
        raise NotImplementedError


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a connection, the first not blocking."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


def test_goes_straight_while_the_kernel_takes_it(ends: tuple[socket.socket, socket.socket]) -> None:
    """Small writes need no buffer."""
    transport = _Transport(ends[0])
    wire = Wire(transport)
    wire.write(b"one ")
    wire.write(b"two")
    assert ends[1].recv(100) == b"one two"
    assert transport.buffered == b""


def test_what_the_kernel_does_not_take_is_buffered_and_so_is_all_after_it(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """Octets never overtake one another."""
    transport = _Transport(ends[0])
    wire = Wire(transport)
    large = bytes(range(256)) * 20_000
    wire.write(large)
    wire.write(b"tail")
    received = b""
    ends[1].setblocking(False)
    try:
        while True:
            received += ends[1].recv(1 << 20)
    except BlockingIOError:
        pass
    assert received + transport.buffered == large + b"tail"
    assert transport.buffered.endswith(b"tail")


def test_a_dead_socket_is_left_to_the_transport(ends: tuple[socket.socket, socket.socket]) -> None:
    """An error of the kernel is found again, and reported, by the transport."""
    transport = _Transport(ends[0])
    wire = Wire(transport)
    ends[1].close()
    wire.write(b"x")
    assert transport.buffered == b"x"


def test_nothing_is_sent_straight_after_the_end(ends: tuple[socket.socket, socket.socket]) -> None:
    """After close and abort only the transport decides."""
    transport = _Transport(ends[0])
    wire = Wire(transport)
    wire.close()
    wire.write(b"x")
    wire.abort()
    assert (transport.buffered, transport.ends) == (b"x", ["close", "abort"])


def test_a_transport_with_tls_is_never_bypassed(ends: tuple[socket.socket, socket.socket]) -> None:
    """Where there is a certificate, the socket carries ciphertext."""
    transport = _Transport(ends[0])
    transport.getPeerCertificate = lambda: None  # type: ignore[attr-defined]
    Wire(transport).write(b"secret")
    assert transport.buffered == b"secret"
