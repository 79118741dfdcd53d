"""One receiving connection: octets from the transport to the machine, what the dialogue says back to the transport.

The flow: ``dataReceived`` feeds the machine, ``_advance`` answers its events until it needs octets or an answer has
to be waited for, and all that was said leaves in one write. While an answer waits, the machine is paused and commands
behind it stay in its buffer, in their order; a peer that sends too far ahead has its transport paused. So has one that
does not read what we say: nothing more is read or answered until it does, so that replies cannot heap up.

Deadlines: ``check_time`` is called by the factory once a second. A command must be whole by its deadline, which single
octets do not move; content moves it by as much time as its octets take at the least rate.

TLS is laid between the transport and this protocol, at once (``is_implicit``) or after the 220 to STARTTLS. Until its
handshake is completed nothing is said and nothing is heard; a greeting that is due by then is said when it is.
"""

from typing import TYPE_CHECKING, cast
from typing import Protocol as PythonProtocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IHalfCloseableProtocol,
    IHandshakeListener,
    IProtocol,
    IPushProducer,
    IReactorTime,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from mailnode.mail.reply import Reply
from mailnode.sessions.admission import Admission, Admitted, plain_address
from mailnode.sessions.dialogue import Dialogue, Pending
from mailnode.sessions.settings import SessionSettings
from mailnode.sessions.starting import start
from mailnode.smtp import events, replies
from mailnode.smtp.server import ServerConnection
from mailnode.wire import Encryption, Wire, take_over

if TYPE_CHECKING:
    from twisted.internet.tcp import Connection

READ_AHEAD = 1 << 18
"""Octets a peer may send ahead of an answer that waits; then its transport is paused."""

LAST_WORDS = 30.0
"""Seconds that a peer has to read our last words before the connection is cut off."""

NEVER = float("inf")


class Listening(PythonProtocol):
    """What a connection needs of the listener it came through."""

    settings: SessionSettings
    clock: IReactorTime
    admission: Admission
    greeting: Reply
    encryption: Encryption | None
    """None: no TLS here."""
    is_implicit: bool
    """TLS begins with the connection (RFC 8314 section 3)."""
    sessions: "set[Receiver]"
    """All connections there are; each puts itself in and takes itself out."""

    def trusts(self, address: str) -> bool:
        """Tell whether sessions from this address are not limited in number."""
        ...

    def session_ended(self) -> None:
        """Hear that a session is gone."""
        ...


