"""What a courier and the process that writes for it say to each other: frames of octets over a socket.

A frame is its length, four octets, and a value in Python's marshal format: quick, and good enough between two processes of
one program that trust each other; nothing from the network is ever read this way. First the courier tells the ``Charter``
and the process answers READY; then each batch of deliveries is answered by its outcomes, in the same order.
"""

import marshal
import socket
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from attrs import astuple, frozen
from twisted.python.failure import Failure

from mailnode.couriers.maildir_delivery import Delivery, Original
from mailnode.couriers.maildir_outcome import ALL, TROUBLE
from mailnode.mail.address import Mailbox
from mailnode.mail.content import Content
from mailnode.mail.envelope import Envelope, Recipient
from mailnode.mail.message import DeliveryRequest, Message
from mailnode.mail.route import Lane

_LENGTH = struct.Struct("!I")

READY = "ready"
"""The process has loaded what it needs."""

Note = tuple[str, str]
"""What the journal says, and why: empty when nothing went wrong."""


class RemoteTrouble(Exception):  # noqa: N818 - it stands for what was raised over there
    """What went wrong in the process, with its traceback, to be logged here."""


@frozen
class Charter:
    """What the process is to be."""

    root: str
    hostname: str
    owner: str
    quota: int
    quota_messages: int
    is_unix: bool
    """Lines end in LF on disk."""
    has_journal: bool


def send(wire: socket.socket, value: Any) -> None:
    """Send one frame; OSError when nobody is there."""
    octets = marshal.dumps(value)
    wire.sendall(_LENGTH.pack(len(octets)) + octets)


def receive(wire: socket.socket) -> Any:
    """Wait for one frame; EOFError at the end."""
    (length,) = _LENGTH.unpack(_exactly(wire, _LENGTH.size))
    return marshal.loads(_exactly(wire, length))  # noqa: S302 - see the module's docstring


def _exactly(wire: socket.socket, size: int) -> bytearray:
    taken = bytearray(size)
    left = memoryview(taken)
    while left:
        count = wire.recv_into(left)
        if not count:
            raise EOFError("the other side has closed")
        left = left[count:]
    return taken


# --- the charter ------------------------------------------------------------------------------------------------


def packed_charter(charter: Charter) -> Any:
    """Make a value of the charter."""
    return astuple(charter)


def read_charter(value: Any) -> Charter:
    """Read it again."""
    return Charter(*value)


# --- a batch there ----------------------------------------------------------------------------------------------


def packed_batch(batch: Sequence[Delivery]) -> Any:
    """Make a value of a batch; a content that several deliveries share is in it once."""
    places: dict[int, int] = {}
    contents: list[tuple[bytes, str, int]] = []
    rows = []
    for delivery in batch:
        place = places.get(id(delivery.original))
        if place is None:
            place = places[id(delivery.original)] = len(contents)
            content = delivery.original.content
            contents.append((content.head, "" if content.path is None else str(content.path), content.file_size))
        reverse, forward = delivery.request.message.envelope.reverse_path, delivery.recipient.forward_path
        rows.append((place, reverse.local_part, reverse.domain, forward.local_part, forward.domain))
    return contents, rows


def read_batch(value: Any, *, is_unix: bool) -> list[Delivery]:
    """Make deliveries of it again: as much of them as writing needs."""
    contents, rows = value
    originals = [
        Original(Content(head, Path(path) if path else None, size), is_unix=is_unix) for head, path, size in contents
    ]
    return [_delivery(originals[row[0]], Mailbox(*row[1:3]), Mailbox(*row[3:])) for row in rows]


def _delivery(original: Original, reverse_path: Mailbox, forward_path: Mailbox) -> Delivery:
    message = Message("", Envelope(reverse_path), original.content, 0.0)
    return Delivery(DeliveryRequest(message, Lane("maildir", "")), Recipient(forward_path), original)


# --- its outcomes back ------------------------------------------------------------------------------------------


def packed_outcomes(batch: Sequence[Delivery], notes: Sequence[Note]) -> Any:
    """Make a value of what became of a batch; ``notes`` go along."""
    outcomes = [ALL.index(delivery.outcome or TROUBLE) for delivery in batch]
    troubles = {
        place: delivery.trouble.getTraceback() for place, delivery in enumerate(batch) if delivery.trouble is not None
    }
    return outcomes, troubles, list(notes)


def take_outcomes(value: Any, batch: Iterable[Delivery]) -> Sequence[Note]:
    """Give each delivery of the batch its outcome; gives the notes that came along."""
    outcomes, troubles, notes = value
    for place, (delivery, outcome) in enumerate(zip(batch, outcomes, strict=True)):
        delivery.outcome = ALL[outcome]
        if place in troubles:
            delivery.trouble = Failure(RemoteTrouble(troubles[place]))
    return list(notes)
