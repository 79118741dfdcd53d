"""What stands behind the listeners, as one value: a node works with it, and it knows how to close it all in order.

It only holds: what is in it, and how the parts know each other, is decided where it is built (``composition``).
"""

from typing import TYPE_CHECKING

from attrs import field, frozen
from twisted.logger import globalLogPublisher

from mailnode.accounts.sqlite import SqliteDirectory
from mailnode.couriers.maildir import MaildirCourier
from mailnode.interfaces import Spool
from mailnode.queue.runner import DeliveryQueue
from mailnode.roles.originator_limits import Limits
from mailnode.roles.relay import RelayRole
from mailnode.service.asking import Parts
from mailnode.service.current import CurrentReception, CurrentRouter
from mailnode.service.disk import DiskThreads
from mailnode.service.folder import HISTORY, FolderLock
from mailnode.service.ground import Ground
from mailnode.service.history import History
from mailnode.service.late import LateCourier
from mailnode.service.settings import NodeSettings
from mailnode.service.steps import StepWatch
from mailnode.service.variants import Couriers

if TYPE_CHECKING:
    from mailnode.service.gateway_station import GatewayStation


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
    checks: DiskThreads
    """Threads of their own for passwords: a hash takes 20 ms and as many MiB, which a thread's allocator keeps afterwards,
    so these must not be all the threads of the disk."""
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
        self.checks.stop()
        self.disk.stop()
        self.lock.release()


def origin_of(settings: NodeSettings, works: Works) -> str:
    """Give the domain of addresses that programs on this machine write without one."""
    return settings.submission.default_domain or works.router.home
