"""What is made, and even imported, when it is first needed: couriers that leave the house, and seldom-used rooms.

Sending out needs the DNS and half of the node's code; a node that has just started has better things to do first: to
answer. So these couriers are imported a moment after the doors are open, or with the first message for them.
"""

from collections.abc import Callable, Mapping
from importlib import import_module

from mailnode.interfaces import Courier
from mailnode.mail.envelope import Recipient
from mailnode.mail.message import DeliveryRequest
from mailnode.mail.outcome import Outcome


class LateCourier:
    """Stands for the courier that ``make`` makes; implements interfaces.Courier."""

    def __init__(self, make: Callable[[], Courier]) -> None:
        self._make = make
        self._made: Courier | None = None

    @property
    def courier(self) -> Courier:
        """Give the courier, made by now."""
        if self._made is None:
            self._made = self._make()
        return self._made

    async def carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        """Carry with it."""
        return await self.courier.carry(request)

    async def close(self) -> None:
        """Close it, if it was ever made."""
        if self._made is not None:
            await self._made.close()


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
