"""DELIVERBY: a time by which a message is to be delivered (RFC 2852)."""

from mailnode.mail.reply import Reply
from mailnode.mail.wishes import BY, DeliverBy
from mailnode.smtp.extensions import Extension, MailDraft
from mailnode.smtp.faults import Fault


def _by(draft: MailDraft, value: str | None) -> None:
    try:
        draft.extra.append((BY, str(DeliverBy.parse(value or ""))))
    except ValueError as error:
        raise Fault(Reply.of(501, "5.5.4", str(error))) from None


DELIVER_BY = Extension("DELIVERBY", mail={BY: _by})
"""Without a least time: what comes too late is returned or told of, whatever it asked for."""
