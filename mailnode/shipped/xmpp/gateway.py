"""The gateway: its settings, its two directions, and who gets what comes on the stream."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from attrs import define, field
from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred, gatherResults
from twisted.words.xish.domish import Element

from mailnode.gateways.api import (
    Answer,
    Failed,
    Gateway,
    OutgoingMessage,
    OutgoingRecipient,
    Seconds,
    parse_mailbox,
    with_attachments,
)
from mailnode.shipped.xmpp.answers import answer_iq, answer_presence
from mailnode.shipped.xmpp.files import linked
from mailnode.shipped.xmpp.incoming import Incoming
from mailnode.shipped.xmpp.jids import bare, jid_of, parse_jid
from mailnode.shipped.xmpp.link import Link
from mailnode.shipped.xmpp.outgoing import Outgoing, sender_of
from mailnode.shipped.xmpp.stanzas import read_message
from mailnode.shipped.xmpp.stream import StreamFactory


@define
class Xmpp(Gateway):
    """Mail to and from XMPP."""

    jid: str = field()
    """The component's domain, or the account: "mail.example.org" or "bot@example.org"."""
    password: str = field(repr=False)
    """The component's secret, or the account's password."""
    server: str = field(default="tcp:127.0.0.1:5347")
    """A client endpoint of Twisted: the component's port of the server, or its port for clients."""
    tls: Literal["starttls", "none"] = "starttls"
    """For an account: whether TLS is a must; "none" is for a server on this machine. A component has none (XEP-0114)."""
    limit: int = field(default=10_000)
    """Characters of a body; more are cut, with a mark that says how many."""
    attachments: Literal["drop", "link", "reject"] = "drop"
    """What becomes of files: a line tells of them, or a link leads to them, or the mail bounces."""
    files_folder: str = ""
    """Where linked files are written."""
    files_url: str = ""
    """What a web server of yours calls that folder."""
    people: tuple[str, ...] = ()
    """Who may write what answers no mail: domains and JIDs; empty: everybody."""
    to: str = field(default="")
    """For an account: who gets messages that answer no mail; empty: they are turned away."""
    answer_within: Seconds = Seconds(30)
    """How long to wait for the server to say that it has a message."""

    default_map: ClassVar[Sequence[str]] = ("{user}.{server}@xmpp.example.org <-> {user}@{server}",)
    one_process: ClassVar[bool] = True

    _link: Any = field(init=False, default=None)
    _outgoing: Any = field(init=False, default=None)
    _incoming: Any = field(init=False, default=None)

    @jid.validator
    def _check_jid(self, _: object, value: str) -> None:
        parse_jid(value)

    @server.validator
    def _check_server(self, _: object, value: str) -> None:
        kind, _colon, rest = value.partition(":")
        if kind not in ("tcp", "tls", "unix") or not rest:
            raise ValueError(f'expected an endpoint such as "tcp:127.0.0.1:5347", not "{value}"')

    @limit.validator
    def _check_limit(self, _: object, value: int) -> None:
        if not 100 <= value <= 100_000:
            raise ValueError(f"expected 100 to 100000 characters, not {value}")

    @to.validator
    def _check_to(self, _: object, value: str) -> None:
        if value:
            parse_mailbox(value)

    def __attrs_post_init__(self) -> None:
        """Look at what belongs together."""
        if self.attachments == "link" and not (self.files_folder and self.files_url):
            raise ValueError('attachments = "link" wants files_folder and files_url')

    @property
    def account(self) -> str:
        """Give the bare JID of the account; empty for a component, which has a JID for each address."""
        return bare(self.jid) if "@" in self.jid else ""

    async def start(self) -> None:
        """Begin to connect; a server that is down is tried again and again."""
        factory = StreamFactory(self.jid, self.password, self.tls)
        self._link = Link(self.node, self.server, factory, bool(self.account), self._hear)
        self._incoming = Incoming(self.node, self._link, self.account, self.to, self.people)
        self._outgoing = Outgoing(self.node, self._link, self._incoming.begin, self.limit, self.answer_within)
        self._link.start()

    async def stop(self) -> None:
        """Disconnect."""
        self._incoming.stop()
        await self._link.stop()

    def source(self) -> IService:
        """Take what comes, from now on."""
        return _Door(self._incoming)

    async def deliver(self, message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]) -> Answer:
        """Send each recipient a message, all at once."""
        try:
            ours = self.account or jid_of(message.sender, self.jid)
        except ValueError as error:
            return Failed(f"the sender has no JID: {error}", "5.1.7")
        text = await self._text(message)
        await self._link.ready()
        sending = [Deferred.fromCoroutine(self._outgoing.send(message, one, ours, text)) for one in recipients]
        return dict(zip(recipients, await gatherResults(sending, consumeErrors=True), strict=True))

    async def _text(self, message: OutgoingMessage) -> str:
        text, files = message.text(), message.attachments
        if self.attachments == "link":
            return await linked(self.node, text, files, key=message.key, folder=self.files_folder, url=self.files_url)
        return with_attachments(text, files, self.attachments).text

    def _hear(self, stanza: Element) -> None:
        """Hand on what comes on the stream."""
        if stanza.name == "message":
            self._hear_message(stanza)
        elif stanza.name == "presence":
            for presence in answer_presence(stanza):
                self._link.send(presence)
        elif not self._outgoing.is_answer(stanza):
            answer = answer_iq(stanza)
            if answer is not None:
                self._link.send(answer)

    def _hear_message(self, stanza: Element) -> None:
        chat = read_message(stanza)
        if chat.kind == "error":
            self._outgoing.hear_error(stanza, chat.id)
            return
        for ident in chat.received:
            self._outgoing.hear_receipt(sender_of(stanza), ident)
        self._incoming.hear(stanza, chat)


class _Door(Service):
    """Open while messages may become mail."""

    def __init__(self, incoming: Incoming) -> None:
        self._incoming = incoming

    def startService(self) -> None:
        """Open it."""
        super().startService()
        self._incoming.is_open = True

    def stopService(self) -> None:
        """Close it."""
        super().stopService()
        self._incoming.is_open = False
