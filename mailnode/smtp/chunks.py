"""Reads the content after BDAT: so many octets, no more and no less (RFC 3030 section 2).

The chunks of one content share one ``LineEnds``: text keeps its rules whichever command carries it, since it may go on
by DATA at the next hop. BINARYMIME content has no lines and is not looked at. A CR at the end of a block is held back
until its successor is seen, be it in the next chunk.
"""

from mailnode.mail.envelope import Body
from mailnode.mail.reply import Reply
from mailnode.smtp.buffer import InputBuffer
from mailnode.smtp.newlines import LineEnds
from mailnode.smtp.settings import ServerSettings


class ChunkedContent:
    """What is remembered from chunk to chunk of one content."""

    __slots__ = ("_held", "_is_binary", "_line_ends", "size")

    def __init__(self, settings: ServerSettings, body: Body) -> None:
        self.size = 0
        """Octets of the chunks so far."""
        self._held = b""
        self._is_binary = body is Body.BINARY_MIME
        self._line_ends = LineEnds(settings.bare_newlines, settings.max_text_line)

    @property
    def fault(self) -> Reply | None:
        """Say what is wrong with the content, as far as it was read."""
        return self._line_ends.fault

    def passed(self, block: bytes, *, is_end: bool) -> bytes:
        """Give what may go on of the next block of content."""
        if self._is_binary:
            return block
        if self._held:
            block = self._held + block
            self._held = b""
        if not is_end and block.endswith(b"\r"):
            self._held = b"\r"
            block = block[:-1]
        return self._line_ends.passed(block)


class ChunkReader:
    """Reads one chunk from the buffer; one whose command was refused is thrown away."""

    __slots__ = ("_content", "_is_last", "_left", "size")

    def __init__(self, size: int, content: ChunkedContent | None = None, *, is_last: bool = False) -> None:
        self.size = size
        self._left = size
        self._is_last = is_last
        self._content = content
        if content is not None:
            content.size += size

    @property
    def is_done(self) -> bool:
        """Tell whether all of the chunk was taken."""
        return not self._left

    @property
    def fault(self) -> Reply | None:
        """Say what is wrong with the content, as far as it was read."""
        return None if self._content is None else self._content.fault

    def read(self, buffer: InputBuffer) -> bytes:
        """Take what there is of the chunk and give its octets; may be empty."""
        block = buffer.take(self._left)
        self._left -= len(block)
        if self._content is None:
            return b""
        return self._content.passed(block, is_end=self._is_last and not self._left)
