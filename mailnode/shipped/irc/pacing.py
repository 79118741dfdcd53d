"""How fast lines may go: a few at once, then one in a time; servers drop who is faster (RFC 1459 section 8.10)."""

from typing import Any

from attrs import define
from twisted.internet.task import deferLater


@define(eq=False)
class Pacer:
    """Counts lines."""

    clock: Any
    pace: float
    """Seconds between lines."""
    burst: int
    """Lines that may go without any pause after a silence."""
    _free_at: float = 0.0

    def backlog(self, lines: int) -> float:
        """Give the seconds until so many lines more would have gone."""
        ahead: float = max(0.0, self._free_at - self.clock.seconds())
        return max(0.0, ahead + (lines - self.burst) * self.pace)

    async def turn(self) -> None:
        """Wait until a line may go."""
        now = self.clock.seconds()
        self._free_at = max(self._free_at, now) + self.pace
        wait = self._free_at - now - self.burst * self.pace
        if wait > 0:
            await deferLater(self.clock, wait)
