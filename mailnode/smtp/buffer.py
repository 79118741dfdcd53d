"""Octets that came in and were not used yet; command lines are cut from here (RFC 5321 2.3.8, 4.5.3.1.4).

A command line ends with CRLF and with nothing else. A line too long for the limit is thrown away up to its end in
constant memory and answered once. A CR or LF that stands alone is answered when it is seen, and the rest of its line
thrown away, so that whatever a peer hides behind it never becomes a command.

Strategy: what is being read is one ``bytes`` with a position, so that nothing is copied while lines are cut off its
front, and what was searched is not searched again. Octets that come while others wait are kept apart and joined only
when they are needed: a paused machine costs the same however small the pieces are.
"""

import enum


class BadLine(enum.Enum):
    """Why there is no line where one ended."""

    TOO_LONG = enum.auto()
    BARE_NEWLINE = enum.auto()


class InputBuffer:
    """Everything received and not used."""

    __slots__ = ("_at", "_limit", "_octets", "_repairs", "_searched", "_skip", "_skipping", "_waiting")

    def __init__(self, max_line: int, *, repairs_newlines: bool = False) -> None:
        self._limit = max_line
        self._repairs = repairs_newlines
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._octets = b""
        self._at = 0
        self._searched = 0
        self._waiting = bytearray()
        self._skip: BadLine | None = None
        self._skipping = False

    def limit_lines(self, max_line: int) -> None:
        """Take command lines of up to ``max_line`` octets from now on, their CRLF included."""
        self._limit = max_line

    def __len__(self) -> int:
        """Count the octets that wait."""
        return len(self._octets) - self._at + len(self._waiting)

    def feed(self, octets: bytes) -> None:
        """Take what was received."""
        if self._at >= len(self._octets) and not self._waiting:
            self._octets = octets
            self._at = self._searched = 0
        else:
            self._waiting += octets

    def _join(self) -> bool:
        """Bring in what waits; tell whether there was anything."""
        if not self._waiting:
            return False
        self._searched -= self._at
        self._octets = self._octets[self._at :] + self._waiting
        self._at = 0
        self._waiting.clear()
        return True

    # --- lines ------------------------------------------------------------------------------------------------

    def take_line(self) -> bytes | BadLine | None:
        """Give the next line without its end, or what was wrong with it; None when there is no whole line yet."""
        while True:
            end = self._octets.find(b"\n", self._searched)
            if end >= 0:
                line = self._cut(end)
                if line is not None:
                    return line
            elif not self._join():
                self._keep_rest()
                return None

    def _cut(self, end: int) -> bytes | BadLine | None:
        """Cut at the LF at ``end``; None if no line or fault comes of it."""
        start = self._at
        is_crlf = end > start and self._octets[end - 1] == 13
        if not is_crlf and not self._repairs:
            return self._bare_newline(end)
        self._at = self._searched = end + 1
        if self._skipping:
            return self._skipped()
        if end + 1 - start > self._limit:
            return BadLine.TOO_LONG
        return self._octets[start : end - 1 if is_crlf else end]

    def _bare_newline(self, end: int) -> BadLine | None:
        """Answer a lone LF, once a line, and skip what follows it."""
        self._at = self._searched = end + 1
        was_told = self._skipping and self._skip is None
        self._skipping, self._skip = True, None
        return None if was_told else BadLine.BARE_NEWLINE

    def _skipped(self) -> BadLine | None:
        """End the skipping."""
        fault, self._skip, self._skipping = self._skip, None, False
        return fault

    def _keep_rest(self) -> None:
        """Remember what was searched; of a line that is skipped or too long keep only a CR that may begin its end."""
        length = len(self._octets)
        if not self._skipping and length - self._at > self._limit:
            self._skipping, self._skip = True, BadLine.TOO_LONG
        if self._skipping and length - self._at > 1:
            self._octets = self._octets[-1:]
            self._at = 0
            length = 1
        self._searched = length

    # --- blocks -----------------------------------------------------------------------------------------------

    def peek(self, count: int) -> bytes:
        """Show the next ``count`` octets, or as many as there are."""
        if len(self._octets) - self._at < count:
            self._join()
        return self._octets[self._at : self._at + count]

    def take(self, count: int) -> bytes:
        """Give the next ``count`` octets, or as many as there are."""
        self._join()
        taken = self._octets[self._at : self._at + count] if self._at or count < len(self._octets) else self._octets
        self._at += len(taken)
        self._searched = self._at
        return taken

    def take_through(self, mark: bytes) -> tuple[bytes, bool]:
        """Give all up to and with the first ``mark``, and True; or all there is, and False."""
        end = self._octets.find(mark, self._at)
        if end < 0 and self._join():
            end = self._octets.find(mark, self._at)
        if end < 0:
            return self.take(len(self._octets) - self._at), False
        return self.take_now(end + len(mark) - self._at), True

    def take_now(self, count: int) -> bytes:
        """Give the next ``count`` octets of those already joined."""
        start = self._at
        self._at = self._searched = start + count
        return self._octets[start : self._at]
