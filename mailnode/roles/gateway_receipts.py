"""Receipts: what was handed on and is confirmed later, and the report that the sender gets then (RFC 3464, RFC 3461).

A receipt that is awaited lies in the ledger before the queue forgets the message, so it survives a restart. When it comes,
or when silence has lasted too long, the report is put into the queue first and the receipt forgotten after: a crash
between the two tells the sender twice, never not at all.
"""

import sqlite3
from collections.abc import Mapping
from typing import Any
from weakref import WeakValueDictionary

from attrs import define, evolve, field
from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from mailnode.gateways import outcomes as said
from mailnode.gateways.ledger import Awaited, Ledger
from mailnode.gateways.message import OutgoingMessage
from mailnode.interfaces import Queue
from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.content import Content
from mailnode.mail.envelope import Envelope, Notify, Recipient, Return
from mailnode.mail.message import Message
from mailnode.mail.quantity import render_seconds
from mailnode.mail.report import Action, Kind, Reported
from mailnode.roles.relay import RelayRole

log = Logger()

FORGOTTEN = 90 * 86400.0
"""Seconds after which a receipt that may come late is not awaited any longer."""
MOST_HEADER = 32_768
"""Octets of a header that are kept for the report."""

Receipt = said.Delivered | said.Delayed | said.Failed

_KINDS: Mapping[type[Receipt], tuple[Kind, Action]] = {
    said.Delivered: (Kind.SUCCESS, Action.DELIVERED),
    said.Delayed: (Kind.DELAY, Action.DELAYED),
    said.Failed: (Kind.FAILURE, Action.FAILED),
}


@define
class Receipts:
    """Awaits receipts for all gateways."""

    ledger: Ledger
    relay: RelayRole
    queue: Queue
    clock: IReactorTime
    _turns: WeakValueDictionary[tuple[str, str], DeferredLock] = field(factory=WeakValueDictionary, init=False)
    """One report at a time for each receipt id: what the other side says twice is told once."""

    async def expect(
        self, gateway: str, message: OutgoingMessage, awaited: Mapping[Recipient, said.Relayed], silence: float
    ) -> bool:
        """Write down what is awaited; False when nobody would hear of it, or when it could not be written."""
        if not awaited or message.sender == NULL:
            return False
        now = self.clock.seconds()
        due = now + (silence or FORGOTTEN)
        rows = [
            Awaited(
                gateway,
                one.receipt_id,
                str(recipient.forward_path),
                due,
                _about(message, recipient, silence),
                _header(message),
            )
            for recipient, one in awaited.items()
        ]
        try:
            here = await self.ledger.expect(rows, now)
        except (OSError, sqlite3.Error) as trouble:
            log.error("{queue_id}: its receipt will not be noticed: {reason}", event="trouble", reason=str(trouble),
                      queue_id=message.queue_id)  # fmt: skip
            return False
        for row, heard in here:
            await self._report(row, _outcome(heard))
        return True

    async def receipt(self, gateway: str, receipt_id: str, outcome: Receipt) -> bool:
        """Hear what became of something; False when it is not awaited (yet)."""
        async with self._turns.setdefault((gateway, receipt_id), DeferredLock()):
            rows = await self.ledger.awaited(gateway, receipt_id, _item(outcome), self.clock.seconds())
            for row in rows:
                await self._report(row, outcome)
        return bool(rows)

    async def sweep(self) -> None:
        """Report what has been silent for too long."""
        for row in await self.ledger.overdue(self.clock.seconds()):
            silence = row.about["silence"]
            if not silence:
                await self.ledger.settled(row)
                continue
            text = f"no receipt came within {render_seconds(silence)}; it is not known whether it arrived"
            await self._report(row, said.Failed(text, "5.4.7"))

    async def _report(self, row: Awaited, outcome: Receipt) -> None:
        message, recipient = _read(row)
        kind, action = _KINDS[type(outcome)]
        reply = said.outcome_of(outcome, row.gateway).reply
        log.info(
            "{queue_id}: receipt of gateway {gateway} for <{forward_path}>: {diagnostic}", event="receipt",
            queue_id=message.queue_id, gateway=row.gateway, forward_path=str(recipient.forward_path),
            diagnostic=str(reply), outcome=action.value,
        )  # fmt: skip
        if _wants(recipient, kind) and not (kind is Kind.DELAY and row.about.get("warned")):
            now = self.clock.seconds()
            reported = Reported(recipient, action, reply, last_attempt=now)
            for entry in await self.relay.report_receipt(kind, message, reported):
                await self.queue.submit(entry)
        if kind is Kind.DELAY:
            await self.ledger.expect([evolve(row, about=row.about | {"warned": True})], self.clock.seconds())
        else:
            await self.ledger.settled(row)


def _wants(recipient: Recipient, kind: Kind) -> bool:
    return {
        Kind.SUCCESS: recipient.wants_success,
        Kind.DELAY: recipient.wants_delay,
        Kind.FAILURE: recipient.wants_failure,
    }[kind]


# --- how it lies in the ledger


def _about(message: OutgoingMessage, recipient: Recipient, silence: float) -> dict[str, Any]:
    return {
        "queue_id": message.queue_id,
        "arrived": message.arrived,
        "from": _pair(message.sender),
        "envelope_id": message.envelope.envelope_id,
        "smtputf8": message.envelope.smtputf8,
        "to": _pair(recipient.forward_path),
        "notify": recipient.notify.value,
        "original": recipient.original,
        "silence": silence,
    }


def _read(row: Awaited) -> tuple[Message, Recipient]:
    about = row.about
    envelope = Envelope(
        Mailbox(*about["from"]), envelope_id=about["envelope_id"], returns=Return.HEADERS, smtputf8=about["smtputf8"]
    )
    message = Message(about["queue_id"], envelope, Content(row.header), about["arrived"])
    return message, Recipient(Mailbox(*about["to"]), Notify(about["notify"]), about["original"])


def _header(message: OutgoingMessage) -> bytes:
    octets = message.octets()
    end = octets.find(b"\r\n\r\n", 0, MOST_HEADER)
    return octets[: end + 4] if end >= 0 else octets[: octets.rfind(b"\n", 0, MOST_HEADER) + 1] + b"\r\n"


def _pair(mailbox: Mailbox) -> list[str]:
    return [mailbox.local_part, mailbox.domain]


def _item(outcome: Receipt) -> dict[str, Any]:
    return {"said": type(outcome).__name__.lower(), "text": outcome.text, "status": getattr(outcome, "status", "")}


def _outcome(item: Mapping[str, Any]) -> Receipt:
    match item["said"]:
        case "delivered":
            return said.Delivered(item["text"])
        case "delayed":
            return said.Delayed(item["text"], item["status"])
        case _:
            return said.Failed(item["text"], item["status"])
