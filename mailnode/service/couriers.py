"""Make the couriers: those to our own mailboxes at once, those that leave the house when there is mail for them.

The latter need the DNS, TLS and half of the node's code (see ``late``), and there is one of them for each set of terms that
routes have (see ``variants``); ``Outside`` makes them all, so that they share one resolver and what is known of TLS.
"""

from collections.abc import Callable
from typing import Any

from mailnode.couriers.mbox import MboxCourier
from mailnode.interfaces import Courier
from mailnode.mail.route import ON_DEMAND
from mailnode.routing.terms import Terms
from mailnode.service.disk import DiskThreads
from mailnode.service.folder import INCOMING, MAIL
from mailnode.service.ground import Ground
from mailnode.service.late import LateCourier
from mailnode.service.settings import NodeSettings

LOCAL = ("maildir", "mbox")
"""Couriers of our own mailboxes: they deliver before the 250."""


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


def couriers_for(
    ground: Ground, settings: NodeSettings, disk: DiskThreads, maildir: Courier, outside: Callable[[], Outside]
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
