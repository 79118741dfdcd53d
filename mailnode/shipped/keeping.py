"""Keeps one connection: whenever it ends, or cannot be made, it is made anew, later each time.

What a connection is, the link says that owns a ``Keeping``: ``once`` makes one and lives through it. The pause is forgotten
after a connection that lasted, so that a server which throws us out at once is not called upon all day.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 120.0
"""Seconds until a connection is tried again."""
PROVEN = 30.0
"""Seconds after which a connection counts as a good one: the next pause is the first again."""


@define(eq=False)
class Keeping:
    """Lives through one connection after the other, from ``start`` to ``stop``."""

    once: Callable[[], Awaitable[str]]
    """Makes a connection and stays until it ends; gives, or raises, why it did."""
    lost: Callable[[str], None]
    """Hears why there is none."""
    clock: Any
    random: Any
    log: Logger
    next_try: float = field(default=0.0, init=False)
    """When the next connection is, or was, to be made."""
    _running: Deferred[None] | None = field(default=None, init=False)

    def start(self) -> None:
        """Begin."""
        self._running = Deferred.fromCoroutine(self._run())
        self._running.addErrback(self.note)

    def stop(self) -> None:
        """End, and make no connection any more."""
        if self._running is not None:
            self._running.cancel()

    def note(self, failure: Any) -> None:
        """Log what ended it that should not have."""
        if not failure.check(CancelledError):
            self.log.failure("the connection is not kept any longer", failure)

    async def _run(self) -> None:
        pause = FIRST_PAUSE
        while True:
            began = self.clock.seconds()
            try:
                why = await self.once()
            except CancelledError:
                raise
            except Exception as trouble:  # noqa: BLE001 - whatever is wrong with it now may be well later
                why = str(trouble) or type(trouble).__name__
            self.lost(why)
            if self.clock.seconds() - began >= PROVEN:
                pause = FIRST_PAUSE
            spread = pause * (1 + 0.2 * self.random.random())
            self.next_try = self.clock.seconds() + spread
            await deferLater(self.clock, spread)
            pause = min(pause * 2, LONGEST_PAUSE)
