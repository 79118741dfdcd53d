"""What is measured: each scenario is a kind of mail, a size, and a way of sending."""

from attrs import frozen

DOMAIN = "bench.test"
"""The domain whose mail every server under test keeps; everything else it relays to the sink."""

SESSIONS = 20
"""Sessions that send at the same time."""

MAILBOXES = 100
"""Mailboxes the messages of one round are spread over."""


@frozen
class Scenario:
    """One line of the comparison."""

    name: str
    says: str
    """What it measures, for the reader of the table."""
    relays: bool
    """Relay to the sink, or deliver to Maildirs."""
    size: int
    """Octets of a message's body."""
    keeps_connection: bool = False
    """Send all messages of a session over one connection."""
    messages: int = 2000
    """Messages in one round."""


SCENARIOS = (
    Scenario("accept-4k", "accept and deliver, 4 kB, a connection each", relays=False, size=4096),
    Scenario(
        "accept-4k-kept", "accept and deliver, 4 kB, kept connections", relays=False, size=4096, keeps_connection=True
    ),
    Scenario("accept-64k", "accept and deliver, 64 kB, a connection each", relays=False, size=65536, messages=1000),
    Scenario("relay-4k", "relay to smtp-sink, 4 kB, a connection each", relays=True, size=4096),
)
