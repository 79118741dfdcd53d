"""Dot-stuffing is the same for every cut of the content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.smtp.sending import DotStuffing, stuffed


def _plainly(content: bytes) -> bytes:
    """Stuff line by line, as RFC 5321 section 4.5.2 says it."""
    lines = content.split(b"\r\n")
    wire = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)
    return wire + (b"" if lines[-1] == b"" else b"\r\n") + b".\r\n"


def _in_blocks(blocks: list[bytes]) -> bytes:
    stuffing = DotStuffing()
    return b"".join(map(stuffing.block, blocks)) + stuffing.end()


_DOTTY = st.lists(st.sampled_from([b".", b"\r", b"\n", b"\r\n", b"a", b"\r\n.", b"..", b""]), max_size=12)


@pytest.mark.rfc("5321", "4.5.2")
@given(_DOTTY)
def test_blocks_give_what_lines_give(blocks: list[bytes]) -> None:
    """However the content is cut, what goes out is what stuffing line by line gives."""
    assert _in_blocks(blocks) == _plainly(b"".join(blocks))


@given(_DOTTY)
def test_every_single_cut(blocks: list[bytes]) -> None:
    """Each one of all possible cuts in two gives the same."""
    content = b"".join(blocks)
    expected = stuffed(content)
    for cut in range(len(content) + 1):
        assert _in_blocks([content[:cut], content[cut:]]) == expected


@pytest.mark.parametrize(
    ("content", "wire"),
    [
        (b"", b".\r\n"),
        (b".", b"..\r\n.\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b"a\r\n", b"a\r\n.\r\n"),
        (b".\r\n", b"..\r\n.\r\n"),
        (b"a\r\n.\r\nb\r\n", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"\r\n.\r\n.\r\n", b"\r\n..\r\n..\r\n.\r\n"),
    ],
)
def test_examples(content: bytes, wire: bytes) -> None:
    """Only the end of data is a line with nothing but a dot."""
    assert stuffed(content) == wire
