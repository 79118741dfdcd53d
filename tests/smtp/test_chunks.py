"""The content after BDAT."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.mail.envelope import Body
from mailnode.smtp import replies
from mailnode.smtp.buffer import InputBuffer
from mailnode.smtp.chunks import ChunkedContent, ChunkReader
from mailnode.smtp.settings import ServerSettings

chunks = st.lists(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n", b"."]), max_size=6).map(b"".join), min_size=1)


def read(parts: list[bytes], body: Body, size: int) -> tuple[bytes, ChunkedContent]:
    """Read the chunks of one content, fed in pieces of ``size`` octets."""
    content = ChunkedContent(ServerSettings(), body)
    buffer = InputBuffer(1000)
    octets = b""
    for number, part in enumerate(parts):
        reader = ChunkReader(len(part), content, is_last=number == len(parts) - 1)
        for start in range(0, len(part), size):
            buffer.feed(part[start : start + size])
            octets += reader.read(buffer)
        if not part:
            octets += reader.read(buffer)
        assert reader.is_done
    return octets, content


@pytest.mark.rfc("3030", "2")
@given(chunks, st.integers(1, 5))
def test_binary_content_is_not_touched(parts: list[bytes], size: int) -> None:
    """With BINARYMIME every octet arrives as it was sent."""
    octets, content = read(parts, Body.BINARY_MIME, size)
    assert octets == b"".join(parts)
    assert content.size == len(octets)
    assert content.fault is None


@given(chunks, st.integers(1, 5))
def test_text_is_judged_as_a_whole(parts: list[bytes], size: int) -> None:
    """Chunks and reads may cut a CRLF apart; only a CR or LF that stands alone in the whole is a fault."""
    whole = b"".join(parts)
    is_bare = whole.replace(b"\r\n", b"").strip(b"a.") != b""
    octets, content = read(parts, Body.SEVEN_BIT, size)
    assert content.fault is (replies.BARE_NEWLINE if is_bare else None)
    if not is_bare:
        assert octets == whole


def test_a_refused_chunk_is_thrown_away() -> None:
    """Exactly its octets are taken, and nothing is given."""
    buffer = InputBuffer(1000)
    buffer.feed(b"12345NOOP\r\n")
    reader = ChunkReader(5)
    assert reader.read(buffer) == b""
    assert reader.is_done
    assert reader.fault is None
    assert buffer.take_line() == b"NOOP"
