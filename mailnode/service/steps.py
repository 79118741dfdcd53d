"""A watch on the clock: timers do not wait for as long as the system's clock was set back.

Twisted's timers wait for a time of day. When the clock is set back by an hour (a first answer of NTP, a machine that
resumes), whatever should happen within a minute would happen after an hour and a minute. A thread compares the clock
with one that nobody can set, once a second, and pulls all timers nearer by as much as the clock was set back. A clock
that is set forward needs nothing: timers that are over fire.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from twisted.logger import Logger

EVERY = 1.0
"""Seconds between two looks."""
TOLERANCE = 1.0
"""Seconds; a clock that is only slewed does not move by so much at once."""


class StepWatch:
    """Watches the clock of a reactor from ``start`` to ``stop``."""

    log = Logger()

    def __init__(self, reactor: Any, steady: Callable[[], float] = time.monotonic) -> None:
        self._reactor = reactor
        self._steady = steady
        self._stopped = threading.Event()
        self._ahead = self._compare()

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._watch, name="clock watch", daemon=True).start()

    def stop(self) -> None:
        """End; nothing is changed any more after it."""
        self._stopped.set()

    def look(self) -> None:
        """Compare the clocks once; on the watching thread."""
        before, self._ahead = self._ahead, self._compare()
        if before - self._ahead > TOLERANCE:
            self._reactor.callFromThread(self._pull, before - self._ahead)

    def _watch(self) -> None:
        while not self._stopped.wait(EVERY):
            self.look()

    def _compare(self) -> float:
        return float(self._reactor.seconds()) - self._steady()

    def _pull(self, seconds: float) -> None:
        if self._stopped.is_set():
            return
        self.log.warn("The clock was set back by {seconds:.1f}s", event="clock", seconds=seconds)  # noqa: G010 - Twisted's name
        for call in self._reactor.getDelayedCalls():
            call.delay(-seconds)
