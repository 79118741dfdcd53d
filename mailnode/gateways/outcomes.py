"""What a gateway answers for a recipient, in words an author writes: ``Failed("no such number", "5.1.1")``.

They become the outcomes of the mail world (``mailnode.mail.outcome``) in ``outcome_of``; whatever an author or the other
side puts into them is made one harmless line first. An outcome may be returned, or raised inside ``Trouble``.
"""

import math

from attrs import frozen

from mailnode.mail import outcome as mail
from mailnode.mail.reply import Reply, Status

MOST_TEXT = 400
"""Characters of a diagnostic that are kept."""

LONGEST_WAIT = 7 * 86400.0
"""Seconds until the next try, whatever the other side says."""


@frozen
class Delivered:
    """It is where it was meant to go; nothing more will be heard of it."""

    text: str = "Delivered"


@frozen
class Relayed:
    """The other side has taken it over. With a ``receipt_id`` it will say later what became of it."""

    text: str = "Handed on"
    receipt_id: str = ""
    """What the other side will call it in its receipt; empty when none will come."""


@frozen
class Delayed:
    """Not now; the message stays queued and is tried again."""

    text: str = "Not now"
    status: str = "4.4.0"
    """An enhanced status code of class 4 (RFC 3463)."""
    retry_after: float | None = None
    """Seconds, at least 1, when the other side says how long to wait; else the gateway's timetable counts."""
    is_unreachable: bool = False
    """The other side is down for everybody, which is what opens the circuit breaker."""


@frozen
class Failed:
    """Never; the sender gets a bounce."""

    text: str = "Not possible"
    status: str = "5.0.0"
    """An enhanced status code of class 5 (RFC 3463): 5.1.1 no such address, 5.3.4 too large, 5.7.1 not allowed."""


Outcome = Delivered | Relayed | Delayed | Failed


class Trouble(Exception):  # noqa: N818 - the outcome is the point
    """Raise it from anywhere within ``deliver`` to answer ``outcome`` for all recipients."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.text)
        self.outcome = outcome


def outcome_of(said: Outcome, gateway: str) -> mail.Outcome:
    """Turn an author's outcome into one of the mail world's."""
    text = f"{gateway}: {one_line(said.text)}"
    match said:
        case Delivered():
            return mail.Delivered(Reply.of(250, "2.0.0", text))
        case Relayed():
            # A receipt that is awaited is the better report: then the sender is not told "relayed" now.
            return mail.Relayed(Reply.of(250, "2.0.0", text), passes_dsn=bool(said.receipt_id))
        case Delayed():
            return mail.Delayed(Reply(451, (text,), _status(said.status, 4)), retry_after=_wait(said.retry_after))
        case Failed():
            return mail.Failed(Reply(550, (text,), _status(said.status, 5)))


def one_line(text: str) -> str:
    """Make a diagnostic harmless: one line, printable, and not too long."""
    printable = "".join(char if char.isprintable() else " " for char in text[: MOST_TEXT * 2])
    return " ".join(printable.split())[:MOST_TEXT] or "no reason was given"


def _wait(seconds: float | None) -> float | None:
    """Keep a wait within bounds; what is no number is as good as nothing."""
    return None if seconds is None or math.isnan(seconds) else min(max(seconds, 1.0), LONGEST_WAIT)


def _status(text: str, kind: int) -> Status:
    """Read a status of the class that the outcome is of; a wrong one is only made general."""
    try:
        status = Status.parse(text)
    except ValueError:
        return Status(kind, 0, 0)
    return status if status.kind == kind else Status(kind, status.subject, status.detail)
