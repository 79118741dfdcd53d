"""Hands: batches form by themselves, answers come back, ends are orderly."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from attrs import Factory, define
from twisted.internet.defer import CancelledError, gatherResults

from mailnode.interfaces import SpoolTrouble
from mailnode.spool.hand import Hand, OneByOne
from tests.kit.threads import ThreadClock


@define
class Slow:
    """Rounds that wait for a sign, and remember how many pieces each had."""

    gate: threading.Event = Factory(threading.Event)
    sizes: list[int] = Factory(list)
    is_finished: bool = False

    def run(self, works: Sequence[Callable[[int], Any]]) -> Sequence[Any]:
        """Wait, then do all of it."""
        self.gate.wait(10)
        self.sizes.append(len(works))
        return [work(7) for work in works]

    def finish(self) -> None:
        """Remember it."""
        self.is_finished = True


def test_what_waits_is_done_in_one_round() -> None:
    """While the hand is busy, work gathers; all of it is the next round."""
    clock, slow = ThreadClock(), Slow()
    hand = Hand(clock, "test", [slow])
    answers = [hand.ask(lambda tool: tool + 1) for _ in range(100)]
    slow.gate.set()
    assert clock.wait(gatherResults(answers)) == [8] * 100
    clock.wait(hand.close())
    assert sum(slow.sizes) == 100
    assert len(slow.sizes) <= 2
    assert slow.is_finished


def test_cancelled_before_its_round_it_is_not_done() -> None:
    """Work that is cancelled while it waits is dropped, and the rest is answered."""
    clock, slow = ThreadClock(), Slow()
    done: list[int] = []
    hand = Hand(clock, "test", [slow])
    clock.wait(_busy(hand, slow))
    slow.gate.clear()
    hand.ask(lambda _: None)
    dropped = hand.ask(done.append)
    kept = hand.ask(lambda tool: tool)
    errors: list[Any] = []
    dropped.addErrback(lambda failure: errors.append(failure.trap(CancelledError)))
    dropped.cancel()
    slow.gate.set()
    assert clock.wait(kept) == 7
    clock.wait(hand.close())
    assert errors
    assert len(done) <= 1


def _busy(hand: Hand[int], slow: Slow) -> Any:
    slow.gate.set()
    return hand.ask(lambda tool: tool)


def test_an_error_is_told_to_whoever_asked() -> None:
    """What work raises comes back as it is; other work is not touched, and the thread lives on."""
    clock = ThreadClock()
    hand = Hand(clock, "test", [OneByOne({"a": 1})])
    with pytest.raises(KeyError):
        clock.wait(hand.ask(lambda tool: tool["b"]))
    assert clock.wait(hand.ask(lambda tool: tool["a"])) == 1
    clock.wait(hand.close())


def test_a_round_that_breaks_is_told_to_all_and_the_thread_lives_on() -> None:
    """Even a fault of the round itself leaves nobody waiting."""
    clock, slow = ThreadClock(), Slow()
    slow.gate.set()
    hand = Hand(clock, "test", [slow])
    with pytest.raises(ZeroDivisionError):
        clock.wait(hand.ask(lambda _: 1 // 0))
    assert clock.wait(hand.ask(lambda tool: tool)) == 7
    clock.wait(hand.close())


def test_close() -> None:
    """Closing ends the threads once; a hand that never worked closes at once; asked after that, it is trouble."""
    clock = ThreadClock()
    several = Hand(clock, "test", [OneByOne(1), OneByOne(2), OneByOne(3)])
    assert clock.wait(several.ask(lambda tool: tool)) in (1, 2, 3)
    clock.wait(several.close())
    clock.wait(several.close())
    with pytest.raises(SpoolTrouble):
        several.ask(lambda tool: tool)
    clock.wait(Hand(clock, "test", [OneByOne(1)]).close())
