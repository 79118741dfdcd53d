"""What a BY parameter means for a recipient after an attempt (RFC 2852 section 4.1).

Mode R ends with its time: the queue tries nothing later, and what comes too late here is returned too. Mode N only tells: when the
time is over, that the message is delayed; when it goes to a next hop that knows no DELIVERBY, that it was relayed, since nobody
will tell anything of the time from there on. A trace tells of every relay.
"""

from mailnode.mail.envelope import Notify, Recipient
from mailnode.mail.message import Message
from mailnode.mail.outcome import Outcome, Relayed
from mailnode.mail.quantity import Seconds
from mailnode.mail.wishes import deadline_of, deliver_by


def not_beyond_deadline(wait: Seconds, message: Message, now: float) -> Seconds:
    """Cut the wait for the next attempt, so that its end can be told of in time."""
    left = deadline_of(message) - now
    return Seconds(min(wait, left)) if left > 0 else wait


def is_late(message: Message, now: float) -> bool:
    """Tell whether the time by which it should have been delivered is over."""
    return now >= deadline_of(message)


def owes_relayed(message: Message, recipient: Recipient, outcome: Outcome) -> bool:
    """Tell whether the sender hears that the message was relayed, though no success was asked for."""
    by = deliver_by(message.envelope)
    if by is None or not isinstance(outcome, Relayed) or Notify.NEVER in recipient.notify:
        return False
    return by.is_traced or not outcome.passes_by
