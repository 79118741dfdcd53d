"""Which event a mail became, and which mail an event: so that a reply on one side is a reply on the other."""

import json

from attrs import asdict, frozen

from mailnode.gateways.api import GatewayNode, OutgoingMessage


@frozen
class Mail:
    """A mail that an event stands for."""

    message_id: str = ""
    subject: str = ""
    puppet: str = ""
    """The user who said it; empty when it was said by a person of Matrix."""


@frozen
class Threads:
    """Kept by the node."""

    node: GatewayNode

    async def note_shown(self, room: str, event: str, puppet: str, message: OutgoingMessage) -> None:
        """Remember the event of a mail, also as the last one in its room."""
        mail = json.dumps(asdict(Mail(message.message_id[:400], message.subject[:200], puppet)))
        await self.node.remember(f"event {event}", mail)
        await self.node.remember(f"last {room} {puppet}", mail)
        if message.message_id:
            await self.node.remember(f"mail {message.message_id} {room}", event)

    async def note_said(self, room: str, event: str, message_id: str) -> None:
        """Remember the mail of an event."""
        await self.node.remember(f"mail {message_id} {room}", event)
        await self.node.remember(f"event {event}", json.dumps(asdict(Mail(message_id))))

    async def event_of(self, message_id: str, room: str) -> str:
        """Give the event that a mail is, or was, in this room."""
        return await self.node.recall(f"mail {message_id} {room}") if message_id else ""

    async def mail_of(self, event: str) -> Mail:
        """Give the mail of an event."""
        return await self._mail(f"event {event}") if event else Mail()

    async def last(self, room: str, puppet: str) -> Mail:
        """Give the last mail that a user of ours has shown in a room."""
        return await self._mail(f"last {room} {puppet}")

    async def _mail(self, key: str) -> Mail:
        found = await self.node.recall(key)
        return Mail(**json.loads(found)) if found else Mail()
