"""A connection to the broker by pika's adapter for Twisted, and what its errors mean.

pika logs bodies of messages at some places, so its own log is silenced: what matters is logged here, without them.
"""

import logging
from typing import Any

import pika
from attrs import frozen
from pika import exceptions
from pika.adapters.twisted_connection import TwistedProtocolConnection
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import connectProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from mailnode.gateways.api import Delayed, Failed, GatewayNode, Outcome, Seconds, Trouble
from mailnode.shipped.broker import CONNECT_TIME, Place, Trust, credentials, endpoint

logging.getLogger("pika").setLevel(logging.CRITICAL + 1)

_REFUSED = (
    exceptions.ProbableAuthenticationError,
    exceptions.ProbableAccessDeniedError,
    exceptions.AuthenticationError,
)
_BY_CODE = {
    403: Delayed("", "4.7.0"),
    404: Delayed("", "4.3.5"),
    405: Delayed("", "4.3.5"),
}
"""What it means that the broker closes a channel or connection with a code (AMQP 0-9-1 section 1.8)."""
TOO_LARGE = 406
"""PRECONDITION_FAILED: of a channel that only publishes, a message larger than the broker takes."""


class Connection(TwistedProtocolConnection):
    """Keeps why a connection ended or did not come about, which the class above it forgets."""

    ready: Deferred[Any] | None

    def _on_connection_failed(self, _: Any, problem: Exception | None = None) -> None:
        waiting, self.ready = self.ready, None
        if waiting is not None:
            waiting.errback(problem or exceptions.AMQPConnectionError("the broker closed the connection"))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Let what the broker has said before stand, or say that the stream was lost: from that pika knows more."""
        said = self._impl._error  # noqa: SLF001 - there is no other way to it
        super().connectionLost(Failure(said or exceptions.StreamLostError(str(reason.value))))


@frozen
class Broker:
    """Where to connect and as whom."""

    node: GatewayNode
    place: Place
    trust: Trust
    credentials: str
    heartbeat: Seconds

    async def connect(self) -> Connection:
        """Open a connection; raises Trouble, or what the general table of troubles knows."""
        user, password = await credentials(self.node, self.credentials) if self.credentials else ("guest", "guest")
        parameters = pika.ConnectionParameters(
            host=self.place.host or "localhost",
            virtual_host=self.place.path or "/",
            credentials=pika.PlainCredentials(user, password, erase_on_connect=True),
            heartbeat=max(1, int(self.heartbeat)),
            client_properties={"connection_name": f"mailnode {self.node.hostname} {self.node.name}"},
        )
        where = await endpoint(self.node, self.place, self.trust)
        connection: Connection = await connectProtocol(where, Connection(parameters, self.node.reactor))
        try:
            if connection.ready is not None:
                await connection.ready.addTimeout(CONNECT_TIME, self.node.reactor)
        except exceptions.AMQPError as problem:
            raise Trouble(meaning(problem)) from problem
        finally:
            if not connection.is_open and connection.transport is not None:
                connection.transport.abortConnection()
        return connection


def meaning(problem: Exception, *, is_alone: bool = False) -> Outcome:
    """Say what an error of pika means; ``is_alone``: only one message can be the reason."""
    said = " ".join(map(str, problem.args)) or type(problem).__name__
    if isinstance(problem, _REFUSED):
        return Delayed("the broker does not let us in: credentials or virtual host are wrong", "4.7.8")
    if isinstance(problem, exceptions.NackError):
        return Delayed("the broker does not take it: a queue is full, or fails", "4.3.1")
    if isinstance(problem, exceptions.ChannelClosedByBroker | exceptions.ConnectionClosedByBroker):
        said = f"{problem.reply_code} {problem.reply_text}"
        if problem.reply_code == TOO_LARGE and isinstance(problem, exceptions.ChannelClosedByBroker):
            return Failed(said, "5.3.4") if is_alone else Delayed(said, "4.3.4")
        known = _BY_CODE.get(problem.reply_code, Delayed("", "4.4.2", is_unreachable=True))
        return Delayed(said, known.status, is_unreachable=known.is_unreachable)
    return Delayed(said, "4.4.2", is_unreachable=True)
