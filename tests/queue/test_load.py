"""All that is in memory."""

import pytest

from mailnode.mail.route import Lane
from mailnode.queue import load as module
from mailnode.queue.load import Load
from mailnode.queue.settings import QueueSettings
from tests.kit.queueing import DEAD, GOOD
from tests.queue.test_lanes import work


def load(**settings: int) -> Load:
    """Make an empty load."""
    return Load(QueueSettings(**settings))  # type: ignore[arg-type]


def test_turns() -> None:
    """Lanes take turns; a lane whose window is used up has none."""
    it = load(concurrency=10, lane_initial=2)
    from attrs import evolve

    for lane, count in ((GOOD, 5), (DEAD, 1)):
        for _ in range(count):
            it.add(evolve(work(), lane=lane))
    begun = []
    while turn := it.next_turn():
        begun.append(turn)
    assert [state.lane for state, _ in begun] == [GOOD, DEAD, GOOD]
    it.finish(begun[0][0])
    again = it.next_turn()
    assert again is not None
    assert again[0].lane == GOOD
    assert it.running == 3


def test_concurrency_in_all() -> None:
    """No more attempts begin than may run in all."""
    it = load(concurrency=1)
    for _ in range(3):
        it.add(work())
    assert it.next_turn()
    assert it.next_turn() is None


def test_room() -> None:
    """Room is what recipients and octets leave."""
    it = load(active_recipients=5, active_content=100)
    assert it.room() == 5
    one = work(2, octets=40)
    it.hold(one)
    assert it.room() == 3
    assert it.takes({DEAD: 3}, 60, 0)
    assert not it.takes({DEAD: 4}, 10, 0)
    assert not it.takes({DEAD: 1}, 61, 0)
    more = work(2, octets=60)
    it.hold(more)
    assert it.room() == 0
    it.let_go(more)
    it.let_go(one)
    assert (it.room(), it.octets) == (5, 0)


def test_lanes_that_take_no_more() -> None:
    """A full lane, a resting lane and a lane that is too small for a message take no more."""
    it = load(lane_recipients=100, lane_maximum=10, lane_initial=1)
    assert not it.takes({GOOD: 11}, 0, 0)
    it.add(work(10))
    assert it.full() == {GOOD}
    assert not it.takes({GOOD: 1}, 0, 0)
    assert it.takes({DEAD: 1}, 0, 0)
    it.lane(DEAD).resting_until = 10
    assert not it.takes({DEAD: 1}, 0, 9)
    assert it.drain_all()
    assert not it.full()


def test_idle_lanes_are_forgotten_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many next hops there have been, only so many are remembered; the longest unused go first."""
    monkeypatch.setattr(module, "REMEMBERED", 3)
    it = load()
    for number in range(10):
        it.lane(Lane("smtp", str(number))).window = 9
    assert it.lane(Lane("smtp", "9")).window == 9
    assert it.lane(Lane("smtp", "0")).window == 2
    assert len(it._idle) == 3
