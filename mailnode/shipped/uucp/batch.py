"""A message as part of a batch, and what stands around the parts (RFC 2442 section 2, RFC 5321 section 4.1.1)."""

from collections.abc import Sequence

from attrs import evolve

from mailnode.gateways.api import Failed, Mailbox, OutgoingMessage, OutgoingRecipient, Trouble
from mailnode.mail.envelope import Body
from mailnode.smtp.asking import mail_line, rcpt_line
from mailnode.smtp.peeroffer import PeerOffer
from mailnode.smtp.sending import stuffed

BEHIND = b"QUIT\r\n"
"""The end of a batch."""


def before(hostname: str, offer: PeerOffer) -> bytes:
    """Write the beginning of a batch: EHLO where the reader knows extensions."""
    return f"{'EHLO' if offer.has_size else 'HELO'} {hostname}\r\n".encode()


def offer_of(*, extended: bool, dsn: bool) -> PeerOffer:
    """Say what the reader of a batch understands: nothing but RFC 821, or SIZE, 8BITMIME and SMTPUTF8, and DSN."""
    return PeerOffer(eight_bit=extended, smtputf8=extended, has_size=extended, dsn=extended and dsn)


def part(
    message: OutgoingMessage, recipients: Sequence[OutgoingRecipient], paths: Sequence[Mailbox], offer: PeerOffer
) -> bytes:
    """Write a message for these recipients, whose addresses are now ``paths``; Trouble when it cannot be written."""
    octets = message.octets()
    # What is no ASCII goes as it is to a reader of RFC 821 too: files and UUCP keep all eight bits.
    body = Body.EIGHT_BIT_MIME if offer.eight_bit and not octets.isascii() else Body.SEVEN_BIT
    is_utf8 = offer.smtputf8 and any(one.needs_smtputf8 for one in (message.sender, *paths))
    try:
        lines = [mail_line(message.envelope, offer, size=len(octets), body=body, smtputf8=is_utf8)]
        for one, path in zip(recipients, paths, strict=True):
            lines.append(rcpt_line(evolve(one.recipient, forward_path=path), offer, smtputf8=is_utf8))
    except ValueError as problem:
        raise Trouble(Failed(f"it cannot be written into a batch: {problem}", "5.6.7")) from problem
    return b"".join(lines) + b"DATA\r\n" + stuffed(octets)
