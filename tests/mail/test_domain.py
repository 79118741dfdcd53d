"""Domain names and address literals."""

from ipaddress import IPv4Address, IPv6Address

import pytest

from mailnode.mail import domain


def test_equal_domains_have_equal_keys() -> None:
    """Case, A-label or U-label, and the spelling of an IPv6 address make no difference."""
    assert domain.key("BÜCHER.example") == domain.key("xn--bcher-kva.Example") == "xn--bcher-kva.example"
    assert domain.key("[IPv6:2001:DB8:0::1]") == domain.key("[ipv6:2001:db8::1]")
    assert domain.key("[192.0.2.1]") == "[192.0.2.1]"
    assert domain.key("") == ""


@pytest.mark.rfc("5321", "4.1.3")
def test_literals_give_their_address() -> None:
    """IPv4 and IPv6 literals have an address, general ones and names have none."""
    assert domain.literal_address("[192.0.2.1]") == IPv4Address("192.0.2.1")
    assert domain.literal_address("[IPv6:::1]") == IPv6Address("::1")
    assert domain.literal_address("[tag:x]") is None
    assert domain.literal_address("example.org") is None


@pytest.mark.rfc("5321", "4.5.3.1.2")
def test_a_domain_has_at_most_255_octets() -> None:
    """255 are read, 256 are not; A-labels count for U-labels."""
    domain.check("b." * 127 + "b")
    with pytest.raises(domain.AddressFault):
        domain.check("b." * 127 + "bb")
    with pytest.raises(domain.AddressFault):
        domain.check("ü" * 60 + ".example")


def test_a_domain_of_many_u_labels_is_not_worked_out() -> None:
    """What is too long in characters is too long in A-labels; no time is spent on it."""
    with pytest.raises(domain.AddressFault, match="at most 255"):
        domain.ascii_form(".".join(["ü"] * 500))
