"""What the sender wished for the delivery as a whole: a time before it, a time after it, a priority.

Wishes stand in ``Envelope.extra`` as parameters of MAIL, so that they travel through the spool like all of the envelope:

=============  =============================================================================================================
HOLDUNTIL      the moment before which nothing is tried, in UTC (RFC 4865); HOLDFOR is turned into it at the door
BY             ``seconds;mode``, counted from the arrival, or from the release of what is held (RFC 2852 section 4)
MT-PRIORITY    from -9 to 9; 0 is what has none (RFC 6710)
=============  =============================================================================================================

Nearly no message has any: each question is answered at once for an empty ``extra``.
"""

import re
from datetime import UTC, datetime

from attrs import evolve, frozen

from mailnode.mail.envelope import Envelope
from mailnode.mail.message import Message

HOLD_FOR = "HOLDFOR"
HOLD_UNTIL = "HOLDUNTIL"
BY = "BY"
PRIORITY = "MT-PRIORITY"

FOREVER = float("inf")

_BY = re.compile(r"([+-]?[0-9]{1,9});([NR])(T?)", re.ASCII | re.IGNORECASE)
_PRIORITY = re.compile(r"-?[0-9]", re.ASCII)


@frozen
class DeliverBy:
    """The BY parameter (RFC 2852 section 4)."""

    seconds: int
    """From now on; 0 or less is allowed with mode N only: it is late already."""
    returns: bool
    """Mode R: return it when it is late. Mode N: tell the sender, and go on."""
    is_traced: bool = False
    """T: tell the sender of every relay that takes it."""

    def __str__(self) -> str:
        """Write it as the parameter's value."""
        return f"{self.seconds};{'R' if self.returns else 'N'}{'T' if self.is_traced else ''}"

    @classmethod
    def parse(cls, text: str) -> "DeliverBy":
        """Read the parameter's value; ValueError says what would be right."""
        found = _BY.fullmatch(text)
        if found is None:
            raise ValueError("BY is a number of seconds, a semicolon, and R or N, with T for a trace")
        by = cls(int(found[1]), found[2].upper() == "R", bool(found[3]))
        if by.returns and by.seconds <= 0:
            raise ValueError("BY with R needs a time that is still to come")
        return by


def parse_priority(text: str) -> int:
    """Read a priority from -9 to 9; ValueError says what would be right."""
    if not _PRIORITY.fullmatch(text):
        raise ValueError("MT-PRIORITY is a number from -9 to 9")
    return int(text)


def parse_moment(text: str) -> float:
    """Read a date-time of RFC 3339 section 5.6, as seconds since the epoch; ValueError for anything else."""
    # fromisoformat alone would take dates without a time, and local times.
    if len(text) < 20 or text[10].upper() != "T" or not (text[-1] in "Zz" or text[-6] in "+-"):
        raise ValueError("expected a date and time such as 2030-01-31T09:00:00Z")
    return datetime.fromisoformat(text.upper()).timestamp()


def moment_text(moment: float) -> str:
    """Write a moment as RFC 3339 does, in UTC."""
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def released_at(envelope: Envelope) -> float:
    """Tell before when nothing may be tried, in seconds since the epoch; 0.0 when it is not held."""
    text = _wish(envelope, HOLD_UNTIL)
    return parse_moment(text) if text else 0.0


def deliver_by(envelope: Envelope) -> DeliverBy | None:
    """Give the BY parameter as it came."""
    text = _wish(envelope, BY)
    return DeliverBy.parse(text) if text else None


def priority_of(envelope: Envelope) -> int:
    """Give the priority, -9 to 9."""
    text = _wish(envelope, PRIORITY)
    return int(text) if text else 0


def begun_at(message: Message) -> float:
    """Tell since when we try, or will: its arrival, or its release."""
    return max(message.arrived, released_at(message.envelope))


def deadline_of(message: Message) -> float:
    """Tell by when it is to be delivered; infinity when nothing was said."""
    by = deliver_by(message.envelope)
    return begun_at(message) + by.seconds if by is not None else FOREVER


def returned_at(message: Message) -> float:
    """Tell when it must be returned undelivered (mode R); infinity when nothing was said."""
    by = deliver_by(message.envelope)
    return begun_at(message) + by.seconds if by is not None and by.returns else FOREVER


def for_next_hop(message: Message, now: float) -> Envelope:
    """Give the envelope as it goes on: the time that is left for BY, and nothing of holding."""
    envelope = message.envelope
    if not envelope.extra:
        return envelope
    by = deliver_by(envelope)
    extra = tuple((keyword, value) for keyword, value in envelope.extra if keyword not in (BY, HOLD_UNTIL))
    if by is not None:
        left = int(begun_at(message) + by.seconds - now)
        extra = (*extra, (BY, str(evolve(by, seconds=max(left, 1) if by.returns else left))))
    return evolve(envelope, extra=extra)


def with_wish(envelope: Envelope, keyword: str, value: str) -> Envelope:
    """Say it, whatever was said under this keyword before; an empty value says nothing."""
    extra = tuple(each for each in envelope.extra if each[0] != keyword)
    return evolve(envelope, extra=(*extra, (keyword, value)) if value else extra)


def _wish(envelope: Envelope, keyword: str) -> str:
    if not envelope.extra:
        return ""
    return next((value for name, value in envelope.extra if name == keyword), "")
