"""The header of a post as octets: fields taken out, fields put on top, the body untouched (RFC 2369, RFC 2919)."""

from collections.abc import Collection, Sequence
from email.header import Header, decode_header, make_header
from email.message import Message
from email.utils import getaddresses

from mailnode.gateways.api import header_line, parse_mailbox

NOT_PASSED_ON = frozenset(
    b"list-id list-post list-help list-subscribe list-unsubscribe list-unsubscribe-post list-owner list-archive precedence"
    b" return-path errors-to return-receipt-to disposition-notification-to x-confirm-reading-to bcc resent-bcc".split()
)
"""Other lists' fields, and such that would make members' programs answer."""


def parted(octets: bytes) -> tuple[list[bytes], bytes]:
    """Part a message into fields, each with its folded lines and line end, and the rest from the empty line on."""
    fields: list[bytes] = []
    start = 0
    while start < len(octets):
        end = octets.find(b"\n", start) + 1 or len(octets)
        line = octets[start:end]
        if line in (b"\r\n", b"\n"):
            break
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1] += line
        else:
            fields.append(line)
        start = end
    return fields, octets[start:] or b"\r\n"


def name_of(field: bytes) -> bytes:
    """Give a field's name in small letters."""
    return field.partition(b":")[0].strip().lower()


def without(fields: Sequence[bytes], names: Collection[bytes]) -> list[bytes]:
    """Leave out fields of these names."""
    return [field for field in fields if name_of(field) not in names]


def prefixed(fields: Sequence[bytes], prefix: str) -> list[bytes]:
    """Put a prefix before the subject, unless it is in it."""
    made, has_subject = [], False
    # The blank is part of an encoded word, for one between two of them does not count (RFC 2047 section 6.2).
    written = (f"{prefix} " if prefix.isascii() else f"{Header(f'{prefix} ', 'utf-8').encode()} ").encode()
    for field in fields:
        if name_of(field) == b"subject" and not has_subject:
            has_subject = True
            value = field.partition(b":")[2]
            if prefix.lower() not in readable(value.decode("utf-8", "replace")).lower():
                field = b"Subject: " + written + value.lstrip(b" \t")
        made.append(field)
    return made if has_subject else [*made, b"Subject: " + written + b"\r\n"]


def line(name: str, value: str) -> bytes:
    """Write a field."""
    return f"{name}: {header_line(value)}\r\n".encode()


def phrase(text: str) -> str:
    """Write words so that they may stand before an address."""
    if not text:
        return ""
    if text.isascii():
        quoted = header_line(text).replace("\\", "").replace('"', "'")
        return f'"{quoted}" '
    return f"{Header(header_line(text), 'utf-8', maxlinelen=900).encode()} "


def readable(value: object) -> str:
    """Decode a field's value as far as it can be."""
    try:
        text = str(make_header(decode_header(str(value))))
    except (ValueError, LookupError):
        text = str(value)
    return header_line(text)


def addresses_in(header: Message, name: str) -> list[str]:
    """Give the mail addresses of a field, as far as they are some, no more than ten."""
    try:
        pairs = getaddresses([str(value)[:5000] for value in header.get_all(name, [])[:3]])
    except (ValueError, IndexError, TypeError):
        return []
    return [address for _, address in pairs[:10] if is_address(address)]


def is_address(text: str) -> bool:
    """Tell whether mail can be sent there."""
    try:
        parse_mailbox(text)
    except ValueError:
        return False
    return len(text) < 255 and text.isprintable()
