"""What each process of a node does: stands behind its doors with spool, queue and couriers, changes, and stops in order.

``node`` is the main process and ``worker`` each further one; what they have in common is here.
"""

from collections.abc import Sequence
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from attrs import evolve
from twisted.internet.defer import (
    CancelledError,
    Deferred,
    TimeoutError,  # noqa: A004 - what addTimeout raises
    gatherResults,
)
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import deferLater
from twisted.logger import Logger

from mailnode.certificates.showcase import ListenerEncryption, Showcase
from mailnode.certificates.stock import Stock
from mailnode.fronts.users import UserNames
from mailnode.interfaces import Authority, Reception, SpoolTrouble
from mailnode.mail.quantity import render_seconds
from mailnode.mail.route import ON_DEMAND
from mailnode.roles.reception import trust_in
from mailnode.service.asking import Parts
from mailnode.service.authorities import authority_for, offers_auth
from mailnode.service.classic import VERBS, classic_for
from mailnode.service.composition import build
from mailnode.service.doors import Door
from mailnode.service.folder import FolderLock
from mailnode.service.fronts import speaks_for_others
from mailnode.service.ground import Ground
from mailnode.service.logs import LogLines
from mailnode.service.offering import SubmissionOffer, max_size_for, session_for
from mailnode.service.reception import reception_for, router_for
from mailnode.service.remote_queue import NoReception, RemoteQueue
from mailnode.service.settings import ListenerSettings, NodeSettings
from mailnode.service.works import Works
from mailnode.sessions.admission import Admission
from mailnode.sessions.authentication import Authentication
from mailnode.sessions.factory import ReceiverFactory
from mailnode.smtp.extensions import standard_extensions
from mailnode.smtp.settings import ServerSettings

if TYPE_CHECKING:
    from mailnode.service.fetching import Fetchings

_SEEN_AT_THE_DOOR = ("session", "terminal", "reception", "submission", "node", "etrn")
"""Headings that new sessions must know of."""
RECOVERY_PAUSE = 5.0
"""Seconds between two tries to recover the spool."""
WARM_UP = 1.0
"""Seconds after the doors are open in which the rest of the code is loaded."""


