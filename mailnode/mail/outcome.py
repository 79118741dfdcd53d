"""What came of one try for one recipient: the actions of RFC 3464 section 2.3.3.

Outcomes are values and are matched with ``match`` and ``assert_never``, so that a new one breaks the type check
wherever it is not answered.
"""

from attrs import field, frozen

from mailnode.mail.reply import Reply


@frozen
class _Tried:
    """What every outcome carries."""

    reply: Reply
    """The next hop's words, or our own where there was no next hop."""
    remote: str = ""
    """Who said it, a host name or address; empty when the words are ours (Remote-MTA, RFC 3464 2.3.5)."""
    tls: str = field(default="", kw_only=True)
    """What protected it on its way: version, cipher, and whether the host was verified; empty in clear text."""


@frozen
class Delivered(_Tried):
    """It lies in its mailbox."""

    passes_dsn: bool = False
    """A mailbox server put it there that speaks DSN: NOTIFY went along and a success is its to report."""


@frozen
class Relayed(_Tried):
    """The next hop has taken responsibility (RFC 3464 2.3.3 "relayed" when it knows no DSN)."""

    passes_dsn: bool = False
    """The next hop speaks DSN, so NOTIFY went along and a success is its to report."""
    passes_by: bool = True
    """The time by which it is to be delivered, if there is one, is now the next hop's to keep (RFC 2852)."""


@frozen
class Expanded(_Tried):
    """It went to the members of an alias with more than one (RFC 3461 5.2.7.1)."""


@frozen
class Delayed(_Tried):
    """Not now; may be tried again."""

    host_unreachable: bool = False
    """No session came about at all: evidence against the next hop, not against the message."""
    retry_after: float | None = None
    """Seconds until the next try, when the courier has a timetable of its own; None: the queue's."""
    is_tried: bool = True
    """False: it was put off without a try (a rate, an open circuit breaker), and does not count as an attempt."""


@frozen
class Failed(_Tried):
    """Never."""


Outcome = Delivered | Relayed | Expanded | Delayed | Failed


def outcome_of(reply: Reply, remote: str = "") -> Delivered | Delayed | Failed:
    """Turn a final reply into an outcome by its first digit (RFC 5321 4.2.1); success reads as Delivered."""
    if reply.is_positive:
        return Delivered(reply, remote)
    if reply.is_permanent:
        return Failed(reply, remote)
    return Delayed(reply, remote)
