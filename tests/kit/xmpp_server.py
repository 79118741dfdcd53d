"""An XMPP server in memory, for a component: it hears stanzas and says what the test lets it say."""

from typing import Any

from twisted.internet.testing import StringTransport
from twisted.words.protocols.jabber.component import NS_COMPONENT_ACCEPT
from twisted.words.xish import domish

HEADER = (
    f"<stream:stream xmlns='{NS_COMPONENT_ACCEPT}' xmlns:stream='http://etherx.jabber.org/streams' id='s1' "
    "from='mail.example.org'>"
)


class Transport(StringTransport):
    """A transport that can be cut."""

    def abortConnection(self) -> None:
        """Be cut."""
        self.disconnecting = True


class XmppServer:
    """What listens where the gateway connects: the connections that a MemoryReactorClock has been asked for."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.stanzas: list[domish.Element] = []
        self.transport = Transport()
        self.protocol: Any = None

    def accept(self, *, handshake: bool = True) -> "XmppServer":
        """Accept the connection that was asked for last, up to the handshake."""
        factory = self.clock.tcpClients[-1][2]
        self.transport, self.protocol = Transport(), factory.buildProtocol(None)
        self._parser = domish.elementStream()
        self._parser.DocumentStartEvent = lambda _: None
        self._parser.ElementEvent = self._heard
        self._parser.DocumentEndEvent = lambda: None
        self.protocol.makeConnection(self.transport)
        self.say(HEADER)
        if handshake:
            self.say("<handshake/>")
            self.read()
            self.stanzas.clear()
        return self

    def refuse(self, reason: Exception) -> None:
        """Let nobody in."""
        from twisted.python.failure import Failure

        connector = self.clock.connectors[-1]
        self.clock.tcpClients[-1][2].clientConnectionFailed(connector, Failure(reason))

    def say(self, xml: str) -> None:
        """Send something, then hear what comes of it."""
        self.protocol.dataReceived(xml.encode())
        if xml != HEADER:
            self.clock.advance(0)
            self.read()

    def read(self) -> list[domish.Element]:
        """Hear what was sent; pings are answered."""
        octets = self.transport.value()
        self.transport.clear()
        if octets:
            self._parser.parse(octets)
        return self.stanzas

    def _heard(self, stanza: domish.Element) -> None:
        self.stanzas.append(stanza)

    def pong(self) -> None:
        """Answer every ping that was heard, as a server does that knows no such request."""
        for one in [*self.read()]:
            if one.name == "iq" and one["type"] == "get":
                self.stanzas.remove(one)
                self.say(f"<iq type='error' id='{one['id']}' from='{one['to']}' to='{one['from']}'/>")

    def messages(self) -> list[domish.Element]:
        """Give the messages that were heard."""
        return [one for one in self.read() if one.name == "message"]

    def break_off(self) -> None:
        """Lose the connection."""
        from twisted.internet.error import ConnectionLost
        from twisted.python.failure import Failure

        self.protocol.connectionLost(Failure(ConnectionLost("gone")))
        self.clock.advance(0)
