"""Tests of line ends on the way into the node."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mailnode.console.send import crlf


def whole(octets: bytes, cuts: list[int]) -> bytes:
    """Put the octets through in blocks that end at the cuts."""
    places = sorted({cut % (len(octets) + 1) for cut in cuts} | {0, len(octets)})
    blocks = [octets[start:end] for start, end in pairwise(places)]
    return b"".join(crlf(iter(blocks)))


def test_every_line_end_becomes_crlf() -> None:
    """LF, CRLF and CR end lines, and the last line ends too."""
    assert whole(b"a\nb\r\nc\rd", []) == b"a\r\nb\r\nc\r\nd\r\n"
    assert whole(b"a\r", []) == b"a\r\n"
    assert whole(b"", []) == b""
    assert whole(b"\r\n\r\n", []) == b"\r\n\r\n"


@given(
    st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n", b".", b"bc"])).map(b"".join), st.lists(st.integers(0, 99))
)
def test_it_does_not_matter_where_blocks_end(octets: bytes, cuts: list[int]) -> None:
    """However the octets are cut, the result is the same, and it has no bare CR or LF."""
    made = whole(octets, cuts)
    assert made == whole(octets, [])
    assert made.replace(b"\r\n", b"").count(b"\r") == 0
    assert made.replace(b"\r\n", b"").count(b"\n") == 0


@given(st.lists(st.sampled_from([b"a", b"\r\n", b"."])).map(b"".join))
def test_what_has_crlf_already_is_kept(octets: bytes) -> None:
    """Only a missing end of the last line is put there."""
    expected = octets if not octets or octets.endswith(b"\r\n") else octets + b"\r\n"
    assert whole(octets, []) == expected
