"""Tests of the connection: a wrong secret, a server that says nothing, a stop."""

from twisted.internet.error import ConnectionRefusedError as Refusal

from mailnode.shipped.xmpp.gateway import Xmpp
from mailnode.testing.api import MemoryNode, now
from tests.kit.xmpp_server import XmppServer

ANN = "ann@home.example"
BOB = "bob.chat.example@xmpp.example.org"


def pair() -> tuple[MemoryNode, XmppServer]:
    """Make a node that has asked for a connection, and who will accept it."""
    node = MemoryNode(Xmpp(jid="mail.example.org", password="s"), domain="xmpp.example.org")
    return node, XmppServer(node.clock)


def test_mail_waits_a_little_for_the_first_connection() -> None:
    """It goes as soon as there is one."""
    node, server = pair()
    node.send(ANN, BOB)
    assert not node.queue()[0].reason
    server.accept(handshake=False)
    server.say("<handshake/>")
    assert len(server.messages()) == 1


def test_a_wrong_secret_delays() -> None:
    """The operator can mend it; it is tried again, later each time."""
    node, server = pair()
    server.accept(handshake=False)
    server.say("<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>")
    assert server.transport.disconnecting
    server.break_off()
    node.send(ANN, BOB)
    assert "not-authorized" in node.queue()[0].reason
    node.advance("2s")
    assert len(node.clock.tcpClients) == 2
    server.refuse(Refusal("no"))
    node.advance("1s")
    assert len(node.clock.tcpClients) == 2
    node.advance("3s")
    assert len(node.clock.tcpClients) == 3


def test_a_server_that_says_nothing_is_left() -> None:
    """After half a minute."""
    node, server = pair()
    server.accept(handshake=False)
    node.advance("31s")
    assert server.transport.disconnecting


def test_a_stop_says_goodbye() -> None:
    """The stream is closed, mail that waits for its answer stays queued, and nothing is tried again."""
    node, server = pair()
    server.accept()
    node.send(ANN, BOB)
    now(node.gateway().stop())
    assert server.transport.value().endswith(b"</stream:stream>")
    assert server.transport.disconnecting
    server.transport.clear()
    server.break_off()
    node.clock.advance(100)
    assert len(node.clock.tcpClients) == 1
    assert "4.4.2" in node.queue()[0].reason


def test_a_quiet_stream_is_kept_alive() -> None:
    """By a blank each minute."""
    node, server = pair()
    server.accept()
    node.advance("2m")
    assert server.transport.value() == b"  "
