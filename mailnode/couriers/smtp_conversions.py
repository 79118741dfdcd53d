"""Conversions of contents: few at a time, and no large result in memory.

A conversion needs the whole message in memory, and more than once. Many attempts at the same time, each with a large
message for a peer that must have it converted, would need more memory than there is. So only some are converted at once,
and a large result waits in a file for its peer, who may take long.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from attrs import field, frozen
from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore

from mailnode.interfaces import Disk
from mailnode.mail.content import Content

AT_ONCE = 2
"""Conversions that run at the same time."""
IN_MEMORY = 1 << 20
"""Octets of a result that may stay in memory."""


@frozen
class Converted:
    """A content that was converted, and the file that holds it, if there is one."""

    content: Content
    file: Any = None
    """A temporary file, there until it is closed or nobody knows it any more; None: the content is in memory."""


@frozen
class Conversions:
    """Where messages of one courier are converted."""

    disk: Disk
    limit: int
    """The largest message that is converted, in octets."""
    folder: Path | None = None
    """Where large results wait; None for the system's folder of temporary files."""
    places: DeferredSemaphore = field(factory=lambda: DeferredSemaphore(AT_ONCE))

    async def run(self, content: Content, convert: Callable[[bytes], bytes]) -> Converted:
        """Convert when it is its turn; raises what ``convert`` raises, and OSError."""
        await self.places.acquire()
        try:
            return await self.disk.run(lambda: self._stored(convert(content.read())))
        finally:
            self.places.release()

    def let_go(self, file: Any) -> None:
        """Remove the file of a result, if it has one; its content is no more."""
        if file is not None:
            removal: Deferred[None] = Deferred.fromCoroutine(_run(self.disk, file.close))
            removal.addErrback(lambda failure: failure.trap(OSError, CancelledError))

    def _stored(self, octets: bytes) -> Converted:
        if len(octets) <= IN_MEMORY:
            return Converted(Content(octets))
        file = NamedTemporaryFile(prefix="converted-", dir=self.folder)  # noqa: SIM115 - it outlives this call
        file.write(octets)
        file.flush()
        return Converted(Content(b"", Path(file.name), len(octets)), file)


async def _run(disk: Disk, work: Callable[[], None]) -> None:
    await disk.run(work)
