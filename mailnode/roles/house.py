"""The house behind the door: what every transaction needs of the node, and the bounds on what it takes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Protocol

from attrs import field, frozen
from twisted.internet.interfaces import IReactorTime

from mailnode.interfaces import Courier, Disk, Queue, Router
from mailnode.mail.address import Mailbox
from mailnode.mail.envelope import Recipient
from mailnode.mail.message import Message, NewEntry
from mailnode.mail.quantity import Octets, Seconds
from mailnode.mail.route import Expansion
from mailnode.roles.allowance import Allowance


class LocalRouter(Router, Protocol):
    """A router that also knows which addresses are ours."""

    @property
    def home(self) -> str:
        """Give the domain that an address literal of ours stands for."""
        ...

    def is_local(self, mailbox: Mailbox) -> bool:
        """Tell whether mail for this address is ours."""
        ...

    async def expand_list(self, mailbox: Mailbox) -> Expansion | None:
        """Give a list's members; None when there is no such list."""
        ...


@frozen
class ReceptionSettings:
    """Bounds on what is accepted."""

    max_size: Octets = Octets(50 * 1024 * 1024)
    """Octets of one message; more is told 552 at MAIL (by SIZE) or at the final dot. 0 for any size."""
    max_hops: int = 100
    """Received fields in a message; more is a loop (RFC 5321 6.3) and told 554 5.4.6."""


@frozen
class House:
    """What every transaction needs of the node."""

    hostname: str
    router: LocalRouter
    queue: Queue
    couriers: Mapping[str, Courier]
    """The couriers of our own mailboxes, by name: these deliver before the 250."""
    disk: Disk
    clock: IReactorTime
    random: Random
    incoming: Path
    """The folder where large contents are collected, on the spool's file system."""
    settings: ReceptionSettings
    give_up: Callable[[Mailbox], Seconds]
    """How long mail from this reverse-path is tried."""
    report_expansion: Callable[[Message, Sequence[Recipient]], Awaitable[Sequence[NewEntry]]]
    """Writes the report for lists that were expanded here (RFC 3461 5.2.7.3)."""
    allowance: Allowance = field(factory=Allowance)
    """The memory that contents of middling size share."""
