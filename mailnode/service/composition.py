"""Put the rooms together: spool, queue, couriers, routing, reception.

This is the only file that names them all. ``Works`` is the result; a node gives it listeners, and a command without a
node uses it for a moment.
"""

import math
import socket
import sqlite3
from collections.abc import Callable, Collection, Sequence
from functools import cache
from importlib import import_module
from ipaddress import ip_network
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen
from twisted.logger import globalLogPublisher

from mailnode.accounts.schema import WrongSchema
from mailnode.accounts.sqlite import SqliteDirectory
from mailnode.couriers.maildir import MaildirCourier
from mailnode.couriers.mbox import MboxCourier
from mailnode.interfaces import Courier, Spool, SpoolTrouble
from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.quantity import Seconds
from mailnode.mail.route import ON_DEMAND
from mailnode.queue.runner import DeliveryQueue
from mailnode.queue.settings import QueueSettings
from mailnode.roles.house import House
from mailnode.roles.originator_limits import Limits
from mailnode.roles.reception import MailReception
from mailnode.roles.relay import RelayRole
from mailnode.roles.returning import RETURNED, ReturningCourier
from mailnode.roles.unrouted import UNROUTED, UnroutedCourier
from mailnode.routing.router import TableRouter
from mailnode.routing.settings import DomainSettings
from mailnode.routing.terms import Terms
from mailnode.service.asking import Parts
from mailnode.service.classic import terminals_for
from mailnode.service.current import CurrentReception, CurrentRouter
from mailnode.service.disk import DiskThreads
from mailnode.service.folder import (
    ACCOUNTS,
    GATEWAY_KEY,
    GATEWAY_LEDGER,
    GATEWAYS,
    HISTORY,
    INCOMING,
    MAIL,
    SPOOL,
    FolderLock,
    settle_in,
)
from mailnode.service.history import History
from mailnode.service.late import LateCourier
from mailnode.service.settings import NodeSettings
from mailnode.service.steps import StepWatch
from mailnode.service.trouble import StartFailed
from mailnode.service.variants import Couriers
from mailnode.spool.schema import open_tables
from mailnode.spool.sqlite import SqliteSpool

if TYPE_CHECKING:
    from mailnode.service.gateway_station import GatewayStation

_DIVIDED = ("concurrency", "lane_maximum", "active_recipients", "lane_recipients", "active_content")
"""Settings of the queue that count for all workers together."""

LOCAL = ("maildir", "mbox")
"""Couriers of our own mailboxes: they deliver before the 250."""


@frozen
class Ground:
    """What a node is built on."""

    folder: Path
    """The data folder, which exists."""
    reactor: Any
    random: Random
    hostname: str
    addresses: Collection[str] = ()
    """Addresses that are known to be ours, not loopback: mail must not be sent to them."""
    worker: int = 0
    """Which of the node's processes this is; 0 is the main one."""

    @property
    def owner(self) -> str:
        """How this process signs its leases: from one life to the next the same, and no two at a time share it."""
        return f"worker-{self.worker}" if self.worker else "node"


@frozen
class Works:
    """All that stands behind the listeners."""

    ground: Ground
    lock: FolderLock
    disk: DiskThreads
    spool: Spool
    couriers: Couriers
    maildir: MaildirCourier
    directory: SqliteDirectory
    router: CurrentRouter
    relay: RelayRole
    queue: DeliveryQueue
    reception: CurrentReception
    history: History
    watch: StepWatch
    gateways: "GatewayStation | None" = None
    """What bridges to other message systems; None when the configuration has no gateway."""
    limits: Limits = field(factory=Limits)
    """What accounts and addresses have sent lately; kept when the settings change."""

    @property
    def parts(self) -> Parts:
        """Give what commands work on."""
        return Parts(
            spool=self.spool,
            queue=self.queue,
            directory=self.directory,
            router=self.router,
            reception=self.reception,
            disk=self.disk,
            clock=self.ground.reactor,
            history=self.ground.folder / HISTORY,
            flush_history=self.history.flush,
        )

    def remember(self) -> None:
        """Let the history see what happens from now on, until all is stopped."""
        if self.history.settings.keep:
            globalLogPublisher.addObserver(self.history)

    def warm_up(self) -> None:
        """Make the couriers that were put off; they will soon be needed."""
        for courier in self.couriers.values():
            if isinstance(courier, LateCourier):
                courier.courier  # noqa: B018 - asking for it makes it

    async def stop(self, grace: float) -> None:
        """Stop the queue, giving its attempts ``grace`` seconds, and close everything."""
        if self.gateways is not None:
            await self.gateways.close_sources()
        await self.queue.stop(grace)
        for courier in self.couriers.values():
            await courier.close()
        if self.gateways is not None:
            await self.gateways.close()
        await self.spool.close()
        self.directory.close()
        globalLogPublisher.removeObserver(self.history)
        await self.history.close()
        self.watch.stop()
        self.disk.stop()
        self.lock.release()


