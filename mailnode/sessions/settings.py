"""Settings of a session: its times and bounds (RFC 5321 section 4.5.3)."""

from typing import Literal

from attrs import frozen

from mailnode.mail.quantity import Octets, Seconds
from mailnode.smtp.settings import BareNewlines


@frozen
class SessionSettings:
    """Bounds for every session of a listener."""

    max_sessions: int = 20_000
    """Sessions at the same time, over all addresses; more are greeted late, then told 421."""
    max_sessions_per_address: int = 50
    """Sessions at the same time from one address outside the trusted networks; more are told 421."""
    overload_wait: Seconds = Seconds(5)
    """How long a session beyond max_sessions waits for its greeting before it is told 421."""
    max_waiting_sessions: int = 500
    """How many sessions may wait like that; more are told 421 at once."""
    greeting_delay: Seconds = Seconds(0)
    """How long to hold the greeting back, to notice peers that talk first."""
    early_talkers: Literal["note", "refuse"] = "note"
    """What to do with a peer that talks before the greeting: note it in the log, or refuse it with 554."""
    handshake_timeout: Seconds = Seconds(30)
    """How long a TLS handshake may take."""
    command_timeout: Seconds = Seconds(300)
    """How long to wait for a whole command (RFC 5321 4.5.3.2.7)."""
    data_timeout: Seconds = Seconds(180)
    """How long to wait for the next block of content (RFC 5321 4.5.3.2.5)."""
    min_data_rate: Octets = Octets(500)
    """Octets of content a second that move the deadline on; slower peers run out of data_timeout."""
    max_errors: int = 20
    """Refused commands in one session; then 421 and the connection is closed."""
    max_idle_commands: int = 200
    """NOOP, RSET, VRFY, EXPN, HELP, hellos and empty chunks in a row without a message; then 421."""
    max_recipients: int = 1000
    """Recipients in one transaction; more are told 452 (at least 100: RFC 5321 4.5.3.1.8)."""
    max_transactions: int = 1000
    """Messages in one session; then 421."""
    max_command_line: Octets = Octets(2048)
    """Octets in a command line; the RFC's least is 512 plus what each extension adds."""
    max_text_line: Octets = Octets(0)
    """Octets in a line of content; 0 for any length."""
    bare_newlines: BareNewlines = "refuse"
    """What to do with a CR or LF that stands alone in content: refuse the message, or make it CRLF."""
    strict_syntax: bool = False
    """Refuse what people type by hand: a blank after MAIL FROM: and addresses without angle brackets."""
