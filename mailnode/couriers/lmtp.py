"""The LMTP courier: hands messages to a mailbox server, with an answer for each recipient (RFC 2033).

Its next hop is ``unix:/run/mail.sock``, ``host:port`` or ``[host]:port``; MX records are never asked for, since a mailbox
server is a neighbour, not a mail host of the Internet.
"""

from mailnode.couriers.smtp import SmtpCourier
from mailnode.couriers.smtp_carriage import Carriage
from mailnode.couriers.smtp_session import SmtpSession
from mailnode.mail.message import DeliveryRequest
from mailnode.routing.exchanges import Hop

_UNIX = "unix:"


class LmtpCourier(SmtpCourier):
    """Sends by LMTP; implements interfaces.Courier; success is Delivered."""

    is_lmtp = True

    async def _travel(self, carriage: Carriage) -> None:
        next_hop = carriage.request.lane.next_hop
        if next_hop.startswith(_UNIX):
            await self._visit(Hop(next_hop, 0, ()), carriage)
            carriage.give_up()
        else:
            await super()._travel(carriage)

    def _written(self, next_hop: str) -> str:
        return bracketed(next_hop)

    async def _reach(self, hop: Hop, request: DeliveryRequest) -> SmtpSession:
        if hop.host.startswith(_UNIX):
            return await self._reaching.open_socket(hop.host.removeprefix(_UNIX))
        return await super()._reach(hop, request)


def bracketed(next_hop: str) -> str:
    """Write a next hop so that no MX is asked for."""
    if next_hop.startswith("["):
        return next_hop
    host, colon, port = next_hop.partition(":")
    return f"[{host}]{colon}{port}"
