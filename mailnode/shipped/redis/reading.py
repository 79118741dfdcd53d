"""Reading a stream as a member of its group: an entry is acknowledged when the node has it, and pending until then.

One round after another: what others left is claimed, what is pending with us is tried again when its pause is over, and then new
entries are awaited, as many as there is room for. After a restart or a broken connection all that is pending is tried at once.
"""

import json
from typing import Any

from attrs import frozen
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import deferLater

from mailnode.gateways.api import Trouble
from mailnode.shipped.broker import Pause
from mailnode.shipped.intake import Bad, Intake, Item, Later
from mailnode.shipped.redis.connecting import Connection, Refusal, Server

BLOCK = 5.0
"""Seconds that Redis waits for new entries before it says that there are none."""
_OWN = ("from", "to", "subject", "text", "html", "in_reply_to")
"""Fields of an entry that is itself the message."""

MOST_FIELDS = 1000
"""Fields of an entry that are kept when it is put aside."""
BURY = """
redis.call('XADD', KEYS[2], '*', unpack(ARGV, 3))
return redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
"""


@frozen
class Membership:
    """Of which group of which stream we are which member."""

    stream: str
    group: str
    consumer: str
    dead: str
    prefetch: int
    idle: int
    """Milliseconds."""


class GroupReader(Service):
    """The service that brings in what a stream holds."""

    def __init__(self, server: Server, intake: Intake, membership: Membership) -> None:
        self.server, self.intake, self.membership = server, intake, membership
        self.node = server.node
        self._lost = Pause(self.node.random)
        self._refused = Pause(self.node.random)
        self._running: Deferred[None] | None = None
        self._connection: Connection | None = None

    def startService(self) -> None:
        """Begin."""
        super().startService()
        self._running = Deferred.fromCoroutine(self._run())
        self._running.addErrback(self._failed)

    def stopService(self) -> None:
        """End; what was read and not acknowledged stays pending and is known by its key."""
        super().stopService()
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _failed(self, failure: Any) -> None:
        if not failure.check(CancelledError):
            self.node.log.failure("gateway {gateway} reads no more", failure, gateway=self.node.name)

    async def _run(self) -> None:
        """Read, over one connection after the other."""
        while True:
            try:
                await self._read()
            except CancelledError:
                raise
            except Exception as problem:  # noqa: BLE001 - whatever ends a connection, there will be another
                why = problem.outcome.text if isinstance(problem, Trouble) else str(problem) or type(problem).__name__
                wait = self._lost.next()
                self.node.log.warn(  # noqa: G010 - the method of twisted.logger
                    "gateway {gateway}: nothing comes from {stream} for {wait:.0f} s: {reason}", event="trouble",
                    gateway=self.node.name, stream=self.membership.stream, wait=wait, reason=why,
                )  # fmt: skip
                await deferLater(self.node.clock, wait)

    async def _read(self) -> None:
        """Read until the connection ends, which raises."""
        connection = await self.server.connect()
        self._connection = connection
        try:
            await self._join(connection)
            self._lost.over()
            late, retry_at, claim_at = self.membership.prefetch, 0.0, 0.0
            while True:
                now = self.node.clock.seconds()
                if now >= claim_at:
                    claim_at = now + self.membership.idle / 2000
                    late += await self._claim(connection)
                if late and now >= retry_at:
                    late = await self._pending(connection)
                    retry_at = now + self._refused.next() if late else 0.0
                late += await self._new(connection, late)
                if late and not retry_at:
                    retry_at = self.node.clock.seconds() + self._refused.next()
        finally:
            connection.close()

    async def _join(self, connection: Connection) -> None:
        one = self.membership
        try:
            await connection.command("XGROUP", "CREATE", one.stream, one.group, "0", "MKSTREAM")
        except Refusal as refusal:
            if refusal.word != "BUSYGROUP":
                raise
        self.node.log.info("gateway {gateway} reads {stream}", event="ready", gateway=self.node.name, stream=one.stream)

    async def _claim(self, connection: Connection) -> int:
        """Take over what others left; it is then pending with us."""
        one = self.membership
        said = await connection.command(
            "XAUTOCLAIM", one.stream, one.group, one.consumer, one.idle, "0", "COUNT", one.prefetch, "JUSTID"
        )
        return len(said[1])

    async def _pending(self, connection: Connection) -> int:
        """Try all that is pending with us again; gives how many are still."""
        late, after = 0, b"0"
        while entries := await self._entries(connection, after, self.membership.prefetch):
            late += await self._take_all(connection, entries)
            after = entries[-1][0]
        if not late:
            self._refused.over()
        return late

    async def _new(self, connection: Connection, late: int) -> int:
        """Await new entries, if there is room; gives how many of them are to be tried again."""
        room = self.membership.prefetch - late
        if room <= 0:
            await deferLater(self.node.clock, 1.0)
            return 0
        wait = 1.0 if late else BLOCK
        return await self._take_all(connection, await self._entries(connection, b">", room, wait))

    async def _entries(self, connection: Connection, after: bytes, count: int, wait: float = 0.0) -> list[Any]:
        one = self.membership
        block = ("BLOCK", int(wait * 1000)) if wait else ()
        said = await connection.command(
            "XREADGROUP", "GROUP", one.group, one.consumer, "COUNT", count, *block, "STREAMS", one.stream, after,
            patience=self.server.patience + wait,
        )  # fmt: skip
        return said[0][1] if said else []

    async def _take_all(self, connection: Connection, entries: list[Any]) -> int:
        """Submit entries side by side; gives how many are to be tried again."""
        taking = [Deferred.fromCoroutine(self._take(connection, *entry)) for entry in entries]
        try:
            return sum(await gatherResults(taking, consumeErrors=True)) if taking else 0
        except Exception as error:
            for one in taking:
                one.cancel()
            first = getattr(error, "subFailure", None)  # gatherResults wraps what happened
            if first is not None:
                first.raiseException()
            raise

    async def _take(self, connection: Connection, entry: bytes, parts: list[bytes] | None) -> int:
        """Submit one entry and acknowledge it; gives 1 when it is to be tried again."""
        one = self.membership
        verdict = await self.intake.take(_item(one.stream, entry, parts)) if parts is not None else None
        if isinstance(verdict, Later):
            return 1
        if isinstance(verdict, Bad):
            told = [*(parts or ())[: 2 * MOST_FIELDS], "x-mailnode-reason", verdict.why]
            await connection.command("EVAL", BURY, 2, one.stream, one.dead, one.group, entry, *told)
            return 0
        await connection.command("XACK", one.stream, one.group, entry)
        return 0


def _item(stream: str, entry: bytes, parts: list[bytes]) -> Item:
    """Read an entry; its own id is its key, if it has no other."""
    pairs = zip(parts[::2], parts[1::2], strict=False)
    fields = {name.decode("utf-8", "replace").lower(): value for name, value in pairs}
    texts = {name: value.decode("utf-8", "replace") for name, value in fields.items() if name != "body"}
    body, kind = fields.get("body"), texts.get("content_type", "")
    if body is None:
        body, kind = json.dumps({name: texts[name] for name in _OWN if name in texts}).encode(), "application/json"
    return Item(body, texts.get("message_id") or f"{stream} {entry.decode()}", kind, texts)
