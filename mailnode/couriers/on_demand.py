"""Mail that waits until its owner calls for it (On-Demand Mail Relay, RFC 2645).

``OnDemandCourier`` is what the queue knows: it connects to nobody, since the owner has no address that lasts. A message
is put off to its very end without a try; the end is as for any other message. ``TurnedCourier`` carries over the one
connection on which the owner has said ATRN: a session that is there already, and no other.
"""

import math
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from attrs import evolve

from mailnode.couriers.smtp import SmtpCourier
from mailnode.couriers.smtp_carriage import Carriage
from mailnode.couriers.smtp_session import SmtpSession
from mailnode.couriers.smtp_settings import SmtpCourierSettings
from mailnode.interfaces import Disk
from mailnode.mail.envelope import Recipient
from mailnode.mail.message import DeliveryRequest
from mailnode.mail.outcome import Delayed, Outcome
from mailnode.mail.reply import Reply
from mailnode.mail.route import Lane
from mailnode.smtp.client import ClientConnection

WAITS = Reply.of(450, "4.4.1", "The mail waits here until its owner calls for it")
_ALL = 1_000_000_000


class OnDemandCourier:
    """Lets mail wait; implements interfaces.Courier."""

    async def carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        """Put every recipient off for as long as the message lives."""
        return dict.fromkeys(request.message.envelope.recipients, Delayed(WAITS, retry_after=math.inf, is_tried=False))

    async def close(self) -> None:
        """Nothing is open."""


class TurnedSession(SmtpSession):
    """A client's session on a connection that the peer has made; ``begin`` is called when it is handed over."""

    begin: Callable[[], None]

    def connectionMade(self) -> None:
        """Begin: the peer, which is the server now, greets next."""
        super().connectionMade()
        self.begin()


class TurnedCourier(SmtpCourier):
    """Carries over one session only; implements interfaces.Courier."""

    def __init__(
        self,
        session: SmtpSession,
        *,
        reactor: Any,
        hostname: str,
        disk: Disk,
        random: Random,
        settings: SmtpCourierSettings,
    ) -> None:
        nobody: Any = None
        super().__init__(
            reactor=reactor, resolver=nobody, hostname=hostname, disk=disk, random=random,
            settings=evolve(settings, max_transactions=_ALL),
        )  # fmt: skip
        self._session = session

    async def carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        """Make one try on the session; who is delayed waits for the next call."""
        outcomes = await super().carry(request)
        return {
            recipient: evolve(outcome, retry_after=math.inf) if isinstance(outcome, Delayed) else outcome
            for recipient, outcome in outcomes.items()
        }

    async def _try(self, carriage: Carriage) -> None:
        if self._session.is_ready:
            carriage.arrive(self._session.host)
            await self._talk(self._session, carriage)
        carriage.give_up()

    def _keep(self, session: SmtpSession, lane: Lane) -> bool:  # noqa: ARG002 - for any lane
        """Let the session be: whoever has turned it says goodbye."""
        return session.is_ready


def turned_session(
    host: str,
    hostname: str,
    *,
    settings: SmtpCourierSettings,
    clock: Any,
    disk: Disk,
    begin: Callable[[TurnedSession], None],
) -> TurnedSession:
    """Make the session for a peer that has said ATRN; ``begin`` is given it once it is connected."""
    session = TurnedSession(ClientConnection(hostname), host, times=settings.times, clock=clock, disk=disk)
    session.begin = lambda: begin(session)
    return session
