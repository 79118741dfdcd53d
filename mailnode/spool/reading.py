"""Questions to the spool, asked on a connection of their own: they see what is committed and disturb no writer."""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from mailnode.interfaces import Selection
from mailnode.mail.address import Mailbox
from mailnode.mail.content import Content
from mailnode.mail.envelope import Notify, Recipient
from mailnode.mail.message import Entry, Message, QueuedRecipient
from mailnode.mail.route import Lane
from mailnode.spool.rows import envelope_of, last_of
from mailnode.spool.schema import MOST_RECIPIENTS, RECIPIENT_BITS
from mailnode.spool.selection import sender_of

_LANES_AHEAD = 64
"""How many lanes are asked when something is due next, before a lower bound is answer enough."""

_NEXT_DUE = """
SELECT next_due, postponed_until,
    (SELECT due FROM recipient WHERE recipient.lane = lane.id AND held = 0 ORDER BY due LIMIT 1)
FROM lane ORDER BY next_due LIMIT ?
"""
_RANGE = f"key BETWEEN message.id << {RECIPIENT_BITS} AND (message.id << {RECIPIENT_BITS}) + {MOST_RECIPIENTS - 1}"
_MESSAGE_COLUMNS = "id, queue_id, local, domain, options, arrived, expires"
_RECIPIENTS = """
SELECT key, local, domain, notify, original, courier, next_hop, attempts, warned, held, due, last
FROM recipient JOIN lane ON lane.id = recipient.lane
"""


def next_due(db: sqlite3.Connection) -> float | None:
    """Tell when something may be claimed; never too late, and too early only past many lanes with too low a bound."""
    best: float | None = None
    rows = db.execute(_NEXT_DUE, (_LANES_AHEAD,)).fetchall()
    for bound, postponed_until, due in rows:
        if best is not None and best <= bound:
            return best
        if due is not None:
            opens = max(due, postponed_until)
            best = opens if best is None else min(best, opens)
    if len(rows) < _LANES_AHEAD or (best is not None and best <= rows[-1][0]):
        return best
    return float(rows[-1][0])


def count(db: sqlite3.Connection) -> tuple[int, int]:
    """Count messages and recipients."""
    ((messages, recipients),) = db.execute(
        "SELECT (SELECT count(*) FROM message), (SELECT count(*) FROM recipient)"
    ).fetchall()
    return messages, recipients


@frozen
class _Where:
    """A Selection in SQL: conditions on the message, and on the recipient."""

    message: list[str]
    recipient: list[str]
    values: dict[str, Any]


def _where(selection: Selection) -> _Where:
    sender = sender_of(selection)
    values: dict[str, Any] = {}
    message: list[str] = []
    recipient: list[str] = []
    if selection.queue_id:
        message.append("queue_id = :queue_id")
        values["queue_id"] = selection.queue_id
    if sender is not None:
        message.append("message.local = :sender AND message.domain = :sender_domain COLLATE NOCASE")
        values |= {"sender": sender.local_part, "sender_domain": sender.domain}
    if selection.older_than:
        message.append("arrived < :older_than")
        values["older_than"] = selection.older_than
    if selection.domain:
        is_meant = "recipient.domain = :domain COLLATE NOCASE"
        if selection.with_subdomains:
            beneath = "substr(recipient.domain, -length(:domain) - 1) = '.' || :domain COLLATE NOCASE"
            is_meant = f"({is_meant} OR {beneath})"
        recipient.append(is_meant)
        values["domain"] = selection.domain
    if selection.next_hop:
        recipient.append("recipient.lane IN (SELECT id FROM lane WHERE next_hop = :next_hop)")
        values["next_hop"] = selection.next_hop
    return _Where(message, recipient, values)


