"""Mail becomes batches of SMTP in a folder, and batches in another folder become mail. One gateway for each neighbour.

    [gateway.mars]
    kind = "bsmtp"
    outgoing = "/var/spool/bsmtp/mars/out"
    incoming = "/var/spool/bsmtp/mars/in"
    close_after = "5m"

    [[domain]]
    name = "mars.example.org"
    courier = "mars"

A batch appears in ``outgoing`` under its name once it is whole and durable; whoever carries it on removes it. A file that comes to
``incoming`` must be renamed to its name once it is whole (or be left alone for ``settle``), and is removed once all it holds is the node's. What
cannot be taken is returned to its sender, or laid into ``aside`` with a file ``.why``. Mail is for our domains only, unless
``source.relay`` says otherwise; ``source.rate_per_sender`` counts here too, and a large batch then comes in bit by bit.

The neighbour's DSN parameters are read and have no effect on what comes in: notices go by our own rules.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from attrs import define, field
from twisted.application.service import IService
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from mailnode.gateways.api import (
    Answer,
    Failed,
    Gateway,
    Mailbox,
    Octets,
    OutgoingMessage,
    OutgoingRecipient,
    Relayed,
    Seconds,
    Trouble,
    parse_mailbox,
)
from mailnode.shipped.running import Runs, follow
from mailnode.shipped.uucp.batch import before, offer_of, part
from mailnode.shipped.uucp.inbox import Inbox
from mailnode.shipped.uucp.parts import Parts, Waiting
from mailnode.shipped.uucp.taking import Taking

A_WEEK = 7 * 86400.0
MOST_FILES = 1000
"""Incoming files that are looked at in one go."""


@define
class Bsmtp(Gateway):
    """Exchanges batches with one neighbour."""

    outgoing: str = field(default="")
    """The folder for batches to the neighbour."""
    incoming: str = ""
    """The folder for batches from the neighbour."""
    aside: str = ""
    """Where what cannot be taken goes; empty: ``aside`` within incoming."""
    hello: Literal["EHLO", "HELO"] = "HELO"
    """HELO: the reader knows nothing but RFC 821, which every one does; EHLO: it knows SIZE, 8BITMIME and SMTPUTF8 too."""
    dsn: bool = False
    """The reader knows NOTIFY, ORCPT, RET and ENVID as well; wants hello = "EHLO"."""
    close_after: Seconds = Seconds(60)
    """How long a message waits for others in its batch; "0s": a batch for each look."""
    close_at: int = field(default=100)
    """How many messages close a batch at once."""
    close_at_size: Octets = Octets(10_000_000)
    """How many octets close a batch at once."""
    compress: bool = False
    """Write batches as gzip does, with .gz in their name."""
    mode: str = field(default="640")
    """The rights of a batch file, in octal digits."""
    every: Seconds = Seconds(10)
    """How often both folders are looked at."""
    settle: Seconds = Seconds(0)
    """How long an incoming file must not have been written to, for neighbours that do not rename."""
    largest: Octets = Octets(50_000_000)
    """Octets of a message that are taken; larger ones are laid aside."""

    takes_automatic: ClassVar[bool] = True
    reads: ClassVar[Literal["octets", "text"]] = "octets"

    _parts: Any = field(init=False, default=None)
    _taking: Any = field(init=False, default=None)
    _looking: set[Deferred[None]] = field(init=False, factory=set)
    _number: int = field(init=False, default=0)

    @outgoing.validator
    def _check_folders(self, _: object, value: str) -> None:
        if not value and not self.incoming:
            raise ValueError("expected a folder for batches: outgoing, incoming, or both")

    @close_at.validator
    def _check_number(self, _: object, value: int) -> None:
        if value < 1:
            raise ValueError(f"expected 1 or more, not {value}")

    @mode.validator
    def _check_mode(self, _: object, value: str) -> None:
        if not (len(value) == 3 and set(value) <= set("01234567")):
            raise ValueError(f'expected rights such as "640", not "{value}"')

    async def start(self) -> None:
        """Open the folders, and finish what a crash has left half done."""
        if self.outgoing:
            offer = offer_of(extended=self.hello == "EHLO", dsn=self.dsn)
            beginning = before(self.node.hostname, offer)
            self._parts = Parts(Path(self.outgoing), beginning, self.compress, int(self.mode, 8))
            for key in await self.node.disk.run(self._parts.open):
                await self._remember(key)
        if self.incoming:
            inbox = Inbox(Path(self.incoming), Path(self.aside or f"{self.incoming}/aside"))
            await self.node.disk.run(inbox.open)
            self._taking = Taking(self.node, inbox, self.largest)

    # --- out

    async def deliver(self, message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]) -> Answer:
        """Keep it for the next batch, once."""
        if self._parts is None:
            return Failed("nothing is sent there: outgoing is not set", "5.3.5")
        # All recipients of this attempt together; those of another attempt are another part.
        key = recipients[0].key if len(recipients) == 1 else f"{message.key}-{recipients[0].key[:8]}-{len(recipients)}"
        if not await self.node.recall(f"part {key}"):
            octets = part(message, recipients, [_mailbox(one) for one in recipients], self._offer)
            await self.node.disk.run(partial(self._parts.keep, message.arrived, key, octets))
            await self._remember(key)
        return Relayed("kept for the next batch")

    @property
    def _offer(self) -> Any:
        return offer_of(extended=self.hello == "EHLO", dsn=self.dsn)

    async def _remember(self, key: str) -> None:
        await self.node.remember(f"part {key}", "kept", A_WEEK)

    async def _close_batch(self) -> None:
        while True:
            waiting: Waiting = await self.node.disk.run(self._parts.waiting)
            names = waiting.names[: self.close_at]
            if not names or not self._is_due(waiting):
                return
            for name in names:
                await self._remember(name.partition(".")[2])  # a part whose writer was killed before it could
            self._number += 1
            end = ".bsmtp.gz" if self.compress else ".bsmtp"
            batch = f"{int(self.node.clock.seconds() * 1000):013d}-{self._number:04d}{end}"
            await self.node.disk.run(partial(self._parts.begin, names, batch))
            await self.node.disk.run(partial(self._parts.finish, batch))
            self.node.log.info(
                "gateway {gateway}: batch {batch} is closed with {count} messages", event="batch",
                gateway=self.node.name, batch=batch, count=len(names),
            )  # fmt: skip

    def _is_due(self, waiting: Waiting) -> bool:
        is_full = len(waiting.names) >= self.close_at or waiting.octets >= self.close_at_size
        return is_full or self.node.clock.seconds() - waiting.oldest >= self.close_after

    # --- in

    def source(self) -> IService:
        """Look at both folders now and then."""
        return Runs([self._look_always], self._looking, self.node.log)

    async def _look_always(self) -> None:
        while True:
            # What was begun is finished when the service stops.
            looking = Deferred.fromCoroutine(self._look())
            self._looking.add(looking)
            looking.addErrback(self._note)
            await follow(looking)
            self._looking.discard(looking)
            await deferLater(self.node.clock, self.every)

    def _note(self, failure: Any) -> None:
        if failure.check(OSError):
            self.node.log.error(
                "gateway {gateway}: its folders wait: {reason}", event="trouble", gateway=self.node.name,
                reason=str(failure.value),
            )  # fmt: skip
        else:
            self.node.log.failure("gateway {gateway} failed to look at its folders", failure, gateway=self.node.name)

    async def _look(self) -> None:
        if self._parts is not None:
            await self._close_batch()
        if self._taking is None:
            return
        older_than = self.node.clock.seconds() - self.settle if self.settle else float("inf")
        inbox = self._taking.inbox
        for name in await self.node.disk.run(partial(inbox.names, older_than=older_than, limit=MOST_FILES)):
            try:
                await self._taking.take(name)
            except OSError as problem:
                self.node.log.error(
                    "gateway {gateway}: {name} waits: {reason}", event="trouble", gateway=self.node.name, name=name,
                    reason=str(problem),
                )  # fmt: skip


def _mailbox(one: OutgoingRecipient) -> Mailbox:
    try:
        return parse_mailbox(one.address)
    except ValueError as problem:
        raise Trouble(Failed(f"{one.address}: {problem}", "5.1.3")) from problem
