"""Events become mails, and invitations are followed."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from attrs import define

from mailnode.gateways.api import Draft, GatewayNode, Refused, Trouble, header_line
from mailnode.shipped.matrix.errors import Declined
from mailnode.shipped.matrix.homeserver import Homeserver
from mailnode.shipped.matrix.names import Puppets, is_among, is_user
from mailnode.shipped.matrix.rooms import Room, Rooms
from mailnode.shipped.matrix.threads import Mail, Threads
from mailnode.shipped.matrix.writing import mentioned, replied_to, said

Event = Mapping[str, Any]


@define(eq=False)
class Hearing:
    """The way from Matrix into the mail system."""

    node: GatewayNode
    homeserver: Homeserver
    puppets: Puppets
    rooms: Rooms
    threads: Threads
    allowed: tuple[str, ...]
    """Patterns of users who may write mails."""
    may_write_to: tuple[str, ...]

    async def take(self, event: object) -> None:
        """Take an event; raises Refused when the homeserver is to bring it again."""
        if not isinstance(event, dict):
            return
        names = [event.get(name) for name in ("event_id", "room_id", "sender", "type")]
        if not all(isinstance(one, str) and 0 < len(one) < 1000 for one in names):
            return
        act = _BY_TYPE.get(event["type"])
        if act is not None:
            await act(self, event)

    def may_write(self, user: str) -> bool:
        """Tell whether this user's words become mail."""
        return is_user(user) and not self.puppets.is_ours(user) and is_among(user, self.allowed)

    # --- rooms

    async def _member(self, event: Event) -> None:
        """Follow an invitation, and note who has gone."""
        who, room, told = event.get("state_key"), event["room_id"], event.get("content")
        if not isinstance(who, str) or not isinstance(told, dict):
            return
        membership = told.get("membership")
        if self.puppets.address(who):
            if membership == "invite" and self.may_write(event["sender"]):
                await self._join(who, room, event["sender"], is_direct=told.get("is_direct") is True)
            elif membership in ("leave", "ban"):
                await self.rooms.left(room, who)
        elif membership in ("leave", "ban"):
            known = await self.rooms.of(room)
            for puppet in known.puppets if known.is_direct else ():
                await self.rooms.forget_way(puppet, who)

    async def _join(self, puppet: str, room: str, host: str, *, is_direct: bool) -> None:
        try:
            await self.homeserver.join(puppet, room)
        except Declined as no:
            self.node.log.warn("{user} cannot join {room}: {reason}", user=puppet, room=room, reason=str(no))  # noqa: G010
            return
        await self.rooms.note(room, puppet, host, is_direct=is_direct)

    # --- words

    async def _message(self, event: Event) -> None:
        room, sender = event["room_id"], event["sender"]
        known = await self.rooms.of(room)
        text = said(event)
        if not known.puppets or not text or not self.may_write(sender):
            return
        answered = await self.threads.mail_of(replied_to(event))
        for puppet in self._meant(known, event, answered):
            await self._write(event, known, puppet, answered, text)

    @staticmethod
    def _meant(known: Room, event: Event, answered: Mail) -> list[str]:
        """Give those of our users to whom it is said: in a direct room the one, else whom it answers or mentions."""
        if known.is_direct:
            return list(known.puppets)
        named = {answered.puppet, *mentioned(event)}
        return [one for one in known.puppets if one in named]

    async def _write(self, event: Event, known: Room, puppet: str, answered: Mail, text: str) -> None:
        room, sender, event_id = event["room_id"], event["sender"], event["event_id"]
        to = self.puppets.address(puppet)
        if self.may_write_to and not is_among(to.lower(), self.may_write_to):
            await self._sorry(event, puppet, f"nobody here may write to {to}")
            return
        mail = answered
        if not mail.message_id and known.is_direct:
            mail = await self.threads.last(room, puppet)
        about = mail.subject.removeprefix("Re: ")
        first = header_line(text.split("\n", 1)[0])[:70]
        try:
            draft = Draft(
                str(self.node.reply_address(sender)), [to], text, subject=f"Re: {about}" if about else first,
                sender_name=sender, in_reply_to=mail.message_id,
            )  # fmt: skip
            done = await self.node.submit(draft, protocol="MATRIX", key=f"{event_id} {puppet}")
        except Refused as refused:
            if refused.reply.is_transient:
                raise
            await self._sorry(event, puppet, f"this was not taken for {to}: {refused.reply}")
        except ValueError as problem:
            await self._sorry(event, puppet, f"this cannot be mail to {to}: {problem}")
        else:
            await self.threads.note_said(room, event_id, done.message_id)

    async def _encrypted(self, event: Event) -> None:
        """Say that we cannot read it, once in each room."""
        known = await self.rooms.of(event["room_id"])
        if not known.puppets or not self.may_write(event["sender"]):
            return
        if not await self.node.recall(f"encrypted {event['room_id']}"):
            await self._sorry(
                event, known.puppets[0], "encrypted messages cannot become mail; please use a room without"
            )
            await self.node.remember(f"encrypted {event['room_id']}", "told")

    async def _sorry(self, event: Event, puppet: str, why: str) -> None:
        """Tell the person, in a notice that answers the event."""
        self.node.log.info("{event_id}: {reason}", event_id=event["event_id"], event="refused", reason=why)
        body = {
            "msgtype": "m.notice", "body": header_line(why)[:500],
            "m.relates_to": {"m.in_reply_to": {"event_id": event["event_id"]}},
        }  # fmt: skip
        try:
            await self.homeserver.send(puppet, event["room_id"], f"no {event['event_id']}", body)
        except (Declined, Trouble, OSError) as problem:
            self.node.log.warn("nobody was told: {reason}", reason=str(problem))  # noqa: G010 - Twisted's name


_BY_TYPE: Mapping[str, Callable[[Hearing, Event], Awaitable[None]]] = {
    "m.room.member": Hearing._member,  # noqa: SLF001 - the table of its own methods
    "m.room.message": Hearing._message,  # noqa: SLF001
    "m.room.encrypted": Hearing._encrypted,  # noqa: SLF001
}
