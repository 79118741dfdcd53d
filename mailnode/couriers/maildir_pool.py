"""The segments of a journal and what each is good for now; shared by the threads that deliver and the one that checkpoints.

=========  =====================================================  ==================================================
segment    holds                                                  what ends it
=========  =====================================================  ==================================================
free       nothing                                                a batch needs a segment
current    batches; the next one goes here too                    it is full, old, or a write to it failed
full       batches; nothing is added any more                     a checkpoint made their files durable: free again
=========  =====================================================  ==================================================

A batch holds its segment from the moment its records are durable until all its files have their names in ``new/``; only
then may a checkpoint begin, as what is not there yet it could not make durable.
"""

import threading
from collections.abc import Callable, Sequence

from mailnode.couriers.maildir_record import Record
from mailnode.couriers.maildir_segment import Segment


class SegmentPool:
    """Segments, at most ``limit`` of them; safe for threads."""

    def __init__(self, segments: Sequence[Segment], limit: int) -> None:
        self._changed = threading.Condition()
        self._free = list(segments)
        self._current: Segment | None = None
        self._full: list[Segment] = []
        self._limit = limit
        self._count = len(segments)
        self._is_wanted = not segments and limit > 0
        self._is_closing = False
        self._is_next_suspect = False

    # --- for those who deliver -----------------------------------------------------------------------------------

    def append(self, records: Sequence[Record]) -> Segment | None:
        """Make the records durable and give their segment, which must be released; None when no segment has room.

        OSError when the disk did not take them.
        """
        with self._changed:
            segment = self._with_room(records)
            if segment is None:
                return None
            if not segment.is_begun:
                self._changed.notify_all()
            try:
                segment.append(records)
            except OSError:
                self._retire()
                raise
            segment.users += 1
            return segment

    def release(self, segment: Segment) -> None:
        """Say that all files of a batch have their names."""
        with self._changed:
            segment.users -= 1
            if segment is not self._current:
                self._changed.notify_all()

    def _with_room(self, records: Sequence[Record]) -> Segment | None:
        if self._current is not None and self._current.has_room(records):
            return self._current
        if not self._free:
            self._want()
            return None
        if not self._free[-1].has_room(records):
            return None
        self._retire()
        self._current = self._free.pop()
        self._current.is_suspect, self._is_next_suspect = self._is_next_suspect, False
        if not self._free:
            self._want()
        return self._current

    def _want(self) -> None:
        if not self._is_wanted and self._count < self._limit:
            self._is_wanted = True
            self._changed.notify_all()

    def _retire(self) -> None:
        segment, self._current = self._current, None
        if segment is not None:
            (self._full if segment.is_begun else self._free).append(segment)
            self._changed.notify_all()

    # --- for the one who checkpoints -----------------------------------------------------------------------------

    def due(self, age: float) -> list[Segment]:
        """Wait until something is to be done, and give the segments whose files are to be made durable.

        A current segment is taken when nothing else happened for ``age`` seconds after it was begun. The list is empty
        when only a segment is wanted, or when it is over.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_urgent or (self._current is not None and self._current.is_begun))
            if not self._changed.wait_for(lambda: self._is_urgent, age) or self._is_closing:
                self._retire()
            due, self._full = self._full, []
            self._changed.wait_for(lambda: not any(segment.users for segment in due))
            return due

    def pause(self, seconds: float) -> None:
        """Wait, but not when it is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closing, seconds)

    def freed(self, segment: Segment) -> None:
        """Take back a segment that was cleared."""
        with self._changed:
            self._free.insert(0, segment)
            self._changed.notify_all()

    def put_back(self, segments: Sequence[Segment]) -> None:
        """Take back segments whose files could not be made durable; they will be due again."""
        with self._changed:
            self._full += segments

    def suspect(self, due: Sequence[Segment]) -> None:
        """Mark all in use, and the next: the disk has lost something, and says so only once, to whoever asks first.

        The next one too, since a batch under way has written its files and may put its records there.
        """
        with self._changed:
            for segment in (*due, *self._full, *([self._current] if self._current else [])):
                segment.is_suspect = True
            self._is_next_suspect = True

    def dismiss(self) -> None:
        """Want no further segment until a batch finds no room again."""
        with self._changed:
            self._is_wanted = False

    def provide(self, make: Callable[[], Segment]) -> None:
        """Make the segment that is wanted, if one is; what ``make`` raises is raised, and nothing is wanted any more."""
        with self._changed:
            if not self._is_wanted or self._is_closing:
                return
        try:
            segment = make()
        except BaseException:
            with self._changed:
                self._is_wanted = False
            raise
        with self._changed:
            self._is_wanted = False
            self._count += 1
            self._free.append(segment)
            self._changed.notify_all()

    @property
    def is_closing(self) -> bool:
        """Tell whether ``close`` was called."""
        return self._is_closing

    @property
    def _is_urgent(self) -> bool:
        return bool(self._full) or self._is_wanted or self._is_closing

    def close(self) -> None:
        """Let ``due`` give all that is left at once, from now on."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()

    def segments(self) -> list[Segment]:
        """Give all that lie here."""
        with self._changed:
            return [*self._free, *self._full, *([self._current] if self._current else [])]
