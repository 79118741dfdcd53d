"""Reaches the first of several addresses that answers: a staggered race (RFC 8305 sections 4 and 5).

The families take turns, IPv6 first; each address gets a head start, and a failure starts the next at once. The first
connection wins and the others are given up.
"""

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, zip_longest
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

T = TypeVar("T")


class NoneReached(Exception):  # noqa: N818 - reads as what happened
    """Every start failed; ``failures`` in the order they came."""

    def __init__(self, failures: Sequence[Failure]) -> None:
        super().__init__(", ".join(failure.getErrorMessage() for failure in failures))
        self.failures = tuple(failures)


def alternate(addresses: Iterable[str]) -> list[str]:
    """Put IPv6 and IPv4 addresses in turns, IPv6 first, keeping the order within each."""
    sixes: list[str] = []
    fours: list[str] = []
    for address in addresses:
        (sixes if ipaddress.ip_address(address).version == 6 else fours).append(address)
    return [each for each in chain.from_iterable(zip_longest(sixes, fours)) if each is not None]


async def race(starts: Sequence[Callable[[], Deferred[T]]], clock: IReactorTime, stagger: float) -> T:
    """Give the result of the first start that succeeds, or raise NoneReached; the losers are cancelled."""
    return await _Race(starts, clock, stagger).result


class _Race(Generic[T]):
    """The runners on their way."""

    def __init__(self, starts: Sequence[Callable[[], Deferred[T]]], clock: IReactorTime, stagger: float) -> None:
        self.result: Deferred[T] = Deferred(lambda _: self._stop())
        self._waiting = list(starts)
        self._running: set[Deferred[T]] = set()
        self._failures: list[Failure] = []
        self._is_over = False
        self._clock = clock
        self._stagger = stagger
        self._timer: IDelayedCall | None = None
        self._start()

    def _start(self) -> None:
        self._disarm()
        runner = self._waiting.pop(0)()
        if self._waiting:
            self._timer = self._clock.callLater(self._stagger, self._start)
        self._running.add(runner)
        runner.addCallbacks(self._arrived, self._fell, callbackArgs=(runner,), errbackArgs=(runner,))

    def _arrived(self, winner: T, runner: Deferred[T]) -> None:
        self._running.discard(runner)
        self._stop()
        self.result.callback(winner)

    def _fell(self, failure: Failure, runner: Deferred[T]) -> None:
        self._running.discard(runner)
        if self._is_over:
            # Endpoints say ConnectingCancelledError to a cancelled start: never to be taken for a failure.
            return
        self._failures.append(failure)
        if self._waiting:
            self._start()
        elif not self._running:
            self.result.errback(NoneReached(self._failures))

    def _stop(self) -> None:
        self._is_over = True
        self._disarm()
        self._waiting.clear()
        for runner in list(self._running):
            runner.cancel()

    def _disarm(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