def hostname_of(settings: NodeSettings) -> str:
    """Choose the node's name: the configured one, else the system's full name, else localhost."""
    if settings.node.hostname:
        return settings.node.hostname
    name = socket.gethostname()
    if "." in name:
        return name
    try:
        entries = socket.getaddrinfo(name, None, flags=socket.AI_CANONNAME)
    except (OSError, UnicodeError):
        return "localhost"
    full = entries[0][3]
    return full if "." in full else "localhost"


def build(settings: NodeSettings, ground: Ground, lock: FolderLock | None = None) -> Works:
    """Build what stands behind the listeners; raises StartFailed. Nothing runs yet but idle threads.

    Without a ``lock`` that was inherited, the folder is taken and put in order for all processes of the node.
    """
    is_first = lock is None
    held = FolderLock(ground.folder) if lock is None else lock
    try:
        if is_first:
            settle_in(ground.folder)
        return _build(settings, ground, held)
    except (OSError, sqlite3.Error, WrongSchema, SpoolTrouble, ValueError) as error:
        held.release()
        raise StartFailed(f"the data folder {ground.folder} cannot be used: {error}") from error


def _build(settings: NodeSettings, ground: Ground, lock: FolderLock) -> Works:
    folder, reactor, random = ground.folder, ground.reactor, ground.random
    open_tables(folder / SPOOL).close()  # what is wrong with the file is better said now than when mail waits
    disk = DiskThreads(reactor)
    directory = SqliteDirectory(folder / ACCOUNTS, disk)
    router = CurrentRouter(router_for(settings, ground, directory))
    spool = SqliteSpool(folder, owner=ground.owner, reactor=reactor, settings=settings.spool)
    maildir = MaildirCourier(
        folder / MAIL, hostname=ground.hostname, clock=reactor, reactor=reactor, settings=settings.maildir, random=random,
        owner=ground.owner,
    )  # fmt: skip
    outside = cache(lambda: Outside(ground, settings, disk))
    own = _couriers(ground, settings, disk, maildir, outside)
    couriers = Couriers(own, lambda base, terms: outside().make(base, terms))
    couriers.learn(settings.route)
    relay = RelayRole(router, ground.hostname, settings.queue, reactor, random, disk)
    queue = DeliveryQueue(
        spool=spool,
        couriers=couriers,
        settle=relay.settle,
        clock=reactor,
        random=random,
        settings=share_of(settings.queue, settings.node.workers),
    )
    own[RETURNED] = ReturningCourier()
    own[UNROUTED.courier] = UnroutedCourier(router, queue, settings.queue, reactor, random)
    history = History(folder / HISTORY, disk=disk, clock=reactor, settings=settings.history)
    reception = CurrentReception()
    watch = StepWatch(reactor)
    gateways = _gateways(settings, ground, own, disk, relay, queue, reception, router) if settings.gateway else None
    works = Works(
        ground, lock, disk, spool, couriers, maildir, directory, router, relay, queue, reception, history, watch,
        gateways,
    )  # fmt: skip
    reception.current = reception_for(settings, works)
    disk.start()
    watch.start()
    return works


def share_of(queue: QueueSettings, workers: int) -> QueueSettings:
    """Divide what bounds the node as a whole between its workers, so that a next hop does not see twice the limit."""
    if workers == 1:
        return queue
    return evolve(queue, **{name: math.ceil(getattr(queue, name) / workers) for name in _DIVIDED})


def _couriers(
    ground: Ground, settings: NodeSettings, disk: DiskThreads, maildir: Courier, outside: "Callable[[], Outside]"
) -> dict[str, Courier]:
    """Make the couriers, by the names that domains and routes call them."""
    return {
        "maildir": maildir,
        "mbox": MboxCourier(ground.folder / MAIL, clock=ground.reactor, disk=disk, settings=settings.mbox),
        "smtp": LateCourier(lambda: outside().make("smtp", Terms())),
        "lmtp": LateCourier(lambda: outside().make("lmtp", Terms())),
        ON_DEMAND: LateCourier(_on_demand_courier),
    }


def _on_demand_courier() -> Courier:
    from mailnode.couriers.on_demand import OnDemandCourier  # noqa: PLC0415 - see mailnode.service.late

    return OnDemandCourier()


def _gateways(  # noqa: PLR0917 - what they are built on
    settings: NodeSettings,
    ground: Ground,
    couriers: dict[str, Courier],
    disk: DiskThreads,
    relay: RelayRole,
    queue: DeliveryQueue,
    reception: CurrentReception,
    router: CurrentRouter,
) -> "GatewayStation":
    """Make the gateways, and let couriers and router know them."""
    from mailnode.gateways.tokens import load_key  # noqa: PLC0415 - a node without gateways needs none of it
    from mailnode.service.gateway_station import GatewayGround, GatewayStation  # noqa: PLC0415

    station = GatewayStation.build(
        settings,
        GatewayGround(
            hostname=ground.hostname, reactor=ground.reactor, clock=ground.reactor, random=ground.random, disk=disk,
            relay=relay, queue=queue, reception=reception, home=ground.folder / GATEWAYS,
            ledger=ground.folder / GATEWAY_LEDGER, key=load_key(ground.folder / GATEWAY_KEY),
        ),
    )  # fmt: skip
    couriers.update(station.couriers)
    router.books = {name: courier.node.addresses for name, courier in station.couriers.items()}
    return station


