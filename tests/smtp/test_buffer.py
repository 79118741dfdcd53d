"""Lines cut out of octets."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.smtp.buffer import BadLine, InputBuffer

LIMIT = 12
octets = st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n", b"abcdef", b"\0"]), max_size=25).map(b"".join)


def lines(pieces: list[bytes], *, repairs: bool = False) -> list[bytes | BadLine]:
    """Feed piece by piece and take all lines after each."""
    buffer = InputBuffer(LIMIT, repairs_newlines=repairs)
    taken: list[bytes | BadLine] = []
    for piece in pieces:
        buffer.feed(piece)
        while (line := buffer.take_line()) is not None:
            taken.append(line)
    return taken


@given(octets, st.lists(st.integers(0, 60)), st.booleans())
def test_cuts_make_no_difference(text: bytes, cuts: list[int], repairs: bool) -> None:
    """However octets are cut, the lines are those of one piece."""
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[start:end] for start, end in itertools.pairwise(places)]
    assert lines(pieces, repairs=repairs) == lines([text], repairs=repairs)


@pytest.mark.rfc("5321", "2.3.8")
@given(octets)
def test_only_crlf_ends_a_line(text: bytes) -> None:
    """There are never more lines than CRLFs, and no line holds an LF."""
    taken = lines([text])
    whole = [line for line in taken if isinstance(line, bytes)]
    assert len(whole) <= text.count(b"\r\n")
    assert not any(b"\n" in line for line in whole)


def test_a_lone_lf_is_told_at_once_and_once() -> None:
    """The fault comes with the LF; the rest of the line, further LFs too, is thrown away."""
    assert lines([b"a\n"]) == [BadLine.BARE_NEWLINE]
    assert lines([b"a\nb\nc\r\nd\r\n"]) == [BadLine.BARE_NEWLINE, b"d"]
    assert lines([b"a\nb\nc\r\n"], repairs=True) == [b"a", b"b", b"c"]


def test_a_line_too_long_costs_no_memory() -> None:
    """It is thrown away while it comes, told once at its end, and what follows is read."""
    buffer = InputBuffer(LIMIT)
    for _ in range(1000):
        buffer.feed(b"x" * 100)
        assert buffer.take_line() is None
        assert len(buffer) <= 1
    buffer.feed(b"\r\nnext\r\n")
    assert buffer.take_line() is BadLine.TOO_LONG
    assert buffer.take_line() == b"next"
    assert buffer.take_line() is None


def test_the_limit_counts_the_crlf() -> None:
    """A line of exactly the limit is read, one octet more is too long."""
    assert lines([b"x" * (LIMIT - 2) + b"\r\n"]) == [b"x" * (LIMIT - 2)]
    assert lines([b"x" * (LIMIT - 1) + b"\r\n"]) == [BadLine.TOO_LONG]


def test_blocks_and_lines_come_from_the_same_octets() -> None:
    """take, take_through and peek go on where the last line ended."""
    buffer = InputBuffer(LIMIT)
    buffer.feed(b"one\r\nabc")
    assert buffer.take_line() == b"one"
    buffer.feed(b"def!rest\r\n")
    assert len(buffer) == 13
    assert buffer.peek(5) == b"abcde"
    assert buffer.take(2) == b"ab"
    assert buffer.take_through(b"!") == (b"cdef!", True)
    assert buffer.take_line() == b"rest"
    buffer.feed(b"more")
    assert buffer.take_through(b"!") == (b"more", False)
    assert len(buffer) == 0


def test_what_is_cleared_is_gone() -> None:
    """Neither octets nor the memory of a bad line stay."""
    buffer = InputBuffer(LIMIT)
    buffer.feed(b"x" * 50)
    assert buffer.take_line() is None
    buffer.clear()
    buffer.feed(b"ok\r\n")
    assert buffer.take_line() == b"ok"
