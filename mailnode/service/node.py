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
from ipaddress import ip_address, ip_network
from random import Random, SystemRandom
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import (
    CancelledError,
    Deferred,
    TimeoutError,  # noqa: A004 - what addTimeout raises
    gatherResults,
)
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import deferLater
from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized

from mailnode.interfaces import SpoolTrouble
from mailnode.mail.quantity import render_seconds
from mailnode.roles.reception import is_trusted
from mailnode.service import folder as data
from mailnode.service.commands import Commands
from mailnode.service.composition import Ground, Works, build, hostname_of, reception_for, router_for
from mailnode.service.control import ControlDoor
from mailnode.service.doors import Door
from mailnode.service.faults import ConfigurationFaults
from mailnode.service.logs import LogLines
from mailnode.service.reload import in_effect, waiting_for_restart
from mailnode.service.settings import ListenerSettings, NodeSettings
from mailnode.sessions.admission import Admission
from mailnode.sessions.factory import ReceiverFactory
from mailnode.smtp.extensions import standard_extensions
from mailnode.smtp.settings import ServerSettings

RECOVERY_PAUSE = 5.0
"""Seconds between two tries to recover the spool."""
WARM_UP = 1.0
"""Seconds after the doors are open in which the rest of the code is loaded."""


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
        self._admission = Admission(settings.session)
        self._starting: Deferred[None] | None = None
        self._works: Works | None = None
        self._control: ControlDoor | None = None
        self._warming: IDelayedCall | None = None

    def setServiceParent(self, parent: Any) -> None:
        """Join the application and give it our log."""
        if self._lines is not None and isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self._lines)
        super().setServiceParent(parent)

    # --- start ------------------------------------------------------------------------------------------------

    def privilegedStartService(self) -> None:
        """Bind the ports; raises StartFailed."""
        data.prepare(self.folder, *self._owner)
        for door in self.doors:
            door.bind(self._reactor)
        super().privilegedStartService()

    def startService(self) -> None:
        """Build the node on its data folder; raises StartFailed."""
        super().startService()
        self._works = works = build(self.settings, self._ground())
        works.remember()
        self._starting = Deferred.fromCoroutine(self._open(works))
        self._starting.addErrback(self._start_ended)
        signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self.reload))

    def _ground(self) -> Ground:
        hosts = [str(getattr(door.address, "host", "")) for door in self.doors]
        addresses = frozenset(host for host in hosts if _is_plain_address(host))
        return Ground(self.folder, self._reactor, self._random, hostname_of(self.settings), addresses)

    async def _open(self, works: Works) -> None:
        """Recover the spool, then let the world in."""
        waiting = await self._recovered(works)
        self._control = ControlDoor(Commands(works.parts), self._reactor)
        self._control.open(self._reactor, self.folder)
        self._open_doors(works)
        self._warming = self._reactor.callLater(WARM_UP, works.warm_up)
        if self._announcement:
            self.log.info("{text}", event="announcement", text=self._announcement)
        self.log.info(
            "{hostname} is ready; {waiting} recipient(s) wait in {folder}", event="ready", hostname=works.ground.hostname,
            waiting=waiting, folder=str(self.folder),
        )  # fmt: skip

    async def _recovered(self, works: Works) -> int:
        while True:
            try:
                return await works.queue.start()
            except SpoolTrouble as trouble:
                self.log.error(
                    "The spool cannot be used, next try in {pause}: {reason}", event="trouble", reason=str(trouble),
                    pause=render_seconds(RECOVERY_PAUSE),
                )  # fmt: skip
                await deferLater(self._reactor, RECOVERY_PAUSE)

    def _start_ended(self, failure: Any) -> None:
        if not failure.check(CancelledError):
            self.log.failure("The node cannot start", failure)
            self._reactor.stop()

    def _open_doors(self, works: Works) -> None:
        for door in self.doors:
            door.open(self._receivers(door.settings, works))

    def _receivers(self, listener: ListenerSettings, works: Works) -> ReceiverFactory:
        networks = tuple(map(ip_network, self.settings.node.trusted_networks))
        session, max_size = self.settings.session, self.settings.reception.max_size
        offered = ServerSettings(
            max_size=max_size, max_recipients=session.max_recipients, max_transactions=session.max_transactions
        )
        return ReceiverFactory(
            name=listener.name,
            service=listener.service,
            hostname=works.ground.hostname,
            reception=works.reception,
            admission=self._admission,
            is_trusted=lambda address: is_trusted(networks, address),
            clock=self._reactor,
            settings=session,
            max_size=max_size,
            extensions=standard_extensions(offered),
        )

    # --- change -----------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Open log files anew and take over what has changed in the configuration."""
        try:
            if self._lines is not None:
                self._lines.reopen()
        except OSError as error:
            self.log.error("The log stays in its old file: {reason}", event="reload", reason=str(error))
        try:
            new = self._read()
        except ConfigurationFaults as faults:
            self.log.error("The configuration stays as it was: {faults}", event="reload", faults=str(faults))
            return
        for name in waiting_for_restart(self.settings, new):
            self.log.warn("{setting} has changed; it counts after a restart", event="reload", setting=name)  # noqa: G010 - Twisted's name
        self._apply(in_effect(self.settings, new))
        self.log.info("The configuration was read again", event="reload")

    def _apply(self, new: NodeSettings) -> None:
        old, self.settings = self.settings, new
        if self._lines is not None:
            self._lines.apply(new.log)
        works = self._works
        if works is None:
            return
        works.router.current = router_for(new, works.ground, works.directory)
        works.reception.current = reception_for(new, works)
        works.relay.settings = new.queue
        self._admission.settings = new.session
        is_open = self._starting is not None and self._starting.called
        if is_open and (old.session, old.reception, old.node) != (new.session, new.reception, new.node):
            self._open_doors(works)

    # --- stop -------------------------------------------------------------------------------------------------

    def stopService(self) -> Deferred[None]:
        """Stop in good order; the Deferred fires when all is closed."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        began = self._reactor.seconds()
        if self._starting is not None:
            self._starting.cancel()
        if self._warming is not None and self._warming.active():
            self._warming.cancel()
        if self._control is not None:
            await self._control.close()
        for door in self.doors:
            await door.unbind()
        if self._works is not None:
            await self._empty_rooms()
            left = self.settings.node.stop_timeout - (self._reactor.seconds() - began)
            await self._works.stop(max(left, 0.0))
        self.log.info("Stopped after {seconds:.1f}s", event="stopped", seconds=self._reactor.seconds() - began)
        if self._lines is not None:
            self._lines.flush()

    async def _empty_rooms(self) -> None:
        """Tell all sessions 421; those past their final dot have until the time limit."""
        leaving = [Deferred.fromCoroutine(receivers.stop()) for door in self.doors for receivers in door.receivers]
        for one in leaving:
            one.addTimeout(self.settings.node.stop_timeout, self._reactor)
            one.addErrback(lambda failure: failure.trap(CancelledError, TimeoutError))
        await gatherResults(leaving)


def _is_plain_address(host: str) -> bool:
    """Tell whether it is one certain address; on the loopback other nodes may live at the same one."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_loopback)
