"""Patterns of routes."""

import pytest

from mailnode.routing.patterns import parse_pattern


@pytest.mark.parametrize(
    ("pattern", "local_part", "domain", "does"),
    [
        ("*", "ann", "example.org", True),
        ("Example.org", "ann", "example.org", True),
        ("example.org", "ann", "a.example.org", False),
        ("*.example.org", "ann", "a.b.example.org", True),
        ("*.example.org", "ann", "example.org", False),
        ("*.example.org", "ann", "badexample.org", False),
        ("Ann@example.org", "aNN", "example.org", True),
        ("ann@example.org", "bob", "example.org", False),
        ("a@b@example.org", "a@b", "example.org", True),
        ("[IPv6:2001:DB8::1]", "ann", "[ipv6:2001:db8::1]", True),
        ("bücher.example", "ann", "xn--bcher-kva.example", True),
    ],
)
def test_what_a_pattern_matches(pattern: str, local_part: str, domain: str, does: bool) -> None:
    """Each form matches what it says and no more."""
    assert parse_pattern(pattern).matches(local_part, domain) is does


@pytest.mark.parametrize("text", ["", "@example.org", "ann@", "*.", "a.*.example", "*@example.org b", "*example.org"])
def test_what_is_no_pattern(text: str) -> None:
    """Everything else is a ValueError that shows the forms."""
    with pytest.raises(ValueError, match="expected"):
        parse_pattern(text)
