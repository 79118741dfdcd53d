"""Write a new message and its recipients down."""

import itertools

from mailnode.mail.message import Entry, NewEntry
from mailnode.spool.ledger import Ledger
from mailnode.spool.rows import first_entry, options_text
from mailnode.spool.schema import MOST_RECIPIENTS, RECIPIENT_BITS

_MESSAGE = """
INSERT INTO message (queue_id, arrived, expires, local, domain, options, size, file, file_size, head)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_RECIPIENT = """
INSERT INTO recipient (key, local, domain, notify, original, lane, held, due, owner)
VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?)
"""


def keep(ledger: Ledger, entry: NewEntry, *, due: float, leased: bool, file: str | None = None) -> Entry:
    """Write the message down; ``file`` is the name of its content's file within the spool, which lies there already."""
    if len(entry.routes) > MOST_RECIPIENTS:
        raise ValueError(f"{len(entry.routes)} recipients; a message may have {MOST_RECIPIENTS}")
    number = _keep_message(ledger, entry, file)
    kept = first_entry(entry, due, itertools.count(number << RECIPIENT_BITS))
    owner = ledger.owner if leased else ""
    rows = [
        (
            one.key,
            one.recipient.forward_path.local_part,
            one.recipient.forward_path.domain,
            one.recipient.notify.value,
            one.recipient.original,
            ledger.lane(one.lane, due),
            due,
            owner,
        )
        for one in kept.recipients
    ]
    ledger.db.executemany(_RECIPIENT, rows)
    return kept


def _keep_message(ledger: Ledger, entry: NewEntry, file: str | None) -> int:
    message = entry.message
    envelope, content = message.envelope, message.content
    number = ledger.db.execute(
        _MESSAGE,
        (
            message.queue_id,
            message.arrived,
            entry.expires,
            envelope.reverse_path.local_part,
            envelope.reverse_path.domain,
            options_text(envelope),
            content.size,
            file,
            content.file_size,
            content.head,
        ),
    ).lastrowid
    assert number is not None  # noqa: S101 - an INSERT of one row always gives it
    return number
