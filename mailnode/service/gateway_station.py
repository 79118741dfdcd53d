"""The gateways of one process at work: their couriers, their sources, and the receipts that are awaited.

Sources run in the main process only, and so does the look for receipts that never came. A source that cannot start is
tried again, later each time, while everything else goes on.
"""

import sqlite3
import sys
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import attrs
from attrs import Factory, define, field, frozen
from twisted.application.service import IService
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger

from mailnode.gateways.gateway import Gateway, brings, delivers
from mailnode.gateways.http import HttpClient, TreqClient
from mailnode.gateways.ledger import Ledger
from mailnode.gateways.slices import Slices
from mailnode.gateways.tokens import Signer
from mailnode.interfaces import Disk, Queue, Reception, SpoolTrouble
from mailnode.roles.gateway import GatewayCourier
from mailnode.roles.gateway_node import NodeOfGateway
from mailnode.roles.gateway_receipts import Receipts
from mailnode.roles.relay import RelayRole
from mailnode.service.blocking import BlockWatch
from mailnode.service.gateways import book_of, make
from mailnode.service.settings import NodeSettings

SWEEP = 60.0
"""Seconds between two looks for receipts that should have come."""
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
"""Seconds until a source that could not start is tried again."""

log = Logger()


@frozen
class GatewayGround:
    """What gateways are built on."""

    hostname: str
    reactor: Any
    clock: Any
    random: Random
    disk: Disk
    relay: RelayRole
    queue: Queue
    reception: Reception
    home: Path
    """Where gateways have their folders."""
    ledger: Path | None
    """The file of what gateways must not forget; None: in memory."""
    key: bytes = field(repr=False)
    http: HttpClient | None = None
    """What they send requests with; None: treq."""


@define(eq=False)
class GatewayStation:
    """All gateways of one process."""

    couriers: dict[str, GatewayCourier]
    receipts: Receipts
    ledger: Ledger
    slices: Slices
    clock: Any
    sweep_every: float = SWEEP
    _sources: dict[str, IService] = Factory(dict)
    _starting: dict[str, Deferred[None]] = Factory(dict)
    _sweeping: LoopingCall | None = None
    _watch: BlockWatch | None = None

    @classmethod
    def build(
        cls, settings: NodeSettings, ground: GatewayGround, made: Mapping[str, Gateway] | None = None
    ) -> "GatewayStation":
        """Build the gateways of the configuration; ``made`` are instances that are there already, by name."""
        signer, slices, ledger = Signer(ground.key), Slices(), Ledger(ground.ledger, ground.disk)
        receipts = Receipts(ledger, ground.relay, ground.queue, ground.clock)
        couriers = {}
        for name, one in settings.gateway.items():
            gateway = (made or {}).get(name) or make(one)
            book = attrs.evolve(book_of(name, gateway, settings), signer=signer, knows=gateway.knows)
            source = attrs.evolve(one.source, rate="", rate_per_sender="") if gateway.fans_out else one.source
            node = NodeOfGateway(
                name=name, hostname=ground.hostname, reactor=ground.reactor, clock=ground.clock, random=ground.random,
                disk=ground.disk, addresses=book, http=ground.http or TreqClient(ground.reactor), settings=source,
                signer=signer, ledger=ledger, receipts=receipts,
                reception=ground.reception, home=ground.home,
            )  # fmt: skip
            object.__setattr__(gateway, "node", node)  # a frozen class may be a gateway too
            couriers[name] = GatewayCourier(gateway, node, one.queue, settings.queue, signer, receipts, slices)
        return cls(couriers, receipts, ledger, slices, ground.clock)

    def gateway(self, name: str) -> Gateway:
        """Give a gateway by its name."""
        return self.couriers[name].gateway

    # --- sources

    def open(self) -> None:
        """Let mail come in from the other sides, and begin to look for missing receipts."""
        for name, courier in self.couriers.items():
            if brings(type(courier.gateway)) and name not in self._starting:
                task = Deferred.fromCoroutine(self._open(name, courier))
                self._starting[name] = task
                task.addErrback(self._failed, name)
        if self._sweeping is None and any(delivers(type(one.gateway)) for one in self.couriers.values()):
            self._sweeping = LoopingCall(self._sweep)
            self._sweeping.clock = self.clock
            self._sweeping.start(self.sweep_every, now=False).addErrback(
                lambda failure: log.failure("receipts failed", failure)
            )

    async def _open(self, name: str, courier: GatewayCourier) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await courier.start()
                source = courier.gateway.source()
                if source is not None:
                    self._sources[name] = source
                    source.startService()
            except CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - one gateway's trouble is no other's
                log.error(
                    "gateway {gateway} cannot be opened: {reason}", event="trouble", gateway=name,
                    reason=f"{type(error).__name__}: {error}",
                )  # fmt: skip
            else:
                log.info("gateway {gateway} is open", event="ready", gateway=name)
                return
            self._sources.pop(name, None)
            await deferLater(self.clock, pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _failed(self, failure: Any, name: str) -> None:
        if not failure.check(CancelledError):
            log.failure("gateway {gateway} failed", failure, gateway=name)

    def watch(self, reactor: Any) -> None:
        """Notice gateways that block this thread, which is the reactor's."""
        files = {
            name: str(getattr(sys.modules[type(one.gateway).__module__], "__file__", ""))
            for name, one in self.couriers.items()
        }
        self._watch = BlockWatch(reactor, self.slices, files)
        self._watch.start()

    async def close(self) -> None:
        """Close what is left once couriers and sources are closed."""
        if self._watch is not None:
            self._watch.stop()
        await self.ledger.close()

    async def close_sources(self) -> None:
        """Let nothing more come in."""
        if self._sweeping is not None and self._sweeping.running:
            self._sweeping.stop()
        for task in self._starting.values():
            task.cancel()
        self._starting.clear()
        for name, source in list(self._sources.items()):
            try:
                await maybeDeferred(source.stopService)
            except CancelledError:
                raise
            except Exception:  # noqa: BLE001 - others want to be stopped too
                log.failure("gateway {gateway} failed to stop", gateway=name)
        self._sources.clear()

    def _sweep(self) -> Deferred[None]:
        sweep = Deferred.fromCoroutine(self.receipts.sweep())
        sweep.addErrback(_note)
        return sweep


def _note(failure: Any) -> None:
    if failure.check(SpoolTrouble, OSError, sqlite3.Error):
        log.error("receipts wait: {reason}", event="trouble", reason=str(failure.value))
    else:
        log.failure("looking for missing receipts failed", failure)
