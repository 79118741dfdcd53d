"""The client's MAIL and RCPT lines, with the parameters that this peer understands.

SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), RET, ENVID, NOTIFY and ORCPT (RFC 3461). ORCPT goes along when the
message came with one. It is never made up: RFC 3461 section 5.2.1 lets it be made only from the address that the RCPT
command had when the message came in, and by now aliases may have changed it.
"""

import re

from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.envelope import Body, Envelope, Notify, Recipient, Return
from mailnode.smtp.peeroffer import PeerOffer
from mailnode.smtp.xtext import encode_utf8_address, encode_xtext

_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")
_OFFERED_AS = {"BY": "DELIVERBY"}
"""Parameters whose extension bears another name (RFC 2852)."""
_NOTIFY = {Notify.SUCCESS: "SUCCESS", Notify.FAILURE: "FAILURE", Notify.DELAY: "DELAY"}


def plain(mailbox: Mailbox) -> Mailbox:
    """Write the address without UTF-8: the domain in A-labels; ValueError when the local part needs UTF-8 (RFC 6531 3.2)."""
    if not mailbox.local_part.isascii():
        raise ValueError("the local part needs SMTPUTF8")
    return mailbox if mailbox.domain.isascii() else Mailbox(mailbox.local_part, mailbox.ascii_domain)


def mail_line(envelope: Envelope, offer: PeerOffer, *, size: int, body: Body, smtputf8: bool) -> bytes:
    """Write MAIL for content of ``size`` octets as it will be sent; ValueError when the address cannot be written."""
    parts = [f"MAIL FROM:{_path(envelope.reverse_path, smtputf8=smtputf8)}"]
    if offer.has_size:
        parts.append(f"SIZE={size}")
    if body is not Body.SEVEN_BIT:
        parts.append(f"BODY={body.value}")
    if smtputf8:
        parts.append("SMTPUTF8")
    if offer.dsn:
        if envelope.returns is not Return.UNSPECIFIED:
            parts.append(f"RET={envelope.returns.value}")
        if envelope.envelope_id:
            parts.append(f"ENVID={encode_xtext(envelope.envelope_id)}")
    for keyword, value in envelope.extra:
        if _OFFERED_AS.get(keyword, keyword.upper()) in offer.keywords:
            parts.append(f"{keyword}={value}" if value else keyword)
    return _line(parts)


def rcpt_line(recipient: Recipient, offer: PeerOffer, *, smtputf8: bool) -> bytes:
    """Write RCPT; ValueError when the address cannot be written."""
    parts = [f"RCPT TO:{_path(recipient.forward_path, smtputf8=smtputf8)}"]
    if offer.dsn:
        if recipient.notify is not Notify.UNSPECIFIED:
            parts.append(f"NOTIFY={_notify(recipient.notify)}")
        if recipient.original:
            parts.append(f"ORCPT={_original(recipient.original, smtputf8=smtputf8)}")
    return _line(parts)


def _path(mailbox: Mailbox, *, smtputf8: bool) -> str:
    if mailbox == NULL:
        return "<>"
    return f"<{mailbox if smtputf8 else plain(mailbox)}>"


def _notify(notify: Notify) -> str:
    if Notify.NEVER in notify:
        return "NEVER"
    return ",".join(word for flag, word in _NOTIFY.items() if flag in notify)


def _original(original: str, *, smtputf8: bool) -> str:
    """Encode the address behind its type; UTF-8 in one of two ways (RFC 6533 section 3)."""
    kind, _, address = original.partition(";")
    if kind.lower() != "utf-8":
        return f"{kind};{encode_xtext(address)}"
    return f"{kind};{encode_utf8_address(address, smtputf8=smtputf8)}"


def _line(parts: list[str]) -> bytes:
    line = " ".join(parts)
    if _UNSAFE.search(line):
        # Addresses and parameters came from strangers: one CR LF in them would be a command of theirs.
        raise ValueError("a control character in an address or a parameter")
    return line.encode() + b"\r\n"
