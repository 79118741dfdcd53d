"""The forms of a next hop."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.routing.next_hop import NextHop, literal_hop, parse_literal, parse_next_hop


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Example.org", NextHop("example.org", has_exchanges=True)),
        ("example.org:2525", NextHop("example.org", 2525, has_exchanges=True)),
        ("bücher.example", NextHop("xn--bcher-kva.example", has_exchanges=True)),
        ("[relay.example.org]", NextHop("relay.example.org")),
        ("[relay.example.org]:26", NextHop("relay.example.org", 26)),
        ("[192.0.2.7]", NextHop("192.0.2.7", is_address=True)),
        ("[192.0.2.7]:2525", NextHop("192.0.2.7", 2525, is_address=True)),
        ("[IPv6:2001:DB8::1]:25", NextHop("2001:db8::1", 25, is_address=True)),
        ("[2001:db8::1]", NextHop("2001:db8::1", is_address=True)),
        ("localhost:2525", NextHop("localhost", 2525, has_exchanges=True)),
    ],
)
def test_each_form(text: str, expected: NextHop) -> None:
    """Each form of the table in the module is read as it says."""
    assert parse_next_hop(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "192.0.2.7", "192.0.2.7:25", "2001:db8::1", "[", "[]", "[a b]", "a..b", "a:", "a:0", "a:65536", "a:b", "[IPv6:192.0.2.7]",
     "[fe80::1%eth0]", "a.example]:25", "x" * 64 + ".example", "a\n", "[a]\n", "-a.example"],
)  # fmt: skip
def test_what_is_no_next_hop(text: str) -> None:
    """Everything else is a ValueError with a sentence that shows what would be right."""
    with pytest.raises(ValueError, match=r"expected a next hop|has no port between"):
        parse_next_hop(text)


@given(st.text(max_size=40))
def test_no_text_surprises(text: str) -> None:
    """Whatever a setting holds, it is read or is a ValueError."""
    try:
        parse_next_hop(text)
    except ValueError:
        return


@pytest.mark.rfc("5321", "4.1.3")
def test_address_literals_become_next_hops() -> None:
    """The literal of a mailbox and the next hop name the same address."""
    for literal, address in (("[192.0.2.7]", "192.0.2.7"), ("[IPv6:2001:DB8::7]", "2001:db8::7")):
        assert parse_literal(literal) == address
        assert parse_next_hop(literal_hop(address)).host == address
    for text in ("example.org", "[example.org]", "[x400:a]", "192.0.2.7"):
        with pytest.raises(ValueError, match="no address literal"):
            parse_literal(text)
