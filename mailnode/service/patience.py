"""How much of one local user's mail the node takes in a time, by whichever way it comes."""

from twisted.internet.interfaces import IReactorTime

from mailnode.interfaces import Reception, Refused, Transaction
from mailnode.mail.envelope import Envelope
from mailnode.mail.message import Peer
from mailnode.mail.quantity import Seconds
from mailnode.mail.reply import Reply
from mailnode.policy.rates import Meter, Rate

TOO_MUCH = Reply.of(450, "4.7.1", "You have sent very much mail; this waits")
WITHOUT_LIMIT = frozenset({"root"})


class Patience:
    """Measures what each local user sends."""

    def __init__(self, max_messages: int) -> None:
        self._meter = Meter(Rate(max_messages, Seconds(3600)))

    def ends_for(self, user: str, now: float) -> bool:
        """Count one more message; True (and nothing is counted) when it is one too many."""
        return user not in WITHOUT_LIMIT and self._meter.take(user, now) > 0


class PatientReception:
    """The door for local users: a Reception in front of the node's own."""

    def __init__(self, reception: Reception, patience: Patience, clock: IReactorTime) -> None:
        self._reception = reception
        self._patience = patience
        self._clock = clock

    async def begin(self, peer: Peer, envelope: Envelope, declared_size: int) -> Transaction:
        """Open a transaction, unless the user has sent too much."""
        if self._patience.ends_for(peer.user, self._clock.seconds()):
            raise Refused(TOO_MUCH)
        return await self._reception.begin(peer, envelope, declared_size)

    async def verify(self, peer: Peer, argument: str) -> Reply:
        """Answer VRFY."""
        return await self._reception.verify(peer, argument)

    async def expand(self, peer: Peer, argument: str) -> Reply:
        """Answer EXPN."""
        return await self._reception.expand(peer, argument)
