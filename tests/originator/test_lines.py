"""Tests of what programs write being made lines. ``crlf`` has its tests with the command that used it first."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.originator.lines import crlf, until_dot


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
