"""Tests of what can be dialled."""

import pytest

from mailnode.shipped.sms.words import dialled


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
