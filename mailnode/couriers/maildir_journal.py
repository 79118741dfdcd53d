"""The journal of a Maildir courier: one short wait for the disk a batch, instead of one a file and one a folder.

A new file is durable only after the file system has committed its own journal for it, and the commit for a folder is
another one. Here the octets of a whole batch go, with where they belong, into one file that was prepared for it
(``maildir_segment``) and are durable after one fdatasync; then the promise may be given. The mailboxes are made durable
a moment later, thousands of files with one syncfs (``maildir_checkpoint``).

What a crash finds, and what the next start makes of it (``Journal.recover``):

==========================================  ==================================  ======================================
a message                                   a process dies                      the power fails
==========================================  ==================================  ======================================
is written to ``tmp/``                      a file in ``tmp/``, swept later     nothing, or a file in ``tmp/``
its records are being written               the same: a frame that is not       the same
                                            whole counts for nothing
its records are durable                     written into ``new/``               written into ``new/``
has its name in ``new/``, was answered      found in its place, left alone      missing, empty or cut off: written anew
was made durable by a checkpoint, the       found in its place, left alone      found in its place, left alone
segment is not free yet
the segment is free                         its mailbox has it; nobody looks    its mailbox has it; nobody looks
==========================================  ==================================  ======================================

So an answered message is in its mailbox after any crash. What may happen instead is that it arrives a second time: when
its owner has deleted it, or moved it to another folder (as an IMAP server does), within the few seconds before a crash
or between the crash and the next start, it is not found and comes back; and when the crash came before the answer, the
client sends again what recovery has already brought. That the kernel has lived on since would prove that nothing was
lost, but it proves too much: a disk can go away and come back under a living kernel. The promise says twice, never none.

A name in ``new/`` is given only to what is durable, here or by fsync: a crash leaves no empty files for people to wonder at.

Which files it may serve: those on the file system of the journal itself (a mailbox that is a mount of its own is written
the long way), and content up to RECORD_LIMIT, as larger content is dominated by its octets, which would be written twice.
Whenever the journal cannot serve (no syncfs, no room for its files, a failing disk, all segments busy because the disk
is slow), the batch takes the long way, and the log has one line about it.

On disk: ``root/.journal/<owner>/<number>.segment``, for the owner's eyes only; no domain has a name with a dot in front.
Each process has a folder of its own, which it holds by a lock on the file ``lock``. Whoever starts brings in also what
processes have left that are not there any more. The octets of a message may stay in a segment after the message was
deleted, until they are overwritten.
"""
# ruff: noqa: PTH103, PTH108, PTH112, PTH208 - plain strings and descriptors, as all around

import errno
import os
import threading
from collections.abc import Callable, Sequence
from random import Random

from attrs import frozen
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from mailnode.couriers.maildir_checkpoint import RETRY, Checkpoints, Tell
from mailnode.couriers.maildir_journal_folder import JournalFolder
from mailnode.couriers.maildir_path import make_folders
from mailnode.couriers.maildir_pool import SegmentPool
from mailnode.couriers.maildir_record import Record
from mailnode.couriers.maildir_recovery import Restoration
from mailnode.couriers.maildir_segment import Segment
from mailnode.couriers.maildir_syncfs import is_supported, syncfs

FOLDER = ".journal"
RECORD_LIMIT = 48 << 10
"""Octets of content above which a message is not worth a record: measured, from 60 kB on writing twice costs what it saves."""
SEGMENT_SIZE = 8 << 20
SEGMENT_LIMIT = 8
AGE = 2.0
"""Seconds a segment is filled, when it does not become full."""


@frozen
class _Open:
    """What there is while a journal is open."""

    folder: JournalFolder
    pool: SegmentPool
    checkpoints: Checkpoints

    def close(self) -> None:
        self.pool.close()
        self.checkpoints.join()
        for segment in self.pool.segments():
            segment.close()
        self.folder.close()