class Station:
    """One process's part of the work. ``lines`` is its log, None when twistd's own is wanted."""

    log = Logger()

    def __init__(
        self,
        settings: NodeSettings,
        ground: Ground,
        doors: Sequence[Door],
        *,
        lines: LogLines | None,
        lock: FolderLock | None = None,
        showcase: Showcase | None = None,
    ) -> None:
        """Build everything on the data folder; raises StartFailed. ``lock`` is the folder's, where it was inherited.

        ``showcase`` has the certificates, where a listener has TLS.
        """
        self.settings = settings
        self.works: Works = build(settings, ground, lock)
        self.works.remember()
        self.doors = doors
        self._lines = lines
        self._showcase = showcase
        self._reactor: Any = ground.reactor
        self._admission = Admission(settings.session)
        self.users = UserNames(self.works.disk, ground.reactor)
        self._authority: Authority | None = None
        if any(map(offers_auth, settings.listener)):
            networks = tuple(map(ip_network, settings.node.trusted_networks))
            works = self.works
            self._authority = authority_for(settings, works.directory, works.checks, self._reactor, trust_in(networks))
        self._remote_queue = RemoteQueue(settings, self.works)
        self._fetchings = self._fetchings_of(settings) if settings.fetch and not ground.worker else None
        self._is_open = False
        self._warming: IDelayedCall | None = None

    # --- start ------------------------------------------------------------------------------------------------

    async def recover(self) -> int:
        """Put back what a crash took from mailboxes, start the queue on what the spool holds; give how many recipients wait."""
        await self.works.maildir.recover()
        while True:
            try:
                return await self.works.queue.start()
            except SpoolTrouble as trouble:
                self.log.error(
                    "The spool cannot be used, next try in {pause}: {reason}", event="trouble", reason=str(trouble),
                    pause=render_seconds(RECOVERY_PAUSE),
                )  # fmt: skip
                await deferLater(self._reactor, RECOVERY_PAUSE)

    def open(self) -> None:
        """Let the world in, with the settings of now."""
        for door in self.doors:
            door.open(self.receivers(door.settings), self.users)
        if not self._is_open and self.works.gateways is not None:
            self.works.gateways.watch(self._reactor)
            if not self.works.ground.worker:
                self.works.gateways.open()  # what comes from the other sides comes into one process
        if not self._is_open:
            self._warming = self._reactor.callLater(WARM_UP, self._warm_up)
        if self._fetchings is not None and not self._is_open:
            self._fetchings.start()
        self._is_open = True

    def _fetchings_of(self, settings: NodeSettings) -> "Fetchings":
        from mailnode.service.fetching import Fetchings  # noqa: PLC0415 - most nodes call nobody

        return Fetchings(settings, self.works, self.receivers)

    @property
    def parts(self) -> Parts:
        """Give what commands work on."""
        return evolve(self.works.parts, fetch=self._fetchings.call if self._fetchings is not None else None)

    def _warm_up(self) -> None:
        self.works.warm_up()
        if self._showcase is not None:
            self._showcase.warm_up()

    def receivers(
        self,
        listener: ListenerSettings,
        *,
        reception: Reception | None = None,
        kind: type[ReceiverFactory] = ReceiverFactory,
    ) -> ReceiverFactory:
        """Make the receivers of a listener, with the settings of now; ``reception`` is where its mail goes, if not to all others'."""
        networks = tuple(map(ip_network, self.settings.node.trusted_networks))
        session, max_size = session_for(listener, self.settings), max_size_for(listener, self.settings)
        is_submission = listener.service == "submission"
        is_on_demand = listener.service == ON_DEMAND
        offered = ServerSettings(
            max_size=max_size, max_recipients=session.max_recipients, max_transactions=session.max_transactions
        )
        return kind(
            name=listener.name,
            service=listener.service,
            hostname=self.works.ground.hostname,
            reception=reception or (NoReception() if is_on_demand else self.works.reception),
            admission=self._admission,
            is_trusted=trust_in(networks),
            clock=self._reactor,
            settings=session,
            max_size=max_size,
            extensions=(
                *(() if is_on_demand else (*standard_extensions(offered), *classic_for(listener, self.settings))),
                *self._remote_queue.extensions(listener),
            ),
            verbs={**VERBS, **self._remote_queue.verbs},
            extensions_by_time=SubmissionOffer(self.settings.submission, self._reactor) if is_submission else None,
            users=listener.allow_users,
            speaks_for_others=speaks_for_others(listener),
            encryption=self._encryption(listener),
            is_implicit=listener.tls == "implicit",
            authentication=self._authentication(listener),
        )

    def _authentication(self, listener: ListenerSettings) -> Authentication | None:
        if self._authority is None or not offers_auth(listener):
            usual = None
        else:
            usual = Authentication(self._authority, listener.auth_without_tls)
        return self._remote_queue.authentication(usual) if listener.service == ON_DEMAND else usual

    def _encryption(self, listener: ListenerSettings) -> ListenerEncryption | None:
        if self._showcase is None or listener.tls == "none":
            return None
        return ListenerEncryption(self._showcase, listener.name)

    @property
    def certificates(self) -> Stock | None:
        """Give what another process needs to show the same certificates; None without TLS."""
        if self._showcase is None:
            return None
        self._showcase.warm_up()
        return self._showcase.known

    # --- change -----------------------------------------------------------------------------------------------

    def show(self, certificates: Stock) -> None:
        """Show these certificates from now on."""
        if self._showcase is not None:
            self._showcase.show(certificates)

    def reopen_log(self) -> None:
        """Open the log file anew."""
        try:
            if self._lines is not None:
                self._lines.reopen()
        except OSError as error:
            self.log.error("The log stays in its old file: {reason}", event="reload", reason=str(error))

    def apply(self, new: NodeSettings) -> None:
        """Take over what has changed under way."""
        old, self.settings = self.settings, new
        if self._lines is not None:
            self._lines.apply(new.log)
        works = self.works
        works.couriers.learn(new.route)
        works.router.current = router_for(new, works.ground, works.directory)
        works.reception.current = reception_for(new, works)
        works.relay.settings = new.queue
        self._remote_queue.apply(new)
        self._admission.settings = new.session
        if self._is_open and any(getattr(old, name) != getattr(new, name) for name in _SEEN_AT_THE_DOOR):
            self.open()

    # --- stop -------------------------------------------------------------------------------------------------

    async def stop(self) -> None:
        """Close the doors, let what was begun end, and close everything; waits for ``stop_timeout`` at most."""
        began = self._reactor.seconds()
        if self._warming is not None and self._warming.active():
            self._warming.cancel()
        for door in self.doors:
            await door.unbind()
        await self._empty_rooms()
        await self._remote_queue.stop()
        if self._fetchings is not None:
            await self._fetchings.stop()
        left = self.settings.node.stop_timeout - (self._reactor.seconds() - began)
        await self.works.stop(max(left, 0.0))

    async def _empty_rooms(self) -> None:
        """Tell all sessions 421; those past their final dot have until the time limit."""
        leaving = [Deferred.fromCoroutine(receivers.stop()) for door in self.doors for receivers in door.receivers]
        for one in leaving:
            one.addTimeout(self.settings.node.stop_timeout, self._reactor)
            one.addErrback(lambda failure: failure.trap(CancelledError, TimeoutError))
        await gatherResults(leaving)
