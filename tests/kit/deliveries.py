"""Requests for local delivery, and what lies in a mailbox afterwards."""

from pathlib import Path

from mailnode.mail.address import Mailbox
from mailnode.mail.content import Content
from mailnode.mail.envelope import Envelope, Recipient
from mailnode.mail.message import DeliveryRequest, Message
from mailnode.mail.route import Lane

SENDER = Mailbox("sender", "example.com")
TEXT = b"From: a@example.com\r\nSubject: hello\r\n\r\nFirst line\r\n.\r\nlast line\r\n"


def address(local_part: str, domain: str = "example.org") -> Recipient:
    """Make a recipient."""
    return Recipient(Mailbox(local_part, domain))


def request_for(
    *recipients: Recipient, content: Content | bytes = TEXT, reverse_path: Mailbox = SENDER
) -> DeliveryRequest:
    """Make a request to deliver ``content``."""
    whole = Content(content) if isinstance(content, bytes) else content
    message = Message("Q1", Envelope(reverse_path, recipients), whole, 1_700_000_000.0)
    return DeliveryRequest(message, Lane("maildir"))


def messages(mailbox: Path) -> list[bytes]:
    """Read all files in ``new``, in the order of their names."""
    return [path.read_bytes() for path in sorted((mailbox / "new").iterdir())]


def leftovers(root: Path) -> list[str]:
    """List every file below ``root``, messages too, but not what belongs to the journal."""
    paths = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(str(path) for path in paths if path.parts[0] != ".journal")
