"""A cache of DNS answers: bounded in entries, each with its end (RFC 1035 7.4, RFC 2308 section 5)."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class TimedCache(Generic[K, V]):
    """Keeps values until their time; the one unused for longest goes when there are too many."""

    def __init__(self, entries: int, seconds: Callable[[], float]) -> None:
        """Keep at most ``entries`` (0: none); ``seconds`` is the clock."""
        self._limit = entries
        self._seconds = seconds
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> tuple[V, float] | None:
        """Give the value and the seconds it has left; None when it is not here or its time is over."""
        entry = self._kept.get(key)
        if entry is None:
            return None
        end, value = entry
        left = end - self._seconds()
        if left <= 0:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return value, left

    def put(self, key: K, value: V, ttl: float) -> None:
        """Keep the value for ``ttl`` seconds; one of 0 is not kept."""
        if ttl <= 0 or not self._limit:
            return
        self._kept[key] = (self._seconds() + ttl, value)
        self._kept.move_to_end(key)
        while len(self._kept) > self._limit:
            self._kept.popitem(last=False)
