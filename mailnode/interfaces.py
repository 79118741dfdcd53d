"""The seams: what one room asks of another. typing.Protocols and the few values they need; no logic.

All methods run on the reactor thread and never block it. Seconds are seconds since the epoch, from the injected
clock, unless a name says otherwise. Cancelling is safe before a method's promise is kept and has no effect after.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from enum import Enum
from typing import Protocol, TypeVar

from attrs import field, frozen

from mailnode.mail.account import UNCHANGED, Account, AccountChange
from mailnode.mail.address import Mailbox
from mailnode.mail.envelope import Envelope, Recipient
from mailnode.mail.message import DeliveryRequest, Entry, Message, NewEntry, Peer, QueuedRecipient
from mailnode.mail.outcome import Outcome
from mailnode.mail.reply import Reply
from mailnode.mail.route import Lane, Routing

T = TypeVar("T")


class Refused(Exception):  # noqa: N818 - it is an answer, not an error
    """The door says no; ``reply`` is what the peer hears. The only exception that policy raises."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


# --- the door ---------------------------------------------------------------------------------------------------


class Reception(Protocol):
    """Takes mail transactions from sessions."""

    async def begin(self, peer: Peer, envelope: Envelope, declared_size: int) -> "Transaction":
        """Open a transaction for MAIL; the envelope has no recipients yet. Raises Refused.

        ``declared_size`` is the SIZE parameter in octets, 0 when there was none (RFC 1870 section 6.1).
        """
        ...

    async def verify(self, peer: Peer, argument: str) -> Reply:
        """Answer VRFY."""
        ...

    async def expand(self, peer: Peer, argument: str) -> Reply:
        """Answer EXPN."""
        ...


class Transaction(Protocol):
    """One mail transaction; nothing of it lasts before ``commit``."""

    async def add_recipient(self, recipient: Recipient) -> Reply:
        """Take one more recipient, or raise Refused."""
        ...

    def write(self, octets: bytes) -> Awaitable[None] | None:
        """Take a block of content, dots unstuffed. What it returns, if anything, must be awaited before the next call.

        Too much content or trouble with the disk is remembered and answered by ``commit``.
        """
        ...

    async def commit(self) -> Sequence[Reply]:
        """Make the whole durable, then answer: one reply for each accepted recipient, in order (for SMTP they are all equal).

        A positive reply is a promise. Does not raise Refused. Must not be cancelled.
        """
        ...

    def abort(self) -> None:
        """Forget everything; safe at any time before ``commit``, and more than once."""
        ...


# --- the spool --------------------------------------------------------------------------------------------------


@frozen
class Settlement:
    """What became of one recipient after an attempt."""

    key: int
    """QueuedRecipient.key."""
    done: bool = False
    """It needs nothing more of us; forget it."""
    due: float = 0.0
    """If not done: when the next attempt is due."""
    warned: bool = False
    """The sender has now been told of the delay."""
    counts: bool = True
    """The attempt counts for the retry schedule."""
    last: Reply | None = None
    last_remote: str = ""
    forward_path: Mailbox | None = None
    """Its new address, when it changed."""
    lane: Lane | None = None
    """Its new lane, when the route changed."""


@frozen
class Selection:
    """Which entries of the spool are meant; empty fields match everything."""

    queue_id: str = ""
    domain: str = ""
    """Recipients at this domain."""
    with_subdomains: bool = False
    """Recipients beneath it too."""
    next_hop: str = ""
    """Recipients whose lane leads there."""
    sender: str = ""
    """Messages with this reverse-path; ``"<>"`` for the null one."""
    older_than: float = 0.0
    """Messages that arrived before this moment; 0 for any."""


