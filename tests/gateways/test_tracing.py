"""Tests of W3C Trace Context."""

import pytest

from mailnode.gateways.tracing import trace_id, traceparent_of

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_the_queue_id_tells_the_trace() -> None:
    """The same on every call, another span for another step."""
    first, again, other = (traceparent_of("Q", "sms", number) for number in ("1", "1", "2"))
    assert first == again != other
    assert trace_id(first) == trace_id(other) != ""


def test_a_trace_that_was_given_goes_on() -> None:
    """Its id, with a span of ours."""
    made = traceparent_of("Q", "sms", given=GIVEN)
    assert trace_id(made) == trace_id(GIVEN)
    assert made != GIVEN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        GIVEN.upper(),
        GIVEN.replace("00-0", "ff-0"),
        f"00-{'0' * 32}-{'1' * 16}-01",
        f"00-{'1' * 32}-{'0' * 16}-01",
    ],
)
def test_what_is_no_traceparent_is_ignored(text: str) -> None:
    """Zeros, capitals, the forbidden version."""
    assert trace_id(text) == ""
