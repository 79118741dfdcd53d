"""Calling a provider: reached as any next hop, authenticated as RFC 2645 has it, then turned around."""

from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from mailnode.couriers.calling import Caller, CallersAuthentication, CramMd5, ask
from mailnode.couriers.smtp_password import PasswordFile
from mailnode.couriers.smtp_security import Unavailable
from mailnode.couriers.smtp_session import SmtpSession
from mailnode.couriers.smtp_settings import SmtpTimes
from mailnode.mail.reply import Reply
from mailnode.routing.exchanges import Hop, NoHops
from mailnode.routing.terms import Terms
from mailnode.smtp.client import ClientConnection
from tests.kit.results import InlineDisk, now


class Line:
    """A session on a transport."""

    def __init__(self) -> None:
        self.session = SmtpSession(
            ClientConnection("customer.example"), "isp.example", times=SmtpTimes(), clock=Clock(), disk=InlineDisk()
        )
        self.transport: Any = cast("Any", StringTransport())
        self.transport.abortConnection = self.transport.loseConnection
        self.transport.protocol = self.session
        self.session.makeConnection(self.transport)
        self.heard: list[Any] = []

    def run(self, coroutine: Any) -> None:
        """Begin something."""
        Deferred.fromCoroutine(coroutine).addBoth(self.heard.append)

    def hears(self, *lines: str) -> str:
        """Let it hear lines, and give what it says."""
        self.transport.clear()
        for line in lines:
            self.transport.protocol.dataReceived(line.encode() + b"\r\n")
        return str(self.transport.value().decode())


def ready(offer: str) -> Line:
    """Give a session that has greeted a provider with this offer."""
    line = Line()
    line.run(line.session.open())
    line.hears("220 isp.example", f"250-isp.example\r\n250 {offer}")
    assert len(line.heard) == 1
    line.heard.clear()
    return line


@pytest.fixture(name="proof")
def _proof(tmp_path: Path) -> CallersAuthentication:
    (tmp_path / "secret").write_text("open sesame\n")
    (tmp_path / "secret").chmod(0o600)
    disk = InlineDisk()
    return CallersAuthentication("branch", PasswordFile(str(tmp_path / "secret"), disk), False, disk)


@pytest.mark.rfc("2645", "5.1.2")
def test_cram_md5_comes_first_and_needs_no_tls(proof: CallersAuthentication) -> None:
    """The digest answers the challenge; the password does not travel."""
    line = ready("AUTH PLAIN CRAM-MD5")
    line.run(proof.perform(line.session))
    assert line.transport.value().endswith(b"AUTH CRAM-MD5\r\n")
    said = line.hears("334 PDFAaXNwPg==")
    from base64 import b64decode

    assert b64decode(said) == CramMd5("branch", "open sesame").respond(b"<1@isp>")
    line.hears("235 welcome")
    assert line.heard == [None]


def test_what_else_there_is_comes_next(proof: CallersAuthentication) -> None:
    """When it is refused the other mechanisms have their turn, under their own rules."""
    line = ready("AUTH PLAIN CRAM-MD5")
    line.run(proof.perform(line.session))
    line.hears("334 PDFAaXNwPg==", "535 no")
    (objection,) = line.heard
    assert str(objection.status) == "4.7.4"
    alone = ready("AUTH CRAM-MD5")
    alone.run(proof.perform(alone.session))
    alone.hears("334 PDFAaXNwPg==", "535 no")
    assert "does not let us in" in str(alone.heard[0])
    without = ready("AUTH PLAIN")
    without.run(proof.perform(without.session))
    assert str(without.heard[0].status) == "4.7.4"


@pytest.mark.rfc("2645", "5.3")
def test_the_connection_changes_hands() -> None:
    """After the 250 what comes is the other protocol's, and the session says and times nothing more."""

    class Server(Protocol):
        heard = b""

        def dataReceived(self, data: bytes) -> None:
            self.heard += data

    line, server = ready("ATRN"), Server()
    line.run(ask(line.session, "ATRN branch.example"))
    assert line.transport.value().endswith(b"ATRN branch.example\r\n")
    line.hears("250 turning")
    assert line.heard == [Reply(250, ("turning",))]
    line.session.give_way(server)
    line.hears("EHLO isp.example")
    assert server.heard == b"EHLO isp.example\r\n"
    assert server.transport is line.transport
    assert not line.session.is_ready


def _caller(**terms: Any) -> Any:
    nobody: Any = None
    return Caller(
        Terms(**terms),
        reactor=Clock(),
        resolver=nobody,
        hostname="customer.example",
        disk=InlineDisk(),
        random=Random(1),
    )


def test_every_host_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first that takes us is called; when none does, the last says why."""
    tried: list[str] = []

    class Reaching:
        async def open(self, hop: Hop, references: tuple[str, ...]) -> str:
            tried.append(hop.host)
            assert references == ("isp.example",)
            if hop.host == "good.example":
                return "session"
            raise Unavailable(Reply.of(451, "4.4.1", hop.host), is_ours=True, is_reached=False)

    async def find(_: object, _next_hop: str) -> list[Hop]:
        return [Hop(host, 366, ("192.0.2.1",)) for host in hosts]

    caller = _caller(username="branch", password_file="/etc/secret")
    monkeypatch.setattr(caller, "_reaching", Reaching())
    monkeypatch.setattr(Caller, "_find", find)
    hosts = ["bad.example", "good.example", "late.example"]
    assert now(caller.call("[isp.example]:366")) == "session"
    assert tried == ["bad.example", "good.example"]
    hosts = ["bad.example", "worse.example"]
    with pytest.raises(Unavailable, match=r"worse\.example"):
        now(caller.call("[isp.example]:366"))


def test_a_provider_that_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the DNS says is what is told."""

    async def find(_: object, _next_hop: str) -> list[Hop]:
        raise NoHops(Reply.of(451, "4.4.3", "no answer"))

    monkeypatch.setattr(Caller, "_find", find)
    with pytest.raises(Unavailable, match="no answer"):
        now(_caller().call("[isp.example]:366"))
