"""Line ends of content."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.smtp import replies
from mailnode.smtp.newlines import LineEnds


@pytest.mark.rfc("5321", "4.5.3.1.6")
@given(st.lists(st.sampled_from([b"a", b"bcd", b"\r\n"]), max_size=40), st.integers(1, 7), st.lists(st.integers(0, 80)))
def test_long_lines_are_found_in_leaps(parts: list[bytes], limit: int, cuts: list[int]) -> None:
    """What is found without looking at each line is what looking at each line finds."""
    content = b"".join(parts) + b"\r\n"
    places = sorted({0, len(content), *(cut for cut in cuts if cut < len(content))})
    ends = LineEnds("refuse", limit)
    for start, end in itertools.pairwise(places):
        if content[start - 1 : start + 1] != b"\r\n" and content[end - 1 : end + 1] != b"\r\n":
            ends.passed(content[start:end])
        else:
            return  # the readers never cut a CRLF apart
    assert (ends.fault is not None) == any(len(line) > limit for line in content.split(b"\r\n"))


def test_the_first_fault_stays_and_silences() -> None:
    """After a fault nothing is given any more."""
    ends = LineEnds("refuse", 0)
    assert ends.passed(b"good\r\n") == b"good\r\n"
    assert ends.passed(b"bad\n") == b""
    assert ends.passed(b"good\r\n") == b""
    assert ends.fault is replies.BARE_NEWLINE


def test_repair_makes_crlf_of_either() -> None:
    """A lone CR and a lone LF are a line end each."""
    assert LineEnds("repair", 0).passed(b"a\nb\rc\r\nd\n\re\r\r\n") == b"a\r\nb\r\nc\r\nd\r\n\r\ne\r\n\r\n"
