"""What the client's machine tells: how far a session is, and what the replies mean."""

import enum

from attrs import frozen

from mailnode.mail.reply import Reply
from mailnode.smtp.peeroffer import PeerOffer


class Stage(enum.IntEnum):
    """How far things are; what is waited for now."""

    GREETING = enum.auto()
    HELLO = enum.auto()
    IDLE = enum.auto()
    RESET = enum.auto()
    MAIL = enum.auto()
    RCPT = enum.auto()
    DATA = enum.auto()
    CONTENT = enum.auto()
    """We are sending."""
    DOT = enum.auto()
    """The end of data is on its way: the peer may have taken the message."""
    QUIT = enum.auto()
    STARTTLS = enum.auto()
    TLS = enum.auto()
    """The handshake: nothing is said or heard in clear text."""
    AUTH = enum.auto()


@frozen
class Answer:
    """What became of one recipient."""

    reply: Reply
    stage: Stage
    """The command that ``reply`` answers."""
    is_ours: bool = False
    """The words are ours: the connection was lost, or the peer made no sense."""


@frozen
class Ready:
    """The peer takes mail."""

    offer: PeerOffer


@frozen
class Rejected:
    """The peer takes no mail from us, or not now."""

    reply: Reply


@frozen
class Replied:
    """The answer to what was asked beside mail (``ask``)."""

    reply: Reply


@frozen
class ContentWanted:
    """Send the content, stuffed; call ``content_sent`` before its end."""


@frozen
class Settled:
    """The transaction is over."""

    answers: tuple[Answer, ...]
    """One for each recipient, in the order of ``begin``."""


@frozen
class Broken:
    """The session is of no more use; what was open has been settled."""

    reply: Reply
    """The peer's last words, or ours about it."""
    is_ours: bool


Event = Ready | Rejected | Replied | ContentWanted | Settled | Broken
