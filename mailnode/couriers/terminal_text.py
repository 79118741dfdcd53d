"""What a terminal gets of a message: plain text that cannot command it.

A terminal obeys control characters and escape sequences, and some answer them as if the user had typed. So nothing but
visible characters and blanks gets through, in lines of bounded length that end with CRLF. A terminal that does not
speak UTF-8 gets ASCII only: there an octet of a character of UTF-8 may itself be a control (C1, 0x80 to 0x9f).
"""

import unicodedata
from collections.abc import Iterator
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from textwrap import wrap

from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.transfer import MAX_TYPE

WIDTH = 78
"""Characters of a line."""

_UNREADABLE = "(there is no text that can be shown)"
_LEFT_OUT = "(the rest is left out)"


def compose(content: bytes, *, sender: Mailbox, hostname: str, clock: str, is_utf8: bool, limit: int) -> bytes:
    """Write what is shown: who it is from, the subject, the text; at most ``limit`` octets of that, in whole lines.

    ``clock`` is the time of day; ``content`` may end anywhere.
    """
    name = "<>" if sender == NULL else str(sender)
    lines = ["", f"Message from {name} by {hostname} at {clock} ...", *_shown(content), "EOF"]
    return _bounded((_clean(line, is_utf8=is_utf8) for line in lines), limit)


def _shown(content: bytes) -> Iterator[str]:
    try:
        message = message_from_bytes(content)
        subject, text = _subject(message), _text(message)
    except Exception:  # noqa: BLE001 - hostile messages break the parser in many ways
        subject, text = "", _UNREADABLE
    if subject:
        yield f"Subject: {subject}"
    for line in text.splitlines():
        yield from wrap(line.expandtabs(), WIDTH, replace_whitespace=False, drop_whitespace=False) or [""]


def _subject(message: Message) -> str:
    """Give the subject, decoded, on one line."""
    return " ".join(str(make_header(decode_header(message.get("Subject", "")))).split())


def _text(message: Message) -> str:
    """Give the first plain part of the message."""
    for part in message.walk():
        if len(part.get("Content-Type", "")) > MAX_TYPE:
            return _UNREADABLE
        if part.get_content_type() == "text/plain":
            payload = part.get_payload(decode=True)
            charset = part.get_content_charset() or "utf-8"
            return payload.decode(charset, "replace") if isinstance(payload, bytes) else _UNREADABLE
    return _UNREADABLE


def _clean(line: str, *, is_utf8: bool) -> str:
    """Make a line harmless: controls, format characters and what the terminal cannot show become question marks."""
    if not is_utf8:
        line = unicodedata.normalize("NFKD", line)
        line = "".join(char for char in line if not unicodedata.combining(char))
    return "".join(char if char.isprintable() and (is_utf8 or char.isascii()) else "?" for char in line)


def _bounded(lines: Iterator[str], limit: int) -> bytes:
    said, size = [], 0
    for line in lines:
        octets = line.encode("utf-8", "replace") + b"\r\n"
        size += len(octets)
        if size > limit:
            said.append(_LEFT_OUT.encode() + b"\r\n")
            break
        said.append(octets)
    return b"".join(said)
