"""A session begins TLS at its time, forgets what came before, and says in one line why there was none."""

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IProtocol
from twisted.logger import capturedLogs
from twisted.python.failure import Failure

from mailnode.mail.quantity import Seconds
from mailnode.sessions.settings import SessionSettings
from mailnode.wire import Channel, Transport, Wire
from tests.sessions.test_receiver import TRANSACTION, Caller, Stage

SETTINGS = SessionSettings(handshake_timeout=Seconds(20))


class PretendedTls:
    """TLS that a test completes or fails when it likes; octets stay as they are. Implements wire.Encryption."""

    def __init__(self) -> None:
        self.is_there = True
        self.wires: list[Wire] = []
        self._protocol: Any = None

    def is_ready(self) -> bool:
        """Tell what the test has decided."""
        return self.is_there

    def cover(self, protocol: IProtocol, wire: Wire) -> Transport:
        """Begin a handshake that does not end by itself."""
        self.wires.append(wire)
        self._protocol = protocol
        return wire.transport

    def complete(self) -> None:
        """Let the handshake succeed."""
        self._protocol.handshakeCompleted()

    def fail(self, error: Exception) -> None:
        """Let it fail."""
        self._protocol.connectionLost(Failure(error))

    def channel(self, _: Transport) -> Channel:
        """Tell of a modern channel."""
        return Channel("TLSv1.3 TLS_TEST", ("ann@example.org",), (("tls-exporter", b"x"),))

    def why(self, error: BaseException) -> str:
        """Give the error's words."""
        return str(error)


class TlsStage(Stage):
    """A listener with TLS."""

    def __init__(self, settings: SessionSettings = SETTINGS, *, implicit: bool = False) -> None:
        super().__init__(settings)
        self.tls = PretendedTls()
        self.factory.encryption = self.tls
        self.factory.is_implicit = implicit
        self.factory._house = evolve(self.factory._house, encryption=self.tls, is_implicit=implicit)


def _asked(stage: TlsStage, more: bytes = b"") -> Caller:
    caller = stage.connect()
    assert caller.hears().startswith(b"220 ")
    assert b"STARTTLS" in caller.says(b"EHLO before.example\r\n")
    assert caller.says(b"STARTTLS\r\n" + more) == b"220 Go ahead with TLS\r\n"
    return caller


def _ending(stage: TlsStage, act: Callable[[], object]) -> dict[str, Any]:
    """Do something that ends the only session; give its line of the log."""
    with capturedLogs() as events:
        act()
        stage.clock.advance(0)
    (event,) = [event for event in events if event.get("event") == "session"]
    assert not stage.factory.sessions
    return dict(event)


@pytest.mark.rfc("3207", "4.2")
def test_within_tls_the_peer_is_a_stranger_and_starttls_is_gone() -> None:
    """Its name, and commands in the same packet, are forgotten; EHLO offers no second TLS."""
    stage = TlsStage()
    caller = _asked(stage, b"MAIL FROM:<evil@a.example>\r\n")
    stage.tls.complete()
    assert caller.hears() == b""
    assert caller.says(b"MAIL FROM:<a@a.example>\r\n").startswith(b"503 5.5.1")
    said = caller.says(b"EHLO within.example\r\n")
    assert b"greets within.example" in said
    assert b"STARTTLS" not in said
    assert caller.says(b"STARTTLS\r\n").startswith(b"502 5.5.1")
    assert caller.says(TRANSACTION + b"x\r\n.\r\n").endswith(b"250 2.0.0 Accepted\r\n")
    peer = stage.reception.messages[0].peer
    assert (peer.tls, peer.hello) == ("TLSv1.3 TLS_TEST", "within.example")
    assert peer.certificate_names == ("ann@example.org",)
    assert peer.channel_bindings == (("tls-exporter", b"x"),)
    assert peer.notes == ("spoke-before-tls",)


@pytest.mark.rfc("3207", "4")
def test_tls_that_cannot_be_had_is_454() -> None:
    """And the session goes on in the clear."""
    stage = TlsStage()
    stage.tls.is_there = False
    caller = stage.connect()
    caller.says(b"EHLO a.example\r\n")
    assert caller.says(b"STARTTLS\r\n").startswith(b"454 4.7.0")
    assert caller.says(b"NOOP\r\n").startswith(b"250")


@pytest.mark.rfc("8314", "3.3")
def test_implicit_tls_comes_before_the_greeting() -> None:
    """Nothing is said in the clear, and STARTTLS is not offered."""
    stage = TlsStage(implicit=True)
    caller = stage.connect()
    assert caller.hears() == b""
    stage.tls.complete()
    assert caller.hears().startswith(b"220 mx.example ESMTP")
    assert b"STARTTLS" not in caller.says(b"EHLO a.example\r\n")


def test_a_greeting_that_is_due_during_the_handshake_waits_for_it() -> None:
    """Also when it is a refusal."""
    stage = TlsStage(evolve(SETTINGS, greeting_delay=Seconds(3)), implicit=True)
    caller = stage.connect()
    stage.clock.pump([1] * 6)
    assert caller.hears() == b""
    stage.tls.complete()
    assert caller.hears().startswith(b"220")
    early = stage.connect()
    stage.tls.complete()
    assert early.hears() == b""
    stage.clock.pump([1] * 5)
    assert early.hears().startswith(b"220")
    full = TlsStage(evolve(SETTINGS, max_sessions_per_address=0), implicit=True)
    turned_away = full.connect()
    assert turned_away.hears() == b""
    full.tls.complete()
    assert turned_away.hears().startswith(b"421 4.7.0")


def test_implicit_tls_that_cannot_be_had_closes_the_connection() -> None:
    """There is no way to say why."""
    stage = TlsStage(implicit=True)
    stage.tls.is_there = False
    assert _ending(stage, stage.connect)["reason"] == "no TLS to be had"


def test_a_handshake_that_takes_too_long_is_cut_off() -> None:
    """After its time; one line of the log says so."""
    stage = TlsStage(implicit=True)
    caller = stage.connect()
    event = _ending(stage, lambda: stage.clock.pump([1] * 22))
    assert event["reason"] == "the TLS handshake took too long"
    assert not caller.is_open


def test_a_handshake_that_fails_is_one_line() -> None:
    """With the words of who knows."""
    stage = TlsStage()
    _asked(stage)
    event = _ending(stage, lambda: stage.tls.fail(ValueError("no shared cipher")))
    assert event["reason"] == "no TLS came about: no shared cipher"


def test_a_client_that_closes_tls_without_form_is_not_lost() -> None:
    """Most do so after QUIT."""
    stage = TlsStage()
    caller = _asked(stage)
    stage.tls.complete()
    caller.line.loseConnection = lambda: None  # type: ignore[method-assign]
    caller.says(b"QUIT\r\n")
    event = _ending(stage, lambda: caller.receiver.connectionLost(Failure(ConnectionLost())))
    assert event["reason"] == "closed"


def test_a_node_that_stops_cuts_handshakes_off() -> None:
    """Nothing can be said to them."""
    from mailnode.smtp import replies

    stage = TlsStage(implicit=True)
    caller = stage.connect()
    caller.receiver.close_with(replies.SHUTTING_DOWN)
    assert not caller.is_open
    assert caller.hears() == b""
