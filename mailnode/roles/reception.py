"""The door: who may give us mail for whom (RFC 5321 sections 3.3, 3.9 and 7).

A client in the trusted networks, on a local socket or with an account may send anywhere; every other one only to our
own domains. That is the whole relay rule, and it has no exception: never an open relay.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address

from attrs import evolve

from mailnode.interfaces import Refused, Transaction
from mailnode.mail.envelope import Envelope, Manner
from mailnode.mail.message import Peer
from mailnode.mail.quantity import Octets
from mailnode.mail.reply import Reply
from mailnode.roles.asking import Asking
from mailnode.roles.house import House
from mailnode.roles.originator import Originator
from mailnode.roles.originator_limits import Limits
from mailnode.roles.originator_settings import SubmissionSettings
from mailnode.roles.sending import SendingTransaction
from mailnode.roles.transaction import InboundTransaction
from mailnode.smtp import replies

Network = IPv4Network | IPv6Network


FETCHED = "fetch"
"""The service of a peer that we have called ourselves: it brings mail for us, and is no client of ours."""


def trust_in(networks: Iterable[Network]) -> Callable[[str], bool]:
    """Make the question whether an address is in one of the networks; answers are remembered, for they are asked often."""
    trusted = tuple(networks)

    @lru_cache(maxsize=4096)
    def is_trusted(address: str) -> bool:
        try:
            found = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return any(found in network for network in trusted)

    return is_trusted


class MailReception:
    """Implements interfaces.Reception."""

    def __init__(
        self,
        house: House,
        trusted_networks: tuple[Network, ...],
        *,
        submission: SubmissionSettings = SubmissionSettings(),  # noqa: B008 - frozen
        limits: Limits | None = None,
        max_sizes: Mapping[str, Octets] | None = None,
    ) -> None:
        """``max_sizes`` are the octets of one message on listeners that have a bound of their own, by name."""
        self._house = house
        self._is_trusted = trust_in(trusted_networks)
        self._originator = Originator(house, submission, limits or Limits())
        self._houses = {
            listener: evolve(house, settings=evolve(house.settings, max_size=size))
            for listener, size in (max_sizes or {}).items()
        }

    async def begin(self, peer: Peer, envelope: Envelope, declared_size: int) -> Transaction:
        """Open a transaction; refuses what is too big before it comes (RFC 1870 section 6.1)."""
        house = self._houses.get(peer.listener, self._house)
        limit = house.settings.max_size
        if limit and declared_size > limit:
            raise Refused(replies.TOO_BIG)
        may_relay = self.may_relay(peer)
        if envelope.manner is not Manner.MAIL:
            return await self._begin_sending(house, peer, envelope, declared_size, may_relay=may_relay)
        if peer.service == "submission":
            return await evolve(self._originator, house=house).begin(peer, envelope, is_trusted=may_relay)
        return InboundTransaction(house, peer, envelope, may_relay=may_relay)

    def may_relay(self, peer: Peer) -> bool:
        """Tell whether the peer may send to other domains than ours."""
        if peer.service == "gateway":
            return bool(peer.account)  # its users are not ours: only a gateway that is trusted to relay has an account
        if peer.service == FETCHED:
            return False
        return bool(peer.account) or not peer.address or self._is_trusted(peer.address)

    async def _begin_sending(
        self, house: House, peer: Peer, envelope: Envelope, declared_size: int, *, may_relay: bool
    ) -> Transaction:
        """Open a transaction for SEND, SOML or SAML, with one for the mailboxes beside it."""
        terminals = house.terminals
        if terminals is None:
            raise Refused(replies.NOT_OFFERED)
        mail = await self.begin(peer, evolve(envelope, manner=Manner.MAIL), declared_size)
        if not (may_relay or terminals.is_open_to_all):
            mail.abort()
            raise Refused(replies.NOT_ON_YOUR_WORD)
        return SendingTransaction(house, terminals, peer, envelope, mail)

    async def verify(self, peer: Peer, argument: str) -> Reply:
        """Answer VRFY."""
        return await Asking(self._house, self.may_relay(peer)).verify(argument)

    async def expand(self, peer: Peer, argument: str) -> Reply:
        """Answer EXPN."""
        return await Asking(self._house, self.may_relay(peer)).expand(argument)
