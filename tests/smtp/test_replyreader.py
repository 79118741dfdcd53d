"""Replies are read however they are cut, and nonsense is noticed."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.mail.reply import Reply, Status
from mailnode.smtp.replyreader import LINE_LIMIT, LINES_LIMIT, REPLY_LIMIT, Garbled, ReplyReader

_TALK = (
    b"220 mx.example ESMTP\r\n250-mx.example\r\n250-SIZE 1000\r\n250 PIPELINING\r\n"
    b"550 5.1.1 No such user\r\n354\r\n250 2.0.0\r\n"
)
_HEARD = [
    Reply(220, ("mx.example ESMTP",)),
    Reply(250, ("mx.example", "SIZE 1000", "PIPELINING")),
    Reply(550, ("No such user",), Status(5, 1, 1)),
    Reply(354, ("",)),
    Reply(250, ("",), Status(2, 0, 0)),
]


@pytest.mark.rfc("5321", "4.2.1")
def test_reads_replies_of_one_line_and_of_many() -> None:
    """A reply of several lines is one reply with all its texts."""
    assert ReplyReader().receive(_TALK) == _HEARD


@given(st.lists(st.integers(0, len(_TALK)), max_size=8))
def test_cuts_make_no_difference(cuts: list[int]) -> None:
    """Wherever the octets are cut, the replies are the same."""
    reader = ReplyReader()
    edges = [0, *sorted(cuts), len(_TALK)]
    heard = [reply for a, b in pairwise(edges) for reply in reader.receive(_TALK[a:b])]
    assert heard == _HEARD


@pytest.mark.rfc("2034", "4")
def test_status_of_another_class_is_text() -> None:
    """An enhanced status whose class is not the code's is no status."""
    assert ReplyReader().receive(b"250 5.1.1 strange\r\n") == [Reply(250, ("5.1.1 strange",))]


def test_status_of_every_line_is_taken_off_and_the_last_counts() -> None:
    """In a reply of several lines each line may carry the status."""
    heard = ReplyReader().receive(b"550-5.7.1 no\r\n550 5.7.26 never\r\n")
    assert heard == [Reply(550, ("no", "never"), Status(5, 7, 26))]


def test_the_code_of_the_last_line_counts() -> None:
    """Lines that disagree about the code are one reply with the last one's code."""
    assert ReplyReader().receive(b"250-well\r\n451 rather not\r\n") == [Reply(451, ("well", "rather not"))]


def test_lines_without_cr_are_understood() -> None:
    """A line end without CR does no harm."""
    assert ReplyReader().receive(b"250-a\n250 b\n") == [Reply(250, ("a", "b"))]


@pytest.mark.parametrize(
    "octets",
    [
        b"hello\r\n",
        b"\r\n",
        b"99 x\r\n",
        b"650 x\r\n",
        b"2500\r\n",
        b"250-a\r\nHTTP/1.1 200 OK\r\n",
        b"250-a\r\n25\r\n",
    ],
)
def test_what_is_no_reply_is_garbled(octets: bytes) -> None:
    """Garbage is a value, and nothing is read after it."""
    reader = ReplyReader()
    heard = reader.receive(octets + b"250 ok\r\n")
    assert [type(each) for each in heard] == [Garbled]
    assert reader.receive(b"250 ok\r\n") == []


def test_a_line_has_an_end() -> None:
    """Octets without a line end are dropped once they are too many, as is a line that is too long."""
    assert isinstance(ReplyReader().receive(b"250 " + b"x" * LINE_LIMIT)[0], Garbled)
    assert isinstance(ReplyReader().receive(b"250 " + b"x" * LINE_LIMIT + b"\r\n")[0], Garbled)


def test_a_reply_has_an_end() -> None:
    """A reply that goes on and on is garbled."""
    heard = ReplyReader().receive(b"250-more\r\n" * LINES_LIMIT)
    assert [type(each) for each in heard] == [Garbled]


def test_the_octets_of_a_reply_have_an_end() -> None:
    """Lines that are each short enough do not add up without end; the next reply is counted anew."""
    line = b"250-" + b"x" * 1000 + b"\r\n"
    fits = line * (REPLY_LIMIT // 1100) + b"250 x\r\n"
    assert [type(each) for each in ReplyReader().receive(fits * 3)] == [Reply] * 3
    assert [type(each) for each in ReplyReader().receive(line * (REPLY_LIMIT // 1000 + 1))] == [Garbled]


def test_text_is_safe_to_show() -> None:
    """Control characters and broken UTF-8 do not reach logs and reports."""
    (reply,) = ReplyReader().receive(b"550 \x1b[31mred\x00 \xff\tend  \r\n")
    assert isinstance(reply, Reply)
    assert reply.lines == ("?[31mred? \ufffd end",)


@given(st.binary(max_size=300))
def test_any_octets_are_survived(octets: bytes) -> None:
    """Nothing a peer says raises."""
    ReplyReader().receive(octets + b"\r\n")
