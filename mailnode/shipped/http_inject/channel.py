"""The connection: Twisted's own HTTP/1.1 parser with bounds around it, of size, time and number.

Twisted reads a body of any size from anybody before it asks what it is for. Here the header alone decides whether a body is
read: ``judge`` looks at the token and the form, the size is checked when it is declared and again while chunks come. A refusal
is answered at once, and what still comes is thrown away for ``LINGER`` seconds, so that the answer reaches a client that is
still sending (RFC 9112 section 9.6); one that asked with ``Expect: 100-continue`` never sends it (RFC 9110 section 10.1.1).

Idle time limits alone do not stop somebody who sends an octet now and then: the header and the body have a time limit each.
"""

import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from io import BytesIO
from ipaddress import ip_address
from typing import Any

from attrs import field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.interfaces import IAddress, IDelayedCall, IProtocolNegotiationFactory
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger
from twisted.web.http import HTTPChannel, Request, datetimeToString
from twisted.web.http_headers import Headers
from twisted.web.iweb import INonQueuedRequestFactory
from zope.interface import implementer, provider

from mailnode.shipped.http_inject.clients import Client
from mailnode.shipped.http_inject.problems import Wrong, phrase

HEADER_TIME = 15.0
"""Seconds for the header of a request, from its first octet on."""
IDLE = 30
"""Seconds of silence, between requests and within them."""
LINGER = 5.0
"""Seconds for which what comes after a refusal is thrown away."""
GOODBYE = 10.0
"""Seconds that requests under way may take once the node stops."""

log = Logger()


@frozen
class Bounds:
    """What a connection may cost."""

    max_size: int
    timeout: float
    max_connections: int
    per_address: int


@frozen
class Said:
    """An answer."""

    status: int
    fields: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


Judge = Callable[[Headers], Client]
"""Looks at a header before the body is read; raises Wrong."""
Answer = Callable[["PostedRequest"], Awaitable[Said]]


