"""The rules of one recipient's row, and how values that a column cannot hold become text and come back."""

from collections.abc import Iterator

from attrs import evolve

from mailnode.interfaces import Settlement
from mailnode.mail.message import Entry, NewEntry, QueuedRecipient


def first_entry(entry: NewEntry, due: float, keys: Iterator[int]) -> Entry:
    """Give the entry as it stands when accepted: each recipient on its route's lane, at its route's address."""
    message = entry.message
    if len(entry.routes) != len(message.envelope.recipients) or not entry.routes:
        raise ValueError(f"{len(entry.routes)} routes for {len(message.envelope.recipients)} recipients")
    return Entry(
        evolve(message, envelope=evolve(message.envelope, recipients=())),
        tuple(
            QueuedRecipient(
                next(keys),
                recipient
                if recipient.forward_path == route.forward_path
                else evolve(recipient, forward_path=route.forward_path),
                route.lane,
                due=due,
            )
            for recipient, route in zip(message.envelope.recipients, entry.routes, strict=True)
        ),
        entry.expires,
    )


def next_state(queued: QueuedRecipient, settlement: Settlement) -> QueuedRecipient:
    """Give the recipient after an attempt that did not end it; without a new reply the last one stays."""
    recipient = queued.recipient
    if settlement.forward_path is not None:
        recipient = evolve(recipient, forward_path=settlement.forward_path)
    heard = settlement.last is not None
    return evolve(
        queued,
        recipient=recipient,
        lane=settlement.lane or queued.lane,
        attempts=queued.attempts + settlement.counts,
        warned=queued.warned or settlement.warned,
        due=settlement.due,
        last=settlement.last if heard else queued.last,
        last_remote=settlement.last_remote if heard else queued.last_remote,
    )
