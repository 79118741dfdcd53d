"""The message as ``deliver`` gets it: the envelope, who is meant on the other side, and the content in any form wanted."""

from email.message import EmailMessage
from email.message import Message as Fields
from functools import cached_property

from attrs import define, field, frozen

from mailnode.gateways.adapting import Attachment, attachments_of, best_text, read_mail, selected
from mailnode.gateways.tokens import key_of
from mailnode.mail.address import Mailbox
from mailnode.mail.envelope import Envelope, Recipient


@frozen
class OutgoingRecipient:
    """One recipient of a message that leaves the mail world."""

    address: str
    """What the other side calls it, by the gateway's address map."""
    recipient: Recipient
    """Its envelope address and what the sender wants to hear of it."""
    key: str
    """The idempotency key: the same for this message and recipient on every attempt."""

    @property
    def mailbox(self) -> Mailbox:
        """Give its mail address."""
        return self.recipient.forward_path


@define(slots=False, eq=False)
class OutgoingMessage:
    """A message that leaves the mail world. What is read of it is kept, so ask as often as you like."""

    queue_id: str
    envelope: Envelope
    """Its recipients are all those of this attempt."""
    header: Fields
    """The header as it stands, undecoded; ``email`` is better to read."""
    arrived: float
    """Seconds since the epoch."""
    attempt: int
    """1 for the first."""
    traceparent: str
    """W3C Trace Context of this hop."""
    mark: str
    """The signed hop mark: give it to the other side, and back to ``node.submit`` with what comes of it."""
    _octets: bytes = field(repr=False)

    @property
    def key(self) -> str:
        """Give the idempotency key of the message as a whole."""
        return key_of(self.queue_id)

    @property
    def sender(self) -> Mailbox:
        """Give the reverse-path; NULL for a bounce."""
        return self.envelope.reverse_path

    def octets(self) -> bytes:
        """Give the message as it travels, with CRLF line ends."""
        return self._octets

    @cached_property
    def email(self) -> EmailMessage:
        """Read it with Python's email package (the default policy)."""
        return read_mail(self._octets)

    @cached_property
    def _text(self) -> str:
        return best_text(self.email)

    def text(self) -> str:
        """Give its best text: plain, or what its HTML says, with LF line ends."""
        return self._text

    @cached_property
    def attachments(self) -> tuple[Attachment, ...]:
        """Give its files."""
        return attachments_of(self.email)

    @property
    def subject(self) -> str:
        """Give its subject, decoded, on one line."""
        return self.field("Subject")

    @property
    def message_id(self) -> str:
        """Give its Message-ID with the angle brackets; empty if it has none."""
        return self.field("Message-ID")

    def field(self, name: str) -> str:
        """Give a header field, decoded, on one line; empty when it is not there."""
        found = selected(self.email, (name,))
        return found[0][1] if found else ""
