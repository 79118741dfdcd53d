"""Consuming a queue: each message is acknowledged when the node has it, rejected when it never will, else returned later.

What waits for its return keeps its place among the ``prefetch`` messages, so a node that takes nothing is sent nothing
more. A connection that broke is opened again after a pause; what was not acknowledged comes again and is known by its key.
"""

from typing import Any

from pika import exceptions
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

from mailnode.gateways.api import Trouble
from mailnode.shipped.amqp.connecting import Broker, Connection, meaning
from mailnode.shipped.amqp.publishing import closed
from mailnode.shipped.broker import LONGEST_PAUSE, Pause
from mailnode.shipped.intake import Bad, Intake, Item, Later

STOPPING = 5.0
"""Seconds that messages under way are given when the node stops."""
MOST_HEADERS = 64
"""Header fields of a message that are looked at."""


class Consumer(Service):
    """The service that brings in what a queue holds."""

    def __init__(self, broker: Broker, intake: Intake, queue: str, prefetch: int) -> None:
        self.broker, self.intake, self.queue, self.prefetch = broker, intake, queue, prefetch
        self.node = broker.node
        self._lost = Pause(self.node.random)
        self._refused = Pause(self.node.random)
        self._running: Deferred[None] | None = None
        self._under_way: set[Deferred[None]] = set()
        self._idle: Deferred[None] | None = None
        self._connection: Connection | None = None

    def startService(self) -> None:
        """Begin."""
        super().startService()
        self._running = Deferred.fromCoroutine(self._run())
        self._running.addErrback(self._failed)

    def stopService(self) -> Deferred[None]:
        """Take nothing more, let what is under way end, and close the connection."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
        if self._under_way:
            self._idle = Deferred()
            limit = self.node.clock.callLater(STOPPING, self._cancel)
            await self._idle
            if limit.active():
                limit.cancel()
        connection, self._connection = self._connection, None
        if connection is not None:
            await closed(connection)

    def _cancel(self) -> None:
        for task in list(self._under_way):
            task.cancel()

    def _failed(self, failure: Any) -> None:
        if not failure.check(CancelledError):
            self.node.log.failure("gateway {gateway} consumes no more", failure, gateway=self.node.name)

    async def _run(self) -> None:
        """Consume, over one connection after the other."""
        while True:
            try:
                await self._consume()
            except CancelledError:
                raise
            except Exception as problem:  # noqa: BLE001 - whatever ends a connection, there will be another
                why = _reason(problem)
                wait = self._lost.next()
                self.node.log.warn(  # noqa: G010 - the method of twisted.logger
                    "gateway {gateway}: nothing comes from {queue} for {wait:.0f} s: {reason}", event="trouble",
                    gateway=self.node.name, queue=self.queue, wait=wait, reason=why,
                )  # fmt: skip
                await deferLater(self.node.clock, wait)

    async def _consume(self) -> None:
        """Consume until the connection ends, which raises."""
        connection = await self.broker.connect()
        self._connection = connection
        try:
            channel = await connection.channel()
            await channel.basic_qos(prefetch_count=self.prefetch)
            arriving, _ = await channel.basic_consume(self.queue)
            self._lost.over()
            self.node.log.info(
                "gateway {gateway} consumes {queue}", event="ready", gateway=self.node.name, queue=self.queue
            )
            while True:
                self._begin(await arriving.get())
        except CancelledError:
            raise  # the connection is closed once what is under way has been acknowledged
        except Exception:
            await closed(connection)
            raise

    def _begin(self, arrived: Any) -> None:
        task = Deferred.fromCoroutine(self._take(arrived))
        self._under_way.add(task)
        task.addErrback(self._failed)
        task.addBoth(self._ended, task)

    def _ended(self, _: object, task: Deferred[None]) -> None:
        self._under_way.discard(task)
        idle = self._idle
        if idle is not None and not self._under_way:
            self._idle = None
            idle.callback(None)

    async def _take(self, arrived: Any) -> None:
        """Submit one message and tell the broker what came of it."""
        verdict = await self.intake.take(_item(arrived))
        tag = arrived.method.delivery_tag
        try:
            match verdict:
                case Later():
                    await deferLater(self.node.clock, min(self._refused.next(), LONGEST_PAUSE))
                    arrived.channel.basic_nack(tag, requeue=True)
                case Bad():
                    arrived.channel.basic_reject(tag, requeue=False)
                case _:
                    self._refused.over()
                    arrived.channel.basic_ack(tag)
        except exceptions.AMQPError:
            pass  # the connection is gone: it will come again, and its key is known


def _item(arrived: Any) -> Item:
    properties = arrived.properties
    headers = list((properties.headers or {}).items())[:MOST_HEADERS]
    return Item(
        body=arrived.body,
        key=str(properties.message_id or ""),
        content_type=str(properties.content_type or ""),
        headers={str(name).lower(): _text(value) for name, value in headers},
    )


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _reason(problem: Exception) -> str:
    if isinstance(problem, Trouble):
        return problem.outcome.text
    if isinstance(problem, exceptions.AMQPError):
        return meaning(problem).text
    return str(problem) or type(problem).__name__
