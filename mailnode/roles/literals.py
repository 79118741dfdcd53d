"""Mail for ``user@[192.0.2.1]``, sent to the machine with that address (RFC 5321 4.1.3, RFC 1123 5.2.17).

Which addresses are ours shows in the connections themselves: the literal names the very address that the peer has
reached us at. So a listener on all interfaces needs no list of them, and none that is out of date. On the loopback other
nodes may live at the same address, so a literal of the loopback is never ours.
"""

from ipaddress import ip_address

from attrs import evolve

from mailnode.mail.address import Mailbox
from mailnode.mail.message import Peer
from mailnode.routing.next_hop import parse_literal


def at_home(mailbox: Mailbox, peer: Peer, home: str) -> Mailbox:
    """Give the mailbox its place in the domain ``home`` if its domain is the literal of the address the peer has reached."""
    if not mailbox.domain.startswith("[") or not peer.local_address:
        return mailbox
    try:
        named, reached = ip_address(parse_literal(mailbox.domain)), ip_address(peer.local_address)
    except ValueError:
        return mailbox
    return evolve(mailbox, domain=home) if named == reached and not named.is_loopback else mailbox
