"""The gateway: its settings, and how its parts are put together."""

import re
from collections.abc import Sequence
from email.utils import parseaddr
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from attrs import define, field
from twisted.application.internet import StreamServerEndpointService
from twisted.application.service import IService
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.endpoints import serverFromString

from mailnode.gateways.api import (
    NULL,
    Answer,
    Delayed,
    Delivered,
    Failed,
    Gateway,
    Outcome,
    OutgoingMessage,
    OutgoingRecipient,
    Seconds,
    Trouble,
    parse_mailbox,
    with_attachments,
)
from mailnode.shipped.matrix.errors import Declined
from mailnode.shipped.matrix.hearing import Hearing
from mailnode.shipped.matrix.homeserver import Homeserver
from mailnode.shipped.matrix.names import Puppets, is_alias, is_user
from mailnode.shipped.matrix.rooms import Rooms
from mailnode.shipped.matrix.threads import Threads
from mailnode.shipped.matrix.writing import content

_LOCALPART = re.compile(r"[a-z0-9._/+-]{1,60}")
_SERVER = re.compile(r"[A-Za-z0-9.:\[\]-]{1,200}")


@define
class Matrix(Gateway):
    """Mail to Matrix and back."""

    homeserver: str = field()
    """Where the homeserver is: "http://127.0.0.1:8008"."""
    server_name: str = field()
    """What stands behind the colon of its users."""
    listen: str = field()
    """Where it finds us: an endpoint of Twisted, "tcp:8009:interface=127.0.0.1"."""
    as_token_file: str
    """The file whose first line is as_token of the registration: our right to speak."""
    hs_token_file: str
    """The file whose first line is hs_token: by it we know the homeserver."""
    bot: str = field(default="mail")
    """sender_localpart of the registration."""
    prefix: str = field(default="mail_")
    """What the names of users begin with that stand for mail addresses; the registration's namespace says the same."""
    people: Sequence[str] = ()
    """Who may write mails: "@*:matrix.example", "@ann:*"; empty: all users of server_name."""
    may_write_to: Sequence[str] = ()
    """Whom they may write to: "ann@example.com", "*@example.com"; empty: whom the node takes mail for."""
    limit: int = field(default=10_000)
    """Characters of a mail that are shown; more are cut, with a mark that says how many."""
    attachments: Literal["drop", "reject"] = "drop"
    """What happens to files: a line tells of each, or the message bounces."""
    timeout: Seconds = Seconds(60)
    """How long the homeserver may take for one request."""

    default_map: ClassVar[Sequence[str]] = (
        "room.{name}@matrix.example <-> #{name}:matrix.example",
        "{user}@matrix.example <-> @{user}:matrix.example",
    )
    needs: ClassVar[Sequence[str]] = ("treq (mailnode[gateways])",)

    _puppets: Puppets = field(init=False, repr=False, eq=False)
    _homeserver: Homeserver = field(init=False, repr=False, eq=False)
    _rooms: Rooms = field(init=False, repr=False, eq=False)
    _threads: Threads = field(init=False, repr=False, eq=False)
    _hearing: Hearing = field(init=False, repr=False, eq=False)
    _hs_token: str = field(init=False, repr=False, eq=False, default="")
    _in_order: DeferredLock = field(init=False, repr=False, eq=False, factory=DeferredLock)

    @homeserver.validator
    def _check_homeserver(self, _: object, value: str) -> None:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f'expected a URL such as "http://127.0.0.1:8008", not "{value}"')

    @server_name.validator
    def _check_server_name(self, _: object, value: str) -> None:
        if not _SERVER.fullmatch(value):
            raise ValueError(f'expected the name of a homeserver, not "{value}"')

    @listen.validator
    def _check_listen(self, _: object, value: str) -> None:
        if not re.match(r"(tcp|tcp6|ssl|unix):.", value):
            raise ValueError(f'expected "tcp:PORT:interface=127.0.0.1" or "ssl:...", not "{value}"')

    @bot.validator
    @prefix.validator
    def _check_localpart(self, _: object, value: str) -> None:
        if not _LOCALPART.fullmatch(value):
            raise ValueError(f'expected small letters, digits and ._-, not "{value}"')

    @limit.validator
    def _check_limit(self, _: object, value: int) -> None:
        if not 100 <= value <= 10_000:
            raise ValueError("expected 100 to 10000: an event has 65536 octets at most")

    # --- life

    async def start(self) -> None:
        """Read the tokens."""
        node = self.node
        token = await node.disk.run(partial(_first_line, Path(self.as_token_file)))
        self._hs_token = await node.disk.run(partial(_first_line, Path(self.hs_token_file)))
        self._puppets = Puppets(self.prefix, self.server_name, self.bot)
        self._homeserver = Homeserver(node.http, self.homeserver, token, self.timeout)
        self._rooms = Rooms(node, self._homeserver, self._puppets)
        self._threads = Threads(node)
        self._hearing = Hearing(
            node, self._homeserver, self._puppets, self._rooms, self._threads,
            tuple(self.people) or (f"@*:{self.server_name}",), tuple(one.lower() for one in self.may_write_to),
        )  # fmt: skip

    def source(self) -> IService:
        """Listen for the homeserver."""
        from mailnode.shipped.matrix.door import Door  # noqa: PLC0415 - twisted.web, only where mail comes in

        door = Door(self._hs_token, self._take, self._has_user, self.node.log)
        return StreamServerEndpointService(
            serverFromString(self.node.reactor, self.listen), door.site(self.node.reactor)
        )

    # --- in

    async def _take(self, txn_id: str, events: list[Any]) -> None:
        """Take a transaction; one after the other, for the order of events is the order of what was said."""
        await self._in_order.run(self._one_transaction, txn_id, events)

    def _one_transaction(self, txn_id: str, events: list[Any]) -> Deferred[None]:
        return Deferred.fromCoroutine(self._transaction(txn_id, events))

    async def _transaction(self, txn_id: str, events: list[Any]) -> None:
        # Known again are the events, not the number: Synapse on SQLite counts from 1 again when it is started.
        for event in events:
            try:
                await self._hearing.take(event)
            except (ValueError, TypeError, LookupError, AttributeError):
                # A bug, and the same one at every try: no event may hold up all that come behind it.
                self.node.log.failure("an event of transaction {txn_id} was left out", txn_id=txn_id)

    async def _has_user(self, user: str) -> bool:
        """Let a user be there whom somebody looks for, if he can stand for a mail address."""
        address = self._puppets.address(user)
        if address:
            await self._rooms.present(address)
        return bool(address)

    # --- out

    def knows(self, address: str) -> bool:
        """Tell whether it can be a user or a room."""
        own = Puppets(self.prefix, self.server_name, self.bot)
        return is_alias(address) or (is_user(address) and not own.is_ours(address))

    async def deliver(self, message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]) -> Answer:
        """Say it to each, as the user who stands for its sender."""
        text = with_attachments(message.text(), message.attachments, self.attachments).text
        outcomes: dict[OutgoingRecipient, Outcome] = {}
        for one in recipients:
            try:
                outcomes[one] = await self._one(message, one, text)
            except Trouble as trouble:
                outcomes[one] = trouble.outcome
            except Declined as no:
                outcomes[one] = no.outcome
            except (ConnectionError, TimeoutError) as problem:
                outcomes[one] = Delayed(str(problem) or type(problem).__name__, "4.4.1", is_unreachable=True)
        return outcomes

    async def _one(self, message: OutgoingMessage, one: OutgoingRecipient, text: str) -> Outcome:
        if not self.knows(one.address):
            return Failed("this is no user of Matrix", "5.1.3")
        event = await self.node.recall(f"sent {one.key}")
        if event:
            return Delivered(f"event {event}")
        address, name = author(message)
        try:
            puppet = await self._rooms.present(address, name)
        except ValueError as problem:
            return Failed(str(problem), "5.1.7")
        room = await self._rooms.room_for(puppet, one.address)
        try:
            event = await self._say(message, one, text, puppet, room)
        except Declined as no:
            if no.errcode not in ("M_FORBIDDEN", "M_NOT_FOUND"):
                raise
            # We are not there any more: once more in another room, or let in again.
            await self._rooms.forget_way(puppet, one.address)
            room = await self._rooms.room_for(puppet, one.address)
            event = await self._say(message, one, text, puppet, room)
        await self.node.remember(f"sent {one.key}", event)
        await self._threads.note_shown(room, event, puppet, message)
        return Delivered(f"event {event}")

    async def _say(self, message: OutgoingMessage, one: OutgoingRecipient, text: str, puppet: str, room: str) -> str:
        answers = await self._threads.event_of(message.field("In-Reply-To"), room)
        is_automatic = message.field("Auto-Submitted").lower() not in ("", "no")
        said = content(message.subject, text, limit=self.limit, is_automatic=is_automatic, answers=answers)
        return await self._homeserver.send(puppet, room, one.key, said)


def author(message: OutgoingMessage) -> tuple[str, str]:
    """Give address and name of who has written a mail: From, else the reverse-path."""
    name, address = parseaddr(message.field("From"))
    try:
        return str(parse_mailbox(address)), name
    except ValueError:
        if message.sender == NULL:
            raise Trouble(Failed("nobody has written this", "5.1.7")) from None
        return str(message.sender), ""


def _first_line(path: Path) -> str:
    with path.open("rb") as file:
        token = file.readline(1000).strip().decode("ascii")
    if not token:
        raise ValueError(f"{path} holds no token")
    return token
