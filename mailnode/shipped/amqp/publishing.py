"""Publishing with confirms: a message is the broker's once it says so, and not before.

pika's adapter tells a returned message from a confirmed one only when one is on its way at a time. Here several are, so what
comes back is noted by its ``message_id``: the broker sends a return before the confirm of the same message.
"""

from typing import Any

import pika
from attrs import Factory, define
from pika import exceptions
from twisted.internet.defer import CancelledError, DeferredSemaphore

from mailnode.gateways.api import Delayed, Failed, Outcome, Trouble
from mailnode.shipped.amqp.connecting import Broker, Connection, meaning
from mailnode.shipped.amqp.publication import Publication

_UNROUTABLE: dict[str, Outcome] = {
    "failed": Failed("no queue is bound to this routing key", "5.1.1"),
    "delayed": Delayed("no queue is bound to this routing key", "4.4.4"),
}


@define(eq=False)
class Flight:
    """A publication that waits for its confirm."""

    message_id: str
    is_alone: bool = True
    is_returned: bool = False


@define(eq=False)
class ConfirmingPublisher:
    """Publishes over one connection, which is opened when it is needed."""

    broker: Broker
    _connection: Connection | None = None
    _channel: Any = None
    _opening: DeferredSemaphore = Factory(lambda: DeferredSemaphore(1))
    _flights: list[Flight] = Factory(list)

    async def publish(self, one: Publication) -> None:
        """Publish, and wait for the confirm."""
        channel = await self._opened()
        flight = Flight(one.message_id, is_alone=not self._flights)
        for other in self._flights:
            other.is_alone = False
        self._flights.append(flight)
        try:
            await channel.basic_publish(one.exchange, one.routing_key, one.body, _properties(one), mandatory=True)
        except exceptions.UnroutableError:
            pass  # a confirm all the same; whose return it was is known better here
        except exceptions.AMQPError as problem:
            raise Trouble(meaning(problem, is_alone=flight.is_alone)) from problem
        finally:
            self._flights.remove(flight)
        if flight.is_returned:
            raise Trouble(_UNROUTABLE[one.if_unroutable])

    async def _opened(self) -> Any:
        """Give the channel, opened anew when it was closed."""
        await self._opening.acquire()
        try:
            if self._connection is None or not self._connection.is_open:
                self._channel = None
                self._connection = await self.broker.connect()
            if self._channel is None or not self._channel.is_open:
                channel = await self._connection.channel()
                await channel.confirm_delivery()
                channel.add_on_return_callback(self._returned)
                self._channel = channel
        except exceptions.AMQPError as problem:
            raise Trouble(meaning(problem)) from problem
        finally:
            self._opening.release()
        return self._channel

    def _returned(self, returned: Any) -> None:
        for flight in self._flights:
            if flight.message_id == returned.properties.message_id:
                flight.is_returned = True

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            await closed(connection)


async def closed(connection: Connection) -> None:
    """Close a connection politely, and wait until it is; a silent broker is not waited for long."""
    if not connection.is_open:
        return
    try:
        closing = connection.close()
        if closing is not None:
            await closing.addTimeout(2, connection._impl._reactor)  # noqa: SLF001 - it is the one it was given
    except CancelledError:
        raise
    except Exception:  # noqa: BLE001 - it is to be gone, however that comes about
        if connection.transport is not None:
            connection.transport.abortConnection()


def _properties(one: Publication) -> pika.BasicProperties:
    return pika.BasicProperties(
        content_type=one.content_type,
        delivery_mode=2,  # persistent
        message_id=one.message_id,
        timestamp=one.timestamp,
        type="mail",
        app_id="mailnode",
        headers=dict(one.headers),
    )
