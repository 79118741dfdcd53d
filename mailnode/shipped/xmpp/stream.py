"""One XML stream to the server, within bounds: twisted.words' own, made safe against what strangers put into it.

RFC 6120 section 11.1 forbids DTDs, comments and processing instructions, so nothing can be expanded. A stanza has bounds in
octets, elements and depth. Character data is joined by the parser before it becomes Python's, since a body of line ends alone
would otherwise cost quadratic time.
"""

from typing import Any, NoReturn

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure
from twisted.words.protocols.jabber import client, component, sasl, xmlstream
from twisted.words.xish.domish import Element, ParserError
from twisted.words.xish.xmlstream import STREAM_END_EVENT, STREAM_ERROR_EVENT

from mailnode.shipped.xmpp.jids import parse_jid

MOST_OCTETS = 1_048_576
"""Of a stanza; servers let their users send a quarter of that."""
MOST_ELEMENTS = 10_000
MOST_DEPTH = 100


class Stream(xmlstream.XmlStream):
    """An XML stream that tells when it is open and when it is over."""

    def __init__(self, authenticator: Any) -> None:
        super().__init__(authenticator)
        self.is_open = False
        self.opened: Deferred[None] = Deferred()
        """Fires when stanzas may be sent; fails when that cannot be."""
        self.over: Deferred[str] = Deferred()
        """Fires with the reason when the connection is gone."""
        self._waiting = 0
        self._elements = self._depth = 0
        self._trouble: Failure | None = None
        self.addObserver(xmlstream.STREAM_AUTHD_EVENT, self._authenticated)
        self.addObserver(xmlstream.INIT_FAILED_EVENT, self._failed)
        self.addObserver(STREAM_ERROR_EVENT, self._failed)
        self.addObserver(STREAM_END_EVENT, self._ended)

    def _initializeStream(self) -> None:
        super()._initializeStream()
        self._waiting = self._elements = self._depth = 0
        parser: Any = self.stream.parser  # type: ignore[union-attr]  # super has just made it
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = parser.CommentHandler = parser.ProcessingInstructionHandler = _forbidden
        start, end = parser.StartElementHandler, parser.EndElementHandler

        def started(name: str, attributes: dict[Any, str]) -> None:
            self._depth += 1
            self._elements += 1
            if self._depth > MOST_DEPTH or self._elements > MOST_ELEMENTS:
                raise ParserError("a stanza has too many elements")
            start(name, attributes)

        def ended(name: str) -> None:
            self._depth -= 1
            end(name)

        parser.StartElementHandler, parser.EndElementHandler = started, ended

    def dataReceived(self, data: bytes) -> None:
        """Feed the parser, a little at a time, so that a stanza's bound holds whatever a read brings."""
        for start in range(0, len(data), 65536):
            piece = data[start : start + 65536]
            self._waiting += len(piece)
            if self._waiting > MOST_OCTETS:
                self._failed(Failure(ParserError("a stanza is too long")))
                self.abort()
                return
            if self.stream is not None:
                super().dataReceived(piece)

    def onElement(self, element: Element) -> None:
        """Begin to count anew."""
        self._waiting = self._elements = 0
        super().onElement(element)

    def abort(self) -> None:
        """Break the connection off."""
        if self.transport is not None:
            self.transport.abortConnection()  # type: ignore[attr-defined]  # those of TCP and of TLS have it

    def close(self) -> None:
        """Say goodbye and disconnect."""
        self.sendFooter()
        if self.transport is not None:
            self.transport.loseConnection()

    def _authenticated(self, _: object) -> None:
        self.is_open = True
        if not self.opened.called:
            self.opened.callback(None)

    def _failed(self, failure: Failure) -> None:
        self._trouble = self._trouble or failure
        if not self.opened.called:
            self.opened.errback(failure)

    def _ended(self, reason: Failure) -> None:
        self.is_open = False
        self._failed(reason)
        if not self.over.called:
            trouble = (self._trouble or reason).value
            self.over.callback(str(trouble) or type(trouble).__name__)


def _forbidden(*_: object) -> NoReturn:
    raise ParserError("DTDs, comments and processing instructions are forbidden (RFC 6120 section 11.1)")


class _Account(client.XMPPAuthenticator):
    """Logs in to an account; only on this machine it may do without TLS."""

    def __init__(self, jid: str, password: str, tls: str) -> None:
        super().__init__(parse_jid(jid), password)
        self.tls = tls

    def associateWithStream(self, xs: Any) -> None:
        """Say what is to be done before stanzas may be sent."""
        super().associateWithStream(xs)
        if self.tls == "none":
            xs.initializers = [
                client.CheckVersionInitializer(xs),
                sasl.SASLInitiatingInitializer(xs, required=True),
                client.BindInitializer(xs, required=True),
                client.SessionInitializer(xs, required=False),
            ]


class StreamFactory(Factory):
    """Makes streams: a component's for a domain, a client's for a JID with a local part."""

    noisy = False

    def __init__(self, jid: str, password: str, tls: str) -> None:
        self._jid, self._password, self._tls = jid, password, tls

    def buildProtocol(self, addr: object) -> Stream:  # noqa: ARG002 - the signature is Twisted's
        """Make one."""
        if "@" in self._jid:
            return Stream(_Account(self._jid, self._password, self._tls))
        return Stream(component.ConnectComponentAuthenticator(self._jid, self._password))
