"""Which address literals are ours."""

import pytest

from mailnode.mail.address import Mailbox
from mailnode.mail.message import Peer
from mailnode.roles.literals import at_home


@pytest.mark.rfc("5321", "4.1.3")
@pytest.mark.parametrize(
    ("domain", "reached", "is_ours"),
    [
        ("[192.0.2.1]", "192.0.2.1", True),
        ("[IPv6:2001:DB8:0::1]", "2001:db8::1", True),
        ("[192.0.2.2]", "192.0.2.1", False),
        ("[192.0.2.1]", "", False),
        ("[192.0.2.1", "192.0.2.1", False),
        ("[nonsense:1]", "192.0.2.1", False),
        ("[127.0.0.1]", "127.0.0.1", False),
        ("[IPv6:::1]", "::1", False),
        ("192.0.2.1", "192.0.2.1", False),
    ],
)
def test_the_literal_of_the_address_reached(domain: str, reached: str, is_ours: bool) -> None:
    """It is ours when it names the address that the peer has reached, in whichever spelling, but not on the loopback."""
    found = at_home(Mailbox("ann", domain), Peer("203.0.113.9", local_address=reached), "home.example")
    assert found == Mailbox("ann", "home.example" if is_ours else domain)
