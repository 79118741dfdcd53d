"""ETRN and ATRN as the listeners of a process have them (``roles.queue_start``, ``roles.on_demand``).

What only providers of On-Demand Mail Relay need is imported when there is a listener for it.
"""

from collections.abc import Mapping
from ipaddress import ip_network
from typing import TYPE_CHECKING

from mailnode.interfaces import Refused, Transaction
from mailnode.mail.envelope import Envelope
from mailnode.mail.message import Peer
from mailnode.mail.reply import Reply
from mailnode.mail.route import ON_DEMAND
from mailnode.roles.customers import Customers, read_customers
from mailnode.roles.queue_start import QueueStart
from mailnode.roles.reception import trust_in
from mailnode.service.settings import ListenerSettings, NodeSettings
from mailnode.service.sharing import share_of
from mailnode.service.trouble import StartFailed
from mailnode.service.works import Works
from mailnode.sessions.authentication import Authentication
from mailnode.sessions.dialogue import AnswerVerb
from mailnode.sessions.remote_queue import Atrn, Etrn
from mailnode.smtp import replies
from mailnode.smtp.extensions import ENHANCED_STATUS_CODES, Extension
from mailnode.smtp.remote_queue import ATRN, ETRN, ONLY_ATRN

if TYPE_CHECKING:
    from mailnode.roles.on_demand import OnDemand

_WITH_ETRN = ("smtp", "submission")


class NoReception:
    """The door of a listener for ATRN, where no mail is taken; implements interfaces.Reception."""

    async def begin(self, peer: Peer, envelope: Envelope, declared_size: int) -> Transaction:  # noqa: ARG002 - the seam's
        """Refuse."""
        raise Refused(ONLY_ATRN if peer.account else replies.AUTHENTICATION_REQUIRED)

    async def verify(self, peer: Peer, argument: str) -> Reply:  # noqa: ARG002 - the seam's
        """Refuse."""
        return ONLY_ATRN

    async def expand(self, peer: Peer, argument: str) -> Reply:  # noqa: ARG002 - the seam's
        """Refuse."""
        return ONLY_ATRN


class RemoteQueue:
    """What other hosts may do with the queue of this process."""

    def __init__(self, settings: NodeSettings, works: Works) -> None:
        """Read the customers; raises StartFailed."""
        self._works = works
        ground = works.ground
        self._start = QueueStart(works.spool, works.queue, ground.reactor, settings.etrn, self._is_trusted)
        self._networks = trust_in(map(ip_network, settings.node.trusted_networks))
        self._customers = Customers({}, {})
        self._on_demand: OnDemand | None = None
        if any(listener.service == ON_DEMAND for listener in settings.listener):
            try:
                self._customers = read_customers(settings.customer)
            except (OSError, ValueError) as error:
                raise StartFailed(f"customers: {error}") from error
            self._on_demand = _on_demand(settings, works, self._customers)

    def apply(self, settings: NodeSettings) -> None:
        """Take over what has changed under way."""
        self._start.settings = settings.etrn
        self._networks = trust_in(map(ip_network, settings.node.trusted_networks))

    async def stop(self) -> None:
        """Break off the calls that are under way."""
        if self._on_demand is not None:
            await self._on_demand.stop()

    def extensions(self, listener: ListenerSettings) -> tuple[Extension, ...]:
        """Give what a listener offers besides what all do."""
        if listener.service == ON_DEMAND:
            return (ENHANCED_STATUS_CODES, ATRN)
        offers = listener.service in _WITH_ETRN and self._start.settings.allow != "nobody"
        return (ETRN,) if offers else ()

    @property
    def verbs(self) -> Mapping[str, AnswerVerb]:
        """Give what answers the two commands."""
        if self._on_demand is None:
            return {"ETRN": Etrn(self._start)}
        return {"ETRN": Etrn(self._start), "ATRN": Atrn(self._on_demand)}

    def authentication(self, base: Authentication | None) -> Authentication | None:
        """Give how customers authenticate: as all others do, and by CRAM-MD5 if they have passwords for it."""
        from mailnode.authentication.authority import SaslAuthority  # noqa: PLC0415 - see above
        from mailnode.authentication.cram_md5 import CramMd5Authority  # noqa: PLC0415
        from mailnode.authentication.settings import AuthSettings  # noqa: PLC0415
        from mailnode.authentication.watch import Watch  # noqa: PLC0415

        ground = self._works.ground
        if not self._customers.has_secrets:
            return base
        others = base.authority if base is not None else None
        # One watch for all mechanisms: else a guesser would have as many tries again.
        watch = others.ground.watch if isinstance(others, SaslAuthority) else None
        authority = CramMd5Authority(
            self._customers.secret, watch or Watch(AuthSettings(), ground.reactor, self._networks), ground.random,
            ground.hostname, others, base is not None and base.without_tls,
        )  # fmt: skip
        return Authentication(authority, without_tls=True)

    def _is_trusted(self, peer: Peer) -> bool:
        return bool(peer.account) or not peer.address or self._networks(peer.address)


def _on_demand(settings: NodeSettings, works: Works, customers: Customers) -> "OnDemand":
    from mailnode.roles.on_demand import OnDemand  # noqa: PLC0415 - see above

    ground = works.ground
    return OnDemand(
        works.spool, works.relay.settle, ground.reactor, ground.random, works.disk, ground.hostname, customers,
        share_of(settings.queue, settings.node.workers), settings.smtp, works.queue.wake,
    )  # fmt: skip
