"""The node as one gateway sees it; implements gateways.node.GatewayNode.

What comes in goes through the same reception, transaction and queue as everybody's mail, with bounds of its own before:
how many messages from the other side as a whole, and how many from one sender to one recipient, so that a flood or a loop
without marks stays where it comes from.
"""

import json
import sqlite3
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from attrs import Factory, define, field
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from mailnode.gateways.addresses import AddressBook
from mailnode.gateways.breaker import Rate, Rates
from mailnode.gateways.composing import Draft, compose
from mailnode.gateways.http import HttpClient
from mailnode.gateways.ledger import Ledger
from mailnode.gateways.loops import FIELD, TRACE_FIELD, hops_of, marks_in, read_header
from mailnode.gateways.loops import mark as marked
from mailnode.gateways.node import A_MONTH, AllRefused, Submitted
from mailnode.gateways.settings import GatewaySourceSettings, parse_rate
from mailnode.gateways.tokens import Signer
from mailnode.gateways.tracing import trace_id
from mailnode.interfaces import Disk, Reception, Refused, Transaction
from mailnode.mail.address import Mailbox, parse_mailbox, parse_reverse_path
from mailnode.mail.envelope import Body, Envelope, Recipient
from mailnode.mail.message import Peer
from mailnode.mail.queueid import new_queue_id
from mailnode.mail.reply import Reply, Status
from mailnode.roles.gateway_receipts import Receipt, Receipts

A_WEEK = 7 * 86400.0
"""Seconds for which a message that was submitted with a key is known."""
TOO_MANY = Reply.of(451, "4.7.28", "Too many messages from the other side; please wait")
BLOCK = 65536


