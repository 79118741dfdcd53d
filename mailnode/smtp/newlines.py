"""Watches over the line ends of content: CR and LF only together, lines not too long (RFC 5321 2.3.8, 4.5.3.1.6).

Works on blocks with ``count``, ``replace`` and ``rfind``, never line by line. A block handed in must not end between a
CR and what follows it; the readers see to that by holding a CR back.
"""

from mailnode.mail.reply import Reply
from mailnode.smtp import replies
from mailnode.smtp.settings import BareNewlines


class LineEnds:
    """Checks the blocks of one content, or repairs them."""

    __slots__ = ("_line", "_max_line", "_repairs", "fault")

    def __init__(self, mode: BareNewlines, max_line: int) -> None:
        self.fault: Reply | None = None
        """The first thing found wrong."""
        self._repairs = mode == "repair"
        self._max_line = max_line
        self._line = 0

    def passed(self, block: bytes) -> bytes:
        """Give the block, repaired if that is wanted; nothing any more once there is a fault."""
        pairs = block.count(b"\r\n")
        if block.count(b"\n") != pairs or block.count(b"\r") != pairs:
            if self._repairs:
                block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
            else:
                self.fault = self.fault or replies.BARE_NEWLINE
        if self._max_line and self._has_long_line(block):
            self.fault = self.fault or replies.TEXT_LINE_TOO_LONG
        return b"" if self.fault else block

    def _has_long_line(self, block: bytes) -> bool:
        """Go from line end to line end in leaps of the longest line allowed."""
        window = self._max_line + 2
        start = -self._line
        while len(block) - start >= window:
            end = block.rfind(b"\n", max(start, 0), start + window)
            if end < 0:
                return True
            start = end + 1
        last = block.rfind(b"\n", max(start, 0))
        self._line = len(block) - (start if last < 0 else last + 1)
        return self._line > self._max_line + 1
