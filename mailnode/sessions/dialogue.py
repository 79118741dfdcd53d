"""The dialogue of one session: an event of the machine in, octets to say out (RFC 5321 section 3).

``_ANSWERS`` is the table: one small method for each event. A method returns octets, or a coroutine that will return
them when the answer has to be waited for. Trouble is settled here too: ``Refused`` becomes its reply, anything else 451
and a logged failure. Nothing here touches a transport or a clock.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Protocol, cast

from attrs import Factory, evolve, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IProtocol
from twisted.logger import Logger

from mailnode.interfaces import Authenticated, AuthExchange, Reception, Refused, Transaction
from mailnode.mail.envelope import Recipient
from mailnode.mail.message import Peer
from mailnode.mail.reply import Reply
from mailnode.sessions.authentication import Authentication, reply_for
from mailnode.sessions.settings import SessionSettings
from mailnode.sessions.status import status_reply
from mailnode.smtp import events, replies
from mailnode.smtp.extensions import STARTTLS, Extension
from mailnode.smtp.help import STATUS
from mailnode.smtp.requiretls import REQUIRETLS
from mailnode.smtp.server import ServerConnection
from mailnode.smtp.states import State
from mailnode.wire import Channel, Encryption

Pending = Coroutine[Deferred[Any], Any, bytes]
Answer = bytes | Pending
"""What to say (possibly nothing), or a coroutine that will give it."""


@frozen
class House:
    """What all sessions of a listener share."""

    hostname: str
    reception: Reception
    settings: SessionSettings
    verbs: Mapping[str, "AnswerVerb"] = Factory(dict)
    """What answers the commands that extensions add, by their verbs in capitals."""
    authentication: Authentication | None = None
    """How clients authenticate; None where they cannot."""
    encryption: Encryption | None = None
    """How TLS is begun; None where it is not."""
    is_implicit: bool = False
    """TLS is there before the first word."""
    by_time: Callable[[], tuple[Extension, ...]] | None = None
    """Gives the extensions whose lines change as time goes by."""

    def offered_now(self, peer: Peer) -> tuple[Extension, ...]:
        """Give the extensions that depend on the time, and on where the session stands."""
        offered = () if self.by_time is None else self.by_time()
        if self.authentication is not None:
            offered += (self.authentication.extension(peer),)
        if self.is_implicit or peer.tls:
            return (*offered, REQUIRETLS)
        return offered if self.encryption is None else (STARTTLS, *offered)


class Stopping(Protocol):
    """Tells whether the node is on its way down."""

    @property
    def is_stopping(self) -> bool:
        """No new message is begun."""
        ...


class Dialogue:
    """What is said in one session, and what it adds up to."""

    log = Logger()

    def __init__(self, house: House, connection: ServerConnection, peer: Peer, stopping: Stopping) -> None:
        self.peer = peer
        self.accepted = 0
        """Messages we have answered for."""
        self.refused = 0
        """Commands and messages refused."""
        self.ends = False
        """The session is over once what was returned has been said."""
        self.is_committing = False
        """The final dot is in: the answer is worked out whatever happens to the connection."""
        self.is_front = False
        """Its address is one that may speak for others (XCLIENT)."""
        self.successor: IProtocol | None = None
        """Takes the connection over when the session has ended."""
        self.moved: Callable[[str], bool] = lambda _: True
        """Counts the session for another address; False when that has too many."""
        self.always: tuple[Extension, ...] = ()
        """The extensions offered wherever the session stands; ``offer_anew`` adds the others."""
        self._house = house
        self._connection = connection
        self._stopping = stopping
        self._transaction: Transaction | None = None
        self._exchange: AuthExchange | None = None
        self._recipients = 0
        self._is_full = False
        self._errors = 0
        self._idle_commands = 0

    def answer(self, event: object) -> Answer:
        """Answer one event."""
        return _ANSWERS[type(event)](self, event)

    def abort(self) -> None:
        """Forget the transaction, if there is one."""
        self._recipients = 0
        self._is_full = False
        if self._transaction is not None:
            self._transaction.abort()
            self._transaction = None

    def reached(self, local_address: str) -> None:
        """Remember which address of ours the peer has reached."""
        self.peer = evolve(self.peer, local_address=local_address)

    def offer_anew(self) -> None:
        """Offer what there is for the peer as it is now known; to be called when that has changed (TLS)."""
        self._connection.change_offer((*self.always, *self._house.offered_now(self.peer)))

    def begin_anew(self, peer: Peer, greeting: Reply) -> bytes:
        """Greet somebody else on this connection, as if nothing had been said; answers the event that owes a reply."""
        self.abort()
        self.peer = peer
        said = self._connection.send(greeting)
        self._connection.begin_anew()
        self.offer_anew()
        return said

    @property
    def has_unread(self) -> bool:
        """Tell whether the peer has said more than was answered."""
        return self._connection.has_unread

    def give_way(self, successor: IProtocol) -> None:
        """End the session with the next reply, but not the connection: that is the successor's."""
        self.successor = successor
        self.ends = True

    def note(self, word: str) -> None:
        """Remember something noticed about the peer."""
        self.peer = evolve(self.peer, notes=(*self.peer.notes, word))

    def greet(self, reply: Reply) -> bytes:
        """Say the first words; anything but 220 ends the session (RFC 5321 3.1)."""
        if not reply.is_positive:
            self._count(reply)
            self.ends = True
        return self._connection.greet(reply)

    def interrupt(self, reply: Reply) -> bytes:
        """Say an unasked-for 421 (RFC 5321 3.8)."""
        self.ends = True
        return self._connection.interrupt(reply)

    def say(self, reply: Reply) -> bytes:
        """Answer the event that owes a reply; refusals are counted, too many of them end the session."""
        said = self._connection.send(reply)
        if reply.code < 400:
            return said
        self._count(reply)
        self._errors += 1
        if reply.code == 421:
            self.ends = True
        elif self._errors >= self._house.settings.max_errors:
            return said + self.interrupt(replies.TOO_MANY_ERRORS)
        return said

    def _count(self, reply: Reply) -> None:
        self.refused += 1
        self.log.info(
            "{peer}: refused: {reply}",
            event="refused", peer=self.peer.address, listener=self.peer.listener, hello=self.peer.hello,
            reply=str(reply),
        )  # fmt: skip

    def settled(self, coroutine: Coroutine[Deferred[Any], Any, Reply]) -> Pending:
        """Answer with the reply that the coroutine gives."""
        return self._settled(coroutine)

    async def _settled(self, coroutine: Coroutine[Deferred[Any], Any, Reply]) -> bytes:
        """Wait for a reply; what is refused or goes wrong is a reply too."""
        try:
            reply = await coroutine
        except Refused as refused:
            reply = refused.reply
        except CancelledError:
            raise
        except Exception:  # noqa: BLE001 - a bug of ours must be a 451, never a lost session
            self.log.failure("{peer}: trouble of ours", peer=self.peer.address)
            reply = replies.LOCAL_TROUBLE
        return self.say(reply)

    # --- hello ------------------------------------------------------------------------------------------------

    def _hello(self, event: events.Hello) -> Answer:
        self.abort()
        if self._is_idling():
            return self.say(replies.TOO_MANY_ERRORS)
        self.peer = evolve(self.peer, hello=event.name, is_extended=event.verb != "HELO")
        hostname = self._house.hostname
        return self._connection.accept_hello(f"{hostname} greets {event.name}" if event.name.isascii() else hostname)

    # --- the transaction --------------------------------------------------------------------------------------

    def _mail(self, event: events.Mail) -> Answer:
        if self.accepted >= self._house.settings.max_transactions:
            return self.say(replies.TOO_MANY_TRANSACTIONS)
        return self._settled(self._begin(event))

    async def _begin(self, event: events.Mail) -> Reply:
        self.abort()
        self._transaction = await self._house.reception.begin(self.peer, event.envelope, event.size)
        return replies.SENDER_OK

    def _rcpt(self, event: events.Rcpt) -> Answer:
        if self._recipients >= self._house.settings.max_recipients:
            return self._overfull(replies.TOO_MANY_RECIPIENTS)
        return self._settled(self._add(event.recipient))

    def _overfull(self, reply: Reply) -> bytes:
        """Refuse a recipient beyond the limit: logged once a transaction, and no error of the client.

        Whoever has sent a thousand more in one write must still reach its DATA for those that were taken (RFC 5321
        section 4.5.3.1.10).
        """
        if not self._is_full:
            self._is_full = True
            self._count(reply)
        return self._connection.send(reply)

    async def _add(self, recipient: Recipient) -> Reply:
        reply = await self._open().add_recipient(recipient)
        self._recipients += 1
        return reply

    def _data(self, _event: events.Data) -> Answer:
        return self.say(replies.START_DATA)

    def _content(self, event: events.ContentPart) -> Answer:
        pending = self._open().write(event.octets)
        return b"" if pending is None else self._written(pending)

    async def _written(self, pending: Awaitable[None]) -> bytes:
        await cast("Deferred[None]", pending)
        return b""

    def _chunk(self, event: events.ChunkEnd) -> Answer:
        if not event.size and self._is_idling():
            return self.say(replies.TOO_MANY_ERRORS)
        return self.say(Reply.of(250, "2.0.0", f"{event.size} octets received"))

    def _content_end(self, event: events.ContentEnd) -> Answer:
        if event.fault is not None:
            count = self._recipients
            self.abort()
            return self._say_to_each([event.fault] * count)
        self.is_committing = True
        return self._commit()

    async def _commit(self) -> bytes:
        count = self._recipients
        try:
            answers = await self._open().commit()
        except Exception:  # noqa: BLE001 - the peer must hear that we did not take it
            self.log.failure("{peer}: trouble of ours at the final dot", peer=self.peer.address)
            answers = [replies.LOCAL_TROUBLE] * count
        self._transaction = None
        self._recipients = 0
        self._is_full = False
        self.is_committing = False
        self._idle_commands = 0
        if any(answer.is_positive for answer in answers):
            self.accepted += 1
        said = self._say_to_each(answers)
        if self._stopping.is_stopping and not self.ends:
            said += self.interrupt(replies.SHUTTING_DOWN)
        return said

    def _say_to_each(self, answers: Any) -> bytes:
        """Answer the final dot: once in SMTP, once for each recipient in LMTP (RFC 2033 section 4.2)."""
        if self.peer.service != "lmtp":
            return self.say(answers[0])
        for answer in answers:
            if not answer.is_positive:
                self._count(answer)
        return self._connection.send_each(answers)

    def _open(self) -> Transaction:
        if self._transaction is None:
            raise RuntimeError("the machine let a command through that needs a transaction")
        return self._transaction

    # --- TLS --------------------------------------------------------------------------------------------------

    def _start_tls(self, _event: events.StartTls) -> Answer:
        encryption = self._house.encryption
        is_ready = encryption is not None and encryption.is_ready()
        return self.say(replies.START_TLS if is_ready else replies.TLS_NOT_NOW)

    def secured(self, channel: Channel) -> None:
        """Know the peer anew within TLS: what it said before counts no more (RFC 3207 section 4.2)."""
        self.peer = evolve(
            self.peer, hello="", is_extended=False, account="", tls=channel.description,
            certificate_names=channel.certificate_names, channel_bindings=channel.bindings,
        )  # fmt: skip
        if self._connection.state is State.HANDSHAKE:
            self._connection.reset_after_tls()
        self.offer_anew()

    # --- AUTH -------------------------------------------------------------------------------------------------

    def _authenticate(self, event: events.Authenticate) -> Answer:
        return self._settled(self._begin_exchange(event))

    async def _begin_exchange(self, event: events.Authenticate) -> Reply:
        authentication = self._house.authentication
        if authentication is None:
            raise Refused(replies.NOT_OFFERED)
        self._exchange = authentication.begin(self.peer, event.mechanism)
        return await self._step(event.response)

    def _respond(self, event: events.AuthResponse) -> Answer:
        return self._settled(self._step(event.response))

    async def _step(self, response: bytes | None) -> Reply:
        if self._exchange is None:
            raise RuntimeError("the machine gave a response that nobody had asked for")
        said = await self._exchange.step(response)
        if isinstance(said, Authenticated):
            self._exchange = None
            self.peer = evolve(self.peer, account=said.account)
        return reply_for(said)

    # --- everything else --------------------------------------------------------------------------------------

    def _reset(self, _event: events.Reset) -> Answer:
        self.abort()
        return self.say_idling(replies.OK)

    def _noop(self, _event: events.Noop) -> Answer:
        return self.say_idling(replies.OK)

    def _help(self, event: events.HelpAsked) -> Answer:
        is_status = event.argument.upper() == STATUS
        return self.say_idling(self._status() if is_status else self._connection.explain(event.argument))

    def _status(self) -> Reply:
        return status_reply(
            self._house.hostname, self.peer,
            accepted=self.accepted, has_transaction=self._transaction is not None, recipients=self._recipients,
        )  # fmt: skip

    def _quit(self, _event: events.Quit) -> Answer:
        self.abort()
        self.ends = True
        return self._connection.send(Reply.of(221, "2.0.0", f"{self._house.hostname} closes the session"))

    def _verify(self, event: events.Verify) -> Answer:
        if self._is_idling():
            return self.say(replies.TOO_MANY_ERRORS)
        return self._settled(self._house.reception.verify(self.peer, event.argument))

    def _expand(self, event: events.Expand) -> Answer:
        if self._is_idling():
            return self.say(replies.TOO_MANY_ERRORS)
        return self._settled(self._house.reception.expand(self.peer, event.argument))

    def _faulty(self, event: events.Faulty) -> Answer:
        return self.say(event.reply)

    def _extra(self, event: events.Extra) -> Answer:
        answer = self._house.verbs.get(event.verb)
        return self.say(replies.NOT_OFFERED) if answer is None else answer(self, event.argument)

    def say_idling(self, reply: Reply) -> bytes:
        """Answer a command that carries no mail, unless there were too many of them in a row."""
        return self.say(replies.TOO_MANY_ERRORS if self._is_idling() else reply)

    def _is_idling(self) -> bool:
        """Count a command that carries no mail; tell when there were too many in a row."""
        self._idle_commands += 1
        return self._idle_commands > self._house.settings.max_idle_commands


AnswerVerb = Callable[[Dialogue, str], Answer]
"""Answers a command of an extension, given its argument."""

_ANSWERS: dict[type, Callable[[Dialogue, Any], Answer]] = {
    events.Hello: Dialogue._hello,
    events.Mail: Dialogue._mail,
    events.Rcpt: Dialogue._rcpt,
    events.Data: Dialogue._data,
    events.ContentPart: Dialogue._content,
    events.ChunkEnd: Dialogue._chunk,
    events.ContentEnd: Dialogue._content_end,
    events.Reset: Dialogue._reset,
    events.Quit: Dialogue._quit,
    events.Noop: Dialogue._noop,
    events.Verify: Dialogue._verify,
    events.Expand: Dialogue._expand,
    events.HelpAsked: Dialogue._help,
    events.Faulty: Dialogue._faulty,
    events.Authenticate: Dialogue._authenticate,
    events.AuthResponse: Dialogue._respond,
    events.StartTls: Dialogue._start_tls,
    events.Extra: Dialogue._extra,
}
