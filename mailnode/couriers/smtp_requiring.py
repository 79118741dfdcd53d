"""What a message itself says about TLS (RFC 8689): it requires it, or would rather arrive than be safe.

REQUIRETLS wants a host whose certificate is good and that promises the same to the next one (section 4.2.1). A notification
is sent on where there is no such host, rather than lost (section 5). ``TLS-Required: No`` lowers what the terms of a lane ask
for to ``may``, for this message alone, except where we would show a password; it means nothing beside REQUIRETLS (section 4).
"""

import re

from mailnode.couriers.smtp_session import SmtpSession
from mailnode.interfaces import Disk
from mailnode.mail.address import NULL
from mailnode.mail.content import Content
from mailnode.mail.message import Message
from mailnode.mail.reply import Reply

_MOST_HEADER = 65536
"""Octets in which the field is looked for."""

_RELAXED = re.compile(rb"^tls-required[ \t]*:[ \t]*no[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


def requires_tls(message: Message) -> bool:
    """Tell whether the message may go to hosts only that keep REQUIRETLS."""
    envelope = message.envelope
    return bool(envelope.extra) and envelope.requires_tls and envelope.reverse_path != NULL


def unfit(session: SmtpSession) -> Reply | None:
    """Say why a message that requires TLS must not go over this session; None when it may (RFC 8689 section 4.2.1)."""
    security = session.security
    if security.is_local:
        return None
    if security.trouble:
        return Reply.of(
            550, "5.7.10", f"The message requires TLS with a verified host; of {session.host}: {security.trouble}"
        )
    if not session.offer.requiretls:
        return Reply.of(
            550, "5.7.30", f"The message requires TLS on all its way, and {session.host} does not offer REQUIRETLS"
        )
    return None


async def is_relaxed(message: Message, disk: Disk) -> bool:
    """Tell whether the message bears ``TLS-Required: No`` and does not require TLS all the same."""
    if message.envelope.requires_tls:
        return False
    content = message.content
    header = _header_of(content) if content.path is None else await disk.run(lambda: _header_of(content))
    return _RELAXED.search(header) is not None


def _header_of(content: Content) -> bytes:
    start = b""
    for block in content.blocks():
        start += block
        if b"\r\n\r\n" in start or len(start) > _MOST_HEADER:
            break
    return start[:_MOST_HEADER].partition(b"\r\n\r\n")[0]
