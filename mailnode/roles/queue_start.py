"""Starting the queue from outside: who may ask by ETRN, for which mail, and how often (RFC 1985).

``ETRN host`` means the recipients at that domain, ``ETRN @domain`` those beneath it as well, ``ETRN #hop`` those whose
lane leads to that next hop. They become due at once in the spool, wherever they wait: whichever process of the node
finds them first tries them. Mail goes where it always would, so whoever asks gains nothing but haste; but haste costs
us, hence the limits. Trusted clients and those with an account may ask for all; others for the domains that are open
to everybody, each once in a while.
"""

import re
from collections.abc import Callable
from typing import Literal

from attrs import Factory, define, frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from mailnode.interfaces import Queue, Selection, Spool, SpoolTrouble
from mailnode.mail.message import Peer
from mailnode.mail.quantity import Seconds
from mailnode.mail.reply import Reply
from mailnode.routing.names import domain_key
from mailnode.smtp import remote_queue

MOST = 10_000
"""Nodes whose last start is remembered."""

_NODE = re.compile(r"[^\s\x00-\x1f\x7f]{1,255}")


@frozen
class EtrnSettings:
    """Who may start the queue by ETRN."""

    allow: Literal["trusted", "nobody"] = "trusted"
    """trusted: clients of the trusted networks and those with an account, for all mail; nobody: ETRN is not offered."""
    domains: tuple[str, ...] = ()
    """Domains for which any client may start the queue, with all beneath them."""
    every: Seconds = Seconds(10)
    """How often the queue is started for the same node at most; whoever asks sooner is told 458."""


@define(eq=False)
class QueueStart:
    """Implements sessions.remote_queue.StartsQueue."""

    log = Logger()

    spool: Spool
    queue: Queue
    clock: IReactorTime
    settings: EtrnSettings
    is_trusted: Callable[[Peer], bool]
    _started: dict[str, float] = Factory(dict)

    async def start(self, peer: Peer, argument: str) -> Reply:
        """Make what is meant due now, and wake the queue."""
        if not _NODE.fullmatch(argument):
            return remote_queue.ETRN_SYNTAX
        try:
            selection = _selection(argument)
        except ValueError:
            return remote_queue.ETRN_SYNTAX
        if not (self.is_trusted(peer) or self._is_open(selection)):
            return remote_queue.not_allowed(argument, "you may not start its queue")
        now = self.clock.seconds()
        if not self._may_start(argument.lower(), now):
            return remote_queue.unable(argument)
        try:
            count = await self.spool.retry(selection, now)
        except SpoolTrouble as trouble:
            self.log.error("the queue cannot be started by ETRN: {reason}", event="trouble", reason=str(trouble))
            return remote_queue.unable(argument)
        if count:
            self.queue.wake()
        self.log.info(
            "{peer}: ETRN {node}: {count} recipient(s) are tried now", event="etrn", peer=peer.address, node=argument,
            count=count,
        )  # fmt: skip
        return remote_queue.started(argument, count)

    def _is_open(self, selection: Selection) -> bool:
        """Tell whether anybody may ask for this domain."""
        return any(
            selection.domain == domain or selection.domain.endswith(f".{domain}")
            for domain in map(domain_key, self.settings.domains)
        )

    def _may_start(self, node: str, now: float) -> bool:
        last = self._started.get(node)
        if last is not None and 0 <= now - last < self.settings.every:
            return False
        self._started.pop(node, None)
        if len(self._started) >= MOST:
            del self._started[next(iter(self._started))]
        self._started[node] = now
        return True


def _selection(argument: str) -> Selection:
    """Read the node; ValueError when it is none."""
    option, name = argument[0], argument[1:]
    if option == "#" and name:
        return Selection(next_hop=name)
    if option == "@":
        return Selection(domain=domain_key(name), with_subdomains=True)
    return Selection(domain=domain_key(argument))
