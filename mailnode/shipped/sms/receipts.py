"""Receipts of parts become one receipt of a message: delivered when every part is, failed as soon as one has.

The receipt of a text of one part goes by the SMSC's message_id as it is. For several parts it is written down which part of
what each message_id was. A receipt may come before that is written: then what it said waits. One thing at a time, so that
neither can miss the other.
"""

import json
from typing import Any

from attrs import Factory, define
from twisted.internet.defer import DeferredLock

from mailnode.gateways.api import Delayed, Delivered, Failed, GatewayNode
from mailnode.shipped.sms.reports import Heard, Report

A_DAY = 86400.0


@define(eq=False)
class PartReceipts:
    """Knows which part belongs to what."""

    node: GatewayNode
    is_hexadecimal: bool = False
    """The SMSC answers message_ids in hexadecimal digits and writes them in decimal ones into its receipts."""
    _one_at_a_time: DeferredLock = Factory(DeferredLock)

    def name(self, message_id: str) -> str:
        """Give what the receipt will call a message, by what its acceptance called it."""
        if self.is_hexadecimal:
            try:
                return str(int(message_id, 16))
            except ValueError:
                return message_id
        return message_id

    async def accepted(self, message_id: str, key: str, number: int, total: int) -> None:
        """Write down that this is part ``number`` of the text called ``key``."""
        await self._one_at_a_time.acquire()
        try:
            name = self.name(message_id)
            await self.node.remember(f"part {name}", json.dumps([key, number, total]))
            early = await self.node.recall(f"early {name}")
            if early:
                await self._part_heard([key, number, total], _heard(json.loads(early)))
        finally:
            self._one_at_a_time.release()

    async def heard(self, report: Report) -> None:
        """Take a receipt; once this returns nothing of it can be lost."""
        if not report.message_id:
            return
        await self._one_at_a_time.acquire()
        try:
            place = await self.node.recall(f"part {report.message_id}")
            if place:
                await self._part_heard(json.loads(place), report.heard)
            elif not await self.node.receipt(report.message_id, report.heard):
                await self.node.remember(f"early {report.message_id}", json.dumps(_item(report.heard)), A_DAY)
        finally:
            self._one_at_a_time.release()

    async def _part_heard(self, place: list[Any], heard: Heard) -> None:
        key, number, total = place
        if total == 1:
            await self.node.receipt(key, heard)
            return
        if not isinstance(heard, Delivered):
            await self.node.receipt(key, _of_part(heard, number, total))
            return
        known = await self.node.recall(f"delivered {key}")
        delivered = sorted({*json.loads(known or "[]"), number})
        await self.node.remember(f"delivered {key}", json.dumps(delivered))
        if len(delivered) == total:
            await self.node.receipt(key, Delivered(f"{heard.text}, all {total} parts"))


def _of_part(heard: Delayed | Failed, number: int, total: int) -> Heard:
    words = f"part {number} of {total}: {heard.text}"
    return Failed(words, heard.status) if isinstance(heard, Failed) else Delayed(words, heard.status)


def _item(heard: Heard) -> list[str]:
    return [type(heard).__name__, heard.text, getattr(heard, "status", "")]


def _heard(item: list[str]) -> Heard:
    kind, text, status = item
    if kind == "Delivered":
        return Delivered(text)
    return Failed(text, status) if kind == "Failed" else Delayed(text, status)
