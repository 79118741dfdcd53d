"""The cache of answers."""

from twisted.internet.task import Clock

from mailnode.routing.cache import TimedCache


def test_time_and_number_are_bounded() -> None:
    """Values go at their time; the one unused for longest goes when there are too many."""
    clock = Clock()
    cache: TimedCache[str, int] = TimedCache(2, clock.seconds)
    cache.put("a", 1, 10)
    cache.put("b", 2, 20)
    clock.advance(4)
    assert cache.get("a") == (1, 6)
    cache.put("c", 3, 30)
    assert cache.get("b") is None
    assert len(cache) == 2
    clock.advance(6)
    assert cache.get("a") is None
    assert len(cache) == 1


def test_nothing_is_kept_for_no_time() -> None:
    """A TTL of 0, or room for nothing, keeps nothing."""
    cache: TimedCache[str, int] = TimedCache(2, lambda: 0.0)
    cache.put("a", 1, 0)
    assert cache.get("a") is None
    none: TimedCache[str, int] = TimedCache(0, lambda: 0.0)
    none.put("a", 1, 10)
    assert len(none) == 0
