"""Settings of the server's machine: its limits, and how much it forgives (RFC 5321 4.5.3)."""

from typing import Literal

from attrs import frozen

BareNewlines = Literal["refuse", "repair"]
"""What to do with a CR or LF that stands alone."""


@frozen
class ServerSettings:
    """What every connection of a listener shares."""

    hostname: str = "localhost"
    """The name we say in the answer to a hello."""
    max_command_line: int = 2048
    """Octets in a command line with its CRLF; at least 512 plus what each extension adds (RFC 5321 4.5.3.1.4)."""
    max_size: int = 0
    """Octets of a message: what SIZE says and BDAT is held to; 0 for any size."""
    max_recipients: int = 0
    """Recipients in a transaction, said in LIMITS; 0 says nothing. Whoever answers RCPT enforces it."""
    max_transactions: int = 0
    """Messages in a session, said in LIMITS; 0 says nothing. Whoever answers MAIL enforces it."""
    bare_addresses: bool = False
    """Take addresses without a domain; whoever answers MAIL and RCPT gives them one (RFC 6409 section 6.2)."""
    strict_syntax: bool = False
    """Refuse what people type by hand: a blank after ``MAIL FROM:``, addresses without angle brackets, odd names."""
    bare_newlines: BareNewlines = "refuse"
    """Refuse content and commands with a CR or LF that stands alone, or make it CRLF."""
    max_text_line: int = 0
    """Octets in a line of content without its CRLF; 0 for any length (RFC 5321 4.5.3.1.6 has 998)."""
