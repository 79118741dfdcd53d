"""Feeds a file to a connection: dot-stuffed, in blocks, and only as fast as the peer takes them."""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from mailnode.interfaces import Disk
from mailnode.mail.content import Content
from mailnode.smtp.sending import DotStuffing
from mailnode.wire import Wire

BLOCK = 1 << 18
"""Octets of a file read and written at a time: large enough that the way to the disk thread and back costs little."""


@implementer(IPushProducer)
class FileFeed:
    """One file on its way out; ``moved`` is called after every block."""

    def __init__(self, wire: Wire, disk: Disk, moved: Callable[[], None]) -> None:
        self._wire = wire
        self._disk = disk
        self._moved = moved
        self._is_paused = False
        self._resumed: Deferred[None] | None = None

    async def feed(self, content: Content) -> bytes:
        """Send all of it and give the end of data, which is still to be sent; raises what reading raises."""
        stuffing = DotStuffing()
        # The iterator is only ever advanced on the disk thread; dropping it closes the file.
        blocks = content.blocks(BLOCK)
        self._wire.transport.registerProducer(self, True)
        try:
            while (block := await self._disk.run(lambda: next(blocks, None))) is not None:
                self._wire.write(stuffing.block(block))
                self._moved()
                if self._is_paused:
                    self._resumed = Deferred()
                    await self._resumed
        finally:
            self._wire.transport.unregisterProducer()
        return stuffing.end()

    def pauseProducing(self) -> None:
        """Hold on: the transport holds enough."""
        self._is_paused = True

    def resumeProducing(self) -> None:
        """Go on."""
        self._is_paused = False
        resumed, self._resumed = self._resumed, None
        if resumed is not None:
            resumed.callback(None)

    def stopProducing(self) -> None:
        """Hear that the connection is gone; whoever owns the feed hears it too and cancels it."""
        self._is_paused = True
