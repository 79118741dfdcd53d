"""Which room a mail is said in, and which of our users are in a room: both are remembered by the node."""

import json
from typing import Any

from attrs import asdict, define, field, frozen
from twisted.internet.defer import Deferred, DeferredLock

from mailnode.gateways.api import Failed, GatewayNode, Trouble, header_line
from mailnode.shipped.matrix.homeserver import Homeserver
from mailnode.shipped.matrix.names import Puppets

YEARS = 5 * 365 * 86400.0
"""Seconds for which rooms are remembered."""


@frozen
class Room:
    """A room with users of ours."""

    is_direct: bool = False
    puppets: tuple[str, ...] = ()


@define(eq=False)
class Rooms:
    """All rooms."""

    node: GatewayNode
    homeserver: Homeserver
    puppets: Puppets
    _lock: DeferredLock = field(factory=DeferredLock, init=False)
    """Two mails at the same time to the same person find one room."""

    async def room_for(self, puppet: str, foreign: str) -> str:
        """Give the room where a user of ours speaks to a person or in an alias; it is made or joined if need be."""
        known = await self.node.recall(f"way {puppet} {foreign}")
        return known or await self._lock.run(self._found, puppet, foreign)

    def _found(self, puppet: str, foreign: str) -> Deferred[str]:
        return Deferred.fromCoroutine(self._find(puppet, foreign))

    async def _find(self, puppet: str, foreign: str) -> str:
        known = await self.node.recall(f"way {puppet} {foreign}")
        if known:
            return known
        is_direct = foreign.startswith("@")
        if not is_direct:
            room = await self.homeserver.join(puppet, foreign)
        elif await self.homeserver.is_there(foreign, puppet):
            room = await self.homeserver.make_direct_room(puppet, foreign)
        else:
            raise Trouble(Failed(f"there is no {foreign}", "5.1.1"))
        await self.note(room, puppet, foreign if is_direct else "", is_direct=is_direct)
        if not is_direct:
            await self.node.remember(f"way {puppet} {foreign}", room, YEARS)
        return room

    async def note(self, room: str, puppet: str, person: str, *, is_direct: bool) -> None:
        """Remember that a user of ours is in a room."""
        known = await self.of(room)
        users = tuple(dict.fromkeys((*known.puppets, puppet)))[-100:]
        await self._keep(room, Room(is_direct and len(users) == 1, users))
        if is_direct:
            await self.node.remember(f"way {puppet} {person}", room, YEARS)

    async def of(self, room: str) -> Room:
        """Tell of a room; an empty one is none of ours."""
        found = await self.node.recall(f"room {room}")
        said: dict[str, Any] = json.loads(found) if found else {}
        return Room(bool(said.get("is_direct")), tuple(said.get("puppets", ())))

    async def forget_way(self, puppet: str, foreign: str) -> None:
        """Make or join another room the next time."""
        await self.node.remember(f"way {puppet} {foreign}", "", 1.0)

    async def left(self, room: str, puppet: str) -> None:
        """Remember that a user of ours is no longer there."""
        known = await self.of(room)
        await self._keep(room, Room(known.is_direct, tuple(one for one in known.puppets if one != puppet)))

    async def _keep(self, room: str, known: Room) -> None:
        await self.node.remember(f"room {room}", json.dumps(asdict(known)), YEARS)

    # --- our users

    async def present(self, address: str, name: str = "") -> str:
        """Give the user that stands for a mail address; he is there afterwards, and bears this name."""
        user = self.puppets.user(address)
        wanted = header_line(name)[:100] or address
        known = await self.node.recall(f"user {user}")
        if not known:
            await self.homeserver.register(user[1:].partition(":")[0])
        if known != wanted and (name or not known):
            await self.homeserver.name(user, wanted)
            await self.node.remember(f"user {user}", wanted, YEARS)
        return user
