"""MT-PRIORITY: what goes first when not all can go at once (RFC 6710)."""

from mailnode.mail.reply import Reply
from mailnode.mail.wishes import PRIORITY, parse_priority
from mailnode.smtp.extensions import Extension, MailDraft
from mailnode.smtp.faults import Fault


def _priority(draft: MailDraft, value: str | None) -> None:
    try:
        draft.extra.append((PRIORITY, str(parse_priority(value or ""))))
    except ValueError as error:
        raise Fault(Reply.of(501, "5.5.2", str(error))) from None


MT_PRIORITY = Extension("MT-PRIORITY", mail={PRIORITY: _priority})
"""Without the name of a policy: all nineteen levels count as they are (RFC 6710 section 3)."""
