"""One moving time limit: moving it costs a number, not a timer.

A session's limit moves with every reply. So the timer only looks, every few seconds, whether the limit has passed; it
is never moved. A limit may therefore be overdrawn by at most one look.
"""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

LOOK = 5.0
"""Seconds between two looks at most."""


class Deadline:
    """Calls ``expired`` once the limit has passed."""

    def __init__(self, clock: IReactorTime, expired: Callable[[], None]) -> None:
        self._clock = clock
        self._expired = expired
        self._due = 0.0
        self._timer: IDelayedCall | None = None

    def move(self, seconds: float) -> None:
        """Set the limit to ``seconds`` from now."""
        self._due = self._clock.seconds() + seconds
        if self._timer is None:
            self._timer = self._clock.callLater(min(seconds, LOOK), self._look)

    def stop(self) -> None:
        """Set no limit any more."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _look(self) -> None:
        left = self._due - self._clock.seconds()
        self._timer = None
        if left <= 0:
            self._expired()
        else:
            self._timer = self._clock.callLater(min(left, LOOK), self._look)
