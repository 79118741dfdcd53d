"""The circuit breaker and the rate of one gateway. Pure: the time is an argument.

closed      attempts are made; ``after`` of them in a row that could not reach the other side open it
open        nothing is tried for ``pause`` seconds, twice as long each time, ``longest`` at most
half open   one attempt probes, all others wait on; what it hears closes the breaker or opens it again
"""

from collections import OrderedDict

from attrs import Factory, define

PROBE_WAIT = 5.0
"""Seconds that others wait while one attempt probes."""


@define
class Breaker:
    """Says whether the other side may be tried now."""

    after: int
    pause: float
    longest: float
    misses: int = 0
    opened: int = 0
    """How many times in a row it was opened."""
    until: float = 0.0
    is_probing: bool = False
    reason: str = ""

    def wait(self, now: float) -> float:
        """Give the seconds until an attempt may be made; 0: now, and the caller makes it."""
        if not self.opened:
            return 0.0
        if now < self.until:
            return self.until - now
        if self.is_probing:
            return PROBE_WAIT
        self.is_probing = True
        return 0.0

    def succeed(self) -> None:
        """Hear that the other side is there."""
        self.misses = self.opened = 0
        self.is_probing = False

    def forget(self) -> None:
        """Hear that an attempt ended without telling anything about the other side."""
        self.is_probing = False

    def miss(self, now: float, reason: str) -> bool:
        """Hear that it could not be reached; True when the breaker opens by that."""
        self.misses += 1
        self.reason = reason
        was_probe, self.is_probing = self.is_probing, False
        if now < self.until or (self.misses < self.after and not was_probe):
            return False
        self.opened += 1
        self.until = now + min(self.pause * 2.0 ** min(self.opened - 1, 32), self.longest)
        return True


@define
class Rate:
    """At most so many in a time: a place in line for each, none further away than ``burst`` seconds' worth."""

    per_second: float
    burst: float = 1.0
    """Seconds whose allowance may be used at once."""
    _free_at: float = 0.0

    def wait(self, now: float) -> float:
        """Give the seconds until one more may pass; 0: now."""
        if not self.per_second:
            return 0.0
        burst = max(self.burst, 1 / self.per_second)
        return max(0.0, self._free_at - now - burst + 1 / self.per_second)

    def take(self, now: float, count: int = 1) -> None:
        """Count some as passed; those that come later wait for all of them."""
        if self.per_second:
            self._free_at = max(self._free_at, now) + count / self.per_second


@define
class Rates:
    """A rate for each of many, of whom the longest unseen are forgotten."""

    per_second: float
    burst: float = 60.0
    most: int = 1000
    _of: OrderedDict[str, Rate] = Factory(OrderedDict)

    def takes(self, name: str, now: float) -> bool:
        """Let one more pass for this name, or tell that it may not."""
        rate = self._of.pop(name, None) or Rate(self.per_second, self.burst)
        self._of[name] = rate
        if len(self._of) > self.most:
            self._of.popitem(last=False)
        if rate.wait(now) > 0:
            return False
        rate.take(now)
        return True