class Spool(Protocol):
    """Keeps what was accepted until it is settled: durable, or it raises SpoolTrouble.

    Claims are leases: whoever claims must settle or be dead by ``lease_until``; then another takes the work over.
    """

    async def accept(self, entry: NewEntry, *, due: float, lease_until: float = 0.0) -> Entry:
        """Make the message durable for all its recipients, then return it as it stands.

        With ``lease_until`` the caller already holds the lease on all recipients (the hand-over in memory that saves
        reading it back); otherwise they are first due at ``due``. The content's file, if any, may be taken over (moved).
        """
        ...

    async def claim(
        self, *, now: float, lease_until: float, limit: int, per_lane: int, full: Collection[Lane]
    ) -> Sequence[Entry]:
        """Lease what is due: at most ``limit`` recipients, at most ``per_lane`` of one lane, none of the ``full`` lanes.

        One Entry for each message; recipients of different lanes may stand in one Entry. Oldest due first.
        """
        ...

    async def claim_lane(
        self, lane: Lane, *, now: float, lease_until: float, limit: int, after: int = 0
    ) -> Sequence[Entry]:
        """Lease what waits in one lane, due or not: at most ``limit`` recipients, those behind the key ``after``, by their keys.

        What is held, or leased to somebody, is left alone.
        """
        ...

    async def settle(
        self, settlements: Sequence[Settlement], notices: Sequence[tuple[NewEntry, float]] = ()
    ) -> Sequence[str]:
        """Write the outcomes down and accept ``notices`` (DSNs, each with its due time) in the same commit.

        When none of the recipients is known any more (an operator has removed them) nobody is told: no notice is kept.
        A message whose last recipient is done is forgotten, content and all; gives the queue ids of those messages.
        """
        ...

    async def postpone(self, lane: Lane, until: float) -> None:
        """Let nothing of ``lane`` be claimed before ``until`` (its host is dead); costs the same for one or a million."""
        ...

    async def next_due(self) -> float | None:
        """Tell when ``claim`` would next give something; None when nothing waits."""
        ...

    async def recover(self) -> int:
        """Free the leases of this owner's earlier life, drop content that no message owns; give how many recipients wait.

        Call once, before anything else.
        """
        ...

    async def retime(self, *, now: float, due_by: float, lease_until: float) -> None:
        """Correct times that lie further ahead than they can: the clock was set back after they were written.

        What waits until later than ``due_by`` is due now, and lanes postponed beyond it open; leases that run beyond
        ``lease_until`` run until then.
        """
        ...

    async def hold(self, selection: Selection) -> int:
        """Let nothing selected be claimed until released; give the number of recipients."""
        ...

    async def release(self, selection: Selection) -> int:
        """Undo ``hold``; they become due at once."""
        ...

    async def retry(self, selection: Selection, now: float) -> int:
        """Make what is selected (and not held or leased) due now, and forget that its lanes were postponed."""
        ...

    async def remove(self, selection: Selection) -> int:
        """Forget what is selected, without notice to anyone; leased recipients go too."""
        ...

    async def listing(self, selection: Selection, *, limit: int, after: str = "") -> Sequence[Entry]:
        """Show entries by age, at most ``limit``, those after the queue id ``after``; contents are not loaded."""
        ...

    async def count(self) -> tuple[int, int]:
        """Count messages and recipients."""
        ...

    async def close(self) -> None:
        """Finish what was asked for and close."""
        ...


class SpoolTrouble(Exception):  # noqa: N818
    """The spool could not make it durable; ``is_full`` when the disk has no room (452 4.3.1)."""

    def __init__(self, reason: str, *, is_full: bool = False) -> None:
        super().__init__(reason)
        self.is_full = is_full


# --- routing ----------------------------------------------------------------------------------------------------


class Router(Protocol):
    """Says where mail for an address goes from here."""

    async def route(self, forward_path: Mailbox) -> Routing:
        """Route one address by one step; an Expansion's members are routed in turn by the caller.

        Never raises for a bad address: that is a Refusal (a temporary one when it cannot be known now).
        """
        ...


class Directory(Protocol):
    """Who lives here."""

    async def find(self, mailbox: Mailbox) -> bool:
        """Tell whether a mailbox of exactly this address exists (no aliases, no subaddress; domain folded)."""
        ...

    async def describe(self, mailbox: Mailbox) -> str:
        """Give the full name of whoever has the mailbox; empty when none is known."""
        ...

    async def add(self, mailbox: Mailbox, details: AccountChange = UNCHANGED) -> None:
        """Make the mailbox known; ValueError if it is already."""
        ...

    async def change(self, mailbox: Mailbox, details: AccountChange) -> None:
        """Change the account; LookupError if it is not known."""
        ...

    async def accounts(self, domain: str = "") -> Sequence[Account]:
        """List the accounts, of one domain or all, sorted as the names are."""
        ...

    async def remove(self, mailbox: Mailbox) -> None:
        """Make it unknown; its mail stays on disk. LookupError if it was not known."""
        ...

    async def names(self, domain: str = "") -> Sequence[Mailbox]:
        """List the mailboxes, of one domain or all, sorted."""
        ...

    def close(self) -> None:
        """Let go of the files."""
        ...


class NoSuchDomain(Exception):  # noqa: N818
    """NXDOMAIN: the name does not exist, authoritatively."""


class TryLater(Exception):  # noqa: N818
    """No usable answer from any server: SERVFAIL, refused, or silence."""


