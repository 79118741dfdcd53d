"""The gateway: its settings, and how its parts are put together."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from attrs import define, field
from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as NoAnswer
from twisted.internet.endpoints import clientFromString
from twisted.internet.error import ConnectionClosed

from mailnode.gateways.api import (
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
    own_words,
    parse_mailbox,
    with_attachments,
)
from mailnode.shipped.irc.access import Access, Login
from mailnode.shipped.irc.hearing import Hearing
from mailnode.shipped.irc.numerics import ABSENT, Refusal, meaning
from mailnode.shipped.irc.pacing import Pacer
from mailnode.shipped.irc.threads import Threads
from mailnode.shipped.irc.words import cleaned, folded, is_channel, is_nick, room, written

LONGEST_NICK = "n" * 30
"""Lines are cut as if our nick were this long: then they are the same at every attempt, whatever we are called."""
SERVICES = frozenset(
    ("authserv", "botserv", "chanserv", "global", "hostserv", "memoserv", "nickserv", "operserv", "q", "saslserv", "x")
)
"""Nicks that take commands and are nobody."""
_CLEAR = re.compile(r"tcp:(?!127\.|localhost:|\\:\\:1)")


@define
class Irc(Gateway):
    """Mail to IRC and back."""

    endpoint: str = field()
    """Where the server is: "tls:HOST:6697" or "tcp:HOST:6667", as Twisted writes clients; tls is verified."""
    nick: str = field()
    """What the bot is called; while that is in use, something like it."""
    realname: str = "mail"
    """What stands in the bot's description."""
    login: Login = field(default="none")
    """How it logs in: by SASL PLAIN, at NickServ, or with a password for the server."""
    account: str = ""
    """The account of SASL or NickServ; empty: the nick."""
    password_file: str = ""
    """The file whose first line is the password; only the node's user should be able to read it."""
    channels: Sequence[str] = field(default=())
    """The channels it is in and sends to, "#ops", or "#ops KEY"; no others."""
    people: bool = True
    """Whether mail may go to people too, and they may speak to the bot in private."""
    may_write_to: Sequence[str] = field(default=())
    """Whom people may write to: "ann@example.com", or "@example.com" for all of a domain."""
    mail: Mapping[str, str] = field(factory=dict)
    """Who gets what is said to nobody else: by channel, or "private"."""
    prefix: str = "!mail"
    """A line in a channel that begins so is mail, as is one that begins with the bot's nick; empty: only those."""
    answers: bool = True
    """What is said to nobody else goes to whoever sent the last mail there, within a month."""
    window: Seconds = Seconds(10)
    """Lines of one person that come within this time of one another are one mail."""
    form: Literal["message", "notice"] = "message"
    """What mail becomes: PRIVMSG, or NOTICE, which no machine answers, but neither does many a server, with an error."""
    max_lines: int = field(default=8)
    """Lines of a mail, its header line included; more are left out, and said so."""
    quotes: bool = False
    """Leave quotations and signatures in the text."""
    attachments: Literal["drop", "reject"] = "drop"
    """What happens to files: a line tells of each, or the message bounces."""
    absent_wait: Seconds = Seconds(0)
    """How long mail waits for somebody who is not there; "0s": it is returned at once."""
    pace: Seconds = Seconds(2)
    """Time between lines, once ``burst`` of them went without any."""
    burst: int = field(default=4)
    """Lines that may go at once after a silence, and between two confirmations."""
    answer_timeout: Seconds = Seconds(30)
    """How long the server may take to answer; then the connection is made anew."""

    default_map: ClassVar[Sequence[str]] = ("channel.{name}@irc.example <-> #{name}", "{nick}@irc.example <-> {nick}")
    one_process: ClassVar[bool] = True
    needs: ClassVar[Sequence[str]] = ("twisted.words",)

    _link: Any = field(init=False, repr=False, eq=False)
    """The Link; its module is imported late."""
    _threads: Threads = field(init=False, repr=False, eq=False)
    _hearing: Hearing = field(init=False, repr=False, eq=False)

    @endpoint.validator
    def _check_endpoint(self, _: object, value: str) -> None:
        if not re.match(r"(tcp|tls|ssl|unix):.", value):
            raise ValueError(f'expected "tls:HOST:PORT" or "tcp:HOST:PORT", not "{value}"')

    @nick.validator
    def _check_nick(self, _: object, value: str) -> None:
        if not is_nick(value) or len(value) > len(LONGEST_NICK):
            raise ValueError(f'expected a nick of IRC, not "{value}"')

    @login.validator
    def _check_login(self, _: object, value: str) -> None:
        if value != "none" and not self.password_file:
            raise ValueError("expected a password_file to log in with")
        if value != "none" and _CLEAR.match(self.endpoint):
            raise ValueError('a password goes over TLS only: write the endpoint as "tls:HOST:PORT"')

    @channels.validator
    def _check_channels(self, _: object, value: Sequence[str]) -> None:
        wrong = [one for one in value if not is_channel(one.partition(" ")[0])]
        if wrong:
            raise ValueError(f'expected channels such as "#ops", not "{wrong[0]}"')

    @may_write_to.validator
    def _check_may_write_to(self, _: object, value: Sequence[str]) -> None:
        for one in value:
            parse_mailbox(f"anybody{one}" if one.startswith("@") else one)

    @mail.validator
    def _check_mail(self, _: object, value: Mapping[str, str]) -> None:
        for place, address in value.items():
            if place != "private" and folded(place) not in self._places():
                raise ValueError(f'{place} is neither "private" nor one of the channels')
            parse_mailbox(address)

    @max_lines.validator
    @burst.validator
    def _check_few(self, _: object, value: int) -> None:
        if not 1 <= value <= 40:
            raise ValueError(f"expected 1 to 40, not {value}")

    def _places(self) -> dict[str, str]:
        """Give the channels, folded, with their keys."""
        parted = [one.partition(" ") for one in self.channels]
        return {folded(name): key.strip() for name, _, key in parted}

    # --- life

    async def start(self) -> None:
        """Begin to keep a connection; that it cannot be made yet is no reason not to start."""
        # Imported late: twisted.words.protocols.irc is large, and wants a reactor to be there.
        from mailnode.shipped.irc.link import Link  # noqa: PLC0415

        node = self.node
        self._threads = Threads(node)
        pacer = Pacer(node.clock, self.pace, self.burst)
        self._link = Link(
            clientFromString(node.reactor, self.endpoint), self._access, self._places(), pacer, self._hear,
            self.answer_timeout, node.clock, node.random, node.log,
        )  # fmt: skip
        mail = {folded(place): address for place, address in self.mail.items()}
        self._hearing = Hearing(
            node, self._threads, lambda: self._link.nicks, frozenset(self._places()), mail, tuple(self.may_write_to),
            self.prefix, self.window, self.people, self.answers, self._link.tell,
        )  # fmt: skip
        self._link.start()

    def _hear(self, who: str, target: str, said: str) -> None:
        self._hearing.hear(who, target, said)

    async def stop(self) -> None:
        """Leave."""
        await self._link.stop()

    def source(self) -> IService:
        """Listen; what is said is brought by the connection."""
        return _Listening(self._hearing)

    async def _access(self) -> Access:
        password = ""
        if self.login != "none":
            first = await self.node.disk.run(partial(_first_line, Path(self.password_file)))
            password = first.decode()
        return Access(self.nick, self.realname, self.login, self.account, password)

    # --- out

    def knows(self, address: str) -> bool:
        """Tell whether mail may go to this channel or person."""
        if is_channel(address):
            return folded(address) in self._places()
        return self.people and is_nick(address) and folded(address) not in SERVICES | {folded(self.nick)}

    async def deliver(self, message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]) -> Answer:
        """Say it to each, one after the other."""
        said = message.text()
        text = with_attachments(said if self.quotes else own_words(said), message.attachments, self.attachments).text
        answered = await self._threads.who_said(message)
        outcomes: dict[OutgoingRecipient, Outcome] = {}
        for one in recipients:
            try:
                outcomes[one] = await self._one(message, one, text, answered)
            except Trouble as trouble:
                outcomes[one] = trouble.outcome
            except (ConnectionClosed, NoAnswer) as problem:
                outcomes[one] = Delayed(str(problem) or "no answer from the server", "4.4.2", is_unreachable=True)
        return outcomes

    async def _one(self, message: OutgoingMessage, one: OutgoingRecipient, text: str, answered: str) -> Outcome:
        if not self.knows(one.address):
            return Failed("there is no such channel or person here", "5.1.1")
        command = "NOTICE" if self.form == "notice" else "PRIVMSG"
        names = f"{answered}: " if answered and is_channel(one.address) else ""
        header = f"{names}{message.field('From') or message.sender}: {message.subject}"
        lines = written(header, text, room(LONGEST_NICK, command, one.address), self.max_lines)
        confirmed = int(await self.node.recall(f"sent {one.key}") or 0)

        async def confirm(count: int) -> None:
            await self.node.remember(f"sent {one.key}", str(count))

        refusal = await self._link.send(one.address, command, lines, confirmed, confirm)
        if refusal is not None:
            return self._refused(refusal, message, one)
        await self._threads.note(one.address, message)
        return Delivered(f"the server has taken {len(lines)} lines for {cleaned(one.address)}")

    def _refused(self, refusal: Refusal, message: OutgoingMessage, one: OutgoingRecipient) -> Outcome:
        """Say what an error means; who is not there may be waited for."""
        waited = self.node.clock.seconds() - message.arrived
        if refusal.number == ABSENT and not is_channel(one.address) and waited < self.absent_wait:
            return Delayed(f"{one.address} is not there", "4.2.1")
        return meaning(refusal)


class _Listening(Service):
    """Hears while it runs."""

    def __init__(self, hearing: Hearing) -> None:
        self.hearing = hearing

    def startService(self) -> None:
        """Hear."""
        super().startService()
        self.hearing.is_open = True

    def stopService(self) -> Deferred[Any]:
        """Hear nothing more; what was said becomes mail first."""
        super().stopService()
        return Deferred.fromCoroutine(self.hearing.close())


def _first_line(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.readline(400).strip()
