"""Text messages in: each becomes mail, once, and is answered when that mail is durable.

SMPP 3.4 gives a message that comes in no name. So what a broken bind makes the SMSC send again is known by its numbers,
octets and references, when it comes by another bind within ``redelivery``. Somebody who writes the same twice within one
bind is heard twice.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence

from attrs import Factory, define, field
from twisted.internet.defer import DeferredLock

from mailnode.gateways.api import Attachment, Draft, GatewayNode, Mailbox, OutgoingMessage, Refused
from mailnode.shipped.sms.alphabet import decode
from mailnode.shipped.sms.assembly import Assembly, Text
from mailnode.shipped.sms.receipts import PartReceipts
from mailnode.shipped.sms.reports import is_report, report_of
from mailnode.shipped.sms.segments import segment_of
from mailnode.shipped.sms.session import Arrival
from mailnode.shipped.sms.statuses import Status

Parts = Sequence[tuple[int, bytes] | None]


@define(eq=False)
class Inbox:
    """Takes what comes."""

    node: GatewayNode
    receipts: PartReceipts
    assembly: Assembly
    to: str
    numbers: Mapping[str, str]
    """Our numbers' digits, and whose mail each is."""
    answers: bool
    redelivery: float
    default: str
    """What the SMSC means by data_coding 0."""
    is_closed: bool = field(default=False, init=False)
    _one_at_a_time: DeferredLock = Factory(DeferredLock)

    async def take(self, arrival: Arrival) -> int:
        """Take a deliver_sm; gives the command_status to answer."""
        if self.is_closed:
            return Status.RX_T_APPN
        message = arrival.message
        if is_report(message):
            report = report_of(message)
            if report is not None:
                await self.receipts.heard(report)
            return Status.ROK
        segment = segment_of(message)
        if segment.total == 1:
            key = await self._key(arrival)
            return await self._submit(
                message.source.digits, message.destination.digits, [(message.data_coding, segment.octets)], key
            )
        await self._one_at_a_time.acquire()
        try:
            ready = await self.assembly.add(message, segment)
            return max([await self._text(one) for one in ready], default=int(Status.ROK))
        finally:
            self._one_at_a_time.release()

    async def look(self) -> None:
        """Let go of texts whose missing parts do not come."""
        await self._one_at_a_time.acquire()
        try:
            for one in await self.assembly.overdue():
                await self._text(one)
        finally:
            self._one_at_a_time.release()

    async def _text(self, text: Text) -> int:
        status = await self._submit(text.source, text.destination, text.octets(), text.key)
        if status != Status.RX_T_APPN:
            await self.assembly.done(text)
        return status

    async def _key(self, arrival: Arrival) -> str:
        """Give the key of a message: that of the first time when a later bind brings it again."""
        message = arrival.message
        own = f"{arrival.bind} {arrival.sequence}"
        if not self.redelivery:
            return own
        told = [
            message.source.digits, message.destination.digits, message.data_coding, message.esm_class,
            message.message.hex(), sorted((tag, value.hex()) for tag, value in message.tlvs.items()),
        ]  # fmt: skip
        name = "came " + hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]
        known = await self.node.recall(name)
        bind, key = json.loads(known) if known else ("", "")
        if not bind or bind == arrival.bind:
            key = own
        await self.node.remember(name, json.dumps([arrival.bind, key]), self.redelivery)
        return str(key)

    # --- into the mail world

    async def _submit(self, source: str, destination: str, parts: Parts, key: str) -> int:
        number = source.removeprefix("+") or "unknown"
        text, files = _content(parts, self.default)
        for to, thread in await self._readers(number, destination.removeprefix("+")):
            draft = Draft(
                str(self.node.reply_address(number)), [to], text, files=files, in_reply_to=thread[0],
                subject=f"Re: {thread[1].removeprefix('Re: ')}" if thread[1] else f"Text message from {number}",
            )  # fmt: skip
            try:
                await self.node.submit(draft, protocol="SMPP", key=key)
            except Refused as refused:
                self.node.log.info(
                    "{source} to {to} was not taken: {reply}", source=number, to=to, reply=str(refused.reply)
                )
                if refused.reply.is_transient:
                    return Status.RX_T_APPN
            else:
                return Status.ROK
        return Status.RX_R_APPN

    async def _readers(self, number: str, destination: str) -> list[tuple[str, tuple[str, str]]]:
        """Give who may be meant, the best first: an address, and the thread it belongs to."""
        found = []
        known = await self.node.recall(f"talk {number}") if self.answers else ""
        if known:
            sender, message_id, subject = json.loads(known)
            found.append((sender, (message_id, subject)))
        usual = self.numbers.get(destination, self.to)
        if usual:
            found.append((usual, ("", "")))
        return found

    async def note_talk(self, number: str, sender: Mailbox, message: OutgoingMessage) -> None:
        """Remember who has written to a number, so that the answer finds the way."""
        if self.answers:
            await self.node.remember(
                f"talk {number}", json.dumps([str(sender), message.message_id, message.subject[:200]])
            )


def _content(parts: Parts, default: str) -> tuple[str, list[Attachment]]:
    """Give the text, with a mark for each part that is missing, and a file of what is no text."""
    pieces: list[str] = []
    binary = b""
    for coding, octets in _joined(parts):
        if coding is None:
            pieces.append(f"[part {int.from_bytes(octets, 'big')} of {len(parts)} is missing]")
            continue
        text = decode(octets, coding, default)
        if text is None:
            binary += octets
        else:
            pieces.append(text)
    files = [Attachment("message.bin", "application/octet-stream", binary)] if binary else []
    return "".join(pieces), files


def _joined(parts: Parts) -> list[tuple[int | None, bytes]]:
    """Join neighbours of one data_coding before they are read: a character may have been torn between two."""
    joined: list[tuple[int | None, bytes]] = []
    for number, part in enumerate(parts, 1):
        if part is None:
            joined.append((None, number.to_bytes(2, "big")))
        elif joined and joined[-1][0] == part[0]:
            joined[-1] = (part[0], joined[-1][1] + part[1])
        else:
            joined.append(part)
    return joined
