"""The thread that keeps the journal short: it makes the files of used segments durable, so that these can be used again.

A checkpoint is one syncfs(2) for all files of all segments that are due, beside the deliveries that go on. When it fails,
some page may have been lost that memory still shows: the files are then written once more from their records, and the
segments stay as they are until a syncfs has said yes.
"""

import threading
from collections.abc import Callable, Sequence
from random import Random

from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from mailnode.couriers.maildir_pool import SegmentPool
from mailnode.couriers.maildir_recovery import Restoration
from mailnode.couriers.maildir_segment import Segment

RETRY = 5.0
"""Seconds between two tries of what the disk refused."""

Tell = Callable[[str, Failure | None], object]
"""Logs what happened, or what went wrong; called on any thread."""


class Checkpoints:
    """Works for ``pool`` until that is closed; ``sync`` makes the mail root's file system durable."""

    def __init__(
        self, pool: SegmentPool, root: str, *, sync: Callable[[], None], make: Callable[[], Segment], clock: IReactorTime,
        random: Random, tell: Tell, age: float,
    ) -> None:  # fmt: skip
        self._pool = pool
        self._root = root
        self._sync = sync
        self._make = make
        self._clock = clock
        self._random = random
        self._tell = tell
        self._age = age
        self._next_make = 0.0
        self._thread = threading.Thread(target=self._run, name="maildir-checkpoints", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for the end, after the pool was closed."""
        self._thread.join()

    def _run(self) -> None:
        while True:
            due = self._pool.due(self._age)
            # Read before the work is done: what is appended up to the closing is due at the latest in the turn after.
            is_last = self._pool.is_closing
            self._provide()
            left = self._checkpoint(due) if due else ()
            if left:
                self._pool.put_back(left)
                self._pool.pause(RETRY)
            if is_last:
                return

    def _provide(self) -> None:
        if self._clock.seconds() < self._next_make:
            self._pool.dismiss()
            return
        try:
            self._pool.provide(self._make)
        except OSError:
            self._next_make = self._clock.seconds() + RETRY
            self._tell("The mail's journal cannot grow; without it deliveries are slower", Failure())

    def _checkpoint(self, due: Sequence[Segment]) -> Sequence[Segment]:
        """Free what is due; give what could not be freed."""
        try:
            self._make_durable(due)
        except OSError:
            self._tell("Mail that lies in the journal could not be made durable in its mailboxes yet", Failure())
            return due
        return [segment for segment in due if not self._free(segment)]

    def _make_durable(self, due: Sequence[Segment]) -> None:
        """Return when the files of all these segments are durable; OSError when they may not be."""
        if not any(segment.is_suspect for segment in due):
            try:
                self._sync()
            except OSError:
                self._tell("The file system lost something that was written; recent mail is written again", Failure())
                self._pool.suspect(due)
            else:
                return
        restoration = Restoration(self._root)
        for segment in due:
            restoration.renew(segment.records())
        self._sync_or_suspect(due)
        restoration.check()

    def _sync_or_suspect(self, due: Sequence[Segment]) -> None:
        try:
            self._sync()
        except OSError:
            self._pool.suspect(due)
            raise

    def _free(self, segment: Segment) -> bool:
        try:
            segment.clear(self._random)
        except OSError:
            self._tell("A segment of the mail's journal could not be freed", Failure())
            return False
        self._pool.freed(segment)
        return True
