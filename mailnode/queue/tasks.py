"""The coroutines that the queue has begun: kept until they end, their failures logged."""

from collections.abc import Coroutine
from typing import Any

from attrs import Factory, define
from twisted.internet.defer import Deferred
from twisted.logger import Logger

log = Logger()


@define
class Tasks:
    """What runs."""

    _running: set[Deferred[None]] = Factory(set)
    _idle: Deferred[None] | None = None

    def run(self, coroutine: Coroutine[Deferred[Any], Any, None]) -> None:
        """Own a coroutine until it ends."""
        task = Deferred.fromCoroutine(coroutine)
        self._running.add(task)
        task.addErrback(lambda failure: log.failure("the queue failed in a task of its own", failure))
        task.addBoth(lambda _: self._ended(task))

    async def all_ended(self) -> None:
        """Wait until nothing runs any more; for one caller at a time."""
        if self._running:
            self._idle = Deferred()
            await self._idle

    def _ended(self, task: Deferred[None]) -> None:
        self._running.discard(task)
        if not self._running and self._idle is not None:
            idle, self._idle = self._idle, None
            idle.callback(None)
