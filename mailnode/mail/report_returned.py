"""What a report gives back of the message: all of it, or its header (RFC 3461 section 4.3, RFC 6522 section 4).

A part of type ``message/*`` must hold the octets as they are, so a whole message goes back only where its lines can travel
in a message: no lone CR or LF, no NUL, no line beyond 998 octets. A header goes back always, in quoted-printable
when need be.
"""

import re

from attrs import frozen

from mailnode.mail.content import Content
from mailnode.mail.transfer import quoted_printable

MOST_HEADER = 65536
"""Octets of a header that are given back; the rest of a longer one is left out."""

_LONG_LINE = re.compile(rb"[^\n]{1000}")
_LONE_ENDS = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_ANY_END = re.compile(rb"\r\n|\r|\n")


@frozen
class Returned:
    """Octets of the message a report is about."""

    octets: bytes
    is_whole: bool
    """It is the message; else its header only, without the empty line."""


def take_returned(content: Content, *, whole_up_to: int) -> Returned:
    """Read what to give back: the whole up to that many octets, if it can travel, else the header.

    Reads the disk when the content has a file: OSError and EOFError come as they are.
    """
    if content.size <= whole_up_to:
        octets = content.read()
        if _can_travel(octets):
            return Returned(octets, is_whole=True)
        return Returned(_header_of(octets), is_whole=False)
    start = b""
    for block in content.blocks():
        start += block
        if b"\r\n\r\n" in start or len(start) > MOST_HEADER:
            break
    return Returned(_header_of(start), is_whole=False)


def returned_part(returned: Returned, *, is_utf8: bool) -> bytes:
    """Write the third part of a report; for an SMTPUTF8 message with the types of RFC 6533 where they are needed."""
    octets = returned.octets
    if returned.is_whole:
        kind = "message/global" if is_utf8 and not octets.isascii() else "message/rfc822"
        return _part(kind, "7bit" if octets.isascii() else "8bit", octets)
    octets = _ANY_END.sub(b"\r\n", octets)
    if is_utf8 and not octets.isascii() and _can_travel(octets):
        return _part("message/global-headers", "8bit", octets)
    if octets.isascii() and _can_travel(octets):
        return _part("text/rfc822-headers", "7bit", octets)
    return _part("text/rfc822-headers", "quoted-printable", quoted_printable(octets))


def _header_of(octets: bytes) -> bytes:
    if octets.startswith(b"\r\n"):
        return b""
    end = octets.find(b"\r\n\r\n")
    if 0 <= end <= MOST_HEADER:
        return octets[: end + 2]
    return octets if len(octets) <= MOST_HEADER else octets[: octets.rfind(b"\n", 0, MOST_HEADER) + 1]


def _can_travel(octets: bytes) -> bool:
    return b"\0" not in octets and _LONG_LINE.search(octets) is None and _LONE_ENDS.search(octets) is None


def _part(kind: str, encoding: str, octets: bytes) -> bytes:
    header = (
        f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\nContent-Description: Your message\r\n\r\n"
    )
    return header.encode() + octets
