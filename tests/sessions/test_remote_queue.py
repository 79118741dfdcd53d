"""ETRN and ATRN in a session: in order, answered, and after the turn the connection is another protocol's."""

from typing import Any

import pytest
from attrs import evolve
from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection

from mailnode.interfaces import Refused
from mailnode.mail.message import Peer
from mailnode.mail.quantity import Octets
from mailnode.mail.reply import Reply
from mailnode.sessions.admission import Admission
from mailnode.sessions.factory import ReceiverFactory
from mailnode.sessions.remote_queue import Atrn, Etrn
from mailnode.sessions.settings import SessionSettings
from mailnode.smtp.extensions import ENHANCED_STATUS_CODES
from mailnode.smtp.remote_queue import ATRN, ETRN, NO_MAIL, started
from tests.kit.reception import StagedReception


class Successor(Protocol):
    """What the connection is given to."""

    heard = b""
    is_connected = False

    def connectionMade(self) -> None:
        """Remember."""
        self.is_connected = True

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self.heard += data


class Provider:
    """Has mail for whoever asks for ``mail``."""

    def __init__(self) -> None:
        self.successor = Successor()

    async def turn(self, peer: Peer, argument: str) -> Successor:
        """Give the successor."""
        if argument != "mail.example":
            raise Refused(NO_MAIL)
        return self.successor

    async def start(self, peer: Peer, argument: str) -> Reply:
        """Start for all."""
        return started(argument, 2)


class Talk:
    """A session of a client that may have authenticated."""

    def __init__(self, account: str = "branch") -> None:
        self.provider = Provider()
        settings = SessionSettings()
        reception: Any = StagedReception()
        self.admission = Admission(settings)
        self.factory = ReceiverFactory(
            name="odmr", service="odmr", hostname="mx.example", reception=reception, admission=self.admission,
            is_trusted=lambda _: False, clock=Clock(), settings=settings, max_size=Octets(0),
            extensions=(ENHANCED_STATUS_CODES, ATRN, ETRN),
            verbs={"ATRN": Atrn(self.provider), "ETRN": Etrn(self.provider)},
        )  # fmt: skip
        self.line = StringTransportWithDisconnection()
        self.line.protocol = self.receiver = self.factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 4000))
        self.receiver.makeConnection(self.line)
        self.says("EHLO client.example")
        dialogue = self.receiver._dialogue
        dialogue.peer = evolve(dialogue.peer, account=account)

    def says(self, text: str) -> str:
        """Send a line and give what is said since."""
        self.line.clear()
        self.line.protocol.dataReceived(text.encode() + b"\r\n")
        return str(self.line.value().decode())


@pytest.mark.rfc("2645", "5.3")
def test_the_connection_is_turned_around() -> None:
    """After 250 the session is over and counted out, the connection is open, and what comes is the successor's."""
    talk = Talk()
    assert talk.says("ATRN mail.example").startswith("250 2.0.0 OK, now reversing the connection")
    assert talk.provider.successor.is_connected
    assert not talk.factory.sessions
    assert not talk.admission.sessions
    assert talk.line.connected
    assert talk.says("220 customer.example") == ""
    assert talk.provider.successor.heard == b"220 customer.example\r\n"


@pytest.mark.rfc("2645", "5.2.1")
def test_refusals_leave_the_session_as_it_was() -> None:
    """No mail, no account, or something said ahead: the session goes on."""
    talk = Talk()
    assert talk.says("ATRN").startswith("453 4.2.0")
    assert talk.says("ATRN mail.example\r\n220 customer.example").startswith("503 5.5.1")
    assert talk.says("NOOP").startswith("250")
    talk = Talk(account="")
    assert talk.says("ATRN mail.example").startswith("530 5.7.0")
    assert not talk.provider.successor.is_connected


@pytest.mark.rfc("1985", "5.1")
def test_etrn_has_its_place() -> None:
    """It is answered before a transaction, and 503 within one."""
    talk = Talk()
    assert talk.says("ETRN branch.example").startswith("253 2.0.0 OK, 2 pending messages")
    talk.says("MAIL FROM:<a@a.example>")
    assert talk.says("ETRN branch.example").startswith("503 5.5.1")
    assert talk.says("ATRN mail.example").startswith("503 5.5.1")
