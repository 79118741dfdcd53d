"""The class behind ``kind = "amqp"``: its settings, and what they make of a message."""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Literal

from attrs import define, field
from twisted.application.service import IService

from mailnode.gateways.api import (
    Answer,
    Delivered,
    Failed,
    Gateway,
    Outcome,
    OutgoingMessage,
    OutgoingRecipient,
    Seconds,
)
from mailnode.shipped.amqp.publication import Publication, Publisher
from mailnode.shipped.broker import Place, Trust
from mailnode.shipped.forms import FORMS, key_for
from mailnode.shipped.intake import FROM, MARK, QUEUE_ID, TO, TRACE, Intake
from mailnode.shipped.naming import check_template, fill, to_each_name

PORTS = {"amqp": 5672, "amqps": 5671}
MOST_NAME = 255
"""Octets of a short string: names of exchanges and queues, routing keys (AMQP 0-9-1 section 4.2.5.3)."""


@define
class Amqp(Gateway):
    """Publishes mail, and makes mail of what a queue holds."""

    url: str = field()
    """Where the broker is: ``amqps://host:port/virtual-host``; amqp is without TLS."""
    credentials: str = ""
    """A file whose first line is user:password; empty: guest, whom brokers let in from their own machine only."""
    authorities: str = ""
    """A PEM file of who may sign the broker's certificate; empty: the system's authorities."""
    certificate: str = ""
    """A PEM file of our own certificate and its private key; empty: none."""
    heartbeat: Seconds = Seconds(60)
    """How often both sides show that they live; after twice the time the other is taken for dead."""
    exchange: str = field(default="")
    """Where mail is published; empty: the default exchange, whose routing keys are names of queues."""
    routing_key: str = field(default="{address}")
    """The routing key; may hold {address}, {local_part}, {domain} and {sender_domain}."""
    form: Literal["json", "raw"] = "json"
    """json: fields, text and files; raw: the message as it is."""
    unroutable: Literal["failed", "delayed"] = "failed"
    """What it means that no queue gets a message: it bounces, or waits until one is bound."""
    consume: str = field(default="")
    """The queue whose messages become mail; empty: none."""
    sender: str = ""
    """Who has written messages that do not say it."""
    to: tuple[str, ...] = ()
    """Who gets messages that do not say it."""
    prefetch: int = field(default=20)
    """How many messages may be on their way to the node at once."""

    publisher: Publisher | None = field(init=False, default=None)
    """Made with the first mail."""

    takes_automatic: ClassVar[bool] = True
    needs: ClassVar[Sequence[str]] = ("pika (mailnode[amqp])",)

    @url.validator
    def _check_url(self, _: object, value: str) -> None:
        Place.parse(value, PORTS)

    @exchange.validator
    @consume.validator
    def _check_name(self, _: object, value: str) -> None:
        if len(value.encode()) > MOST_NAME:
            raise ValueError(f"expected at most {MOST_NAME} octets")

    @routing_key.validator
    def _check_key(self, _: object, value: str) -> None:
        check_template(value)

    @prefetch.validator
    def _check_prefetch(self, _: object, value: int) -> None:
        if not 1 <= value <= 65535:
            raise ValueError(f"expected 1 to 65535, not {value}")

    @property
    def place(self) -> Place:
        """Give where the broker is."""
        return Place.parse(self.url, PORTS)

    @property
    def trust(self) -> Trust:
        """Give the files of TLS."""
        return Trust(self.authorities, self.certificate)

    # --- out

    async def deliver(self, message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]) -> Answer:
        """Publish it, once for all or once for each, as the routing key wants."""
        return await to_each_name(self.routing_key, recipients, partial(self._publish, message))

    async def _publish(self, message: OutgoingMessage, group: Sequence[OutgoingRecipient]) -> Outcome:
        key = fill(self.routing_key, message, group[0])
        if len(key.encode()) > MOST_NAME:
            return Failed("the address makes too long a routing key", "5.1.3")
        content_type, body = FORMS[self.form](message, group)
        headers = {
            TRACE: message.traceparent,
            QUEUE_ID: message.queue_id,
            MARK: message.mark,
            FROM: str(message.sender),
            TO: [str(one.mailbox) for one in group],
        }
        publication = Publication(
            self.exchange, key, body, content_type, key_for(group), int(message.arrived), headers, self.unroutable
        )
        if self.publisher is None:
            self.publisher = self._publisher()
        await self.publisher.publish(publication)
        return Delivered(f'published to "{self.exchange}" as {key}')

    def _publisher(self) -> Publisher:
        from mailnode.shipped.amqp.connecting import Broker  # noqa: PLC0415 - pika is only there if it is needed
        from mailnode.shipped.amqp.publishing import ConfirmingPublisher  # noqa: PLC0415

        return ConfirmingPublisher(Broker(self.node, self.place, self.trust, self.credentials, self.heartbeat))

    async def stop(self) -> None:
        """Close what publishes."""
        publisher, self.publisher = self.publisher, None
        if publisher is not None:
            await publisher.close()

    # --- in

    def source(self) -> IService | None:
        """Consume a queue, if one is named."""
        if not self.consume:
            return None
        from mailnode.shipped.amqp.connecting import Broker  # noqa: PLC0415
        from mailnode.shipped.amqp.consuming import Consumer  # noqa: PLC0415

        broker = Broker(self.node, self.place, self.trust, self.credentials, self.heartbeat)
        return Consumer(broker, Intake(self.node, "AMQP", self.sender, self.to), self.consume, self.prefetch)
