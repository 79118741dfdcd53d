"""Adding entries, each key once: the entry and the memory of its key are written in one step, by a script that Redis runs."""

from attrs import Factory, define
from twisted.internet.defer import DeferredSemaphore

from mailnode.gateways.api import Trouble
from mailnode.shipped.redis.connecting import Connection, Refusal, Server, meaning
from mailnode.shipped.redis.entry import Entry

REMEMBERED = "mailnode:sent:"
"""What stands before a key in Redis."""

SCRIPT = """
local known = redis.call('GET', KEYS[2])
if known then return known end
local id
if ARGV[2] == '0' then
  id = redis.call('XADD', KEYS[1], '*', unpack(ARGV, 3))
else
  id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', unpack(ARGV, 3))
end
redis.call('SET', KEYS[2], id, 'EX', ARGV[1])
return id
"""


@define(eq=False)
class StreamAdder:
    """Adds over one connection, which is opened when it is needed."""

    server: Server
    most: int
    once: int
    """Seconds for which a key is remembered; 0: not at all."""
    _connection: Connection | None = None
    _opening: DeferredSemaphore = Factory(lambda: DeferredSemaphore(1))

    async def add(self, entry: Entry) -> str:
        """Add an entry, unless its key is remembered; gives the id of the entry."""
        connection = await self._opened()
        pairs = [part for pair in entry.fields.items() for part in pair]
        try:
            if self.once:
                key = REMEMBERED + entry.key
                added = await connection.command("EVAL", SCRIPT, 2, entry.stream, key, self.once, self.most, *pairs)
            else:
                limit = ("MAXLEN", "~", self.most) if self.most else ()
                added = await connection.command("XADD", entry.stream, *limit, "*", *pairs)
        except Refusal as refusal:
            raise Trouble(meaning(refusal)) from refusal
        return str(added.decode() if isinstance(added, bytes) else added)

    async def _opened(self) -> Connection:
        await self._opening.acquire()
        try:
            if self._connection is None or not self._connection.is_open:
                self._connection = await self.server.connect()
            return self._connection
        finally:
            self._opening.release()

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
