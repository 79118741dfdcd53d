"""Tests of what is a sender's own, and of what can be dialled."""

import pytest

from mailnode.shipped.sms.words import dialled, own_words


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


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("4917012345", "4917012345"), ("+49 (170) 12-34/5", "4917012345"), ("110", "110"), ("hello", ""), ("", ""),
        ("1", ""), ("1" * 21, ""), ("49+170", ""), ("٤٩١٧٠", ""), ("+" + "1" * 20, ""),
    ],
)  # fmt: skip
def test_numbers(text: str, digits: str) -> None:
    """Digits, with a plus and the usual spacing."""
    assert dialled(text) == digits
