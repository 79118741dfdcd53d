"""Writes batches of messages into Maildirs: tmp, durable, new; everything here blocks, on the courier's thread.

A batch goes through its steps together, so that it waits for the disk together:

====  ==================================================  ==========================================================
step  what is done for each message of the batch          what a crash after it leaves
====  ==================================================  ==========================================================
1     written to a new file in ``tmp/``                   a file in ``tmp/``, swept after 36 hours
2     its octets made durable: all with one wait in the   the same; the journal writes the message into ``new/`` at
      journal (``maildir_journal``), or each by fsync     the next start
3     renamed into ``new/``                               the message, or, without the journal, perhaps not: nobody
                                                          was told yet
4     each ``new/`` made durable once (fsync), for those  the message; the promise may be given
      that the journal does not have
====  ==================================================  ==========================================================

A message that fails at any step is taken away again (from ``tmp/`` or ``new/``) and answered for itself; the others go
on. Only then the journal may still bring it, after a power cut: it arrives, and again when the client repeats it.
"""
# ruff: noqa: PTH104, PTH108, S108 - plain strings and descriptors, for speed; tmp is a Maildir's

import contextlib
import os
from collections.abc import Callable, Iterable, Sequence

from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from mailnode.couriers.maildir_content import delivery_fields, has_been_at
from mailnode.couriers.maildir_delivery import Delivery
from mailnode.couriers.maildir_journal import RECORD_LIMIT, Journal
from mailnode.couriers.maildir_name import UniqueNames
from mailnode.couriers.maildir_outcome import BAD_NAME, DELIVERED, LOOP, OVER_QUOTA, TROUBLE, outcome_of_error
from mailnode.couriers.maildir_path import BadName, mailbox_path, make_mailbox, sync_folder
from mailnode.couriers.maildir_quota import Limit, Usage, charge, has_room, is_counted
from mailnode.couriers.maildir_record import Record
from mailnode.couriers.maildir_segment import Segment
from mailnode.mail.outcome import Outcome

_STALE = 36 * 3600.0
"""Seconds after which a file in ``tmp/`` belongs to nobody (the number of the Maildir specification)."""
_ADVISES = hasattr(os, "posix_fadvise")
_SWEEP_EVERY = 101
"""One in so many deliveries looks for stale files; a prime, so that mailboxes served in turn all have theirs."""


class _Settled(Exception):  # noqa: N818 - carries an outcome out of a step
    def __init__(self, outcome: Outcome) -> None:
        super().__init__(str(outcome.reply))
        self.outcome = outcome


