"""Names and passwords as RFC 4013 prepares them."""

import pytest

from mailnode.mail.saslprep import LONGEST, prepared


@pytest.mark.rfc("4013", "3")
@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        ("pa\u0308ss", "päss"),
        ("\u0627\u0628", "\u0627\u0628"),
        ("", ""),
    ],
)
def test_what_is_the_same_becomes_the_same(written: str, expected: str) -> None:
    """The examples of the RFC and their like."""
    assert prepared(written) == expected


@pytest.mark.rfc("4013", "2.3")
@pytest.mark.parametrize(
    "written", ["\u0007", "\u0627\u0031", "a\u0627", "\ue000", "x" * (LONGEST + 1), "\ud800", "\0"]
)
def test_what_may_not_stand_there_is_refused(written: str) -> None:
    """Controls, private use, surrogates, mixed directions, and what is too long."""
    with pytest.raises(ValueError, match=r"character|directions|long"):
        prepared(written)
