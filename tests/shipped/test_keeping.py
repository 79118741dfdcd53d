"""Tests of how a connection is kept: when it is made anew, and that it is let go."""

from random import Random
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import Logger

from mailnode.shipped.keeping import FIRST_PAUSE, LONGEST_PAUSE, PROVEN, Keeping

SPREAD = 1.2


class Connections:
    """Connections that end when the test says so."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.made: list[Deferred[str]] = []
        self.heard: list[str] = []
        self.keeping = Keeping(self._once, self.heard.append, self.clock, Random(1), Logger())
        self.keeping.start()

    async def _once(self) -> str:
        one: Deferred[str] = Deferred()
        self.made.append(one)
        return await one

    def pause(self) -> float:
        """Give the seconds until the next try."""
        return self.keeping.next_try - self.clock.seconds()

    def end(self, why: Any) -> float:
        """End the connection of now, go to the next one, and give the pause between."""
        one = self.made[-1]
        one.errback(why) if isinstance(why, Exception) else one.callback(why)
        pause = self.pause()
        self.clock.advance(pause)
        return pause


def test_what_ends_at_once_is_made_anew_later_each_time() -> None:
    """The pause doubles up to its longest, with a spread; each end is told, however it came."""
    connections = Connections()
    pauses = [connections.end(why) for why in ("gone", OSError("no route"), OSError(), *["gone"] * 6)]
    assert connections.heard[:3] == ["gone", "no route", "OSError"]
    assert len(connections.made) == 10
    for count, pause in enumerate(pauses):
        expected = min(FIRST_PAUSE * 2**count, LONGEST_PAUSE)
        assert expected <= pause <= expected * SPREAD


def test_after_a_good_one_the_first_pause_is_back() -> None:
    """What lasted for a while has proven that the server takes us."""
    connections = Connections()
    for _ in range(4):
        connections.end("gone")
    connections.clock.advance(PROVEN)
    assert connections.end("gone") <= FIRST_PAUSE * SPREAD


def test_stopping_lets_go_of_it() -> None:
    """The connection of now is cancelled, nobody is told, and there is no further one; to stop twice does no harm."""
    connections = Connections()
    connections.keeping.stop()
    connections.keeping.stop()
    assert connections.made[0].called
    assert not connections.heard
    assert not connections.clock.getDelayedCalls()
