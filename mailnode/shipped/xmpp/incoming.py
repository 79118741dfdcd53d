"""Messages that become mail, one after the other and within bounds; what is not taken is answered with an error."""

from collections import deque
from collections.abc import Coroutine, Sequence
from hashlib import sha256
from typing import Any

from attrs import Factory, define, evolve
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure
from twisted.words.xish.domish import Element

from mailnode.gateways.api import Draft, GatewayNode, Refused, Submitted, parse_mailbox, shortened
from mailnode.shipped.xmpp.conversations import Conversation, recall, remember
from mailnode.shipped.xmpp.errors import error_answer, error_of_refusal
from mailnode.shipped.xmpp.jids import bare, jid_of, mail_of, parse_jid
from mailnode.shipped.xmpp.link import Link
from mailnode.shipped.xmpp.stanzas import Chat, write_received

MOST_PENDING = 200
"""Stanzas from the other side that may wait for their turn; more are told to come later."""

Work = Coroutine[Any, Any, None]


@define(eq=False)
class Incoming:
    """The other direction of the gateway."""

    node: GatewayNode
    link: Link
    account: str
    """The bare JID that all is sent to; empty for a component."""
    to: str
    people: Sequence[str]
    is_open: bool = False
    _waiting: deque[tuple[Work, Element | None]] = Factory(deque)
    """What has come and was not begun, in its order."""
    _running: Deferred[None] | None = None

    def hear(self, stanza: Element, chat: Chat) -> None:
        """Hear a message; what is no person's words ends here."""
        if chat.is_carbon or chat.kind not in ("chat", "normal"):
            return
        if chat.is_encrypted:
            self.link.send(error_answer(stanza, "not-acceptable", "modify", "What is encrypted cannot become mail"))
        elif chat.body.strip():
            self.begin(self._take(stanza, chat), stanza)

    def begin(self, work: Work, stanza: Element | None = None) -> None:
        """Do it in the order in which it came."""
        if len(self._waiting) + (self._running is not None) >= MOST_PENDING:
            work.close()
            self._answer(stanza, "resource-constraint", "Too much at once")
            return
        self._waiting.append((work, stanza))
        if self._running is None:
            self._running = running = Deferred.fromCoroutine(self._work_off())
            running.addBoth(self._ended)

    def stop(self) -> None:
        """Take nothing more; what is being submitted is cancelled, and told so by the connection's end."""
        self.is_open = False
        while self._waiting:
            self._waiting.popleft()[0].close()
        if self._running is not None:
            self._running.cancel()

    def _ended(self, result: Failure | None) -> None:
        self._running = None
        if result is not None and not result.check(CancelledError):
            self.node.log.failure("gateway {gateway}: stanzas are not treated", result, gateway=self.node.name)

    async def _work_off(self) -> None:
        """Do what waits, one after the other: a loop, since each of many may be done without waiting for anything."""
        while self._waiting:
            work, stanza = self._waiting.popleft()
            try:
                await work
            except CancelledError:
                raise
            except Exception:  # noqa: BLE001 - one that fails must not keep the next from its turn
                self.node.log.failure("gateway {gateway}: a stanza was not treated", gateway=self.node.name)
                self._answer(stanza, "internal-server-error", "")

    def _answer(self, stanza: Element | None, condition: str, text: str) -> None:
        if stanza is not None:
            self.link.send(error_answer(stanza, condition, "wait", text))

    async def _take(self, stanza: Element, chat: Chat) -> None:
        """Submit a message as mail; its receipt goes out once it is durable."""
        if not self.is_open:
            self._answer(stanza, "resource-constraint", "Not open")
            return
        try:
            theirs, ours = bare(chat.sender), self._ours(chat)
            talk = await self._talk(theirs, ours, chat)
            if talk is None:
                self.link.send(error_answer(stanza, "forbidden", "auth", "This is only for answers to mail"))
                return
            done, subject = await self._submit(theirs, talk, chat)
        except ValueError as error:
            self.link.send(error_answer(stanza, "item-not-found", "cancel", str(error)))
        except Refused as refused:
            self.link.send(error_answer(stanza, *error_of_refusal(refused)))
        else:
            await remember(self.node, theirs, ours, talk.with_message(done.message_id, subject))
            if chat.wants_receipt and chat.id:
                self.link.send(write_received(chat))

    def _ours(self, chat: Chat) -> str:
        """Give the JID that it was said to, in its one form; ValueError when it stands for no mail address."""
        return self.account or jid_of(mail_of(chat.to), parse_jid(chat.to).host)

    async def _talk(self, theirs: str, ours: str, chat: Chat) -> Conversation | None:
        """Find the conversation it belongs to, or begin one; None when this person may not. ValueError: to nobody."""
        found = await recall(self.node, theirs, ours, chat.thread)
        if found is not None:
            if chat.thread in ("", found.thread):
                return found
            # Programs that give answers a thread of their own are many; a subject is what begins something new.
            return Conversation(found.mail, chat.thread) if chat.subject else evolve(found, thread=chat.thread)
        if self.people and not {theirs, theirs.rpartition("@")[2]} & set(self.people):
            return None
        mailbox = parse_mailbox(self.to) if self.account else mail_of(ours)
        return Conversation(str(mailbox), chat.thread)

    async def _submit(self, theirs: str, talk: Conversation, chat: Chat) -> tuple[Submitted, str]:
        """Give what was submitted, and its subject."""
        answered = talk.references[-1] if talk.references else ""
        subject = chat.subject or (_answer_subject(talk.subject) if answered else "") or _first_words(chat.body)
        is_past = chat.stamp is not None and chat.stamp <= self.node.clock.seconds()
        draft = Draft(
            str(self.node.reply_address(theirs)), [talk.mail], chat.body, subject=subject, sender_name=theirs,
            in_reply_to=answered, references=talk.references, date=chat.stamp if is_past else None,
        )  # fmt: skip
        key = ""
        if chat.unique_id:
            said = repr((theirs, chat.to, chat.unique_id, chat.body))
            key = sha256(said.encode("utf-8", "replace")).hexdigest()
        return await self.node.submit(draft, protocol="XMPP", key=key, mark=chat.mark), subject


def _answer_subject(subject: str) -> str:
    return subject if not subject or subject[:3].lower() == "re:" else f"Re: {subject}"


def _first_words(body: str) -> str:
    return shortened(" ".join(body.split()), 60, "\u2026")
