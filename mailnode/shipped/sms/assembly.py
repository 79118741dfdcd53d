"""Parts that come in are kept until all are here. They are durable before they are answered, and bounded in number and time.

A part that comes again changes nothing. Telephones count their texts with one octet, so the same count may mean another
text later: a part that differs from the one that is here begins a new text, and what was there goes on its way as it is.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from attrs import define, field

from mailnode.gateways.api import GatewayNode
from mailnode.shipped.sms.pdu import TextMessage
from mailnode.shipped.sms.segments import Segment

MOST_OPEN = 200
"""Texts of which parts are missing; with more the oldest goes on its way as it is."""
_INDEX = "open texts"
_KEEP = 7 * 86400.0


@define(eq=False)
class Text:
    """A text of several parts, as far as it is here."""

    name: str
    first: float
    """When its first part came, seconds since the epoch."""
    source: str
    destination: str
    total: int
    parts: dict[str, tuple[int, str]]
    """By number: data_coding, and octets in hexadecimal digits."""
    is_done: bool = False

    @property
    def is_complete(self) -> bool:
        """Tell whether all parts are here."""
        return len(self.parts) == self.total

    @property
    def key(self) -> str:
        """Give a name for this very text, whichever of its parts comes again."""
        return f"{self.name} {self.first}"

    def octets(self) -> list[tuple[int, bytes] | None]:
        """Give the parts in order; None for one that is missing."""
        found = (self.parts.get(str(number)) for number in range(1, self.total + 1))
        return [None if one is None else (one[0], bytes.fromhex(one[1])) for one in found]


def name_of(message: TextMessage, segment: Segment) -> str:
    """Give what all parts of a text have in common."""
    common = [message.source.digits, message.destination.digits, segment.reference, segment.total]
    return hashlib.sha256(json.dumps(common).encode()).hexdigest()[:32]


@define(eq=False)
class Assembly:
    """The texts that are not complete; one call at a time, which the caller sees to."""

    node: GatewayNode
    wait: float
    """Seconds for which missing parts are waited for."""
    done_for: float
    """Seconds for which the parts of a complete text are known again."""
    _open: dict[str, float] | None = field(default=None, init=False)
    """Names, and until when each waits; the oldest first."""

    async def add(self, message: TextMessage, segment: Segment) -> list[Text]:
        """Keep a part durably; gives the texts that are to go on their way now, which ``done`` ends."""
        name, number = name_of(message, segment), str(segment.number)
        part = (message.data_coding, segment.octets.hex())
        text = await self._recalled(name)
        ready: list[Text] = []
        if text is not None and text.parts.get(number, part) != part:
            if not text.is_done:
                ready.append(text)
            text = None
        if text is None or (text.is_done and number not in text.parts):
            text = Text(name, self.node.clock.seconds(), message.source.digits, message.destination.digits,
                        segment.total, {})  # fmt: skip
        if text.is_done:
            return ready
        text.parts[number] = part
        await self._keep(text, _KEEP)
        if text.is_complete:
            ready.append(text)
        ready += await self._opened(text)
        return ready

    async def overdue(self) -> list[Text]:
        """Give the texts that have waited too long."""
        index, now = await self._index(), self.node.clock.seconds()
        found = [await self._recalled(name) for name, until in index.items() if until <= now]
        return [one for one in found if one is not None]

    async def done(self, text: Text) -> None:
        """Note that a text is on its way."""
        kept = await self._recalled(text.name)
        if kept is None or kept.first == text.first:  # else it was replaced by another text of that name
            text.is_done = True
            await self._keep(text, self.done_for)
            index = await self._index()
            index.pop(text.name, None)
            await self._keep_index()

    async def _opened(self, text: Text) -> list[Text]:
        index = await self._index()
        if text.name not in index:
            index[text.name] = text.first + self.wait
            await self._keep_index()
        if len(index) <= MOST_OPEN:
            return []
        oldest = await self._recalled(next(iter(index)))
        return [oldest] if oldest is not None and oldest.name != text.name else []

    async def _index(self) -> dict[str, float]:
        if self._open is None:
            self._open = json.loads(await self.node.recall(_INDEX) or "{}")
        return self._open

    async def _keep_index(self) -> None:
        await self.node.remember(_INDEX, json.dumps(self._open), _KEEP)

    async def _recalled(self, name: str) -> Text | None:
        known = await self.node.recall(f"text {name}")
        return _read(name, json.loads(known)) if known else None

    async def _keep(self, text: Text, keep: float) -> None:
        told = [text.first, text.source, text.destination, text.total, text.parts, text.is_done]
        await self.node.remember(f"text {text.name}", json.dumps(told), max(keep, 1.0))


def _read(name: str, told: list[Any]) -> Text:
    first, source, destination, total, parts, is_done = told
    read: Mapping[str, list[Any]] = parts
    return Text(
        name, first, source, destination, total, {number: (one[0], one[1]) for number, one in read.items()}, is_done
    )
