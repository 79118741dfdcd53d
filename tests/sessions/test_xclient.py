"""XCLIENT in a session: somebody else is at its other end from then on."""

from collections.abc import Collection
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection

from mailnode.mail.quantity import Octets
from mailnode.sessions.admission import Admission
from mailnode.sessions.factory import ReceiverFactory
from mailnode.sessions.receiver import Receiver
from mailnode.sessions.settings import SessionSettings
from mailnode.smtp.extensions import standard_extensions
from mailnode.smtp.settings import ServerSettings
from tests.kit.reception import StagedReception

FRONT = "192.0.2.10"


class Talk:
    """A listener and one connection to it."""

    def __init__(
        self, address: str = FRONT, fronts: Collection[str] | None = (FRONT,), limit: int = 50, admission: Any = None
    ) -> None:
        settings = SessionSettings(max_sessions_per_address=limit)
        self.reception = StagedReception()
        self.admission = admission or Admission(settings)
        factory = ReceiverFactory(
            name="mx", service="smtp", hostname="mx.example", reception=self.reception, admission=self.admission,
            is_trusted=lambda _: False, clock=Clock(), settings=settings, max_size=Octets(0),
            extensions=standard_extensions(ServerSettings()),
            speaks_for_others=None if fronts is None else lambda one: one in fronts,
        )  # fmt: skip
        self.line = StringTransportWithDisconnection()
        self.receiver: Receiver = factory.buildProtocol(IPv4Address("TCP", address, 50000))
        self.line.protocol = self.receiver
        self.receiver.makeConnection(self.line)

    def says(self, *lines: str) -> str:
        """Send lines and give what is said since."""
        self.line.clear()
        for line in lines:
            self.receiver.dataReceived(line.encode() + b"\r\n")
        return str(self.line.value().decode())


def test_the_session_begins_anew() -> None:
    """The front is told 220, must say EHLO again, and then somebody else sends mail."""
    talk = Talk()
    assert "XCLIENT NAME ADDR" in talk.says("EHLO front.example")
    assert talk.says("XCLIENT ADDR=203.0.113.9 PORT=4000 LOGIN=ann").startswith("220 mx.example")
    assert talk.says("MAIL FROM:<a@a.example>").startswith("503")
    assert talk.says("EHLO client.example").startswith("250-")
    assert talk.says("MAIL FROM:<a@a.example>").startswith("250")
    peer = talk.reception.begun[-1].peer
    assert (peer.address, peer.port, peer.account, peer.hello) == ("203.0.113.9", 4000, "ann", "client.example")


def test_others_may_not() -> None:
    """They are told 550 and of no extension; without any front the command is not known."""
    talk = Talk("203.0.113.77")
    assert "XCLIENT" not in talk.says("EHLO client.example")
    assert talk.says("XCLIENT ADDR=127.0.0.1").startswith("550 5.7.0")
    talk = Talk(fronts=None)
    talk.says("EHLO client.example")
    assert talk.says("XCLIENT ADDR=127.0.0.1").startswith("500 5.5.2")


def test_whoever_is_spoken_for_may_not_speak_for_others() -> None:
    """A client whose words the front passes on can give itself neither an address nor an account."""
    talk = Talk()
    talk.says("EHLO front.example")
    talk.says("XCLIENT ADDR=203.0.113.9")
    assert "XCLIENT" not in talk.says("EHLO client.example")
    assert talk.says("XCLIENT ADDR=127.0.0.1 LOGIN=ann").startswith("550 5.7.0")
    assert talk.says("MAIL FROM:<a@a.example>").startswith("250")
    assert (talk.reception.begun[-1].peer.address, talk.reception.begun[-1].peer.account) == ("203.0.113.9", "")


def test_a_front_behind_a_front_may() -> None:
    """Who names another front hands on what it may; attributes without an address take nothing from it."""
    talk = Talk(fronts=(FRONT, "192.0.2.11"))
    talk.says("EHLO front.example")
    for words in ("LOGIN=ann", "ADDR=192.0.2.11", "ADDR=203.0.113.9"):
        assert talk.says(f"XCLIENT {words}").startswith("220")
        talk.says("EHLO front.example")
    assert talk.says("XCLIENT ADDR=192.0.2.11").startswith("550 5.7.0")


def test_order_and_syntax() -> None:
    """Not before a hello and not in a transaction; a bad attribute changes nothing."""
    talk = Talk()
    assert talk.says("XCLIENT ADDR=203.0.113.9").startswith("503")
    talk.says("EHLO front.example")
    assert talk.says("XCLIENT ADDR=nowhere").startswith("501 5.5.4")
    talk.says("MAIL FROM:<a@a.example>")
    assert talk.says("XCLIENT ADDR=203.0.113.9").startswith("503")
    assert talk.says("RSET").startswith("250")
    assert talk.says("XCLIENT ADDR=203.0.113.9").startswith("220")


def test_the_client_is_counted_and_not_the_front() -> None:
    """A client that has too many sessions already is told 421; places are given back to whom they were taken for."""
    first = Talk(limit=1)
    first.says("EHLO front", "XCLIENT ADDR=203.0.113.9")
    second = Talk(limit=1, admission=first.admission)
    second.says("EHLO front")
    assert second.says("XCLIENT ADDR=203.0.113.9").startswith("421 4.7.0")
    assert first.admission.sessions == 1
    first.line.loseConnection()
    assert first.admission.sessions == 0
    third = Talk(limit=1, admission=first.admission)
    third.says("EHLO front")
    assert third.says("XCLIENT ADDR=203.0.113.9").startswith("220")


@pytest.mark.parametrize(("user", "code"), [("ann", "220"), ("bob", "554"), ("", "554")])
def test_only_the_users_who_may(user: str, code: str) -> None:
    """Others are greeted with 554 and that is all (RFC 5321 section 3.1)."""
    settings = SessionSettings()
    nobody: Any = None
    factory = ReceiverFactory(
        name="local", service="lmtp", hostname="mx.example", reception=nobody, admission=Admission(settings),
        is_trusted=lambda _: False, clock=Clock(), settings=settings, max_size=Octets(0), extensions=(), users=("ann",),
    )  # fmt: skip
    line = StringTransportWithDisconnection()
    receiver = factory.receive("", 0, user=user)
    line.protocol = receiver
    receiver.makeConnection(line)
    assert line.value().decode().startswith(code)