def select_keys(db: sqlite3.Connection, selection: Selection, after: int, limit: int) -> list[int]:
    """Give the keys of the recipients that are meant, in order, those behind the key ``after``."""
    where = _where(selection)
    conditions = ["message.id >= :first", "key > :after", _RANGE, *where.message, *where.recipient]
    rows = db.execute(
        # CROSS JOIN fixes the order of the walk: messages first, each one's recipients by the range of their keys.
        "SELECT key FROM message CROSS JOIN recipient WHERE "  # noqa: S608 - conditions of ours, values are bound
        + " AND ".join(conditions)
        + " ORDER BY message.id, key LIMIT :limit",
        where.values | {"first": after >> RECIPIENT_BITS, "after": after, "limit": limit},
    ).fetchall()
    return [key for (key,) in rows]


def place_of(db: sqlite3.Connection, queue_id: str) -> int | None:
    """Tell the place of a message among all, None when it is not there."""
    for (place,) in db.execute("SELECT id FROM message WHERE queue_id = ?", (queue_id,)).fetchall():
        return int(place)
    return None


def listing(db: sqlite3.Connection, selection: Selection, after: int, limit: int) -> tuple[list[Entry], int]:
    """Give the entries behind the place ``after``, contents unread, and the place of the last."""
    where = _where(selection)
    conditions = ["message.id > :after", *where.message]
    if where.recipient:
        inner = " AND ".join([_RANGE, *where.recipient])
        conditions.append(f"EXISTS (SELECT 1 FROM recipient WHERE {inner})")  # noqa: S608 - conditions of ours
    rows = db.execute(
        f"SELECT {_MESSAGE_COLUMNS}, size FROM message WHERE "  # noqa: S608 - conditions of ours, values are bound
        + " AND ".join(conditions)
        + " ORDER BY message.id LIMIT :limit",
        where.values | {"after": after, "limit": limit},
    ).fetchall()
    entries = [_entry(row, Content(b"", None, row[7]), _recipients_of(db, row[0], where)) for row in rows]
    return entries, rows[-1][0] if rows else after


def load(db: sqlite3.Connection, keys: Sequence[int], contents: Path) -> list[Entry]:
    """Give the entries of these recipients, in their order; who is not there any more is left out."""
    by_message: dict[int, list[int]] = {}
    for key in keys:
        by_message.setdefault(key >> RECIPIENT_BITS, []).append(key)
    entries: list[Entry] = []
    for number, theirs in by_message.items():
        recipients = [row for key in theirs for row in db.execute(_RECIPIENTS + "WHERE key = ?", (key,)).fetchall()]
        for row in _messages(db, number):
            if recipients:
                file, file_size, head = row[7:]
                content = Content(head, contents / file if file is not None else None, file_size)
                entries.append(_entry(row, content, recipients))
    return entries


def _messages(db: sqlite3.Connection, number: int) -> list[Any]:
    return db.execute(
        f"SELECT {_MESSAGE_COLUMNS}, file, file_size, head FROM message WHERE id = ?",  # noqa: S608 - names of ours
        (number,),
    ).fetchall()


def _recipients_of(db: sqlite3.Connection, number: int, where: _Where) -> list[Any]:
    first = number << RECIPIENT_BITS
    conditions = " AND ".join(["key BETWEEN :first AND :last", *where.recipient])
    return db.execute(
        f"{_RECIPIENTS} WHERE {conditions} ORDER BY key",
        where.values | {"first": first, "last": first + MOST_RECIPIENTS - 1},
    ).fetchall()


def _entry(row: Any, content: Content, recipients: Iterable[Any]) -> Entry:
    _, queue_id, local, domain, options, arrived, expires = row[:7]
    message = Message(queue_id, envelope_of(Mailbox(local, domain), options), content, arrived)
    return Entry(message, tuple(_recipient(one) for one in recipients), expires)


def _recipient(row: Any) -> QueuedRecipient:
    key, local, domain, notify, original, courier, next_hop, attempts, warned, held, due, last = row
    reply, remote = last_of(last)
    return QueuedRecipient(
        key=key,
        recipient=Recipient(Mailbox(local, domain), Notify(notify), original),
        lane=Lane(courier, next_hop),
        attempts=attempts,
        warned=bool(warned),
        held=bool(held),
        due=due,
        last=reply,
        last_remote=remote,
    )
