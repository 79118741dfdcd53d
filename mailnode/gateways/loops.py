"""Marks that end loops: who answers a machine, and how often a message went through gateways (RFC 3834, RFC 5321 6.3).

A message that a gateway brings in bears ``X-Mailnode-Gateway-Hop: NAME; MARK``; the mark is a count and our signature.
Whoever delivers it hands ``message.mark`` to the other side (a header of HTTP, a property of a broker's message, an
attribute of a stanza), and gives it back with what comes from there: so the count goes on. A forged mark is no mark. Where
the other side cannot carry one, the rate for each pair of sender and recipient ends a loop.
"""

from collections.abc import Iterable
from email.message import Message as Fields
from email.parser import BytesHeaderParser

from mailnode.gateways.tokens import Signer
from mailnode.mail.address import NULL, Mailbox

FIELD = "X-Mailnode-Gateway-Hop"
TRACE_FIELD = "Traceparent"
MOST_HEADER = 262_144
"""Octets of a header that are looked at."""


def read_header(start: bytes) -> Fields:
    """Read the header of a message from its first octets."""
    end = start.find(b"\r\n\r\n")
    return BytesHeaderParser().parsebytes(start[: MOST_HEADER if end < 0 else min(end + 4, MOST_HEADER)])


def is_automatic(header: Fields, reverse_path: Mailbox) -> bool:
    """Tell whether it is a bounce or a machine's answer: nothing that people should be sent in a chat (RFC 3834 section 2).

    Notices that a machine sends by itself (``auto-generated``) are what people want alarms for; those are not meant.
    """
    if reverse_path == NULL:
        return True
    word = str(header.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    return word in ("auto-replied", "auto-notified") or header.get_content_type() == "multipart/report"


def mark(hops: int, signer: Signer) -> str:
    """Write a mark for something that has passed through that many gateways."""
    return f"{hops}.{signer.mac('hop', str(hops))}"


def hops_of(marks: Iterable[str], signer: Signer) -> int:
    """Read the greatest count among marks; what we have not signed counts as nothing."""
    counts = [0]
    for text in marks:
        count, _, mac = text.strip().partition(".")
        if count.isascii() and count.isdigit() and len(count) < 5 and signer.is_ours("hop", count, mac):
            counts.append(int(count))
    return max(counts)


def marks_in(header: Fields) -> list[str]:
    """Give the marks that a message bears."""
    return [str(value).rpartition(";")[2] for value in header.get_all(FIELD, [])][:100]
