"""Settling: what came of an attempt is decided by the relay role and written into the spool, whatever it takes.

While the spool cannot write (full, read-only), what was tried stays here and is settled again and again, at growing
intervals; ``is_troubled`` tells the runner to begin nothing new. What the role decides is asked for anew each time, so
that a notice never bears the queue id of one that may lie in the spool already. When the role itself fails, what was
delivered is done and all else is tried again later: a bug of ours never bounces mail and never loses any.
"""

import math
from collections.abc import Callable, Sequence
from typing import Protocol

from attrs import Factory, define, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from mailnode.interfaces import Settlement, Spool, SpoolTrouble
from mailnode.mail.message import NewEntry, QueuedRecipient
from mailnode.mail.outcome import Delayed, Failed
from mailnode.queue.attempt import Attempt
from mailnode.queue.settings import QueueSettings

log = Logger()

FIRST_PAUSE = 1.0
LAST_PAUSE = 60.0
"""Seconds between two tries to write; doubled from the first to the last."""


@frozen
class Settled:
    """What is to be written down after an attempt."""

    settlements: tuple[Settlement, ...]
    """One for each recipient of the attempt."""
    notices: tuple[tuple[NewEntry, float], ...] = ()
    """New messages that come of it (DSNs), each with the time it is due."""

    @property
    def due(self) -> float:
        """Give the earliest time at which something of it is due; infinity when all is done."""
        waiting = [one.due for one in self.settlements if not one.done]
        return min([*waiting, *(due for _, due in self.notices)], default=math.inf)


class Settle(Protocol):
    """Decides what becomes of recipients after an attempt: done, due again, or given up; and who is told."""

    async def __call__(self, attempt: Attempt) -> Settled:
        """Decide; changes nothing by itself and may be asked again for the same attempt."""
        ...


@define
class Settling:
    """Writes down what came of attempts."""

    spool: Spool
    settle: Settle
    clock: IReactorTime
    settings: QueueSettings
    recovered: Callable[[], None]
    """Called when the spool writes again."""
    is_troubled: bool = False
    """The spool could not write when last asked."""
    is_hurried: bool = False
    """The queue stops: one more try, no more pauses."""
    _pauses: set[Deferred[None]] = Factory(set)

    async def finish(self, attempt: Attempt) -> float:
        """Settle an attempt, however long the spool takes; gives when the first of what is left is due (inf: nothing)."""
        pause = FIRST_PAUSE
        while True:
            settled = await self._decide(attempt)
            hurried = self.is_hurried
            if await self._write(settled.settlements, settled.notices, attempt.message.queue_id):
                return settled.due
            if hurried:
                return math.inf
            await self._pause(pause)
            pause = min(pause * 2, LAST_PAUSE)

    async def give_back(self, recipients: Sequence[QueuedRecipient], *, due: float | None = None) -> None:
        """Let recipients be claimed again, at once or when they are ``due``, as if nothing had been tried.

        When that fails, their lease runs out.
        """
        if recipients:
            when = self.clock.seconds() if due is None else due
            settlements = tuple(Settlement(one.key, due=when, counts=False) for one in recipients)
            await self._write(settlements, (), "", is_kept=False)

    def hurry(self) -> None:
        """Try once more what could not be written, and then no more."""
        self.is_hurried = True
        for pause in list(self._pauses):
            pause.cancel()

    async def _decide(self, attempt: Attempt) -> Settled:
        try:
            return await self.settle(attempt)
        except CancelledError:
            raise
        except Exception:  # noqa: BLE001 - see above: never lose, never bounce by a bug
            log.failure("{queue_id}: could not decide what becomes of it", queue_id=attempt.message.queue_id)
            return plainly(attempt, self.settings)

    async def _write(
        self,
        settlements: Sequence[Settlement],
        notices: Sequence[tuple[NewEntry, float]],
        queue_id: str,
        *,
        is_kept: bool = True,
    ) -> bool:
        """Write it down; False when that failed. ``is_kept``: then it will be tried again."""
        try:
            done = await self.spool.settle(settlements, notices)
        except CancelledError:
            raise
        except SpoolTrouble as trouble:
            log.error("{queue_id}: could not settle: {reason}", event="trouble", queue_id=queue_id, reason=str(trouble))
            # Only who will write again may say so: nobody else would ever take it back.
            self.is_troubled = self.is_troubled or is_kept
            return False
        except Exception:  # noqa: BLE001 - kept and tried again like any other trouble
            log.failure("{queue_id}: could not settle", queue_id=queue_id)
            return False
        for one in done:
            log.info("{queue_id}: removed", event="done", queue_id=one)
        if self.is_troubled:
            self.is_troubled = False
            self.recovered()
        return True

    async def _pause(self, seconds: float) -> None:
        if self.is_hurried:
            return
        pause: Deferred[None] = deferLater(self.clock, seconds)
        self._pauses.add(pause)
        try:
            await pause
        except CancelledError:
            return
        finally:
            self._pauses.discard(pause)


def plainly(attempt: Attempt, settings: QueueSettings) -> Settled:
    """Decide without the role: nothing is given up, nobody is told."""
    due = attempt.ended + settings.retry[0]
    return Settled(
        tuple(
            Settlement(queued.key, due=due, counts=False, last=outcome.reply, last_remote=outcome.remote)
            if isinstance(outcome, Delayed | Failed)
            else Settlement(queued.key, done=True)
            for queued, outcome in zip(attempt.recipients, attempt.outcomes, strict=True)
        )
    )
