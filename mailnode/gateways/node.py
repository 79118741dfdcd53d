"""What a gateway has of the node: ``self.node``. A Protocol; ``roles.gateway_node`` is it, and the kit uses the same."""

from pathlib import Path
from random import Random
from typing import Any, Protocol

from attrs import field, frozen
from twisted.logger import Logger

from mailnode.gateways.addresses import AddressBook
from mailnode.gateways.composing import Draft
from mailnode.gateways.http import HttpClient
from mailnode.gateways.outcomes import Delayed, Delivered, Failed
from mailnode.interfaces import Disk, Refused
from mailnode.mail.address import Mailbox
from mailnode.mail.reply import Reply

A_MONTH = 30 * 86400.0


@frozen
class Submitted:
    """A message from the other side that is now the node's."""

    queue_id: str
    message_id: str
    """Its Message-ID, with angle brackets; what a later answer will refer to."""
    refused: tuple[tuple[str, Reply], ...] = field(default=())
    """Recipients that were not taken while others were."""
    is_repeated: bool = False
    """It was submitted before with the same key, and not again."""


class AllRefused(Refused):
    """None of the recipients was taken; ``refused`` tells of each."""

    def __init__(self, reply: Reply, refused: tuple[tuple[str, Reply], ...]) -> None:
        super().__init__(reply)
        self.refused = refused


class GatewayNode(Protocol):
    """The node as a gateway sees it."""

    name: str
    """The gateway's name in the configuration."""
    hostname: str
    reactor: Any
    """For connections: ``HostnameEndpoint(self.node.reactor, ...)``."""
    clock: Any
    """IReactorTime: for time, timers and LoopingCalls, so that tests can turn it."""
    random: Random
    disk: Disk
    """For work that blocks."""
    addresses: AddressBook
    http: HttpClient
    log: Logger

    @property
    def folder(self) -> Path:
        """Give a folder of the gateway's own in the data folder; it is made when first asked for."""
        ...

    async def submit(
        self,
        mail: Draft | bytes,
        *,
        protocol: str,
        sender: str | None = None,
        to: tuple[str, ...] = (),
        key: str = "",
        mark: str = "",
        traceparent: str = "",
    ) -> Submitted:
        """Put a message into the mail system: once this returns it is durable, and the other side may be told so.

        ``mail`` is a Draft or a message as octets, which then needs ``to``; ``sender`` is the reverse-path, of a Draft its
        own sender, ``""`` the null one. ``protocol`` stands in the trace field (``XMPP``, ``HTTP``). With a ``key`` the
        same message submitted again gives the first one's answer. ``mark`` and ``traceparent`` are what an outgoing
        message had, if the other side has carried them. Raises interfaces.Refused when it is not taken
        (AllRefused when that is for its recipients); ``refused.reply.is_transient`` tells whether to try again.
        ValueError for a bad address.
        """
        ...

    async def receipt(self, receipt_id: str, outcome: Delivered | Delayed | Failed) -> bool:
        """Tell what became of what was Relayed with this id; the sender hears of it if he asked. False: it is not known.

        A receipt that is not known yet is kept for a while, since it may overtake the answer of ``deliver``.
        """
        ...

    async def remember(self, key: str, value: str, keep: float = A_MONTH) -> None:
        """Keep a small value durably, for ``keep`` seconds: the thread of a conversation, the place in a stream."""
        ...

    async def recall(self, key: str) -> str:
        """Give what was remembered; empty when there is nothing (any more)."""
        ...

    def reply_address(self, foreign: str) -> Mailbox:
        """Give a mail address that leads back to ``foreign``: by the map, or signed (AddressBook.reply_address)."""
        ...
