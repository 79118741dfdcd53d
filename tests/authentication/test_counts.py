"""Failures are counted, and forgotten little by little, in bounded memory."""

from mailnode.authentication.counts import Counts


def test_a_count_leaks_evenly() -> None:
    """After half the window half the limit is forgiven, after all of it nothing is left."""
    counts = Counts(limit=10, window=100.0, most=10)
    for _ in range(10):
        counts.add("a", 0.0)
    assert (counts.of("a", 0.0), counts.of("a", 50.0), counts.of("a", 200.0)) == (10, 5, 0)
    assert counts.of("b", 0.0) == 0
    counts.forget("a")
    assert counts.of("a", 0.0) == 0


def test_memory_is_bounded() -> None:
    """Whoever has not failed for the longest time is forgotten first."""
    counts = Counts(limit=10, window=100.0, most=2)
    for key in "abac":
        counts.add(key, 0.0)
    assert (counts.of("a", 0.0), counts.of("b", 0.0), counts.of("c", 0.0), len(counts)) == (2, 0, 1, 2)
