"""Tests of listening sockets that several processes share; real sockets on the loopback network, no reactor."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from mailnode.service.sockets import Inherited, OpeningForAll, SharedPort, adopt


class Reactor(MemoryReactorClock):
    """Keeps a descriptor of its own of each socket it adopts, as a real one does."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[socket.socket] = []
        self.received: list[int] = []

    def adoptStreamPort(self, fileDescriptor: int, addressFamily: int, factory: Any) -> Any:
        """Adopt a listening socket."""
        self.kept.append(socket.fromfd(fileDescriptor, addressFamily, socket.SOCK_STREAM))
        return self.kept[-1]

    def adoptStreamConnection(self, fileDescriptor: int, addressFamily: int, factory: Any) -> Any:
        """Adopt a connection."""
        self.received.append(addressFamily)


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    """Give a reactor whose sockets are closed in the end."""
    made = Reactor()
    yield made
    for one in made.kept:
        one.close()


def test_a_tcp_port_gets_a_socket_for_each_process(reactor: Reactor) -> None:
    """All are bound to the same port and listen."""
    opening = OpeningForAll(reactor, 3)
    opening.listenTCP(0, Factory(), 10, "127.0.0.1")
    assert len(opening.sockets) == 3
    places = {one.getsockname() for one in reactor.kept}
    assert len(places) == 1
    assert not opening.is_shared
    with socket.create_connection(places.pop(), timeout=10):
        pass


def test_ipv6_is_bound_as_ipv6(reactor: Reactor) -> None:
    """The interface tells the family."""
    opening = OpeningForAll(reactor, 2)
    opening.listenTCP(0, Factory(), 10, "::1")
    assert opening.family == socket.AF_INET6
    assert {one.getsockname()[0] for one in reactor.kept} == {"::1"}


def test_a_port_in_use_is_in_use_even_where_it_could_be_shared(reactor: Reactor) -> None:
    """Another node of the same user that listens there is not joined by mistake."""
    OpeningForAll(reactor, 2).listenTCP(0, Factory(), 10, "127.0.0.1")
    port = reactor.kept[0].getsockname()[1]
    with pytest.raises(CannotListenError, match="Address already in use"):
        OpeningForAll(reactor, 2).listenTCP(port, Factory(), 10, "127.0.0.1")
    assert len(reactor.kept) == 2


def test_what_was_opened_elsewhere_is_the_main_processs_alone(reactor: Reactor) -> None:
    """An endpoint that asks the reactor for anything else gets the reactor."""
    opening = OpeningForAll(reactor, 2)
    assert opening.listenSSL == reactor.listenSSL
    assert opening.sockets == []


def test_a_socket_that_lies_there_already_is_one_for_all(reactor: Reactor) -> None:
    """Systemd's sockets and unix sockets cannot be bound again."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        opening = OpeningForAll(reactor, 2)
        port = opening.adoptStreamPort(made.fileno(), socket.AF_INET, Factory())
    assert opening.sockets == [port, port]
    assert opening.is_shared


def test_a_shared_port_takes_one_connection_a_turn(reactor: Reactor) -> None:
    """What it does not take is left to the others."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: Any = adopt(reactor, Inherited(listening.dup().detach(), socket.AF_INET, is_shared=True), Factory())
        assert isinstance(port, SharedPort)
        with socket.create_connection(port.getHost()), socket.create_connection(port.getHost()):
            port.doRead()
            assert len(reactor.received) == 1
            port.doRead()
            port.doRead()  # nobody is left; that is no trouble
            assert len(reactor.received) == 2
        assert port in reactor.readers
        port.stopListening()
        assert port not in reactor.readers
        port.connectionLost(Failure(ConnectionError()))


def test_a_socket_of_ones_own_is_the_reactors(reactor: Reactor) -> None:
    """It is adopted, and the descriptor that was inherited is closed."""
    listening = socket.create_server(("127.0.0.1", 0))
    descriptor = listening.detach()
    adopt(reactor, Inherited(descriptor, socket.AF_INET, is_shared=False), Factory())
    assert len(reactor.kept) == 1
    with pytest.raises(OSError, match="Bad file descriptor"):
        socket.socket(fileno=descriptor)
