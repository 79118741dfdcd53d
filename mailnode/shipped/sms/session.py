"""One bind over one connection: requests and their answers, both ways (SMPP 3.4 chapter 2).

Any number of requests may be on their way; answers find them by sequence_number. A request that is not answered in time
ends the connection, since nobody can tell what else is lost. What the SMSC asks is a row of a table; a deliver_sm is
answered when the coroutine it was given to is through, and while too many of those run the connection is not read.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as NoAnswer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailnode.shipped.sms.pdu import BadBody, TextMessage, parse_name
from mailnode.shipped.sms.settings import Access, Pace
from mailnode.shipped.sms.statuses import Status, named
from mailnode.shipped.sms.wire import LAST_SEQUENCE, RESPONSE, BadFrame, Command, Frames, Pdu

MOST_INCOMING = 20
"""deliver_sm that are worked on at the same time."""


class Refusal(Exception):  # noqa: N818 - says what it is
    """The SMSC has answered with an error."""

    def __init__(self, status: int) -> None:
        super().__init__(named(status))
        self.status = status


@frozen
class Arrival:
    """A deliver_sm, and which bind brought it."""

    message: TextMessage
    bind: str
    """A name of the bind, never used again."""
    sequence: int


Taker = Callable[[Arrival], Awaitable[int]]
"""Takes what has come and gives the command_status to answer; by then it is durable, or refused."""


class Session(Protocol):
    """The connection, from its start to its end."""

    transport: Any
    log = Logger()

    def __init__(self, pace: Pace, clock: Any, name: str, taker: Taker) -> None:
        self.gone: Deferred[str] = Deferred()
        """Fires with the reason when the connection is no more."""
        self._pace, self._clock, self._name, self._taker = pace, clock, name, taker
        self._frames, self._sequence, self._heard = Frames(), 0, 0.0
        self._waiting: dict[int, Deferred[Pdu]] = {}
        self._running: set[Deferred[None]] = set()
        self._is_open, self._why = False, ""
        self._idle: Deferred[None] | None = None
        self._enquiry = LoopingCall(self._enquire)
        self._enquiry.clock = clock

    # --- the connection

    def connectionMade(self) -> None:
        """Begin to watch for silence."""
        self._is_open, self._heard = True, self._clock.seconds()
        self._enquiry.start(self._pace.enquire, now=False)

    def dataReceived(self, data: bytes) -> None:
        """Take the PDUs in these octets."""
        self._heard = self._clock.seconds()
        try:
            for pdu in self._frames.receive(data):
                self._take(pdu)
        except BadFrame as bad:
            self.log.warn("the SMSC sends {why}: the connection is closed", why=str(bad))  # noqa: G010 - Twisted's name
            self._answer(Pdu(Command.GENERIC_NACK, 0, b"", Status.RINVCMDLEN))
            self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Let everybody know who waits."""
        self._is_open = False
        if self._enquiry.running:
            self._enquiry.stop()
        waiting, self._waiting = self._waiting, {}
        for one in waiting.values():
            one.errback(ConnectionError(f"the connection broke: {reason.getErrorMessage()}"))
        self.gone.callback(self._why or reason.getErrorMessage())

    def _take(self, pdu: Pdu) -> None:
        if pdu.is_response:
            waiting = self._waiting.pop(pdu.sequence, None)
            if waiting is not None:
                waiting.callback(pdu)
            return
        answer = _ANSWERS.get(pdu.command)
        if answer is None:
            self._answer(Pdu(Command.GENERIC_NACK, pdu.sequence, b"", Status.RINVCMDID))
        else:
            answer(self, pdu)

    def _answer(self, pdu: Pdu) -> None:
        if self._is_open:
            self.transport.write(pdu.render())

    # --- what we ask

    async def bind(self, access: Access) -> str:
        """Bind as a transceiver; gives the SMSC's name. Refusal or ConnectionError."""
        pdu = await self._request(Command.BIND_TRANSCEIVER, access.bind().render())
        return parse_name(pdu.body)

    async def submit(self, message: TextMessage) -> str:
        """Send a message; gives the message_id, empty when the SMSC gives none. Refusal or ConnectionError."""
        pdu = await self._request(Command.SUBMIT_SM, message.render())
        try:
            return parse_name(pdu.body)
        except BadBody:
            return ""  # it was accepted all the same

    async def unbind(self) -> None:
        """Say good-bye, if anybody listens; then close. What is being worked on is answered before."""
        if not self._is_open:
            return
        try:
            await self._request(Command.UNBIND)
        except (Refusal, ConnectionError):
            self.log.debug("no answer to unbind")
        if self._running:
            self._idle = Deferred()
            self._idle.addTimeout(self._pace.answer, self._clock)
            self._idle.addErrback(lambda failure: failure.trap(NoAnswer))
            await self._idle
        for one in list(self._running):
            one.cancel()
        if self._is_open:
            self.transport.loseConnection()

    async def _request(self, command: Command, body: bytes = b"") -> Pdu:
        if not self._is_open:
            raise ConnectionError("there is no connection to the SMSC")
        self._sequence = self._sequence % LAST_SEQUENCE + 1
        sequence = self._sequence
        waiting: Deferred[Pdu] = Deferred()
        self._waiting[sequence] = waiting
        waiting.addTimeout(self._pace.answer, self._clock)
        self.transport.write(Pdu(command, sequence, body).render())
        try:
            answer = await waiting
        except NoAnswer:
            self._why = f"no answer to {command.name.lower()} within {self._pace.answer:g} seconds"
            if self._is_open:
                self.transport.abortConnection()
            raise ConnectionError(self._why) from None
        finally:
            self._waiting.pop(sequence, None)
        if answer.status:
            raise Refusal(answer.status)
        if answer.command != command | RESPONSE:
            raise ConnectionError("the SMSC gave an answer to something else")
        return answer

    def _enquire(self) -> None:
        if self._clock.seconds() - self._heard >= self._pace.enquire * 0.9:
            self._own(self._enquired())

    async def _enquired(self) -> None:
        try:
            await self._request(Command.ENQUIRE_LINK)
        except (Refusal, ConnectionError) as trouble:
            self.log.info("enquire_link: {why}", why=str(trouble))

    # --- what the SMSC asks

    def _deliver(self, pdu: Pdu) -> None:
        try:
            message = TextMessage.parse(pdu.body)
        except BadBody as bad:
            self._answer(Pdu(Command.DELIVER_SM_RESP, pdu.sequence, b"\0", bad.status))
            return
        self._own(self._taken(Arrival(message, self._name, pdu.sequence)))
        if len(self._running) >= MOST_INCOMING:
            self.transport.pauseProducing()

    async def _taken(self, arrival: Arrival) -> None:
        try:
            status = await self._taker(arrival)
        except CancelledError:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, the SMSC keeps the message and tries again
            self.log.failure("a message from the SMSC could not be taken")
            status = Status.RX_T_APPN
        self._answer(Pdu(Command.DELIVER_SM_RESP, arrival.sequence, b"\0", status))

    def _own(self, coroutine: Any) -> None:
        """Run a coroutine that ends with this object."""
        running: Deferred[None] = Deferred.fromCoroutine(coroutine)
        self._running.add(running)
        running.addErrback(lambda failure: None if failure.check(CancelledError) else self._note(failure))
        running.addBoth(self._ended, running)

    def _note(self, failure: Failure) -> None:
        self.log.failure("the bind failed", failure)

    def _ended(self, _: object, running: Deferred[None]) -> None:
        was_full = len(self._running) >= MOST_INCOMING
        self._running.discard(running)
        if was_full and self._is_open and len(self._running) < MOST_INCOMING:
            self.transport.resumeProducing()
        if not self._running and self._idle is not None and not self._idle.called:
            self._idle.callback(None)

    def _alive(self, pdu: Pdu) -> None:
        self._answer(Pdu(Command.ENQUIRE_LINK_RESP, pdu.sequence))

    def _unbound(self, pdu: Pdu) -> None:
        self._answer(Pdu(Command.UNBIND_RESP, pdu.sequence))
        self.transport.loseConnection()


_ANSWERS: Mapping[int, Callable[[Session, Pdu], None]] = {
    Command.DELIVER_SM: Session._deliver,  # noqa: SLF001 - the table of answers stands below its class
    Command.ENQUIRE_LINK: Session._alive,  # noqa: SLF001
    Command.UNBIND: Session._unbound,  # noqa: SLF001
}
