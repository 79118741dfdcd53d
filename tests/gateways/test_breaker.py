"""Tests of circuit breaker and rate."""

from hypothesis import given
from hypothesis import strategies as st

from mailnode.gateways.breaker import Breaker, Rate, Rates


def test_it_opens_probes_and_closes() -> None:
    """Two misses open it; one probes when the pause is over; a success closes it."""
    breaker = Breaker(2, 10, 40)
    assert not breaker.miss(0, "down")
    assert breaker.wait(0) == 0
    assert breaker.miss(0, "down")
    assert breaker.wait(4) == 6
    assert breaker.wait(10) == 0
    assert breaker.wait(10) > 0
    breaker.succeed()
    assert breaker.wait(10) == 0


def test_each_pause_is_longer_up_to_the_longest() -> None:
    """10, 20, 40, 40."""
    breaker, now, pauses = Breaker(1, 10, 40), 0.0, []
    for _ in range(4):
        breaker.miss(now, "down")
        pauses.append(breaker.wait(now))
        now += pauses[-1]
        breaker.wait(now)
    assert pauses == [10, 20, 40, 40]


def test_a_probe_that_told_nothing_lets_another_probe() -> None:
    """Its cancellation does not keep the breaker open for ever."""
    breaker = Breaker(1, 10, 40)
    breaker.miss(0, "down")
    assert breaker.wait(10) == 0
    breaker.forget()
    assert breaker.wait(10) == 0


@given(st.lists(st.floats(min_value=0, max_value=5), max_size=60), st.floats(min_value=0.1, max_value=50))
def test_no_more_than_the_rate_pass(gaps: list[float], per_second: float) -> None:
    """Over any run, the count stays within the rate and one burst."""
    rate, now, passed = Rate(per_second), 0.0, 0
    for gap in gaps:
        now += gap
        if not rate.wait(now):
            rate.take(now)
            passed += 1
    assert passed <= per_second * (now + max(1.0, 1 / per_second)) + 1


def test_each_name_has_a_rate_and_many_names_cost_no_memory() -> None:
    """The longest unseen is forgotten."""
    rates = Rates(1, burst=2, most=3)
    assert [rates.takes("a", 0) for _ in range(3)] == [True, True, False]
    assert all(rates.takes(name, 0) for name in "bcd")
    assert len(rates._of) == 3
