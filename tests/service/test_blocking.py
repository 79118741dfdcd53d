"""Tests of the watch on the reactor."""

import threading
from typing import Any

import pytest
from twisted.logger import ILogObserver, globalLogPublisher
from zope.interface import implementer

from mailnode.gateways.slices import Slices
from mailnode.service.blocking import BlockWatch


class Reactor:
    """A reactor that answers when it is let."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def callFromThread(self, call: Any) -> None:
        """Note it."""
        self.asked.append(call)


@pytest.mark.parametrize(("current", "name"), [("chat", "chat"), ("", "this"), ("none", "none")])
def test_who_blocks_is_named_while_it_lasts_and_after(current: str, name: str) -> None:
    """By the mark, else by the file on the stack; once each."""
    events: list[dict[str, Any]] = []
    time = [0.0]
    reactor, slices = Reactor(), Slices()
    watch = BlockWatch(reactor, slices, {"this": __file__}, steady=lambda: time[0])
    watch._thread_id = threading.get_ident()
    slices.current = current
    observer = implementer(ILogObserver)(lambda event: events.append(event))  # noqa: PLW0108 - a method bears no interface
    globalLogPublisher.addObserver(observer)
    try:
        for time[0] in (0.0, 1.0, 2.0, 3.0):
            watch.look()
        reactor.asked.pop()()
        for time[0] in (4.0, 5.0):
            watch.look()
            reactor.asked.pop()()
    finally:
        globalLogPublisher.removeObserver(observer)
    assert [(one["gateway"], one["seconds"]) for one in events if one.get("event") == "blocked"] == [
        (name, 2.0),
        (name, 3.0),
    ]


def test_nobody_is_named_while_the_reactor_answers() -> None:
    """A second late is no block."""
    reactor = Reactor()
    watch = BlockWatch(reactor, Slices(), {}, steady=lambda: 0.0)
    watch.look()
    watch.look()
    assert len(reactor.asked) == 1
