"""Failures counted by key, forgotten little by little, in bounded memory.

A count leaks: ``limit`` failures are forgotten within ``window``, evenly. So a count costs two numbers however high it is,
and there is no moment at which everything is forgiven at once. Beyond ``most`` keys the one that has not failed for the
longest time goes.
"""

from collections import OrderedDict
from collections.abc import Hashable


class Counts:
    """Counts failures against one limit."""

    def __init__(self, limit: int, window: float, most: int) -> None:
        self.limit = limit
        self._rate = limit / window
        self._most = most
        self._counts: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        """The count, and when it was right."""

    def __len__(self) -> int:
        """Count the keys."""
        return len(self._counts)

    def of(self, key: Hashable, now: float) -> float:
        """Give the count of a key."""
        count, at = self._counts.get(key, (0.0, now))
        return max(0.0, count - (now - at) * self._rate)

    def has_room(self, key: Hashable, now: float, more: int = 0) -> bool:
        """Tell whether one whole further failure is within the limit, after ``more`` that are not counted yet."""
        return self.of(key, now) + more <= self.limit - 1

    def add(self, key: Hashable, now: float) -> None:
        """Count one more."""
        self._counts[key] = (self.of(key, now) + 1, now)
        self._counts.move_to_end(key)
        if len(self._counts) > self._most:
            self._counts.popitem(last=False)

    def forget(self, key: Hashable) -> None:
        """Begin again from nothing."""
        self._counts.pop(key, None)
