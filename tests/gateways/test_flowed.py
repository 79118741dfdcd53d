"""Tests of format=flowed (RFC 3676)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.gateways.flowed import from_flowed, to_flowed

LINE = st.from_regex(r"[a-zA-Z>&äß][a-zA-Z >&äß.,]{0,200}", fullmatch=True).map(lambda line: " ".join(line.split()))


@pytest.mark.rfc("3676", "4.2")
@given(st.lists(LINE, max_size=5))
def test_what_is_flowed_reads_back_as_it_was(lines: list[str]) -> None:
    """Paragraphs come back whole, whatever they begin with."""
    text = "\n".join(line for line in lines if not line.startswith(">"))
    assert from_flowed(to_flowed(text)) == text


@pytest.mark.rfc("3676", "4.4")
@given(LINE)
def test_no_line_is_long_that_has_a_blank(line: str) -> None:
    """78 is the limit, and lines that would be quotes or separators are stuffed."""
    for one in to_flowed(line).split("\n"):
        assert len(one) <= 78 or " " not in one.strip()
        assert not one.startswith("From ")


@pytest.mark.parametrize(
    ("flowed", "text"),
    [
        ("a \nb\n", "a b\n"),
        ("> a \n> b\nc", "> a b\nc"),
        ("hello \n-- \nAnn", "hello \n-- \nAnn"),
        (" >not a quote", ">not a quote"),
    ],
)
def test_quotes_and_signatures_keep_their_lines(flowed: str, text: str) -> None:
    """Lines of another depth, and the signature's, are never joined."""
    assert from_flowed(flowed) == text


@pytest.mark.rfc("3676", "4.1")
def test_delsp_takes_the_blank_away() -> None:
    """For scripts that write no blanks."""
    assert from_flowed("ab \ncd", delsp=True) == "abcd"
