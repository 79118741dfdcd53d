"""What final delivery does to the content: fields on top, line ends, the look for a loop (RFC 5321 sections 4.4, 6.3).

``Return-Path:`` and ``Delivered-To:`` go before everything else. A ``Return-Path:`` that the message brings along stays
where it is: the topmost is the one that counts, and what was signed stays unchanged.

A message whose header already has a ``Delivered-To:`` with this very address has been in this mailbox's hands before
(a forward that comes back). Only the header is read, and of it not more than HEADER_LIMIT octets.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from mailnode.mail.address import Mailbox
from mailnode.mail.content import Content

HEADER_LIMIT = 262144
"""Octets of the header in which a loop is looked for."""

_DELIVERED_TO = re.compile(rb"^delivered-to[ \t]*:([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)", re.IGNORECASE | re.MULTILINE)
_BLANK_LINE = re.compile(rb"(?:\A|\r?\n)\r?\n")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def delivery_fields(reverse_path: Mailbox, forward_path: Mailbox) -> bytes:
    """Give the two fields of final delivery, with CRLF."""
    return f"Return-Path: <{_safe(reverse_path)}>\r\n".encode(errors="replace") + delivered_to_field(forward_path)


def delivered_to_field(address: Mailbox) -> bytes:
    """Give the field that says whose hands the message was in, with CRLF."""
    return f"Delivered-To: {_safe(address)}\r\n".encode(errors="replace")


def unix_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Turn each CRLF into LF, also one that lies across two blocks; a CR or LF alone stays as it is."""
    held = b""
    for block in blocks:
        whole = held + block if held else block
        held = b""
        if whole.endswith(b"\r"):
            whole, held = whole[:-1], b"\r"
        yield whole.replace(b"\r\n", b"\n")
    if held:
        yield held


def delivered_to(content: Content) -> frozenset[str]:
    """Collect the addresses of the header's ``Delivered-To:`` fields, folded; may read the disk."""
    if content.path is None and b"delivered-to" not in content.head[: content.head.find(b"\r\n\r\n")].lower():
        return frozenset()  # nearly always; the header may end earlier still, but not later
    found = _DELIVERED_TO.findall(_header(content))
    return frozenset(_key(b"".join(value.split()).decode(errors="replace")) for value in found)


def has_been_at(forward_path: Mailbox, addresses: frozenset[str]) -> bool:
    """Tell whether ``addresses``, from ``delivered_to``, hold this one."""
    return bool(addresses) and _key(_safe(forward_path)) in addresses


def _header(content: Content) -> bytes:
    taken = bytearray()
    for block in content.blocks():
        seam = max(0, len(taken) - 3)
        taken += block
        end = _BLANK_LINE.search(taken, seam)
        if end is not None:
            return bytes(taken[: min(end.start(), HEADER_LIMIT)])
        if len(taken) >= HEADER_LIMIT:
            break
    return bytes(taken[:HEADER_LIMIT])


def _key(address: str) -> str:
    return "".join(address.split()).lower()


@lru_cache(maxsize=4096)
def _safe(mailbox: Mailbox) -> str:
    return _CONTROL.sub("?", str(mailbox))
