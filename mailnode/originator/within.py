"""Originating within the node's own process: a client of the node's ``Reception``, as a session is.

Everything that a session's mail goes through, this goes through: the rules, the checks, the trace field, the queue.
"""

import random as chance
from collections.abc import Callable, Coroutine, Sequence
from email.utils import formatdate
from typing import Any, Protocol, TypeVar

from attrs import evolve, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from mailnode.interfaces import Disk, Reception, Refused, Transaction
from mailnode.mail.envelope import Recipient
from mailnode.mail.message import Peer
from mailnode.mail.queueid import new_queue_id
from mailnode.mail.reply import Reply
from mailnode.originator.draft import BLOCK, Draft, Sealed, sealed
from mailnode.originator.receipt import NotSent, Receipt, RefusedRecipient, all_refused
from mailnode.originator.submitting import queue_id_in

T = TypeVar("T")

SERVICE = "submission"


class Rest(Protocol):
    """The content behind the part that is already known."""

    async def read(self) -> bytes:
        """Give the next octets; empty at the end."""
        ...


@frozen
class FileRest:
    """What is left of a file, read on a disk thread."""

    file: Any
    disk: Disk

    async def read(self) -> bytes:
        """Give the next block."""
        block: bytes = await self.disk.run(lambda: self.file.read(BLOCK))
        return block


@frozen
class Within:
    """Hands drafts to a reception; an ``Originating`` (see ``mailnode.originate``)."""

    reception: Reception
    disk: Disk
    clock: IReactorTime
    random: chance.Random
    origin: Callable[[], str]
    """Gives the domain of addresses that have none."""
    peer: Peer = field(default=Peer("", listener="local", service=SERVICE, hello="localhost", is_extended=True))
    """Who it comes from, as the trace field and the log will say."""

    async def submit(self, draft: Draft, *, size: int = 0, all_or_none: bool = False) -> Receipt:
        """Hand a draft over; raises NotSent when it was taken for nobody, or with ``all_or_none`` not for everybody.

        ``size`` is what its content has in octets, 0 when that is not known: what is too large is refused unread.
        """
        message = await self.disk.run(lambda: self.seal(draft))
        return await transact(
            self.reception, self.peer, message, FileRest(draft.content, self.disk), size=size, all_or_none=all_or_none
        )

    def seal(self, draft: Draft) -> Sealed:
        """Make a draft fit to travel; raises BadDraft. Reads the draft's file."""
        domain, now = self.origin(), self.clock.seconds()
        message_id = f"<{new_queue_id(now, self.random)}@{domain}>"
        return sealed(draft, domain=domain, date=formatdate(now, localtime=True), message_id=message_id)


async def transact(
    reception: Reception, peer: Peer, message: Sealed, rest: Rest, *, size: int = 0, all_or_none: bool = False
) -> Receipt:
    """Make one mail transaction of a message; ``size`` in octets, 0 when it is not known. Raises NotSent."""
    try:
        transaction = await reception.begin(peer, evolve(message.envelope, recipients=()), size)
    except Refused as no:
        refused = [RefusedRecipient(str(one.forward_path), no.reply) for one in message.envelope.recipients]
        raise NotSent(str(no.reply), code=refused[0].code, refused=refused) from None
    try:
        taken, refused = await _add(transaction, message.envelope.recipients, all_or_none=all_or_none)
        await _write(transaction, message.start)
        while block := await rest.read():
            await _write(transaction, block)
    except BaseException:
        transaction.abort()
        raise
    replies = await to_its_end(transaction.commit())
    return _receipt(taken, refused, list(replies), all_or_none=all_or_none)


async def _add(
    transaction: Transaction, recipients: Sequence[Recipient], *, all_or_none: bool
) -> tuple[list[str], list[RefusedRecipient]]:
    """Name the recipients one by one; NotSent when none is taken, or with ``all_or_none`` not all."""
    taken: list[str] = []
    refused: list[RefusedRecipient] = []
    for recipient in recipients:
        address = str(recipient.forward_path)
        try:
            await transaction.add_recipient(recipient)
            taken.append(address)
        except Refused as no:
            refused.append(RefusedRecipient(address, no.reply))
    if not taken or (all_or_none and refused):
        raise all_refused(refused)
    return taken, refused


async def _write(transaction: Transaction, octets: bytes) -> None:
    pending = transaction.write(octets) if octets else None
    if pending is not None:
        await pending


def _receipt(taken: list[str], refused: list[RefusedRecipient], replies: list[Reply], *, all_or_none: bool) -> Receipt:
    queue_id = ""
    for address, reply in zip(taken, replies, strict=True):
        if reply.is_positive:
            queue_id = queue_id_in(reply)
        else:
            refused.append(RefusedRecipient(address, reply))
    if not queue_id or (all_or_none and refused):
        raise all_refused(refused)
    return Receipt(queue_id, refused=tuple(refused))


async def to_its_end(coroutine: Coroutine[Deferred[Any], Any, T]) -> T:
    """Wait for the coroutine, which runs on when the waiting is cancelled: a commit must not be."""
    done: Deferred[T] = Deferred()

    def pass_on(result: Any) -> None:
        if not done.called:
            done.callback(result)

    Deferred.fromCoroutine(coroutine).addBoth(pass_on)
    return await done
