"""The providers that a node calls for its mail (``roles.fetching``): one process of the node does it for all."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol

from mailnode.couriers.calling import Caller
from mailnode.couriers.smtp_security import Unavailable
from mailnode.interfaces import Reception, Transaction
from mailnode.mail.envelope import Envelope
from mailnode.mail.message import Peer
from mailnode.mail.reply import Reply
from mailnode.roles.fetching import Fetching
from mailnode.roles.reception import FETCHED
from mailnode.routing.resolver import DnsResolver
from mailnode.service.settings import ListenerSettings, NodeSettings
from mailnode.service.works import Works
from mailnode.sessions.factory import ReceiverFactory
from mailnode.smtp.remote_queue import ONLY_ATRN

if TYPE_CHECKING:
    from mailnode.sessions.receiver import Receiver


class FetchedReception:
    """The door for what providers bring; implements interfaces.Reception. They are nobody's clients, and ask nothing."""

    def __init__(self, inner: Reception) -> None:
        self._inner = inner
        self.messages = 0
        """Transactions begun."""

    async def begin(self, peer: Peer, envelope: Envelope, declared_size: int) -> Transaction:
        """Let a transaction begin, of a peer that is never trusted."""
        self.messages += 1
        return await self._inner.begin(evolve(peer, service=FETCHED, account="", user=""), envelope, declared_size)

    async def verify(self, peer: Peer, argument: str) -> Reply:  # noqa: ARG002 - the seam's
        """Refuse."""
        return ONLY_ATRN

    async def expand(self, peer: Peer, argument: str) -> Reply:  # noqa: ARG002 - the seam's
        """Refuse."""
        return ONLY_ATRN


class CallReceivers(ReceiverFactory):
    """Receives over one call."""

    ended: Callable[[], None] = staticmethod(lambda: None)

    def session_ended(self) -> None:
        """Hear that the call is over."""
        super().session_ended()
        self.doStop()
        self.ended()


MakeReceivers = Callable[..., ReceiverFactory]
"""Station.receivers."""


class Fetchings:
    """All providers of a node."""

    def __init__(self, settings: NodeSettings, works: Works, receivers: MakeReceivers) -> None:
        self._works = works
        self._receivers = receivers
        self._calls: set[ReceiverFactory] = set()
        ground = works.ground
        resolver = DnsResolver(ground.reactor, settings.resolver, random=ground.random, clock=ground.reactor)
        self._fetchings: Sequence[Fetching] = [
            Fetching(
                one,
                Caller(
                    one.terms, reactor=ground.reactor, resolver=resolver, hostname=ground.hostname, disk=works.disk,
                    random=ground.random, settings=settings.smtp,
                ),
                lambda host, title=one.title: self._serve(host, title),  # type: ignore[misc]
                ground.reactor,
                ground.random,
            )
            for one in settings.fetch
        ]  # fmt: skip

    def start(self) -> None:
        """Begin to call."""
        for fetching in self._fetchings:
            fetching.start()

    async def stop(self) -> None:
        """Call no more; what is received is received to its end or broken off, as at any listener."""
        for fetching in self._fetchings:
            await fetching.stop()
        for receivers in list(self._calls):
            await receivers.stop()

    async def call(self, name: str) -> list[tuple[str, bool, str]]:
        """Call the provider of that name now, all without a name: names, whether it went well, and what came of it."""
        heard: list[tuple[str, bool, str]] = []
        for fetching in self._fetchings:
            title = fetching.settings.title
            if name in ("", title):
                try:
                    heard.append((title, True, await fetching.call()))
                except Unavailable as trouble:
                    heard.append((title, False, str(trouble.reply)))
        return heard

    def _serve(self, host: str, title: str) -> "tuple[IProtocol, Deferred[int]]":
        """Make what receives over one call."""
        reception = FetchedReception(self._works.reception)
        listener = ListenerSettings(name=f"fetch {title}", auth="off")
        receivers: Any = self._receivers(listener, reception=reception, kind=CallReceivers)
        ended: Deferred[int] = Deferred()

        def end() -> None:
            self._calls.discard(receivers)
            if not ended.called:
                ended.callback(reception.messages)

        receivers.ended = end
        receivers.doStart()
        self._calls.add(receivers)
        session: Receiver = receivers.receive(host, 0)
        return session, ended
