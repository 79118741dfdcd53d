"""Tests of the frames of SMPP: cut at every place, and hostile."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.shipped.sms.wire import BadFrame, Command, Frames, Pdu

PDUS = st.builds(
    Pdu, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.binary(max_size=60), st.integers(0, 2**32 - 1)
)


@given(st.lists(PDUS, max_size=6), st.integers(1, 40))
def test_a_stream_cut_anywhere_gives_the_same_pdus(pdus: list[Pdu], size: int) -> None:
    """What is written is what is read, in whatever pieces it comes."""
    octets, frames = b"".join(pdu.render() for pdu in pdus), Frames()
    read = [pdu for place in range(0, len(octets), size) for pdu in frames.receive(octets[place : place + size])]
    assert read == pdus


@pytest.mark.parametrize("length", [0, 4, 15, 72 * 1024 + 1, 0xFFFFFFFF])
def test_a_length_that_cannot_be_ends_the_stream(length: int) -> None:
    """Too short for a header, or longer than anything that is bounded."""
    with pytest.raises(BadFrame):
        list(Frames().receive(length.to_bytes(4, "big")))


@given(st.binary(max_size=400))
def test_garbage_ends_in_pdus_or_in_bad_frame(octets: bytes) -> None:
    """And in nothing else; no more is held than came."""
    frames = Frames()
    with suppress(BadFrame):
        list(frames.receive(octets))
    assert len(frames._held) <= len(octets)


def test_what_comes_before_a_bad_frame_is_read() -> None:
    """The PDU in front of it counts."""
    frames = Frames()
    read = []
    with pytest.raises(BadFrame):
        for pdu in frames.receive(Pdu(Command.ENQUIRE_LINK, 1).render() + b"HTTP/1.1 400 Bad Request"):
            read.append(pdu)  # noqa: PERF402 - it raises in the middle
    assert [(one.command, one.is_response) for one in read] == [(Command.ENQUIRE_LINK, False)]
