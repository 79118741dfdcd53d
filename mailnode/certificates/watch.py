"""Watch the files of the certificates, and read them again when they have changed.

Every few seconds the files are looked at (not opened) on a thread. When something is different it is read at the next
look, and only if it has not changed again in between: so a pair of which only one file has been replaced yet is most
often not even tried. ``read_now`` (a SIGHUP) does not wait. What is faulty is named in the log, once for each change of
the files, and what was good stays.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailnode.certificates.showcase import Showcase
from mailnode.certificates.stock import Place, Stock, Unusable
from mailnode.interfaces import Disk

if TYPE_CHECKING:
    from mailnode.certificates.restocking import Restocked, Stamp

LOOK_EVERY = 3.0
"""Seconds between two looks."""


class Watch:
    """Keeps a showcase's stock as fresh as its files; ``changed`` is given each new one.

    ``baseline`` is how the files were when they were read; None when that was just now.
    """

    log = Logger()

    def __init__(
        self,
        showcase: Showcase,
        *,
        disk: Disk,
        clock: IReactorTime,
        changed: Callable[[Stock], None],
        baseline: "frozenset[Stamp] | None" = None,
    ) -> None:
        self._showcase = showcase
        self._disk = disk
        self._clock = clock
        self._changed = changed
        self._read = baseline
        """The files as they were read last."""
        self._seen: frozenset[Stamp] | None = None
        """The files at the last look, when that was the first to find them changed."""
        self._wanted: Sequence[Place] | None = None
        self._timer: IDelayedCall | None = None
        self._running: Deferred[None] | None = None
        self._is_stopped = False

    def start(self) -> None:
        """Begin to watch."""
        self._timer = self._clock.callLater(LOOK_EVERY, self._begin)

    def read_now(self, places: Sequence[Place]) -> None:
        """Read everything again, for places that may be others now."""
        self._wanted = places
        if self._running is None:
            self._begin()

    async def stop(self) -> None:
        """Watch no more."""
        self._is_stopped = True
        self._rest()
        if self._running is not None:
            self._running.cancel()

    def _rest(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _begin(self) -> None:
        self._rest()
        looking = Deferred.fromCoroutine(self._look())
        self._running = looking
        looking.addErrback(self._failed)
        looking.addCallback(self._go_on)

    def _failed(self, failure: Failure) -> None:
        if failure.check(Unusable):
            self.log.error("{reason}", event="certificate", reason=failure.getErrorMessage())
        elif not failure.check(CancelledError):
            self.log.failure("the certificates cannot be watched", failure)

    def _go_on(self, _: None) -> None:
        self._running = None
        if self._is_stopped:
            return
        if self._wanted is not None:
            self._begin()
        else:
            self._timer = self._clock.callLater(LOOK_EVERY, self._begin)

    async def _look(self) -> None:
        """Look once, and read if that is due."""
        from mailnode.certificates.restocking import read_stock, stamps_of  # noqa: PLC0415 - it loads OpenSSL

        wanted, self._wanted = self._wanted, None
        stock = self._showcase.stock
        places = stock.places if wanted is None else wanted
        stamps = await self._disk.run(partial(stamps_of, places))
        if wanted is None:
            if self._read is None:
                self._read = stamps
            if stamps == self._read:
                self._seen = None
                return
            if stamps != self._seen:
                self._seen = stamps
                return
        restocked = await self._disk.run(partial(read_stock, places, stock))
        self._read, self._seen = stamps, None
        self._take(restocked, stock)

    def _take(self, restocked: "Restocked", old: Stock) -> None:
        for fault in restocked.faults:
            self.log.error(
                "{file} {reason}; what was read before is kept", event="certificate", file=fault.file,
                reason=fault.reason,
            )  # fmt: skip
        for pair in restocked.changed:
            self.log.info("The certificate in {file} is new", event="certificate", file=pair.source.certificate)
        if restocked.stock != old:
            self._showcase.show(restocked.stock)
            self._changed(restocked.stock)
