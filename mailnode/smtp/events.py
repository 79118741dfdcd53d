"""What the peer said: the events of a ServerConnection, frozen values.

All but ``ContentPart`` owe a reply: ``send`` (``accept_hello`` for a Hello that is welcome, ``send_each`` for a
ContentEnd in LMTP).
"""

import enum
from typing import Final

from attrs import field, frozen

from mailnode.mail.envelope import Envelope, Recipient
from mailnode.mail.reply import Reply


class Wait(enum.Enum):
    """Why there is no event now."""

    NEED_DATA = enum.auto()
    """More octets must come first; after the session's end, for ever."""
    PAUSED = enum.auto()
    """A reply is owed first."""


NEED_DATA: Final = Wait.NEED_DATA
PAUSED: Final = Wait.PAUSED


@frozen
class Hello:
    """EHLO, HELO or LHLO; any open transaction is over when it is accepted (RFC 5321 4.1.4)."""

    verb: str
    name: str
    """A domain or an address literal in form, but nothing is checked; never blanks, controls, quotes or brackets ``()<>``."""


@frozen
class Mail:
    """MAIL: opens a transaction (RFC 5321 4.1.1.2)."""

    envelope: Envelope
    """Without recipients."""
    size: int = 0
    """Octets by the SIZE parameter; 0 when there was none (RFC 1870)."""


@frozen
class Rcpt:
    """RCPT: one more recipient."""

    recipient: Recipient


@frozen
class Data:
    """DATA: owes 354 or a refusal; after 354 content flows."""


@frozen
class ContentPart:
    """A block of content, dots unstuffed; never empty. Owes nothing."""

    octets: bytes


@frozen
class ChunkEnd:
    """A chunk of BDAT is in, and it was not the last (RFC 3030 section 2)."""

    size: int


@frozen
class ContentEnd:
    """The content is whole; with a ``fault`` it must not be accepted, and not all of it was given."""

    fault: Reply | None = None


@frozen
class Reset:
    """RSET."""


@frozen
class Noop:
    """NOOP."""


@frozen
class Quit:
    """QUIT: owes 221; nothing comes after."""


@frozen
class Verify:
    """VRFY."""

    argument: str


@frozen
class Expand:
    """EXPN."""

    argument: str


@frozen
class HelpAsked:
    """HELP."""

    argument: str


@frozen
class StartTls:
    """STARTTLS: after a 220 the machine stands still until ``reset_after_tls`` (RFC 3207 section 4)."""


@frozen
class Authenticate:
    """AUTH: owes 334 with a challenge, 235, or a refusal (RFC 4954 section 4)."""

    mechanism: str
    """In capitals."""
    response: bytes | None = field(default=None, repr=False)
    """The initial response, decoded; None when there was none. Never shown: it may hold a password."""


@frozen
class AuthResponse:
    """The answer to a challenge; owes what Authenticate owes."""

    response: bytes = field(repr=False)
    """Decoded. Never shown: it may hold a password."""


@frozen
class Extra:
    """A command that an extension added."""

    verb: str
    argument: str


@frozen
class Faulty:
    """A command that was not understood or not in order, with the reply to give."""

    reply: Reply
    line: bytes
    """What was sent, at most its first 512 octets; empty for a line too long to keep or one that may hold a password."""


Event = (
    Hello | Mail | Rcpt | Data | ContentPart | ChunkEnd | ContentEnd | Reset | Noop | Quit | Verify | Expand
    | HelpAsked | StartTls | Authenticate | AuthResponse | Extra | Faulty
)  # fmt: skip
