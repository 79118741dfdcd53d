"""Reads replies out of the octets of a peer that need not mean well (RFC 5321 section 4.2).

A reply is one line ``250 text`` or several, ``250-text`` and at last ``250 text``. The code of the last line counts.
Line ends without CR are understood. Lines, and lines of one reply, are bounded; whatever is not a reply is a
``Garbled`` value, and after it nothing more is read, since nobody knows any longer what answers what.
"""

import functools
import re

from attrs import frozen

from mailnode.mail.reply import Reply, Status

LINE_LIMIT = 2048
"""Octets of one line; RFC 5321 4.5.3.1.5 allows 512, long EHLO lines and friendly texts exist."""

LINES_LIMIT = 128
"""Lines of one reply."""

REPLY_LIMIT = 16384
"""Octets of one reply: it is kept for each recipient, in memory and in the spool, and stands in reports and the log."""

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
_STATUS = re.compile(r"([245])\.([0-9]{1,3})\.([0-9]{1,3})(?:[ \t]+|$)", re.ASCII)


@frozen
class Garbled:
    """What came is no reply."""

    why: str
    """A few words for the log and the outcome, such as ``"a line is too long"``."""


class ReplyReader:
    """Takes octets, gives replies; keeps at most one unfinished reply."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[bytes] = []
        self._octets = 0
        self._is_over = False

    def receive(self, octets: bytes) -> list[Reply | Garbled]:
        """Give the replies that are complete by now; a Garbled is the last there ever is."""
        found: list[Reply | Garbled] = []
        if self._is_over:
            return found
        *lines, self._rest = (self._rest + octets).split(b"\n")
        for line in lines:
            reply = self._take(line.removesuffix(b"\r"))
            if reply is not None:
                found.append(reply)
            if isinstance(reply, Garbled):
                return found
        if len(self._rest) > LINE_LIMIT:
            found.append(self._garbled("a line without end"))
        return found

    def _take(self, line: bytes) -> Reply | Garbled | None:
        if len(line) > LINE_LIMIT:
            return self._garbled("a line is too long")
        if line[3:4] == b"-":
            return self._collect(line)
        if not self._lines:
            return _single(line) or self._garbled("a line without a reply code")
        lines, self._lines, self._octets = [*self._lines, line], [], 0
        return reply_of(lines) or self._garbled("a line without a reply code")

    def _collect(self, line: bytes) -> Garbled | None:
        if not line[:3].isdigit():
            return self._garbled("a line without a reply code")
        self._lines.append(line)
        self._octets += len(line)
        if len(self._lines) >= LINES_LIMIT or self._octets > REPLY_LIMIT:
            return self._garbled("a reply without end")
        return None

    def _garbled(self, why: str) -> Garbled:
        self._is_over = True
        self._rest = b""
        self._lines = []
        return Garbled(why)


@functools.lru_cache(maxsize=128)
def _single(line: bytes) -> Reply | None:
    # Peers say the same few lines all day; the cache is bounded by LINE_LIMIT times its size.
    return reply_of([line])


def reply_of(lines: list[bytes]) -> Reply | None:
    """Read the lines of one reply, without their ends; None if one of them has no code."""
    texts: list[str] = []
    code = b""
    status: Status | None = None
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is None:
            return None
        code = found[1]
        status, text = _split(code, found[3] or b"")
        texts.append(text)
    return Reply(int(code), tuple(texts), status)


def _split(code: bytes, octets: bytes) -> tuple[Status | None, str]:
    """Part the enhanced status from the text; its class must be the code's (RFC 2034 section 4)."""
    text = _printable(octets.decode("utf-8", "replace"))
    found = _STATUS.match(text)
    if found is None or found[1] != chr(code[0]):
        return None, text
    return Status(int(found[1]), int(found[2]), int(found[3])), text[found.end() :]


def _printable(text: str) -> str:
    """Replace what would play tricks in a log or on a terminal."""
    text = text.rstrip().replace("\t", " ")
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
