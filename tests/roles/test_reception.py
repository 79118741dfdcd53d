"""Who is trusted is decided by the address alone, whatever its form; the door itself is tested with its transactions."""

from ipaddress import ip_network

import pytest

from mailnode.roles.reception import trust_in


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("10.2.0.1", False),
        ("::1", True),
        ("::1%lo", True),
        ("2001:db8::1", False),
        ("no address", False),
        ("", False),
    ],
)
def test_an_address_is_trusted_in_its_networks_only(address: str, *, expected: bool) -> None:
    """IPv4 and IPv6 are looked at each among their own, a zone does not matter, nonsense is a stranger."""
    is_trusted = trust_in(map(ip_network, ("127.0.0.0/8", "10.1.0.0/16", "::1/128")))
    assert is_trusted(address) is expected
    assert is_trusted(address) is expected