@frozen
class Answer:
    """A DNS answer: records as plain values."""

    values: tuple[tuple[int, str], ...]
    """``(preference, name)`` for MX, ``(0, address)`` for A and AAAA, ``(0, text)`` for TXT; empty: the name has no such record."""
    ttl: float
    """Seconds it may be kept."""
    is_secure: bool = False
    """The AD bit: a validating resolver vouches for it (RFC 4035 section 3.2.3)."""


class Resolver(Protocol):
    """Asks the DNS. Each method raises NoSuchDomain or TryLater; an empty answer means the type does not exist there."""

    async def exchanges(self, domain: str) -> Answer:
        """Ask for MX; CNAMEs have been followed."""
        ...

    async def addresses(self, host: str) -> Answer:
        """Ask for AAAA and A together; AAAA first."""
        ...

    async def texts(self, name: str) -> Answer:
        """Ask for TXT; the strings of one record are joined."""
        ...


# --- who is who -------------------------------------------------------------------------------------------------


@frozen
class Challenge:
    """What the server says in the middle of an exchange; the client answers it (RFC 4422 section 3)."""

    octets: bytes = field(default=b"", repr=False)


@frozen
class Authenticated:
    """The exchange has shown who the client is."""

    account: str
    """The account's full address, as text."""


class AuthExchange(Protocol):
    """One exchange of a mechanism with a client."""

    async def step(self, response: bytes | None) -> Challenge | Authenticated:
        """Take a response; None first when the client gave none with its command. Raises Refused, and then it is over."""
        ...


class Authority(Protocol):
    """Finds out who a client is."""

    def mechanisms(self, peer: Peer) -> tuple[str, ...]:
        """Name the SASL mechanisms for this client, best first."""
        ...

    def begin(self, peer: Peer, mechanism: str) -> AuthExchange:
        """Begin an exchange; raises Refused for a mechanism that is not to be had."""
        ...


class Standing(Enum):
    """What is known of an account."""

    UNKNOWN = "unknown"
    """There is none of that name, or the password is not its own: nobody is told which."""
    DISABLED = "disabled"
    ACTIVE = "active"


@frozen
class Verifier:
    """What a server keeps of a password for SCRAM (RFC 5802 section 3)."""

    salt: bytes = field(repr=False)
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


class Credentials(Protocol):
    """Checks what proves an account. Each method raises CredentialsTrouble when it cannot be known now.

    Unknown accounts take as long, and look the same to a client, as wrong passwords.
    """

    has_verifiers: bool
    """``verifier`` can give something."""

    async def verify(self, account: Mailbox, password: str) -> Standing:
        """Check a password, prepared by SASLprep."""
        ...

    async def verifier(self, account: Mailbox) -> Verifier:
        """Give the account's verifier; one that fits nothing, but stays the same, where there is none."""
        ...

    async def standing(self, account: Mailbox) -> Standing:
        """Tell how an account stands that was proved by other means (a certificate, a token, a verifier)."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


class CredentialsTrouble(Exception):  # noqa: N818
    """Whoever knows the passwords does not answer now (454 4.7.0)."""


# --- carrying ---------------------------------------------------------------------------------------------------


class Courier(Protocol):
    """Carries a message one hop."""

    async def carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        """Make one try; an outcome for every recipient of the request.

        What the next hop says is a value, never an exception; an exception is a bug and counts as Delayed (451 4.3.0).
        After Delivered the message is durable. May be cancelled at any time: then whoever had no outcome is tried again.
        """
        ...

    async def close(self) -> None:
        """Drop idle connections and files."""
        ...


class Queue(Protocol):
    """Keeps trying what the spool keeps."""

    async def submit(self, entry: NewEntry) -> None:
        """Make the message durable and start on it; raises SpoolTrouble."""
        ...

    def wake(self) -> None:
        """Look into the spool now: something there has changed."""
        ...

    def recall(self, is_meant: Callable[[Message, QueuedRecipient], bool]) -> None:
        """Give the spool back what is in memory, is meant and not yet tried: there it was held or removed."""
        ...


# --- the machine beneath ----------------------------------------------------------------------------------------


class Disk(Protocol):
    """Runs what blocks on a thread, away from the reactor."""

    async def run(self, work: Callable[[], T]) -> T:
        """Run ``work`` on a thread of the pool and give what it returns; its exceptions come back as they are."""
        ...


__all__ = [
    "Answer",
    "AuthExchange",
    "Authenticated",
    "Authority",
    "Challenge",
    "Courier",
    "Credentials",
    "CredentialsTrouble",
    "Directory",
    "Disk",
    "NoSuchDomain",
    "Queue",
    "Reception",
    "Refused",
    "Resolver",
    "Router",
    "Selection",
    "Settlement",
    "Spool",
    "SpoolTrouble",
    "Standing",
    "Transaction",
    "TryLater",
    "Verifier",
]
