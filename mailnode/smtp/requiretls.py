"""REQUIRETLS: the message goes over TLS on all its way, or comes back (RFC 8689 section 2).

The keyword is said, and the parameter known, only within TLS: whoever asks for it in clear text has asked too late.
"""

from mailnode.mail.envelope import REQUIRETLS as KEYWORD
from mailnode.mail.reply import Reply
from mailnode.smtp.extensions import Extension, MailDraft
from mailnode.smtp.faults import Fault


def _read(draft: MailDraft, value: str | None) -> None:
    if value is not None:
        raise Fault(Reply.of(501, "5.5.4", "REQUIRETLS has no value"))
    draft.extra.append((KEYWORD, ""))


REQUIRETLS = Extension(KEYWORD, mail={KEYWORD: _read})
"""To be offered within TLS only."""
