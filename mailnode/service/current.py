"""The router and the door of this moment: what others hold on to while the settings behind it change.

The router also knows one courier that is none: a route with ``courier = "refuse"`` ends in a refusal at the door.
"""

from mailnode.interfaces import Reception, Transaction
from mailnode.mail.address import Mailbox
from mailnode.mail.envelope import Envelope
from mailnode.mail.message import Peer
from mailnode.mail.reply import Reply
from mailnode.mail.route import Expansion, Refusal, Route, Routing
from mailnode.roles.house import LocalRouter

REFUSE = "refuse"
"""The courier's name in a route that lets nothing pass."""

_NOTHING_LEAVES = Reply.of(550, "5.7.1", "Mail for this address does not leave this node")


class CurrentRouter:
    """A router that asks ``current``, which may be exchanged at any time."""

    def __init__(self, current: LocalRouter) -> None:
        self.current = current

    @property
    def home(self) -> str:
        """Give the domain that an address literal of ours stands for."""
        return self.current.home

    async def route(self, forward_path: Mailbox) -> Routing:
        """Route one address by one step."""
        return refused(await self.current.route(forward_path))

    def is_local(self, mailbox: Mailbox) -> bool:
        """Tell whether mail for this address is ours."""
        return self.current.is_local(mailbox)

    async def expand_list(self, mailbox: Mailbox) -> Expansion | None:
        """Give a list's members; None when there is no such list."""
        return await self.current.expand_list(mailbox)


class CurrentReception:
    """A reception that asks ``current``, which is set before anybody comes and may be exchanged at any time."""

    current: Reception

    async def begin(self, peer: Peer, envelope: Envelope, declared_size: int) -> Transaction:
        """Open a transaction for MAIL."""
        return await self.current.begin(peer, envelope, declared_size)

    async def verify(self, peer: Peer, argument: str) -> Reply:
        """Answer VRFY."""
        return await self.current.verify(peer, argument)

    async def expand(self, peer: Peer, argument: str) -> Reply:
        """Answer EXPN."""
        return await self.current.expand(peer, argument)


def refused(routing: Routing) -> Routing:
    """Turn a route to the courier ``refuse`` into a refusal."""
    if isinstance(routing, Route) and routing.lane.courier == REFUSE:
        return Refusal(_NOTHING_LEAVES, routing.why)
    return routing
