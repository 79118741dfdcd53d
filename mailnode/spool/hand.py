"""A thread that takes all the work that waits, does it in one go, and answers all of it with one call to the reactor.

The one way from the reactor thread to the disk and back. What is asked for waits in a queue; under load the queue
fills while the thread works, and the next round takes more: batches form by themselves, and a lonely piece of work
waits for nobody. One ``callFromThread`` a round keeps the way back cheap.
"""

import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, Generic, Protocol, TypeVar

from attrs import define, frozen
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from mailnode.interfaces import SpoolTrouble

MOST_AT_ONCE = 1000
"""Pieces of work in one round."""

T = TypeVar("T")
Tool = TypeVar("Tool")
Tool_co = TypeVar("Tool_co", covariant=True)


class Reactor(Protocol):
    """What the spool needs of the reactor: IReactorTime and IReactorFromThreads."""

    def seconds(self) -> float:
        """Tell the time, seconds since the epoch."""
        ...

    def callFromThread(self, callable: Callable[..., Any], *args: object) -> None:  # noqa: A002 - Twisted's name
        """Call on the reactor thread."""
        ...


class Round(Protocol[Tool_co]):
    """Does one round of work, on the hand's thread."""

    def run(self, works: Sequence[Callable[[Tool_co], Any]]) -> Sequence[Any]:
        """Do all of it; give for each its result, or a Failure."""
        ...

    def finish(self) -> None:
        """Let go of everything; called once, at the end."""
        ...


@frozen
class _Asked(Generic[Tool]):
    work: Callable[[Tool], Any]
    answer: "Deferred[Any]"


class Hand(Generic[Tool]):
    """A thread (or several that share one queue) with a tool: a transaction, a connection, a folder."""

    def __init__(self, reactor: Reactor, name: str, rounds: Sequence[Round[Tool]]) -> None:
        """Prepare; each of ``rounds`` gets a thread, started with the first work."""
        self._reactor = reactor
        self._name = name
        self._rounds = rounds
        self._waiting: SimpleQueue[_Asked[Tool] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._closed: Deferred[None] | None = None

    def ask(self, work: Callable[[Tool], T]) -> "Deferred[T]":
        """Have ``work`` done with the tool on the thread; cancelled before its round, it is not done at all."""
        if self._closed is not None:
            raise SpoolTrouble("the spool is closed")
        if not self._threads:
            self._start()
        answer: Deferred[T] = Deferred()
        self._waiting.put(_Asked(work, answer))
        return answer

    def close(self) -> "Deferred[None]":
        """Finish what was asked for, then end the threads."""
        if self._closed is None:
            self._closed = Deferred()
            for _ in self._threads:
                self._waiting.put(None)
            if not self._threads:
                self._closed.callback(None)
        waiting: Deferred[None] = Deferred()
        self._closed.addBoth(lambda _: waiting.callback(None))
        return waiting

    def _start(self) -> None:
        for one in self._rounds:
            thread = threading.Thread(target=self._serve, args=(one,), name=self._name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, one: Round[Tool]) -> None:
        goes_on = True
        while goes_on:
            batch, goes_on = self._take()
            # Read without a lock: what is cancelled a moment later is done and its answer dropped.
            wanted = [asked for asked in batch if not asked.answer.called]
            if wanted:
                results = _results(one, [asked.work for asked in wanted])
                self._reactor.callFromThread(_answer, wanted, results)
        one.finish()
        self._reactor.callFromThread(self._ended, threading.current_thread())

    def _take(self) -> tuple[list[_Asked[Tool]], bool]:
        # Several threads share their work evenly instead of one taking it all.
        most = MOST_AT_ONCE if len(self._rounds) == 1 else 1
        batch: list[_Asked[Tool]] = []
        asked = self._waiting.get()
        while asked is not None:
            batch.append(asked)
            if len(batch) == most:
                return batch, True
            try:
                asked = self._waiting.get_nowait()
            except Empty:
                return batch, True
        return batch, False

    def _ended(self, thread: threading.Thread) -> None:
        self._threads.remove(thread)
        if not self._threads and self._closed is not None:
            self._closed.callback(None)


def _results(one: Round[Any], works: Sequence[Callable[[Any], Any]]) -> Sequence[Any]:
    try:
        return one.run(works)
    except BaseException as error:  # noqa: BLE001 - the thread must live; those who wait are told
        return [Failure(error)] * len(works)


def _answer(batch: Sequence[_Asked[Any]], results: Sequence[Any]) -> None:
    for asked, result in zip(batch, results, strict=True):
        asked.answer.callback(result)


@define
class OneByOne(Generic[Tool]):
    """A round where each piece of work stands for itself."""

    tool: Tool

    def run(self, works: Sequence[Callable[[Tool], Any]]) -> Sequence[Any]:
        """Do one after the other."""
        return [attempt(work, self.tool) for work in works]

    def finish(self) -> None:
        """Nothing is held."""


def attempt(work: Callable[[Tool], Any], tool: Tool) -> Any:
    """Give the result, or what was raised as a Failure."""
    try:
        return work(tool)
    except BaseException as error:  # noqa: BLE001 - it goes to whoever asked
        return Failure(error)
