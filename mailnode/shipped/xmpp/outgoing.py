"""Mail that becomes messages, and what is heard of them: errors, receipts, the answers to pings."""

from collections.abc import Callable, Coroutine
from typing import Any

from attrs import Factory, define
from twisted.internet.defer import TimeoutError  # noqa: A004 - addTimeout's
from twisted.words.xish.domish import Element

from mailnode.gateways.api import (
    Delayed,
    Delivered,
    Failed,
    GatewayNode,
    Outcome,
    OutgoingMessage,
    OutgoingRecipient,
    Relayed,
    shortened,
)
from mailnode.shipped.xmpp.conversations import Conversation, recall, references_of, remember, thread_of
from mailnode.shipped.xmpp.errors import outcome_of_error
from mailnode.shipped.xmpp.jids import bare
from mailnode.shipped.xmpp.link import Handed, Link
from mailnode.shipped.xmpp.stanzas import Chat, write_message, write_ping

OURS = "mn-"
"""What the ids of our messages begin with."""
MOST_RECENT = 1000
A_YEAR = 365 * 86400.0
_CONFIRMED = Delivered("confirmed by the recipient's program")


@define
class Outgoing:
    """One direction of the gateway."""

    node: GatewayNode
    link: Link
    begin: Callable[[Coroutine[Any, Any, None]], None]
    """Runs what an answer causes, in order."""
    limit: int
    answer_within: float
    _recent: dict[str, str] = Factory(dict)
    """To whom messages went whose receipt tells only that this person's program sends some."""

    async def send(self, message: OutgoingMessage, one: OutgoingRecipient, ours: str, text: str) -> Outcome:
        """Send one person a message and wait until the server has it; ``ours`` is the JID that writes."""
        try:
            theirs = bare(one.address)
        except ValueError as error:
            return Failed(str(error), "5.1.3")
        chat = await self._chat(message, one, ours, theirs, text)
        stream = await self.link.ready()
        handed = self.link.handed[chat.id] = Handed(theirs)
        try:
            stream.send(write_message(chat))
            stream.send(write_ping(chat.sender, theirs, chat.id))
            handed.answered.addTimeout(self.answer_within, self.node.clock)
            await handed.answered
        except TimeoutError:
            if handed.error is None and not handed.is_received:
                return await self._awaiting("handed to the server, which has not said what it does", theirs, chat.id)
        except ConnectionError as trouble:
            if handed.error is None and not handed.is_received:
                return Delayed(str(trouble), "4.4.2", is_unreachable=True)
        finally:
            self.link.handed.pop(chat.id, None)
        return await self._outcome(handed, one, chat.id)

    async def _outcome(self, handed: Handed, one: OutgoingRecipient, ident: str) -> Outcome:
        if handed.error is not None:
            return handed.error
        if handed.is_received:
            return _CONFIRMED
        # Nobody must depend on a receipt (XEP-0184 section 5.5): it is awaited only of those who have sent one before.
        is_awaited = one.recipient.wants_success and await self.node.recall(f"receipts {handed.peer}")
        if is_awaited:
            return await self._awaiting("taken by the XMPP server", handed.peer, ident)
        self._recent[ident] = handed.peer
        while len(self._recent) > MOST_RECENT:
            del self._recent[next(iter(self._recent))]
        return Relayed("taken by the XMPP server")

    async def _awaiting(self, text: str, peer: str, ident: str) -> Relayed:
        """Give the outcome of what will be heard of; only that is looked for when somebody sends a receipt."""
        await self.node.remember(f"awaits {_receipt_id(peer, ident)}", "yes")
        return Relayed(text, _receipt_id(peer, ident))

    async def _chat(self, message: OutgoingMessage, one: OutgoingRecipient, ours: str, theirs: str, text: str) -> Chat:
        """Write the message, and remember what an answer to it will be."""
        references = references_of(message.field("References"), message.field("In-Reply-To"))
        thread = await thread_of(self.node, theirs, ours, references, message.message_id)
        before = await recall(self.node, theirs, ours, thread)
        talk = Conversation(str(message.sender), thread, references=references)
        await remember(self.node, theirs, ours, talk.with_message(message.message_id, message.subject))
        lines = [f"From: {message.sender}"] if self.link.is_account else []
        if message.subject and (before is None or before.thread != thread or message.attempt > 1):
            lines.append(f"Subject: {message.subject}")
        body = "\n\n".join(part for part in ("\n".join(lines), text) if part) or "(no text)"
        ident = OURS + one.key[:40]
        return Chat(
            sender="" if self.link.is_account else ours, to=theirs, kind="chat", id=ident, origin_id=ident,
            thread=thread, body=shortened(body, self.limit), subject=shortened(message.subject, 500),
            wants_receipt=True, mark=message.mark,
        )  # fmt: skip

    # --- what is heard of it

    def is_answer(self, stanza: Element) -> bool:
        """Hear the answer to a ping of ours; False when it is something else."""
        handed = self._handed(stanza)
        if handed is None or stanza.getAttribute("type") not in ("result", "error"):
            return False
        if not handed.answered.called:
            handed.answered.callback(None)
        return True

    def hear_error(self, stanza: Element, ident: str) -> None:
        """Hear that a message of ours was not delivered."""
        outcome = outcome_of_error(stanza)
        handed = self._handed(stanza)
        if handed is not None:
            handed.error = handed.error or outcome
        elif ident.startswith(OURS):
            if isinstance(outcome, Delayed):  # the server has given up, and the message is not ours any longer
                outcome = Failed(outcome.text, outcome.status.replace("4", "5", 1))
            self.begin(self._tell(_receipt_id(sender_of(stanza), ident), outcome))

    def hear_receipt(self, peer: str, ident: str) -> None:
        """Hear that a message of ours has arrived."""
        handed = self.link.handed.get(ident)
        if handed is not None and handed.peer == peer:
            handed.is_received = True
            self.begin(self._note_receipts(peer))
        elif self._recent.pop(ident, "") == peer:
            self.begin(self._note_receipts(peer))
        elif ident.startswith(OURS):
            self.begin(self._tell(_receipt_id(peer, ident), _CONFIRMED))

    def _handed(self, stanza: Element) -> Handed | None:
        """Give the message of ours that it is about, if it comes from who may speak of it."""
        handed = self.link.handed.get(str(stanza.getAttribute("id", "")))
        return handed if handed is not None and sender_of(stanza) == handed.peer else None

    async def _tell(self, receipt_id: str, outcome: Delivered | Failed) -> None:
        if await self.node.recall(f"awaits {receipt_id}"):
            await self.node.receipt(receipt_id, outcome)

    async def _note_receipts(self, peer: str) -> None:
        if not await self.node.recall(f"receipts {peer}"):
            await self.node.remember(f"receipts {peer}", "yes", A_YEAR)


def sender_of(stanza: Element) -> str:
    """Give the bare JID that a stanza comes from; empty when it is none."""
    try:
        return bare(str(stanza.getAttribute("from", "")))
    except ValueError:
        return ""


def _receipt_id(peer: str, ident: str) -> str:
    """Name a receipt so that nobody else can give it."""
    return f"{peer} {ident}"
