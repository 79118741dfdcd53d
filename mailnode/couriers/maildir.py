"""The Maildir courier: puts a message into the mailboxes of its recipients, durably, many at a time.

The mailbox of ``ann@example.org`` is the folder ``root/example.org/ann`` with ``tmp``, ``new`` and ``cur``, readable by
any program that knows Maildir. ``carry`` only hands the work to the courier's thread, which takes all that waits as one
batch (``maildir_thread``, ``maildir_writer``) and makes it durable with one wait (``maildir_journal``); quotas are Maildir++
(``maildir_quota``). When there is much to write, a process of its own does it for the thread (``maildir_aside``).

Outcomes: 250 2.0.0 in the mailbox; 452 4.3.1 no space; 451 4.3.0 any other trouble, which is logged; 552 5.2.2 over
quota; 554 5.4.6 forwarded in a circle; 553 5.1.3 an address that can name no folder.

Lines end in LF on disk, as other Maildir programs on Unix write and expect them (mutt shows the CR otherwise); the
setting ``line_ends = "crlf"`` keeps the octets as they came over the wire.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random, SystemRandom
from typing import Literal

from attrs import Factory, define, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailnode.couriers.maildir_aside import ProcessAside
from mailnode.couriers.maildir_delivery import Delivery, Original
from mailnode.couriers.maildir_frames import Charter
from mailnode.couriers.maildir_journal import Journal
from mailnode.couriers.maildir_name import UniqueNames
from mailnode.couriers.maildir_quota import Limit
from mailnode.couriers.maildir_thread import BatchThreads
from mailnode.couriers.maildir_writer import MaildirWriter
from mailnode.mail.envelope import Recipient
from mailnode.mail.message import DeliveryRequest
from mailnode.mail.outcome import Outcome
from mailnode.mail.quantity import Octets

_UNLIMITED = Octets(0)


@frozen
class MaildirSettings:
    """How mailboxes are written."""

    line_ends: Literal["lf", "crlf"] = "lf"
    """How lines end on disk: ``lf`` as Unix programs expect, ``crlf`` as they came over the wire."""
    quota: Octets = _UNLIMITED
    """What a mailbox may hold; 0: no limit but that of an existing ``maildirsize``."""
    quota_messages: int = 0
    """How many messages a mailbox may hold; 0: no limit."""
    threads: int = 1
    """Threads that write; on a local disk a second one was measured to gain nothing."""
    batch: int = 100
    """Files that are written and made durable together, at most; so many are open at a time."""
    process: bool = True
    """Let a process of its own write when there is much to write; it takes about 20 MB, and a third more messages a second
    come through. Without it the threads write."""
    journal: bool = True
    """Make a batch durable with one write to a journal beside the mailboxes, and these a moment later; several times
    faster than file by file, and as safe: what a crash takes from a mailbox the next start puts back."""


@define(eq=False)
class _Carriage:
    """One ``carry`` under way."""

    deliveries: list[Delivery]
    answer: Deferred[Mapping[Recipient, Outcome]] = Factory(Deferred)
    is_dropped: bool = False
    """It was cancelled; if nothing was begun, nothing needs to be."""
    is_first: bool = False
    """It brings nothing, and asks for recovery."""

    def drop(self, _: object = None) -> None:
        self.is_dropped = True


class MaildirCourier:
    """Delivers into Maildirs below ``root``; implements interfaces.Courier."""

    def __init__(
        self,
        root: Path,
        *,
        hostname: str,
        clock: IReactorTime,
        reactor: IReactorFromThreads,
        settings: MaildirSettings = MaildirSettings(),
        random: Random | None = None,
        owner: str = "node",
    ) -> None:
        """Write below ``root`` only when asked to; ``owner`` tells this process from others that share ``root``."""
        self._log = Logger()
        self._reactor = reactor
        self._batch = settings.batch
        self._is_unix = settings.line_ends == "lf"
        random = random or SystemRandom()
        names = UniqueNames(hostname, clock, random)
        limit = Limit(settings.quota, settings.quota_messages)
        journal = Journal(str(root), owner=owner, clock=clock, random=random, tell=self._tell)
        self._journal = journal if settings.journal else None
        self._writer = MaildirWriter(str(root), names, limit, clock, journal=self._journal)
        charter = Charter(
            root=str(root), hostname=hostname, owner=f"{owner}-aside", quota=settings.quota,
            quota_messages=settings.quota_messages, is_unix=self._is_unix, has_journal=settings.journal,
        )  # fmt: skip
        self._aside = ProcessAside(charter, clock=clock, tell=self._say) if settings.process else None
        self._threads = BatchThreads[_Carriage](
            self._write, self._answer, reactor.callFromThread,
            count=settings.threads, limit=settings.batch, name="maildir", last=self._end,
        )  # fmt: skip

    async def carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        """Deliver to every recipient; an outcome for each. Cancelling drops what was not begun."""
        original = Original(request.message.content, is_unix=self._is_unix)
        deliveries = [Delivery(request, recipient, original) for recipient in request.message.envelope.recipients]
        carriage = _Carriage(deliveries)
        carriage.answer = Deferred(carriage.drop)
        self._threads.put([carriage])
        return await carriage.answer

    async def recover(self) -> None:
        """Put back into the mailboxes what a crash took from them; without it the first delivery does.

        What cannot be done now is logged, and is tried again with later deliveries.
        """
        carriage = _Carriage([], is_first=True)
        self._threads.put([carriage])
        await carriage.answer

    async def close(self) -> None:
        """Finish what was begun and end the threads."""
        gone: Deferred[None] = Deferred()
        self._threads.close(lambda: gone.callback(None))
        await gone

    def _write(self, carriages: Sequence[_Carriage]) -> None:
        if self._journal is not None and any(carriage.is_first for carriage in carriages):
            self._journal.recover()
        deliveries = [d for carriage in carriages if not carriage.is_dropped for d in carriage.deliveries]
        # A request may have a thousand recipients, and each file of a batch is open for a while.
        for start in range(0, len(deliveries), self._batch):
            batch = deliveries[start : start + self._batch]
            if self._aside is None or not self._aside.write(batch):
                self._writer.write(batch)

    def _end(self) -> None:
        """Close what the threads wrote with; on a thread."""
        if self._aside is not None:
            self._aside.close()
        if self._journal is not None:
            self._journal.close()

    def _answer(self, carriages: Sequence[_Carriage]) -> None:
        for carriage in carriages:
            self._report(carriage.deliveries)
            if not carriage.answer.called:
                carriage.answer.callback({d.recipient: d.outcome for d in carriage.deliveries if d.outcome is not None})

    def _tell(self, text: str, failure: Failure | None) -> None:
        """Log what the journal says, from any thread."""
        self._say(text, failure.getErrorMessage() if failure else "")

    def _say(self, text: str, reason: str) -> None:
        log = self._log.warn if reason else self._log.info
        reason = f": {reason}" if reason else ""
        self._reactor.callFromThread(log, "{text}{reason}", event="journal", text=text, reason=reason)

    def _report(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            if delivery.trouble is not None:
                self._log.failure(
                    "trouble with delivery of {queue_id} to {forward_path}",
                    delivery.trouble,
                    queue_id=delivery.request.message.queue_id,
                    forward_path=str(delivery.recipient.forward_path),
                )


__all__ = ["MaildirCourier", "MaildirSettings"]