@provider(INonQueuedRequestFactory)
class PostedRequest(Request):
    """A request whose body is read only when its header allows it."""

    def __init__(self, channel: "PostingChannel") -> None:
        super().__init__(channel, parsePOSTFormSubmission=False)
        self.poster: Client | None = None
        """Whose token it bears, once it has a body."""
        self.size = 0
        self._is_refused = False
        self._lingering: IDelayedCall | None = None

    def gotLength(self, length: int | None) -> None:
        """Hear that the header is complete; None is a body in chunks, 0 is none."""
        door: PostingFactory = self.channel.factory
        try:
            if length != 0:
                self.poster = door.judge(self.requestHeaders)
                self._check_size(length or 0)
        except Wrong as wrong:
            self.content = BytesIO()
            self._refuse(wrong)
            return
        super().gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:
        """Take a piece of the body."""
        if self._is_refused:
            return
        self.size += len(data)
        try:
            self._check_size(self.size)
        except Wrong as wrong:
            self._refuse(wrong)
            return
        super().handleContentChunk(data)

    def _check_size(self, size: int) -> None:
        most = self.channel.factory.bounds.max_size
        if size > most:
            raise Wrong("too-large", f"the body is larger than {most} octets")

    def _refuse(self, wrong: Wrong) -> None:
        """Answer now; the connection ends once the client has had time to read it."""
        self._is_refused = True
        self.requestHeaders.removeHeader(b"Expect")
        body = wrong.body()
        fields = wrong.fields() | {"Connection": "close", "Content-Length": str(len(body))}
        headers = Headers({name: [value] for name, value in fields.items()})
        status = wrong.status
        self.channel.writeHeaders(b"HTTP/1.1", b"%d" % status, phrase(status).encode(), headers)
        self.channel.write(body)
        self._lingering = self.channel.factory.clock.callLater(LINGER, self.channel.forceAbortClient)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Hear that the body is complete."""
        if self._is_refused:
            self.channel.loseConnection()
        else:
            super().requestReceived(command, path, version)

    def process(self) -> None:
        """Have it answered."""
        self.channel.factory.take(self)

    def connectionLost(self, reason: Any) -> None:
        """Hear that the client is gone."""
        if self._lingering is not None and self._lingering.active():
            self._lingering.cancel()
        super().connectionLost(reason)

    def say(self, said: Said, clock: Any) -> None:
        """Send the answer; the client must still be there."""
        self.setResponseCode(said.status, phrase(said.status).encode())
        fields = {
            "Date": datetimeToString(clock.seconds()).decode(), "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff", "Content-Length": str(len(said.body)), **said.fields,
        }  # fmt: skip
        for name, value in fields.items():
            self.responseHeaders.setRawHeaders(name, [value])
        self.write(said.body)
        self.finish()


class PostingChannel(HTTPChannel):
    """A connection with time limits for each request as a whole."""

    requestFactory = PostedRequest  # type: ignore[assignment]  # made with the channel alone
    maxHeaders = 100
    factory: "PostingFactory"

    def __init__(self) -> None:
        super().__init__()
        self._limit: IDelayedCall | None = None
        self._is_answering = False

    def dataReceived(self, data: bytes) -> None:
        """Take octets; the first ones of a request start its time."""
        if self._limit is None and not self._is_answering:
            self._must_end_in(HEADER_TIME)
        super().dataReceived(data)

    def allHeadersReceived(self) -> None:
        """Give the body its own time."""
        self._must_end_in(self.factory.bounds.timeout)
        super().allHeadersReceived()

    def allContentReceived(self) -> None:
        """Let the answer take what it takes."""
        self._must_end_in(None)
        self._is_answering = True
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:
        """Be ready for the next request."""
        self._is_answering = False
        super().requestDone(request)

    def connectionLost(self, reason: Any) -> None:  # type: ignore[override]  # untyped there
        """End the timers."""
        self._must_end_in(None)
        self.factory.forget(self)
        super().connectionLost(reason)

    def _must_end_in(self, seconds: float | None) -> None:
        if self._limit is not None and self._limit.active():
            self._limit.cancel()
        clock = self.factory.clock
        self._limit = None if seconds is None else clock.callLater(seconds, self.forceAbortClient)


@implementer(IProtocolNegotiationFactory)
class PostingFactory(ServerFactory):
    """Makes connections, so many and no more, and keeps what is being answered."""

    noisy = False

    def __init__(self, clock: Any, bounds: Bounds, judge: Judge, answer: Answer) -> None:
        self.clock = clock
        self.bounds = bounds
        self.judge = judge
        self.is_open = True
        self._answer = answer
        self._open: dict[PostingChannel, str] = {}
        self._under_way: set[Deferred[None]] = set()
        self._all_done: Deferred[None] | None = None

    def buildProtocol(self, addr: IAddress | None) -> PostingChannel | None:  # type: ignore[override]  # None hangs up
        """Take a connection, or hang up when there are too many."""
        address = _address(addr)
        count = Counter(self._open.values())
        if not self.is_open or len(self._open) >= self.bounds.max_connections:
            return None
        if address and count[address] >= self.bounds.per_address:
            return None
        channel = PostingChannel()
        channel.factory = self
        channel.callLater = self.clock.callLater  # type: ignore[method-assign]  # as Twisted's own factory does
        channel.timeOut = IDLE
        self._open[channel] = address
        return channel

    def forget(self, channel: PostingChannel) -> None:
        """Hear that a connection is gone."""
        self._open.pop(channel, None)

    def acceptableProtocols(self) -> list[bytes]:
        """Say what ALPN may choose; without an answer here, clients that offer it are turned away (RFC 7301)."""
        return [b"http/1.1"]

    def log(self, request: Any) -> None:
        """Write no access log; what matters is told where it is known."""

    def take(self, request: PostedRequest) -> None:
        """Answer a request; the work goes on should the client leave."""
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)
        work = Deferred.fromCoroutine(self._work(request, gone))
        self._under_way.add(work)
        work.addErrback(lambda failure: log.failure("a request was not answered", failure))
        work.addBoth(lambda _: self._ended(work))

    def _ended(self, work: Deferred[None]) -> None:
        self._under_way.discard(work)
        if self._all_done is not None and not self._under_way and not self._all_done.called:
            self._all_done.callback(None)

    async def _work(self, request: PostedRequest, gone: list[object]) -> None:
        said = await self._answer(request)
        if not gone:
            if not self.is_open:
                request.channel.persistent = 0
            request.say(said, self.clock)

    async def close(self) -> None:
        """Let what is under way come to its end, for a while; then end the connections."""
        self.is_open = False
        if self._under_way:
            self._all_done = Deferred()
            self._all_done.addTimeout(GOODBYE, self.clock)
            with contextlib.suppress(DeferredTimeout):
                await self._all_done
        for channel in list(self._open):
            channel.transport.loseConnection()  # type: ignore[union-attr]  # it is connected


def _address(addr: IAddress | None) -> str:
    """Give the address that connections are counted for; empty for those of this machine."""
    host = str(getattr(addr, "host", "") or "")
    try:
        return "" if ip_address(host).is_loopback else host
    except ValueError:
        return ""
