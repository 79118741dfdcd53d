"""Writes batches of messages into Maildirs: tmp, fsync, new, fsync; everything here blocks, on the courier's thread.

A batch goes through its steps together, because the first fsync on a journaling file system pays for all that was
written before it, and the others then find little left to do:

====  ==================================================  ==========================================================
step  what is done for each message of the batch          what a crash after it leaves
====  ==================================================  ==========================================================
1     written to a new file in ``tmp/``                   a file in ``tmp/``, swept after 36 hours
2     the file's octets made durable (fsync)              the same
3     renamed into ``new/``                               the message, or not: nobody was told yet
4     each ``new/`` made durable once (fsync)             the message; the promise may be given
====  ==================================================  ==========================================================

A message that fails at any step is taken away again (from ``tmp/`` or ``new/``) and answered for itself; the others go
on. A mailbox comes into being when its first message does: its ``tmp/`` is made last, after all other folders are
durable, so whoever can open a file there knows that the place itself will not vanish.
"""
# ruff: noqa: PTH103, PTH104, PTH108, PTH120, S108 - plain strings and descriptors, for speed; tmp is a Maildir's

import contextlib
import os
from collections.abc import Callable, Iterable, Sequence
from random import Random

from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from mailnode.couriers.maildir_content import delivery_fields, has_been_at
from mailnode.couriers.maildir_delivery import Delivery
from mailnode.couriers.maildir_name import UniqueNames
from mailnode.couriers.maildir_outcome import BAD_NAME, DELIVERED, LOOP, OVER_QUOTA, TROUBLE, outcome_of_error
from mailnode.couriers.maildir_path import BadName, mailbox_path, make_folders, sync_folder
from mailnode.couriers.maildir_quota import Limit, Usage, charge, has_room
from mailnode.mail.outcome import Outcome

_STALE = 36 * 3600.0
"""Seconds after which a file in ``tmp/`` belongs to nobody (the number of the Maildir specification)."""
_ADVISES = hasattr(os, "posix_fadvise")
_SWEEP_CHANCE = 100
"""One in so many deliveries looks for stale files."""


class _Settled(Exception):  # noqa: N818 - carries an outcome out of a step
    def __init__(self, outcome: Outcome) -> None:
        super().__init__(str(outcome.reply))
        self.outcome = outcome


class MaildirWriter:
    """Delivers batches below ``root``; for one thread at a time unless the names are shared."""

    def __init__(self, root: str, names: UniqueNames, limit: Limit, clock: IReactorTime, random: Random) -> None:
        self._root = root
        self._names = names
        self._limit = limit
        self._clock = clock
        self._random = random

    def write(self, batch: Sequence[Delivery]) -> None:
        """Give every delivery its outcome; those that were delivered are durable. Raises nothing."""
        pending: dict[str, Usage] = {}
        for delivery in batch:
            self._step(delivery, lambda d: self._write_file(d, pending))
        if len(batch) > 1:
            _begin_write_out(batch)
        for delivery in batch:
            self._step(delivery, _sync_file)
        for delivery in batch:
            self._step(delivery, _rename)
        self._sync_folders(batch)
        for delivery in batch:
            self._step(delivery, self._conclude)

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

    def _write_file(self, delivery: Delivery, pending: dict[str, Usage]) -> None:
        forward_path = delivery.recipient.forward_path
        try:
            delivery.folder = mailbox_path(self._root, forward_path)
        except BadName as error:
            raise _Settled(BAD_NAME) from error
        if has_been_at(forward_path, delivery.original.passed):
            raise _Settled(LOOP)
        message = delivery.request.message
        fields = delivery_fields(message.envelope.reverse_path, forward_path)
        delivery.name = self._names.next()
        self._open(delivery)
        self._reserve(delivery, Usage(len(fields) + delivery.original.size, 1), pending)
        delivery.size = _write_all(delivery.descriptor, delivery.original.blocks(fields))

    def _open(self, delivery: Delivery) -> None:
        """Open a new file in ``tmp/``, making the mailbox if there is none."""
        path = f"{delivery.folder}/tmp/{delivery.name}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            delivery.descriptor = os.open(path, flags, 0o600)
        except FileNotFoundError:
            self._make_mailbox(delivery.folder)
            delivery.descriptor = os.open(path, flags, 0o600)
        delivery.path = path

    def _make_mailbox(self, folder: str) -> None:
        os.makedirs(self._root, 0o700, exist_ok=True)
        make_folders([self._root, os.path.dirname(folder), folder, f"{folder}/cur", f"{folder}/new"])
        make_folders([f"{folder}/tmp"])

    def _reserve(self, delivery: Delivery, wanted: Usage, pending: dict[str, Usage]) -> None:
        """Let the message in if the mailbox has room for it and for what the batch already brings."""
        wanted = pending.get(delivery.folder, Usage()).plus(wanted)
        room = has_room(
            delivery.folder, self._limit, wanted, now=self._clock.seconds(), temporary=f"{delivery.name}.size"
        )
        if not room:
            raise _Settled(OVER_QUOTA)
        pending[delivery.folder] = wanted

    def _sync_folders(self, batch: Sequence[Delivery]) -> None:
        """Make each ``new/`` durable once; its trouble is that of all its messages."""
        folders: dict[str, list[Delivery]] = {}
        for delivery in batch:
            if delivery.outcome is None:
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
            charge(delivery.folder, Usage(delivery.size, 1))
            if self._random.randrange(_SWEEP_CHANCE) == 0:
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


def _begin_write_out(batch: Iterable[Delivery]) -> None:
    """Let the kernel begin to write all files, so that the first fsync commits the journal for all of them.

    Without it ext4 finds a file's blocks only at its own fsync, and makes a commit for each: measured, a batch of 100
    costs a quarter more processor time. The hint promises nothing, and where it is not known nothing is lost.
    """
    for delivery in batch:
        if delivery.outcome is None and _ADVISES:
            with contextlib.suppress(OSError):
                os.posix_fadvise(delivery.descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def _sync_file(delivery: Delivery) -> None:
    os.fsync(delivery.descriptor)
    _close(delivery)


def _rename(delivery: Delivery) -> None:
    path = f"{delivery.folder}/new/{delivery.name},S={delivery.size}"
    os.rename(delivery.path, path)
    delivery.path = path


def _close(delivery: Delivery) -> None:
    descriptor, delivery.descriptor = delivery.descriptor, -1
    if descriptor >= 0:
        os.close(descriptor)
