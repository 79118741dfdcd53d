"""The connection to the XMPP server, kept up: made again when it breaks, later each time; and what is awaited on it."""

from collections.abc import Callable
from typing import Any

from attrs import Factory, define, field
from twisted.internet.defer import CancelledError, Deferred, TimeoutError  # noqa: A004 - addTimeout's
from twisted.internet.endpoints import clientFromString
from twisted.internet.error import ConnectionClosed
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.task import LoopingCall, deferLater
from twisted.python.failure import Failure
from twisted.words.xish.domish import Element

from mailnode.gateways.api import Delayed, Failed, GatewayNode
from mailnode.shipped.xmpp.stream import Stream, StreamFactory

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 120.0
"""Seconds until the server is tried again."""
OPENING = 30.0
"""Seconds that connecting and logging in may take."""
WAIT = 10.0
"""Seconds that a message waits for a connection that is being made."""
KEEP_ALIVE = 60.0
"""Seconds between two blanks that keep the connection from being forgotten on its way (RFC 6120 section 4.4)."""


@define
class Handed:
    """A message that has been handed to the server."""

    peer: str
    """The bare JID that it is for."""
    answered: Deferred[None] = Factory(Deferred)
    """Fires when the ping behind it is answered; fails when the stream is over."""
    error: Delayed | Failed | None = None
    is_received: bool = False


@define(eq=False)
class Link:
    """The connection, in whatever state."""

    node: GatewayNode
    server: str
    """A client endpoint of Twisted."""
    factory: StreamFactory
    is_account: bool
    receive: Callable[[Element], None] = field(repr=False)
    """Gets every stanza."""
    stream: Stream | None = None
    handed: dict[str, Handed] = Factory(dict)
    """What awaits its answer, by the message's id."""
    _waiting: list[Deferred[Stream]] = Factory(list)
    _running: Deferred[None] | None = None
    _trouble: Exception | None = None

    def start(self) -> None:
        """Begin to connect."""
        self._running = Deferred.fromCoroutine(self._keep_up())
        self._running.addErrback(self._note)

    async def stop(self) -> None:
        """Say goodbye and disconnect."""
        stream, running = self.stream, self._running
        self._running = None
        if stream is not None:
            stream.close()
        if running is not None:
            running.cancel()
        self._over(ConnectionResetError("the gateway stops"))

    async def ready(self) -> Stream:
        """Give the stream; waits a little for one that is being made, else raises why there is none."""
        if self.stream is not None:
            return self.stream
        if self._trouble is not None:
            raise self._trouble
        waiting: Deferred[Stream] = Deferred()
        self._waiting.append(waiting)
        waiting.addTimeout(WAIT, self.node.clock)
        try:
            return await waiting
        except TimeoutError:
            raise ConnectionError(f"no connection to {self.server} within {WAIT:g} s") from None

    def send(self, stanza: Element) -> None:
        """Send a stanza if there is a stream; answers of ours to what came on a stream that is gone are not missed."""
        if self.stream is not None:
            self.stream.send(stanza)

    # --- the connection's life

    async def _keep_up(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                stream = await self._open()
            except CancelledError:
                raise
            except Exception as trouble:  # noqa: BLE001 - whatever it is, it is tried again
                self.node.log.warn("gateway {gateway} cannot reach {server}: {reason}", event="trouble",  # noqa: G010
                                   gateway=self.node.name, server=self.server, reason=_words(trouble))  # fmt: skip
                self._over(ConnectionError(_words(trouble)))
            else:
                pause = FIRST_PAUSE
                reason = await self._use(stream)
                self._over(ConnectionResetError(reason))
                self.node.log.info("gateway {gateway} has lost {server}: {reason}", event="lost",
                                   gateway=self.node.name, server=self.server, reason=reason)  # fmt: skip
            await deferLater(self.node.clock, pause * (1 + 0.2 * self.node.random.random()))
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _open(self) -> Stream:
        connecting: Deferred[Any] = clientFromString(self.node.reactor, self.server).connect(self.factory)
        connecting.addTimeout(OPENING, self.node.clock)
        stream: Stream = await connecting
        try:
            for name in ("message", "iq", "presence"):
                stream.addObserver(f"/{name}", self._heard, 0, stream)
            stream.opened.addTimeout(OPENING, self.node.clock)
            await stream.opened
        except BaseException:
            stream.abort()
            raise
        return stream

    async def _use(self, stream: Stream) -> str:
        if ITCPTransport.providedBy(stream.transport):
            stream.transport.setTcpKeepAlive(True)
        beat = LoopingCall(stream.send, " ")
        beat.clock = self.node.clock
        beat.start(KEEP_ALIVE, now=False).addErrback(self._note)
        if self.is_account:
            stream.send(Element((None, "presence")))
        self.stream, self._trouble = stream, None
        self.node.log.info("gateway {gateway} is connected to {server}", event="connected", gateway=self.node.name,
                           server=self.server)  # fmt: skip
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.called:
                one.callback(stream)
        try:
            return await stream.over
        except CancelledError:
            stream.abort()
            raise
        finally:
            self.stream = None
            if beat.running:
                beat.stop()

    def _heard(self, stream: Stream, stanza: Element) -> None:
        if stream is self.stream:
            self.receive(stanza)

    def _over(self, trouble: Exception) -> None:
        """Tell everybody who waits."""
        self._trouble = trouble
        waiting, self._waiting = self._waiting, []
        handed, self.handed = self.handed, {}
        everybody: list[Deferred[Any]] = [*waiting, *(each.answered for each in handed.values())]
        for one in everybody:
            if not one.called:
                one.errback(trouble)

    def _note(self, failure: Failure) -> None:
        if not failure.check(CancelledError, ConnectionClosed):
            self.node.log.failure("gateway {gateway}: its connection failed", failure, gateway=self.node.name)


def _words(trouble: Exception) -> str:
    return str(trouble) or type(trouble).__name__
