"""Where mail ends in a node in memory: mailboxes one reads with the email package, and the hosts outside."""

from collections.abc import Mapping
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default

from attrs import Factory, define

from mailnode.mail.envelope import Recipient
from mailnode.mail.message import DeliveryRequest, Message
from mailnode.mail.outcome import Delivered, Outcome, Relayed
from mailnode.mail.reply import Reply

_OK = Reply.of(250, "2.0.0", "Ok")


def read(octets: bytes) -> EmailMessage:
    """Read a message with Python's email package."""
    return BytesParser(policy=default).parsebytes(octets)


@define
class Mailboxes:
    """A Courier into memory."""

    kept: dict[str, list[bytes]] = Factory(dict)

    async def carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        """Keep the message for every recipient."""
        octets = request.message.content.read()
        for one in request.message.envelope.recipients:
            self.kept.setdefault(str(one.forward_path).lower(), []).append(octets)
        return dict.fromkeys(request.message.envelope.recipients, Delivered(_OK))

    async def close(self) -> None:
        """Nothing is open."""


@define
class Outside:
    """A Courier to hosts that take everything, or what ``outcome`` says."""

    outcome: Outcome = Factory(lambda: Relayed(_OK, "mx.outside.example"))
    sent: list[Message] = Factory(list)

    async def carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        """Keep what is sent."""
        self.sent.append(request.message)
        return dict.fromkeys(request.message.envelope.recipients, self.outcome)

    async def close(self) -> None:
        """Nothing is open."""
