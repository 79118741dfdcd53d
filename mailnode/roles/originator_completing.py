"""A transaction whose content is made fit to travel on its way in (RFC 6409 section 8).

It stands before the transaction that every message goes through, and only the header section is ever held back: as soon as it is
whole it is completed and written on, and the body behind it flows through untouched, in blocks, however large it is. A header
section beyond ``MAX_HEADER`` is refused.
"""

from collections.abc import Awaitable, Callable, Sequence

from attrs import evolve
from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from mailnode.interfaces import Refused, Transaction
from mailnode.mail.completion import Completion, completed, header_end, section_end
from mailnode.mail.envelope import Recipient
from mailnode.mail.reply import Reply
from mailnode.roles.originator_addresses import qualified
from mailnode.smtp import replies

MAX_HEADER = 256 * 1024
"""Octets of a header section."""

HEADER_TOO_BIG = Reply.of(552, "5.3.4", "The message has too large a header")

Complete = Callable[[bytes], Awaitable[Completion]]
"""Says what the header section at the start of these octets is completed with; raises Refused."""


class CompletingTransaction:
    """Implements interfaces.Transaction around another."""

    log = Logger()

    def __init__(
        self, inner: Transaction, complete: Complete, *, domain: str, count: Callable[[], None] = lambda: None
    ) -> None:
        """``count`` is called for each recipient and may refuse it; ``domain`` is for recipients without one."""
        self._inner = inner
        self._complete = complete
        self._domain = domain
        self._count = count
        self._recipients = 0
        self._head = bytearray()
        self._is_through = False
        self._fault: Reply | None = None

    async def add_recipient(self, recipient: Recipient) -> Reply:
        """Take one more recipient, or raise Refused."""
        self._count()
        path = qualified(recipient.forward_path, self._domain)
        reply = await self._inner.add_recipient(
            recipient if path is recipient.forward_path else evolve(recipient, forward_path=path)
        )
        self._recipients += 1
        return reply

    def write(self, octets: bytes) -> Awaitable[None] | None:
        """Hold the header section back until it is whole; the body goes straight on."""
        if self._is_through:
            return None if self._fault is not None else self._inner.write(octets)
        seen = max(0, len(self._head) - 3)
        self._head += octets
        is_whole = header_end(self._head, seen) >= 0
        return self._pass_on() if is_whole or len(self._head) > MAX_HEADER else None

    async def commit(self) -> Sequence[Reply]:
        """Make the whole durable, then answer."""
        if not self._is_through:
            await self._pass_on()
        if self._fault is not None:
            self.abort()
            return [self._fault] * self._recipients
        return await self._inner.commit()

    def abort(self) -> None:
        """Forget everything."""
        self._head.clear()
        self._is_through = True
        self._inner.abort()

    async def _pass_on(self) -> None:
        """Complete what has come of the message and write it on; trouble is remembered for the final dot."""
        start = bytes(self._head)
        self._head.clear()
        self._is_through = True
        try:
            _check_size(start)
            octets = completed(start, await self._complete(start))
        except Refused as refused:
            self._fault = refused.reply
            return
        except CancelledError:
            raise
        except Exception:  # noqa: BLE001 - a bug of ours must be a 451, never half a message
            self.log.failure("the header section could not be completed")
            self._fault = replies.LOCAL_TROUBLE
            return
        pending = self._inner.write(octets)
        if pending is not None:
            await pending


def _check_size(start: bytes) -> None:
    """Refuse a header section that goes on beyond the limit."""
    if len(start) > MAX_HEADER:
        lines = start[: start.rfind(b"\n", 0, MAX_HEADER) + 1]
        if section_end(lines) == len(lines):
            raise Refused(HEADER_TOO_BIG)
