"""Keeps a connection: logs in, stays in its channels, and does so again, later each time, when it breaks.

Messages go one after the other, so that their lines stand together and an error belongs to the one that is on its way.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, DeferredLock
from twisted.internet.defer import TimeoutError as NoAnswer
from twisted.internet.error import ConnectionClosed
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from mailnode.gateways.api import Delayed, Trouble
from mailnode.shipped.irc.access import Access
from mailnode.shipped.irc.numerics import ABSENT, Refusal
from mailnode.shipped.irc.pacing import Pacer
from mailnode.shipped.irc.session import Heard, Session
from mailnode.shipped.irc.words import folded, is_channel
from mailnode.shipped.keeping import Keeping

LOOK = 60.0
"""Seconds between two looks whether the server is there, and we are where and who we want to be."""
LONGEST_LINE = 60.0
"""Seconds that a message waits behind others; for longer it goes back into the queue."""

Confirm = Callable[[int], Awaitable[None]]
"""Is told how many lines the server has read."""


@define(eq=False)
class Link:
    """The way to the server."""

    endpoint: IStreamClientEndpoint
    access: Callable[[], Awaitable[Access]]
    """Reads the password anew for each connection."""
    channels: Mapping[str, str]
    """Where to stay, and the channels' keys."""
    pacer: Pacer
    heard: Heard
    answer: float
    clock: Any
    random: Any
    log: Logger
    nicks: tuple[str, ...] = field(default=(), init=False)
    """What we are called: as we want to be, and as we are."""
    _session: Session | None = field(default=None, init=False)
    _keeping: Keeping = field(init=False)
    _waiting: list[Deferred[None]] = field(factory=list, init=False)
    _trouble: str = field(default="", init=False)
    """Why there is no connection; empty while the first one is being made."""
    _turn: DeferredLock = field(factory=DeferredLock, init=False)
    _lines: int = field(default=0, init=False)
    """Of messages that wait for their turn."""

    def __attrs_post_init__(self) -> None:
        """Make what keeps it."""
        self._keeping = Keeping(self._connected, self._lost, self.clock, self.random, self.log)

    # --- the connection

    def start(self) -> None:
        """Begin to keep it."""
        self._keeping.start()

    async def stop(self) -> None:
        """Leave."""
        session, self._session = self._session, None
        if session is not None and not session.is_gone:
            await session.take_leave()
        self._keeping.stop()
        self._lost("the gateway is being stopped")

    async def _connected(self) -> str:
        """Connect, log in, and stay until the connection ends; tell why it did."""
        access = await self.access()
        self.nicks = (access.nick,)
        factory = Factory.forProtocol(lambda: Session(access, self.clock, self.random, self.heard, self.answer))
        session = cast("Session", await self.endpoint.connect(factory))
        session.ready.addTimeout(self.answer, self.clock)
        try:
            await session.ready
        except Exception:
            session.drop()
            raise
        self.log.info("on IRC as {nick}", event="bound", nick=session.nickname)
        self._session, self._trouble = session, ""
        self._tell()
        look = LoopingCall(lambda: Deferred.fromCoroutine(self._look(session)))
        look.clock = self.clock
        look.start(LOOK).addErrback(self._keeping.note)
        try:
            await session.gone()
        except CancelledError:
            session.drop()
            raise
        finally:
            look.stop()
        return session.last_words or "the connection was lost"

    async def _look(self, session: Session) -> None:
        """See that the server is there, and that we are where and who we want to be."""
        try:
            for channel, key in self.channels.items():
                if folded(channel) not in session.channels:
                    session.join(channel, key or None)
            session.regain()
            await session.barrier()
        except (ConnectionClosed, NoAnswer):
            return  # connectionLost tells it
        self.nicks = (session.access.nick, session.nickname)

    def _lost(self, why: str) -> None:
        if why != self._trouble:
            self.log.warn("no connection to IRC: {reason}", event="trouble", reason=why)  # noqa: G010 - Twisted's name
        self._session, self._trouble = None, why
        self._tell()

    def _tell(self) -> None:
        """Let those go on who wait for the connection."""
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.called:
                one.callback(None)

    # --- sending

    async def send(
        self, target: str, command: str, lines: Sequence[str], confirmed: int, confirm: Confirm
    ) -> Refusal | None:
        """Send the lines behind those that are confirmed already; the server's error, or None when it took them all.

        Trouble when there is no connection, or too much to be sent before. ConnectionClosed
        or defer.TimeoutError when it
        breaks on the way; then it is not known what has become of the lines since the last ``confirm``.
        """
        await self._some_connection()
        wait = self.pacer.backlog(self._lines + len(lines) - confirmed)
        if self._lines and wait > LONGEST_LINE:
            raise Trouble(Delayed("too many lines are on their way", "4.4.5", wait))
        self._lines += len(lines)
        try:
            return await self._turn.run(self._send_now, target, command, lines, confirmed, confirm)
        finally:
            self._lines -= len(lines)

    def _send_now(
        self, target: str, command: str, lines: Sequence[str], confirmed: int, confirm: Confirm
    ) -> Deferred[Refusal | None]:
        return Deferred.fromCoroutine(self._send(target, command, lines, confirmed, confirm))

    async def _send(
        self, target: str, command: str, lines: Sequence[str], confirmed: int, confirm: Confirm
    ) -> Refusal | None:
        session = self._checked()
        if is_channel(target) and folded(target) not in session.channels:
            refusal = await self._join(session, target)
            if refusal is not None:
                return refusal
        elif command == "NOTICE" and not is_channel(target) and not await self._is_there(session, target):
            return Refusal(ABSENT, (target,), "there is nobody of that name")
        while confirmed < len(lines):
            part = lines[confirmed : confirmed + self.pacer.burst]
            session.refusals.clear()
            for line in part:
                await self.pacer.turn()
                session.sendLine(f"{command} {target} :{line}")
            await session.barrier()
            refusal = _about(session, target)
            if refusal is not None:
                return refusal
            confirmed += len(part)
            await confirm(confirmed)
        return None

    async def _join(self, session: Session, channel: str) -> Refusal | None:
        keys = {folded(name): key for name, key in self.channels.items()}
        session.refusals.clear()
        session.join(channel, keys.get(folded(channel)) or None)
        await session.barrier()
        if folded(channel) in session.channels:
            return None
        refusal = _about(session, channel)
        if refusal is None:
            raise Trouble(Delayed(f"the server did not let us into {channel}", "4.7.1"))
        return refusal

    @staticmethod
    async def _is_there(session: Session, nick: str) -> bool:
        """Ask for somebody, since servers tell no errors of notices."""
        session.present.clear()
        session.sendLine(f"ISON {nick}")
        await session.barrier()
        return folded(nick) in session.present

    def tell(self, target: str, line: str) -> None:
        """Send one line as a notice if that is possible soon; nobody waits for it."""
        if self._session is None or self._session.is_gone or self.pacer.backlog(self._lines + 1) > 0:
            return
        telling = Deferred.fromCoroutine(self.send(target, "NOTICE", [line], 0, _forget))
        telling.addErrback(lambda failure: failure.trap(Trouble, ConnectionClosed, NoAnswer, CancelledError))
        telling.addErrback(lambda failure: self.log.failure("a notice was not sent", failure))

    async def _some_connection(self) -> None:
        """Wait for the first connection, and say so when there is none."""
        if self._session is None and not self._trouble:
            made: Deferred[None] = Deferred()
            self._waiting.append(made)
            made.addTimeout(self.answer, self.clock)
            try:
                await made
            except NoAnswer:
                self._trouble = self._trouble or "no connection within the time limit"
        self._checked()

    def _checked(self) -> Session:
        if self._session is None or self._session.is_gone:
            soon = max(5.0, self._keeping.next_try - self.clock.seconds() + 5.0)
            why = self._trouble or "it was lost just now"
            raise Trouble(Delayed(f"no connection to IRC: {why}", "4.4.1", soon, is_unreachable=True))
        return self._session


def _about(session: Session, target: str) -> Refusal | None:
    """Give the first error that is about this nick or channel, or about nobody in particular."""
    wanted = folded(target)
    for one in session.refusals:
        if not one.about or wanted in map(folded, one.about):
            return one
    return None


async def _forget(_: int) -> None:
    """Keep nothing of it."""
