"""Arrivals: a client becomes known before its session begins, or never has one."""

from typing import Any

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from mailnode.fronts import arrival as arrivals_room
from mailnode.fronts.arrival import PATIENCE, Arrivals
from mailnode.fronts.users import UserNames
from tests.kit.results import InlineDisk

FRONT = "192.0.2.10"
HEADER = b"PROXY TCP4 203.0.113.9 198.51.100.1 40000 25\r\n"


class Session(Protocol):
    """A session that keeps what it hears."""

    def __init__(self, known: tuple[Any, ...]) -> None:
        self.known = known
        self.heard = b""

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self.heard += data


class Line(StringTransport):
    """A transport that knows its protocol, and whose peer has a user."""

    protocol: Any = None

    def says(self, octets: bytes) -> None:
        """Hand in what the peer sends."""
        self.protocol.dataReceived(octets)


class SlowDisk:
    """A Disk whose work is done when the test says."""

    def __init__(self) -> None:
        self.asked: list[Deferred[Any]] = []

    async def run(self, work: Any) -> Any:
        """Wait for the test."""
        asked: Deferred[Any] = Deferred()
        self.asked.append(asked)
        await asked
        return work()


class Stage:
    """A listener and the sessions that came of it."""

    def __init__(self, disk: Any = None) -> None:
        self.clock = Clock()
        self.sessions: list[Session] = []
        self.is_open = True
        users = UserNames(disk or InlineDisk(), self.clock, lambda uid: f"user{uid}")
        self.arrivals = Arrivals(
            name="mx", clock=self.clock, is_front=lambda address: address == FRONT, users=users, begin=self._begin
        )

    def _begin(self, address: str, port: int, *, local_address: str = "", user: str = "") -> Session | None:
        if not self.is_open:
            return None
        self.sessions.append(Session((address, port, local_address, user)))
        return self.sessions[-1]

    def connect(self, address: Any) -> Line:
        """Let a connection in."""
        line = Line()
        line.protocol = self.arrivals.buildProtocol(address)
        line.protocol.makeConnection(line)
        return line


def tcp(host: str) -> IPv4Address:
    """Give an address."""
    return IPv4Address("TCP", host, 50000)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_client_behind_a_front(size: int) -> None:
    """However the header is cut, the session is the client's and hears only what is behind the header."""
    stage = Stage()
    line = stage.connect(tcp(FRONT))
    octets = HEADER + b"EHLO client\r\n"
    for start in range(0, len(octets), size):
        line.says(octets[start : start + size])
    (session,) = stage.sessions
    assert session.known == ("203.0.113.9", 40000, "198.51.100.1", "")
    assert session.heard == b"EHLO client\r\n"
    assert line.protocol is session
    assert not stage.clock.getDelayedCalls()


def test_a_health_check_is_the_fronts_own() -> None:
    """With UNKNOWN, what the socket shows counts."""
    stage = Stage()
    stage.connect(tcp(FRONT)).says(b"PROXY UNKNOWN\r\n")
    assert [one.known for one in stage.sessions] == [(FRONT, 50000, "", "")]


def test_others_are_received_directly() -> None:
    """Whoever is not listed is itself, and its PROXY line is none for us."""
    stage = Stage()
    line = stage.connect(IPv6Address("TCP", "::ffff:203.0.113.77", 50000))
    line.says(HEADER)
    assert [(one.known, one.heard) for one in stage.sessions] == [(("203.0.113.77", 50000, "", ""), HEADER)]


@pytest.mark.parametrize("octets", [b"EHLO front\r\n", b"PROXY TCP4 x\r\n", b"\0"])
def test_a_faulty_header_closes_the_connection(octets: bytes) -> None:
    """No session begins, and nothing is said."""
    stage = Stage()
    line = stage.connect(tcp(FRONT))
    line.says(octets)
    assert line.disconnecting or line.disconnected
    assert not stage.sessions
    assert line.value() == b""


def test_a_front_that_says_nothing_is_closed() -> None:
    """The header has a few seconds, single octets or not."""
    stage = Stage()
    line = stage.connect(tcp(FRONT))
    line.says(HEADER[:5])
    stage.clock.advance(PATIENCE)
    assert line.disconnecting or line.disconnected
    assert not stage.sessions


def test_what_still_waits_is_closed_when_the_listener_stops() -> None:
    """Nobody becomes a session of a listener that is closed, and no timer is left."""
    stage = Stage()
    line = stage.connect(tcp(FRONT))
    gone = stage.connect(tcp(FRONT))
    gone.protocol.connectionLost()
    stage.arrivals.stop()
    assert line.disconnecting or line.disconnected
    assert not stage.clock.getDelayedCalls()
    stage.is_open = False
    late = stage.connect(tcp(FRONT))
    late.says(HEADER)
    assert late.disconnecting or late.disconnected


@pytest.fixture
def peer_is_seven(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let user 7 be at the other end of every socket."""
    monkeypatch.setattr(arrivals_room, "user_id", lambda _: 7)


@pytest.mark.usefixtures("peer_is_seven")
def test_the_user_of_a_unix_socket() -> None:
    """The kernel tells the number, the system the name; who is known by now does not wait."""
    disk = SlowDisk()
    stage = Stage(disk)
    line = stage.connect(UNIXAddress(None))
    assert line.producerState == "paused"
    assert not stage.sessions
    disk.asked.pop().callback(None)
    stage.connect(UNIXAddress(None))
    assert [one.known for one in stage.sessions] == [("", 0, "", "user7")] * 2
    assert line.producerState == "producing"
    assert not stage.clock.getDelayedCalls()
    assert not disk.asked


@pytest.mark.usefixtures("peer_is_seven")
def test_a_peer_that_leaves_while_it_is_looked_up() -> None:
    """Its lookup ends with it."""
    disk = SlowDisk()
    stage = Stage(disk)
    stage.connect(UNIXAddress(None)).protocol.connectionLost()
    assert not stage.sessions
    assert not stage.clock.getDelayedCalls()


@pytest.mark.usefixtures("peer_is_seven")
def test_a_lookup_that_lasts_closes_the_connection() -> None:
    """Nobody is received whom we do not know, since users may matter here."""
    disk = SlowDisk()
    stage = Stage(disk)
    line, other = stage.connect(UNIXAddress(None)), stage.connect(UNIXAddress(None))
    stage.clock.advance(PATIENCE)
    assert line.disconnecting or line.disconnected
    disk.asked[1].callback(None)
    assert not stage.sessions
    assert other.disconnecting or other.disconnected