class MaildirWriter:
    """Delivers batches below ``root``, with a journal or without; for several threads when the names are."""

    def __init__(
        self, root: str, names: UniqueNames, limit: Limit, clock: IReactorTime, *, journal: Journal | None = None
    ) -> None:
        self._root = root
        self._names = names
        self._limit = limit
        self._clock = clock
        self._until_sweep = _SWEEP_EVERY
        self._journal = journal

    def write(self, batch: Sequence[Delivery]) -> None:
        """Give every delivery its outcome; those that were delivered are durable. Raises nothing."""
        pending: dict[str, Usage | None] = {}
        device = self._journal.device() if self._journal else None
        for delivery in batch:
            self._step(delivery, lambda d: self._write_file(d, pending, device))
        segment = self._keep(batch)
        try:
            _begin_write_out(batch)
            for delivery in batch:
                self._step(delivery, _sync_file)
            for delivery in batch:
                self._step(delivery, _rename)
        finally:
            if segment is not None and self._journal is not None:
                self._journal.release(segment)
        self._sync_folders(batch)
        for delivery in batch:
            self._step(delivery, self._conclude)

    def _keep(self, batch: Sequence[Delivery]) -> Segment | None:
        """Put into the journal what it may have."""
        fit = [delivery for delivery in batch if delivery.is_fit and delivery.outcome is None]
        if not fit or self._journal is None:
            return None
        start = len(self._root) + 1
        segment = self._journal.keep([Record(d.folder[start:], _final_name(d), d.octets) for d in fit])
        if segment is not None:
            for delivery in fit:
                delivery.is_kept = True
        return segment

    def _step(self, delivery: Delivery, work: Callable[[Delivery], None]) -> None:
        """Do one step; what goes wrong becomes the delivery's outcome and takes its file away."""
        if delivery.outcome is not None:
            return
        try:
            work(delivery)
        except _Settled as settled:
            self._withdraw(delivery, settled.outcome)
        except OSError as error:
            outcome = outcome_of_error(error)
            if outcome is TROUBLE:
                delivery.trouble = Failure()
            self._withdraw(delivery, outcome)
        except Exception:  # noqa: BLE001 - our own fault is temporary trouble too, and must not stop the others
            delivery.trouble = Failure()
            self._withdraw(delivery, TROUBLE)

    def _write_file(self, delivery: Delivery, pending: dict[str, Usage | None], device: int | None) -> None:
        forward_path = delivery.recipient.forward_path
        original = delivery.original
        try:
            delivery.folder = mailbox_path(self._root, forward_path)
        except BadName as error:
            raise _Settled(BAD_NAME) from error
        if has_been_at(forward_path, original.passed):
            raise _Settled(LOOP)
        fields = delivery_fields(delivery.request.message.envelope.reverse_path, forward_path)
        delivery.name = self._names.next()
        self._open(delivery)
        self._reserve(delivery, Usage(len(fields) + original.size, 1), pending)
        if original.is_small:
            octets = original.whole(fields)
            delivery.size = _write_all(delivery.descriptor, (octets,))
            if device is not None and len(octets) <= RECORD_LIMIT:
                delivery.octets = octets
                delivery.is_fit = os.fstat(delivery.descriptor).st_dev == device
        else:
            delivery.size = _write_all(delivery.descriptor, original.blocks(fields))

    def _open(self, delivery: Delivery) -> None:
        """Open a new file in ``tmp/``, making the mailbox if there is none."""
        path = f"{delivery.folder}/tmp/{delivery.name}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            delivery.descriptor = os.open(path, flags, 0o600)
        except FileNotFoundError:
            make_mailbox(self._root, delivery.folder)
            delivery.descriptor = os.open(path, flags, 0o600)
        delivery.path = path

    def _reserve(self, delivery: Delivery, wanted: Usage, pending: dict[str, Usage | None]) -> None:
        """Let the message in if the mailbox has room for it and for what the batch already brings.

        ``pending`` is what that is, by mailbox; None for one that is not counted.
        """
        folder = delivery.folder
        if folder not in pending:
            pending[folder] = Usage() if is_counted(folder, self._limit) else None
        brought = pending[folder]
        if brought is None:
            return
        wanted = brought.plus(wanted)
        if not has_room(folder, self._limit, wanted, now=self._clock.seconds(), temporary=f"{delivery.name}.size"):
            raise _Settled(OVER_QUOTA)
        pending[folder] = wanted
        delivery.is_counted = True

    def _sync_folders(self, batch: Sequence[Delivery]) -> None:
        """Make each ``new/`` durable once that needs it; its trouble is that of all its messages."""
        folders: dict[str, list[Delivery]] = {}
        for delivery in batch:
            if delivery.outcome is None and not delivery.is_kept:
                folders.setdefault(delivery.folder, []).append(delivery)
        for folder, deliveries in folders.items():
            try:
                sync_folder(f"{folder}/new")
            except OSError as error:
                self._fail_all(deliveries, error)

    def _fail_all(self, deliveries: Iterable[Delivery], error: OSError) -> None:
        def fail(_: Delivery) -> None:
            raise error

        for delivery in deliveries:
            self._step(delivery, fail)

    def _conclude(self, delivery: Delivery) -> None:
        """Say that it is delivered; what else is done now must not change that."""
        delivery.outcome = DELIVERED
        try:
            if delivery.is_counted:
                charge(delivery.folder, Usage(delivery.size, 1))
            self._until_sweep -= 1
            if self._until_sweep <= 0:
                self._until_sweep = _SWEEP_EVERY
                sweep(f"{delivery.folder}/tmp", self._clock.seconds() - _STALE)
        except OSError:
            delivery.trouble = Failure()

    def _withdraw(self, delivery: Delivery, outcome: Outcome) -> None:
        """Leave nothing of the delivery behind."""
        delivery.outcome = outcome
        with contextlib.suppress(OSError):
            # Closing may fail a second time for the same reason, on a network's disk above all.
            _close(delivery)
        if delivery.path:
            with contextlib.suppress(OSError):
                os.unlink(delivery.path)


def sweep(folder: str, before: float) -> None:
    """Remove the files of ``folder`` that were last written before that moment: their writers are long dead."""
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                if entry.stat(follow_symlinks=False).st_mtime < before:
                    os.unlink(entry.path)


def _write_all(descriptor: int, blocks: Iterable[bytes]) -> int:
    """Write everything, also when the kernel takes it in parts; give the number of octets."""
    size = 0
    for block in blocks:
        left = memoryview(block)
        while left:
            left = left[os.write(descriptor, left) :]
        size += len(block)
    return size


def _begin_write_out(batch: Sequence[Delivery]) -> None:
    """Let the kernel begin to write all files, so that the first fsync commits the file system's journal for all of them.

    Without it ext4 finds a file's blocks only at its own fsync, and makes a commit for each: measured, a batch of 100
    costs a quarter more processor time. The hint promises nothing, and where it is not known nothing is lost.
    """
    if len(batch) == 1 or not _ADVISES:
        return
    for delivery in batch:
        if delivery.outcome is None and not delivery.is_kept:
            with contextlib.suppress(OSError):
                os.posix_fadvise(delivery.descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def _sync_file(delivery: Delivery) -> None:
    if not delivery.is_kept:
        os.fsync(delivery.descriptor)
    _close(delivery)


def _rename(delivery: Delivery) -> None:
    path = f"{delivery.folder}/new/{_final_name(delivery)}"
    os.rename(delivery.path, path)
    delivery.path = path


def _final_name(delivery: Delivery) -> str:
    return f"{delivery.name},S={delivery.size}"


def _close(delivery: Delivery) -> None:
    descriptor, delivery.descriptor = delivery.descriptor, -1
    if descriptor >= 0:
        os.close(descriptor)
