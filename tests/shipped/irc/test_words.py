"""Tests of lines as IRC can carry them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.shipped.irc.words import cleaned, cut, folded, is_channel, is_nick, room, written


@pytest.mark.rfc("2812", "2.3")
@given(st.text(max_size=600), st.integers(20, 400))
def test_every_piece_fits_and_nothing_is_lost(text: str, octets: int) -> None:
    """Whatever is cut, at blanks or not, the words are all there and no character is broken."""
    line = cleaned(text)
    pieces = list(cut(line, octets))
    assert all(0 < len(piece.encode()) <= octets for piece in pieces)
    assert "".join(pieces).replace(" ", "") == line.replace(" ", "")


@given(st.text(max_size=200))
def test_no_control_travels(text: str) -> None:
    """No line end, no CTCP, no colour, no direction mark."""
    line = cleaned(text)
    assert not any(ord(char) < 32 or char in "\x7f\u202e\u2028\x85" for char in line)
    assert cleaned("\x0304,12red\x03 \x02bold\x02\r\nQUIT\x01\0x") == "red bold QUIT x"
    assert cleaned("👩\u200d💻") == "👩\u200d💻"


@pytest.mark.rfc("2812", "2.3")
def test_the_prefix_of_the_server_counts() -> None:
    """Text, command, target and the longest prefix are 512 octets with CRLF."""
    text = "x" * room("bot", "PRIVMSG", "#ops")
    prefix = f":bot!{'u' * 11}@{'h' * 63} "
    assert len(f"{prefix}PRIVMSG #ops :{text}\r\n") == 512


def test_what_is_left_out_is_counted() -> None:
    """The last line tells of it, and counts as one."""
    lines = written("Ann: Hello", "one\n\ntwo\nthree\nfour", 100, 4)
    assert lines == ["Ann: Hello", "one", "two", "[... 2 more lines]"]
    assert written("Ann: Hello", "one\ntwo", 100, 3) == ["Ann: Hello", "one", "two"]
    assert written("Ann: Hello", "one\ntwo", 100, 1) == ["Ann: Hello"]


@pytest.mark.rfc("2812", "2.2")
def test_names_are_compared_as_the_protocol_says() -> None:
    """Braces, bar and tilde are the small letters of brackets, backslash and caret."""
    assert folded("Nick[A]\\^") == folded("nick{a}|~")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("ann", "nick"), ("[a]-1", "nick"), ("#ops", "channel"), ("&x", "channel"), ("#a,b", ""), ("#a b", ""), ("1a", ""),
     ("a b", ""), ("#a\r\nQUIT", ""), ("#", ""), ("ann\n", ""), ("", "")],
)  # fmt: skip
def test_only_names_are_names(name: str, kind: str) -> None:
    """What could end a command or begin another is none."""
    assert (is_nick(name), is_channel(name)) == (kind == "nick", kind == "channel")
