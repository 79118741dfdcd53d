"""The mbox courier: appends messages to one file a mailbox, ``root/<domain>/<local part>.mbox``.

Lines end in LF; ``Return-Path:`` and ``Delivered-To:`` are as in a Maildir, and so are the outcomes; there is no quota.
The format and the two locks are those of ``mbox_file``. Who waits longer than ``lock_wait`` for them gives up:
451 4.2.0.

A mailbox is one file under one lock, so messages for it go in one by one; the work runs on threads of the ``Disk``,
the waiting on none. Take Maildir where speed matters.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from weakref import WeakValueDictionary

from attrs import frozen
from twisted.internet.defer import CancelledError, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from mailnode.couriers.maildir_content import delivery_fields, has_been_at
from mailnode.couriers.maildir_delivery import Original
from mailnode.couriers.maildir_outcome import BAD_NAME, DELIVERED, LOCKED, LOOP, TROUBLE, outcome_of_error
from mailnode.couriers.maildir_path import BadName, mailbox_path
from mailnode.couriers.mbox_file import append, from_line
from mailnode.interfaces import Disk
from mailnode.mail.envelope import Recipient
from mailnode.mail.message import DeliveryRequest, Message
from mailnode.mail.outcome import Outcome
from mailnode.mail.quantity import Seconds

_LOCK_WAIT = Seconds(30)
_LOCK_PAUSE = 0.2
"""Seconds between two tries for the locks."""


@frozen
class MboxSettings:
    """How mbox files are written."""

    lock_wait: Seconds = _LOCK_WAIT
    """How long to wait for a program that holds the mailbox."""


class MboxCourier:
    """Delivers into mbox files below ``root``; implements interfaces.Courier."""

    def __init__(self, root: Path, *, clock: IReactorTime, disk: Disk, settings: MboxSettings = MboxSettings()) -> None:
        self._root = str(root)
        self._clock = clock
        self._disk = disk
        self._settings = settings
        self._turns: WeakValueDictionary[str, DeferredLock] = WeakValueDictionary()
        self._log = Logger()

    async def carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        """Deliver to every recipient, one after the other; cancelling leaves the rest without an outcome."""
        original = Original(request.message.content, is_unix=True)
        return {
            recipient: await self._deliver(request.message, recipient, original)
            for recipient in request.message.envelope.recipients
        }

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _deliver(self, message: Message, recipient: Recipient, original: Original) -> Outcome:
        try:
            path = mailbox_path(self._root, recipient.forward_path) + ".mbox"
        except BadName:
            return BAD_NAME
        turn = self._turns.setdefault(path, DeferredLock())
        await turn.acquire()
        try:
            return await self._wait_and_write(path, message, recipient, original)
        except CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - unknown trouble is temporary, and only this mailbox's
            outcome = outcome_of_error(error) if isinstance(error, OSError) else TROUBLE
            if outcome is TROUBLE:
                self._log.failure("delivery of {queue_id} to {path} failed", queue_id=message.queue_id, path=path)
            return outcome
        finally:
            turn.release()

    async def _wait_and_write(self, path: str, message: Message, recipient: Recipient, original: Original) -> Outcome:
        give_up = self._clock.seconds() + self._settings.lock_wait
        while True:
            outcome = await self._disk.run(partial(self._write, path, message, recipient, original))
            if outcome is not LOCKED or self._clock.seconds() >= give_up:
                return outcome
            await deferLater(self._clock, _LOCK_PAUSE)

    def _write(self, path: str, message: Message, recipient: Recipient, original: Original) -> Outcome:
        """Append the message; runs on a thread."""
        if has_been_at(recipient.forward_path, original.passed):
            return LOOP
        reverse_path = message.envelope.reverse_path
        fields = delivery_fields(reverse_path, recipient.forward_path)
        now = self._clock.seconds()
        written = append(path, from_line(reverse_path, now), original.blocks(fields), now=now)
        return DELIVERED if written else LOCKED


__all__ = ["MboxCourier", "MboxSettings"]
