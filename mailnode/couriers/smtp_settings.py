"""What may be set about sending by SMTP and LMTP; the time limits are those of RFC 5321 section 4.5.3.2."""

from attrs import frozen

from mailnode.mail.quantity import Octets, Seconds
from mailnode.routing.terms import Level


@frozen
class SmtpTimes:
    """How long the next hop may take over each thing."""

    connect: Seconds = Seconds(30)
    """To accept a connection."""
    greeting: Seconds = Seconds(300)
    """To say 220 (4.5.3.2.1)."""
    hello: Seconds = Seconds(300)
    """To answer EHLO, HELO or LHLO."""
    tls: Seconds = Seconds(60)
    """To answer STARTTLS, and then to finish the handshake."""
    auth: Seconds = Seconds(60)
    """To answer each step of an authentication."""
    mail: Seconds = Seconds(300)
    """To answer MAIL, or RSET before it (4.5.3.2.2)."""
    rcpt: Seconds = Seconds(300)
    """To answer each RCPT (4.5.3.2.3)."""
    data: Seconds = Seconds(120)
    """To answer DATA (4.5.3.2.4)."""
    block: Seconds = Seconds(180)
    """To take a block of content (4.5.3.2.5)."""
    dot: Seconds = Seconds(600)
    """To answer the end of data (4.5.3.2.6); cut it short and messages arrive twice."""
    quit: Seconds = Seconds(5)
    """To answer QUIT before the connection is closed anyway."""
    idle: Seconds = Seconds(5)
    """How long a session is kept open for the next message to the same next hop."""
    stagger: Seconds = Seconds(0.25)
    """The head start each address of a host gets before the next one is tried beside it (RFC 8305 section 5)."""


@frozen
class SmtpCourierSettings:
    """How messages are sent to the next hop by SMTP."""

    port: int = 25
    """Where next hops listen, unless the next hop names a port."""
    times: SmtpTimes = SmtpTimes()
    """Time limits."""
    tls: Level = "may"
    """none: never; may: if it is offered, in clear text if it fails; encrypt: always, with any certificate; verify: with a good one; implicit: from the first octet, with a good one."""
    ca_file: str = ""
    """A PEM file with the authorities that certificates must come from; empty: those of the system."""
    obey_tls_required: bool = True
    """Whether the header field TLS-Required: No lets a message go where encrypt or verify would keep it (RFC 8689 section 4)."""
    max_hosts: int = 5
    """Hosts of one next hop that one attempt tries to reach."""
    max_sessions: int = 2
    """Hosts of one next hop that one attempt speaks with."""
    max_recipients: int = 100
    """Recipients of one transaction; a server must take at least 100 (RFC 5321 4.5.3.1.8)."""
    max_transactions: int = 100
    """Messages sent over one session."""
    max_idle: int = 100
    """Sessions kept open for the next message, to all next hops together."""
    conversion_limit: Octets = Octets(32 << 20)
    """The largest message that is rewritten for a next hop without 8BITMIME; a larger one is returned."""
    bind_ipv4: str = ""
    """The local IPv4 address that connections come from; empty: the system chooses."""
    bind_ipv6: str = ""
    """The local IPv6 address that connections come from; empty: the system chooses."""


@frozen
class LmtpCourierSettings(SmtpCourierSettings):
    """How messages are handed to a mailbox server by LMTP."""

    port: int = 24
    """Where mailbox servers listen, unless the next hop names a port."""
