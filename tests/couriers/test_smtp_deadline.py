"""The moving time limit strikes when it should, and moving it makes no timers."""

from twisted.internet.task import Clock

from mailnode.couriers.smtp_deadline import LOOK, Deadline


def _deadline() -> tuple[Clock, Deadline, list[float]]:
    clock = Clock()
    struck: list[float] = []
    return clock, Deadline(clock, lambda: struck.append(clock.seconds())), struck


def test_strikes_once_at_the_limit() -> None:
    """A limit that is not moved strikes on time."""
    clock, deadline, struck = _deadline()
    deadline.move(12)
    clock.pump([0.5] * 60)
    assert struck == [12]


def test_moving_puts_it_off_with_one_timer() -> None:
    """Each move counts from now; there is never more than one timer."""
    clock, deadline, struck = _deadline()
    for _ in range(30):
        deadline.move(10)
        clock.advance(1)
        assert len(clock.getDelayedCalls()) == 1
    clock.pump([0.5] * 40)
    assert struck == [39]


def test_moving_it_nearer_costs_at_most_one_look() -> None:
    """A nearer limit is noticed at the next look."""
    clock, deadline, struck = _deadline()
    deadline.move(600)
    clock.advance(1)
    deadline.move(1)
    clock.pump([0.5] * 30)
    assert struck == [LOOK]


def test_stopped_is_silent() -> None:
    """A stopped limit never strikes and leaves no timer."""
    clock, deadline, struck = _deadline()
    deadline.move(1)
    deadline.stop()
    deadline.stop()
    assert not clock.getDelayedCalls()
    clock.advance(10)
    assert struck == []
