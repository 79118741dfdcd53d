"""Reports that do not know their way yet: they wait in a lane of their own until the sender's address can be looked up.

A report must not be lost because an account cannot be looked up this minute, and what it reports must not be tried again
because of it: it would be delivered twice. So the report goes into the spool as it is, and its attempts are attempts to
find its way. Once that is known it leaves as a new entry, along as many routes as there are. Like every notification
it has its end after ``bounce_give_up``.

The same way goes mail that waits in a lane whose terms no route has any more (see ``service.variants``).
"""

import random as chance
from collections.abc import Mapping

from attrs import evolve, frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from mailnode.interfaces import Queue, Router, SpoolTrouble
from mailnode.mail.address import NULL
from mailnode.mail.envelope import Recipient
from mailnode.mail.message import DeliveryRequest, Message, NewEntry
from mailnode.mail.outcome import Delayed, Failed, Outcome, Relayed
from mailnode.mail.queueid import new_queue_id
from mailnode.mail.reply import Reply
from mailnode.mail.route import Lane
from mailnode.queue.schedule import expiry
from mailnode.queue.settings import QueueSettings
from mailnode.routing.resolution import Resolution, resolve
from mailnode.smtp import replies

UNROUTED = Lane("unrouted")
"""Where a report waits that can go nowhere else yet."""


@frozen
class UnroutedCourier:
    """A Courier that looks for the way and gives the report back to the queue; the relay role fills its lane."""

    log = Logger()

    router: Router
    queue: Queue
    settings: QueueSettings
    clock: IReactorTime
    random: chance.Random

    async def carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        """Look once more where each recipient's mail goes."""
        message = request.message
        return {recipient: await self._send_on(message, recipient) for recipient in message.envelope.recipients}

    async def close(self) -> None:
        """Nothing is open."""

    async def _send_on(self, message: Message, recipient: Recipient) -> Outcome:
        found = await resolve(self.router, recipient)
        if not isinstance(found, Resolution):
            return Delayed(found.reply) if found.reply.is_transient else Failed(found.reply)
        queue_id = new_queue_id(self.clock.seconds(), self.random)
        envelope = evolve(message.envelope, recipients=tuple(one for one, _ in found.routes))
        entry = NewEntry(
            evolve(message, queue_id=queue_id, envelope=envelope),
            tuple(route for _, route in found.routes),
            expiry(message.arrived, self.settings, is_notice=message.envelope.reverse_path == NULL),
        )
        try:
            await self.queue.submit(entry)
        except SpoolTrouble as trouble:
            self.log.error(
                "{queue_id}: not sent on: {reason}", event="trouble", queue_id=message.queue_id, reason=str(trouble)
            )
            return Delayed(replies.LOCAL_TROUBLE)
        # Whatever the sender wishes to hear goes on with it.
        reply = Reply.of(250, "2.1.5", f"Its way is known now, it goes on as {queue_id}")
        return Relayed(reply, passes_dsn=True)
