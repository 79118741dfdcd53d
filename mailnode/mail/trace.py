"""Trace fields: what a node writes on top of each message it takes (RFC 5321 section 4.4).

Whatever the peer said of itself is hostile: only visible ASCII that cannot end a comment or a line gets into a field.
"""

from email.utils import formatdate

from mailnode.mail.address import Mailbox
from mailnode.mail.message import Peer

_UNSAFE = dict.fromkeys(range(33), "?") | dict.fromkeys(b'()<>\\;"\x7f', "?")
_HOPS = b"\nreceived:"


def with_protocol(peer: Peer, *, smtputf8: bool) -> str:
    """Name the protocol for the ``with`` clause (RFC 3848, RFC 6531 section 4.3)."""
    if peer.protocol:
        return _plain(peer.protocol)
    if peer.service == "lmtp":
        name = "UTF8LMTP" if smtputf8 else "LMTP"
    elif smtputf8:
        name = "UTF8SMTP"
    elif peer.is_extended:
        name = "ESMTP"
    else:
        return "SMTP"
    return name + ("S" if peer.tls else "") + ("A" if peer.account else "")


def received_field(
    peer: Peer, *, hostname: str, queue_id: str, only_recipient: Mailbox | None, smtputf8: bool, now: float
) -> bytes:
    """Make the Received field with its CRLF; the ``for`` clause only where it tells nobody about others (RFC 5321 7.6)."""
    hello = _plain(peer.hello) or "unknown"
    tcp_info = f" ({_literal(peer.address)})" if peer.address else ""
    if peer.user:
        tcp_info += f" (local user {_plain(peer.user)})"
    protocol = with_protocol(peer, smtputf8=smtputf8)
    channel = f"\r\n\t({peer.tls})" if peer.tls else ""
    lines = [f"Received: from {hello}{tcp_info}", f"by {hostname} with {protocol}{channel} id {queue_id}"]
    if only_recipient is not None:
        recipient = str(only_recipient)
        if smtputf8 or recipient.isascii():
            lines.append(f"for <{recipient}>")
    text = "\r\n\t".join(lines) + f";\r\n\t{_date(now)}\r\n"
    return text.encode("utf-8")


def count_hops(header: bytes) -> int:
    """Count the Received fields of a header (or of the first block of a content, cut at the header's end)."""
    end = header.find(b"\r\n\r\n")
    section = b"\n" + (header if end < 0 else header[: end + 2])
    return section.lower().count(_HOPS)


def _plain(text: str) -> str:
    """Make a peer's word harmless inside a field."""
    return text.translate(_UNSAFE).encode("ascii", "replace").decode("ascii")[:255]


def _literal(address: str) -> str:
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


_last_date = (-1, "")


def _date(now: float) -> str:
    """Format the date once a second: it is the dearest part of a trace field."""
    global _last_date  # noqa: PLW0603 - a cache of one value
    second = int(now)
    if _last_date[0] != second:
        _last_date = (second, formatdate(second, localtime=True))
    return _last_date[1]
