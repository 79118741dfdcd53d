"""A body of message/rfc822 becomes a message. Pure; its envelope comes with the request, never out of the header.

Line ends of any kind become CRLF, so no dot and no bare newline can mean anything on the way. Date and Message-ID are added where
they are missing, as a submission server would (RFC 6409 section 8); everything else must be there and is left as it is.
"""

import re
from collections.abc import Mapping, Sequence
from email.parser import BytesHeaderParser
from email.policy import default as policy
from email.utils import formatdate
from typing import Any

from mailnode.gateways.api import Mailbox
from mailnode.shipped.http_inject.clients import NULL_PATH
from mailnode.shipped.http_inject.problems import Wrong
from mailnode.shipped.http_inject.values import MOST_RECIPIENTS, Posted, address

LONGEST = 998
"""Octets of a line without its end (RFC 5322 section 2.1.1)."""
MOST_HEADER = 262_144
LONGEST_AUTHORS = 4000
"""Characters of From or Sender; Python's parser takes long for long ones."""
_NEWLINE = re.compile(rb"\r\n|\r|\n")
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")


def read_raw(body: bytes, envelope: Mapping[str, Sequence[str]], *, now: float, message_id: str) -> Posted:
    """Read a body; ``envelope`` has ``from`` and ``to``. Raises Wrong."""
    sender, to = _sender(envelope.get("from", ())), _recipients(envelope.get("to", ()))
    if b"\0" in body:
        raise Wrong("malformed", f"octet {body.index(0)} is NUL")
    octets = _NEWLINE.sub(b"\r\n", body)
    if not octets.endswith(b"\r\n"):
        octets += b"\r\n"
    _check_lines(octets)
    header = _header(octets)
    if header.get("Bcc") is not None:
        raise Wrong("invalid", "a Bcc field would tell everybody; name those recipients in the envelope only")
    added = b"" if header.get("Date") is not None else f"Date: {formatdate(now)}\r\n".encode()
    if header.get("Message-ID") is None:
        added += f"Message-ID: {message_id}\r\n".encode()
    return Posted(added + octets, sender, to, _authors(header))


def _sender(given: Sequence[str]) -> Mailbox | None:
    if len(given) != 1:
        raise Wrong("invalid", "the envelope needs one from: ?from= or X-Mailnode-From")
    return None if given[0].strip() in ("", NULL_PATH) else address(given[0], "?from")


def _recipients(given: Sequence[str]) -> tuple[Mailbox, ...]:
    found = tuple(dict.fromkeys(address(one, "?to") for one in given))
    if not found:
        raise Wrong("invalid", "the envelope needs a recipient: ?to= or X-Mailnode-To")
    if len(found) > MOST_RECIPIENTS:
        raise Wrong("invalid", f"more than {MOST_RECIPIENTS} recipients")
    return found


def _check_lines(octets: bytes) -> None:
    for number, line in enumerate(octets.split(b"\r\n"), 1):
        if len(line) > LONGEST:
            raise Wrong("malformed", f"line {number} is longer than {LONGEST} octets (RFC 5322 section 2.1.1)")


def _header(octets: bytes) -> Any:
    """Check that there is a header, and give it."""
    end = octets.find(b"\r\n\r\n")
    if not 0 < end <= MOST_HEADER and (end > 0 or len(octets) > MOST_HEADER):
        raise Wrong("malformed", f"the header is longer than {MOST_HEADER} octets, or does not end")
    header = octets[: end + 2] if end > 0 else octets
    if not header.isascii():
        place = next(place for place, octet in enumerate(header) if octet > 127)
        raise Wrong("malformed", f"octet {place} of the header is not ASCII: write it as RFC 2047 says, or post JSON")
    for number, line in enumerate(header.split(b"\r\n")[:-1], 1):
        is_continued = number > 1 and line[:1] in (b" ", b"\t")
        if not is_continued and not _FIELD.match(line):
            raise Wrong("malformed", f"line {number} is no header field (RFC 5322 section 2.2)")
    return BytesHeaderParser().parsebytes(header)


def _authors(header: Any) -> tuple[tuple[str, Mailbox], ...]:
    """Give whom the message says it is from; it must say so, once and readably (RFC 5322 section 3.6)."""
    found: list[tuple[str, Mailbox]] = []
    for name, least in (("From", 1), ("Sender", 0)):
        given = header.get_all(name, [])
        if not least <= len(given) <= 1:
            raise Wrong("invalid", f"expected one {name} field, not {len(given)}")
        for value in given:
            found += [(name, address(one, name)) for one in _addresses(name, "".join(str(value).splitlines()))]
    return tuple(found)


def _addresses(name: str, value: str) -> list[str]:
    found: list[str] = []
    if len(value) <= LONGEST_AUTHORS:
        try:
            field: Any = policy.header_factory(name, value)
            found = [] if field.defects else [one.addr_spec for one in field.addresses]
        except Exception:  # noqa: BLE001 - a parser of hostile input raises what it likes
            found = []
    if not found:
        raise Wrong("malformed", f"the field {name} cannot be read")
    return found
