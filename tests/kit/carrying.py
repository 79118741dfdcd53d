"""Requests for couriers, made short."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mailnode.mail.address import Mailbox
from mailnode.mail.content import Content
from mailnode.mail.envelope import Body, Envelope, Recipient
from mailnode.mail.message import DeliveryRequest, Message
from mailnode.mail.outcome import Outcome
from mailnode.mail.route import Lane

CONTENT = b"Subject: x\r\n\r\nhello\r\n"
SENDER = Mailbox("ann", "example.net")


def recipients(count: int) -> tuple[Recipient, ...]:
    """Give r0@example.org, r1@example.org and so on."""
    return tuple(Recipient(Mailbox(f"r{number}", "example.org")) for number in range(count))


def request(
    content: bytes | Content = CONTENT,
    *,
    to: int | Sequence[Recipient] = 1,
    next_hop: str = "[192.0.2.1]",
    body: Body = Body.SEVEN_BIT,
    sender: Mailbox = SENDER,
    smtputf8: bool = False,
) -> DeliveryRequest:
    """Make a request to carry a message to the next hop."""
    chosen = recipients(to) if isinstance(to, int) else tuple(to)
    envelope = Envelope(sender, chosen, body=body, smtputf8=smtputf8)
    held = Content(content) if isinstance(content, bytes) else content
    return DeliveryRequest(Message("q1", envelope, held, 0.0), Lane("smtp", next_hop))


def filed(path: Path, octets: bytes, head: bytes = b"") -> Content:
    """Put octets into a file and give them as content."""
    path.write_bytes(octets)
    return Content(head, path, len(octets))


def told(outcomes: Mapping[Recipient, Outcome]) -> list[str]:
    """Give each outcome as ``Failed 550``, in the order of r0, r1 and so on."""
    ordered = sorted(outcomes.items(), key=lambda each: int(each[0].forward_path.local_part[1:]))
    return [f"{type(outcome).__name__} {outcome.reply.code}" for _, outcome in ordered]
