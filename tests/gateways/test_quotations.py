"""Tests of what is a sender's own in a mail."""

import pytest

from mailnode.gateways.quotations import own_words


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Hello\n\n\n\nyou\n-- \nAnn", "Hello\n\nyou"),
        ("Yes.\n\nOn Monday, Bob <bob@home.example>\nwrote:\n> Lunch?\n> Bob\n", "Yes."),
        ("> Lunch?\nYes.\n> Where?\nHere.", "Yes.\nHere."),
        ("> only a quotation", "> only a quotation"),
        ("Note:\n\nno quotation", "Note:\n\nno quotation"),
        ("", ""),
    ],
)
def test_own_words(text: str, own: str) -> None:
    """Quotations, what announces them, and signatures go."""
    assert own_words(text) == own
