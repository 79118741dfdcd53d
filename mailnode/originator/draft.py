"""A draft: a message as its author left it, and how it is made fit to travel (RFC 6409 section 8).

Addresses are kept as they were typed until it is known which domain those without one belong to, which only the node knows
for certain. ``sealed`` then makes the envelope and completes the header section.
"""

from collections.abc import Iterable, Sequence
from typing import BinaryIO

from attrs import field, frozen

from mailnode.mail.address import NULL, AddressFault, Mailbox, parse_mailbox
from mailnode.mail.addresslist import read_list
from mailnode.mail.completion import Completion, completed, fields_of, header_end
from mailnode.mail.envelope import Body, Envelope, Notify, Recipient, Return
from mailnode.originator.receipt import USAGE, BadDraft

BLOCK = 1 << 16
LONGEST_HEADER = 1 << 20
"""Octets of a header section that is completed; what has a longer one goes as it is."""

_WANTED = (b"to", b"cc", b"bcc")


@frozen
class Draft:
    """A message that has not been handed over."""

    sender: str
    """The address it is sent from, with a domain or without; empty for the null reverse-path."""
    recipients: tuple[str, ...]
    """Addresses, each with a domain or without."""
    content: BinaryIO = field(eq=False)
    """The message, with CRLF line ends; it is read from its beginning, and more than once."""
    notify: Notify = Notify.UNSPECIFIED
    returns: Return = Return.UNSPECIFIED
    envelope_id: str = ""
    full_name: str = ""
    """The author's name, for a From that is missing."""


@frozen
class Sealed:
    """A message that is fit to travel."""

    envelope: Envelope
    """With its recipients."""
    start: bytes
    """The beginning of the content, header section and all; the rest of the file follows."""


def sealed(draft: Draft, *, domain: str, date: str, message_id: str) -> Sealed:
    """Make a draft fit to travel; leaves ``draft.content`` where the rest begins. Raises BadDraft.

    ``domain`` is for addresses that have none, ``date`` and ``message_id`` for a header that has none.
    """
    sender = address_of(draft.sender, domain) if draft.sender else NULL
    recipients = tuple(dict.fromkeys(address_of(one, domain) for one in draft.recipients))
    if not recipients:
        raise BadDraft("there is no recipient", code=USAGE)
    is_international = any(one.needs_smtputf8 for one in (sender, *recipients))
    envelope = Envelope(
        sender, tuple(Recipient(one, draft.notify) for one in recipients), draft.envelope_id, draft.returns,
        Body.EIGHT_BIT_MIME, is_international,
    )  # fmt: skip
    start, is_whole = header_of(draft.content)
    if is_whole:
        author = sender if sender != NULL else Mailbox("MAILER-DAEMON", domain)
        start = completed(start, Completion(date, message_id, author, domain, draft.full_name))
    return Sealed(envelope, start)


def address_of(written: str, domain: str) -> Mailbox:
    """Read an address of a draft, which gets ``domain`` if it has none; raises BadDraft."""
    bare = written.strip().removeprefix("<").removesuffix(">")
    try:
        return parse_mailbox(bare)
    except AddressFault as fault:
        try:
            return parse_mailbox(f"{bare}@{domain}")
        except AddressFault:
            raise BadDraft(f"{written!r} is not an address: {fault}") from None


def header_of(content: BinaryIO) -> tuple[bytes, bool]:
    """Read the content up to some place behind its header section; the second tells whether there was an end to it."""
    content.seek(0)
    start = b""
    while len(start) <= LONGEST_HEADER:
        block = content.read(BLOCK)
        start += block
        if not block or header_end(start) >= 0:
            return start, True
    return start, False


def listed(written: Iterable[str]) -> tuple[str, ...]:
    """Take addresses out of what was typed, lists with commas, names and brackets too; raises BadDraft."""
    return tuple(spec for text in written for spec in _specs(text.encode("utf-8", "surrogateescape")))


def recipients_in(content: BinaryIO) -> tuple[str, ...]:
    """Take the recipients out of To, Cc and Bcc, or where the message is sent on anew, of Resent-To and its like.

    Raises BadDraft for a field that is no list of addresses.
    """
    fields = fields_of(header_of(content)[0])
    resent = tuple(b"resent-" + name for name in _WANTED)
    wanted = resent if any(field.name in resent for field in fields) else _WANTED
    return tuple(spec for field in fields if field.name in wanted for spec in _specs(field.value))


def sender_in(content: BinaryIO) -> str:
    """Take the sender out of Sender, or else From, or their Resent- twins; raises BadDraft when there is none or several."""
    fields = fields_of(header_of(content)[0])
    for name in (b"resent-sender", b"resent-from", b"sender", b"from"):
        found = [spec for field in fields if field.name == name for spec in _specs(field.value)]
        if len(found) == 1:
            return found[0]
    raise BadDraft("there is no single sender in the header, and none was named")


def _specs(value: bytes) -> Sequence[str]:
    found = read_list(value)
    if found is None:
        raise BadDraft(f"{value.decode('utf-8', 'replace').strip()!r} is no list of addresses")
    try:
        return [one.spec.decode() for one in found.addresses]
    except UnicodeDecodeError:
        raise BadDraft(f"{value.decode('utf-8', 'replace').strip()!r} is not UTF-8") from None


__all__ = ["Draft", "Sealed", "address_of", "header_of", "listed", "recipients_in", "sealed", "sender_in"]
