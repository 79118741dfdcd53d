"""Where a message for an address goes from here: one of a route, an expansion, or a refusal."""

from attrs import frozen

from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.reply import Reply

ON_DEMAND = "odmr"
"""The courier whose mail waits until its owner calls for it (RFC 2645)."""


@frozen
class Lane:
    """A courier and the next hop it goes to: everything in one lane shares that host's fate."""

    courier: str
    """The courier's name: ``"smtp"``, ``"maildir"``, a gateway's."""
    next_hop: str = ""
    """What the courier needs to find it: a domain for MX, ``"[192.0.2.7]:25"``, ``"relay.example:26"``; empty for mailboxes."""


@frozen
class Route:
    """The message goes along ``lane``, addressed to ``forward_path``."""

    lane: Lane
    forward_path: Mailbox
    """The address after aliases and subaddress; for a mailbox courier it names the mailbox."""
    why: tuple[str, ...] = ()
    """The steps that led here, for ``mailnode explain``; a sentence each."""

    @property
    def is_local(self) -> bool:
        """Tell whether this node's own mailboxes take it: it may be delivered before the 250."""
        return self.lane.courier in ("maildir", "mbox")


@frozen
class Expansion:
    """The address stands for others (an alias or a list)."""

    members: tuple[Mailbox, ...]
    why: tuple[str, ...] = ()
    is_list: bool = False
    """A list is the end of the message's journey; an alias passes NOTIFY and ORCPT on (RFC 3461 5.2.7)."""
    owner: Mailbox = NULL
    """The reverse-path for a list's copies; NULL: the sender's own is kept."""
    has_moved: bool = False
    """The user has moved to the one member, and the sender may hear of it (251, RFC 5321 section 3.4)."""
    own: Route | None = None
    """The address's own mailbox, when the address is among its own members: it gets a copy and is not expanded again."""


@frozen
class Refusal:
    """The address is not to be had."""

    reply: Reply
    why: tuple[str, ...] = ()


Routing = Route | Expansion | Refusal
