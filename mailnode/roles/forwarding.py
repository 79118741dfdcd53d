"""Sending on: mail for an address of ours that goes to another house, and the mark by which a circle is noticed.

A copy that leaves by an alias or a list bears ``Delivered-To:`` with our address, as a copy in a mailbox does. A message
that comes for an address whose mark it bears has gone in a circle (RFC 5321 section 6.3). Counting hops alone would end
it too late: two lists that name each other twice double it at every turn.
"""

from collections.abc import Iterable

from mailnode.accounts.key import key_of
from mailnode.couriers.maildir_content import delivered_to, delivered_to_field, has_been_at
from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.content import Content
from mailnode.mail.route import Route


def sent_on_by(path: Mailbox, route: Route) -> Mailbox:
    """Give the address that sends mail on along this route; NULL when the route is the address's own."""
    return NULL if route.is_local or key_of(route.forward_path) == key_of(path) else path


def marked(content: Content, by: Mailbox) -> Content:
    """Put the mark of the address that sends it on before all other fields."""
    return content if by == NULL else content.with_head(delivered_to_field(by))


def is_circle(start: bytes, senders_on: Iterable[Mailbox]) -> bool:
    """Tell whether a message, of which this is the start, has been sent on by all of these; NULL has sent nothing on.

    There is one for each recipient. All: one answer stands for every recipient, and nobody is to miss a message because
    another's went round. Who is not alone this time will be next time, since only what was sent on comes back.
    """
    addresses = set(senders_on)
    if NULL in addresses:
        return False
    passed = delivered_to(Content(start))
    return all(has_been_at(address, passed) for address in addresses)
