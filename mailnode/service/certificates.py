"""The node's certificates: read before privileges go, watched from then on, and handed to all its processes.

Only the main process reads files. Those that the configuration names are read while it may still be root; the
self-signed certificate, shown where none is named, is made in the data folder by the node's own user, and only when it
is first needed. Workers are given what was read.
"""

import os
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from mailnode.certificates.showcase import Showcase
from mailnode.certificates.stock import Place, Source, Stock
from mailnode.certificates.watch import Watch
from mailnode.interfaces import Disk
from mailnode.service.folder import SELF_SIGNED
from mailnode.service.settings import NodeSettings
from mailnode.service.trouble import StartFailed

if TYPE_CHECKING:
    from mailnode.certificates.restocking import Restocked, Stamp

_LATE_ROOMS = ("layer", "restocking", "self_signed")
"""Modules of the pillar that are imported when they are needed."""

log = Logger()


def source_of(certificate: str, private_key: str) -> Source:
    """Name the files of one certificate; without a key's own file the key stands in the certificate's."""
    path = os.path.abspath(certificate)  # noqa: PTH100 - the working folder may change, and the path is a text
    return Source(path, os.path.abspath(private_key) if private_key else path)  # noqa: PTH100


def self_signed_source(folder: Path) -> Source:
    """Name the file of the certificate that the node makes itself."""
    path = str(folder / SELF_SIGNED)
    return Source(path, path)


def places_of(settings: NodeSettings, folder: Path) -> tuple[Place, ...]:
    """Say what each listener with TLS shows: its own certificate, else those for all, else a self-signed one."""
    shared = tuple(source_of(one.certificate, one.private_key) for one in settings.certificate)
    return tuple(
        Place(
            listener.name,
            (source_of(listener.certificate, listener.private_key),)
            if listener.certificate
            else shared or (self_signed_source(folder),),
            os.path.abspath(listener.client_ca) if listener.client_ca else "",  # noqa: PTH100
        )
        for listener in settings.listener
        if listener.tls != "none"
    )


class Certificates:
    """What the main process does about them; ``hostname`` is asked for the node's name when one must be made."""

    def __init__(self, places: Sequence[Place], folder: Path, clock: IReactorTime, hostname: Callable[[], str]) -> None:
        self._places = tuple(places)
        self._own = self_signed_source(folder)
        self._clock = clock
        self._hostname = hostname
        self._baseline: frozenset[Stamp] | None = None
        self._watch: Watch | None = None
        self.showcase = Showcase(Stock(self._places), clock, self._complete)

    def read(self) -> None:
        """Read the files that the configuration names, blocking; raises StartFailed."""
        named = tuple(place for place in self._places if self._own not in place.sources)
        wanting = tuple(evolve(place, sources=()) for place in self._places if self._own in place.sources)
        if not named and not any(place.client_ca for place in wanting):
            return
        from mailnode.certificates.restocking import read_stock, stamps_of  # noqa: PLC0415 - it loads OpenSSL

        self._baseline = stamps_of(self._places)
        restocked = read_stock((*named, *wanting), Stock())
        if restocked.faults:
            raise StartFailed("; ".join(map(str, restocked.faults)))
        self._warn_of_time(restocked)
        self.showcase = Showcase(evolve(restocked.stock, places=self._places), self._clock, self._complete)

    def import_rooms(self) -> None:
        """Import what is otherwise imported when it is needed: the process becomes a user who may not see the files."""
        for name in _LATE_ROOMS:
            import_module(f"mailnode.certificates.{name}")

    def _warn_of_time(self, restocked: "Restocked") -> None:
        from mailnode.certificates.reading import says_of_time  # noqa: PLC0415

        for pair in restocked.changed:
            said = says_of_time(pair, self._clock.seconds())
            if said:
                log.warn(  # noqa: G010 - Twisted's name
                    "The certificate in {file} {said}", event="certificate", file=pair.source.certificate, said=said
                )

    def _complete(self, stock: Stock) -> Stock:
        """Add the self-signed certificate where one is wanted; raises Unusable."""
        if not any(self._own in place.sources for place in stock.places):
            return stock
        from mailnode.certificates.reading import read_pair  # noqa: PLC0415 - it loads OpenSSL
        from mailnode.certificates.self_signed import ensure_self_signed  # noqa: PLC0415

        is_new = ensure_self_signed(Path(self._own.certificate), self._hostname(), self._clock.seconds())
        log.warn(  # noqa: G010 - Twisted's name
            "No certificate is configured for {listeners}: a self-signed one {verb}, which no client can verify ({file})",
            event="certificate", verb="was made" if is_new else "is shown", file=self._own.certificate,
            listeners=", ".join(place.listener for place in stock.places if self._own in place.sources),
        )  # fmt: skip
        return evolve(stock, pairs={**stock.pairs, self._own: read_pair(self._own)})

    def watch(self, disk: Disk, changed: Callable[[Stock], None]) -> None:
        """Look after the files from now on; ``changed`` is given each new stock, which is shown here already."""
        self._watch = Watch(self.showcase, disk=disk, clock=self._clock, changed=changed, baseline=self._baseline)
        self._watch.start()

    def read_again(self, places: Sequence[Place]) -> None:
        """Read all files now, for places that may be others."""
        if self._watch is not None:
            self._watch.read_now(places)

    async def stop(self) -> None:
        """Watch no more."""
        if self._watch is not None:
            await self._watch.stop()


def certificates_for(
    settings: NodeSettings, folder: Path, clock: IReactorTime, hostname: Callable[[], str]
) -> Certificates | None:
    """Make what the settings want; None when no listener has TLS."""
    places = places_of(settings, folder)
    return Certificates(places, folder, clock, hostname) if places else None


__all__ = ["Certificates", "certificates_for", "places_of", "self_signed_source", "source_of"]
