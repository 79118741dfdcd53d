"""The house behind the door: what every transaction needs of the node, and the bounds on what it takes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Literal, Protocol

from attrs import field, frozen
from twisted.internet.interfaces import IReactorTime

from mailnode.accounts.memory import MemoryDirectory
from mailnode.interfaces import Courier, Directory, Disk, Queue, Router
from mailnode.mail.address import Mailbox
from mailnode.mail.envelope import Recipient
from mailnode.mail.message import DeliveryRequest, Message, NewEntry
from mailnode.mail.outcome import Outcome
from mailnode.mail.quantity import Octets, Seconds
from mailnode.mail.route import Expansion
from mailnode.roles.allowance import Allowance


class LocalRouter(Router, Protocol):
    """A router that also knows which addresses are ours."""

    @property
    def home(self) -> str:
        """Give the domain that an address literal of ours stands for."""
        ...

    @property
    def domains(self) -> Sequence[str]:
        """Give the names of our domains, in their order."""
        ...

    def is_local(self, mailbox: Mailbox) -> bool:
        """Tell whether mail for this address is ours."""
        ...

    async def expand_list(self, mailbox: Mailbox) -> Expansion | None:
        """Give a list's members; None when there is no such list."""
        ...


class Terminals(Protocol):
    """A courier that also knows who is at a terminal."""

    @property
    def is_open_to_all(self) -> bool:
        """Tell whether everybody may write to terminals."""
        ...

    async def accepts(self, mailbox: Mailbox) -> bool:
        """Tell whether the user is active: logged in at a terminal that takes messages."""
        ...

    async def carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        """Show the message to every recipient, as interfaces.Courier does."""
        ...


Asker = Literal["trusted", "all", "none"]
"""Who may ask: clients that may send to anywhere, everybody, nobody."""


@frozen
class ReceptionSettings:
    """Bounds on what is accepted."""

    max_size: Octets = Octets(50 * 1024 * 1024)
    """Octets of one message; more is told 552 at MAIL (by SIZE) or at the final dot. 0 for any size."""
    max_hops: int = 100
    """Received fields in a message; more is a loop (RFC 5321 6.3) and told 554 5.4.6."""
    verify: Asker = "trusted"
    """Whose VRFY is answered; all others hear 252 (RFC 5321 7.3)."""
    expand: Asker = "trusted"
    """Whose EXPN is answered; all others hear 252."""
    verbose: bool = False
    """Offer VERB: after it, clients that may send to anywhere hear how each recipient fared."""


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
    directory: Directory = field(factory=MemoryDirectory)
    """Who lives here, for VRFY and EXPN."""
    terminals: Terminals | None = None
    """Where users are logged in; None when SEND, SOML and SAML are not offered."""
