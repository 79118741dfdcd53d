"""Reads the content after DATA: finds its end, takes the stuffed dots out (RFC 5321 4.1.1.4, 4.5.2).

Only CRLF, dot, CRLF ends content. The first line counts as if a CRLF stood before it, so that ``.`` alone right after
354 is an empty content. Whatever else looks like an end (``LF . LF``, ``LF . CRLF``, ``CR . CR`` and their kin) is
content, and faulty content at that: SMTP smuggling lives of servers that see it otherwise.

Strategy: at most four octets are held back from one block to the next, the longest end of it that could still become
the mark of the end. So every block that goes on begins where the last one ended and cuts neither a CRLF nor a stuffed
dot apart, and all further work is ``find``, ``replace`` and ``count`` on whole blocks.
"""

from mailnode.mail.reply import Reply
from mailnode.smtp.buffer import InputBuffer
from mailnode.smtp.newlines import LineEnds
from mailnode.smtp.settings import ServerSettings

_END = b"\r\n.\r\n"
_BEGINNINGS = (_END[:4], _END[:3], _END[:2], _END[:1])


class DataReader:
    """Reads one content from the buffer."""

    __slots__ = ("_held", "_lead", "_line_ends", "is_done")

    def __init__(self, settings: ServerSettings) -> None:
        self.is_done = False
        """The end was found; what the buffer holds now are commands."""
        self._held = b"\r\n"
        self._lead = 2
        """How many octets of the CRLF that we put before the content are still to be taken off."""
        self._line_ends = LineEnds(settings.bare_newlines, settings.max_text_line)

    @property
    def fault(self) -> Reply | None:
        """Say what is wrong with the content, as far as it was read."""
        return self._line_ends.fault

    def read(self, buffer: InputBuffer) -> bytes:
        """Take what there is of the content and give its octets; may be empty."""
        block = self._block(buffer)
        if b"\r\n." in block:
            block = block.replace(b"\r\n.", b"\r\n")
        if self._lead and block:
            block = block[self._lead :]
            self._lead = 0
        return self._line_ends.passed(block)

    def _block(self, buffer: InputBuffer) -> bytes:
        """Give the next block, still stuffed, without the mark of the end and without what is held back."""
        across = (self._held + buffer.peek(len(_END) - 1)).find(_END)
        if across >= 0:
            block = self._held + buffer.take(across + len(_END) - len(self._held))
            self.is_done = True
        else:
            taken, self.is_done = buffer.take_through(_END)
            block = self._held + taken
        if self.is_done:
            return block[:-3]
        for beginning in _BEGINNINGS:
            if block.endswith(beginning):
                self._held = beginning
                return block[: -len(beginning)]
        self._held = b""
        return block
