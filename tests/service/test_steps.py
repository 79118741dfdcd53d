"""Tests of the watch on the clock."""

import pytest
from twisted.internet.testing import MemoryReactorClock

from mailnode.service.steps import StepWatch


class Clocks(MemoryReactorClock):
    """A reactor whose clock can be set, and a clock that cannot."""

    steady = 0.0

    def go_on(self, seconds: float) -> None:
        """Let time pass on both."""
        self.steady += seconds
        self.advance(seconds)

    def callFromThread(self, f: object, *args: object, **kwargs: object) -> None:
        """Call at once."""
        assert callable(f)
        f(*args, **kwargs)


@pytest.mark.parametrize(("step", "waits"), [(-3600.0, 60.0), (-0.5, 60.5), (0.0, 60.0)])
def test_timers_do_not_wait_for_the_length_of_the_step(step: float, waits: float) -> None:
    """A timer of a minute fires after a minute, though the clock was set back by an hour; a little is left as it is."""
    clocks = Clocks()
    clocks.advance(1_800_000_000)
    watch = StepWatch(clocks, lambda: clocks.steady)
    fired: list[float] = []
    clocks.callLater(60, lambda: fired.append(clocks.steady))
    clocks.rightNow += step
    watch.look()
    for _ in range(140):
        clocks.go_on(0.5)
        watch.look()
    assert fired == [waits]


def test_a_watch_that_has_stopped_changes_nothing() -> None:
    """A step that is seen while all ends has no effect."""
    clocks = Clocks()
    clocks.advance(7200)
    watch = StepWatch(clocks, lambda: clocks.steady)
    call = clocks.callLater(60, lambda: None)
    watch.start()
    watch.stop()
    clocks.rightNow -= 3600
    watch.look()
    assert call.getTime() == 7260