@implementer(IHalfCloseableProtocol, IHandshakeListener, IPushProducer)
class Receiver(Protocol):
    """The protocol of one connection."""

    log = Logger()

    def __init__(self, house: Listening, connection: ServerConnection, dialogue: Dialogue, *, trusted: bool) -> None:
        self._house = house
        self._connection = connection
        self._dialogue = dialogue
        self.turned_away: Reply | None = None
        """What it is greeted with instead of 220: it is not wanted here."""
        self._trusted = trusted
        self._counted_as = dialogue.peer.address
        self._running: Deferred[bytes] | None = None
        self._out: list[bytes] = []
        self._advancing = False
        self._greeted = False
        self._admitted = False
        self._waits_for_place = False
        self._half_closed = False
        self._read_paused = False
        self._is_unheard = False
        self._closing = False
        self._lost = False
        self._has_left = False
        self._handshakes = False
        """The TLS handshake has begun and is not completed."""
        self._greets_then: tuple[Reply | None] | None = None
        """What to greet with once it is; None: it is not time to greet."""
        self._ending = ""
        """Why the session ended, when that is more than ``closed`` or ``lost``."""
        self._began = 0.0
        self._greet_at = NEVER
        self._deadline = NEVER

    # --- the door ---------------------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        """Ask for admission, then greet now or a little later."""
        house = self._house
        now = self._began = house.clock.seconds()
        self._wire = cast("Connection", self.transport)
        self._way = Wire(self._wire)
        self._wire.registerProducer(self, True)
        if not self._dialogue.peer.local_address:
            self._dialogue.reached(plain_address(self._wire.getHost()))
        house.sessions.add(self)
        if house.is_implicit and not self._cover():
            self._ending = "no TLS to be had"
            self._wire.abortConnection()
            return
        match house.admission.ask(self._dialogue.peer.address, trusted=self._trusted):
            case Admitted.YES:
                self._enter()
                self._greet_at = now + house.settings.greeting_delay
                if not house.settings.greeting_delay:
                    self._greet()
            case Admitted.LATER:
                house.admission.waiting += 1
                self._waits_for_place = True
                self._greet_at = now + house.settings.overload_wait
            case Admitted.NO:
                self._greet(replies.TOO_BUSY)
            case Admitted.TOO_MANY_FROM_ADDRESS:
                self._greet(replies.TOO_MANY_CONNECTIONS)

    def _enter(self) -> None:
        self._admitted = True
        self._house.admission.enter(self._counted_as)
        self._dialogue.moved = self._move

    def _move(self, address: str) -> bool:
        """Count the session for the address of who speaks from now on; False when that has too many."""
        admission, trusted = self._house.admission, self._house.trusts(address)
        admission.leave(self._counted_as)
        is_welcome = admission.ask(address, trusted=trusted) is not Admitted.TOO_MANY_FROM_ADDRESS
        if is_welcome:
            self._counted_as, self._trusted = address, trusted
        admission.enter(self._counted_as)
        return is_welcome

    def _stop_waiting(self) -> None:
        if self._waits_for_place:
            self._waits_for_place = False
            self._house.admission.waiting -= 1

    def _greet(self, reply: Reply | None = None) -> None:
        self._greet_at = NEVER
        if self._handshakes:
            self._greets_then = (reply,)
            return
        self._greeted = True
        if self._connection.has_unread:
            self._dialogue.note("early-talker")
            if self._house.settings.early_talkers == "refuse":
                reply = replies.EARLY_TALKER
        self._out.append(self._dialogue.greet(reply or self.turned_away or self._house.greeting))
        self._await_command()
        self._advance()

    # --- TLS --------------------------------------------------------------------------------------------------

    def _cover(self) -> bool:
        """Begin the handshake; False when TLS cannot be had."""
        encryption = self._house.encryption
        if encryption is None or not encryption.is_ready():
            return False
        self._handshakes, self._is_unheard = True, False
        self._deadline = self._house.clock.seconds() + self._house.settings.handshake_timeout
        self._wire.unregisterProducer()
        self._wire = cast("Connection", encryption.cover(self, self._way))
        self._way = Wire(self._wire)
        self._wire.registerProducer(self, True)
        return True

    def _start_tls(self) -> None:
        """Begin the handshake after the 220 to STARTTLS; what was sent behind the command is never read (RFC 3207 4.2)."""
        if self._handshakes:
            return
        if self._connection.has_unread:
            self._dialogue.note("spoke-before-tls")
        self._flush()
        if not self._cover():
            self._wire.abortConnection()

    def handshakeCompleted(self) -> None:
        """Go on within TLS: a stranger's first command, or the greeting if that is due."""
        self._handshakes = False
        if self._house.encryption is not None:
            self._dialogue.secured(self._house.encryption.channel(self._wire))
        if self._greeted:
            self._await_command()
            return
        self._deadline = NEVER
        if self._greets_then is not None:
            self._greet(*self._greets_then)

    # --- time -------------------------------------------------------------------------------------------------

    @property
    def wakes_at(self) -> float:
        """Give the moment from which ``check_time`` has something to do."""
        if self._waits_for_place:
            return 0.0
        return min(self._greet_at, self._deadline)

    def check_time(self, now: float) -> None:
        """Do what is due by ``now``."""
        if self._waits_for_place:
            self._check_place(now)
        elif now >= self._greet_at:
            self._greet()
        elif now >= self._deadline:
            if self._handshakes:
                self._ending = "the TLS handshake took too long"
                self._wire.abortConnection()
            elif self._closing:
                self._wire.abortConnection()
            else:
                self.close_with(replies.TIMED_OUT)

    def _check_place(self, now: float) -> None:
        admission = self._house.admission
        if admission.has_place:
            self._stop_waiting()
            # Others from its address may have found their places meanwhile.
            if admission.ask(self._dialogue.peer.address, trusted=self._trusted) is not Admitted.YES:
                self._greet(replies.TOO_MANY_CONNECTIONS)
                return
            self._enter()
            self._greet()
        elif now >= self._greet_at:
            self._stop_waiting()
            self._greet(replies.TOO_BUSY)

    def _await_command(self) -> None:
        self._deadline = self._house.clock.seconds() + self._house.settings.command_timeout

    def _await_content(self, received: int) -> None:
        settings = self._house.settings
        latest = self._house.clock.seconds() + settings.data_timeout
        self._deadline = min(self._deadline + received / settings.min_data_rate, latest) if received else latest

    # --- octets in, what is said out --------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """Feed the machine and go as far as it goes."""
        if self._closing:
            return
        self._connection.receive_data(data)
        if self._running is None and self._greeted:
            self._advance()
        elif self._connection.unread > READ_AHEAD:
            self._pause_reading()

    def _pause_reading(self) -> None:
        if not self._read_paused:
            self._read_paused = True
            self._wire.pauseProducing()

    def readConnectionLost(self) -> None:
        """Answer what was sent before the peer closed its half, then close ours."""
        self._half_closed = True
        if self._running is None and self._greeted and not self._closing:
            self._advance()

    def writeConnectionLost(self) -> None:
        """Nobody listens any more; ``connectionLost`` follows."""

    def pauseProducing(self) -> None:
        """Hear from the transport that the peer does not read: say and read nothing more until it does."""
        self._is_unheard = True
        if not self._closing:
            self._pause_reading()

    def resumeProducing(self) -> None:
        """Hear that the peer has read what was said."""
        self._is_unheard = False
        if self._running is None and not self._closing:
            self._advance()

    def stopProducing(self) -> None:
        """Nobody reads any more; ``connectionLost`` follows."""

    def _advance(self) -> None:
        if self._advancing:
            return
        self._advancing = True
        while self._running is None and not (self._dialogue.ends or self._is_unheard):
            event = self._connection.next_event()
            if event is events.NEED_DATA:
                if self._half_closed:
                    self._dialogue.ends = True
                break
            if event is events.PAUSED:
                self._start_tls()
                break
            self._answer(event)
        self._advancing = False
        self._flush()
        if self._dialogue.ends and self._running is None:
            self._close()
        elif self._read_paused and self._running is None and not self._is_unheard:
            self._read_paused = False
            self._wire.resumeProducing()

    def _answer(self, event: object) -> None:
        is_content = isinstance(event, events.ContentPart)
        if is_content:
            self._await_content(len(cast("events.ContentPart", event).octets))
        answer = self._dialogue.answer(event)
        said = answer if isinstance(answer, bytes) else self._started(answer)
        if isinstance(said, Deferred):
            self._wait(said, self._deadline if is_content else None)
            return
        if said:
            self._out.append(said)
        if isinstance(event, events.Data):
            self._await_content(0)
        elif not is_content:
            self._await_command()

    def _started(self, answer: Pending) -> bytes | Deferred[bytes]:
        try:
            return start(answer)
        except Exception:  # noqa: BLE001 - a bug in the dialogue itself; the peer must not wait for ever
            self._not_answered(Failure())
            return b""

    def _wait(self, answer: Deferred[bytes], deadline: float | None) -> None:
        """Wait for an answer; the peer waits for us meanwhile and owes nothing."""
        self._deadline = NEVER
        self._running = answer
        answer.addCallbacks(self._answered, self._not_answered, callbackArgs=(deadline,))

    def _answered(self, said: bytes, deadline: float | None) -> None:
        self._running = None
        if self._lost:
            self._leave(Failure(ConnectionDone()))
            return
        self._out.append(said)
        if deadline is None:
            self._await_command()
        else:
            self._deadline = deadline
        self._advance()

    def _not_answered(self, failure: Failure) -> None:
        self._running = None
        if failure.check(CancelledError) and (self._has_left or (self._closing and not self._lost)):
            return
        self.log.failure("the dialogue failed", failure)
        if self._lost:
            # Its connection was gone already, so nothing else would take the session out of the books.
            if not self._has_left:
                self._leave(failure)
        else:
            self._wire.abortConnection()

    def _flush(self) -> None:
        if self._out and not self._lost:
            self._way.write(self._out[0] if len(self._out) == 1 else b"".join(self._out))
        self._out.clear()

    # --- the end ----------------------------------------------------------------------------------------------

    def close_with(self, reply: Reply) -> None:
        """Say an unasked-for 421 and close; a message whose final dot is in is finished and answered first."""
        if self._closing or self._dialogue.is_committing:
            return
        if self._handshakes:
            self._wire.abortConnection()
            return
        said = self._dialogue.interrupt(reply) if self._greeted else self._dialogue.greet(reply)
        self._out.append(said)
        self._flush()
        self._close()
        running, self._running = self._running, None
        if running is not None:
            # Its answer would come after our last words.
            running.cancel()

    def _hand_over(self, successor: IProtocol) -> None:
        """Let another protocol have the connection: the session is over, and the peer stays."""
        self._wire.unregisterProducer()
        if self._read_paused:
            self._wire.resumeProducing()
        self._lost = self._closing = True
        self._deadline = NEVER
        if self._admitted:
            self._admitted = False
            self._house.admission.leave(self._counted_as)
        self._ending = "handed over"
        self._leave(Failure(ConnectionDone()))
        take_over(self._wire, successor)

    def _close(self) -> None:
        successor = self._dialogue.successor
        if successor is not None and not self._closing:
            self._hand_over(successor)
            return
        self._closing = True
        if not self._lost:
            self._deadline = self._house.clock.seconds() + LAST_WORDS
            self._wire.unregisterProducer()
            self._way.finish()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget the transaction, unless its final dot is in: then it is finished."""
        if self._handshakes and not self._ending and self._house.encryption is not None:
            why = self._house.encryption.why(reason.value) if reason.value is not None else "unknown"
            self._ending = f"no TLS came about: {why}"
        elif self._closing and self._dialogue.peer.tls and type(reason.value) is ConnectionLost:
            self._ending = "closed"  # few clients close TLS in form once all is said
        self._handshakes = False
        self._lost = self._closing = True
        self._deadline = self._greet_at = NEVER
        self._stop_waiting()
        if self._admitted:
            self._admitted = False
            self._house.admission.leave(self._counted_as)
        if not self._dialogue.is_committing:
            self._leave(reason)

    def cut_off(self) -> None:
        """Close without a word."""
        self._wire.abortConnection()

    def _leave(self, reason: Failure) -> None:
        self._has_left = True
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
        self._dialogue.abort()
        dialogue, peer = self._dialogue, self._dialogue.peer
        self.log.info(
            "{peer}: session on {listener} ended after {duration:.1f}s: "
            "hello={hello} accepted={accepted} refused={refused} {reason}",
            event="session", peer=peer.address, listener=peer.listener, hello=peer.hello, tls=peer.tls,
            account=peer.account, notes=list(peer.notes), accepted=dialogue.accepted, refused=dialogue.refused,
            duration=self._house.clock.seconds() - self._began,
            reason=self._ending or ("closed" if reason.check(ConnectionDone) else "lost"),
        )  # fmt: skip
        self._house.sessions.discard(self)
        self._house.session_ended()
