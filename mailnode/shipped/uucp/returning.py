"""A report for the sender of a message in a batch: there was nobody who could be told at once (RFC 3464)."""

from collections.abc import Sequence
from random import Random

from mailnode.mail.address import AddressFault, parse_mailbox
from mailnode.mail.content import Content
from mailnode.mail.envelope import Envelope, Recipient
from mailnode.mail.message import Message
from mailnode.mail.queueid import new_queue_id
from mailnode.mail.reply import Reply
from mailnode.mail.report import Action, Kind, Report, Reported, make_report, take_returned
from mailnode.shipped.uucp.batch_reading import Transaction

WHOLE_UP_TO = 50_000
"""Octets up to which the message is given back as a whole."""


def report_on(
    transaction: Transaction, refused: Sequence[tuple[str, Reply]], *, hostname: str, now: float, random: Random
) -> bytes | None:
    """Write the report about these recipients; None when the sender wants none, or there is no sender."""
    if not str(transaction.reverse_path):
        return None
    known = {str(one.forward_path): one for one in transaction.recipients}
    told = []
    for address, reply in refused:
        one = known.get(address) or _recipient(address)
        if one is not None and one.wants_failure:
            told.append(Reported(one, Action.FAILED, reply, last_attempt=now))
    if not told:
        return None
    is_utf8 = any(one.recipient.forward_path.needs_smtputf8 for one in told)
    content = Content(transaction.octets)
    envelope = Envelope(transaction.reverse_path, smtputf8=is_utf8 or transaction.reverse_path.needs_smtputf8)
    message = Message(new_queue_id(now, random), envelope, content, now)
    returned = take_returned(content, whole_up_to=WHOLE_UP_TO)
    return make_report(Report(Kind.FAILURE, message, tuple(told), hostname, new_queue_id(now, random), now, returned))


def _recipient(address: str) -> Recipient | None:
    try:
        return Recipient(parse_mailbox(address))
    except AddressFault:
        return None
