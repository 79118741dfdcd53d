"""Tests of listeners: bound first, opened later, exchanged under an open port, closed in order."""

from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.error import CannotListenError
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport

from mailnode.mail.quantity import Octets
from mailnode.service.doors import Door
from mailnode.service.settings import ListenerSettings
from mailnode.service.trouble import StartFailed
from mailnode.sessions.admission import Admission
from mailnode.sessions.factory import ReceiverFactory
from mailnode.sessions.settings import SessionSettings
from tests.kit.results import now

PEER = IPv4Address("TCP", "192.0.2.7", 40000)


def receivers(clock: Clock, hostname: str = "mx.example.org") -> ReceiverFactory:
    """Make receivers that greet with a host name."""
    settings = SessionSettings()
    nobody: Any = None
    return ReceiverFactory(
        name="mx", service="smtp", hostname=hostname, reception=nobody, admission=Admission(settings),
        is_trusted=lambda _: False, clock=clock, settings=settings, max_size=Octets(0), extensions=(),
    )  # fmt: skip


def connect(door: Door) -> StringTransport:
    """Connect to a door and give the transport of its session."""
    protocol, transport = door.buildProtocol(PEER), StringTransport(peerAddress=PEER)
    assert protocol is not None
    protocol.makeConnection(transport)
    return transport


@pytest.fixture
def reactor() -> MemoryReactorClock:
    """Give a reactor without a network."""
    return MemoryReactorClock()


def test_binding_asks_for_the_endpoint(reactor: MemoryReactorClock) -> None:
    """The port and interface of the description are what is bound."""
    Door(ListenerSettings(endpoint="tcp:2525:interface=127.0.0.1")).bind(reactor)
    ((port, _, _, interface),) = reactor.tcpServers
    assert (port, interface) == (2525, "127.0.0.1")


def test_nobody_is_received_before_the_door_is_open(reactor: MemoryReactorClock) -> None:
    """A connection that comes through all the same is closed."""
    door = Door(ListenerSettings())
    door.bind(reactor)
    assert door.buildProtocol(PEER) is None


def test_an_open_door_greets(reactor: MemoryReactorClock) -> None:
    """The current receivers make the session."""
    door = Door(ListenerSettings())
    door.bind(reactor)
    door.open(receivers(reactor))
    assert connect(door).value().startswith(b"220 mx.example.org ")


def test_receivers_are_exchanged_under_an_open_door(reactor: MemoryReactorClock) -> None:
    """New sessions belong to the new ones; the old ones stay as long as they have sessions."""
    door = Door(ListenerSettings())
    door.bind(reactor)
    first = receivers(reactor, "one.example.org")
    door.open(first)
    connect(door)
    door.open(receivers(reactor, "two.example.org"))
    assert connect(door).value().startswith(b"220 two.example.org ")
    assert door.receivers[0] is first
    for session in list(first.sessions):
        session.connectionLost()
    door.open(receivers(reactor, "three.example.org"))
    assert first not in door.receivers


def test_a_port_that_cannot_be_had_is_a_failed_start(
    reactor: MemoryReactorClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The listener and the reason are named."""

    def refuse(*_: Any, **__: Any) -> None:
        raise CannotListenError("127.0.0.1", 25, OSError(13, "Permission denied"))

    monkeypatch.setattr(reactor, "listenTCP", refuse)
    with pytest.raises(StartFailed, match="listener mx: cannot listen on tcp:25: Permission denied"):
        Door(ListenerSettings()).bind(reactor)


def test_an_endpoint_that_is_none_is_a_failed_start(reactor: MemoryReactorClock) -> None:
    """What the check could not see (a missing systemd socket) is still one clear sentence."""
    with pytest.raises(StartFailed, match="is no usable endpoint"):
        Door(ListenerSettings(endpoint="systemd:domain=INET:name=none")).bind(reactor)


def test_a_closed_door_can_be_closed_again(reactor: MemoryReactorClock) -> None:
    """Unbinding is safe at any time."""
    door = Door(ListenerSettings())
    now(door.unbind())
    door.bind(reactor)
    now(door.unbind())
    now(door.unbind())


class ManyPorts(MemoryReactorClock):
    """Keeps the ports it adopts and whether each accepts."""

    def __init__(self) -> None:
        super().__init__()
        self.accepting: list[bool] = []

    def adoptStreamPort(self, fileDescriptor: int, addressFamily: int, factory: Any) -> Any:
        """Adopt a listening socket."""
        number = len(self.accepting)
        self.accepting.append(True)

        class Port:
            def startReading(port) -> None:  # noqa: N805 - ``self`` is the reactor here
                self.accepting[number] = True

            stopListening = stopReading = lambda _: self.accepting.__setitem__(number, False)

            def fileno(port) -> int:  # noqa: N805
                return 70 + number

            def getHost(port) -> Any:  # noqa: N805
                return PEER

        return Port()


def test_the_main_process_binds_for_all_and_stands_in() -> None:
    """Each process has a socket; the others' are read by the main process until they are ready."""
    reactor = ManyPorts()
    door = Door(ListenerSettings(endpoint="tcp:0:interface=127.0.0.1"))
    door.bind(reactor, 3)
    assert reactor.accepting == [False] * 3
    shares = [door.share_of(number) for number in (1, 2)]
    assert [share.descriptor for share in shares if share is not None] == [71, 72]
    door.open(receivers(reactor))
    assert reactor.accepting == [True] * 3
    door.stand_in(2, wanted=False)
    assert reactor.accepting == [True, True, False]
    door.stand_in(2, wanted=True)
    assert reactor.accepting == [True] * 3
    now(door.unbind())
    assert reactor.accepting == [False] * 3


def test_a_listener_of_the_main_process_alone_has_no_share(reactor: MemoryReactorClock) -> None:
    """With one process there is nothing to share."""
    door = Door(ListenerSettings())
    door.bind(reactor)
    assert door.share_of(1) is None


def test_a_socket_file_goes_to_the_nodes_user(reactor: MemoryReactorClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bound by root, it belongs to the user and group that root becomes, and has the mode of the settings."""
    given: list[object] = []
    monkeypatch.setattr("mailnode.service.doors._give", lambda _port, *owner: given.append(owner))
    Door(ListenerSettings(endpoint="unix:/run/lmtp.sock", mode="600")).bind(reactor, owner=(7, 8))
    Door(ListenerSettings(endpoint="tcp:2525")).bind(reactor, owner=(7, 8))
    Door(ListenerSettings(endpoint="unix:/run/other.sock")).bind(reactor)
    assert given == [(7, 8)]
    assert [mode for _, _, _, mode, _ in reactor.unixServers] == [0o600, 0o660]
