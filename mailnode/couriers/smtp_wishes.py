"""Whether a next hop can do what the sender wished for the time of delivery (RFC 2852 section 4.1.4).

What is to be returned when it is late (mode R) goes only to a server that will do so, and that still has the time it asks for.
All other wishes go along where they are understood, and stay behind where they are not.
"""

from mailnode.mail.message import Message
from mailnode.mail.reply import Reply
from mailnode.mail.wishes import deliver_by, returned_at
from mailnode.smtp.peeroffer import PeerOffer

KEYWORD = "DELIVERBY"

NOT_KNOWN = Reply.of(
    554, "5.3.3", "The next hop does not know DELIVERBY, and the sender wants the message returned when late"
)
NOT_ENOUGH = Reply.of(554, "5.4.7", "The next hop needs more time than the sender has left it")


def passes_time(message: Message, offer: PeerOffer) -> bool:
    """Tell whether the time by which the message is to be delivered, if there is one, is this server's to keep."""
    return KEYWORD in offer.keywords or deliver_by(message.envelope) is None


def objection(message: Message, offer: PeerOffer, now: float) -> Reply | None:
    """Give the reason why the message may not go to this server; None when it may."""
    by = deliver_by(message.envelope)
    if by is None or not by.returns:
        return None
    if KEYWORD not in offer.keywords:
        return NOT_KNOWN
    least = offer.keywords[KEYWORD]
    if least.isascii() and least.isdigit() and len(least) < 10 and returned_at(message) - now < int(least):
        return NOT_ENOUGH
    return None
