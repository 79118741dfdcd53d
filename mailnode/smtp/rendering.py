"""A reply becomes octets (RFC 5321 4.2, 4.2.1; RFC 2034 section 4; RFC 6531 3.7.4.2).

Every line carries the code and, where there is one, the enhanced status. Whatever the text holds, it cannot end a
line or begin another: control characters become blanks. A line has at most 512 octets with its CRLF (4.5.3.1.5); what
is longer goes on in a line of its own.
"""

from collections.abc import Iterator, Sequence

from mailnode.mail.reply import Reply

MAX_REPLY_LINE = 512
"""Octets of a reply line with its CRLF (RFC 5321 4.5.3.1.5)."""

_WITHOUT_STATUS = frozenset({220, 334, 354})


def render(reply: Reply, *, with_status: bool = True, utf8: bool = False) -> bytes:
    """Write a reply; without ``utf8`` what is not ASCII is written as an escape."""
    status = f"{reply.status} " if reply.status and with_status and reply.code not in _WITHOUT_STATUS else ""
    if len(reply.lines) == 1:
        text = reply.lines[0]
        if len(text) < MAX_REPLY_LINE - 20 and text.isascii() and text.isprintable():
            return f"{reply.code} {status}{text}\r\n".encode("ascii")
    return _render_lines(str(reply.code), status, reply.lines, utf8=utf8)


def _render_lines(code: str, status: str, lines: Sequence[str], *, utf8: bool) -> bytes:
    room = MAX_REPLY_LINE - len(code) - 1 - len(status) - 2
    texts = [piece for line in lines for piece in _pieces(_octets(line, utf8=utf8), room)]
    start = [f"{code}-{status}".encode("ascii")] * (len(texts) - 1) + [f"{code} {status}".encode("ascii")]
    return b"".join(prefix + text + b"\r\n" for prefix, text in zip(start, texts, strict=True))


def _octets(line: str, *, utf8: bool) -> bytes:
    clean = line if line.isprintable() else "".join(c if c.isprintable() else " " for c in line)
    return clean.encode("utf-8" if utf8 else "ascii", "backslashreplace")


def _pieces(text: bytes, room: int) -> Iterator[bytes]:
    """Cut so that no piece has more than ``room`` octets and no character of UTF-8 is cut apart."""
    while len(text) > room:
        end = room
        while text[end] & 0xC0 == 0x80:
            end -= 1
        yield text[:end]
        text = text[end:]
    yield text
