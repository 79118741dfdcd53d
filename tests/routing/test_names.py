"""Domain names as they are compared."""

import pytest

from mailnode.routing.names import domain_key, is_host_name, parse_address, to_a_labels


def test_one_form_for_all_spellings() -> None:
    """Case, a final dot and U-labels make no difference."""
    assert to_a_labels("Bücher.EXAMPLE.") == "xn--bcher-kva.example"
    assert to_a_labels("_dmarc.Example.org") == "_dmarc.example.org"
    assert domain_key("[IPv6:2001:DB8::0:1]") == domain_key("[ipv6:2001:db8::1]")


@pytest.mark.parametrize(
    "name", ["", ".", "a..b", "a b", "-a", "a-", "a\x00b", "x" * 64, ".".join(["x" * 60] * 5), "ü" * 80]
)
def test_what_is_no_name(name: str) -> None:
    """Junk is a ValueError."""
    with pytest.raises(ValueError, match="is no domain name"):
        to_a_labels(name)


def test_hosts_are_not_addresses() -> None:
    """A name that ends in digits is no host name."""
    assert is_host_name("mx1.example")
    assert not is_host_name("192.0.2.1")
    assert not is_host_name("a b")
    with pytest.raises(ValueError, match="scope"):
        parse_address("fe80::1%lo")
