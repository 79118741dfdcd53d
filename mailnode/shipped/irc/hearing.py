"""What people say to the bot becomes mail: the lines of one person in one place, to one address, are one mail.

A gathering of lines ends when nothing more came for a while, when somebody else is written to, or when it is long enough.
"""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import deferLater

from mailnode.gateways.api import Draft, GatewayNode, Rates, Refused, header_line, parse_rate
from mailnode.shipped.irc.orders import addressed, may_write_to, order
from mailnode.shipped.irc.threads import Thread, Threads
from mailnode.shipped.irc.words import cleaned, folded, is_nick

MOST_LINES = 200
"""Lines of one mail."""
MOST_GATHERINGS = 500
"""Mails that are being said at the same time."""
TRIES, FIRST_PAUSE = 8, 15.0
"""How often a mail is offered that is not taken for the moment, and seconds until the second time; doubled each time."""
NOTICES = "6/m"
"""Notices to one person that something was not sent."""

Tell = Callable[[str, str], None]
"""Sends a notice to a nick."""


@define(eq=False)
class Gathering:
    """Lines of one person."""

    nick: str
    place: str
    """Where it is said: a channel, or the nick itself."""
    to: str
    key: str
    lines: list[str] = field(factory=list)
    timer: Any = None

    @property
    def is_public(self) -> bool:
        """Tell whether it was said in a channel."""
        return self.place != self.nick


@define(eq=False)
class Hearing:
    """The way from IRC into the mail system."""

    node: GatewayNode
    threads: Threads
    names: Callable[[], tuple[str, ...]]
    """What the bot is called."""
    channels: frozenset[str]
    """Where it listens, folded."""
    mail: Mapping[str, str]
    """Who gets what is said there to nobody else; by folded channel, and ``private``."""
    allowed: tuple[str, ...]
    prefix: str
    window: float
    is_private: bool
    answers: bool
    tell: Tell
    is_open: bool = field(default=False, init=False)
    _open: dict[tuple[str, str], Gathering] = field(factory=dict, init=False)
    _running: set[Deferred[None]] = field(factory=set, init=False)
    _notices: Rates = field(factory=lambda: Rates(parse_rate(NOTICES)), init=False)

    def hear(self, who: str, target: str, said: str) -> None:
        """Take a line that somebody says."""
        nick = who.partition("!")[0]
        if not self.is_open or not is_nick(nick):
            return
        is_public = folded(target) in self.channels
        is_to_us = self.is_private and folded(target) in map(folded, self.names())
        text = addressed(said, self.names(), self.prefix if is_public else "") if is_public or is_to_us else ""
        if text is None and is_to_us:
            text = cleaned(said)
        if text:
            self._take(nick, target if is_public else nick, text)

    def _take(self, nick: str, place: str, said: str) -> None:
        wanted, where = order(said), (folded(place), folded(nick))
        gathering = self._open.get(where)
        if gathering is not None and wanted.to and wanted.to.lower() != gathering.to.lower():
            self._close(where)
            gathering = None
        if gathering is None:
            if len(self._open) >= MOST_GATHERINGS:
                self.node.log.warn("too many people speak at once", event="flood")  # noqa: G010 - Twisted's name
                return
            gathering = Gathering(nick, place, wanted.to, f"{self.node.random.getrandbits(96):024x}")
            gathering.timer = self.node.clock.callLater(self.window, self._close, where)
            self._open[where] = gathering
        else:
            gathering.timer.reset(self.window)
        gathering.lines.append(wanted.text)
        if len(gathering.lines) >= MOST_LINES:
            self._close(where)

    def _close(self, where: tuple[str, str]) -> None:
        """Send what is gathered."""
        gathering = self._open.pop(where)
        if gathering.timer.active():
            gathering.timer.cancel()
        running = Deferred.fromCoroutine(self._send(gathering))
        self._running.add(running)
        running.addErrback(self._failed)
        running.addBoth(lambda _: self._running.discard(running))

    def _failed(self, failure: Any) -> None:
        if not failure.check(CancelledError):
            self.node.log.failure("what was said on IRC did not become mail", failure)

    async def close(self) -> None:
        """Hear nothing more, and send what is gathered."""
        self.is_open = False
        for where in list(self._open):
            self._close(where)
        await gatherResults(list(self._running))

    # --- one mail

    async def _send(self, gathering: Gathering) -> None:
        thread = await self._thread(gathering)
        if thread is None:
            return
        try:
            draft = self._draft(gathering, thread)
            done = await self._submit(draft, gathering.key)
        except Refused as refused:
            self._sorry(gathering.nick, f"your mail to {thread.to} was not taken: {refused.reply}")
        except ValueError as problem:
            self._sorry(gathering.nick, f"your mail to {thread.to} could not be written: {problem}")
        else:
            await self.threads.note_said(done, gathering.nick)

    async def _thread(self, gathering: Gathering) -> Thread | None:
        """Say who gets it, and what it answers."""
        shown = await self.threads.of(gathering.place) if self.answers else None
        if gathering.to:
            if shown is not None and shown.to.lower() == gathering.to.lower():
                return shown
            if may_write_to(gathering.to, self.allowed):
                return Thread(gathering.to)
            self._sorry(gathering.nick, f"nobody here may write to {gathering.to}")
            return None
        if shown is not None:
            return shown
        to = self.mail.get(folded(gathering.place) if gathering.is_public else "private", "")
        if not to:
            self._sorry(gathering.nick, 'say "to ann@example.com: text" to send a mail')
        return Thread(to) if to else None

    def _draft(self, gathering: Gathering, thread: Thread) -> Draft:
        text = "\n".join(gathering.lines)
        extra = []
        if gathering.is_public:
            extra.append(("Reply-To", str(self.node.reply_address(gathering.place))))
        about = thread.subject.removeprefix("Re: ")
        where = f"in {gathering.place}" if gathering.is_public else "on IRC"
        return Draft(
            str(self.node.reply_address(gathering.nick)), [thread.to], text,
            subject=f"Re: {about}" if thread.message_id else f"{gathering.nick} {where}: {gathering.lines[0][:60]}",
            sender_name=gathering.nick, in_reply_to=thread.message_id, extra=extra,
        )  # fmt: skip

    async def _submit(self, draft: Draft, key: str) -> str:
        """Hand it in, and again while it is only not taken for the moment; gives its Message-ID."""
        pause = FIRST_PAUSE
        for last in [*[False] * (TRIES - 1), True]:
            try:
                done = await self.node.submit(draft, protocol="IRC", key=key)
            except (Refused, OSError) as problem:
                is_over = last or not self.is_open
                if is_over or (isinstance(problem, Refused) and not problem.reply.is_transient):
                    raise
            else:
                return done.message_id
            await deferLater(self.node.clock, pause)
            pause *= 2
        raise AssertionError("the last try returns or raises")

    def _sorry(self, nick: str, why: str) -> None:
        self.node.log.info("{nick}: {reason}", event="refused", nick=nick, reason=why)
        if self._notices.takes(folded(nick), self.node.clock.seconds()):
            self.tell(nick, header_line(why)[:300])
