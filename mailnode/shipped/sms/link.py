"""Keeps a bind: connects, binds, and does so again, later each time, when it breaks or cannot be made.

Whoever wants to send takes a turn first: that waits for the bind, for a place in the window, and for the pace; and it is
refused at once while there is no bind, or while the SMSC wants a rest.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.defer import TimeoutError as NoAnswer
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.logger import Logger

from mailnode.gateways.api import Delayed, Trouble
from mailnode.shipped.keeping import Keeping
from mailnode.shipped.sms.pdu import TextMessage
from mailnode.shipped.sms.session import Refusal, Session, Taker
from mailnode.shipped.sms.settings import Access, Pace
from mailnode.shipped.sms.statuses import BUSY


@define(eq=False)
class Link:
    """The way to the SMSC."""

    endpoint: IStreamClientEndpoint
    access: Callable[[], Awaitable[Access]]
    """Reads the password anew for each bind."""
    pace: Pace
    clock: Any
    random: Any
    taker: Taker
    log: Logger
    is_bound: bool = field(default=False, init=False)
    _session: Session | None = field(default=None, init=False)
    _keeping: Keeping = field(init=False)
    _waiting: list[Deferred[None]] = field(factory=list, init=False)
    _trouble: str = field(default="", init=False)
    """Why there is no bind; empty while the first one is being made."""
    _window: DeferredSemaphore = field(init=False)
    _free_at: float = field(default=0.0, init=False)
    """When the next part may go."""
    _held_until: float = field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        """Make what keeps the bind, and the window."""
        self._keeping = Keeping(self._bound, self._lost, self.clock, self.random, self.log)
        self._window = DeferredSemaphore(self.pace.window)

    # --- the bind

    def start(self) -> None:
        """Begin to keep it."""
        self._keeping.start()

    async def stop(self) -> None:
        """Unbind and keep it no longer."""
        session, self._session, self.is_bound = self._session, None, False
        if session is not None:
            await session.unbind()
        self._keeping.stop()
        self._tell("the gateway is being stopped")

    async def _bound(self) -> str:
        """Bind, and stay until the connection ends; gives why."""
        access = await self.access()
        name = f"{self.random.getrandbits(64):016x}"
        factory = Factory.forProtocol(lambda: Session(self.pace, self.clock, name, self.taker))
        session = await self.endpoint.connect(factory)
        assert isinstance(session, Session)  # noqa: S101 - the factory makes nothing else
        try:
            smsc = await session.bind(access)
        except BaseException:
            session.transport.abortConnection()
            raise
        self.log.info("bound to {smsc} as {system_id}", event="bound", smsc=smsc, system_id=access.system_id)
        self._session, self.is_bound, self._trouble = session, True, ""
        self._tell("")
        return f"the connection was lost: {await session.gone}"

    def _lost(self, why: str) -> None:
        if why != self._trouble:
            self.log.warn("no bind to the SMSC: {reason}", event="trouble", reason=why)  # noqa: G010 - Twisted's name
        self._session, self.is_bound, self._trouble = None, False, why
        self._tell(why)

    def _tell(self, why: str) -> None:
        """Let those go on who wait for the bind; ``why`` there is none, or empty."""
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.called:
                one.callback(None)
        if why:
            self._trouble = why

    # --- sending

    async def turn(self) -> None:
        """Wait until a part may be sent, and hold a place in the window until ``done``; Trouble when that is not soon."""
        if self._session is None and not self._trouble:
            bound: Deferred[None] = Deferred()
            self._waiting.append(bound)
            bound.addTimeout(self.pace.answer, self.clock)
            try:
                await bound
            except NoAnswer:
                self._trouble = self._trouble or "no bind within the time limit"
        self._check()
        await self._window.acquire()
        try:
            await self._paced()
            self._check()
        except BaseException:
            self._window.release()
            raise

    def done(self) -> None:
        """Give the place in the window back."""
        self._window.release()

    def _check(self) -> None:
        now = self.clock.seconds()
        if self._session is None:
            soon = max(5.0, self._keeping.next_try - now + 5.0)
            raise Trouble(Delayed(f"no bind to the SMSC: {self._trouble}", "4.4.1", soon, is_unreachable=True))
        if self._held_until > now:
            raise Trouble(Delayed("the SMSC takes no more at the moment", "4.4.5", self._held_until - now))

    async def _paced(self) -> None:
        if not self.pace.per_second:
            return
        now = self.clock.seconds()
        at = max(now, self._free_at)
        self._free_at = at + 1 / self.pace.per_second
        if at > now:
            await deferLater(self.clock, at - now)

    async def submit(self, message: TextMessage) -> str:
        """Send within a turn; gives the message_id. Refusal or ConnectionError."""
        if self._session is None:
            raise ConnectionError(f"no bind to the SMSC: {self._trouble}")
        try:
            return await self._session.submit(message)
        except Refusal as refusal:
            if refusal.status in BUSY:
                self._held_until = self.clock.seconds() + self.pace.hold
            raise

    def delay_of(self, refusal: Refusal) -> float | None:
        """Say how long to wait after a refusal, if that is known."""
        return self.pace.hold if refusal.status in BUSY else None
