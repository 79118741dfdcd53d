"""What is measured under load: each scenario is a kind of mail, a size, and a way of sending."""

from attrs import frozen

SESSIONS = 20
"""Sessions that send at the same time."""

MAILBOXES = 100
"""Mailboxes the messages of one round are spread over."""


@frozen
class Scenario:
    """One block of lines in the table."""

    name: str
    says: str
    """What it measures, for the reader of the table."""
    kind: str
    """What a server must be able to do: deliver, relay, relay-many or lmtp."""
    size: int
    """Octets of a message's body."""
    messages: int
    """Messages in one round."""
    quick: int
    """The same, when there is little time."""
    keeps_connection: bool = False
    """Send all messages of a session over one connection."""


SCENARIOS = (
    Scenario("accept-4k", "accept and deliver, 4 kB, a connection each", "deliver", 4096, 2000, 200),
    Scenario("accept-4k-kept", "accept and deliver, 4 kB, kept connections", "deliver", 4096, 2000, 400, True),
    Scenario("accept-64k", "accept and deliver, 64 kB, a connection each", "deliver", 65536, 1000, 100),
    Scenario("accept-5m", "accept and deliver, 5 MB, a connection each", "deliver", 5 << 20, 40, 6),
    Scenario("lmtp-4k", "LMTP in, 4 kB, a connection each", "lmtp", 4096, 2000, 200),
    Scenario("relay-4k", "relay, 4 kB, one next hop", "relay", 4096, 2000, 200),
    Scenario("relay-4k-many", "relay, 4 kB, 10 next hops, one of them silent", "relay-many", 4096, 2000, 200),
)
