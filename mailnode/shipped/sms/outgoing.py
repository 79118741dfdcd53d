"""Mail out: one recipient's text, part by part, in such a way that no part that was accepted is sent again.

What the SMSC has accepted is written down before the next part goes. A part on its way is seen to its end and written down
even when the attempt is cancelled meanwhile; so the next attempt knows of it.
"""

import json
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar
from zlib import crc32

from attrs import define
from twisted.internet.defer import CancelledError, Deferred

from mailnode.gateways.api import Delayed, Failed, GatewayNode, Outcome, OutgoingRecipient, Relayed, Trouble
from mailnode.shipped.sms.link import Link
from mailnode.shipped.sms.pdu import Number, Tag, TextMessage
from mailnode.shipped.sms.receipts import PartReceipts
from mailnode.shipped.sms.segments import Carried
from mailnode.shipped.sms.session import Refusal
from mailnode.shipped.sms.statuses import outcome_of

T = TypeVar("T")

A_WEEK = 7 * 86400.0


@define(eq=False)
class Sender:
    """Sends parts and remembers which were accepted."""

    node: GatewayNode
    link: Link
    receipts: PartReceipts
    source: Number
    wants_receipts: bool
    statuses: Mapping[int, str]

    async def send(self, parts: list[Carried], number: Number, one: OutgoingRecipient) -> Outcome:
        """Send what was not accepted before; Relayed when all is."""
        ids = await self._accepted(one.key, len(parts))
        for place in range(len(ids), len(parts)):
            try:
                ids.append(await self._one_part(parts, place, number, one, list(ids)))
            except CancelledError:
                raise
            except Trouble as trouble:
                return _at_part(trouble.outcome, place, len(parts))
            except Refusal as refusal:
                return _at_part(self._meaning(refusal), place, len(parts))
            except ConnectionError as problem:
                return _at_part(Delayed(str(problem), "4.4.2", 5.0, is_unreachable=True), place, len(parts))
        count = "" if len(parts) == 1 else f" in {len(parts)} parts"
        return Relayed(f"accepted as {ids[0] or 'a message without a name'}{count}", self._receipt_id(ids, one.key))

    def _receipt_id(self, ids: list[str], key: str) -> str:
        if not self.wants_receipts or not all(ids):
            return ""
        return self.receipts.name(ids[0]) if len(ids) == 1 else key

    def _meaning(self, refusal: Refusal) -> Delayed | Failed:
        outcome = outcome_of(refusal.status, self.statuses)
        wait = self.link.delay_of(refusal)
        if isinstance(outcome, Delayed) and wait is not None:
            return Delayed(outcome.text, outcome.status, wait, outcome.is_unreachable)
        return outcome

    async def _accepted(self, key: str, total: int) -> list[str]:
        """Give the message_ids of the parts that are through; none when the text is cut otherwise now."""
        known = json.loads(await self.node.recall(f"sent {key}") or "[0]")
        return list(known[1:]) if known[0] == total else []

    async def _one_part(
        self, parts: list[Carried], place: int, number: Number, one: OutgoingRecipient, before: list[str]
    ) -> str:
        await self.link.turn()
        message = self._message(parts[place], number, one.key)
        return await to_end(self._handed_over(message, place + 1, len(parts), one.key, before))

    async def _handed_over(self, message: TextMessage, number: int, total: int, key: str, before: list[str]) -> str:
        try:
            name = await self.link.submit(message)
        finally:
            self.link.done()
        await self.node.remember(f"sent {key}", json.dumps([total, *before, name]), A_WEEK)
        if name and total > 1 and self.wants_receipts:
            await self.receipts.accepted(name, key, number, total)
        return name

    def _message(self, part: Carried, number: Number, key: str) -> TextMessage:
        reference = (crc32(key.encode()) & 0xFFFF).to_bytes(2, "big")
        return TextMessage(
            self.source, number, part.message, part.data_coding, part.esm_class, int(self.wants_receipts),
            tlvs={**part.tlvs, **({} if part.tlvs else {Tag.USER_MESSAGE_REFERENCE: reference})},
        )  # fmt: skip


def _at_part(outcome: Outcome, place: int, total: int) -> Outcome:
    words = outcome.text if total == 1 else f"part {place + 1} of {total}: {outcome.text}"
    match outcome:
        case Delayed():
            return Delayed(words, outcome.status, outcome.retry_after, outcome.is_unreachable)
        case Failed():
            return Failed(words, outcome.status)
        case _:
            return outcome


async def to_end(coroutine: Coroutine[Any, Any, T]) -> T:
    """Wait for a coroutine that runs on to its end when the waiting is cancelled."""
    done: Deferred[T] = Deferred()

    def pass_on(result: Any) -> None:
        if not done.called:
            done.callback(result)

    Deferred.fromCoroutine(coroutine).addBoth(pass_on)
    return await done
