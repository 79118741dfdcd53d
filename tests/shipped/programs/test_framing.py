"""Tests of frames: they are the same wherever the stream is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.shipped.programs.framing import Framer, Frames, crlf, without_from_line

STREAMS: dict[Frames, tuple[bytes, list[bytes]]] = {
    "lines": (b"one\ntwo\n\n\nthree", [b"one", b"two", b"three"]),
    "blocks": (b"a\nb\n\nc\n\n\n\nd\n", [b"a\nb", b"c", b"d\n"]),
    "nul": (b"a\nb\0c\0\0d", [b"a\nb", b"c", b"d"]),
    "mbox": (
        b"From a x\nS: 1\n\nHi\n\nFrom b x\nS: 2\n\nHo\n\n",
        [b"From a x\nS: 1\n\nHi\n\n", b"From b x\nS: 2\n\nHo\n\n"],
    ),
}


def cut(frames: Frames, pieces: list[bytes], limit: int = 1000) -> list[tuple[bytes, bool]]:
    """Feed pieces and give what was heard."""
    heard: list[tuple[bytes, bool]] = []
    framer = Framer(frames, limit, lambda frame, is_cut: heard.append((frame, is_cut)))
    for piece in pieces:
        framer.feed(piece)
    framer.end()
    return heard


@pytest.mark.parametrize("frames", STREAMS)
def test_frames_end_where_they_should(frames: Frames) -> None:
    """At once, and octet by octet."""
    stream, wanted = STREAMS[frames]
    assert [frame for frame, _ in cut(frames, [stream])] == wanted
    assert [frame for frame, _ in cut(frames, [bytes([one]) for one in stream])] == wanted


@given(
    st.sampled_from(["lines", "blocks", "nul", "mbox"]), st.lists(st.sampled_from([b"\n", b"\n\nFrom ", b"x", b"\0"]))
)
def test_cutting_changes_nothing(frames: Frames, pieces: list[bytes]) -> None:
    """Whatever the stream is."""
    assert cut(frames, pieces) == cut(frames, [b"".join(pieces)])


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_frame_without_end_is_cut_once(size: int) -> None:
    """The next one is whole again, and memory stays small."""
    stream = b"x" * 5000 + b"\nnext\n"
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert cut("lines", pieces, limit=100) == [(b"x" * 100, True), (b"next", False)]


def test_an_mbox_gives_its_message_back() -> None:
    """The sender of the From_ line, and lines without their extra quote."""
    assert without_from_line(b"From ann@x Sat\nS: 1\n\n>From me\n>>From you\n") == (
        "ann@x",
        b"S: 1\n\nFrom me\n>From you\n",
    )
    assert without_from_line(b"S: 1\n\n") == ("", b"S: 1\n\n")
    assert crlf(b"a\r\nb\nc\r") == b"a\r\nb\r\nc\r\n"