class Journal:
    """Keeps records of deliveries below ``root`` until their files are durable; safe for threads; everything blocks.

    ``sync`` makes the file system of a descriptor durable, or raises OSError.
    """

    def __init__(
        self, root: str, *, owner: str, clock: IReactorTime, random: Random, tell: Tell,
        size: int = SEGMENT_SIZE, limit: int = SEGMENT_LIMIT, age: float = AGE, sync: Callable[[int], None] | None = None,
    ) -> None:  # fmt: skip
        self._root = root
        self._place = f"{root}/{FOLDER}"
        self._folder = f"{self._place}/{owner}"
        self._clock = clock
        self._random = random
        self._tell = tell
        self._said: object = None
        self._size = size
        self._limit = limit
        self._age = age
        self._sync = sync or syncfs
        self._is_supported = sync is not None or is_supported()
        self._lock = threading.Lock()
        self._next_try = 0.0
        self._is_first = True
        self._is_doubtful = False
        self._restored: set[tuple[str, str]] = set()
        """What was brought back by a try that came to no end; if its owner deletes it now it stays away."""
        self._aside: set[str] = set()
        """Segments that are left alone until the next start."""
        self._open: _Open | None = None

    def recover(self) -> None:
        """Bring back what an earlier process has left; without any trace of one, leave none either."""
        if os.path.isdir(self._place):
            self._current()

    def device(self) -> int | None:
        """Tell which file system ``keep`` serves (``st_dev``); None when the journal cannot be used now."""
        opened = self._current()
        return opened.folder.device if opened else None

    def keep(self, records: Sequence[Record]) -> Segment | None:
        """Make the records durable; what it gives must be released when their files have their names.

        None when they are not kept and their files must be made durable in another way.
        """
        opened = self._current()
        if opened is None:
            return None
        try:
            return opened.pool.append(records)
        except OSError:
            self._say("The mail's journal could not be written", Failure())
            return None

    def release(self, segment: Segment) -> None:
        """Say that all files of a batch have their names; from now on a checkpoint may count on them."""
        if self._open is not None:
            self._open.pool.release(segment)

    def close(self) -> None:
        """Make durable what is not yet, and let go of the folder."""
        with self._lock:
            opened, self._open = self._open, None
            self._next_try = float("inf")
        if opened is not None:
            opened.close()

    # --- opening ---------------------------------------------------------------------------------------------------

    def _current(self) -> _Open | None:
        """Give the journal, opened if need be; None when it cannot be used now."""
        if self._open is not None:
            return self._open
        with self._lock:
            if self._open is None and self._is_time():
                try:
                    self._open = self._begin()
                except OSError:
                    self._next_try = self._clock.seconds() + RETRY
                    self._say("The mail's journal cannot be used; without it deliveries are slower", Failure())
            return self._open

    def _is_time(self) -> bool:
        """Tell whether to try; the first batch of all does without, as a process may deliver one message and end."""
        is_first, self._is_first = self._is_first, False
        if is_first and not os.path.isdir(self._place):
            return False
        return self._clock.seconds() >= self._next_try

    def _begin(self) -> _Open:
        if not self._is_supported:
            raise OSError(errno.ENOSYS, "this system has no syncfs that reports errors")
        os.makedirs(self._root, 0o700, exist_ok=True)
        make_folders([self._place, self._folder])
        folder = JournalFolder(self._folder)
        try:
            self._bring_in_others()
            segments = self._recover(folder)
        except BaseException:
            folder.close()
            raise
        pool = SegmentPool(segments, self._limit)
        checkpoints = Checkpoints(
            pool, self._root, sync=lambda: self._sync(folder.descriptor),
            make=lambda: folder.create(self._size, self._random),
            clock=self._clock, random=self._random, tell=self._say, age=self._age,
        )  # fmt: skip
        self._restored.clear()
        return _Open(folder, pool, checkpoints)

    def _bring_in_others(self) -> None:
        """Recover the journals of processes that are gone, and take their segments away."""
        for path in sorted(f"{self._place}/{name}" for name in os.listdir(self._place)):
            if path == self._folder:
                continue
            try:
                folder = JournalFolder(path)
            except BlockingIOError:
                continue
            try:
                for segment in self._recover(folder):
                    segment.close()
                    os.unlink(segment.path)
            finally:
                folder.close()

    def _recover(self, folder: JournalFolder) -> list[Segment]:
        """Bring back what the segments of ``folder`` hold, durably, then free them; give those that may be used.

        On a full disk all is tried again later. A segment that holds something for a mailbox that cannot be written
        otherwise is left alone until the next start.
        """
        segments = [Segment.open(path, self._size) for path in folder.paths() if path not in self._aside]
        try:
            restored = sum(self._restore(segment) for segment in segments)
            self._make_durable(folder, segments)
            for segment in segments:
                if segment.path not in self._aside:
                    segment.clear(self._random)
        except BaseException:
            for segment in segments:
                segment.close()
            raise
        if restored:
            self._say(f"{restored} message(s) were brought back into their mailboxes after a crash", None)
        return [segment for segment in segments if self._is_usable(segment)]

    def _restore(self, segment: Segment) -> int:
        restoration = Restoration(self._root, self._restored)
        restoration.bring_back(segment.records())
        for failure in restoration.failures:
            if isinstance(failure.value, OSError) and failure.value.errno in (errno.ENOSPC, errno.EDQUOT):
                raise failure.value
            self._say("A message in the mail's journal cannot be put back into its mailbox", failure)
            self._aside.add(segment.path)
        return restoration.count

    def _make_durable(self, folder: JournalFolder, segments: Sequence[Segment]) -> None:
        """Let a disk that has lost something, which it says only once, get everything anew the next time."""
        if self._is_doubtful:
            for segment in segments:
                restoration = Restoration(self._root)
                restoration.renew(segment.records())
                restoration.check()
        self._is_doubtful = True
        self._sync(folder.descriptor)
        self._is_doubtful = False

    def _is_usable(self, segment: Segment) -> bool:
        if segment.is_whole and segment.path not in self._aside:
            return True
        segment.close()
        if segment.path not in self._aside:
            os.unlink(segment.path)
        return False

    def _say(self, text: str, failure: Failure | None) -> None:
        """Log it, but not the same again and again."""
        said = text, str(failure.value) if failure else ""
        if said != self._said:
            self._said = said
            self._tell(text, failure)
