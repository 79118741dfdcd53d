"""What conversations are about: which mail was shown last in a place, and who said what became a mail."""

import json
from email.errors import MessageError
from email.utils import parseaddr

from attrs import asdict, frozen

from mailnode.gateways.api import NULL, GatewayNode, OutgoingMessage, parse_mailbox
from mailnode.shipped.irc.words import folded


@frozen
class Thread:
    """A mail that can be answered."""

    to: str
    """Who gets the answer."""
    message_id: str = ""
    subject: str = ""


@frozen
class Threads:
    """Kept by the node."""

    node: GatewayNode

    async def note(self, place: str, message: OutgoingMessage) -> None:
        """Remember the mail that was shown in a channel or to a person."""
        to = answers_to(message)
        if to:
            thread = Thread(to, message.message_id[:400], message.subject[:200])
            await self.node.remember(f"thread {folded(place)}", json.dumps(asdict(thread)))

    async def of(self, place: str) -> Thread | None:
        """Give the mail that was shown there last."""
        found = await self.node.recall(f"thread {folded(place)}")
        return Thread(**json.loads(found)) if found else None

    async def note_said(self, message_id: str, nick: str) -> None:
        """Remember whose words became this mail."""
        await self.node.remember(f"said {message_id}", nick)

    async def who_said(self, message: OutgoingMessage) -> str:
        """Give the nick of whoever is answered by this mail; empty when it answers nobody here."""
        answered = message.field("In-Reply-To")
        return await self.node.recall(f"said {answered}") if answered else ""


def answers_to(message: OutgoingMessage) -> str:
    """Give the address that answers go to: Reply-To, From, or the reverse-path; empty when there is none."""
    for name in ("Reply-To", "From"):
        address = _address(message.field(name))
        if address:
            return address
    return "" if message.sender == NULL else str(message.sender)


def _address(text: str) -> str:
    try:
        return str(parse_mailbox(parseaddr(text)[1]))
    except (ValueError, MessageError):
        return ""
