"""One message on its way into one mailbox: what the steps of a delivery hand to one another.

Several recipients of one request share an ``Original``, so that line ends are converted and the header is searched once.
"""

from collections.abc import Iterator
from functools import cached_property

from attrs import define
from twisted.python.failure import Failure

from mailnode.couriers.maildir_content import delivered_to, unix_lines
from mailnode.mail.content import Content
from mailnode.mail.envelope import Recipient
from mailnode.mail.message import DeliveryRequest
from mailnode.mail.outcome import Outcome


class Original:
    """The content of one request as it is written, made ready once for all its recipients."""

    def __init__(self, content: Content, *, is_unix: bool) -> None:
        self.content = content
        self.is_unix = is_unix

    @cached_property
    def passed(self) -> frozenset[str]:
        """The mailboxes that the message has been in."""
        return delivered_to(self.content)

    @cached_property
    def _small(self) -> bytes:
        head = self.content.head
        return head.replace(b"\r\n", b"\n") if self.is_unix else head

    @property
    def is_small(self) -> bool:
        """Tell whether it is all in memory."""
        return self.content.path is None

    def whole(self, fields: bytes) -> bytes:
        """Give the octets of the file as ``blocks`` does, all at once; for small content."""
        return (fields.replace(b"\r\n", b"\n") if self.is_unix else fields) + self._small

    def _converted(self) -> Iterator[bytes]:
        blocks = self.content.blocks()
        return unix_lines(blocks) if self.is_unix else blocks

    def blocks(self, fields: bytes) -> Iterator[bytes]:
        """Give the octets of the file: ``fields``, which have CRLF, then the content."""
        if self.is_small:
            yield self.whole(fields)
            return
        yield fields.replace(b"\r\n", b"\n") if self.is_unix else fields
        yield from self._converted()

    @property
    def size(self) -> int:
        """The content's octets on the wire: at least as many as are written."""
        return self.content.size


@define(eq=False)
class Delivery:
    """One message on its way into one mailbox."""

    request: DeliveryRequest
    recipient: Recipient
    original: Original
    outcome: Outcome | None = None
    """None while it is under way."""
    folder: str = ""
    descriptor: int = -1
    size: int = 0
    path: str = ""
    """Where its file is now."""
    name: str = ""
    """Its unique name, without the size."""
    octets: bytes = b""
    """All of its file, when that is small."""
    is_fit: bool = False
    """The journal may have it."""
    is_kept: bool = False
    """The journal has it."""
    is_counted: bool = False
    """Its mailbox has a file that says how full it is."""
    trouble: Failure | None = None
    """What went wrong and should be logged; not on this thread."""
