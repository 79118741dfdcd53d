"""The answers to ETRN and ATRN: what stands behind them is asked through the two seams here."""

from collections.abc import Awaitable
from typing import Protocol

from attrs import frozen
from twisted.internet.interfaces import IProtocol

from mailnode.mail.message import Peer
from mailnode.mail.reply import Reply
from mailnode.sessions.dialogue import Answer, Dialogue
from mailnode.smtp import remote_queue, replies


class StartsQueue(Protocol):
    """Starts the queue for another host."""

    def start(self, peer: Peer, argument: str) -> Awaitable[Reply]:
        """Answer ETRN with this argument."""
        ...


class Turns(Protocol):
    """Sends what waits for a client over the client's own connection."""

    async def turn(self, peer: Peer, argument: str) -> IProtocol:
        """Give the protocol that takes the connection over once the client has heard 250; raises Refused."""
        ...


@frozen
class Etrn:
    """Answers ETRN."""

    queue: StartsQueue

    def __call__(self, dialogue: Dialogue, argument: str) -> Answer:
        """Ask."""
        return dialogue.settled(self._start(dialogue.peer, argument))

    async def _start(self, peer: Peer, argument: str) -> Reply:
        return await self.queue.start(peer, argument)


@frozen
class Atrn:
    """Answers ATRN: with 250 this session is over, and the connection has another protocol."""

    turns: Turns

    def __call__(self, dialogue: Dialogue, argument: str) -> Answer:
        """Turn the connection around, or say why not."""
        if not dialogue.peer.account:
            return dialogue.say(replies.AUTHENTICATION_REQUIRED)
        if dialogue.has_unread:
            # What stands there was said to a server, and would be heard by a client as replies.
            return dialogue.say(remote_queue.SPOKE_AHEAD)
        return dialogue.settled(self._turn(dialogue, argument))

    async def _turn(self, dialogue: Dialogue, argument: str) -> Reply:
        dialogue.give_way(await self.turns.turn(dialogue.peer, argument))
        return remote_queue.TURNED
