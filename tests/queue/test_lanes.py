"""One lane."""

from random import Random

import pytest
from attrs import evolve

from mailnode.mail.content import Content
from mailnode.mail.message import Entry, QueuedRecipient
from mailnode.mail.outcome import Outcome
from mailnode.queue.lanes import PLACES, LaneState, Work, works_of
from mailnode.queue.settings import QueueSettings
from tests.kit.queueing import DEAD, GOOD, LATER, NEVER, OK, UNREACHABLE, entry


def state(**settings: int) -> LaneState:
    """Make a new lane."""
    return LaneState(GOOD, QueueSettings(**settings))  # type: ignore[arg-type]


def work(recipients: int = 1, octets: int = 10) -> Work:
    """Make work."""
    made = entry(*[GOOD] * recipients)
    queued = tuple(QueuedRecipient(key, one, GOOD) for key, one in enumerate(made.message.envelope.recipients))
    return Work(evolve(made.message, content=Content(b"x" * octets)), queued, GOOD, 0, 0)


def learn(lane: LaneState, now: float, *outcomes: Outcome) -> bool:
    """Let the lane learn."""
    return lane.learn(outcomes, now, Random(1))


def test_works_of_an_entry() -> None:
    """An entry is cut by lane, and each lane's recipients into portions, in order."""
    made = entry(GOOD, DEAD, GOOD, GOOD)
    lanes = [GOOD, DEAD, GOOD, GOOD]
    recipients = [
        QueuedRecipient(key, one, lane)
        for key, (one, lane) in enumerate(zip(made.message.envelope.recipients, lanes, strict=True))
    ]
    works = works_of(Entry(made.message, tuple(recipients), 9), 5, 2)
    assert [(one.lane, [queued.key for queued in one.recipients]) for one in works] == [
        (GOOD, [0, 2]),
        (GOOD, [3]),
        (DEAD, [1]),
    ]


def test_first_in_first_out() -> None:
    """Work is begun in the order it came, as far as the window lets."""
    lane = state(lane_initial=2)
    works = [work() for _ in range(3)]
    for one in works:
        lane.add(one)
    assert [lane.take(), lane.take()] == works[:2]
    assert not lane.is_startable
    assert lane.drain() == works[2:]
    assert lane.recipients == lane.octets == 0


def test_window() -> None:
    """Any answer about the message widens the window, a delay leaves it, a host that is not there narrows it."""
    lane = state(lane_initial=2, lane_maximum=4)
    for outcome, window in ((OK, 3), (NEVER, 4), (OK, 4), (LATER, 4), (UNREACHABLE, 3)):
        assert not learn(lane, 0, outcome)
        assert lane.window == window
    assert not learn(lane, 0, UNREACHABLE, LATER)
    assert lane.unreachable == 0


def test_rests_grow_until_the_host_is_back() -> None:
    """Each time the host is found dead again, the rest is longer; one answer forgets it all."""
    lane = state(dead_after=2)
    now, lengths = 1000.0, []
    assert not learn(lane, now, UNREACHABLE)
    for _ in range(4):
        assert learn(lane, now, UNREACHABLE)
        assert lane.is_resting(now)
        assert lane.window == 1
        lengths.append(lane.resting_until - now)
        now = lane.resting_until
        assert not lane.is_resting(now)
    assert lengths == sorted(lengths)
    assert lengths[-1] > 400
    learn(lane, now, OK)
    assert (lane.unreachable, lane.rests) == (0, 0)
    assert not learn(lane, now, UNREACHABLE)


def test_old_news_do_not_lengthen_a_rest() -> None:
    """Attempts that began before the rest and end in it say nothing new."""
    lane = state(dead_after=1)
    assert learn(lane, 1000, UNREACHABLE)
    until = lane.resting_until
    assert not learn(lane, 1001, UNREACHABLE)
    assert (lane.resting_until, lane.rests) == (until, 1)


def test_a_brief_rest_and_its_end() -> None:
    """A lane with a long line rests for the shortest time; and a rest may be ended."""
    lane = state(dead_after=1)
    for now in (0, 1000, 2000, 3000):
        learn(lane, now, UNREACHABLE)
    lane.rest(3000, Random(1), briefly=True)
    assert lane.resting_until < 3070
    lane.wake()
    assert not lane.is_resting(3001)


def test_full() -> None:
    """A lane is full at its capacity, which grows with its window, and has room again when half empty."""
    lane = state(lane_recipients=100, lane_maximum=10, lane_initial=1)
    for _ in range(10):
        assert not lane.is_full
        lane.add(work())
    assert lane.is_full
    lane.window = 10
    for _ in range(4):
        lane.take()
        assert lane.is_full == (lane.recipients > 50)


def test_full_of_content() -> None:
    """Content makes a lane full as well: an eighth of all that may be in memory."""
    lane = state(active_content=800)
    lane.add(work(octets=99))
    assert not lane.is_full
    lane.add(work(octets=1))
    assert lane.is_full


@pytest.mark.rfc("6710", "4")
def test_what_is_urgent_overtakes_but_not_for_ever() -> None:
    """Higher priorities go first, equal ones in the order they came; a hundred places a level is all that is overtaken."""
    lane = state(lane_initial=1000)
    for number, level in enumerate([0, -1, 3, 9, 0, 3]):
        lane.add(evolve(urgent(level), expires=number))
    assert [int(lane.take().expires) for _ in range(6)] == [3, 2, 5, 0, 4, 1]
    lane.add(evolve(urgent(0), expires=-1))
    for _ in range(PLACES + 50):
        lane.add(urgent(1))
    places = [one.expires for one in lane.drain()]
    assert places.index(-1) == PLACES - 1
    assert not lane.places


def urgent(level: int) -> Work:
    """Make work of this priority."""
    made = work()
    envelope = evolve(made.message.envelope, extra=(("MT-PRIORITY", str(level)),) if level else ())
    return evolve(made, message=evolve(made.message, envelope=envelope))