@define(eq=False)
class NodeOfGateway:
    """What ``self.node`` is."""

    name: str
    hostname: str
    reactor: Any
    clock: Any
    random: Random
    disk: Disk
    addresses: AddressBook
    http: HttpClient
    settings: GatewaySourceSettings
    signer: Signer
    ledger: Ledger
    receipts: Receipts
    reception: Reception
    home: Path
    """Where the folders of gateways are."""
    log: Logger = Factory(lambda self: Logger(f"mailnode.gateway.{self.name}"), takes_self=True)
    _rate: Rate = field(init=False)
    _pairs: Rates = field(init=False)
    _under_way: dict[str, list[Deferred[None]]] = Factory(dict)

    def __attrs_post_init__(self) -> None:
        """Make the bounds."""
        self._rate = Rate(parse_rate(self.settings.rate), burst=10.0)
        self._pairs = Rates(parse_rate(self.settings.rate_per_sender))

    @property
    def folder(self) -> Path:
        """Give a folder of the gateway's own."""
        folder = self.home / self.name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def reply_address(self, foreign: str) -> Mailbox:
        """Give a mail address that leads back to ``foreign``."""
        return self.addresses.reply_address(foreign)

    async def receipt(self, receipt_id: str, outcome: Receipt) -> bool:
        """Tell what became of what was Relayed with this id."""
        return await self.receipts.receipt(self.name, receipt_id, outcome)

    async def remember(self, key: str, value: str, keep: float = A_MONTH) -> None:
        """Keep a small value durably."""
        await self.ledger.remember(self.name, f"own {key}", value, now=self.clock.seconds(), keep=keep)

    async def recall(self, key: str) -> str:
        """Give what was remembered."""
        return await self.ledger.recall(self.name, f"own {key}", now=self.clock.seconds())

    async def close(self) -> None:
        """Close the connections of HTTP."""
        close = getattr(self.http, "close", None)
        if close is not None:
            await close()

    # --- from the other side into the mail world

    async def submit(
        self,
        mail: Draft | bytes,
        *,
        protocol: str,
        sender: str | None = None,
        to: tuple[str, ...] = (),
        key: str = "",
        mark: str = "",
        traceparent: str = "",
    ) -> Submitted:
        """Put a message into the mail system."""
        if not key:
            return await self._submit(mail, protocol, sender, to, mark, traceparent)
        await self._turn(key)
        try:
            known = await self._known(key)
            if known is not None:
                return known
            done = await self._submit(mail, protocol, sender, to, mark, traceparent)
            await self._keep(key, done)
            return done
        finally:
            self._next(key)

    async def _keep(self, key: str, done: Submitted) -> None:
        """Write the key down; the message is the node's already, so trouble with it must not read as a refusal."""
        known = _kept(done)
        try:
            await self.ledger.remember(self.name, f"key {key}", known, now=self.clock.seconds(), keep=A_WEEK)
        except (OSError, sqlite3.Error) as trouble:
            self.log.error(
                "{queue_id}: its key is not kept, it may come twice: {reason}", event="trouble", queue_id=done.queue_id,
                reason=str(trouble),
            )  # fmt: skip

    async def _turn(self, key: str) -> None:
        """Wait until nobody else submits the same."""
        waiting = self._under_way.get(key)
        if waiting is None:
            self._under_way[key] = []
            return
        turn: Deferred[None] = Deferred()
        waiting.append(turn)
        await turn

    def _next(self, key: str) -> None:
        waiting = self._under_way[key]
        while waiting:
            turn = waiting.pop(0)
            if not turn.called:
                turn.callback(None)
                return
        del self._under_way[key]

    async def _known(self, key: str) -> Submitted | None:
        known = await self.ledger.recall(self.name, f"key {key}", now=self.clock.seconds())
        return _repeated(known) if known else None

    async def _submit(  # noqa: PLR0917 - those of submit
        self, mail: Draft | bytes, protocol: str, sender: str | None, to: tuple[str, ...], mark: str, traceparent: str
    ) -> Submitted:
        octets, reverse_path, recipients, message_id = await self._written(mail, sender, to)
        self._check_rate(reverse_path, recipients)
        header = read_header(octets)
        hops = hops_of([mark, *marks_in(header)], self.signer)
        fields = f"{FIELD}: {self.name}; {marked(hops, self.signer)}\r\n"
        if trace_id(traceparent):
            fields += f"{TRACE_FIELD}: {traceparent.strip()}\r\n"
        return await self._hand_in(fields.encode() + octets, reverse_path, recipients, protocol, message_id)

    async def _written(
        self, mail: Draft | bytes, sender: str | None, to: tuple[str, ...]
    ) -> tuple[bytes, Mailbox, list[Mailbox], str]:
        if isinstance(mail, Draft):
            made = f"<{new_queue_id(self.clock.seconds(), self.random)}.{self.name}@{self.hostname}>"
            write = partial(compose, mail, now=self.clock.seconds(), message_id=made)
            is_large = sum(len(one.octets) for one in mail.files) > BLOCK
            octets = await self.disk.run(write) if is_large else write()
            sender, to = mail.sender if sender is None else sender, to or (*mail.to, *mail.cc)
        else:
            octets = mail
        reverse_path = parse_reverse_path(f"<{sender or ''}>")
        recipients = [parse_mailbox(address) for address in to]
        if not recipients:
            raise ValueError("a message needs a recipient")
        return octets, reverse_path, recipients, str(read_header(octets).get("Message-ID", "")).strip()

    def _check_rate(self, sender: Mailbox, recipients: list[Mailbox]) -> None:
        now = self.clock.seconds()
        if self._rate.wait(now) > 0:
            self.log.warn("gateway {gateway} is flooded", event="flood", gateway=self.name)  # noqa: G010
            raise Refused(TOO_MANY)
        if self._pairs.per_second and not all(self._pairs.takes(f"{sender} {one}", now) for one in recipients):
            self.log.warn(  # noqa: G010
                "gateway {gateway}: too many messages from <{reverse_path}>", event="flood", gateway=self.name,
                reverse_path=str(sender),
            )  # fmt: skip
            raise Refused(TOO_MANY)
        self._rate.take(now)

    async def _hand_in(
        self, octets: bytes, reverse_path: Mailbox, recipients: list[Mailbox], protocol: str, message_id: str
    ) -> Submitted:
        is_utf8 = any(one.needs_smtputf8 for one in (reverse_path, *recipients))
        envelope = Envelope(
            reverse_path, body=Body.SEVEN_BIT if octets.isascii() else Body.EIGHT_BIT_MIME, smtputf8=is_utf8
        )
        account = f"gateway:{self.name}" if self.settings.relay else ""
        peer = Peer(
            "", listener=self.name, service="gateway", hello=self.name, is_extended=True, account=account,
            protocol=protocol,
        )  # fmt: skip
        transaction = await self.reception.begin(peer, envelope, len(octets))
        try:
            refused = await self._add(transaction, recipients)
            for start in range(0, len(octets), BLOCK):
                pending = transaction.write(octets[start : start + BLOCK])
                if pending is not None:
                    await pending
        except BaseException:
            transaction.abort()
            raise
        replies = await _to_its_end(transaction)
        if not replies[0].is_positive:
            raise Refused(replies[0])
        return Submitted(replies[0].lines[-1].rpartition(" ")[2], message_id, tuple(refused))

    async def _add(self, transaction: Transaction, recipients: list[Mailbox]) -> list[tuple[str, Reply]]:
        """Add the recipients; Refused when none of them is taken."""
        refused: list[tuple[str, Reply]] = []
        for one in recipients:
            try:
                await transaction.add_recipient(Recipient(one))
            except Refused as no:
                refused.append((str(one), no.reply))
        if len(refused) == len(recipients):
            transient = [reply for _, reply in refused if reply.is_transient]
            raise AllRefused((transient or [refused[0][1]])[0], tuple(refused))
        return refused


def _kept(done: Submitted) -> str:
    """Write what a repetition is told."""
    refused = [[one, reply.code, str(reply.status or ""), *reply.lines] for one, reply in done.refused]
    return " ".join([done.queue_id, json.dumps(refused), done.message_id])


def _repeated(kept: str) -> Submitted:
    """Read it; who was refused the first time is told again, since not everybody asked the first time."""
    queue_id, _, rest = kept.partition(" ")
    if not rest.startswith("["):
        return Submitted(queue_id, rest, is_repeated=True)
    told, end = json.JSONDecoder().raw_decode(rest)
    refused = [
        (one, Reply(code, tuple(lines), Status.parse(status) if status else None)) for one, code, status, *lines in told
    ]
    return Submitted(queue_id, rest[end:].strip(), tuple(refused), is_repeated=True)


async def _to_its_end(transaction: Transaction) -> Any:
    """Wait for the commit, which runs on when the waiting is cancelled."""
    done: Deferred[Any] = Deferred()

    def pass_on(result: Any) -> None:
        if not done.called:
            done.callback(result)

    async def commit() -> Any:
        return await transaction.commit()

    Deferred.fromCoroutine(commit()).addBoth(pass_on)
    return await done
