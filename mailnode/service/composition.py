"""Put the rooms together: spool, queue, couriers, routing, reception.

The order is that of who needs whom: what keeps (disk threads, accounts, spool), what carries (``couriers``), what decides
(relay and queue), and at last who is let in (``reception``). The result is a ``Works``, on a ``Ground``; a node gives it
listeners, and a command without a node uses it for a moment.
"""

import sqlite3
from functools import cache
from typing import TYPE_CHECKING

from mailnode.accounts.schema import WrongSchema
from mailnode.accounts.sqlite import SqliteDirectory
from mailnode.couriers.maildir import MaildirCourier
from mailnode.interfaces import Courier, SpoolTrouble
from mailnode.queue.runner import DeliveryQueue
from mailnode.roles.relay import RelayRole
from mailnode.roles.returning import RETURNED, ReturningCourier
from mailnode.roles.unrouted import UNROUTED, UnroutedCourier
from mailnode.service.couriers import Outside, couriers_for
from mailnode.service.current import CurrentReception, CurrentRouter
from mailnode.service.disk import DiskThreads
from mailnode.service.folder import (
    ACCOUNTS,
    GATEWAY_KEY,
    GATEWAY_LEDGER,
    GATEWAYS,
    HISTORY,
    MAIL,
    SPOOL,
    FolderLock,
    settle_in,
)
from mailnode.service.ground import Ground
from mailnode.service.history import History
from mailnode.service.reception import reception_for, router_for
from mailnode.service.settings import NodeSettings
from mailnode.service.sharing import share_of
from mailnode.service.steps import StepWatch
from mailnode.service.trouble import StartFailed
from mailnode.service.variants import Couriers
from mailnode.service.works import Works
from mailnode.spool.schema import open_tables
from mailnode.spool.sqlite import SqliteSpool

if TYPE_CHECKING:
    from mailnode.service.gateway_station import GatewayStation


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
    disk, checks = DiskThreads(reactor), DiskThreads(reactor, settings.auth.checks_at_once)
    directory = SqliteDirectory(folder / ACCOUNTS, disk)
    router = CurrentRouter(router_for(settings, ground, directory))
    spool = SqliteSpool(folder, owner=ground.owner, reactor=reactor, settings=settings.spool)
    maildir = MaildirCourier(
        folder / MAIL, hostname=ground.hostname, clock=reactor, reactor=reactor, settings=settings.maildir, random=random,
        owner=ground.owner,
    )  # fmt: skip
    outside = cache(lambda: Outside(ground, settings, disk))
    own = couriers_for(ground, settings, disk, maildir, outside)
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
        checks, gateways,
    )  # fmt: skip
    reception.current = reception_for(settings, works)
    disk.start()
    checks.start()
    watch.start()
    return works


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
