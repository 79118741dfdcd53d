"""A connection to Redis: commands out, answers in the same order (RESP 2, parsed by hiredis), and what errors mean."""

from collections import deque
from typing import Any

import hiredis
from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import connectProtocol
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from mailnode.gateways.api import Delayed, GatewayNode, Outcome, Seconds, Trouble
from mailnode.shipped.broker import Place, Trust, credentials, endpoint

MOST_ANSWER = 256 * 1024 * 1024
"""Octets of one answer; a server that sends more without an end is cut off."""

_DOWN = Delayed("", "4.3.2", is_unreachable=True)
_BY_WORD = {
    "WRONGPASS": Delayed("", "4.7.8"),
    "NOAUTH": Delayed("", "4.7.8"),
    "NOPERM": Delayed("", "4.7.0"),
    "OOM": Delayed("", "4.3.1"),
    "MISCONF": Delayed("", "4.3.1"),
    "WRONGTYPE": Delayed("", "4.3.5"),
    "LOADING": _DOWN,
    "BUSY": _DOWN,
    "MASTERDOWN": _DOWN,
    "READONLY": _DOWN,
    "TRYAGAIN": _DOWN,
}


class Refusal(Exception):  # noqa: N818 - it is what Redis says
    """An error that Redis answers."""

    @property
    def word(self) -> str:
        """Give the first word, which says of what kind it is."""
        return str(self).partition(" ")[0]


def meaning(refusal: Refusal) -> Outcome:
    """Say what an error of Redis means."""
    known = _BY_WORD.get(refusal.word, Delayed("", "4.3.0"))
    return Delayed(str(refusal), known.status, is_unreachable=known.is_unreachable)


class Connection(Protocol):
    """Speaks RESP."""

    transport: Any

    def __init__(self, timer: Any, patience: float) -> None:
        self._timer, self._patience = timer, patience
        self._reader = hiredis.Reader(replyError=Refusal, protocolError=ConnectionAbortedError)
        self._waiting: deque[Deferred[Any]] = deque()
        self._unread = 0
        self.is_open = False

    def connectionMade(self) -> None:
        """Be ready."""
        self.is_open = True

    async def command(self, *parts: str | bytes | int, patience: float = 0.0) -> Any:
        """Send a command and give its answer: int, bytes, None or a list; raises Refusal, or what the connection dies of.

        An answer that does not come within ``patience`` (0: the usual time) ends the connection.
        """
        if not self.is_open or self.transport is None:
            raise ConnectionDone("the connection to Redis is closed")
        answer: Deferred[Any] = Deferred(lambda _: self._abort())
        self._waiting.append(answer)
        self.transport.write(hiredis.pack_command(parts))  # type: ignore[arg-type]  # its stub: tuples of one
        answer.addTimeout(patience or self._patience, self._timer)
        said = await answer
        if isinstance(said, Refusal):
            raise said
        return said

    def dataReceived(self, data: bytes) -> None:
        """Hand each answer to whoever waits for it."""
        self._unread += len(data)
        self._reader.feed(data)
        try:
            while self._waiting and (answer := self._reader.gets()) is not False:
                self._unread = self._reader.len()
                waiting = self._waiting.popleft()
                if not waiting.called:
                    waiting.callback(answer)
        except ConnectionAbortedError:
            self._abort()
        if self._unread > MOST_ANSWER or (not self._waiting and self._reader.has_data()):
            self._abort()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell those who wait."""
        self.is_open = False
        waiting, self._waiting = self._waiting, deque()
        for one in waiting:
            if not one.called:
                one.errback(Failure(ConnectionError(f"Redis went away: {reason.getErrorMessage()}")))

    def _abort(self) -> None:
        self.is_open = False
        if self.transport is not None:
            self.transport.abortConnection()

    def close(self) -> None:
        """Close the connection."""
        self.is_open = False
        if self.transport is not None:
            self.transport.loseConnection()


@frozen
class Server:
    """Where to connect and as whom."""

    node: GatewayNode
    place: Place
    trust: Trust
    credentials: str
    patience: Seconds

    async def connect(self) -> Connection:
        """Open a connection that is authenticated and looks at its database; raises as ``Connection.command``, or Trouble."""
        secret = await credentials(self.node, self.credentials) if self.credentials else None
        where = await endpoint(self.node, self.place, self.trust)
        connection: Connection = await connectProtocol(where, Connection(self.node.reactor, self.patience))
        try:
            # Without AUTH, PING is what tells that one is wanted: a longer command would only be called a protocol error.
            await connection.command(*(("AUTH", *filter(None, secret)) if secret is not None else ("PING",)))
            if self.place.host and self.place.path not in ("", "0"):
                await connection.command("SELECT", self.place.path)
        except Refusal as refusal:
            connection.close()
            raise Trouble(meaning(refusal)) from refusal
        except (CancelledError, Exception):
            connection.close()
            raise
        return connection
