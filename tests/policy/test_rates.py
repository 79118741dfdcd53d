"""Who does too much hears how long to wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.mail.quantity import Seconds
from mailnode.policy import rates
from mailnode.policy.rates import Meter, Rate

HOUR = Seconds(3600)


def test_a_limit_may_be_used_up_at_once_and_comes_back_one_by_one() -> None:
    """Three an hour: three now, the next after twenty minutes, and each key has its own."""
    meter = Meter(Rate(3, HOUR))
    assert [meter.take("ann", 1000) for _ in range(4)] == [0, 0, 0, 1200]
    assert meter.take("bob", 1000) == 0
    assert meter.take("ann", 2199) == pytest.approx(1)
    assert meter.take("ann", 2200) == 0
    assert meter.take("ann", 2200) == pytest.approx(1200)


def test_no_limit_counts_nothing() -> None:
    """0 is no limit and costs no memory."""
    meter = Meter(Rate(0))
    assert meter.take("ann", 0) == 0
    assert len(meter) == 0


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    """However far it jumps, nobody waits for longer than the period."""
    meter = Meter(Rate(1, HOUR))
    assert meter.take("ann", 1_000_000) == 0
    assert 0 < meter.take("ann", 10) <= HOUR


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest unseen is forgotten first."""
    monkeypatch.setattr(rates, "MOST_KEYS", 2)
    meter = Meter(Rate(1, HOUR))
    assert [meter.take(key, 0) for key in "abc"] == [0, 0, 0]
    assert len(meter) == 2
    assert meter.take("a", 0) == 0
    assert meter.take("c", 0) > 0


def test_workers_share_a_limit() -> None:
    """Each has its part, rounded up; no limit stays none."""
    assert Rate(10, HOUR).share_of(3) == Rate(4, HOUR)
    assert Rate(0, HOUR).share_of(3) == Rate(0, HOUR)


@given(st.integers(1, 20), st.lists(st.floats(0, 500), max_size=60))
def test_no_more_than_the_limit_in_any_period_but_one_more(most: int, steps: list[float]) -> None:
    """In any period at most twice the limit is done: what was saved up, and what came back meanwhile."""
    meter = Meter(Rate(most, Seconds(1000)))
    moment, done = 0.0, []
    for step in steps:
        moment += step
        wait = meter.take("x", moment)
        if not wait:
            done.append(moment)
        else:
            assert meter.take("x", moment + wait + 0.001) == 0
            done.append(moment + wait + 0.001)
            moment += wait + 0.001
    for first in done:
        assert sum(first <= each < first + 1000 for each in done) <= 2 * most
