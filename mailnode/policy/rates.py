"""How much somebody may do in a time: one number for each key, in bounded memory."""

import math
from collections import OrderedDict

from attrs import Factory, define, frozen

from mailnode.mail.quantity import Seconds

MOST_KEYS = 100_000
"""Keys that are remembered."""


@frozen
class Rate:
    """So much in such a time; 0 is no limit."""

    most: int = 0
    period: Seconds = Seconds(3600)

    def share_of(self, workers: int) -> "Rate":
        """Give the part of one of so many processes; a limit is never divided into nothing."""
        return Rate(math.ceil(self.most / workers), self.period)


@define
class Meter:
    """Measures one kind of deed, for many keys."""

    rate: Rate
    _done_at: OrderedDict[str, float] = Factory(OrderedDict)
    """When what each has done would have been done at an even pace."""

    def take(self, key: str, now: float) -> float:
        """Count one deed; 0.0: it is done. Where it is too much, count nothing and give the seconds to wait."""
        if not self.rate.most:
            return 0.0
        period = float(self.rate.period)
        # A clock that was set back must not lock anybody out for longer than the period.
        begun = min(max(self._done_at.get(key, now), now), now + period)
        done = begun + period / self.rate.most
        wait = done - (now + period)
        if wait > 1e-6:
            return wait
        self._done_at[key] = done
        self._done_at.move_to_end(key)
        if len(self._done_at) > MOST_KEYS:
            self._done_at.popitem(last=False)
        return 0.0

    def __len__(self) -> int:
        """Count the keys that are remembered."""
        return len(self._done_at)
