"""One session with a next hop: a thin Twisted adapter around smtp.ClientConnection.

It feeds octets in, writes octets out, keeps the time limits and sends the content: small content in one write, a file in
blocks that are read on a disk thread and only as fast as the peer takes them. Whatever goes wrong is an Answer for each
recipient, in words of the peer where it found any.

Between the peer's offer and the first transaction it is secured: ``ask`` says STARTTLS or AUTH, ``cover`` lays TLS over the
connection, ``covered`` waits for the handshake. Octets that came in clear text are forgotten then, and nothing is written
past TLS.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, cast

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IHandshakeListener, IProtocol, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from mailnode.couriers.smtp_deadline import Deadline
from mailnode.couriers.smtp_feeding import FileFeed
from mailnode.couriers.smtp_security import NoTls, Security, Unavailable, reason_of
from mailnode.couriers.smtp_settings import SmtpTimes
from mailnode.couriers.smtp_stages import WAITING_FOR, times_of
from mailnode.interfaces import Disk
from mailnode.mail.content import Content
from mailnode.mail.reply import Reply
from mailnode.smtp.client import ClientConnection
from mailnode.smtp.clientevents import (
    Answer,
    Broken,
    ContentWanted,
    Event,
    Ready,
    Rejected,
    Replied,
    Settled,
    Stage,
)
from mailnode.smtp.peeroffer import PeerOffer
from mailnode.smtp.sending import stuffed
from mailnode.wire import Transport, Wire, take_over

CoverTls = Callable[["SmtpSession", Wire], Any]
"""Lays TLS over a session's connection and begins the handshake; gives the session's transport from then on."""


@frozen
class Submission:
    """A transaction to be made."""

    mail: bytes
    """The MAIL line with its CRLF."""
    rcpts: tuple[bytes, ...]
    content: Content


@implementer(IHandshakeListener)
class SmtpSession(Protocol):
    """A client's connection; made for one host, used for many transactions."""

    log = Logger()

    def __init__(
        self,
        connection: ClientConnection,
        host: str,
        *,
        times: SmtpTimes,
        clock: IReactorTime,
        disk: Disk,
        cover: CoverTls | None = None,
    ) -> None:
        """Prepare; with ``cover`` TLS begins with the first octet (RFC 8314 section 3.3)."""
        self.host = host
        """The next hop's name, for outcomes and logs."""
        self.transactions = 0
        """Transactions begun."""
        self.ended: Callable[[SmtpSession], None] = lambda _: None
        """Called once, when the connection is gone."""
        self.security = Security()
        """What was found out about its TLS; whoever has secured the session says it."""
        self.tls: Any = None
        """The TLS protocol beneath, once a handshake has begun."""
        self._connection = connection
        self._times = times_of(times)
        self._deadline = Deadline(clock, self._expired)
        self._disk = disk
        self._cover = cover
        self._is_shaking = False
        self._opening: Deferred[Any] | None = None
        """What is waited for before the first transaction."""
        self._sending: Deferred[Sequence[Answer]] | None = None
        self._content = Content(b"")
        self._feeding: Deferred[None] | None = None
        self._wire: Wire
        """The transport, once there is one."""
        self._is_gone = False

    # --- what the courier calls -------------------------------------------------------------------------------

    @property
    def offer(self) -> PeerOffer:
        """Give what the peer offers."""
        return self._connection.offer

    @property
    def is_ready(self) -> bool:
        """Tell whether ``send`` may be called."""
        return self._connection.is_ready and not self._is_gone

    async def open(self) -> PeerOffer:
        """Wait for the greeting and greet; raises Unavailable. Cancelling drops the connection."""
        opening: Deferred[PeerOffer] = Deferred(self._cancelled)
        self._opening = opening
        return await opening

    async def ask(self, stage: Stage, line: bytes) -> Reply:
        """Say a line that is no mail, and give the answer; raises Unavailable. Cancelling drops the connection."""
        asking: Deferred[Reply] = Deferred(self._cancelled)
        self._opening = asking
        self._connection.ask(stage, line)
        self._write()
        self._deadline.move(self._times[stage])
        return await asking

    async def begin_tls(self, cover: CoverTls) -> PeerOffer:
        """Shake hands and greet again, after 220 to STARTTLS; raises NoTls. Cancelling drops the connection."""
        self._connection.begin_tls()
        self._deadline.move(self._times[Stage.TLS])
        opening: Deferred[PeerOffer] = Deferred(self._cancelled)
        self._opening = opening
        self._cover_with(cover)
        return await opening

    async def send(self, submission: Submission) -> Sequence[Answer]:
        """Make one transaction; an answer for each RCPT. Cancelling drops the connection."""
        self.transactions += 1
        self._content = submission.content
        sending: Deferred[Sequence[Answer]] = Deferred(self._cancelled)
        self._sending = sending
        self._connection.begin(submission.mail, submission.rcpts)
        self._write()
        self._deadline.move(self._times[self._connection.stage])
        return await sending

    def leave(self) -> None:
        """Say goodbye and close."""
        self._connection.quit()
        self._write()
        self._deadline.move(self._times[Stage.QUIT])

    def give_way(self, successor: IProtocol) -> None:
        """Let another protocol have the connection; the session is over, and the peer stays."""
        self._deadline.stop()
        self._is_gone = True
        self._connection.is_over = True
        self.ended(self)
        take_over(self._wire.transport, successor)

    def abort(self) -> None:
        """Drop the connection at once."""
        self._deadline.stop()
        if not self._is_gone:
            self._wire.abort()

    # --- what Twisted calls -----------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        """Wait for the greeting, and before it for the handshake if TLS comes first."""
        self._wire = Wire(cast("Transport", self.transport))
        self._deadline.move(self._times[Stage.GREETING])
        if self._cover is not None:
            self._cover_with(self._cover)

    def _cover_with(self, cover: CoverTls) -> None:
        self._is_shaking = True
        self.tls = cover(self, self._wire)
        self.transport = self.tls
        self._wire = Wire(self.tls)

    def handshakeCompleted(self) -> None:
        """Go on within TLS."""
        self._is_shaking = False
        if self._connection.stage is Stage.TLS:
            self._connection.tls_begun()
            self._write()
            self._deadline.move(self._times[Stage.HELLO])

    def dataReceived(self, data: bytes) -> None:
        """Hear the peer."""
        connection = self._connection
        if connection.is_over:
            # Nothing that comes after QUIT or after trouble matters.
            self._close()
            return
        before = connection.heard
        events = connection.receive(data)
        self._write()
        for event in events:
            self._REACTIONS[type(event)](self, event)
        if connection.heard != before and not self._is_gone:
            # Only whole replies move the time limit: a peer that says one letter a minute does not get on.
            self._deadline.move(self._times[connection.stage])

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Settle what is open."""
        self._is_gone = True
        self._deadline.stop()
        stage = self._connection.stage
        if self._is_shaking:
            self._give_up(reason_of(reason))
        self._give_up(f"{self.host} closed the connection while we waited for {WAITING_FOR[stage]}")
        self.log.debug(
            "{host}: session over at {stage} after {transactions} transactions: {reason}",
            event="session-over", host=self.host, stage=stage.name, transactions=self.transactions,
            reason=reason.getErrorMessage(),
        )  # fmt: skip
        self.ended(self)

    def _write(self) -> None:
        octets = self._connection.take()
        if octets:
            self._wire.write(octets)

    def _cancelled(self, _: object) -> None:
        """Nobody waits any more; a transaction cannot be taken back, only broken off."""
        self._opening = self._sending = None
        self.abort()

    def _close(self) -> None:
        self._deadline.move(self._times[Stage.QUIT])
        self._wire.close()

    def _expired(self) -> None:
        stage = self._connection.stage
        if stage is Stage.IDLE:
            self.leave()
            return
        if stage is not Stage.QUIT:
            self._give_up(f"{self.host} let us wait too long for {WAITING_FOR[stage]}")
        self.abort()

    def _give_up(self, why: str) -> None:
        for event in self._connection.lost(Reply.of(451, "4.4.2", why)):
            self._REACTIONS[type(event)](self, event)

    # --- what the machine says --------------------------------------------------------------------------------

    def _ready(self, event: Ready) -> None:
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.callback(event.offer)

    def _replied(self, event: Replied) -> None:
        asking, self._opening = self._opening, None
        if asking is not None:
            asking.callback(event.reply)

    def _rejected(self, event: Rejected) -> None:
        self._fail_opening(Unavailable(event.reply, is_ours=False, is_reached=True))
        if event.reply.code == 421:
            self._close()

    def _broken(self, event: Broken) -> None:
        if self._is_shaking:
            self._is_shaking = False
            reply = Reply.of(451, "4.7.5", f"No TLS with {self.host}: {event.reply.lines[0]}")
            self._fail_opening(NoTls(reply, is_ours=True, is_reached=True))
        self._fail_opening(Unavailable(event.reply, is_ours=event.is_ours, is_reached=True))
        self._stop_feeding()
        if not self._is_gone:
            self.abort()

    def _fail_opening(self, unavailable: Unavailable) -> None:
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.errback(unavailable)

    def _settled(self, event: Settled) -> None:
        sending, self._sending = self._sending, None
        if sending is not None:
            sending.callback(event.answers)

    # --- the content ------------------------------------------------------------------------------------------

    def _content_wanted(self, _: ContentWanted) -> None:
        if self._content.path is None:
            self._connection.content_sent()
            self._wire.write(stuffed(self._content.head))
            return
        self._feeding = Deferred.fromCoroutine(self._feed(self._content))
        self._feeding.addErrback(self._feeding_failed)

    async def _feed(self, content: Content) -> None:
        feed = FileFeed(self._wire, self._disk, lambda: self._deadline.move(self._times[Stage.CONTENT]))
        end = await feed.feed(content)
        self._connection.content_sent()
        self._wire.write(end)
        self._deadline.move(self._times[Stage.DOT])

    def _feeding_failed(self, failure: Failure) -> None:
        """Break off: the peer must never take half a message for a whole one."""
        if not failure.check(CancelledError):
            self.log.failure("{host}: the content could not be read", failure, host=self.host)
            self._give_up("The content could not be read")
            self.abort()

    def _stop_feeding(self) -> None:
        feeding, self._feeding = self._feeding, None
        if feeding is not None:
            feeding.cancel()

    _REACTIONS: ClassVar[Mapping[type[Event], Callable[["SmtpSession", Any], None]]] = {
        Ready: _ready,
        Rejected: _rejected,
        Replied: _replied,
        ContentWanted: _content_wanted,
        Settled: _settled,
        Broken: _broken,
    }
