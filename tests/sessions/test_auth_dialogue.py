"""A session authenticates: offered under its conditions, said to the reception, begun anew by nobody else's word."""

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection

from mailnode.authentication.authority import SaslAuthority
from mailnode.mail.quantity import Octets
from mailnode.sessions.admission import Admission
from mailnode.sessions.authentication import Authentication
from mailnode.sessions.factory import ReceiverFactory
from mailnode.sessions.receiver import Receiver
from mailnode.sessions.settings import SessionSettings
from mailnode.smtp.extensions import standard_extensions
from mailnode.smtp.settings import ServerSettings
from tests.kit.authenticating import Stage
from tests.kit.reception import StagedReception


class Talk:
    """A session with a listener of people's programs."""

    def __init__(self, *, authenticates: bool = True, without_tls: bool = True) -> None:
        self.stage = Stage()
        self.reception = StagedReception()
        settings = SessionSettings()
        factory = ReceiverFactory(
            name="sub", service="submission", hostname="mx.example", reception=self.reception,
            admission=Admission(settings), is_trusted=lambda _: False, clock=Clock(), settings=settings,
            max_size=Octets(0), extensions=standard_extensions(ServerSettings()),
            authentication=Authentication(SaslAuthority(self.stage.ground), without_tls) if authenticates else None,
        )  # fmt: skip
        self.line = StringTransportWithDisconnection()
        self.receiver: Receiver = factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 50000))
        self.line.protocol = self.receiver
        self.receiver.makeConnection(self.line)

    def says(self, *lines: str) -> str:
        """Send lines and give what is said since, letting time pass for answers that wait."""
        self.line.clear()
        for line in lines:
            self.receiver.dataReceived(line.encode() + b"\r\n")
        self.stage.clock.pump([1.0] * 20)
        return str(self.line.value().decode())


def test_who_authenticates_is_known_to_the_reception() -> None:
    """By the account's full address; a new hello does not forget it."""
    talk = Talk()
    assert "AUTH SCRAM-SHA-256 PLAIN LOGIN" in talk.says("EHLO client.example")
    assert talk.says("AUTH PLAIN AEFOTkBleGFtcGxlLm9yZwBzZWNyZXQ=") == "235 2.7.0 Authenticated\r\n"
    assert talk.says("AUTH PLAIN AEFOTkBleGFtcGxlLm9yZwBzZWNyZXQ=").startswith("503 5.5.1")
    talk.says("EHLO client.example", "MAIL FROM:<ann@example.org>")
    assert talk.reception.begun[-1].peer.account == "ann@example.org"


def test_login_goes_step_by_step() -> None:
    """Challenges come as base64; what fails leaves nothing of itself behind."""
    talk = Talk()
    talk.says("EHLO client.example")
    assert talk.says("AUTH LOGIN") == "334 VXNlcm5hbWU6\r\n"
    assert talk.says("YW5uQGV4YW1wbGUub3Jn") == "334 UGFzc3dvcmQ6\r\n"
    assert talk.says("d3Jvbmc=").startswith("535 5.7.8")
    assert talk.says("MAIL FROM:<ann@example.org>").startswith("250")
    assert not talk.reception.begun[-1].peer.account


def test_without_an_authority_the_command_is_not_offered() -> None:
    """And 538 where it would need TLS."""
    talk = Talk(authenticates=False)
    assert "AUTH" not in talk.says("EHLO client.example")
    assert talk.says("AUTH PLAIN AA==").startswith("502 5.5.1")
    talk = Talk(without_tls=False)
    assert "AUTH" not in talk.says("EHLO client.example")
    assert talk.says("AUTH PLAIN AA==").startswith("538 5.7.11")


def test_who_leaves_in_the_middle_leaves_nothing() -> None:
    """No failure is logged, and the attempt counts."""
    talk = Talk()
    talk.says("EHLO client.example")
    talk.receiver.dataReceived(b"AUTH PLAIN AEFOTkBleGFtcGxlLm9yZwB3cm9uZw==\r\n")
    talk.line.loseConnection()
    peer: Any = talk.receiver._dialogue.peer
    now = talk.stage.clock.seconds()
    assert talk.stage.watch._pairs.of(("ann@example.org", peer.address), now) == 1
