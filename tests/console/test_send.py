"""Tests of what happens to a message on its way into the node: its line ends, and a body that comes alone."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.console.send import crlf, headed


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


@pytest.mark.rfc("5322", "3.5")
@pytest.mark.parametrize(
    ("given_", "made"),
    [
        (b"Subject: x\r\n\r\ntext\r\n", b"Subject: x\r\n\r\ntext\r\n"),
        (b"\r\ntext\r\n", b"\r\ntext\r\n"),
        (b"text\r\n", b"\r\ntext\r\n"),
        (b"see this: x\r\nSubject: x\r\n", b"\r\nsee this: x\r\nSubject: x\r\n"),
        (b" Subject: x\r\n", b"\r\n Subject: x\r\n"),
        ("Grüße: x\r\n".encode(), "\r\nGrüße: x\r\n".encode()),
        (b"", b""),
        (b"From ann Sun Nov 22\r\nSubject: x\r\n", b"Subject: x\r\n"),
        (b"From here\r\non\r\n", b"\r\nFrom here\r\non\r\n"),
    ],
)
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_a_body_that_comes_alone_gets_its_empty_line(given_: bytes, made: bytes, size: int) -> None:
    """A first line that is no header field begins the body; a header stays as it is, wherever the blocks end."""
    blocks = (given_[start : start + size] for start in range(0, len(given_), size))
    assert b"".join(headed(blocks)) == made


def test_a_long_first_line_is_not_kept_in_memory() -> None:
    """What comes after the first block goes through untouched."""
    blocks = [b"x" * 70_000, b"y" * 70_000, b"\r\n"]
    assert list(headed(iter(blocks))) == [b"\r\n" + blocks[0], blocks[1], blocks[2]]
