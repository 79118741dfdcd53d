"""What every server under test is given: a folder, mailboxes to fill, and next hops on the loopback network."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

from tests.bench.certificate import Certificate

DOMAIN = "bench.test"
"""The domain whose mail every server keeps; mail for the next hops' domains is relayed."""

SINK = "sink.test"
"""The one next hop of the simple relay."""

MANY = tuple(f"hop{number}.test" for number in range(10))
"""Next hops of the wide relay."""

DEAD = MANY[-1]
"""The one of them that takes connections and never says a word."""


USER = f"sender@{DOMAIN}"
"""Who authenticates, and the reverse-path of all mail."""

PASSWORD = "bench-pass"
"""The user's; each server keeps it as its own tools write it."""


@frozen
class Site:
    """One server's surroundings."""

    folder: Path
    """Its own: configuration, queue, mailboxes and logs; it does not exist yet."""
    mailboxes: Sequence[str]
    """Local parts at DOMAIN."""
    next_hops: Mapping[str, str]
    """Domains and the loopback address each is to be sent to."""
    next_hop_port: int
    """The same at all those addresses."""
    resolv_conf: Path
    """What stands in for /etc/resolv.conf: a name server that knows the same, and nothing else."""
    software: Path
    """Where servers that are not installed were unpacked."""
    certificate: Certificate | None = None
    """With one, every server offers STARTTLS, and AUTH where it has a port for submission."""
