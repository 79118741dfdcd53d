"""The content of a message: octets in memory, or in a file when there are many (RFC 5321 section 2.3.1).

Content is kept exactly as it travels, with CRLF line ends and no dot-stuffing. Blocks may end anywhere; whoever
needs lines must look across their borders.
"""

from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

MEMORY_LIMIT = 65536
"""Content up to this many octets stays in memory and in the spool's row; larger content is a file (DESIGN 5.2)."""

BLOCK = 65536
"""Octets read from a file at a time."""


@frozen
class Content:
    """A message's octets: ``head`` first, then those of the file at ``path``, if there is one."""

    head: bytes
    """All of the content when ``path`` is None; else what was put before the file's octets (trace fields)."""
    path: Path | None = None
    file_size: int = 0
    """How many octets of the file belong to the content."""

    @property
    def size(self) -> int:
        """Count the octets of the whole."""
        return len(self.head) + self.file_size

    def with_head(self, fields: bytes) -> "Content":
        """Put header fields (each with its CRLF) before all others, as trace fields are."""
        return Content(fields + self.head, self.path, self.file_size)

    def blocks(self, size: int = BLOCK) -> Iterator[bytes]:
        """Give the octets in order, in blocks of at most ``size``; reads the disk: never on the reactor thread."""
        for start in range(0, len(self.head), size):
            yield self.head[start : start + size]
        if self.path is None:
            return
        left = self.file_size
        with self.path.open("rb") as file:
            while left:
                block = file.read(min(size, left))
                if not block:
                    raise EOFError(f"{self.path} ends {left} octets early")
                left -= len(block)
                yield block

    def read(self) -> bytes:
        """Give the whole as one value; only for content known to be small, and never on the reactor thread."""
        return b"".join(self.blocks())
