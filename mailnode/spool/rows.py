"""The rules of one recipient's row, and how values that a column cannot hold become text and come back."""

import json
from collections.abc import Iterator

from attrs import evolve

from mailnode.interfaces import Settlement
from mailnode.mail.address import Mailbox
from mailnode.mail.envelope import Body, Envelope, Return
from mailnode.mail.message import Entry, NewEntry, QueuedRecipient
from mailnode.mail.reply import Reply, Status

_NO_OPTIONS = ("", "", "7BIT", False, ())


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


def options_text(envelope: Envelope) -> str | None:
    """Put what most envelopes do not have into one column; None when there is nothing of it."""
    options = (
        envelope.envelope_id,
        envelope.returns.value,
        envelope.body.value,
        envelope.smtputf8,
        envelope.extra,
    )
    return None if options == _NO_OPTIONS else json.dumps(options)


def envelope_of(reverse_path: Mailbox, options: str | None) -> Envelope:
    """Give back the envelope without its recipients."""
    if options is None:
        return Envelope(reverse_path)
    envelope_id, returns, body, smtputf8, extra = json.loads(options)
    return Envelope(
        reverse_path,
        (),
        envelope_id,
        Return(returns),
        Body(body),
        smtputf8,
        tuple((keyword, value) for keyword, value in extra),
    )


def last_text(reply: Reply | None, remote: str) -> str | None:
    """Put the last reply, and who said it, into one column."""
    if reply is None:
        return None
    return json.dumps([reply.code, str(reply.status) if reply.status else "", reply.lines, remote])


def last_of(text: str | None) -> tuple[Reply | None, str]:
    """Give back the last reply and who said it."""
    if text is None:
        return None, ""
    code, status, lines, remote = json.loads(text)
    kind, subject, detail = (int(part) for part in status.split(".")) if status else (0, 0, 0)
    return Reply(code, tuple(lines), Status(kind, subject, detail) if status else None), remote
