"""What is measured under load: each scenario is a kind of mail, a size, and a way of sending."""

from attrs import frozen

SESSIONS = 20
"""Sessions that send at the same time."""

MAILBOXES = 100
"""Mailboxes the messages of one round are spread over; each is a smtp-source of its own."""

QUICK_MAILBOXES = 20
"""The same, when there is little time."""

ROUND_SECONDS = 3.0
"""What a round shall take at most: slow servers get fewer messages, by what they did in the round that warms up."""

QUICK_ROUND_SECONDS = 1.0
"""The same, when there is little time."""


@frozen
class Scenario:
    """One block of lines in the table."""

    name: str
    says: str
    """What it measures, for the reader of the table."""
    kind: str
    """What a server must be able to do: deliver, relay, relay-many, lmtp, tls or auth."""
    size: int
    """Octets of a message's body."""
    messages: int
    """Messages in one round, at most: it is to take ROUND_SECONDS, whoever is measured."""
    quick: int
    """The same, when there is little time."""
    keeps_connection: bool = False
    """Send all messages of a session over one connection."""

    @property
    def has_tls(self) -> bool:
        """Tell whether servers need a certificate for it."""
        return self.kind in {"tls", "auth"}


SCENARIOS = (
    Scenario("accept-4k", "accept and deliver, 4 kB, a connection each", "deliver", 4096, 2000, 200),
    Scenario("accept-4k-kept", "accept and deliver, 4 kB, kept connections", "deliver", 4096, 2000, 400, True),
    Scenario("accept-64k", "accept and deliver, 64 kB, a connection each", "deliver", 65536, 1000, 100),
    Scenario("accept-5m", "accept and deliver, 5 MB, a connection each", "deliver", 5 << 20, 20, 5),
    Scenario("lmtp-4k", "LMTP in, 4 kB, a connection each", "lmtp", 4096, 2000, 200),
    Scenario("relay-4k", "relay, 4 kB, one next hop", "relay", 4096, 2000, 200),
    Scenario("relay-4k-many", "relay, 4 kB, 10 next hops, one of them silent", "relay-many", 4096, 2000, 200),
    Scenario(
        "tls-4k",
        "accept and deliver, 4 kB, a connection each with STARTTLS and a full handshake",
        "tls",
        4096,
        2000,
        200,
    ),
    Scenario("auth-4k", "submission, 4 kB, a connection each with STARTTLS and AUTH PLAIN", "auth", 4096, 2000, 200),
)
