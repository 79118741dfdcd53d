"""The router and the door of this moment: what others hold on to while the settings behind it change.

The router also knows one courier that is none: a route with ``courier = "refuse"`` ends in a refusal at the door.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mailnode.interfaces import Reception, Transaction
from mailnode.mail.address import Mailbox
from mailnode.mail.envelope import Envelope
from mailnode.mail.message import Peer
from mailnode.mail.reply import Reply
from mailnode.mail.route import Expansion, Refusal, Route, Routing
from mailnode.roles.house import LocalRouter
from mailnode.smtp import replies

if TYPE_CHECKING:  # a node without gateways needs none of it
    from mailnode.gateways.addresses import AddressBook

REFUSE = "refuse"
"""The courier's name in a route that lets nothing pass."""

_NOTHING_LEAVES = Reply.of(550, "5.7.1", "Mail for this address does not leave this node")


class CurrentRouter:
    """A router that asks ``current``, which may be exchanged at any time."""

    def __init__(self, current: LocalRouter) -> None:
        self.current = current
        self.books: Mapping[str, AddressBook] = {}
        """What gateways know of their addresses, by courier: who is nobody there is refused at the door."""

    @property
    def home(self) -> str:
        """Give the domain that an address literal of ours stands for."""
        return self.current.home

    @property
    def domains(self) -> Sequence[str]:
        """Give the names of our domains, in their order."""
        return self.current.domains

    async def route(self, forward_path: Mailbox) -> Routing:
        """Route one address by one step."""
        routing = refused(await self.current.route(forward_path))
        return known_there(routing, self.books) if self.books else routing

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


def known_there(routing: Routing, books: "Mapping[str, AddressBook]") -> Routing:
    """Turn a route to a gateway into a refusal when nobody there bears that address."""
    if not isinstance(routing, Route):
        return routing
    book = books.get(routing.lane.courier)
    if book is None or book.foreign(routing.forward_path) is not None:
        return routing
    return Refusal(replies.NO_SUCH_MAILBOX, (*routing.why, f"{routing.lane.courier} knows nobody of that address"))