def import_late_rooms() -> None:
    """Import what is otherwise imported when it is needed: the user the process becomes may not see a private Python."""
    for name in _LATE_ROOMS:
        import_module(name)


_LATE_ROOMS = (
    "mailnode.routing.resolver",
    "mailnode.service.gateway_station",
    "mailnode.couriers.smtp",
    "mailnode.couriers.lmtp",
    "mailnode.couriers.smtp_mechanisms",
    "mailnode.couriers.terminal",
    "mailnode.certificates.outgoing",
    "mailnode.accounts.credentials",
    "mailnode.authentication.plain",
    "mailnode.authentication.scram",
    "mailnode.authentication.bearer",
    "mailnode.authentication.external",
    "mailnode.authentication.introspection",
    "mailnode.authentication.jwts",
    "argon2",
)


class Outside:
    """Makes the couriers that leave the house, which share one resolver."""

    def __init__(self, ground: Ground, settings: NodeSettings, disk: DiskThreads) -> None:
        from mailnode.couriers.smtp_securing import LateTls  # noqa: PLC0415 - see mailnode.service.late
        from mailnode.routing.resolver import DnsResolver  # noqa: PLC0415

        self._settings = settings
        self._common: dict[str, Any] = {
            "reactor": ground.reactor,
            "resolver": DnsResolver(ground.reactor, settings.resolver, random=ground.random, clock=ground.reactor),
            "hostname": ground.hostname,
            "disk": disk,
            "random": ground.random,
            "own_names": (ground.hostname,),
            "own_addresses": ground.addresses,
            "scratch": ground.folder / INCOMING,
        }

        self._tls = {
            base: LateTls(settings.ca_file, disk, ground.reactor)
            for base, settings in (("smtp", settings.smtp), ("lmtp", settings.lmtp))
        }

    def make(self, base: str, terms: Terms) -> Courier:
        """Make the courier to other mail hosts (``smtp``), or to mailbox servers (``lmtp``), with these terms."""
        return (self._lmtp if base == "lmtp" else self._smtp)(terms)

    def _smtp(self, terms: Terms) -> Courier:
        from mailnode.couriers.smtp import SmtpCourier  # noqa: PLC0415

        return SmtpCourier(settings=self._settings.smtp, terms=terms, tls=self._tls["smtp"], **self._common)

    def _lmtp(self, terms: Terms) -> Courier:
        from mailnode.couriers.lmtp import LmtpCourier  # noqa: PLC0415

        return LmtpCourier(settings=self._settings.lmtp, terms=terms, tls=self._tls["lmtp"], **self._common)


def _open_to_gateways(settings: NodeSettings) -> Sequence[DomainSettings]:
    """Let a gateway's domain take any local part: who is known there is known by its address book."""
    return [
        evolve(domain, accounts="any") if domain.courier in settings.gateway else domain for domain in settings.domain
    ]


def router_for(settings: NodeSettings, ground: Ground, directory: SqliteDirectory) -> TableRouter:
    """Make the router of these settings."""
    return TableRouter(
        hostname=ground.hostname,
        domains=_open_to_gateways(settings),
        routes=settings.route,
        directory=directory,
        own_addresses=ground.addresses,
    )


def origin_of(settings: NodeSettings, works: Works) -> str:
    """Give the domain of addresses that programs on this machine write without one."""
    return settings.submission.default_domain or works.router.home


def reception_for(settings: NodeSettings, works: Works) -> MailReception:
    """Make the door of these settings."""

    def give_up(reverse_path: Mailbox) -> Seconds:
        return settings.queue.bounce_give_up if reverse_path == NULL else settings.queue.give_up

    house = House(
        hostname=works.ground.hostname,
        router=works.router,
        queue=works.queue,
        couriers={name: works.couriers[name] for name in LOCAL},
        disk=works.disk,
        clock=works.ground.reactor,
        random=works.ground.random,
        incoming=works.ground.folder / INCOMING,
        settings=settings.reception,
        give_up=give_up,
        report_expansion=works.relay.report_expansion,
        directory=works.directory,
        terminals=terminals_for(settings, works.ground.hostname, works.ground.reactor, works.disk),
    )
    works.limits.apply(settings.submission, settings.node.workers)
    return MailReception(
        house,
        tuple(map(ip_network, settings.node.trusted_networks)),
        submission=settings.submission,
        limits=works.limits,
        max_sizes={listener.name: listener.max_size for listener in settings.listener if listener.max_size},
    )
