"""SEND, SOML and SAML: a transaction for people's terminals, and for their mailboxes as well or instead (RFC 821 3.4).

====  =======================================  ==================================================================
verb  at RCPT                                  at the final dot
====  =======================================  ==================================================================
SEND  450 unless the user is active            shown; 450 when the terminal has gone meanwhile
SOML  as MAIL unless the user is active        shown, and into the mailbox for whoever was not active any more
SAML  as MAIL                                  into the mailbox, and shown to whoever is active
====  =======================================  ==================================================================

The mailbox's part is an ordinary transaction beside this one, with all its promises. Only users of our own have a
terminal, reached by their address or an alias of one; lists have none. A report of success (NOTIFY=SUCCESS) needs the
books of the queue, which terminals have no part in: SEND cannot give it ever (555), SOML not while the user is active
(455), and with SAML it is the mailbox that it speaks of.
"""

from collections.abc import Awaitable, Sequence

from attrs import evolve
from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from mailnode.interfaces import Refused, Transaction
from mailnode.mail.address import NULL
from mailnode.mail.content import MEMORY_LIMIT, Content
from mailnode.mail.envelope import Envelope, Manner, Recipient
from mailnode.mail.message import DeliveryRequest, Message, Peer
from mailnode.mail.outcome import Delayed, Outcome
from mailnode.mail.queueid import new_queue_id
from mailnode.mail.reply import Reply
from mailnode.mail.route import Lane, Refusal
from mailnode.roles.house import House, Terminals
from mailnode.roles.literals import at_home
from mailnode.routing.resolution import resolve
from mailnode.smtp import replies

TERMINALS = Lane("terminal")


class SendingTransaction:
    """Implements interfaces.Transaction; ``mail`` is the transaction for what goes into mailboxes."""

    log = Logger()

    def __init__(self, house: House, terminals: Terminals, peer: Peer, envelope: Envelope, mail: Transaction) -> None:
        self._house = house
        self._terminals = terminals
        self._peer = peer
        self._envelope = envelope
        self._mail = mail
        self._manner = envelope.manner
        self._queue_id = new_queue_id(house.clock.seconds(), house.random)
        self._accepted = 0
        self._mailed = 0
        self._shown: dict[Recipient, Recipient] = {}
        """Who is to see it, by the address of the mailbox, and the recipient as it was given."""
        self._start = b""
        self._size = 0

    async def add_recipient(self, recipient: Recipient) -> Reply:
        """Find out whether the user is active; raises Refused."""
        reply = await self._add(recipient)
        self._accepted += 1
        return reply

    async def _add(self, recipient: Recipient) -> Reply:
        if self._manner is Manner.SEND and recipient.wants_success:
            raise Refused(replies.NO_REPORT_OF_TERMINALS)
        user = await self._user(recipient)
        is_active = user is not None and await self._terminals.accepts(user.forward_path)
        if self._manner is Manner.SEND and not is_active:
            raise Refused(replies.NOT_ACTIVE)
        if self._manner is Manner.SOML and is_active and recipient.wants_success:
            raise Refused(replies.NO_REPORT_NOW)
        reply = replies.RECIPIENT_OK
        if self._manner is Manner.SAML or not is_active:
            reply = await self._mail.add_recipient(recipient)
            self._mailed += 1
        if is_active and user is not None:
            self._shown[user] = recipient
        return reply

    async def _user(self, recipient: Recipient) -> Recipient | None:
        """Give the one user of ours that is meant; None when it is nobody's terminal, or Refused where that is all there is."""
        path = at_home(recipient.forward_path, self._peer, self._house.router.home)
        found = await self._routed(evolve(recipient, forward_path=path))
        if isinstance(found, Recipient):
            return evolve(found, notify=recipient.notify, original=recipient.original)
        if self._manner is Manner.SEND:
            raise Refused(found)
        return None

    async def _routed(self, recipient: Recipient) -> Recipient | Reply:
        router = self._house.router
        if not router.is_local(recipient.forward_path):
            return replies.NO_TERMINAL
        resolution = await resolve(router, recipient)
        if isinstance(resolution, Refusal):
            return resolution.reply
        user, _ = resolution.routes[0]
        is_user = not resolution.is_list and resolution.moved_to == NULL and router.is_local(user.forward_path)
        return user if is_user else replies.NO_TERMINAL

    def write(self, octets: bytes) -> Awaitable[None] | None:
        """Keep the start for the terminals, and hand all of it on for the mailboxes."""
        self._size += len(octets)
        if len(self._start) < MEMORY_LIMIT:
            self._start += octets[: MEMORY_LIMIT - len(self._start)]
        return None if self._manner is Manner.SEND else self._mail.write(octets)

    def abort(self) -> None:
        """Forget everything."""
        self._mail.abort()

    # --- at the final dot -------------------------------------------------------------------------------------

    async def commit(self) -> Sequence[Reply]:
        """Show it, keep it, then answer: all recipients the same."""
        limit = self._house.settings.max_size
        if limit and self._size > limit:
            self.abort()
            return [replies.TOO_BIG] * self._accepted
        reply = await (self._commit_both() if self._manner is Manner.SAML else self._commit_one())
        return [reply] * self._accepted

    async def _commit_both(self) -> Reply:
        """Put it into the mailboxes, and only then show it: what is refused will come again."""
        (reply, *_) = await self._mail.commit()
        if reply.is_positive:
            await self._show()
        return reply

    async def _commit_one(self) -> Reply:
        missed = [one for one, outcome in (await self._show()).items() if not outcome.reply.is_positive]
        if self._manner is Manner.SEND:
            self.abort()
            return replies.NOT_ACTIVE if missed else replies.ON_TERMINAL
        try:
            for user in missed:
                await self._mail.add_recipient(self._shown[user])
                self._mailed += 1
        except Refused as refused:
            self.abort()
            return refused.reply
        if not self._mailed:
            self.abort()
            return replies.ON_TERMINAL
        (reply, *_) = await self._mail.commit()
        return reply

    async def _show(self) -> dict[Recipient, Outcome]:
        if not self._shown:
            return {}
        now = self._house.clock.seconds()
        envelope = evolve(self._envelope, recipients=tuple(self._shown))
        message = Message(self._queue_id, envelope, Content(self._start), now)
        try:
            said = dict(await self._terminals.carry(DeliveryRequest(message, TERMINALS)))
        except CancelledError:
            raise
        except Exception:  # noqa: BLE001 - never a lost message because of our bug
            self.log.failure("{queue_id}: the courier failed", queue_id=self._queue_id)
            said = {}
        outcomes = {user: said.get(user) or Delayed(replies.LOCAL_TROUBLE) for user in self._shown}
        for user, outcome in outcomes.items():
            self._log_attempt(user, outcome)
        return outcomes

    def _log_attempt(self, user: Recipient, outcome: Outcome) -> None:
        self.log.info(
            "{queue_id}: to=<{forward_path}> lane={courier} attempt=1 outcome={outcome} ({diagnostic})",
            event="attempt", queue_id=self._queue_id, reverse_path=str(self._envelope.reverse_path),
            forward_path=str(user.forward_path), courier=TERMINALS.courier, next_hop="", attempt=1,
            outcome=type(outcome).__name__.lower(), status=str(outcome.reply.status or ""),
            diagnostic=str(outcome.reply), delay=0.0, verb=self._manner.value, peer=self._peer.address,
        )  # fmt: skip
