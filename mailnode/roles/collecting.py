"""Collecting a content as it flows in: memory up to 64 KiB, or more while there is room, then a file (DESIGN 5.2).

The file lies in the spool's incoming folder, on the same file system, so that the spool can take it over by renaming.
It is not yet durable: whoever keeps it syncs it. Small writes are gathered before they go to the disk, and the caller
waits for one write at a time, so that memory stays bounded by what one read of the transport gives.

A thread that writes cannot be called back. So whoever stops waiting for it (the client has gone) leaves it running: its
descriptor is still known when it ends, and is not closed beneath it, when the number may be another file's by then.
"""

import contextlib
import errno
import os
from collections.abc import Awaitable, Coroutine
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from mailnode.interfaces import Disk
from mailnode.mail.content import MEMORY_LIMIT, Content
from mailnode.mail.reply import Reply
from mailnode.roles.allowance import Allowance, Loan
from mailnode.smtp import replies

HEADER_LIMIT = MEMORY_LIMIT
"""Octets of the content's start that are kept in sight for checks of the header."""

_GATHER = 1 << 17

_MOST_PARTS = 256

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Collecting:
    """Takes blocks of one content; what goes wrong is remembered in ``fault`` and the rest is let go."""

    def __init__(self, path: Path, disk: Disk, max_size: int, loan: Loan | None = None) -> None:
        self.size = 0
        self.fault: Reply | None = None
        self._path = path
        self._disk = disk
        self._max_size = max_size
        self._loan = loan or Loan(Allowance(0))
        self._parts: list[bytes] = []
        self._gathered = 0
        self._first = b""
        self._descriptor = -1
        self._file_size = 0
        self._discarded = False
        self._writing = False

    @property
    def start(self) -> bytes:
        """Give the first octets, at least the header unless it is absurdly long."""
        if not self._first and len(self._parts) > 1:
            self._parts = [b"".join(self._parts)]
        return self._first or b"".join(self._parts)

    def write(self, octets: bytes) -> Awaitable[None] | None:
        """Take a block; what it returns, if anything, must be awaited before the next call."""
        if self.fault is not None:
            return None
        self.size += len(octets)
        if self._max_size and self.size > self._max_size:
            self.fault = replies.TOO_BIG
            self._parts.clear()
            return _to_its_end(self._let_go()) if self._descriptor >= 0 else None
        self._parts.append(octets)
        if len(self._parts) == _MOST_PARTS:
            # A peer that sends an octet at a time must not cost an object for each.
            self._parts = [b"".join(self._parts)]
        self._gathered += len(octets)
        if self._descriptor < 0:
            may_wait = self.size <= MEMORY_LIMIT or self._loan.covers(self.size - MEMORY_LIMIT)
        else:
            may_wait = self._gathered < _GATHER
        if may_wait:
            return None
        return _to_its_end(self._spill())

    async def _spill(self) -> None:
        """Write what was gathered to the file; a disk without room is the sender's to hear of."""
        block = b"".join(self._parts)
        self._parts.clear()
        self._gathered = 0
        if not self._first:
            self._first = block[:HEADER_LIMIT]
            self._loan.give_back()
        self._writing = True
        try:
            self._descriptor = await self._disk.run(lambda: _append(self._path, self._descriptor, block))
            self._file_size += len(block)
        except OSError as error:
            # The descriptor is closed by now; closed twice, it may be somebody else's.
            self._descriptor = -1
            self.fault = disk_trouble(error)
        finally:
            self._writing = False
        if self.fault is not None or self._discarded:
            await self._let_go()

    async def finish(self) -> Content:
        """Give the whole; only without a ``fault`` before and after."""
        if self._descriptor < 0:
            return Content(self.start)
        if self._parts:
            await self._spill()
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            await self._disk.run(lambda: os.close(descriptor))
        return Content(b"", self._path, self._file_size)

    def done(self) -> None:
        """Hear that the content is no longer this transaction's: what it borrowed is given back."""
        self._loan.give_back()

    async def _let_go(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        self._parts.clear()
        await self._disk.run(lambda: _remove(self._path, descriptor))

    def discard(self) -> None:
        """Forget everything; a file that is being written is removed right after."""
        self._discarded = True
        self._parts.clear()
        self._loan.give_back()
        if not self._writing and self._file_size:
            removal = Deferred.fromCoroutine(self._let_go())
            removal.addErrback(lambda failure: failure.trap(OSError, CancelledError))


def _to_its_end(work: Coroutine[Deferred[Any], Any, None]) -> Deferred[None]:
    """Begin with work that goes on to its end, also when the waiting for it is cancelled."""
    waiting: Deferred[None] = Deferred()

    def ended(result: Failure | None) -> None:
        if not waiting.called:
            waiting.callback(result)
        elif isinstance(result, Failure):
            result.trap(OSError)

    Deferred.fromCoroutine(work).addBoth(ended)
    return waiting


def disk_trouble(error: OSError) -> Reply:
    """Say what the sender should hear of trouble with the disk: both may be tried again."""
    return replies.NO_ROOM if error.errno in _NO_ROOM else replies.LOCAL_TROUBLE


def _append(path: Path, descriptor: int, block: bytes) -> int:
    if descriptor < 0:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    view = memoryview(block)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError:
        _remove(path, descriptor)
        raise
    return descriptor


def _remove(path: Path, descriptor: int) -> None:
    if descriptor >= 0:
        os.close(descriptor)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
