"""The node: a service that twistd starts and stops, and a SIGHUP that changes its settings.

Start: ports are bound in ``privilegedStartService``, while the process may still be root. ``startService`` comes after
privileges are dropped: it locks the data folder, builds everything on it and recovers the spool; only then are the
ports opened. What fails before the reactor runs raises StartFailed and ends the process; a spool that cannot be
recovered is tried again, with the ports closed.

Stop, in the opposite order: ports closed; every session told 421, those past their final dot finished first; the queue
lets running attempts end; couriers, spool and threads are closed.

SIGHUP: log files are opened anew and the configuration is read again. A faulty one changes nothing. What can change
under way does (``reload``), what cannot is named in the log.
"""

import signal
from collections.abc import Callable
from ipaddress import ip_address
from random import Random, SystemRandom
from typing import TYPE_CHECKING, Any

from attrs import evolve
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized

from mailnode.certificates.stock import Stock
from mailnode.service import folder as data
from mailnode.service.certificates import certificates_for, places_of
from mailnode.service.commands import Commands
from mailnode.service.control import ControlDoor
from mailnode.service.doors import Door
from mailnode.service.faults import ConfigurationFaults
from mailnode.service.ground import Ground, hostname_of
from mailnode.service.late import import_late_rooms
from mailnode.service.limits import raise_file_limit
from mailnode.service.local import LocalDoor
from mailnode.service.logs import LogLines
from mailnode.service.reload import in_effect, waiting_for_restart
from mailnode.service.settings import NodeSettings
from mailnode.service.station import Station

if TYPE_CHECKING:
    from mailnode.service.crew import Crew


class Node(Service):
    """One mail node. ``read`` reads the settings anew; ``lines`` is the log, None when twistd's own is wanted.

    ``announcement`` is logged when the node is ready; ``owner`` is the user and group that root will become.
    """

    name = "mailnode"
    log = Logger()

    def __init__(
        self,
        settings: NodeSettings,
        *,
        reactor: Any,
        read: Callable[[], NodeSettings],
        lines: LogLines | None = None,
        announcement: str = "",
        owner: tuple[int | None, int | None] = (None, None),
        random: Random | None = None,
    ) -> None:
        self.settings = settings
        self.folder = settings.node.folder.absolute()  # twistd may change the working folder
        self.doors = [Door(listener) for listener in settings.listener]
        self._reactor = reactor
        self._read = read
        self._lines = lines
        self._announcement = announcement
        self._owner = owner
        self._random = random or SystemRandom()
        self._certificates = certificates_for(settings, self.folder, reactor, lambda: hostname_of(self.settings))
        self._starting: Deferred[None] | None = None
        self._station: Station | None = None
        self._control: ControlDoor | None = None
        self._local: LocalDoor | None = None
        self._crew: Crew | None = None

    def setServiceParent(self, parent: Any) -> None:
        """Join the application and give it our log."""
        if self._lines is not None and isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self._lines)
        super().setServiceParent(parent)

    # --- start ------------------------------------------------------------------------------------------------

    def privilegedStartService(self) -> None:
        """Bind the ports; raises StartFailed."""
        raise_file_limit()
        data.prepare(self.folder, *self._owner)
        for door in self.doors:
            door.bind(self._reactor, self.settings.node.workers, self._owner)
        if self._owner[0]:
            import_late_rooms()
        if self._certificates is not None:
            self._certificates.read()
            if self._owner[0]:
                self._certificates.import_rooms()
        super().privilegedStartService()

    def startService(self) -> None:
        """Build the node on its data folder; raises StartFailed."""
        super().startService()
        showcase = None if self._certificates is None else self._certificates.showcase
        self._station = Station(self.settings, self._ground(), self.doors, lines=self._lines, showcase=showcase)
        self._starting = Deferred.fromCoroutine(self._open(self._station))
        self._starting.addErrback(self._start_ended)
        signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self.reload))

    def _ground(self) -> Ground:
        hosts = [str(getattr(door.address, "host", "")) for door in self.doors]
        addresses = frozenset(host for host in hosts if _is_plain_address(host))
        return Ground(self.folder, self._reactor, self._random, hostname_of(self.settings), addresses)

    async def _open(self, station: Station) -> None:
        """Recover the spool, then let the world in."""
        waiting = await station.recover()
        parts = station.parts
        if self.settings.node.workers > 1:
            from mailnode.service.crew import Crew, QueueOfAll  # noqa: PLC0415 - one process needs neither

            self._crew = Crew(self._reactor, station, self._lines.path if self._lines is not None else None)
            parts = evolve(parts, queue=QueueOfAll(parts.queue, self._crew))
        self._control = ControlDoor(Commands(parts), self._reactor)
        self._control.open(self._reactor, self.folder)
        self._local = LocalDoor(station, self._reactor, self._random)
        await self._local.open()
        station.open()
        if self._announcement:
            self.log.info("{text}", event="announcement", text=self._announcement)
        self.log.info(
            "{hostname} is ready; {waiting} recipient(s) wait in {folder}", event="ready",
            hostname=station.works.ground.hostname, waiting=waiting, folder=str(self.folder),
        )  # fmt: skip
        if self._crew is not None:
            self._crew.start()
        if self._certificates is not None:
            self._certificates.watch(station.works.disk, self._show_to_crew)

    def _show_to_crew(self, certificates: Stock) -> None:
        if self._crew is not None:
            self._crew.show(certificates)

    def _start_ended(self, failure: Any) -> None:
        if not failure.check(CancelledError):
            self.log.failure("The node cannot start", failure)
            self._reactor.stop()

    # --- change -----------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Open log files anew and take over what has changed in the configuration."""
        if self._station is None:
            return
        self._station.reopen_log()
        if self._crew is not None:
            self._crew.reopen_log()
        try:
            new = self._read()
        except ConfigurationFaults as faults:
            self.log.error("The configuration stays as it was: {faults}", event="reload", faults=str(faults))
            return
        for name in waiting_for_restart(self.settings, new):
            self.log.warn("{setting} has changed; it counts after a restart", event="reload", setting=name)  # noqa: G010 - Twisted's name
        self.settings = in_effect(self.settings, new)
        self._station.apply(self.settings)
        if self._local is not None:
            self._local.apply()
        if self._crew is not None:
            self._crew.apply(self.settings)
        if self._certificates is not None:
            self._certificates.read_again(places_of(self.settings, self.folder))
        self.log.info("The configuration was read again", event="reload")

    # --- stop -------------------------------------------------------------------------------------------------

    def stopService(self) -> Deferred[None]:
        """Stop in good order; the Deferred fires when all is closed."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        began = self._reactor.seconds()
        if self._starting is not None:
            self._starting.cancel()
        if self._control is not None:
            await self._control.close()
        if self._local is not None:
            await self._local.stop(self.settings.node.stop_timeout)
        if self._certificates is not None:
            await self._certificates.stop()
        others = Deferred.fromCoroutine(self._crew.stop(self.settings.node.stop_timeout)) if self._crew else None
        if self._station is not None:
            await self._station.stop()
        else:
            for door in self.doors:
                await door.unbind()
        if others is not None:
            await others
        self.log.info("Stopped after {seconds:.1f}s", event="stopped", seconds=self._reactor.seconds() - began)
        if self._lines is not None:
            self._lines.flush()


def _is_plain_address(host: str) -> bool:
    """Tell whether it is one certain address; on the loopback other nodes may live at the same one."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_loopback)
