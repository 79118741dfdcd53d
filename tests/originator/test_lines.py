"""Tests of what programs write being made lines."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.originator.lines import crlf, until_dot


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


def cut(octets: bytes, size: int) -> Iterator[bytes]:
    """Give the octets in blocks."""
    return (octets[start : start + size] for start in range(0, len(octets), size))


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        (b"a\r\n.\r\nb\r\n", b"a\r\n"),
        (b".\r\nb\r\n", b""),
        (b"a\r\n..\r\nb\r\n.", b"a\r\n..\r\nb\r\n."),
        (b"a\r\n.b\r\n", b"a\r\n.b\r\n"),
        (b"", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"a.\r\n.\r\n", b"a.\r\n"),
    ],
)
def test_a_lone_dot_ends_the_message(given_: bytes, kept: bytes, size: int) -> None:
    """What stands behind it is not read, and a dot in company is text, wherever the blocks end."""
    assert b"".join(until_dot(cut(given_, size))) == kept


@given(st.lists(st.sampled_from([b"a", b"\n", b"\r\n", b".", b"\n.\n"])).map(b"".join), st.integers(1, 9))
def test_the_blocks_do_not_matter(octets: bytes, size: int) -> None:
    """However cut, the message is what comes before the first line that is a dot."""
    whole = b"".join(crlf([octets]))
    lines = whole.split(b"\r\n")
    expected = b"\r\n".join([*lines[: lines.index(b".")], b""]) if b"." in lines[:-1] else whole
    assert b"".join(until_dot(crlf(cut(octets, size)))) == expected
